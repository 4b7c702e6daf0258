"""States of the market: by loops, and never from the day itself or later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import TRADE_DTYPE, Float1D
from experiments.report.numbers.days import FEWEST_DAYS, day_sums, sharpe_interval
from experiments.report.numbers.regimes import (
    FEWEST_RANKED,
    TREND_DAYS,
    UNKNOWN,
    VOLATILITY_DAYS,
    expanding_terciles,
    regime_results,
    state_interval,
    trailing_volatility,
    trend_states,
)
from experiments.report.regimes import chance_text


def days_of(count: int, seed: int) -> Float1D:
    """Returns of ``count`` days of four bars, their width changing slowly."""
    generator = np.random.default_rng(seed)
    width = 0.01 * np.exp(np.cumsum(0.05 * generator.standard_normal(count)))
    returns: Float1D = (width[:, None] * generator.standard_normal((count, 4))).ravel()
    return returns


def volatility_of(returns: Float1D) -> Float1D:
    table = returns.reshape(-1, 4)
    return trailing_volatility(table.sum(axis=1), (table**2).sum(axis=1), np.full(len(table), 4.0))


def test_volatility_is_that_of_the_days_before() -> None:
    returns = days_of(90, 1)
    found = volatility_of(returns)
    assert np.isnan(found[:VOLATILITY_DAYS]).all()
    for day in range(VOLATILITY_DAYS, 90):
        before = returns[4 * (day - VOLATILITY_DAYS) : 4 * day]
        assert found[day] == pytest.approx(before.std(ddof=1), rel=1e-9)


@given(
    values=st.lists(st.floats(0, 10) | st.just(float("nan")), max_size=120),
)
@settings(max_examples=60, deadline=None)
def test_terciles_are_ranks_among_the_earlier_ones(values: list[float]) -> None:
    found = expanding_terciles(np.array(values, dtype=np.float64))
    for day, value in enumerate(values):
        earlier = [one for one in values[:day] if not np.isnan(one)]
        if np.isnan(value) or len(earlier) < FEWEST_RANKED:
            assert found[day] == UNKNOWN
            continue
        below = sum(one <= value for one in earlier)
        # Thirds by whole numbers, without the rounding of a quotient.
        assert found[day] == (3 * below >= len(earlier)) + (3 * below >= 2 * len(earlier))


@pytest.mark.parametrize("day", [80, 130, 199])
def test_a_state_knows_nothing_of_its_day_or_later(day: int) -> None:
    returns = days_of(200, 2)
    level = np.cumprod(1 + returns)[3::4]
    calm = expanding_terciles(volatility_of(returns))
    trend = trend_states(level)
    generator = np.random.default_rng(3)
    poisoned = returns.copy()
    poisoned[4 * day :] = generator.standard_normal(len(returns) - 4 * day)
    other = level.copy()
    other[day:] = 1e9 * generator.random(200 - day)
    changed = expanding_terciles(volatility_of(poisoned))
    np.testing.assert_array_equal(changed[: day + 1], calm[: day + 1])
    np.testing.assert_array_equal(trend_states(other)[: day + 1], trend[: day + 1])


def test_trend_is_the_last_close_against_its_mean() -> None:
    level = np.cumprod(1 + days_of(180, 4))[3::4]
    found = trend_states(level)
    assert (found[:TREND_DAYS] == UNKNOWN).all()
    for day in range(TREND_DAYS, 180):
        assert found[day] == (level[day - 1] > np.mean(level[day - TREND_DAYS : day]))


def test_all_states_together_are_the_run() -> None:
    generator = np.random.default_rng(5)
    own, held = 0.01 * generator.standard_normal((2, 600))
    states = generator.integers(-1, 3, 600)
    trades = np.zeros(50, dtype=TRADE_DTYPE)
    trades["entry_bar"] = generator.integers(0, 600, 50)
    trades["net_pnl"] = generator.standard_normal(50)
    rows = regime_results(states, own, held, trades, np.arange(600), 365.0)
    assert [row.state for row in rows] == [-1, 0, 1, 2]
    assert sum(row.bars for row in rows) == 600
    assert sum(row.share for row in rows) == pytest.approx(1.0, rel=1e-12)
    assert sum(row.trades for row in rows) == 50
    assert sum(row.net_pnl for row in rows) == pytest.approx(trades["net_pnl"].sum(), rel=1e-12)
    for name, returns in (("return_frac", own), ("held_return_frac", held)):
        grown = np.prod([1 + getattr(row, name) for row in rows])
        assert grown == pytest.approx(np.prod(1 + returns), rel=1e-12)
    inside = own[states == 1]
    assert rows[2].sharpe == pytest.approx(
        inside.mean() / inside.std(ddof=1) * np.sqrt(365), rel=1e-9
    )
    assert rows[2].volatility == pytest.approx(inside.std(ddof=1) * np.sqrt(365), rel=1e-9)
    won = trades[states[trades["entry_bar"]] == 2]["net_pnl"] > 0
    assert rows[3].win_rate == pytest.approx(won.mean(), rel=1e-12)


def test_a_state_of_few_days_has_no_ratio() -> None:
    own, held = 0.01 * np.random.default_rng(6).standard_normal((2, 240))
    states = np.zeros(240, dtype=np.int64)
    states[:116] = 1
    days = np.arange(240) // 4
    few, enough = regime_results(states, own, held, np.zeros(0, dtype=TRADE_DTYPE), days, 1460.0)[
        ::-1
    ]
    assert (few.days, enough.days) == (29, 31)
    assert np.isnan([few.sharpe, few.held_sharpe, few.volatility]).all()
    assert np.isfinite([enough.sharpe, enough.held_sharpe, enough.volatility]).all()
    assert np.isfinite(few.return_frac)


def test_a_state_of_all_days_has_the_interval_of_the_run() -> None:
    returns = days_of(200, 7)
    sums = day_sums(np.arange(800) // 4, returns, np.zeros(800))
    whole = sharpe_interval(sums, 1460.0, seed=3)
    assert whole is not None
    assert state_interval(sums, np.ones(200, dtype=np.bool_), 1460.0, seed=3) == whole


def test_the_interval_of_a_state_is_about_its_own_days() -> None:
    """What happens outside plays no part, and independent returns have the width of theory."""
    generator = np.random.default_rng(8)
    days = np.arange(4 * 1200) // 4
    returns = 0.01 * generator.standard_normal(4 * 1200) + 0.0004
    inside = (np.arange(1200) // 20) % 3 == 0
    other = np.where(np.repeat(inside, 4), returns, 0.2 * generator.standard_normal(4 * 1200))
    found, again = (
        state_interval(day_sums(days, one, np.zeros(len(one))), inside, 1460.0, seed=4)
        for one in (returns, other)
    )
    assert found is not None
    assert found == again
    own = returns[np.repeat(inside, 4)]
    # Lo (2002): the error of a Sharpe ratio per bar of independent returns is 1 / sqrt(bars). The draws
    # are of 1,200 days in blocks, whose own error at 2,000 draws is some percent of the width.
    width = 2 * 1.96 * np.sqrt(1460.0 / len(own))
    assert found[1] - found[0] == pytest.approx(width, rel=0.2)
    ratio = own.mean() / own.std(ddof=1) * np.sqrt(1460.0)
    assert found[0] < ratio < found[1]


def test_too_few_days_in_a_state_have_no_interval() -> None:
    sums = day_sums(np.arange(400) // 4, days_of(100, 9), np.zeros(400))
    for count, is_known in ((FEWEST_DAYS - 1, False), (FEWEST_DAYS, True)):
        found = state_interval(sums, np.arange(100) < count, 1460.0, seed=5)
        assert (found is not None) == is_known


def test_states_that_differ_from_the_run_are_counted_and_named() -> None:
    intervals = {
        "calm": (0.7, 2.0),
        "middling": (0.6, 1.0),
        "wild": (-2.0, 0.59),
        "above": (0.0, 2.0),
    }
    (told,) = chance_text(intervals, 0.6)
    (words,) = told.paragraphs
    assert words.startswith(
        "Of 4 states 2 have a 95 % interval that leaves out the Sharpe ratio of the whole run, 0.60 "
        "(calm, wild); about 0.2 would by chance alone."
    )
    (alone,) = chance_text({"wild": (0.0, 0.1)}, 0.6)
    assert alone.paragraphs[0].startswith("Of 1 state 1 has a 95 %")
    (none,) = chance_text({"calm": (0.5, 0.7), "wild": (0.0, 0.6)}, 0.6)
    assert none.paragraphs[0].startswith("Of 2 states none has a 95 %")
    assert chance_text({}, 0.6) == chance_text(intervals, None) == ()
