"""The coverage page in a browser: every picture is drawn, the folded ones when they are opened."""

import pytest
from playwright.sync_api import Browser

from datasets import Finding
from datasets.quality import CheckedSeries
from experiments.coverage import write_coverage
from experiments.coverage.page import ROWS_SHOWN
from tests.browser.looking import LOOKS, Scheme, View, opened
from tests.test_datasets.quality.planting import (
    checked,
    clean_bars,
    key_of,
    series_of,
    without_rows,
)

pytestmark = pytest.mark.browser
NASTY = "<b onclick=alert(1)>&lt;bold</b>"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    columns = clean_bars()
    columns["volume"][120] = 0.0
    series = [
        series_of(
            without_rows(columns, {50, 90 + number % 3, *range(200, 200 + number)}),
            key_of(f"S{number:02}USDT"),
        )
        for number in range(ROWS_SHOWN + 5)
    ]
    told = Finding(defect="unstated_unit", action="kept", subject="s", count=1, message=NASTY)
    series[4] = CheckedSeries(series[4].key, series[4].table, (told,))
    path = tmp_path_factory.mktemp("page") / "coverage.html"
    return write_coverage(checked(*series), path).as_uri()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_is_right_at_every_width_and_in_both_schemes(
    browser: Browser, url: str, width: int, scheme: Scheme
):
    with opened(browser, url, width, scheme) as view:
        assert view.problems() == []
        assert view.page.locator("figure[data-drawn=yes]").count() == 1
        view.unfold()
        assert view.problems() == []
        assert view.page.locator("figure[data-drawn=yes]").count() == 3


def pointed_at(view: View, chart: str, mark: str) -> str:
    """What is shown beside a mark of a chart when the pointer is over it."""
    view.page.locator(f"#{chart} {mark}").first.hover(force=True)
    told = view.page.locator(f"#{chart} .hoverlayer .hovertext")
    told.wait_for(timeout=5000)
    lines = told.locator("tspan.line").all_text_contents()
    return " ".join(lines or told.all_text_contents())


def test_words_of_a_source_are_shown_as_they_are(browser: Browser, url: str):
    with opened(browser, url) as view:
        view.unfold()
        assert NASTY in view.page.locator("#defect-unstated-unit").inner_text()
        assert NASTY in pointed_at(view, "kind-1-1", ".scatterlayer path.point >> nth=4")


def test_pointing_at_a_gap_tells_it(browser: Browser, url: str):
    with opened(browser, url) as view:
        told = pointed_at(view, "kind-1", ".barlayer .trace >> nth=1 >> path")
        assert "outage of the venue: 2020-01-03 07:00" in told
