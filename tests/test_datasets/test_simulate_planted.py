"""What predicts the simulated price: nothing in null mode, the planted column at its stated size."""

import numpy as np
import pytest

from datasets.simulate import PLANTED_COLUMNS, SimulatedMarket, SimulationSpec, simulate
from engine import Float1D
from tests.test_datasets.simulated import SYMBOL, assert_same_series, known_at_close


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
