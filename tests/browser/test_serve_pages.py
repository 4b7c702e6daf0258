"""The app in a browser: lists that filter as one types, marks that stay, a sweep that is seen to grow."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from experiments.sweeps.ledger import Ledger
from tests.browser.looking import LOOKS, NARROW, WIDE, opened
from tests.browser.report_cases import HOSTILE, made_run
from tests.test_experiments.test_serve.ledgers import add_batch, made_ledger, sweep_tree
from tests.test_experiments.test_serve.run_folders import copied
from tests.test_experiments.test_serve.serving import Server, serving

pytestmark = pytest.mark.browser
RUNS = 120


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """Many runs of which one was made, a torn one, one with markup for a name, and two sweeps."""
    folder = tmp_path_factory.mktemp("browsed")
    run = made_run("once", folder)
    listed = folder / "listed"
    for number in range(RUNS):
        copied(run, listed, f"20240101T0000{number:03d}Z-run", name=f"run {number:03d}",
               timeframe=("1h", "4h")[number % 2], created_at=f"2024-01-{1 + number % 28:02d}T00:00:00Z",
               n_trades=number)  # fmt: skip
    copied(run, listed, "20240201T000000Z-markup", name=HOSTILE, created_at="2024-02-01T00:00:00Z")
    (listed / "20240202T000000Z-torn").mkdir()
    (listed / "20240202T000000Z-torn" / "run.json").write_text("{")
    ledger = made_ledger(listed, sweep_tree("finished", screen=4, search=4))
    add_batch(ledger, [0.5, 1.0, None, -1.0])
    add_batch(ledger, [1.5, 1.25, 1.0, 1.0], stage="search")
    made_ledger(listed, sweep_tree("empty"))
    return listed


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[Server]:
    with serving(runs) as running:
        running.site.run_index.listed(patience_seconds=60)
        yield running


def names(page: Page) -> list[str]:
    return page.locator("#found th.name > a").all_inner_texts()


PATHS = (
    "", "sweeps/finished/{finished}", "sweeps", "?kind=problem", "?text=nothing", "?kind=unknown",
    "sweeps/empty/{empty}", "runs/20240101T0000000Z-run/files", "runs/nothing",
)  # fmt: skip
LOOKED_AT = [
    (path, width, scheme)
    for number, path in enumerate(PATHS)
    for width, scheme in (LOOKS if number < 2 else ((WIDE, "dark"), (NARROW, "light")))
]


@pytest.mark.parametrize(("path", "width", "scheme"), LOOKED_AT)
def test_every_page_is_right_as_it_is_looked_at(
    browser: Browser, server: Server, runs: Path, path: str, width: int, scheme: Any
):
    ids = {
        family: next((runs / "sweeps" / family).iterdir()).name for family in ("finished", "empty")
    }
    url = server.address.url + path.format(**ids)
    with opened(browser, url, width, scheme) as view:
        view.unfold()
        refused = "kind=unknown" in path or "nothing" in path.split("/")
        told = [one for one in view.problems() if not (refused and "the server responded" in one)]
        assert told == []
        for picture in view.page.locator("img").all()[:3]:
            picture.scroll_into_view_if_needed()
            expect(picture).to_have_js_property("complete", value=True)
            assert picture.evaluate("one => one.naturalWidth") == 120


def test_filters_act_as_one_types_and_stand_in_the_address(browser: Browser, server: Server):
    with opened(browser, server.address.url) as view:
        page = view.page
        assert len(names(page)) == 50
        page.keyboard.press("/")
        page.keyboard.type("run 07")
        # "07" stands in the ids of two others too.
        expect(page.locator("#found .count")).to_contain_text("12 runs of 122")
        found = {f"run {number:03d}" for number in (7, *range(70, 80), 107)}
        assert set(names(page)) == found
        page.locator("select[name=timeframe]").select_option("4h")
        expect(page.locator("#found .count")).to_contain_text("7 runs of 122")
        assert page.url.endswith("/?text=run+07&timeframe=4h")
        page.reload()
        expect(page.locator("#found .count")).to_contain_text("7 runs of 122")
        assert page.get_by_label("Text").input_value() == "run 07"
        page.get_by_role("link", name="Show all").click()
        expect(page.locator("#found .count")).to_contain_text("122 runs, page 1 of 3")
        assert view.heard == []


def test_columns_sort_and_pages_turn(browser: Browser, server: Server):
    with opened(browser, f"{server.address.url}?text=run") as view:
        page = view.page
        page.get_by_role("link", name="Trades").click()
        expect(page.locator("th[aria-sort=ascending]")).to_have_text(re.compile("Trades"))
        assert names(page)[:2] == ["run 000", "run 001"]
        page.get_by_role("link", name="Trades").click()
        expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Trades"))
        assert names(page)[0] == "run 119"
        assert page.get_by_label("Sort").input_value() == "-trades"
        page.get_by_role("link", name="Next").click()
        expect(page.locator(".pages")).to_contain_text("Page 2 of 3")
        assert names(page)[0] == "run 069"
        assert "page=2" in page.url
        assert view.heard == []


def test_marks_stay_over_pages_and_open_a_comparison(browser: Browser, server: Server):
    with opened(browser, f"{server.address.url}?text=run&sort=name") as view:
        page = view.page
        compare = page.get_by_role("button", name="Compare marked runs")
        expect(compare).to_be_disabled()
        page.get_by_label("Compare 20240101T0000003Z-run").check()
        expect(compare).to_be_disabled()
        expect(page.locator("#marked")).to_have_text("1 run is marked: mark another one.")
        page.get_by_role("link", name="Next").click()
        expect(page.locator(".pages")).to_contain_text("Page 2 of 3")
        page.get_by_label("Compare 20240101T0000052Z-run").check()
        expect(page.locator("#marked")).to_have_text("2 runs are marked.")
        compare.click()
        page.wait_for_url(re.compile("/compare"))
        view.settle()
        view.unfold()
        assert "run 003" in page.locator("main").inner_text()
        assert "run 052" in page.locator("main").inner_text()
        assert view.problems() == []
        page.go_back()
        expect(page.locator("#marked")).to_have_text("2 runs are marked.")
        page.get_by_role("button", name="Unmark all").click()
        expect(page.locator("#marked")).to_have_text("Mark 2 to 10 runs to compare them.")
        expect(page.get_by_role("button", name="Compare marked runs")).to_be_disabled()


def test_a_name_with_markup_is_text_everywhere(browser: Browser, server: Server):
    with opened(browser, f"{server.address.url}?text=markup") as view:
        assert names(view.page) == [HOSTILE]
        view.page.get_by_role("link", name=HOSTILE).click()
        view.settle()
        view.unfold()
        assert HOSTILE in view.page.locator("h1").inner_text()
        assert view.page.title().startswith(HOSTILE) or HOSTILE in view.page.title()
        assert view.problems() == []


def test_the_list_works_without_scripts(browser: Browser, server: Server):
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(server.address.url)
        page.get_by_label("Text").fill("run 05")
        page.get_by_role("button", name="Show", exact=True).click()
        assert "12 runs of 122" in page.locator(".count").inner_text()
        page.locator("[name=run]").nth(0).check()
        page.locator("[name=run]").nth(1).check()
        page.get_by_role("button", name="Compare marked runs").click()
        assert page.url.count("run=") == 2
        assert "compared" in page.locator("h1").inner_text()
    finally:
        context.close()


@pytest.fixture
def growing(runs: Path) -> Iterator[Ledger]:
    ledger = made_ledger(runs, sweep_tree("growing", screen=8, search=4))
    yield ledger
    for path in ledger.folder.iterdir():
        path.unlink()
    ledger.folder.rmdir()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_sweep_is_seen_to_grow(browser: Browser, server: Server, growing: Ledger, width: int):
    url = f"{server.address.url}sweeps/growing/{growing.sweep_id}"
    with opened(browser, url, width) as view:
        page = view.page
        live = page.locator("#live")
        expect(live).to_have_attribute("data-state", "waiting")
        add_batch(growing, [0.5, None, -0.25, 0.75])
        expect(page.locator("#trials")).to_have_text("4", timeout=10_000)
        first = page.locator(".curve .best").get_attribute("d")
        assert page.locator(".curve .best").bounding_box() is not None
        add_batch(growing, [1.5, 1.0, 0.0, 0.5])
        expect(page.locator("#trials")).to_have_text("8", timeout=10_000)
        expect(live).to_have_attribute("data-state", "running")
        assert page.locator(".curve .best").get_attribute("d") != first
        assert "1.50" in live.inner_text()
        assert view.problems() == []
        add_batch(growing, [2.5, 1.0, 0.0, 0.5], stage="search")
        expect(live).to_have_attribute("data-state", "finished", timeout=10_000)
        assert view.problems() == []
        told = json.loads(server.ask(f"/sweeps/growing/{growing.sweep_id}/progress.json").text)
        assert (told["words"], told["best"]) == ("finished", [2.5])
