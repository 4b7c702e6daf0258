"""The simulated market is shaped like real data: its bars, funding, premium and slow series."""

import numpy as np
import pytest

from datasets.simulate import SimulatedMarket, SimulationSpec, simulate
from datasets.simulation.moments import (
    autocorrelation,
    correlation,
    funding_moments,
    hourly_moments,
    premium_moments,
)
from engine import HOUR_NS, MINUTE_NS
from tests.test_datasets.simulated import SYMBOL


@pytest.fixture(scope="module")
def three_years() -> SimulatedMarket:
    return simulate(SimulationSpec(days=1095, seed=5))


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
