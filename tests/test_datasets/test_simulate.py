"""The simulated market: reproducible, causal, made of its minutes, kept in the store."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import KINDS, Instrument, Store, load_bars, load_funding, load_market, load_series
from datasets.simulate import (
    PERP,
    PLANTED_COLUMNS,
    SERIES_STEPS,
    SIMULATED_VENUE,
    SPOT,
    SimulationSpec,
    simulate,
    write_simulated,
)
from engine import DAY_NS, ConfigError, timeframe_ns
from tests.test_datasets.simulated import SYMBOL, assert_same_bars, assert_same_series


def test_the_same_spec_gives_the_same_bytes() -> None:
    spec = SimulationSpec(days=20, seed=3, symbols=("BTCSIM", "ETHSIM"), outages_per_year=60.0)
    first, second = simulate(spec), simulate(spec)
    for symbol in spec.symbols:
        assert_same_bars(first.markets[symbol].bars, second.markets[symbol].bars)
        assert_same_bars(first.perp_bars[symbol], second.perp_bars[symbol])
        for kind, series in first.markets[symbol].series.items():
            assert_same_series(series, second.markets[symbol].series[kind])


def test_another_seed_gives_another_market() -> None:
    first, second = (simulate(SimulationSpec(days=10, seed=seed)) for seed in (1, 2))
    a, b = first.markets[SYMBOL], second.markets[SYMBOL]
    assert not np.any(a.bars.close == b.bars.close)
    for kind in a.series:
        for name, column in a.series[kind].columns.items():
            if name not in ("interval_hours", "value"):
                assert not np.array_equal(column, b.series[kind].columns[name]), (kind, name)


@pytest.mark.parametrize("column", [None, *PLANTED_COLUMNS])
def test_what_is_known_does_not_depend_on_later_days(column: str | None) -> None:
    def spec(days: int) -> SimulationSpec:
        return SimulationSpec(
            days=days,
            seed=11,
            symbols=(SYMBOL,),
            outages_per_year=60.0,
            mode="null" if column is None else "planted",
            planted_column=column,
            planted_edge=None if column is None else 4.0,
            planted_horizon_hours=3,
            keep_minutes=True,
        )

    short, long = simulate(spec(17)), simulate(spec(40))
    count = 17 * 24
    assert_same_bars(short.markets[SYMBOL].bars, long.markets[SYMBOL].bars.prefix(count))
    assert_same_bars(short.perp_bars[SYMBOL], long.perp_bars[SYMBOL].prefix(count))
    assert_same_bars(short.minute_bars[SYMBOL], long.minute_bars[SYMBOL].prefix(count * 60))
    end = int(short.markets[SYMBOL].bars.close_time[-1])
    for kind, series in short.markets[SYMBOL].series.items():
        assert_same_series(series.known_at(end), long.markets[SYMBOL].series[kind].known_at(end))


def test_a_symbol_is_the_same_whatever_stands_beside_it() -> None:
    alone = simulate(SimulationSpec(days=5, symbols=("ETHSIM",)))
    beside = simulate(SimulationSpec(days=5, symbols=("NEWSIM", "ETHSIM", "BTCSIM")))
    assert_same_bars(alone.markets["ETHSIM"].bars, beside.markets["ETHSIM"].bars)


@settings(max_examples=15, deadline=None)
@given(
    days=st.integers(1, 9),
    seed=st.integers(0, 2**63),
    start_day=st.integers(0, 25_000),
    timeframe=st.sampled_from(["1m", "5m", "15m", "1h", "4h", "1d"]),
    outages_per_year=st.sampled_from([0.0, 2.0, 100.0]),
    symbols=st.sampled_from([("BTCSIM",), ("XSIM", "SOLSIM")]),
    column=st.sampled_from([None, *PLANTED_COLUMNS]),
    edge=st.floats(-100.0, 100.0),
    horizon=st.integers(1, 168),
)
def test_every_spec_gives_a_valid_market(
    days: int,
    seed: int,
    start_day: int,
    timeframe: str,
    outages_per_year: float,
    symbols: tuple[str, ...],
    column: str | None,
    edge: float,
    horizon: int,
) -> None:
    spec = SimulationSpec(
        days=days,
        seed=seed,
        start_ns=start_day * DAY_NS,
        timeframe=timeframe,
        outages_per_year=outages_per_year,
        symbols=symbols,
        mode="null" if column is None else "planted",
        planted_column=column,
        planted_edge=None if column is None else edge,
        planted_horizon_hours=horizon,
    )
    market = simulate(spec)
    assert tuple(market.markets) == symbols
    for symbol in symbols:
        spot, perp = market.markets[symbol].bars, market.perp_bars[symbol]
        for bars in (spot, perp):
            assert len(bars) == days * DAY_NS // timeframe_ns(timeframe)
            assert bars.open_time[0] == spec.start_ns
            columns = bars.columns()
            assert np.all(columns["taker_buy_volume"] <= columns["volume"])
            assert np.all(columns["taker_buy_quote"] <= columns["quote_volume"])
            assert np.all((columns["trades"] > 0) == ~bars.is_gap)
            assert np.all((columns["volume"] > 0) == ~bars.is_gap)
        np.testing.assert_array_equal(spot.is_gap, perp.is_gap)
        series = market.markets[symbol].series
        assert set(series) == set(SERIES_STEPS)
        for kind, rows in series.items():
            known_ns = KINDS[kind].available_ns(rows.event_time, SERIES_STEPS[kind])
            np.testing.assert_array_equal(rows.available_at, known_ns)
            assert np.all(rows.available_at >= rows.event_time)
        assert len(market.funding_mark[symbol]) == len(series["funding"].event_time)


def test_longer_bars_are_made_of_the_minutes() -> None:
    spec = SimulationSpec(
        days=60, seed=2, symbols=(SYMBOL,), outages_per_year=100.0, keep_minutes=True
    )
    market = simulate(spec)
    for hours, minutes in (
        (market.markets[SYMBOL].bars, market.minute_bars[SYMBOL]),
        (market.perp_bars[SYMBOL], market.perp_minute_bars[SYMBOL]),
    ):
        assert hours.is_gap.any()
        partial = 0
        for t in range(len(hours)):
            rows = [m for m in range(60 * t, 60 * t + 60) if not minutes.is_gap[m]]
            assert hours.is_gap[t] == (not rows)
            if not rows:
                assert hours.open[t] == hours.close[t] == hours.close[t - 1]
                continue
            partial += len(rows) < 60
            assert hours.open[t] == minutes.open[rows[0]]
            assert hours.close[t] == minutes.close[rows[-1]]
            assert hours.high[t] == minutes.high[rows].max()
            assert hours.low[t] == minutes.low[rows].min()
            for name in ("volume", "quote_volume", "trades", "taker_buy_volume"):
                total = minutes.columns()[name][rows].sum()
                # the sums add the same terms in another order
                assert hours.columns()[name][t] == pytest.approx(total, rel=1e-12)
        assert partial > 0


def test_outages_come_at_the_stated_rate_and_last_one_to_twelve_hours() -> None:
    spec = SimulationSpec(
        days=730, seed=4, symbols=(SYMBOL,), outages_per_year=50.0, timeframe="1m"
    )
    gap = simulate(spec).markets[SYMBOL].bars.is_gap
    starts = np.flatnonzero(np.diff(gap.astype(np.int8)) == 1)
    ends = np.flatnonzero(np.diff(gap.astype(np.int8)) == -1)
    # 100 expected, a few overlap; five standard deviations of a binomial count
    assert 50 <= len(starts) <= 150
    assert (ends - starts[: len(ends)]).min() >= 60
    none = simulate(SimulationSpec(days=365, symbols=(SYMBOL,), outages_per_year=0.0))
    assert not none.markets[SYMBOL].bars.is_gap.any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"symbols": ()}, "symbols"),
        ({"symbols": ("A1", "A1")}, "symbols"),
        ({"symbols": ("a/b",)}, "symbols"),
        ({"days": 0}, "days"),
        ({"seed": -1}, "seed"),
        ({"start_ns": 5}, "start_ns"),
        ({"timeframe": "7m"}, "timeframe"),
        ({"timeframe": "1w"}, "timeframe"),
        ({"outages_per_year": float("nan")}, "outages_per_year"),
        ({"mode": "real"}, "mode"),
        ({"planted_edge": 1.0}, "null"),
        ({"mode": "planted", "planted_edge": 1.0}, "planted_column"),
        ({"mode": "planted", "planted_column": "funding"}, "planted_edge"),
        (
            {"mode": "planted", "planted_column": "funding", "planted_edge": float("nan")},
            "planted_edge",
        ),
        (
            {
                "mode": "planted",
                "planted_column": "funding",
                "planted_edge": 1.0,
                "planted_horizon_hours": 0,
            },
            "planted_horizon_hours",
        ),
    ],
)
def test_a_wrong_spec_is_refused_by_name(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SimulationSpec(**arguments)


def test_sources_tell_apart_what_would_collide() -> None:
    plain = SimulationSpec()
    assert plain.source == "seed1-null"
    assert SimulationSpec(days=9, symbols=("BTCSIM",)).source == plain.source
    planted = SimulationSpec(mode="planted", planted_column="funding", planted_edge=-2.5)
    sources = {
        plain.source,
        planted.source,
        SimulationSpec(seed=2).source,
        SimulationSpec(outages_per_year=0.0).source,
        SimulationSpec(start_ns=0).source,
    }
    assert len(sources) == 5


def test_the_store_returns_what_was_simulated(tmp_path: Path) -> None:
    spec = SimulationSpec(days=40, seed=6, symbols=(SYMBOL, "ETHSIM"), outages_per_year=80.0)
    store = Store(tmp_path / "store")
    keys = write_simulated(store, spec)
    assert len(keys) == 2 * 11
    assert {key.venue for key in keys} == {SIMULATED_VENUE}
    assert {key.source for key in keys} == {"seed6-null-outages80"}
    market = simulate(spec)
    spot, perp = (Instrument(SIMULATED_VENUE, name, SYMBOL) for name in (SPOT, PERP))
    assert market.markets[SYMBOL].bars.is_gap.any()
    assert_same_bars(load_bars(store, spot, "1h"), market.markets[SYMBOL].bars)
    assert_same_bars(load_bars(store, perp, "1h"), market.perp_bars[SYMBOL])
    loaded = load_market(store, spot, "1h", series_from=[perp])
    for kind, series in market.markets[SYMBOL].series.items():
        stored = load_series(store, perp, kind)
        assert stored is not None
        np.testing.assert_array_equal(stored.event_time, series.event_time)
        np.testing.assert_array_equal(stored.available_at, series.available_at)
        for name, column in series.columns.items():
            np.testing.assert_array_equal(stored.columns[name], column, err_msg=name)
        assert kind in loaded.series
    funding = load_funding(store, perp)
    assert funding is not None
    np.testing.assert_array_equal(funding.mark_price, market.funding_mark[SYMBOL])
    assert store.verify() == ()
    before = store.datasets()
    assert write_simulated(store, spec) == keys
    assert store.datasets() == before


def test_minute_bars_are_stored_beside_the_hours(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    keys = write_simulated(store, SimulationSpec(days=2, symbols=(SYMBOL,), keep_minutes=True))
    steps = sorted((key.market, key.step) for key in keys if key.kind == "ohlcv")
    assert steps == [(SPOT, "1h"), (SPOT, "1m"), (PERP, "1h"), (PERP, "1m")]
