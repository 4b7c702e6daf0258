"""The simulated market: reproducible, causal, shaped like real data, null where it says so."""

from dataclasses import fields
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
    SimulatedMarket,
    SimulationSpec,
    simulate,
    write_simulated,
)
from datasets.simulation.moments import (
    autocorrelation,
    correlation,
    funding_moments,
    hourly_moments,
    premium_moments,
)
from engine import DAY_NS, HOUR_NS, MINUTE_NS, Bars, ConfigError, Float1D, Series, timeframe_ns

SYMBOL = "BTCSIM"


def assert_same_bars(first: Bars, second: Bars) -> None:
    for field in fields(Bars):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b


def assert_same_series(first: Series, second: Series) -> None:
    np.testing.assert_array_equal(first.event_time, second.event_time)
    np.testing.assert_array_equal(first.available_at, second.available_at)
    assert first.columns.keys() == second.columns.keys()
    for name in first.columns:
        np.testing.assert_array_equal(first.columns[name], second.columns[name], err_msg=name)


def known_at_close(bars: Bars, series: Series, column: str) -> Float1D:
    """The latest published value at each close, NaN before the first; written as a plain loop."""
    known = np.full(len(bars), np.nan)
    row = -1
    for t, now in enumerate(bars.close_time):
        while row + 1 < len(series.available_at) and series.available_at[row + 1] <= now:
            row += 1
        if row >= 0:
            known[t] = series.columns[column][row]
    return known


def known_columns(market: SimulatedMarket, symbol: str) -> dict[str, Float1D]:
    """Everything that is known at each close, as numbers that do not wander with the price."""
    one = market.markets[symbol]
    bars = one.bars
    columns = bars.columns()
    with np.errstate(divide="ignore", invalid="ignore"):
        table = {
            "return": np.log(bars.close / bars.open),
            "log volume": np.log(bars.volume),
            "taker share": columns["taker_buy_volume"] / bars.volume,
            "perp taker share": market.perp_bars[symbol].columns()["taker_buy_volume"]
            / market.perp_bars[symbol].volume,
            "quote per trade": columns["quote_volume"] / columns["trades"],
            "range": np.log(bars.high / bars.low),
        }
    for kind, series in one.series.items():
        for name in series.columns:
            if name == "interval_hours" or kind in ("mark_price", "index_price"):
                continue
            known = known_at_close(bars, series, name)
            if name in ("sum_open_interest", "sum_open_interest_value", "reserve", "tvl_usd"):
                logarithm = np.log(known)
                known = np.concatenate((np.full(24, np.nan), logarithm[24:] - logarithm[:-24]))
            table[f"{kind}.{name}"] = known
    return {name: np.where(np.isfinite(known), known, np.nan) for name, known in table.items()}


@pytest.fixture(scope="module")
def three_years() -> SimulatedMarket:
    return simulate(SimulationSpec(days=1095, seed=5))


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


def test_funding_follows_the_published_formula() -> None:
    market = simulate(SimulationSpec(days=30, seed=9, symbols=(SYMBOL,), outages_per_year=0.0))
    series = market.markets[SYMBOL].series
    premium = series["premium_index"].columns["close"]
    funding = series["funding"]
    assert len(funding.event_time) == 90
    for row, settled_ns in enumerate(funding.event_time):
        hours = [
            t
            for t, opened in enumerate(series["premium_index"].event_time)
            if settled_ns - 8 * HOUR_NS <= opened < settled_ns
        ]
        average = sum(k * premium[t] for k, t in enumerate(hours, 1)) / 36.0
        adjustment = min(max(1e-4 - average, -5e-4), 5e-4)
        assert funding.columns["rate"][row] == pytest.approx(average + adjustment, abs=1e-15)
        assert settled_ns % (8 * HOUR_NS) == 0
        bar = int((settled_ns - market.spec.start_ns) // HOUR_NS) - 1
        assert market.funding_mark[SYMBOL][row] == market.perp_bars[SYMBOL].close[bar]


def test_premium_and_metrics_agree_with_the_bars(three_years: SimulatedMarket) -> None:
    one, perp = three_years.markets[SYMBOL], three_years.perp_bars[SYMBOL]
    up = ~perp.is_gap
    # an hour that ends inside an outage closes before its last minute; the mark goes on
    premium = one.series["premium_index"]
    whole = (perp.columns()["trades"] > 0)[up]
    ratio = (perp.close / one.bars.close)[up]
    np.testing.assert_allclose(premium.columns["close"][whole], ratio[whole] - 1.0, atol=1e-12)
    metrics = one.series["metrics"]
    np.testing.assert_array_equal(metrics.event_time, perp.close_time[up])
    np.testing.assert_array_equal(metrics.available_at, perp.close_time[up] + 5 * MINUTE_NS)
    bought, volume = perp.columns()["taker_buy_volume"][up], perp.volume[up]
    np.testing.assert_allclose(
        metrics.columns["sum_taker_long_short_vol_ratio"], bought / (volume - bought), rtol=1e-12
    )


BANDS = {
    "std of log return": (0.0045, 0.0115),
    "kurtosis": (11.0, 30.0),
    "autocorrelation of return, 1h": (-0.03, 0.03),
    "autocorrelation of abs return, 1h": (0.26, 0.38),
    "autocorrelation of abs return, 24h": (0.165, 0.28),
    "autocorrelation of abs return, 168h": (0.07, 0.20),
    "share beyond 5 deviations": (0.0020, 0.0060),
    "mean range / mean abs return": (1.9, 2.3),
    "volume, busiest / quietest hour": (1.6, 2.4),
    "volume, busiest / quietest weekday": (1.35, 1.9),
    "std of log volume": (0.65, 1.1),
    "autocorrelation of log volume, 1h": (0.75, 0.92),
    "autocorrelation of log volume, 24h": (0.40, 0.78),
    "correlation of volume, abs return": (0.28, 0.68),
    "correlation of log volume, log abs return": (0.28, 0.57),
    "taker-buy share, mean": (0.485, 0.505),
    "taker-buy share, std": (0.038, 0.060),
    "taker-buy share, autocorrelation 1h": (0.12, 0.24),
    "correlation of taker share, return": (0.28, 0.50),
    "correlation of taker share, next return": (-0.03, 0.03),
}
"""Around the moments of the real files and the spread of the simulated ones over seeds."""


@pytest.mark.parametrize("symbol", ["BTCSIM", "ETHSIM", "SOLSIM"])
def test_hourly_moments_lie_near_those_of_real_bars(
    three_years: SimulatedMarket, symbol: str
) -> None:
    moments = hourly_moments(three_years.markets[symbol].bars)
    outside = {
        name: moments[name]
        for name, (low, high) in BANDS.items()
        if not low <= moments[name] <= high
    }
    assert not outside


def test_funding_and_premium_moments_lie_near_the_real_ones(three_years: SimulatedMarket) -> None:
    spot, perp = three_years.markets[SYMBOL].bars, three_years.perp_bars[SYMBOL]
    funding = funding_moments(three_years.markets[SYMBOL].series["funding"].columns["rate"])
    assert 0.2 <= funding["mean, bps"] <= 2.5
    assert 1.0 <= funding["std, bps"] <= 4.0
    assert 0.75 <= funding["autocorrelation, 8h"] <= 0.96
    assert 0.25 <= funding["share at exactly 1 bp"] <= 0.60
    assert 0.03 <= funding["share below 0"] <= 0.30
    premium = premium_moments(spot, perp)
    assert 3.0 <= premium["std, bps"] <= 9.0
    assert 0.10 <= premium["correlation with last week's return"] <= 0.60
    assert premium["correlation of spot, perpetual return"] > 0.995
    assert 4.0 <= premium["turnover, perpetual / spot"] <= 5.0
    other = three_years.markets["ETHSIM"].bars
    returns = [np.diff(np.log(bars.close)) for bars in (spot, other)]
    assert 0.75 <= correlation(returns[0], returns[1]) <= 0.92


def test_slow_series_move_with_the_market(three_years: SimulatedMarket) -> None:
    one = three_years.markets[SYMBOL]
    mood = one.series["fear_greed"].columns["value"]
    assert mood.min() >= 0.0
    assert mood.max() <= 100.0
    assert 12.0 <= mood.std() <= 32.0
    daily_close = np.log(one.bars.close[23::24])
    month = daily_close[30:] - daily_close[:-30]
    # the value dated D knows the close of D - 1
    assert correlation(mood[31:], month[:-1]) > 0.5
    realised = np.array(
        [np.sqrt((np.diff(np.log(day)) ** 2).sum()) for day in one.bars.close.reshape(-1, 24)]
    )
    implied = one.series["implied_volatility"].columns["dvol_close"]
    assert correlation(implied, realised) > 0.4
    metrics = one.series["metrics"].columns
    interest = np.diff(np.log(metrics["sum_open_interest"]))
    size = np.abs(np.log(one.bars.close / one.bars.open))[~one.bars.is_gap][1:]
    assert interest[size > 4.0 * size.mean()].mean() < -0.005
    assert autocorrelation(np.log(metrics["count_long_short_ratio"]), 1) > 0.9
    day = np.log(one.bars.close[24:] / one.bars.close[:-24])[~one.bars.is_gap[24:]]
    assert correlation(np.log(metrics["count_long_short_ratio"])[24:], day) < -0.2


def test_null_prices_are_a_martingale() -> None:
    """The mean ratio of the next price to this one is 1, over every hour of many short markets."""
    growth = []
    for seed in range(60):
        market = simulate(SimulationSpec(days=7, seed=seed, outages_per_year=0.0))
        growth.append([bars.close[-1] / bars.open[0] - 1.0 for bars in market.perp_bars.values()])
    mean = np.mean(growth, axis=1)
    standard_error = mean.std(ddof=1) / np.sqrt(len(mean))
    assert abs(mean.mean()) < 3.5 * standard_error


def prediction_scores(seeds: range, days: int) -> dict[tuple[str, str, int], float]:
    """Score of every known column against the next hour and day of spot and of the perpetual.

    The score is ``sum(x r) / sqrt(sum((x r)^2))`` over many markets, with ``x`` the column less a
    constant: about standard normal where ``x`` says nothing about the return after it. The constant
    comes from another market. The mean of the same sample would know the future, and in samples of
    months a column that follows past returns would then seem to predict the opposite.
    """
    centres = {
        name: np.nanmean(column)
        for name, column in known_columns(
            simulate(SimulationSpec(days=400, seed=1_000_000, symbols=(SYMBOL,))), SYMBOL
        ).items()
    }
    sums: dict[tuple[str, str, int], list[float]] = {}
    for seed in seeds:
        market = simulate(SimulationSpec(days=days, seed=seed, symbols=(SYMBOL,)))
        table = known_columns(market, SYMBOL)
        bars_of = {"spot": market.markets[SYMBOL].bars, "perp": market.perp_bars[SYMBOL]}
        for traded, bars in bars_of.items():
            for horizon in (1, 24):
                rows = np.arange(96, len(bars) - horizon, horizon)
                ahead = bars.close[rows + horizon] / bars.close[rows] - 1.0
                for name, column in table.items():
                    product = np.nan_to_num((column[rows] - centres[name]) * ahead)
                    pair = sums.setdefault((traded, name, horizon), [0.0, 0.0])
                    pair[0] += product.sum()
                    pair[1] += (product * product).sum()
    return {key: total / np.sqrt(squares) for key, (total, squares) in sums.items()}


def test_in_null_mode_no_known_column_predicts_the_next_returns() -> None:
    scores = prediction_scores(range(700, 724), days=120)
    assert len(scores) == 4 * 18
    # the largest of 72 standard normal numbers stays below 3.9 in 99 of 100
    worst = max(scores, key=lambda key: abs(scores[key]))
    assert abs(scores[worst]) < 3.9, (worst, scores[worst])


def standardised(market: SimulatedMarket, column: str) -> Float1D:
    """The planted column as the documentation defines it, from what is published only."""
    one = market.markets[SYMBOL]
    plant = PLANTED_COLUMNS[column]
    if plant.series == "bars":
        raw = one.bars.columns()["taker_buy_volume"] / one.bars.volume
    else:
        raw = known_at_close(one.bars, one.series[plant.series], plant.column)
    raw = np.log(raw) if plant.logarithm else raw
    return np.clip(np.nan_to_num((raw - plant.centre) / plant.scale), -3.0, 3.0)


@pytest.mark.parametrize("column", sorted(PLANTED_COLUMNS))
@pytest.mark.parametrize(("edge", "horizon"), [(6.0, 1), (-3.0, 5)])
def test_the_planted_edge_is_found_at_its_stated_size(
    column: str, edge: float, horizon: int
) -> None:
    spec = SimulationSpec(
        mode="planted",
        planted_column=column,
        planted_edge=edge,
        planted_horizon_hours=horizon,
        days=1095,
        seed=21,
        symbols=(SYMBOL,),
        outages_per_year=0.0,
    )
    market = simulate(spec)
    z = standardised(market, column)
    total = np.array([z[max(0, t - horizon + 1) : t + 1].sum() for t in range(len(z) - 1)])
    # the drift is exactly what the published column announces
    np.testing.assert_allclose(market.drift_bps[SYMBOL][1:], edge * total, atol=1e-7)
    bars = market.perp_bars[SYMBOL]
    ahead = 1e4 * np.log(bars.close[1:] / bars.close[:-1])
    weight = 1.0 / _volatility(ahead)
    slope = np.sum(weight * total * ahead) / np.sum(weight * total * total)
    residual = ahead - slope * total
    error = np.sqrt(np.sum((weight * total * residual) ** 2)) / np.sum(weight * total * total)
    assert abs(slope - edge) < 3.5 * error
    # and the sample is long enough to tell it from none
    assert abs(slope) > 3.5 * error


def _volatility(returns: Float1D) -> Float1D:
    """Variance of each hour as known before it: regression weights that calm hours dominate."""
    variance = np.empty(len(returns))
    level = returns.var()
    for t in range(len(returns)):
        variance[t] = level
        level = 0.97 * level + 0.03 * min(returns[t] ** 2, 25.0 * level)
    return variance


def test_planting_leaves_the_columns_and_other_markets_alone() -> None:
    null = simulate(SimulationSpec(days=30, seed=8, symbols=(SYMBOL,)))
    planted = simulate(
        SimulationSpec(
            days=30, seed=8, symbols=(SYMBOL,), mode="planted", planted_column="funding",
            planted_edge=5.0,
        )
    )  # fmt: skip
    for kind in ("funding", "fear_greed"):
        assert_same_series(null.markets[SYMBOL].series[kind], planted.markets[SYMBOL].series[kind])
    np.testing.assert_array_equal(
        null.markets[SYMBOL].bars.volume, planted.markets[SYMBOL].bars.volume
    )
    # what remains of the price after taking the drift out is the null price
    drift = np.cumsum(planted.drift_bps[SYMBOL]) * 1e-4
    np.testing.assert_allclose(
        planted.perp_bars[SYMBOL].close, null.perp_bars[SYMBOL].close * np.exp(drift), rtol=1e-9
    )
    assert not null.drift_bps[SYMBOL].any()


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
        SimulationSpec(**arguments)  # type: ignore[arg-type]


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
