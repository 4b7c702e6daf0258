"""The look over a page bites: what is wrong on purpose is told, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from experiments.pages import Chart, Document, Fold, Section
from experiments.pages.html import html_text
from tests.browser.looking import LOOKS, NARROW, opened

pytestmark = pytest.mark.browser
WORDS = "Three bars, of heights one, two and three."
TALL = np.array([1.0, 2.0, 3.0])


def page_of(tmp_path: Path, *charts: Chart, insert: str = "") -> str:
    document = Document(
        title="A page",
        subtitle="Made for a test",
        sections=(
            Section(
                name="all", title="All", blocks=(charts[0], Fold(summary="More", blocks=charts[1:]))
            ),
        ),
    )
    path = tmp_path / "page.html"
    path.write_text(html_text(document).replace("</main>", f"{insert}</main>"), encoding="utf-8")
    return path.as_uri()


def chart(name: str = "bars", heights: Any = TALL, colour: str = "@accent", **layout: Any) -> Chart:
    trace: Mapping[str, Any] = {
        "type": "bar", "x": ["one", "two", "three"], "y": heights, "marker": {"color": colour},
    }  # fmt: skip
    return Chart(name=name, title="Bars", text=WORDS, data=(trace,), layout=layout)


def note(text: str, **place: Any) -> dict[str, Any]:
    return {
        "text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, **place,
    }  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_sound_page_has_no_problem(browser: Browser, tmp_path: Path, width: int, scheme: Any):
    url = page_of(tmp_path, chart(), chart("folded"))
    with opened(browser, url, width, scheme) as view:
        view.unfold()
        assert view.problems() == []
        assert view.page.locator("figure[data-drawn=yes]").count() == 2


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (chart(heights=np.full(3, np.nan)), "chart bars: is empty"),
        (chart(colour="rgba(0,0,0,0)"), "chart bars: is empty"),
        (chart(yaxis={"range": [10, 20]}), "chart bars: is empty"),
        (
            chart(annotations=[note("a label of some length"), note("another of some length")]),
            "chart bars: the labels",
        ),
        (chart(annotations=[note("far to the right", x=1.0, xanchor="left")]), "is cut off"),
        (chart(annotations=[note("NaN")]), "no text for people"),
        (chart(margin={"t": 150, "b": 140}), "leave a plot of"),
    ],
)
def test_a_spoilt_chart_is_told(browser: Browser, tmp_path: Path, spoilt: Chart, told: str):
    with opened(browser, page_of(tmp_path, spoilt)) as view:
        assert any(told in problem for problem in view.problems()), view.problems()


def test_a_chart_that_is_not_drawn_is_told(browser: Browser, tmp_path: Path):
    with opened(browser, page_of(tmp_path, chart())) as view:
        view.page.evaluate("delete document.querySelector('figure.chart').dataset.drawn")
        assert view.problems() == ["chart bars: not drawn (not begun)"]


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ('<div style="width:900px">wide</div>', "pixels wide in a window of 390"),
        ("<p>The Sharpe ratio is NaN.</p>", "is no text for people"),
        ("<h5>Deep</h5>", "skips a level"),
        ('<p id="bars">twice</p>', "two elements are called bars"),
        ('<input name="text">', "a field (text) has no label"),
        ("<button></button>", "a button or link has no name"),
        ('<p aria-labelledby="nowhere">x</p>', "refers to nowhere"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "has no words"),
        ("<script>console.error('lost')</script>", "console error: lost"),
        ("<script>throw new Error('torn')</script>", "script error: torn"),
        ('<img alt="" src="https://example.org/seen.gif">', "example.org"),
    ],
)
def test_a_spoilt_page_is_told(browser: Browser, tmp_path: Path, markup: str, told: str):
    url = page_of(tmp_path, chart(), insert=markup)
    with opened(browser, url, NARROW) as view:
        assert any(told in problem for problem in view.problems()), view.problems()


def test_a_request_to_another_host_is_refused_and_told(browser: Browser, tmp_path: Path):
    path = tmp_path / "plain.html"
    path.write_text(
        "<!doctype html><html lang=en><link rel=icon href='data:,'><h1>Plain</h1>"
        "<img alt='' src='http://127.0.0.1:9/seen.gif'>",
        encoding="utf-8",
    )
    with opened(browser, path.as_uri()) as view:
        assert any("a request to another host: http://127.0.0.1:9/" in one for one in view.heard)
