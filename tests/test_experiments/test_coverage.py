"""The coverage picture: one page that needs nothing else, and says the truth in the right place."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import Finding
from datasets.quality import CheckedSeries, QualityReport
from engine import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from experiments.coverage import render, write_coverage
from experiments.coverage.axis import MOST_TICKS, ticks_of
from experiments.coverage.picture import page_of
from tests.test_datasets.quality.planting import (
    checked,
    clean_bars,
    key_of,
    series_of,
    without_rows,
)

VOID = {"meta", "link", "br"}


class Wellformed(HTMLParser):
    """Counts elements and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.titles.append(data)


def parsed(page: str) -> Wellformed:
    parser = Wellformed()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def small_market() -> QualityReport:
    lost = {"AAAUSDT": {50}, "BBBUSDT": {50}, "CCCUSDT": {50, 90, *range(200, 240)}}
    return checked(
        *(series_of(without_rows(clean_bars(), rows), key_of(s)) for s, rows in lost.items())
    )


def test_the_page_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    page = write_coverage(small_market(), tmp_path / "c.html").read_text(encoding="utf-8")
    parser = parsed(page)
    assert "script" not in parser.seen
    assert not re.search(r"(src|href)=|https?://|@import|url\(", page)
    for symbol in ("AAAUSDT", "BBBUSDT", "CCCUSDT"):
        assert page.count(f'scope="row" title="{symbol}') == 1
    assert "outage of the venue <b>3</b>" in page
    assert "hole in the download <b>1</b>" in page
    assert any("1 row (2 of 2 other symbols lack them too)" in title for title in parser.titles)


def test_words_of_a_source_cannot_become_markup() -> None:
    series = series_of(clean_bars())
    finding = Finding(
        defect="unstated_unit",
        action="kept",
        subject="<b>",
        count=1,
        message="<script>alert(1)</script>",
    )
    page = render(checked(CheckedSeries(series.key, series.table, (finding,))))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_report_is_a_page_too() -> None:
    parsed(render(checked()))


def test_segments_and_markers_are_where_they_belong() -> None:
    columns = clean_bars()
    columns["volume"][120] = 0.0
    (section,) = page_of(checked(series_of(without_rows(columns, range(60, 84))))).sections
    (row,) = section.rows
    present, gap = row.segments
    assert (present.state, present.x, present.width) == ("present", 0.0, 100.0)
    assert (gap.state, gap.x, gap.width) == ("unknown", 25.0, 10.0)
    assert [marker.x for marker in row.markers] == [50.0]
    assert (row.rows, row.missing, row.findings) == (216, 24, 1)


@given(st.sets(st.integers(1, 238), max_size=120))
def test_no_segment_leaves_the_axis(missing: set[int]) -> None:
    (section,) = page_of(checked(series_of(without_rows(clean_bars(), missing)))).sections
    (row,) = section.rows
    for segment in row.segments:
        assert 0.0 <= segment.x <= segment.x + segment.width <= 100.01


@given(
    st.integers(0, 2_000_000_000),
    st.sampled_from([SECOND_NS, MINUTE_NS, HOUR_NS, DAY_NS, 30 * DAY_NS, 365 * DAY_NS]),
    st.integers(1, 30),
)
def test_ticks_are_few_in_order_and_on_the_axis(start_s: int, unit_ns: int, count: int) -> None:
    start_ns = start_s * SECOND_NS
    ticks = ticks_of(start_ns, start_ns + unit_ns * count)
    positions = [tick.x for tick in ticks]
    assert len(ticks) <= MOST_TICKS + 1
    assert positions == sorted(set(positions))
    assert all(0 <= x <= 100 for x in positions)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2018-01-01", "2024-06-01", ["2018", "2019", "2020", "2021", "2022", "2023", "2024"]),
        ("2023-11-15", "2024-02-20", ["Dec 2023", "Jan 2024", "Feb"]),
        ("2024-02-27", "2024-03-02", ["27 Feb", "28 Feb", "29 Feb", "01 Mar"]),
    ],
)
def test_labels_of_an_axis(first: str, last: str, labels: list[str]) -> None:
    start, end = (int(np.datetime64(day, "ns").astype(np.int64)) for day in (first, last))
    found = [tick.label for tick in ticks_of(start, end)]
    assert [label for label in found if label in labels] == labels


def test_two_hundred_data_sets_stay_small() -> None:
    columns = clean_bars()
    series = [
        series_of(without_rows(columns, {50, 51, 100 + number % 7}), key_of(f"S{number:03}USDT"))
        for number in range(200)
    ]
    page = render(checked(*series))
    assert len(page) < 500_000
    assert parsed(page).seen["svg"] > 200


def test_weekends_shorter_than_a_pixel_do_not_hide_the_days_between() -> None:
    key = key_of("USDKRW", kind="fx", step="1d")
    days = [day for day in range(2200) if (day + 4) % 7 not in (0, 6) and not 700 <= day < 730]
    columns = {"event_time": [day * DAY_NS for day in days], "close": [1100.0] * len(days)}
    (section,) = page_of(checked(series_of(columns, key))).sections
    assert [one.state for one in section.rows[0].segments] == ["present", "unknown"]
    few = {name: values[:100] for name, values in columns.items()}
    (section,) = page_of(checked(series_of(few, key))).sections
    weekends = [one for one in section.rows[0].segments if one.state == "no_session"]
    assert len(weekends) == 20
    assert sum(one.width for one in weekends) < 30


def test_two_events_are_two_ticks_and_not_a_bar() -> None:
    key = key_of("BTCUSDT", kind="liquidations", step="event")
    minutes = [0, 1000, *range(5000, 5010)]
    columns = {
        "event_time": [minute * MINUTE_NS for minute in minutes],
        "sequence": [0] * len(minutes),
        "side": ["sell"] * len(minutes),
        "price": [100.0] * len(minutes),
        "quantity": [1.0] * len(minutes),
    }
    (section,) = page_of(checked(series_of(columns, key))).sections
    segments = section.rows[0].segments
    assert [one.state for one in segments] == ["present"] * 3
    assert [round(one.x) for one in segments] == [0, 20, 100]
    assert sum(one.width for one in segments) < 1.0


def test_one_data_set_is_singular() -> None:
    page = render(checked(series_of(clean_bars())))
    assert "1 data sets" not in page
    assert "1 findings" not in page
