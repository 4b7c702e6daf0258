"""What may be chosen, and that choosing never sees the blocks that it is judged on."""

import math
from itertools import combinations

import numpy as np
import pytest

from experiments.config_validation import CpcvConfig, WalkForwardConfig
from experiments.sweeps.config import Constraint, Objective, SweepSection
from experiments.sweeps.evaluate import Evaluated
from experiments.sweeps.trial_metrics import DIRECTIONS
from experiments.validation.selection import _paths, _walk_forward
from experiments.validation.trials import good_of

BLOCKS, BARS, TRIALS = 8, 50, 6


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    """Bar returns ``(trials, blocks, bars)``; the third trial never trades."""
    drawn = np.random.default_rng(4).normal(0.0, 0.01, (TRIALS, BLOCKS, BARS))
    drawn += np.random.default_rng(5).normal(0.0, 0.004, (TRIALS, BLOCKS, 1))
    drawn[2] = 0.0
    return drawn


def sums_of(returns: np.ndarray) -> np.ndarray:
    powers = (returns, returns**2, returns**3, returns**4, returns**2 * (returns < 0))
    return np.stack([power.sum(axis=2) for power in powers], axis=-1)


def ratio(returns: np.ndarray) -> float:
    flat = returns.ravel()
    return float(flat.mean() / flat.std(ddof=1)) if flat.any() else 0.0


@pytest.mark.parametrize(
    "section",
    [
        WalkForwardConfig(blocks=BLOCKS),
        WalkForwardConfig(blocks=BLOCKS, train_blocks=3, test_blocks=2, gap_bars=7),
        WalkForwardConfig(blocks=BLOCKS, train_blocks=2, gap_bars=3, anchored=True),
    ],
)
def test_a_walk_forward_chooses_before_its_test(
    returns: np.ndarray, section: WalkForwardConfig
) -> None:
    gap, length = section.gap_bars, section.test_blocks
    folds = _walk_forward(
        sums_of(returns),
        sums_of(returns[:, :, : BARS - gap]),
        3 + BARS * np.arange(BLOCKS + 1),
        section,
        365.0,
    )
    inside, outside = folds.in_sample_sharpes_per_bar, folds.out_of_sample_sharpes_per_bar
    found = folds.efficiency
    flat = returns.reshape(TRIALS, -1)
    tests = range(section.train_blocks, BLOCKS - length + 1, length)
    for fold, test in enumerate(tests):
        start = 0 if section.anchored else (test - section.train_blocks) * BARS
        past = [ratio(one[start : test * BARS - gap]) for one in flat]
        best = int(np.argmax(past))
        judged = flat[best, test * BARS : (test + length) * BARS]
        assert inside[fold] == pytest.approx(past[best], rel=1e-9)
        assert outside[fold] == pytest.approx(ratio(judged), rel=1e-9)
        assert folds.trials[fold] == best
        edges = (start, test * BARS - gap, test * BARS, (test + length) * BARS)
        assert folds.edges[fold].tolist() == [3 + edge for edge in edges]
        yearly = judged.mean() * 365.0
        assert found.out_of_sample_per_year[fold] == pytest.approx(yearly, rel=1e-9)
        trained = flat[best, start : test * BARS - gap]
        assert found.in_sample_per_year[fold] == pytest.approx(trained.mean() * 365.0, rel=1e-9)
    assert len(inside) == len(tests)


@pytest.mark.parametrize(("tested_at_once", "embargo"), [(2, 0), (2, 9), (3, 20)])
def test_a_path_takes_each_block_from_a_choice_that_did_not_see_it(
    returns: np.ndarray, tested_at_once: int, embargo: int
) -> None:
    section = CpcvConfig(blocks=BLOCKS, test_blocks=tested_at_once, embargo_bars=embargo)
    found = _paths(
        sums_of(returns), sums_of(returns[:, :, embargo:]), np.full(BLOCKS, BARS), section
    )
    splits = list(combinations(range(BLOCKS), tested_at_once))
    assert found.shape == (math.comb(BLOCKS - 1, tested_at_once - 1), 5)
    flat = returns.reshape(TRIALS, -1)
    for path in range(len(found)):
        total = 0.0
        for block in range(BLOCKS):
            tested = [split for split in splits if block in split][path]
            known = np.ones(BLOCKS * BARS, dtype=bool)
            for other in tested:
                known[other * BARS : (other + 1) * BARS + embargo] = False
            best = int(np.argmax([ratio(one[known]) for one in flat]))
            total += returns[best, block].sum()
        assert found[path, 0] == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_what_failed_is_undefined_or_misses_a_constraint_is_not_chosen() -> None:
    metrics = {name: np.zeros(5) for name in DIRECTIONS}
    metrics["max_drawdown"] = np.array([0.2, 0.1, 0.3, np.nan, 0.05])
    metrics["trades"] = np.array([20.0, 19.0, 21.0, 40.0, 30.0])
    evaluated = Evaluated(
        metrics=metrics, sums=np.zeros((5, 2, 5)), errors=(None, None, None, None, "it broke")
    )
    section = SweepSection.model_construct(
        objectives=(Objective(metric="max_drawdown"), Objective(metric="sharpe")),
        constraints=(Constraint(metric="trades", at_least=20),),
    )
    good = good_of(section, evaluated)
    assert good.tolist() == [-0.2, -math.inf, -0.3, -math.inf, -math.inf]
