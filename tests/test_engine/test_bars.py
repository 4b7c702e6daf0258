"""Bars, markets and panels refuse what is not one, and show only what was known."""

from dataclasses import replace

import numpy as np
import pytest

from engine import (
    DAY_NS,
    HOUR_NS,
    ConfigError,
    DataError,
    Market,
    MarketPanel,
    Panel,
    Series,
    bars_per_year,
    grid_origin_ns,
    timeframe_ns,
)
from tests.generators import START_NS, random_bars, random_market


@pytest.mark.parametrize(
    ("timeframe", "length"),
    [("1m", 60), ("15m", 900), ("1h", 3600), ("4h", 14_400), ("1d", 86_400), ("1w", 604_800)],
)
def test_timeframe_lengths(timeframe: str, length: int):
    assert timeframe_ns(timeframe) == length * 1_000_000_000
    assert bars_per_year(timeframe) == pytest.approx(365 * 86_400 / length)


@pytest.mark.parametrize("timeframe", ["", "h", "0h", "1H", "7h", "1.5h", "1s", "-1h", "50m"])
def test_a_wrong_timeframe_is_refused_with_its_value(timeframe: str):
    with pytest.raises(ConfigError, match="timeframe="):
        timeframe_ns(timeframe)


def test_weeks_start_on_monday():
    monday = grid_origin_ns("1w")
    assert np.datetime64(monday, "ns").astype("datetime64[D]").astype(object).weekday() == 0


def changed(column: str, row: int, value: float):
    bars = random_bars(50, 1)
    values = np.array(getattr(bars, column))
    values[row] = value
    return lambda: replace(bars, **{column: values})


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("open", -1.0, "open"),
        ("close", np.nan, "close"),
        ("low", 1e9, "open"),
        ("high", 0.5, "open"),
        ("high", np.inf, "high"),
        ("volume", -1.0, "volume"),
        ("trades", np.nan, "trades"),
    ],
)
def test_a_wrong_value_is_refused_with_its_row(column: str, value: float, word: str):
    with pytest.raises(DataError, match=f"row 17 has {word}="):
        changed(column, 17, value)()


def test_a_time_off_the_grid_or_out_of_order_is_refused():
    bars = random_bars(50, 1)
    with pytest.raises(DataError, match="row 0 opens off the 1h grid"):
        replace(bars, open_time=bars.open_time + 1)
    swapped = np.array(bars.open_time)
    swapped[[10, 11]] = swapped[[11, 10]]
    with pytest.raises(DataError, match="row 10 opens"):
        replace(bars, open_time=swapped)
    with pytest.raises(DataError, match="no bars at all"):
        bars.prefix(0)


def test_bars_cannot_be_changed_and_do_not_freeze_the_callers_arrays():
    close = np.array(random_bars(20, 3).close)
    bars = replace(random_bars(20, 3), close=close)
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0] = 1.0
    close[0] = close[0]


def test_a_prefix_of_a_market_holds_only_what_was_known():
    market = random_market(400, 5)
    for count in (1, 25, 133, 400):
        prefix = market.prefix(count)
        now = int(market.bars.close_time[count - 1])
        assert len(prefix.bars) == count
        for name, series in prefix.series.items():
            whole = market.series[name]
            assert len(series.event_time) == int((whole.available_at <= now).sum())


def series(**changes: np.ndarray) -> Series:
    base = {
        "event_time": START_NS + HOUR_NS * np.arange(5),
        "available_at": START_NS + HOUR_NS * np.arange(5) + 7,
    }
    return Series(
        name="x", max_age_ns=DAY_NS, columns={"value": np.arange(5.0)}, **{**base, **changes}
    )


@pytest.mark.parametrize(
    ("column", "row", "shift", "rule"),
    [
        ("event_time", 3, -2 * HOUR_NS, "event_time must strictly increase"),
        ("available_at", 4, -2 * HOUR_NS, "available_at must not decrease"),
        ("available_at", 0, -10, "available_at must not precede event_time"),
    ],
)
def test_a_series_with_impossible_times_is_refused(column: str, row: int, shift: int, rule: str):
    times = np.array(getattr(series(), column))
    times[row] += shift
    with pytest.raises(DataError, match=rule):
        series(**{column: times})


def market_panel(**changes: object) -> MarketPanel:
    given = {
        "name": "universe",
        "symbols": ("BTC", "ETH"),
        "own": 1,
        "benchmark": 0,
        "max_age_ns": DAY_NS,
        "event_time": START_NS + HOUR_NS * np.arange(5),
        "available_at": START_NS + HOUR_NS * np.arange(5) + 7,
        "columns": {"close": np.ones((5, 2))},
    }
    return MarketPanel(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"symbols": ("BTC", "BTC")}, "a symbol stands in two columns"),
        ({"own": 2}, "own=2 is none of its 2 columns"),
        ({"benchmark": -1}, "benchmark=-1 is none of its 2 columns"),
        ({"columns": {}}, "it has no column close"),
        ({"columns": {"close": np.ones((4, 2))}}, r"column close has shape \(4, 2\), not \(5, 2\)"),
        ({"columns": {"close": np.full((5, 2), np.inf)}}, "row 0: close must not be infinite"),
        ({"available_at": START_NS + HOUR_NS * np.arange(5) - 1}, "must not precede event_time"),
        ({"event_time": np.full(5, START_NS)}, "row 1: event_time must strictly increase"),
    ],
)
def test_a_panel_of_coins_that_breaks_a_rule_is_refused(changes: dict[str, object], rule: str):
    with pytest.raises(DataError, match=rule):
        market_panel(**changes)


def test_a_prefix_shows_the_coins_that_were_known():
    bars = random_bars(30, 1)
    times = bars.open_time[:5] + 7
    panel = market_panel(event_time=times, available_at=times + HOUR_NS)
    market = Market(bars=bars, panels={"universe": panel})
    for count in (1, 2, 5, 30):
        shown = market.prefix(count).panels["universe"]
        known = int((panel.available_at <= bars.close_time[count - 1]).sum())
        assert len(shown.event_time) == known
        assert shown.columns["close"].shape == (known, 2)
        assert (shown.own, shown.benchmark, shown.symbols) == (1, 0, ("BTC", "ETH"))


def test_a_panel_is_a_union_grid_with_masks():
    early, late = random_bars(30, 1, symbol="A"), random_bars(40, 2, symbol="B")
    late = replace(late, open_time=late.open_time + 20 * HOUR_NS)
    panel = Panel.from_bars({"A": early, "B": late})
    assert panel.open.shape == (60, 2)
    np.testing.assert_array_equal(panel.listed[:, 0], np.arange(60) < 30)
    np.testing.assert_array_equal(panel.listed[:, 1], np.arange(60) >= 20)
    np.testing.assert_array_equal(panel.close[20:, 1], late.close)
    assert (panel.open[:20, 1] == late.open[0]).all()
    assert (panel.high[30:, 0] == early.close[-1]).all()
    assert panel.prefix(10).open.shape == (10, 2)


def test_a_panel_of_different_timeframes_is_refused():
    with pytest.raises(DataError, match="one timeframe"):
        Panel.from_bars({"A": random_bars(30, 1), "B": random_bars(30, 1, timeframe="4h")})
