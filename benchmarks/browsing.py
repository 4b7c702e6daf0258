"""How a page feels in a headless browser on two cores: when it is painted, and how long it is busy."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import found_chromium

CORES: Final = 2
READY_MS: Final = 120_000
_OBSERVE: Final = """
window.tasks = [];
new PerformanceObserver(list => { for (const one of list.getEntries()) window.tasks.push(one.duration); })
  .observe({type: 'longtask', buffered: true});
"""
_PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@contextmanager
def two_cores() -> Iterator[None]:
    """Whatever is started inside the block runs on two cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def page_figures(url: str, *, is_report: bool = True, runs: int = 3) -> dict[str, float]:
    """Milliseconds of the first paint, the longest task (by the clock, and of its thread's processor time)
    and until all is there; best of ``runs``.

    A report is there when every chart is drawn. Nothing where there is no Chromium.
    """
    program = found_chromium()
    if program is None:
        return {}
    with two_cores(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        try:
            found = [_opened(browser, url, is_report) for _ in range(runs)]
        finally:
            browser.close()
    return {name: min(one[name] for one in found) for name in found[0]}


def _opened(browser: Browser, url: str, is_report: bool) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    try:
        browser.start_tracing(page=page, categories=["toplevel"])
        page.add_init_script(_OBSERVE)
        page.goto(url)
        if is_report:
            page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=READY_MS)
        ready = float(page.evaluate("performance.now()"))
        painted = page.evaluate(_PAINTED)
        tasks = page.evaluate("window.tasks")
        trace = json.loads(browser.stop_tracing())["traceEvents"]
        return {
            "longest_task_cpu_ms": max(_processor_ms(trace), default=0.0),
            "first_paint_ms": float("nan") if painted is None else float(painted),
            "longest_task_ms": max((float(one) for one in tasks), default=0.0),
            "all_there_ms": ready,
        }
    finally:
        page.close()


def _processor_ms(trace: Sequence[Mapping[str, Any]]) -> list[float]:
    """Processor time of each task on the main threads of pages: what other programs do does not count."""
    main = {
        (one["pid"], one["tid"])
        for one in trace
        if one["name"] == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    return [
        float(one["tdur"]) / 1e3
        for one in trace
        if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in main and "tdur" in one
    ]
