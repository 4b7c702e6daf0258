"""Where a rule of the sweep report's numbers begins and ends, by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from experiments.sweep_report.importance import importance_of
from experiments.sweep_report.landscape import plateau_of, slice_of
from experiments.sweep_report.numbers import histogram, pace_of, sharpe_intervals
from experiments.sweep_report.reading import read_sweep
from experiments.sweep_report.validation_numbers import deflation_curve
from experiments.sweeps.places import axis_values
from experiments.sweeps.space import sobol_points, space_of
from tests.test_experiments.test_sweep_report.cases import TWO, made_sweep, sweep_config


def test_few_values_have_five_bins() -> None:
    # The rule's width would be 2.75 and make two bins of a span of 5.
    found = histogram(np.arange(6.0))
    assert found.edges.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert found.counts.tolist() == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("z", "is_given"), [(0.05, True), (-0.05, True), (7.0, True), (8.0, False)]
)
def test_an_error_is_given_as_far_as_a_probability_tells_it(z: float, is_given: bool) -> None:
    psr = norm.cdf(z)
    low, high = sharpe_intervals(np.array([z * 2.0]), np.array([psr]))
    assert np.isfinite(low[0]) == np.isfinite(high[0]) == is_given
    if is_given:
        # A standard error of 2; next to 1 a probability has few digits left.
        assert high[0] - low[0] == pytest.approx(2 * 1.959964 * 2.0, rel=1e-3)
        assert low[0] < z * 2.0 < high[0]


def test_a_ratio_of_no_difference_from_0_has_no_error() -> None:
    low, high = sharpe_intervals(np.array([1e-8]), np.array([norm.cdf(1e-8)]))
    assert np.isnan([low[0], high[0]]).all()


def test_the_pace_is_trials_a_second_and_parts_of_one_moment_are_no_copy() -> None:
    found = pace_of(np.array([[10.0, 100.0], [30.0, 105.0], [40.0, 110.0]]), 90.0)
    assert found is not None
    assert found.per_second == 3.0
    together = pace_of(np.array([[10.0, 100.0], [20.0, 100.0], [40.0, 120.0]]), 90.0)
    assert together is not None
    assert together.per_second == 1.0


def trials_of(tree: dict[str, Any], screened: int, searched: int) -> Any:
    """What importance is made of: the first objective follows the first axis, the second the second."""
    space = space_of(sweep_config(tree, space=TWO))
    coordinates = sobol_points(2, 256, 5)[: screened + searched]
    is_search = np.arange(screened + searched) >= screened
    return SimpleNamespace(
        space=space, coordinates=coordinates, good=coordinates.copy(), is_search=is_search
    )


def test_importance_is_of_the_objective_that_is_asked_for(tree: dict[str, Any]) -> None:
    trials = trials_of(tree, 128, 0)
    for objective in (0, 1):
        found = importance_of(trials, objective)
        assert found is not None
        assert found.shares.argmax() == objective


@pytest.mark.parametrize(
    ("screened", "searched", "looked_at"),
    [(49, 0, None), (50, 0, 50), (63, 40, 103), (64, 40, 64)],
)
def test_importance_needs_five_among_the_best_and_a_screen_of_64(
    tree: dict[str, Any], screened: int, searched: int, looked_at: int | None
) -> None:
    found = importance_of(trials_of(tree, screened, searched), 0)
    assert (None if found is None else found.trials) == looked_at
    assert found is None or found.is_screen == (screened == 64)


def test_a_plateau_of_many_trials_names_them_by_their_own_numbers() -> None:
    places = np.random.default_rng(1).random((5_001, 2))
    good = -np.hypot(*(places - 0.7).T)
    good[4_001] = 1.0
    direction = SimpleNamespace(direction="maximize")
    trials: Any = SimpleNamespace(
        good=good[:, None],
        places=places,
        config=SimpleNamespace(sweep=SimpleNamespace(objectives=[direction])),
    )
    found: Any = plateau_of(trials)
    assert (found.best, found.of, found.judged) == (4_001, 5_001, 2_502)
    assert found.middle in found.members
    assert (good[np.setdiff1d(found.members, [4_001])] > np.quantile(good, 0.5)).all()
    assert np.hypot(*(places[found.middle] - 0.7)) < 0.2


def test_the_curve_of_deflation_reaches_all_trials_in_small_steps() -> None:
    curve = deflation_curve(
        {
            "deflation": {"raw_trials": 1_000, "effective_trials": 20.5, "sharpe_variance": 0.002},
            "days": 300,
            "sharpe_per_day": 0.1,
            "skew_of_days": 0.2,
            "kurtosis_of_days": 4.0,
            "autocorrelation_of_days": 0.0,
        }
    )
    assert curve is not None
    assert (curve.trials[0], curve.trials[-1]) == (1.0, 1_000.0)
    assert 20.5 in curve.trials
    assert (np.diff(np.log(curve.trials)) < 0.1).all()
    assert (np.diff(curve.dsr) <= 0).all()


def test_bins_of_a_weight_reach_to_the_largest_share(tree: dict[str, Any]) -> None:
    space = space_of(sweep_config(tree, space={"consensus.weights": {"kind": "weights"}}))
    values = axis_values(space, sobol_points(len(space), 64, 5))
    good = values.copy()
    trials: Any = SimpleNamespace(space=space, values=values, good=good, own=good)
    found = slice_of(trials, 0)
    assert found.edges[[0, -1]].tolist() == [0.0, values[:, 0].max()]
    assert found.counts.sum() == 64


def test_parts_are_told_with_the_trials_by_then(tmp_path: Path, tree: dict[str, Any]) -> None:
    config = sweep_config(tree, space=TWO, screen={"trials": 128, "batch": 64})
    made = made_sweep(tmp_path, config, lambda places: {"sharpe": places[:, 0]}, batch=64)
    assert read_sweep(made).batch_ends[:, 0].tolist() == [64.0, 128.0]
