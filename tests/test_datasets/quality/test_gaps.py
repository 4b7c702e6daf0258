"""Why rows are missing: against markets of which everything is known."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.quality import CheckedSeries, Gap, Period, QualitySettings
from datasets.quality.holes import funding_intervals, holes_of
from engine import DAY_NS, HOUR_NS
from tests.test_datasets.quality.planting import (
    START_NS,
    checked,
    clean_bars,
    key_of,
    series_of,
    without_rows,
)

START_DAY_NS = START_NS - START_NS % DAY_NS
SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT")


def bars_of(
    symbol: str, missing: set[int], *, count: int = 400, source: str = "test", step: str = "1h"
) -> CheckedSeries:
    columns = clean_bars(count=count, step=step)
    return series_of(without_rows(columns, missing), key_of(symbol, source=source, step=step))


def gaps_of(symbol: str, *series: CheckedSeries, source: str = "test") -> tuple[Gap, ...]:
    report = checked(*series)
    (dataset,) = [
        one for one in report.datasets if (one.key.symbol, one.key.source) == (symbol, source)
    ]
    return dataset.gaps


@dataclass(frozen=True)
class Planted:
    """A stretch of missing rows: of one symbol, or of the whole venue."""

    start: int
    length: int
    symbol: str | None


@st.composite
def plans(draw: st.DrawFn) -> list[Planted]:
    found, at = [], 10
    for _ in range(draw(st.integers(0, 5))):
        at += draw(st.integers(2, 30))
        length = draw(st.integers(1, 20))
        found.append(Planted(at, length, draw(st.sampled_from([None, *SYMBOLS]))))
        at += length
    return found


@given(plans())
def test_outages_and_download_holes_as_planted(plan: list[Planted]) -> None:
    series = []
    for symbol in SYMBOLS:
        missing = {
            row
            for one in plan
            if one.symbol in (None, symbol)
            for row in range(one.start, one.start + one.length)
        }
        series.append(bars_of(symbol, missing))
    for dataset in checked(*series).datasets:
        wanted = [
            (one.start, one.length, "outage" if one.symbol is None else "download_hole")
            for one in plan
            if one.symbol in (None, dataset.key.symbol)
        ]
        found = [
            ((gap.start_ns - START_NS) // HOUR_NS, gap.missing_rows, gap.cause)
            for gap in dataset.gaps
        ]
        assert found == wanted
        assert all(gap.witnesses == 3 for gap in dataset.gaps)


def test_a_gap_without_a_witness_has_no_cause() -> None:
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", {50, 51}))
    assert (gap.cause, gap.witnesses) == ("unknown", 0)


def test_a_witness_must_have_lived_before_and_after_the_gap() -> None:
    young = bars_of("BBBUSDT", set(range(52)))
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", {50, 51}), young)
    assert (gap.cause, gap.witnesses) == ("unknown", 0)


def test_more_than_half_of_the_witnesses_make_an_outage() -> None:
    lost = set(range(50, 60))
    half = [bars_of("BBBUSDT", lost), bars_of("CCCUSDT", set())]
    assert gaps_of("AAAUSDT", bars_of("AAAUSDT", lost), *half)[0].cause == "download_hole"
    most = [*half, bars_of("DDDUSDT", set(range(53, 60)))]
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", lost), *most)
    assert (gap.cause, gap.lacking, gap.witnesses) == ("outage", 2, 3)


def test_more_witnesses_can_be_asked_for() -> None:
    lost = {50}
    series = [bars_of("AAAUSDT", lost), bars_of("BBBUSDT", lost)]
    report = checked(*series, settings=QualitySettings(least_witnesses=2))
    assert {gap.cause for one in report.datasets for gap in one.gaps} == {"unknown"}


def test_sources_of_one_symbol_are_one_witness() -> None:
    lost = {50, 51}
    series = [
        bars_of("AAAUSDT", lost),
        bars_of("BBBUSDT", lost),
        bars_of("BBBUSDT", set(), source="other"),
        bars_of("CCCUSDT", lost),
        bars_of("DDDUSDT", lost),
    ]
    (gap,) = gaps_of("AAAUSDT", *series)
    assert (gap.cause, gap.lacking, gap.witnesses) == ("outage", 2, 3)


def test_another_source_that_has_the_rows_proves_a_hole_in_the_download() -> None:
    lost = {50, 51}
    series = [bars_of(symbol, lost) for symbol in SYMBOLS]
    other = bars_of("AAAUSDT", set(), source="other")
    (gap,) = gaps_of("AAAUSDT", *series, other)
    assert (gap.cause, gap.reason) == ("download_hole", "other 1h has the rows")


def test_a_coarser_step_proves_nothing() -> None:
    daily = bars_of("AAAUSDT", set(), step="1d", source="daily", count=30)
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", {50, 51}), daily)
    assert gap.cause == "unknown"


def test_a_symbol_with_a_coarser_step_is_no_witness() -> None:
    daily = bars_of("BBBUSDT", set(), step="1d", count=30)
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", {50, 51}), daily)
    assert (gap.cause, gap.witnesses) == ("unknown", 0)


@pytest.mark.parametrize(("hours", "cause"), [(7 * 24 - 1, "download_hole"), (7 * 24, "delisted")])
def test_a_symbol_that_comes_back_after_a_week_was_delisted(hours: int, cause: str) -> None:
    series = [bars_of("AAAUSDT", set(range(50, 50 + hours))), bars_of("BBBUSDT", set())]
    (gap,) = gaps_of("AAAUSDT", *series)
    assert gap.cause == cause
    assert ("listed again" in gap.reason) == (cause == "delisted")


def test_before_listing_and_after_delisting() -> None:
    others = [bars_of(symbol, set()) for symbol in SYMBOLS[1:]]
    before, after = gaps_of("AAAUSDT", bars_of("AAAUSDT", {*range(40), *range(200, 400)}), *others)
    assert (before.cause, before.missing_rows, before.inside) == ("before_listing", 40, False)
    assert before.reason == f"{len(others)} other symbols begin earlier"
    assert (after.cause, after.missing_rows, after.inside) == ("delisted", 200, False)


def daily_of(kind: str, symbol: str, gone: set[int]) -> CheckedSeries:
    days = [day for day in range(60) if day not in gone]
    columns: dict[str, list[Any]] = {"event_time": [START_DAY_NS + day * DAY_NS for day in days]}
    if kind == "liquidation_volume":
        columns |= {name: [1.0] * len(days) for name in ("long_usd", "short_usd")}
    else:
        columns |= {"value": [1.0 + day for day in days]}
    return series_of(columns, key_of(symbol, kind=kind, step="1d"))


@pytest.mark.parametrize("gone", [{20}, set(range(20, 35))])
def test_a_day_without_liquidations_is_no_hole_and_no_delisting(gone: set[int]) -> None:
    kind = "liquidation_volume"
    others = [daily_of(kind, symbol, set()) for symbol in SYMBOLS[1:]]
    (gap,) = gaps_of("AAAUSDT", daily_of(kind, "AAAUSDT", gone), *others)
    assert (gap.cause, gap.missing_rows) == ("unknown", len(gone))
    assert gap.reason == "a period without an event has no row either"


def test_what_nobody_lists_is_neither_listed_nor_delisted() -> None:
    others = [daily_of("social", symbol, set()) for symbol in SYMBOLS[1:]]
    gone = {*range(10), *range(20, 35), *range(45, 60)}
    before, inside, after = gaps_of("AAAUSDT", daily_of("social", "AAAUSDT", gone), *others)
    assert (before.cause, inside.cause, after.cause) == ("unknown", "download_hole", "unknown")


def test_the_end_of_a_recording_is_no_delisting() -> None:
    short = [bars_of(f"S{number}USDT", set(range(200, 400))) for number in range(5)]
    long = [bars_of(symbol, set()) for symbol in SYMBOLS]
    (gap,) = gaps_of("S0USDT", *short, *long)
    assert (gap.cause, gap.reason) == ("unknown", "5 data sets of the source end here")


def test_the_turn_of_a_month_is_no_listing() -> None:
    january = 31 * 24 - 5
    late = bars_of("AAAUSDT", set(range(january)), count=1000)
    (gap,) = gaps_of("AAAUSDT", late, *(bars_of(s, set(), count=1000) for s in SYMBOLS[1:]))
    assert (gap.cause, gap.reason) == ("unknown", "begins with a month, as files do")


def test_the_period_that_was_asked_for() -> None:
    period = Period(START_NS - 3 * HOUR_NS, START_NS + 500 * HOUR_NS)
    (dataset,) = checked(bars_of("AAAUSDT", set()), period=period).datasets
    before, after = dataset.gaps
    assert (before.cause, before.missing_rows) == ("unknown", 3)
    assert before.reason == "no other symbol of the source begins earlier"
    assert (after.cause, after.missing_rows) == ("unknown", 100)
    assert checked(bars_of("AAAUSDT", set()), period=period).defects() == {}


def test_weekends_of_a_market_with_sessions_are_no_gaps() -> None:
    key = key_of("USDKRW", kind="fx", step="1d")
    days = [day for day in range(200) if (day + 4) % 7 not in (0, 6)]
    days.remove(96)  # a Tuesday
    columns = {"event_time": [day * DAY_NS for day in days], "close": [1100.0] * len(days)}
    report = checked(series_of(columns, key))
    (dataset,) = report.datasets
    assert dataset.gaps_by_cause() == {"no_session": 28, "unknown": 1}
    assert report.defects() == {"gap": 1, "no_session": 56}


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Settlement hours, positions of those to remove, and hours at which the interval changes."""
    intervals = [draw(st.sampled_from([1, 2, 4, 8]))]
    for _ in range(draw(st.integers(0, 3))):
        intervals.append(draw(st.sampled_from([i for i in (1, 2, 4, 8) if i != intervals[-1]])))
    hours, removable, changes = [0], [], []
    for number, interval in enumerate(intervals):
        if number:
            changes.append(hours[-1])
        first = len(hours)
        hours += [hours[-1] + interval * step for step in range(1, draw(st.integers(16, 30)))]
        removable += range(first + 5, len(hours) - 5)
    removed = draw(st.sets(st.sampled_from(removable), max_size=3))
    removed = {row for row in removed if not {row - step for step in (1, 2, 3, 4)} & removed}
    return hours, sorted(removed), changes


@given(schedules(), st.integers(0, 900))
def test_funding_is_measured_against_the_interval_in_force(
    schedule: tuple[list[int], list[int], list[int]], late_ms: int
) -> None:
    hours, removed, changes = schedule
    kept = [hour for row, hour in enumerate(hours) if row not in removed]
    columns = {
        "event_time": [hour * HOUR_NS + late_ms * 1_000_000 * (hour % 3 == 0) for hour in kept],
        "rate": [0.0001] * len(kept),
    }
    series = series_of(columns, key_of(kind="funding", step="8h"))
    holes = holes_of(series, QualitySettings())
    assert [hole.missing_rows for hole in holes] == [1] * len(removed)
    assert [round(hole.start_ns / HOUR_NS) for hole in holes] == [hours[row] for row in removed]
    turns = funding_intervals(series, QualitySettings()).changes
    assert [kept[row] for row in turns] == changes
    defects = checked(series).defects()
    assert defects.get("interval_change", 0) == len(changes)
    assert defects.get("gap", 0) == len(removed)


def test_the_step_from_one_schedule_to_the_next_is_no_gap() -> None:
    hours = [*range(10), 12, *range(16, 60, 4)]
    columns = {"event_time": [hour * HOUR_NS for hour in hours], "rate": [0.0] * len(hours)}
    series = series_of(columns, key_of(kind="funding", step="8h"))
    assert checked(series).defects() == {"interval_change": 1}


def test_a_stated_interval_overrules_what_the_settlements_show() -> None:
    hours = [0, 8, 16, 24, 32, 40, 44, 48, 56]
    stated = [8, 8, 8, 8, 8, 8, 4, 4, 4]
    columns = {
        "event_time": [hour * HOUR_NS for hour in hours],
        "rate": [0.0] * 9,
        "interval_hours": [float(one) for one in stated],
    }
    series = series_of(columns, key_of(kind="funding", step="8h"))
    assert checked(series).defects() == {"gap": 1, "interval_change": 1}


def filled_bars(symbol: str, fillers: set[int], source: str = "test") -> CheckedSeries:
    """Bars without a hole, but flat and without volume at some rows."""
    columns = clean_bars(count=400)
    for row in fillers:
        for name in ("open", "high", "low", "close"):
            columns[name][row] = 100.0
        columns["volume"][row] = 0.0
    return series_of(columns, key_of(symbol, source=source))


def test_bars_that_fill_a_hole_are_no_rows_of_another_source() -> None:
    lost = {50, 51, 52, 53}
    series = [bars_of(symbol, lost) for symbol in SYMBOLS]
    (gap,) = gaps_of("AAAUSDT", *series, filled_bars("AAAUSDT", lost, source="other"))
    assert (gap.cause, gap.lacking, gap.witnesses) == ("outage", 3, 3)
    half = filled_bars("AAAUSDT", {50}, source="other")
    first, rest = gaps_of("AAAUSDT", *series, half)
    assert (first.cause, first.missing_rows) == ("outage", 1)
    assert (rest.reason, rest.missing_rows) == ("other 1h has the rows", 3)


def test_a_witness_that_fills_the_hole_lacks_the_rows_too() -> None:
    lost = {50, 51}
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", lost), filled_bars("BBBUSDT", lost))
    assert (gap.cause, gap.lacking, gap.witnesses) == ("outage", 1, 1)


def test_gaps_outside_the_period_are_not_counted_and_others_are_cut_at_its_edge() -> None:
    lost = {10, *range(50, 60), 90, *range(200, 210)}
    period = Period(START_NS + 55 * HOUR_NS, START_NS + 203 * HOUR_NS)
    report = checked(bars_of("AAAUSDT", lost), bars_of("BBBUSDT", lost), period=period)
    for dataset in report.datasets:
        found = [((gap.start_ns - START_NS) // HOUR_NS, gap.missing_rows) for gap in dataset.gaps]
        assert found == [(55, 5), (90, 1), (200, 3)]
        assert {gap.cause for gap in dataset.gaps} == {"outage"}
        assert dataset.missing_rows == 9
        assert dataset.rows == 148 - 9
    assert report.defects() == {"gap": 18}


def test_a_data_set_without_a_row_in_the_period() -> None:
    period = Period(START_NS + 300 * HOUR_NS, START_NS + 310 * HOUR_NS)
    short = bars_of("AAAUSDT", set(range(200, 400)))
    report = checked(short, bars_of("BBBUSDT", set()), bars_of("CCCUSDT", set()), period=period)
    first = report.datasets[0]
    assert (first.rows, [(gap.cause, gap.missing_rows) for gap in first.gaps]) == (
        0, [("delisted", 10)],
    )  # fmt: skip
    assert report.defects() == {}


def test_one_of_a_thing_is_singular() -> None:
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", {50}), bars_of("BBBUSDT", {50}))
    assert gap.reason == "1 of 1 other symbol lacks them too"
    short = bars_of("AAAUSDT", set(range(200, 400)))
    (gap,) = gaps_of("AAAUSDT", short, bars_of("BBBUSDT", set()))
    assert gap.reason == "1 other symbol goes on, too few to tell"


def test_a_hole_that_another_source_has_filled_in_part_is_an_outage_and_a_hole() -> None:
    """The venue was down for 6 bars; the 8 after them are missing in one download only."""
    lost = set(range(50, 64))
    other = filled_bars("AAAUSDT", set(range(50, 56)), source="other")
    series = [bars_of("AAAUSDT", lost), bars_of("BBBUSDT", lost), other]
    found = {
        symbol: [
            ((gap.start_ns - START_NS) // HOUR_NS, gap.missing_rows, gap.cause)
            for gap in gaps_of(symbol, *series)
        ]
        for symbol in ("AAAUSDT", "BBBUSDT")
    }
    parts = [(50, 6, "outage"), (56, 8, "download_hole")]
    assert found == {"AAAUSDT": parts, "BBBUSDT": parts}


def test_parts_of_one_cause_stay_one_gap() -> None:
    lost = set(range(50, 64))
    thin = filled_bars("BBBUSDT", {51, 53, 58})
    (gap,) = gaps_of("AAAUSDT", bars_of("AAAUSDT", lost), thin, bars_of("CCCUSDT", set()))
    assert (gap.missing_rows, gap.cause) == (14, "download_hole")
