"""What each head adds: differences of what run.json states, and intervals against scipy's bootstrap."""

import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from experiments import RunResult, load_run
from experiments.report.heads.left_out import FEWEST_DAYS, HeadChanges, head_changes, sharpes
from experiments.report.heads.numbers import head_numbers
from experiments.report.reading import RunReading

YEAR = 365.0


def sharpe(returns: np.ndarray, axis: int = -1) -> np.ndarray:
    mean, deviation = returns.mean(axis=axis), returns.std(axis=axis, ddof=1)
    return np.asarray(mean / deviation * math.sqrt(YEAR))


def changes(own: np.ndarray, others: list[np.ndarray], seed: int = 1) -> HeadChanges:
    """Changes for a run whose days have one bar each."""
    names = [f"head_{k}" for k in range(len(others))]

    def numbers(returns: np.ndarray) -> dict[str, float | None]:
        return {
            "sharpe": float(sharpe(returns)) if returns.std() > 0 else None,
            "total_return": float(np.prod(1 + returns) - 1),
            "max_drawdown": 0.1,
            "trades": 12.0,
        }

    return head_changes(
        numbers(own),
        {name: numbers(one) for name, one in zip(names, others, strict=True)},
        np.stack([np.column_stack((one, one * one)) for one in others]),
        np.column_stack((own, own * own)),
        np.ones(len(own), dtype=np.int64),
        bars_a_year=YEAR,
        seed=seed,
    )


def test_the_interval_of_one_head_is_as_wide_as_that_of_scipy():
    generator = np.random.default_rng(3)
    own = generator.normal(0.001, 0.02, 1_500)
    other = 0.8 * own + generator.normal(0.0, 0.01, 1_500)
    found = changes(own, [other])
    expected = bootstrap(
        (own, other),
        lambda a, b, axis=-1: sharpe(a, axis) - sharpe(b, axis),
        paired=True,
        n_resamples=2_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.sharpe[0] == pytest.approx(float(sharpe(own) - sharpe(other)))
    # Two thousand draws know a quantile to a few percent of the width.
    width = expected.high - expected.low
    assert found.high[0] - found.low[0] == pytest.approx(width, rel=0.08)
    assert found.low[0] == pytest.approx(expected.low, abs=0.08 * width)


def test_heads_that_add_nothing_hold_0_all_at_once():
    held = []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        shared = generator.normal(0.0, 0.02, 400)
        own = shared + generator.normal(0.0, 0.01, 400)
        others = [shared + generator.normal(0.0, 0.01, 400) for _ in range(9)]
        found = changes(own, others, seed)
        held.append(bool(((found.low <= 0) & (found.high >= 0)).all()))
    # Two standard deviations of a share of 60 below 95 %.
    assert np.mean(held) >= 0.89


def test_a_head_that_adds_is_found_and_one_that_takes_too():
    generator = np.random.default_rng(5)
    own = generator.normal(0.001, 0.02, 1_000)
    found = changes(own, [own - 0.002, own + 0.002, own])
    assert found.low[0] > 0
    assert found.high[1] < 0
    assert found.sharpe[2] == 0
    assert np.isnan(found.low[2])


def test_too_few_days_or_a_run_that_never_varies_have_no_interval():
    generator = np.random.default_rng(6)
    short = generator.normal(0.0, 0.01, FEWEST_DAYS - 1)
    assert np.isnan(changes(short, [short * 0.5 + 0.001]).low).all()
    own = generator.normal(0.0, 0.01, 200)
    idle = changes(own, [np.zeros(200), own * 2 + 0.001])
    assert np.isnan(idle.sharpe[0])
    assert np.isnan(idle.low[0])
    assert np.isfinite(idle.low[1])
    nothing = changes(np.zeros(200), [np.zeros(200)])
    assert np.isnan([nothing.sharpe[0], nothing.low[0], nothing.block_days]).all()


def test_ratios_of_sums_are_those_of_returns():
    returns = np.random.default_rng(7).normal(0.001, 0.02, (300, 4))
    found = sharpes(
        returns.sum(axis=0)[None], (returns**2).sum(axis=0)[None], np.full((1, 1), 300.0), YEAR
    )
    np.testing.assert_allclose(found[0], sharpe(returns, axis=0), rtol=1e-12)
    constant = sharpes(np.full((1, 1), 3.0), np.full((1, 1), 0.03), np.full((1, 1), 300.0), YEAR)
    assert np.isnan(constant[0, 0])


def test_of_a_run_changes_are_what_the_record_states(result: RunResult):
    record = load_run(result.run_dir)
    found = head_numbers(RunReading(record)).changes
    assert found is not None
    metrics, without = record.content["metrics"], record.content["leave_one_out"]
    assert found.heads == tuple(without)
    for k, head in enumerate(found.heads):
        for name in ("sharpe", "total_return", "max_drawdown", "trades"):
            assert getattr(found, name)[k] == metrics[name] - without[head][name]
    # The days of the run add up to its own ratio, so that intervals lie around the changes.
    assert (found.low <= found.sharpe).all()
    assert (found.sharpe <= found.high).all()
