"""Checks of one series: whatever is planted is found, and nothing else is."""

import statistics
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import time_text
from datasets.checks import ohlc_contradictions
from datasets.quality import QualitySettings
from datasets.quality.prices import local_scale
from datasets.quality.vintages import change_text
from engine import DAY_NS, HOUR_NS, MINUTE_NS
from tests.test_datasets.quality.planting import (
    BARS,
    checked,
    clean_bars,
    key_of,
    lines_of,
    series_of,
    without_rows,
)

ROWS = st.integers(40, BARS - 40)
SOME_ROWS = st.sets(ROWS, max_size=4)


@given(st.integers(0, 10_000))
def test_a_clean_series_has_no_finding(seed: int) -> None:
    assert checked(series_of(clean_bars(seed))).defects() == {}


@given(
    seed=st.integers(0, 100),
    missing=SOME_ROWS,
    shifted=SOME_ROWS,
    silent=SOME_ROWS,
    contradicting=SOME_ROWS,
    doubled=SOME_ROWS,
    spiked=SOME_ROWS,
)
@settings(max_examples=60)
def test_everything_planted_is_found_and_nothing_else(
    seed: int,
    missing: set[int],
    shifted: set[int],
    silent: set[int],
    contradicting: set[int],
    doubled: set[int],
    spiked: set[int],
) -> None:
    columns = clean_bars(seed)
    times = list(columns["open_time"])
    # One defect per row, and a spike keeps its neighbours.
    spiked = {row for row in spiked if not {row - 2, row - 1, row + 1, row + 2} & spiked}
    near_spike = {row + step for row in spiked for step in (-1, 0, 1)}
    missing = missing - near_spike
    shifted = shifted - near_spike - missing
    silent = silent - near_spike - missing
    contradicting = contradicting - near_spike - missing
    doubled = doubled - near_spike - missing - shifted
    for row in shifted:
        columns["open_time"][row] += MINUTE_NS
    for row in silent:
        columns["volume"][row] = 0.0
    for row in contradicting:
        columns["low"][row] = columns["high"][row] * 1.0001
    for row in spiked:
        columns["close"][row] *= 1.5
        columns["high"][row] = max(columns["high"][row], columns["close"][row])
        columns["open"][row + 1] = columns["close"][row]
        columns["high"][row + 1] = max(columns["high"][row + 1], columns["open"][row + 1])
    for row in sorted(doubled, reverse=True):
        for values in columns.values():
            values.insert(row + 1, values[row])
    copies = sorted(row + number for number, row in enumerate(sorted(doubled)))
    gone = {row + sum(copy < row for copy in sorted(doubled)) for row in missing}
    assert not gone & set(copies)
    report = checked(series_of(without_rows(columns, gone)))
    wanted = {
        "gap": len(missing),
        "off_grid": len(shifted),
        "zero_volume_run": len(silent),
        "ohlc_contradiction": len(contradicting),
        "duplicate": len(doubled),
        "price_spike": len(spiked),
    }
    assert report.defects() == {name: count for name, count in wanted.items() if count}
    (dataset,) = report.datasets
    holes = [
        gap.start_ns + number * HOUR_NS
        for gap in dataset.gaps
        for number in range(gap.missing_rows)
    ]
    for found, row in zip(holes, sorted(missing), strict=True):
        assert abs(found - times[row]) <= MINUTE_NS
    if spiked:
        told = [line.split(": ")[0] for line in lines_of(report, "price_spike")]
        assert told == [time_text(times[row]) for row in sorted(spiked)]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=40))
def test_repeated_and_unsorted_rows_against_a_count(hours: list[int]) -> None:
    columns = clean_bars(count=31)
    rows = {name: [values[hour] for hour in hours] for name, values in columns.items()}
    defects = checked(series_of(rows)).defects()
    assert defects.get("duplicate", 0) == sum(count - 1 for count in Counter(hours).values())
    assert defects.get("unsorted", 0) == sum(later < earlier for earlier, later in pairwise(hours))
    distinct = sorted(set(hours))
    assert defects.get("gap", 0) == distinct[-1] - distinct[0] + 1 - len(distinct)


def test_rows_of_one_time_that_differ_are_a_contradiction() -> None:
    columns = clean_bars()
    for name, values in columns.items():
        values.insert(11, values[10] * 2 if name == "volume" else values[10])
    assert checked(series_of(columns)).defects() == {"contradiction": 1}


@given(st.lists(st.tuples(*[st.floats(0.5, 2.0) for _ in range(4)]), min_size=2, max_size=30))
def test_ohlc_contradictions_against_a_loop(prices: list[tuple[float, ...]]) -> None:
    columns = clean_bars(count=len(prices))
    for number, name in enumerate(("open", "high", "low", "close")):
        columns[name] = [row[number] for row in prices]
    wrong = [
        low > high or not low <= opened <= high or not low <= close <= high
        for opened, high, low, close in prices
    ]
    series = series_of(columns)
    assert ohlc_contradictions(series.ordered).tolist() == wrong
    assert checked(series).defects().get("ohlc_contradiction", 0) == sum(wrong)


@given(st.lists(st.booleans(), min_size=25, max_size=80))
def test_runs_without_volume_against_a_loop(silent: list[bool]) -> None:
    columns = clean_bars(count=len(silent))
    columns["volume"] = [0.0 if one else 1.0 for one in silent]
    runs: list[int] = []
    for earlier, now in pairwise([False, *silent]):
        if now and not earlier:
            runs.append(0)
        if now:
            runs[-1] += 1
    report = checked(series_of(columns))
    assert report.defects().get("zero_volume_run", 0) == sum(silent)
    if runs:
        assert [
            int(line.split(": ")[1].split()[0]) for line in lines_of(report, "zero_volume_run")
        ] == runs[:50]


@given(st.integers(0, 3), st.integers(30, 60))
def test_local_scale_against_the_statistics_module(seed: int, row: int) -> None:
    close = np.log(np.array(clean_bars(seed)["close"]))
    returns = [
        abs(close[at + 1] - close[at])
        for at in range(row - 24, row + 24)
        if row not in (at, at + 1)
    ]
    expected = 1.4826 * statistics.median(returns)
    assert abs(local_scale(close, row, QualitySettings()) - expected) < 1e-12


def _moved(columns: dict[str, list[Any]], row: int, factor: float) -> None:
    for name in ("open", "high", "low", "close"):
        columns[name][row:] = [value * factor for value in columns[name][row:]]


def test_a_crash_that_stays_is_no_spike() -> None:
    columns = clean_bars()
    _moved(columns, 100, 0.6)
    columns["open"][100] = columns["close"][99]
    columns["high"][100] = columns["open"][100]
    assert checked(series_of(columns)).defects() == {}


def test_a_crash_with_a_wick_that_recovers_within_hours_is_no_spike() -> None:
    columns = clean_bars()
    for row, share in ((100, 0.95), (101, 0.88), (102, 0.91), (103, 0.96)):
        columns["open"][row] = columns["close"][row - 1]
        columns["close"][row] *= share
        body = columns["open"][row], columns["close"][row]
        columns["high"][row], columns["low"][row] = max(body) * 1.01, min(body) * 0.9
    columns["open"][104] = columns["close"][103]
    columns["low"][104] = min(columns["low"][104], columns["open"][104])
    assert checked(series_of(columns)).defects() == {}


def test_an_impossible_first_open_is_a_spike() -> None:
    columns = clean_bars()
    columns["open"][0] = columns["high"][0] = 376.0
    assert checked(series_of(columns)).defects() == {"price_spike": 1}


def test_the_first_bar_has_one_neighbour_only_and_needs_four_times_as_much() -> None:
    columns = clean_bars()
    columns["open"][0] = columns["high"][0] = 115.0
    assert checked(series_of(columns)).defects() == {}


@given(st.integers(2, 30))
def test_equal_flat_bars_at_the_start_are_a_listing_price(run: int) -> None:
    columns = clean_bars()
    for name in ("open", "high", "low", "close"):
        columns[name][:run] = [columns["open"][run]] * run
    assert checked(series_of(columns)).defects() == {}
    columns["volume"][:run] = [0.0] * run
    assert checked(series_of(columns)).defects() == {"flat_start": run, "zero_volume_run": run}


@given(st.integers(1, 30))
def test_a_tail_that_repeats_one_price_without_volume(run: int) -> None:
    columns = clean_bars()
    last = columns["close"][-run - 1]
    for name in ("open", "high", "low", "close"):
        columns[name][-run:] = [last] * run
    columns["volume"][-run:] = [0.0] * run
    wanted = {"zero_volume_run": run} | ({"stale_tail": run} if run >= 3 else {})
    assert checked(series_of(columns)).defects() == wanted


@given(ROWS, st.integers(24, 60), st.sampled_from([0.01, 0.1, 1.0, 1.2, 10.0, 1e5]))
def test_another_price_after_a_hole_is_another_coin(row: int, hours: int, factor: float) -> None:
    columns = clean_bars()
    _moved(columns, row, factor)
    columns["open_time"][row:] = [time + hours * HOUR_NS for time in columns["open_time"][row:]]
    is_other = factor in (0.01, 0.1, 10.0, 1e5)
    wanted = {"gap": hours} | ({"symbol_reuse": 1} if is_other else {})
    assert checked(series_of(columns)).defects() == wanted


def test_a_jump_after_a_short_hole_is_not_called_another_coin() -> None:
    columns = clean_bars()
    _moved(columns, 100, 10.0)
    columns["open_time"][100:] = [time + 3 * HOUR_NS for time in columns["open_time"][100:]]
    assert "symbol_reuse" not in checked(series_of(columns)).defects()


@given(st.integers(1, 60))
def test_rows_from_the_expiry_on(late: int) -> None:
    columns = clean_bars()
    columns["expiry"] = [columns["open_time"][BARS - late]] * BARS
    typed = columns | {"expiry": np.array(columns["expiry"], dtype="datetime64[ns]")}
    key = key_of("BTCUSDT_200110", kind="dated_futures")
    assert checked(series_of(typed, key)).defects() == {"after_expiry": late}


def test_zeros_before_a_series_begins() -> None:
    key = key_of("Maker", kind="tvl", step="1d")
    times = [row * DAY_NS for row in range(30)]
    values = [0.0] * 4 + [5.0] * 26
    assert checked(series_of({"event_time": times, "tvl_usd": values}, key)).defects() == {
        "leading_zeros": 4
    }


def test_one_moment_is_no_history() -> None:
    key = key_of(kind="metrics", step="1h")
    columns = {"event_time": [HOUR_NS], "sum_open_interest": [1.0]}
    assert checked(series_of(columns, key)).defects() == {"single_snapshot": 1}


@given(st.lists(st.integers(0, 5), min_size=2, max_size=12))
def test_trades_that_share_a_time(seconds: list[int]) -> None:
    times = sorted(seconds)
    columns: dict[str, list[Any]] = {
        "event_time": [time * 1_000_000_000 for time in times],
        "trade_id": list(range(len(times))),
        "price": [1.0] * len(times),
        "quantity": [1.0] * len(times),
        "is_buyer_maker": [True] * len(times),
    }
    key = key_of(kind="trades", step="event")
    defects = checked(series_of(columns, key)).defects()
    assert defects.get("tied_times", 0) == len(times) - len(set(times))


@pytest.mark.parametrize(
    ("numbers", "missing", "places"),
    [
        ([7, 8, 9, 10, 11], 0, 0),
        ([7, 8, 11, 12, 20], 9, 2),
        # An order within the time says nothing about trades.
        ([0, 0, 1, 0, 2], 0, 0),
    ],
)
def test_numbers_of_trades_that_are_missing(numbers: list[int], missing: int, places: int) -> None:
    columns: dict[str, list[Any]] = {
        "event_time": [place * 1_000_000 for place in range(5)],
        "trade_id": numbers,
        "price": [1.0] * 5,
        "quantity": [1.0] * 5,
        "is_buyer_maker": [True] * 5,
    }
    report = checked(series_of(columns, key_of(kind="trades", step="event")))
    found = [finding for finding in report.findings if finding.defect == "missing_numbers"]
    assert sum(finding.count for finding in found) == places
    assert all(f"{missing} numbers missing in {places} places" in one.message for one in found)


def _vintages(known: list[int], values: list[float], times: list[int]) -> dict[str, list[Any]]:
    return {"event_time": times, "available_at": known, "sum_open_interest": values}


def test_revisions_are_counted_with_their_size() -> None:
    key = key_of(kind="metrics", step="1h")
    times = [row * HOUR_NS for row in range(10)]
    known = [time + HOUR_NS // 2 for time in times]
    columns = _vintages(
        [*known, *(time + DAY_NS for time in times[:3])],
        [*[100.0] * 10, 101.0, 100.0, 110.0],
        [*times, *times[:3]],
    )
    report = checked(series_of(columns, key))
    assert report.defects()["revision"] == 2
    (finding,) = [one for one in report.findings if one.defect == "revision"]
    assert "by 5.5% in the median and 10.0% at most" in finding.message


def test_checks_look_at_the_value_that_was_known_first() -> None:
    key = key_of(kind="metrics", step="1h")
    series = series_of(
        _vintages([3 * HOUR_NS, HOUR_NS, 2 * HOUR_NS], [9.0, 1.0, 2.0], [0, 0, HOUR_NS]), key
    )
    assert series.time_ns.tolist() == [0, HOUR_NS]
    assert series.numbers("sum_open_interest").tolist() == [1.0, 2.0]


def test_rows_that_became_known_together_long_after_they_were_due() -> None:
    key = key_of(kind="metrics", step="1h")
    times = [row * HOUR_NS for row in range(20)]
    known = [max(time + HOUR_NS // 4, 12 * HOUR_NS) for time in times]
    report = checked(series_of(_vintages(known, [1.0] * 20, times), key))
    # Known at 12:00, due at :05, more than a step late: 00:00 to 10:00.
    assert report.defects() == {"capture_time": 11}


def test_tickers_that_name_two_coins() -> None:
    key = key_of("all", kind="universe", step="event")
    columns = {
        "event_time": [0, 0, 0, DAY_NS, DAY_NS],
        "asset": ["BNX", "BinaryX", "Bitcoin", "Bitcoin", "Luna 2"],
        "symbol": ["BNX", "BNX", "BTC", "BTC", "LUNA"],
    }
    report = checked(series_of(columns, key))
    assert report.defects() == {"symbol_not_unique": 2}
    assert (
        lines_of(report, "symbol_not_unique")[0]
        == "1970-01-01 00:00: BNX stands for BNX and BinaryX"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([0.000049, 0.00012, 0.00012], "by 0.012% in the median and 0.012% at most"),
        ([0.0, 0.0, 0.05], "by 0.0% in the median and 5.0% at most"),
        ([0.25, 0.5, 12.0], "by 50% in the median and 1200% at most"),
        ([0.0, 0.0, 0.0], "by 0% in the median and 0% at most"),
    ],
)
def test_changes_are_written_with_the_same_digits(changes: list[float], text: str) -> None:
    assert change_text(np.array(changes)) == text
