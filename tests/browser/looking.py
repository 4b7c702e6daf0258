"""A page as a reader meets it: opened in a window, listened to, and looked over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, expect

WIDE, NARROW = 1400, 390
LOOKS = tuple((width, scheme) for width in (WIDE, NARROW) for scheme in ("light", "dark"))
"""Every width and colour scheme in which a page is looked at."""
LOCAL = ("file", "data", "blob", "about")
AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
READY_MS = 90_000

Scheme = Literal["light", "dark"]
expect.set_options(timeout=20_000)


@dataclass(slots=True)
class View:
    """An open page; ``heard`` are errors of its scripts and requests to other hosts, as sentences."""

    page: Page
    heard: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Wait until every chart in sight is drawn; pages of other programs settle by themselves."""
        self.page.wait_for_load_state("load")
        if self.page.locator("script#plotly, figure.chart, figure.prices").count():
            self.page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=READY_MS)
        self.page.wait_for_timeout(50)

    def unfold(self) -> None:
        """Open every fold, and wait for what is inside."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        self.page.wait_for_timeout(50)
        self.page.wait_for_selector(
            "figure.chart:not([data-drawn])", state="detached", timeout=READY_MS
        )
        self.page.wait_for_timeout(50)

    def problems(self) -> list[str]:
        """What is wrong with what is shown now, and what was heard so far."""
        return [*self.page.evaluate(AUDIT), *self.heard]


@contextmanager
def opened(
    browser: Browser, url: str, width: int = WIDE, scheme: Scheme = "light", height: int = 900
) -> Iterator[View]:
    """``url`` in a window of its own; requests that leave its origin are refused and told."""
    origin = _origin(url)
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=width == NARROW,
        reduced_motion="reduce",
        service_workers="block",
    )
    try:
        view = View(context.new_page())

        def on_route(route: Route, request: Request) -> None:
            if urlsplit(request.url).scheme in LOCAL or _origin(request.url) == origin:
                route.continue_()
            else:
                view.heard.append(f"a request to another host: {request.url}")
                route.abort()

        def on_console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                view.heard.append(f"console {message.type}: {message.text}")

        context.route("**/*", on_route)
        view.page.on("console", on_console)
        view.page.on("pageerror", lambda error: view.heard.append(f"script error: {error}"))
        view.page.on(
            "requestfailed", lambda request: view.heard.append(f"request failed: {request.url}")
        )
        view.page.goto(url)
        view.settle()
        yield view
    finally:
        context.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
