"""Sums by day, what rolls over them and what is drawn from them, against pandas and bars by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D, Int1D
from experiments.report.numbers.days import bootstrap_fan, day_sums, sharpe_interval
from experiments.report.numbers.rolling import rolling, trailing_returns, window_of

HOURS_A_YEAR = 365 * 24.0


def hours(days: int, seed: int, drift: float = 0.0) -> tuple[Int1D, Float1D, Float1D]:
    """Day numbers, returns of a run and of its benchmark, correlated, for days of 24 bars but the first."""
    generator = np.random.default_rng(seed)
    bars = 24 * days - 5
    held = 0.01 * generator.standard_normal(bars)
    own = drift + 0.3 * held + 0.004 * generator.standard_normal(bars)
    return (np.arange(bars) + 5) // 24, own, held


def sharpe(returns: Float1D) -> float:
    return float(returns.mean() / returns.std(ddof=1) * np.sqrt(HOURS_A_YEAR))


def test_sums_are_those_of_a_group_by() -> None:
    day, own, held = hours(40, 1)
    found = day_sums(day, own, held)
    frame = pd.DataFrame({"a": own, "b": held, "aa": own**2, "bb": held**2, "ab": own * held})
    expected = frame.groupby(day).sum()
    for values, column in (
        (found.total, "a"), (found.held_total, "b"), (found.squares, "aa"), (found.held_squares, "bb"),
        (found.products, "ab"),
    ):  # fmt: skip
        np.testing.assert_allclose(values, expected[column], rtol=1e-11, atol=1e-15)
    assert found.bars.tolist() == [19.0] + [24.0] * 39
    assert len(found) == 40
    np.testing.assert_array_equal(day[found.first], found.day)
    np.testing.assert_array_equal(day[found.last], found.day)


def test_every_window_is_what_its_bars_say() -> None:
    day, own, held = hours(75, 2)
    found = rolling(day_sums(day, own, held), 30, HOURS_A_YEAR)
    assert len(found.sharpe) == 46
    for place in (0, 1, 20, 45):
        inside = (day >= place) & (day < place + 30)
        a, b = own[inside], held[inside]
        assert found.sharpe[place] == pytest.approx(sharpe(a), rel=1e-9)
        assert found.held_sharpe[place] == pytest.approx(sharpe(b), rel=1e-9)
        assert found.volatility[place] == pytest.approx(
            a.std(ddof=1) * np.sqrt(HOURS_A_YEAR), rel=1e-9
        )
        assert found.beta[place] == pytest.approx(np.polyfit(b, a, 1)[0], rel=1e-9)


def test_windows_without_movement_are_undefined() -> None:
    day, own, _ = hours(70, 3)
    found = rolling(day_sums(day, np.zeros_like(own), np.zeros_like(own)), 30, HOURS_A_YEAR)
    assert np.isnan(found.sharpe).all()
    assert np.isnan(found.beta).all()
    assert (found.volatility == 0).all()


def test_trailing_returns_begin_with_the_cash() -> None:
    equity = np.array([110.0, 121.0, 60.5, 0.0, 0.0])
    np.testing.assert_allclose(
        trailing_returns(equity, 100.0, 2), [0.21, -0.45, -1.0, -1.0], rtol=1e-15
    )
    assert np.isnan(trailing_returns(equity, 100.0, 1)[-1])


@pytest.mark.parametrize(
    ("days", "window"),
    [(59, None), (60, 30), (359, 30), (360, 90), (720, 180), (1459, 180), (1460, 365)],
)
def test_the_window_follows_from_the_length(days: int, window: int | None) -> None:
    assert window_of(days) == window


@given(seed=st.integers(0, 1_000), drift=st.floats(-0.0005, 0.0005))
@settings(max_examples=8, deadline=None)
def test_the_interval_holds_the_ratio(seed: int, drift: float) -> None:
    day, own, held = hours(120, seed, drift)
    interval = sharpe_interval(day_sums(day, own, held), HOURS_A_YEAR, seed=7)
    assert interval is not None
    low, high = interval
    assert low < sharpe(own) < high
    # Of independent returns the standard error is about √(bars a year ÷ bars).
    error = np.sqrt(HOURS_A_YEAR / len(own))
    assert 0.5 < (high - low) / (2 * 1.96 * error) < 1.6


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    true = 0.0001 / np.sqrt(0.3**2 * 0.01**2 + 0.004**2) * np.sqrt(HOURS_A_YEAR)
    held = 0
    for seed in range(120):
        day, own, other = hours(60, 5_000 + seed, 0.0001)
        low, high = sharpe_interval(day_sums(day, own, other), HOURS_A_YEAR, seed=seed)
        held += low <= true <= high
    # 95 % of 120 is 114 with a deviation of 2.4; bootstraps of sixty days are a little short.
    assert 104 <= held <= 120


def test_too_little_has_no_interval() -> None:
    day, own, held = hours(29, 4)
    assert sharpe_interval(day_sums(day, own, held), HOURS_A_YEAR, seed=1) is None
    day, own, held = hours(40, 4)
    assert sharpe_interval(day_sums(day, np.zeros_like(own), held), HOURS_A_YEAR, seed=1) is None


def test_the_fan_opens_like_a_random_walk() -> None:
    returns = np.expm1(np.random.default_rng(8).normal(0.0, 0.02, 400))
    fan = bootstrap_fan(returns, seed=1)
    assert fan is not None
    assert fan.rows[0] == 0
    assert fan.rows[-1] == 399
    assert (np.diff(fan.growth, axis=0) >= 0).all()
    logs = np.log1p(returns)
    end = np.log(fan.growth[:, -1])
    assert end[2] == pytest.approx(logs.sum(), abs=0.08)
    # Between the outer quantiles lie 2 × 1.96 deviations of the sum; blocks and 1,000 draws blur it.
    assert end[4] - end[0] == pytest.approx(2 * 1.96 * logs.std() * 20, rel=0.25)
    assert bootstrap_fan(returns, seed=1).growth.tolist() == fan.growth.tolist()


def test_no_fan_without_days_movement_or_after_a_ruin() -> None:
    assert bootstrap_fan(np.full(20, 0.01), seed=1) is None
    assert bootstrap_fan(np.zeros(100), seed=1) is None
    assert bootstrap_fan(np.append(np.full(50, 0.01), -1.0), seed=1) is None
