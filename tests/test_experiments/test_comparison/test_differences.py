"""Paired intervals of metrics: against loops, against the engine's metrics, and by their coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics.returns import annual_return
from experiments.comparison.differences import METRICS, measures, metric_differences
from experiments.statistics.resampling import Resampling, resampled_rows

HOURS = 8_760.0


def by_loops(returns: list[float], a_year: float) -> dict[str, float]:
    """The metrics in plain Python."""
    count = len(returns)
    mean = sum(returns) / count
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / (count - 1))
    loss = math.sqrt(sum(r * r for r in returns if r < 0) / count)
    growth, highest, deepest = 1.0, 1.0, 0.0
    for r in returns:
        growth *= 1.0 + r
        highest = max(highest, growth)
        deepest = max(deepest, 1.0 - growth / highest)
    return {
        "total_return": growth - 1.0,
        "annual_return": growth ** (a_year / count) - 1.0,
        "annual_volatility": deviation * math.sqrt(a_year),
        "sharpe": mean / deviation * math.sqrt(a_year),
        "sortino": mean / loss * math.sqrt(a_year),
        "max_drawdown": deepest,
    }


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 60))
def test_metrics_are_those_of_plain_loops(seed: int, count: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, count)
    returns[0] = -0.01
    found = measures(returns, HOURS)
    for name, value in by_loops(returns.tolist(), HOURS).items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12)
    years = count / HOURS
    growth = float(np.prod(1.0 + returns))
    assert found["annual_return"] == pytest.approx(
        annual_return(np.array([1e4 * growth]), 1e4, years), rel=1e-9
    )


def test_an_interval_is_that_of_the_same_closes_drawn_for_both() -> None:
    draw = np.random.default_rng(1)
    first, other = draw.normal(0.0, 0.01, (2, 50))
    blocks = Resampling(block_length=4.0, scheme="stationary")
    found = metric_differences(first, other, HOURS, seed=9, draws=200, resampling=blocks)
    drawn: dict[str, list[float]] = {name: [] for name in METRICS}
    for rows in resampled_rows(blocks, 50, 200, 9):
        for row in rows:
            own = by_loops(first[row].tolist(), HOURS)
            its = by_loops(other[row].tolist(), HOURS)
            for name in METRICS:
                drawn[name].append(its[name] - own[name])
    for row in found:
        low, high = np.quantile(drawn[row.name], (0.025, 0.975))
        assert (row.low, row.high) == pytest.approx((low, high), rel=1e-8)


def test_two_equals_that_move_together_are_told_apart_once_in_twenty() -> None:
    draw, outside, widths = np.random.default_rng(2), 0, []
    for market in range(100):
        shared = draw.normal(0.0, 0.01, 400)
        first, other = (
            math.sqrt(0.9) * shared + math.sqrt(0.1) * draw.normal(0.0, 0.01, 400) for _ in range(2)
        )
        sharpe = metric_differences(first, other, HOURS, seed=market, draws=300)[3]
        outside += not sharpe.low <= 0.0 <= sharpe.high
        widths.append(sharpe.high - sharpe.low)
    # Binomial(100, .05): 99.9 % lie at 13 or below.
    assert outside <= 13
    alone = metric_differences(
        draw.normal(0.0, 0.01, 400), draw.normal(0.0, 0.01, 400), HOURS, seed=1, draws=300
    )[3]
    assert alone.high - alone.low > 2 * float(np.median(widths))


def test_what_is_undefined_or_too_short_has_no_interval() -> None:
    still = np.zeros(100)
    moving = np.random.default_rng(3).normal(0.0, 0.01, 100)
    found = {row.name: row for row in metric_differences(still, moving, HOURS, seed=0, draws=50)}
    assert math.isnan(found["sharpe"].first)
    assert math.isnan(found["sharpe"].low)
    assert found["total_return"].first == 0.0
    assert found["total_return"].low <= found["total_return"].high
    short = metric_differences(moving[:20], moving[20:40], HOURS, seed=0)
    assert all(math.isnan(row.low) and not math.isnan(row.other) for row in short)


def test_a_ruin_stays_a_ruin() -> None:
    ruined = np.concatenate((np.full(50, 0.001), [-1.0], np.zeros(49)))
    found = measures(ruined, HOURS)
    assert found["total_return"] == -1.0
    assert found["annual_return"] == -1.0
    assert found["max_drawdown"] == 1.0
