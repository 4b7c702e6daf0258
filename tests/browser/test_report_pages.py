"""Every report as a reader meets it, at both widths and in both colour schemes: drawn, legible, silent."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.looking import LOOKS, NARROW, WIDE, opened
from tests.browser.report_cases import NAMES, made_run
from tests.test_experiments.test_serve.serving import Server, serving

pytestmark = pytest.mark.browser
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def made(folder: Path, browser: Browser) -> Made:
    """The folder of a run by its name; each is run once. Without a browser nothing is run."""
    return cache(lambda name: made_run(name, folder))


@pytest.fixture(scope="module")
def server(folder: Path, browser: Browser) -> Iterator[Server]:
    with serving(folder / "runs") as running:
        yield running


LOOKED_AT = [
    (name, width, scheme)
    for name in NAMES
    for width, scheme in (LOOKS if name == "usual" else ((WIDE, "light"), (NARROW, "dark")))
]


@pytest.mark.parametrize(("name", "width", "scheme"), LOOKED_AT)
def test_the_report_of_a_run_is_right_as_it_is_looked_at(
    browser: Browser, made: Made, name: str, width: int, scheme: Any
):
    page = made(name) / "report.html"
    with opened(browser, page.as_uri(), width, scheme) as view:
        view.unfold()
        assert view.problems() == []
        assert view.page.locator("figure.chart[data-drawn=yes]").count() > 0 or name == "one-bar"


def test_every_switch_of_a_chart_draws_it(browser: Browser, made: Made):
    with opened(browser, (made("usual") / "report.html").as_uri()) as view:
        view.unfold()
        buttons = view.page.locator("figure.chart .switches button").all()
        assert buttons
        for button in buttons:
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
            assert view.problems() == []


def test_a_report_that_is_served_is_the_one_in_the_folder_and_leads_back(
    browser: Browser, server: Server, made: Made
):
    run_id = made("usual").name
    with opened(browser, f"{server.address.url}runs/{run_id}") as view:
        view.unfold()
        assert view.problems() == []
        view.page.get_by_role("link", name="All runs and sweeps").click()
        view.page.wait_for_url(server.address.url)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_runs_beside_each_other(browser: Browser, server: Server, made: Made, width: int):
    query = "&".join(f"run={made(name).name}" for name in ("usual", "quiet"))
    with opened(browser, f"{server.address.url}compare?{query}", width) as view:
        view.unfold()
        assert view.problems() == []
        assert view.page.locator("figure.chart[data-drawn=yes]").count() > 0


def test_on_paper_nothing_is_cut_off(browser: Browser, made: Made):
    """What is printed is laid out for the width of the paper: 186 mm between the margins."""
    with opened(browser, (made("usual") / "report.html").as_uri()) as view:
        view.page.emulate_media(media="print")
        view.page.set_viewport_size({"width": 703, "height": 1_000})
        view.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        view.page.wait_for_timeout(300)
        wide = view.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 704
        assert view.problems() == []


def test_a_report_can_be_read_without_scripts_and_by_keyboard(browser: Browser, made: Made):
    page = (made("usual") / "report.html").as_uri()
    context = browser.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(page)
        assert "Every number is in the text and the tables" in plain.locator("body").inner_text()
    finally:
        context.close()
    with opened(browser, page) as view:
        view.page.keyboard.press("Tab")
        assert view.page.evaluate("document.activeElement.className") == "skip"
        view.page.keyboard.press("Enter")
        assert view.page.evaluate("document.activeElement.id") == "content"
