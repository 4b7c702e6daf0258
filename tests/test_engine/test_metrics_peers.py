"""Metrics against empyrical-reloaded, quantstats and scipy, wherever METRICS says that they agree."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import empyrical
import numpy as np
import pandas as pd
import pytest
import quantstats.stats as quantstats
from scipy import stats as scipy_stats

from engine import METRICS
from tests.metric_cases import CASH, evaluation, random_equity, values_of

PERIODS = 6 * 365.0
"""Four-hour bars in a year."""


@dataclass(frozen=True)
class Returns:
    """What the libraries are given: returns of bars and days, indexed by the opens of both."""

    bars: pd.Series
    days: pd.Series
    benchmark: pd.Series


def with_periods(function: Callable[..., float]) -> Callable[[Returns], float]:
    return lambda r: function(r.bars, annualization=PERIODS)


def valley(r: Returns) -> float:
    details = quantstats.drawdown_details(quantstats.to_drawdown_series(r.bars))
    deepest = details["max drawdown"].idxmin()
    return pd.Timestamp(details["valley"][deepest]).timestamp() // 86400


def of_period(function: Callable[..., float], period: str | None) -> Callable[[Returns], float]:
    return lambda r: function(r.bars, aggregate=period)


ORACLES: dict[tuple[str, str], Callable[[Returns], float]] = {
    ("total_return", "empyrical"): lambda r: empyrical.cum_returns_final(r.bars),
    ("total_return", "quantstats"): lambda r: quantstats.comp(r.bars),
    ("annual_return", "empyrical"): with_periods(empyrical.annual_return),
    ("annual_return", "quantstats"): lambda r: quantstats.cagr(r.bars, periods=PERIODS),
    ("annual_volatility", "empyrical"): with_periods(empyrical.annual_volatility),
    ("annual_volatility", "quantstats"): lambda r: quantstats.volatility(r.bars, periods=PERIODS),
    ("sharpe", "empyrical"): with_periods(empyrical.sharpe_ratio),
    ("sharpe", "quantstats"): lambda r: quantstats.sharpe(r.bars, periods=PERIODS),
    ("smart_sharpe", "quantstats"): lambda r: quantstats.smart_sharpe(r.bars, periods=PERIODS),
    ("sortino", "empyrical"): with_periods(empyrical.sortino_ratio),
    ("sortino", "quantstats"): lambda r: quantstats.sortino(r.bars, periods=PERIODS),
    ("skew", "scipy"): lambda r: scipy_stats.skew(r.bars),
    ("kurtosis", "scipy"): lambda r: scipy_stats.kurtosis(r.bars, fisher=False),
    ("log_equity_r2", "empyrical"): lambda r: empyrical.stability_of_timeseries(r.bars),
    ("omega", "empyrical"): lambda r: empyrical.omega_ratio(r.days),
    ("omega", "quantstats"): lambda r: quantstats.omega(r.days),
    ("gain_to_pain", "quantstats"): lambda r: quantstats.gain_to_pain_ratio(r.days),
    ("tail_ratio", "empyrical"): lambda r: empyrical.tail_ratio(r.days),
    ("tail_ratio", "quantstats"): lambda r: quantstats.tail_ratio(r.days),
    ("common_sense_ratio", "quantstats"): lambda r: quantstats.common_sense_ratio(r.days),
    ("value_at_risk_95", "empyrical"): lambda r: -empyrical.value_at_risk(r.days, 0.05),
    ("value_at_risk_99", "empyrical"): lambda r: -empyrical.value_at_risk(r.days, 0.01),
    ("conditional_value_at_risk_95", "empyrical"): lambda r: (
        -empyrical.conditional_value_at_risk(r.days, 0.05)
    ),
    ("conditional_value_at_risk_99", "empyrical"): lambda r: (
        -empyrical.conditional_value_at_risk(r.days, 0.01)
    ),
    ("conditional_value_at_risk_95", "quantstats"): lambda r: (
        -quantstats.cvar(r.days, confidence=0.95, method="historical")
    ),
    ("conditional_value_at_risk_99", "quantstats"): lambda r: (
        -quantstats.cvar(r.days, confidence=0.99, method="historical")
    ),
    ("best_bar", "quantstats"): of_period(quantstats.best, None),
    ("worst_bar", "quantstats"): of_period(quantstats.worst, None),
    ("best_day", "quantstats"): lambda r: quantstats.best(r.days),
    ("worst_day", "quantstats"): lambda r: quantstats.worst(r.days),
    ("best_month", "quantstats"): of_period(quantstats.best, "ME"),
    ("worst_month", "quantstats"): of_period(quantstats.worst, "ME"),
    ("best_year", "quantstats"): of_period(quantstats.best, "year"),
    ("worst_year", "quantstats"): of_period(quantstats.worst, "year"),
    ("max_drawdown", "empyrical"): lambda r: -empyrical.max_drawdown(r.bars),
    ("max_drawdown", "quantstats"): lambda r: -quantstats.max_drawdown(r.bars),
    ("max_drawdown_trough", "quantstats"): valley,
    ("average_drawdown", "quantstats"): lambda r: (
        -quantstats.drawdown_details(quantstats.to_drawdown_series(r.bars))["max drawdown"].mean()
        / 100
    ),
    ("calmar", "empyrical"): with_periods(empyrical.calmar_ratio),
    ("calmar", "quantstats"): lambda r: quantstats.calmar(r.bars, periods=PERIODS),
    ("alpha", "quantstats"): lambda r: quantstats.greeks(r.bars, r.benchmark, PERIODS)["alpha"],
    ("beta", "empyrical"): lambda r: empyrical.beta(r.bars, r.benchmark),
    ("beta", "quantstats"): lambda r: quantstats.greeks(r.bars, r.benchmark, PERIODS)["beta"],
    ("benchmark_correlation", "scipy"): lambda r: scipy_stats.pearsonr(r.bars, r.benchmark)[0],
    ("benchmark_r2", "quantstats"): lambda r: quantstats.r_squared(r.bars, r.benchmark),
}


def test_every_stated_agreement_is_compared():
    assert set(ORACLES) == {(m.name, library) for m in METRICS for library in m.agrees_with}


@pytest.fixture(scope="module", params=(3, 4))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, float], Returns]:
    """1,100 days, twenty of them without a position."""
    rows = 6 * 1100
    drift = {3: 2e-4, 4: -1e-4}[request.param]
    equity = random_equity(rows, request.param, volatility=0.006, drift=drift)
    equity[600:] *= equity[480] / equity[599]
    equity[480:600] = equity[480]
    market = random_equity(rows, 9, volatility=0.008)
    benchmark = np.sqrt(market * equity / CASH) * math.sqrt(CASH)
    run = evaluation(equity, timeframe="4h", benchmark=benchmark)
    index = pd.to_datetime(run.panel.open_time)

    def returns(curve: object) -> pd.Series:
        return pd.Series(np.concatenate(([CASH], curve)), dtype=float).pct_change().iloc[1:]

    bars = returns(equity).set_axis(index)
    days = bars.groupby(index.floor("D")).apply(lambda of_day: (1 + of_day).prod() - 1)
    return values_of(run), Returns(bars, days, returns(benchmark).set_axis(index))


@pytest.mark.parametrize("oracle", ORACLES, ids="-".join)
def test_agrees_with(oracle: tuple[str, str], case: tuple[dict[str, float], Returns]):
    values, returns = case
    name, _ = oracle
    value = values[name]
    if name == "max_drawdown_trough":
        value = (value - 1e-9) // 86400
    assert value == pytest.approx(float(ORACLES[oracle](returns)), rel=1e-9, abs=1e-13)


N = 6 * 1100

CONVERSIONS: dict[tuple[str, str], Callable[[dict[str, float], Returns], tuple[float, float]]] = {
    ("skew", "quantstats"): lambda v, r: (
        v["skew"] * math.sqrt(N * (N - 1)) / (N - 2),
        quantstats.skew(r.bars),
    ),
    ("kurtosis", "quantstats"): lambda v, r: (
        (N - 1) / ((N - 2) * (N - 3)) * ((N + 1) * (v["kurtosis"] - 3) + 6),
        quantstats.kurtosis(r.bars),
    ),
    ("ulcer_index", "quantstats"): lambda v, r: (
        v["ulcer_index"] * math.sqrt(N / (N - 1)),
        quantstats.ulcer_index(r.bars),
    ),
    ("martin", "quantstats"): lambda v, r: (
        v["martin"] * v["total_return"] / v["annual_return"] * math.sqrt((N - 1) / N),
        quantstats.ulcer_performance_index(r.bars),
    ),
    ("recovery_factor", "quantstats"): lambda v, r: (
        abs(v["recovery_factor"] * r.bars.sum() / v["total_return"]),
        quantstats.recovery_factor(r.bars),
    ),
    ("information_ratio", "empyrical"): lambda v, r: (
        v["information_ratio"] / math.sqrt(PERIODS),
        empyrical.excess_sharpe(r.bars, r.benchmark),
    ),
    ("information_ratio", "quantstats"): lambda v, r: (
        v["information_ratio"] / math.sqrt(PERIODS),
        quantstats.information_ratio(r.bars, r.benchmark),
    ),
    ("treynor", "quantstats"): lambda v, r: (
        v["treynor"] * v["total_return"] / v["annual_return"],
        quantstats.treynor_ratio(r.bars, r.benchmark, PERIODS),
    ),
    ("alpha", "empyrical"): lambda v, r: (
        (1 + v["alpha"] / PERIODS) ** PERIODS - 1,
        empyrical.alpha(r.bars, r.benchmark, annualization=PERIODS),
    ),
    ("positive_days", "quantstats"): lambda v, r: (
        v["positive_days"] * len(r.days) / (r.days != 0).sum(),
        quantstats.win_rate(r.days),
    ),
    ("value_at_risk_95", "quantstats"): lambda v, r: (
        -(r.days.mean() + scipy_stats.norm.ppf(0.05) * r.days.std()),
        -quantstats.value_at_risk(r.days),
    ),
    ("serenity", "quantstats"): lambda v, r: (
        r.bars.sum()
        / quantstats.ulcer_index(r.bars)
        / (-quantstats.cvar(quantstats.to_drawdown_series(r.bars)) / r.bars.std()),
        quantstats.serenity_index(r.bars),
    ),
}
"""Ours, converted as the table says that the library's number differs, and the library's number."""


@pytest.mark.parametrize("difference", CONVERSIONS, ids="-".join)
def test_differs_as_stated(difference: tuple[str, str], case: tuple[dict[str, float], Returns]):
    name, library = difference
    values, returns = case
    ours, theirs = CONVERSIONS[difference](values, returns)
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert values[name] != pytest.approx(theirs, rel=1e-6)
    stated = next(metric for metric in METRICS if metric.name == name)
    assert library in stated.peers
    assert library not in stated.agrees_with


def test_undefined_ratios_are_nan_here_and_numbers_there():
    rising = np.full(300, 0.01)
    values = values_of(evaluation(CASH * 1.01 ** np.arange(1, 301)))
    assert math.isnan(values["sharpe"])
    assert math.isnan(values["sortino"])
    assert empyrical.sharpe_ratio(rising) == math.inf
    assert empyrical.sortino_ratio(rising) == math.inf
    series = pd.Series(
        np.where(np.arange(300) == 299, 0.02, 0.0), pd.date_range("2021", periods=300)
    )
    assert quantstats.autocorr_penalty(series) == 1.0
    step = CASH * np.where(np.arange(300) == 299, 1.02, 1.0)
    assert math.isnan(values_of(evaluation(step))["smart_sharpe"])
