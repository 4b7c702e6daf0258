"""Volume delta and CVD from the best source of each row, and from one source at a time."""

from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from datasets import DatasetKey, FurtherSources, Instrument, Store, load_market
from engine import HOUR_NS, ConfigError, Float1D, Market, Series
from indicators import INDICATORS_BY_NAME, Indicator, build_features, clock_of, feature
from indicators.volume_delta import CLOCK, MAY_LACK, of_one_source
from tests.flow_columns import without_trades
from tests.generators import START_NS, random_bars

ROWS = 1400
OF_DELTA = ("volume_delta", "cvd", "cvd_session", "cvd_flip", "cvd_levels", "cvd_divergence")
TRADED = np.zeros(ROWS, dtype=np.bool_)
TRADED[300:900] = True
TRADED[905:1390] = True
"""Rows with trades: from row 300 on, but for five and the last ten."""


def columns_of(*, taker: bool = True) -> dict[str, Float1D]:
    """Bars, and trades whose volume and sides are far from those of the bars."""
    found = without_trades(random_bars(ROWS, 3, gap_share=0.01, with_flows=taker).columns())
    draw = np.random.default_rng(8)
    traded = 1000.0 * draw.exponential(size=ROWS)
    found["trade_flow.volume"] = traded
    found["trade_flow.taker_buy_volume"] = traded * draw.random(ROWS)
    return found


def with_trades_on(columns: dict[str, Float1D], rows: np.ndarray) -> dict[str, Float1D]:
    shown = {
        name: np.where(rows, columns[name], np.nan)
        for name in ("trade_flow.volume", "trade_flow.taker_buy_volume")
    }
    return {**columns, **shown}


def computed(
    indicator: Indicator, columns: dict[str, Float1D], **given: float
) -> dict[str, Float1D]:
    read = {name: columns[name] for name in indicator.inputs}
    outputs = indicator.compute(read, indicator.resolved(given))
    return {one.name: values for one, values in zip(indicator.outputs, outputs, strict=True)}


def literal(columns: dict[str, Float1D], t: int, length: int, best: int) -> tuple[float, ...]:
    """Sum of delta, share of buying and source of the window that ends on row ``t``, bar by bar."""
    window = range(t - length + 1, t + 1)

    def bar(source: int, row: int) -> tuple[float, float]:
        volume = columns["volume"][row]
        if source == 1:
            volume = columns["trade_flow.volume"][row]
            return 2.0 * columns["trade_flow.taker_buy_volume"][row] - volume, volume
        if source == 2:
            return 2.0 * columns["taker_buy_volume"][row] - volume, volume
        high, low, close = (columns[name][row] for name in ("high", "low", "close"))
        return volume * ((2.0 * (close - low) / (high - low) - 1.0) if high > low else 0.0), volume

    for source in range(best, 4):
        bars = [bar(source, row) for row in window]
        quiet = [columns["volume"][row] == 0 for row in window]
        if all(not isnan(one[1] + one[0]) or still for one, still in zip(bars, quiet, strict=True)):
            stated = [one for one in bars if not isnan(one[0] + one[1])]
            if not stated:
                continue
            delta, volume = (sum(part) for part in zip(*stated, strict=True))
            return delta, 0.5 + (0.5 * delta / volume if volume else 0.0), source
    raise AssertionError("the place of the close is always known")


@pytest.mark.parametrize("taker", [True, False])
@pytest.mark.parametrize("best", [1, 2, 3])
def test_each_window_is_made_of_its_best_source(taker: bool, best: int) -> None:
    columns = with_trades_on(columns_of(taker=taker), TRADED)
    out = computed(INDICATORS_BY_NAME["volume_delta"], columns, length=20, best_source=best)
    assert np.isnan(out["delta"][:19]).all()
    for t in range(19, ROWS):
        delta, ratio, source = literal(columns, t, 20, best)
        assert out["source"][t] == source, t
        assert out["delta"][t] == pytest.approx(delta, rel=1e-9, abs=1e-6)
        assert out["ratio"][t] == pytest.approx(ratio, abs=1e-9)
        assert out["score"][t] == pytest.approx(min(max(200 * ratio - 50, 0), 100), abs=1e-7)
    second = 2 if taker else 3
    assert set(out["source"][19:]) == {1: {1, second}, 2: {second}, 3: {3}}[best]


@pytest.mark.parametrize("name", OF_DELTA)
def test_no_number_is_made_of_two_sources(name: str) -> None:
    """Rows that name a source say what a market gives in which every row has this source."""
    indicator, whole = INDICATORS_BY_NAME[name], columns_of()
    mixed = computed(indicator, with_trades_on(whole, TRADED))
    pure = {1: computed(indicator, whole), 2: computed(indicator, whole, best_source=2)}
    source = mixed["source"]
    assert set(source) == {1, 2}
    for code, expected in pure.items():
        rows = source == code
        # The side since the share last left the band forgets what another source said.
        if name == "cvd_flip":
            starts = np.flatnonzero(rows & (np.append(0, source[:-1]) != code))
            assert not mixed["flip"][starts].any()
            for first in starts:
                run = slice(first, first + int(np.argmin(np.append(rows[first:], False))))
                settled = np.abs(expected["share"][run]) >= 0.02
                later = np.cumsum(settled) > 0
                for output in ("side", "flip"):
                    turn = later if output == "side" else np.append(False, later[:-1])
                    np.testing.assert_array_equal(
                        mixed[output][run][turn], expected[output][run][turn]
                    )
                assert not mixed["side"][run][~later].any()
            rows_of = {"share": expected["share"]}
        else:
            rows_of = {one: values for one, values in expected.items() if one != "source"}
        for output, values in rows_of.items():
            np.testing.assert_allclose(
                mixed[output][rows], values[rows], rtol=1e-9, atol=1e-9, err_msg=output
            )


def test_trades_speak_from_the_first_whole_window_on() -> None:
    columns = with_trades_on(columns_of(), TRADED)
    for name, rows in (("volume_delta", 20), ("cvd", 24)):
        source = computed(INDICATORS_BY_NAME[name], columns)["source"]
        expected = np.full(ROWS, 2.0)
        expected[300 + rows - 1 : 900] = 1
        expected[905 + rows - 1 : 1390] = 1
        quiet = columns["volume"] == 0
        differ = np.flatnonzero(source != expected)
        # A bar without volume in front of the trades is part of a window of trades.
        assert all(quiet[row - rows + 1] for row in differ)
    session = computed(INDICATORS_BY_NAME["cvd_session"], columns)["source"]
    assert (session[300:312] == 2).all()
    assert (session[312:336] == 1).all()


def test_a_bar_without_volume_stands_in_no_sources_way() -> None:
    count = 60
    still = np.full(count, 100.0)
    columns = dict.fromkeys(("high", "low", "close"), still)
    volume = np.where((np.arange(count) >= 20) & (np.arange(count) < 30), 0.0, 10.0)
    trades = np.where(volume > 0, 7.0, np.nan)
    columns |= {"volume": volume, "taker_buy_volume": np.full(count, np.nan)}
    columns |= {"trade_flow.volume": trades, "trade_flow.taker_buy_volume": trades}
    out = computed(INDICATORS_BY_NAME["volume_delta"], columns, length=5)
    # Windows in which nobody traded and that no trade states have the source that states all bars.
    expected = np.ones(count)
    expected[24:30] = 3
    np.testing.assert_array_equal(out["source"], expected)
    np.testing.assert_array_equal(out["ratio"][4:24], 1.0)
    np.testing.assert_array_equal(out["ratio"][24:30], 0.5)


def test_nothing_is_computed_that_no_row_shows() -> None:
    asked: list[float] = []

    def summed(delta: Float1D, volume: Float1D) -> tuple[Float1D, ...]:
        asked.append(float(volume.sum()))
        return (delta,)

    columns = with_trades_on(columns_of(), np.zeros(ROWS, dtype=np.bool_))
    since = np.arange(ROWS, dtype=np.int64)
    _, source = of_one_source(columns, 1, since, summed)
    assert (source == 2).all()
    assert len(asked) == 1
    empty = {name: column[:0] for name, column in columns.items()}
    assert [len(one) for one in of_one_source(empty, 1, since[:0], summed)] == [0, 0]


def flow_series(rows: np.ndarray, market: Market) -> Series:
    bars = market.bars
    return Series(
        name="trade_flow",
        max_age_ns=bars.step_ns,
        event_time=bars.open_time[rows],
        available_at=bars.close_time[rows],
        columns={
            "volume": np.full(len(rows), 5.0), "taker_buy_volume": np.full(len(rows), 4.0)
        },
    )  # fmt: skip


def test_the_clock_has_the_trades_of_each_bar_and_of_no_other() -> None:
    market = Market(bars=random_bars(50, 2), series={})
    without = clock_of(market, CLOCK)
    assert without is not None
    assert "trade_flow.volume" not in without.columns
    assert len(without.event_time) == 50
    rows = np.array([3, 4, 7, 49])
    market = replace(market, series={"trade_flow": flow_series(rows, market)})
    clock = clock_of(market, CLOCK)
    assert clock is not None
    stated = np.flatnonzero(~np.isnan(clock.columns["trade_flow.volume"]))
    assert stated.tolist() == rows.tolist()
    late = flow_series(rows, market)
    late = replace(late, available_at=late.available_at + 1)
    clock = clock_of(replace(market, series={"trade_flow": late}), CLOCK)
    assert clock is not None
    assert np.isnan(clock.columns["trade_flow.volume"]).all()


def test_longer_bars_have_no_trades_and_another_clock_is_refused() -> None:
    market = Market(bars=random_bars(400, 2), series={})
    market = replace(market, series={"trade_flow": flow_series(np.arange(400), market)})
    of_hours, of_four, plain = (
        feature("cvd", "source", clock=clock) for clock in (CLOCK, "bars:4h", "bars")
    )
    matrix = build_features(market, [of_hours, of_four, plain], indicators=INDICATORS_BY_NAME)
    assert set(matrix.values[30:, 0]) == {1}
    assert set(matrix.values[120:, 1]) == {2}
    assert set(matrix.values[30:, 2]) == {2}
    for clock in ("funding", "bars:4h+trade_flow?", "bars+trade_flow"):
        with pytest.raises(ConfigError, match=r"clock bars\+trade_flow\? only"):
            build_features(
                market, [feature("cvd", "cvd", clock=clock)], indicators=INDICATORS_BY_NAME
            )
    assert set(MAY_LACK) < set(INDICATORS_BY_NAME["cvd"].inputs)


def test_trades_and_the_taker_columns_made_of_them_give_the_same_cvd(tmp_path: Path) -> None:
    """SPEC H9.1: from trades and from taker columns to 1e-9."""
    store = Store(tmp_path / "store")
    draw = np.random.default_rng(5)
    hours, count = 200, 40_000
    at = np.sort(draw.integers(-60_000, hours * 3_600_000 + 60_000, count))
    trades = pd.DataFrame(
        {
            "event_time": START_NS + at * 1_000_000,
            "trade_id": np.arange(count),
            "price": 100.0 + np.cumsum(0.01 * draw.standard_normal(count)),
            "quantity": draw.exponential(size=count),
            "is_buyer_maker": draw.random(count) < 0.5,
        }
    )
    key = DatasetKey("trades", "binance", "um_perp", "BTCUSDT", "event", "test")
    store.write(key, pa.Table.from_pandas(trades, preserve_index=False), provenance={})
    hour = (trades["event_time"] - START_NS) // HOUR_NS
    inside = trades[(hour >= 0) & (hour < hours)].assign(
        hour=hour, bought=trades["quantity"].where(~trades["is_buyer_maker"], 0.0)
    )
    grouped = inside.groupby("hour")
    bars = pa.table(
        {
            "open_time": pa.array(START_NS + HOUR_NS * np.arange(hours)),
            "open": grouped["price"].first(),
            "high": grouped["price"].max(),
            "low": grouped["price"].min(),
            "close": grouped["price"].last(),
            "volume": grouped["quantity"].sum(),
            "taker_buy_volume": grouped["bought"].sum(),
        }
    )
    store.write(replace(key, kind="ohlcv", step="1h"), bars, provenance={})
    own = Instrument("binance", "um_perp", "BTCUSDT")
    market = load_market(store, own, "1h", further=FurtherSources(trades=own))
    assert len(market.series["trade_flow"].event_time) == hours
    wanted = [
        feature(name, output, clock=CLOCK, best_source=best)
        for name, output in (("cvd", "cvd"), ("cvd_session", "cvd"), ("volume_delta", "ratio"))
        for best in (1, 2)
    ]
    values = build_features(market, wanted, indicators=INDICATORS_BY_NAME).values
    for column in range(0, len(wanted), 2):
        scale = np.nanmax(np.abs(values[:, column + 1]))
        np.testing.assert_allclose(
            values[:, column], values[:, column + 1], rtol=1e-9, atol=1e-12 * scale
        )
