"""What a sampler is shown of the screen, and how a cloud of neighbours is judged."""

from typing import Any

import numpy as np
import pytest

from experiments.sweeps.config import Objective
from experiments.sweeps.objectives import low_quantile
from experiments.sweeps.search import Searcher, Told
from experiments.sweeps.space import space_of
from tests.test_experiments.test_sweeps.conftest import SweepOf

SHARPE, DRAWDOWN = Objective(metric="sharpe"), Objective(metric="max_drawdown")


def screened(scores: list[float], width: int) -> list[Told]:
    random = np.random.default_rng(1)
    return [
        Told(
            coordinates=random.random(width).tolist(),
            score=[score],
            state="complete",
            violations=[],
        )
        for score in scores
    ]


@pytest.mark.parametrize(
    ("objectives", "best"),
    [([{"metric": "sharpe"}], range(12, 16)), ([{"metric": "max_drawdown"}], range(4))],
)
def test_a_sampler_is_told_the_best_of_the_screen_and_some_of_the_rest(
    sweep_of: SweepOf, objectives: list[dict[str, Any]], best: range
) -> None:
    config = sweep_of(objectives=objectives)
    space = space_of(config)
    searcher = Searcher(config, space)
    told = screened(
        [float(score) for score in np.random.default_rng(3).permutation(16)], len(space)
    )
    searcher.tell_screened(told)
    shown = {trial.value for trial in searcher.study.trials}
    assert len(searcher.study.trials) == config.sweep.search.seeds == 8
    assert {float(score) for score in best} <= shown, "the best half of what is shown"
    rest = shown - {float(score) for score in best}
    assert max(rest) - min(rest) == 11.0, "the others from the whole of the rest"


def test_what_failed_or_misses_a_constraint_comes_last(sweep_of: SweepOf) -> None:
    config = sweep_of(search={"trials": 16, "batch": 8, "seeds": 2})
    space = space_of(config)
    searcher = Searcher(config, space)
    good, bad = screened([1.0, 2.0, 3.0], len(space)), screened([99.0], len(space))[0]
    missed = Told(
        coordinates=bad.coordinates, score=bad.score, state="infeasible", violations=[1.0]
    )
    searcher.tell_screened([missed, *good])
    assert [trial.value for trial in searcher.study.trials] == [3.0, 2.0]


@pytest.mark.parametrize(
    ("quantile", "expected"), [(0.0, 1.0), (0.25, 1.75), (0.5, 2.5), (0.9, 6.5), (1.0, 8.0)]
)
def test_a_quantile_lies_between_the_scores(quantile: float, expected: float) -> None:
    """Four scores: the places are 0, 0.75, 1.5, 2.7 and 3, of which only the ends are scores."""
    scores = np.array([[8.0, -8.0], [1.0, -1.0], [3.0, -3.0], [2.0, -2.0]])
    found = low_quantile([SHARPE], scores[:, :1], quantile)
    assert found.tolist() == pytest.approx([expected], rel=1e-15)
    # Of what is to be small, the worse end is the upper one.
    upper = low_quantile([DRAWDOWN], -scores[:, :1], quantile)
    assert upper.tolist() == pytest.approx([-expected], rel=1e-15)
    both = low_quantile([SHARPE, DRAWDOWN], scores, quantile)
    assert both.tolist() == pytest.approx(
        [expected, float(np.quantile(scores[:, 1], 1 - quantile))]
    )


def test_a_quantile_that_would_rest_on_nothing_is_undefined() -> None:
    scores = np.array([[np.nan], [1.0], [2.0]])
    assert np.isnan(low_quantile([SHARPE], scores, 0.25)).all()
    assert low_quantile([SHARPE], scores, 0.75).tolist() == [1.5]
