"""The coverage page: what is there and what lacks, in the right place and with the same numbers."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import DatasetKey, Finding
from datasets.quality import CheckedSeries, QualityReport
from engine import DAY_NS, HOUR_NS, MINUTE_NS
from experiments.coverage import coverage_document, write_coverage
from experiments.coverage.page import LOOKS, ROWS_SHOWN, WORST_SHOWN
from experiments.coverage.picture import STATES, Row, coverage_of
from experiments.pages import Chart, Document, Fold, Number, Table
from experiments.pages.html import html_text
from experiments.pages.plain import document_json, markdown_text
from tests.test_datasets.quality.planting import (
    START_NS,
    checked,
    clean_bars,
    key_of,
    series_of,
    without_rows,
)


def small_market() -> QualityReport:
    lost = {"AAAUSDT": {50}, "BBBUSDT": {50}, "CCCUSDT": {50, 90, *range(200, 240)}}
    return checked(
        *(series_of(without_rows(clean_bars(), rows), key_of(s)) for s, rows in lost.items())
    )


def only_row(report: QualityReport) -> Row:
    ((row,),) = [group.rows for group in coverage_of(report).groups]
    return row


def table(document: Document, name: str) -> Table:
    return next(one for one in document.blocks() if isinstance(one, Table) and one.name == name)


def shown(one: Table) -> list[list[object]]:
    return [[cell.value if isinstance(cell, Number) else cell for cell in row] for row in one.rows]


def test_every_gap_is_counted_once_by_its_cause():
    document = coverage_document(small_market())
    causes = table(document, "causes")
    assert causes.columns == ("cause", "gaps", "data sets", "rows missing")
    assert shown(causes) == [
        ["outage of the venue", 3, 3, 3],
        ["hole in the download", 1, 1, 1],
        ["outside the recording", 1, 1, 40],
    ]
    assert document.verdict[0].paragraphs == (
        "4 rows missing in 3 of 3 data sets; nothing was found in the rows.",
    )
    assert shown(table(document, "worst"))[0] == [str(key_of("CCCUSDT")), 2, 3, 0]
    numbers = table(document, "kind-1-rows")
    assert [row[0] for row in numbers.rows] == ["AAAUSDT", "BBBUSDT", "CCCUSDT"]
    assert shown(numbers)[2][3:] == [
        198, 2, 0, "1 outage of the venue, 1 hole in the download, 1 outside the recording",
    ]  # fmt: skip


def test_the_picture_draws_the_stretches():
    (picture,) = [
        one for one in coverage_document(small_market()).blocks() if isinstance(one, Chart)
    ]
    by_name = {trace["name"]: trace for trace in picture.data}
    assert list(by_name) == [
        "present", "outage of the venue", "hole in the download", "outside the recording",
    ]  # fmt: skip
    outage = by_name["outage of the venue"]
    assert outage["y"].tolist() == [0, 1, 2]
    assert outage["base"].tolist() == [(START_NS + 50 * HOUR_NS) / 1e6] * 3
    assert (outage["x"] == HOUR_NS / 1e6).all()
    assert "2 of 2 other symbols lack them too" in outage["customdata"][0].replace("\n", " ")
    assert picture.layout["yaxis"]["ticktext"] == ["AAAUSDT", "BBBUSDT", "CCCUSDT"]


def test_names_beside_a_picture_are_whole_in_as_many_lines_as_they_need():
    keys = [
        DatasetKey("ohlcv", "binance", market, symbol, "1h", source)
        for market, symbol, source in (
            ("spot", "AAA", "a"), ("spot", "BTCUSDT", "a"), ("um_perp", "BTCUSDT", "spot_and_perp"),
        )
    ]  # fmt: skip
    document = coverage_document(checked(*(series_of(clean_bars(), key) for key in keys)))
    (picture,) = [one for one in document.blocks() if isinstance(one, Chart)]
    assert picture.layout["yaxis"]["ticktext"] == [
        "AAA binance/spot · a",
        "BTCUSDT binance/spot · a",
        "BTCUSDT\nbinance/um_perp\nspot_and_perp",
    ]


def test_hatches_run_along_the_axes_so_that_a_pdf_stays_small():
    assert {hatch for _, hatch, _ in LOOKS.values()} <= {"", "-", "|", "+", "."}


def test_no_two_states_are_told_apart_by_colour_alone():
    assert set(LOOKS) == set(STATES)
    assert len({(hatch, height) for _, hatch, height in LOOKS.values()}) == len(LOOKS)


def test_every_format_states_the_same(tmp_path: Path):
    report = small_market()
    document = coverage_document(report)
    page = write_coverage(report, tmp_path / "c.html").read_text(encoding="utf-8")
    assert page == html_text(document)
    assert "Content-Security-Policy" in page
    assert "outage of the venue | 3 | 3 | 3" in markdown_text(document)
    tiles = document_json(document)["tiles"]["tiles"]
    assert {one["label"]: one["value"] for one in tiles} == {
        "Data sets": 3, "Rows": 676, "Rows missing": 4, "Findings": 4, "Refused files": 0,
    }  # fmt: skip


def test_words_of_a_source_cannot_become_markup():
    series = series_of(clean_bars())
    finding = Finding(
        defect="unstated_unit",
        action="kept",
        subject="<b>",
        count=1,
        message="<script>alert(1)</script>",
    )
    page = html_text(
        coverage_document(checked(CheckedSeries(series.key, series.table, (finding,))))
    )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_an_empty_report_is_a_page_too():
    document = coverage_document(checked())
    assert document.verdict[0].paragraphs == ("No data set was looked at.",)
    assert html_text(document)


def test_stretches_and_marks_are_where_they_belong():
    columns = clean_bars()
    columns["volume"][120] = 0.0
    row = only_row(checked(series_of(without_rows(columns, range(60, 84)))))
    hours = [
        (one.state, (one.start_ns - START_NS) / HOUR_NS, (one.end_ns - START_NS) / HOUR_NS)
        for one in row.stretches
    ]
    assert hours == [("present", 0, 60), ("present", 84, 240), ("unknown", 60, 84)]
    assert [(mark.time_ns - START_NS) / HOUR_NS for mark in row.marks] == [120]
    assert (row.rows, row.missing, row.findings, row.gaps) == (216, 24, 1, {"unknown": 1})


@given(st.sets(st.integers(1, 238), max_size=120))
def test_stretches_share_the_axis_without_overlap(missing: set[int]):
    row = only_row(checked(series_of(without_rows(clean_bars(), missing))))
    ordered = sorted(row.stretches, key=lambda one: one.start_ns)
    assert ordered[0].start_ns == START_NS
    assert ordered[-1].end_ns == START_NS + 240 * HOUR_NS
    assert all(one.end_ns == after.start_ns for one, after in pairwise(ordered))


def test_of_many_data_sets_the_worst_are_shown_and_all_are_folded():
    columns = clean_bars()
    series = [
        series_of(
            without_rows(columns, {50, 51, *range(100, 101 + number)}), key_of(f"S{number:02}USDT")
        )
        for number in range(ROWS_SHOWN + 10)
    ]
    document = coverage_document(checked(*series))
    (section,) = [one for one in document.sections if one.name == "data-1"]
    worst, fold = section.blocks
    assert isinstance(worst, Chart)
    assert isinstance(fold, Fold)
    assert worst.layout["yaxis"]["ticktext"] == [f"S{n:02}USDT" for n in range(10, ROWS_SHOWN + 10)]
    parts = [one for one in fold.blocks if isinstance(one, Chart)]
    labels = [label for part in parts for label in part.layout["yaxis"]["ticktext"]]
    assert labels == [f"S{n:02}USDT" for n in range(ROWS_SHOWN + 10)]
    assert len(table(document, "worst").rows) == WORST_SHOWN
    assert shown(table(document, "worst"))[0][0] == str(key_of(f"S{ROWS_SHOWN + 9:02}USDT"))


def test_weekends_shorter_than_a_pixel_do_not_hide_the_days_between():
    key = key_of("USDKRW", kind="fx", step="1d")
    days = [day for day in range(2200) if (day + 4) % 7 not in (0, 6) and not 700 <= day < 730]
    columns = {"event_time": [day * DAY_NS for day in days], "close": [1100.0] * len(days)}
    row = only_row(checked(series_of(columns, key)))
    assert [one.state for one in row.stretches] == ["present", "present", "unknown"]
    few = {name: values[:100] for name, values in columns.items()}
    row = only_row(checked(series_of(few, key)))
    weekends = [one for one in row.stretches if one.state == "no_session"]
    assert len(weekends) == 20
    assert {one.end_ns - one.start_ns for one in weekends} <= {DAY_NS, 2 * DAY_NS}


def test_two_events_are_two_ticks_and_not_a_bar():
    key = key_of("BTCUSDT", kind="liquidations", step="event")
    minutes = [0, 1000, *range(5000, 5010)]
    columns = {
        "event_time": [minute * MINUTE_NS for minute in minutes],
        "sequence": [0] * len(minutes),
        "side": ["sell"] * len(minutes),
        "price": [100.0] * len(minutes),
        "quantity": [1.0] * len(minutes),
    }
    row = only_row(checked(series_of(columns, key)))
    assert [one.state for one in row.stretches] == ["present"] * 3
    assert [round(one.start_ns / MINUTE_NS / 50) for one in row.stretches] == [0, 20, 100]
    assert sum(one.end_ns - one.start_ns for one in row.stretches) < 40 * MINUTE_NS


@pytest.mark.parametrize("missing", [(), (7,)])
def test_one_is_singular(missing: tuple[int, ...]):
    text = markdown_text(coverage_document(checked(series_of(without_rows(clean_bars(), missing)))))
    for plural in ("1 data sets", "1 findings", "1 rows", "1 kinds"):
        assert plural not in text.replace(" 1 data sets |", "")
    assert ("No row is missing; nothing was found in the rows." in text) == (not missing)
