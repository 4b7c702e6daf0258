"""Where a rule of the report's numbers begins and ends: smallest cases, worked out by hand."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from engine import TRADE_DTYPE
from experiments.report.numbers.calendar import WeekCells, beyond_two, grouped, week_cells
from experiments.report.numbers.costs import cost_steps
from experiments.report.numbers.days import bootstrap_fan, day_sums, sharpe_interval
from experiments.report.numbers.periods import histogram
from experiments.report.numbers.regimes import (
    UNKNOWN,
    expanding_terciles,
    regime_results,
    trend_states,
)
from experiments.report.numbers.rolling import rolling
from experiments.report.numbers.samples import Sample, measured
from experiments.report.numbers.trades import by_exit_reason, by_side, largest_results
from experiments.report.reading import RunReading
from experiments.statistics.resampling import automatic_resampling

HOUR_NS = 3_600 * 10**9
YEAR = 8_760.0


def trades_of(net: list[float], **columns: Any) -> np.ndarray[Any, Any]:
    trades = np.zeros(len(net), dtype=TRADE_DTYPE)
    trades["net_pnl"], trades["side"], trades["r_multiple"] = net, 1, np.nan
    for name, values in columns.items():
        trades[name] = values
    return trades


@pytest.mark.parametrize(("weeks", "is_judged"), [(29, False), (30, True)])
def test_a_cell_of_thirty_bars_is_judged(weeks: int, is_judged: bool) -> None:
    opens = np.arange(weeks * 168, dtype=np.int64) * HOUR_NS
    returns = np.random.default_rng(1).standard_normal(len(opens))
    cells = week_cells(opens, returns)
    assert (cells.count == weeks).all()
    assert np.isfinite(cells.t).all() == is_judged
    assert np.isfinite(cells.t).any() == is_judged


def test_cells_on_either_side_are_beyond_two_and_luck_has_tails_of_student() -> None:
    cells = WeekCells(
        hours=(0, 1),
        count=np.array([[30, 40], [50, 10]]),
        mean=np.zeros((2, 2)),
        t=np.array([[2.5, -2.5], [2.0, np.nan]]),
    )
    found, by_luck = beyond_two(cells)
    assert found == 2
    expected = sum(2 * student.cdf(-2, count - 1) for count in (30, 40, 50))
    assert by_luck == pytest.approx(expected, rel=1e-12)


def test_what_is_grouped_compounds_and_nothing_has_no_mean() -> None:
    found = grouped(np.array([0, 0, 2, 3, 3]), 4, np.array([0.1, 0.2, -0.5, -1.0, 9.0]))
    np.testing.assert_allclose(found.compounded, [0.32, 0.0, -0.5, -1.0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.mean, [0.15, np.nan, -0.5, 4.0], rtol=1e-12)
    assert found.count.tolist() == [2, 0, 1, 2]


def test_only_seldom_costs_are_left_out_where_there_are_none() -> None:
    paid = dict.fromkeys(("spread", "impact", "fees", "funding", "borrow", "shortfall"), 0.0)
    metrics = {**paid, "return_before_costs": 0.01, "total_return": 0.01}
    names = [step.name for step in cost_steps(metrics, 1_000.0)]
    assert names == ["before costs", "spread", "fees", "funding", "net"]
    paid |= {"impact": 1.0, "borrow": -2.0, "shortfall": 3.0}
    moved = {step.name: step.amount for step in cost_steps(metrics | paid, 1_000.0)}
    assert (moved["impact"], moved["borrow"], moved["shortfall"]) == (-1.0, -2.0, 3.0)


def days_of(count: int, bars: int, seed: int, mean: float = 0.0) -> Any:
    returns = np.random.default_rng(seed).normal(mean, 0.01, count * bars)
    return day_sums(np.repeat(np.arange(count), bars), returns, returns)


@pytest.mark.parametrize(("count", "is_given"), [(29, False), (30, True)])
def test_thirty_days_have_an_interval_and_a_fan(count: int, is_given: bool) -> None:
    sums = days_of(count, 4, 2)
    assert (sharpe_interval(sums, YEAR, seed=1) is not None) is is_given
    assert (bootstrap_fan(sums.total, seed=1) is not None) is is_given


def test_a_lower_level_has_the_narrower_interval() -> None:
    sums = days_of(200, 4, 3)
    wide, half = (sharpe_interval(sums, YEAR, seed=1, level=level) for level in (0.95, 0.5))
    assert wide is not None
    assert half is not None
    # Of a normal distribution 1.96 deviations and 0.674.
    assert (half[1] - half[0]) / (wide[1] - wide[0]) == pytest.approx(0.674 / 1.96, rel=0.1)


def test_days_count_by_their_bars() -> None:
    """Days of one bar and of 47: a draw divides by the bars that it has, not by those of the run."""
    bars = np.tile([1, 47], 40)
    returns = np.random.default_rng(4).normal(0.01, 0.001, bars.sum())
    sums = day_sums(np.repeat(np.arange(80), bars), returns, returns)
    found = sharpe_interval(sums, 1.0, seed=1)
    assert found is not None
    # Of normal returns the ratio has a standard error of √((1 + SR² ÷ 2) ÷ n) (Lo, 2002).
    error = np.sqrt((1 + 10.0**2 / 2) / len(returns))
    assert 0.6 < (found[1] - found[0]) / (2 * 1.96 * error) < 1.5


def test_the_fan_of_days_that_are_alike_has_no_width() -> None:
    up = np.tile([0.01, 0.01 + 1e-12], 30)
    fan = bootstrap_fan(up, seed=1)
    assert fan is not None
    np.testing.assert_allclose(fan.growth[2], 1.01 ** (fan.rows + 1.0), rtol=1e-9)
    np.testing.assert_allclose(fan.growth[4], fan.growth[0], rtol=1e-9)
    assert fan.lost_share == 0.0


def test_the_fan_has_its_quantiles_blocks_and_losers() -> None:
    generator = np.random.default_rng(5)
    returns = np.expm1(generator.normal(0.0, 0.02, 400))
    fan = bootstrap_fan(returns, seed=1)
    assert fan is not None
    assert fan.quantiles == (0.025, 0.25, 0.5, 0.75, 0.975)
    # Independent days, drawn one by one: a thousand draws know an outer quantile to three percent.
    drawn = np.log1p(generator.choice(returns, (20_000, 400))).sum(axis=1)
    expected = np.diff(np.quantile(drawn, (0.025, 0.975)))[0]
    assert np.log(fan.growth[4, -1] / fan.growth[0, -1]) == pytest.approx(expected, rel=0.1)
    assert fan.lost_share == pytest.approx((drawn < 0).mean(), abs=0.06)
    slow = np.convolve(generator.normal(0.0, 0.01, 430), np.ones(20) / 5, "valid")
    waves = bootstrap_fan(slow, seed=1)
    assert waves is not None
    assert waves.block_days == automatic_resampling(slow).block_length
    assert waves.block_days > 5
    rising = bootstrap_fan(generator.normal(0.005, 0.01, 400), seed=1)
    assert rising is not None
    assert rising.lost_share == 0.0


def test_bins_have_the_width_of_freedman_and_diaconis() -> None:
    values = np.random.default_rng(6).normal(0.0, 0.02, 5_000)
    assert len(histogram(values).edges) == len(np.histogram_bin_edges(values, "fd"))


def state_after(earlier: int, value: float) -> int:
    """The state of ``value`` after 0.5, 1.5, … so many of them."""
    values = np.append(np.arange(earlier) + 0.5, value)
    return int(expanding_terciles(values)[-1])


def test_thirds_begin_where_they_are_reached() -> None:
    assert state_after(29, 5.0) == UNKNOWN
    assert [state_after(30, value) for value in (9, 10, 19, 20)] == [0, 1, 1, 2]
    # Ten of 31 are less than a third, 21 of 31 more than two.
    assert [state_after(31, value) for value in (10, 11, 20, 21)] == [0, 1, 1, 2]


def test_a_day_without_volatility_ranks_nothing() -> None:
    values = np.concatenate((np.arange(29.0), [np.nan], [50.0, 51.0]))
    assert expanding_terciles(values)[-3:].tolist() == [UNKNOWN, UNKNOWN, 2]


def test_a_market_that_stands_still_is_not_above_its_mean() -> None:
    assert trend_states(np.full(105, 7.0)).tolist() == [UNKNOWN] * 100 + [0] * 5


def test_a_state_counts_bars_and_wins_as_they_are() -> None:
    generator = np.random.default_rng(7)
    bars = np.array([2] * 30 + [6] * 29)
    days, states = np.repeat(np.arange(59), bars), np.repeat([0] * 30 + [1] * 29, bars)
    own, held = generator.normal(0.0, 0.01, (2, len(days)))
    trades = trades_of([1.0, 0.0, -1.0, 3.0], entry_bar=[0, 1, 2, 100])
    first, second = regime_results(states, own, held, trades, days, YEAR)[:2]
    assert (first.bars, first.days, second.bars, second.days) == (60, 30, 174, 29)
    assert first.share == 60 / 234
    assert np.isfinite([first.sharpe, first.held_sharpe, first.volatility]).all()
    assert np.isnan([second.sharpe, second.held_sharpe, second.volatility]).all()
    inside = held[states == 0]
    expected = inside.mean() / inside.std(ddof=1) * np.sqrt(YEAR)
    assert first.held_sharpe == pytest.approx(expected, rel=1e-9)
    assert (first.win_rate, second.win_rate) == (1 / 3, 1.0)


def test_windows_of_the_benchmark_are_its_own() -> None:
    generator = np.random.default_rng(8)
    own, held = generator.normal(0.0, 0.01, 280), generator.normal(0.0, 0.03, 280)
    found = rolling(day_sums(np.repeat(np.arange(70), 4), own, held), 30, YEAR)
    expected = held[: 30 * 4].std(ddof=1) * np.sqrt(YEAR)
    assert found.held_volatility[0] == pytest.approx(expected, rel=1e-9)


def test_a_part_is_measured_from_where_it_begins() -> None:
    equity = np.array([100.0, 120.0, 60.0, 90.0, 81.0, 99.0])
    found = measured(
        Sample(start=3, stop=6, is_seen=False),
        equity=equity,
        initial_cash=100.0,
        gross_exposure=np.array([5.0, 5.0, 5.0, 0.0, 5.0, 0.0]),
        days=np.arange(6),
        trades=trades_of([1.0, 2.0, -4.0, 8.0], entry_bar=[2, 3, 5, 6]),
        bars_a_year=12.0,
        seed=1,
    ).values
    assert found["total_return"] == pytest.approx(99 / 60 - 1, rel=1e-12)
    assert found["annual_return"] == pytest.approx((99 / 60) ** 4 - 1, rel=1e-12)
    assert found["max_drawdown"] == pytest.approx(0.1, rel=1e-12)
    assert found["calmar"] == pytest.approx(found["annual_return"] / 0.1, rel=1e-12)
    assert found["exposure"] == 1 / 3
    assert (found["bars"], found["trades"], found["expectancy"]) == (3.0, 2.0, -1.0)
    assert (found["win_rate"], found["profit_factor"]) == (0.5, 0.5)


def test_groups_bear_the_names_of_their_trades() -> None:
    trades = trades_of([1.0, 2.0, -4.0, -8.0, 5.0, 6.0], side=[1, 1, 1, -1, -1, 1])
    assert [(one.label, one.trades, one.net_pnl) for one in by_side(trades)] == [
        ("long", 4, 5.0),
        ("short", 2, -3.0),
    ]
    trades["exit_reason"] = [3, 5, 5, 4, 5, 4]
    assert [one.trades for one in by_exit_reason(trades)] == [3, 2, 1]
    assert largest_results(trades, 2).tolist() == [3, 5]


def test_bars_open_a_step_before_they_close_and_holding_begins_with_the_cash(
    reading: RunReading,
) -> None:
    start = np.datetime64(reading.content["start_time"], "ns").astype(np.int64)
    assert reading.open_time[0] == start
    assert reading.close_time[0] == start + HOUR_NS
    first = reading.benchmark[0] / reading.initial_cash - 1
    assert first != 0
    assert reading.benchmark_returns[0] == pytest.approx(first, rel=1e-12)
