"""Numbers of the sweep report against pandas, scipy, optuna and numbers worked out by hand."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from scipy.stats import norm

from experiments.statistics.sharpe import psr_2012, standard_error_2012
from experiments.statistics.track_record import track_record
from experiments.sweep_report.importance import importance_of, ped_anova
from experiments.sweep_report.landscape import edges_of, middles_of, pair_of, plateau_of, slice_of
from experiments.sweep_report.numbers import (
    failures_of,
    histogram,
    improvements,
    medians_by_place,
    medians_of_pair,
    middle_value,
    pace_of,
    sharpe_intervals,
)
from experiments.sweep_report.reading import read_sweep
from experiments.sweep_report.validation_numbers import deflation_curve, drift_of
from experiments.sweep_report.words import rounded_metric
from experiments.sweeps.mirror import write_mirror
from experiments.sweeps.places import (
    axis_places,
    axis_values,
    choice_text,
    short_names,
    value_text,
)
from experiments.sweeps.space import sobol_points, space_of
from tests.test_experiments.test_sweep_report.cases import (
    TWENTY,
    TWO,
    made_sweep,
    sweep_config,
)


def test_values_of_axes_are_those_of_the_trials(tree: dict[str, Any]):
    space = space_of(sweep_config(tree, space=TWENTY))
    assert len(space) == 20
    points = sobol_points(len(space), 256, 5)
    points[0], points[1] = 0.0, math.nextafter(1.0, 0.0)
    values, places = axis_values(space, points), axis_places(space, points)
    assert places.min() >= 0
    assert places.max() <= 1
    for row, point in enumerate(points.tolist()):
        told = space.values(point)
        for column, axis in enumerate(space.axes):
            value = told[axis.path] if axis.head is None else told[axis.path][axis.head]
            if axis.parameter.kind == "choice":
                assert axis.parameter.values[int(values[row, column])] == value
                assert value_text(axis, values[row, column]) == choice_text(value)
            else:
                assert values[row, column] == pytest.approx(value, rel=1e-12, abs=1e-15)
            if axis.parameter.kind == "real":
                assert places[row, column] == point[column]
            elif axis.head is not None:
                assert places[row, column] == values[row, column]
            elif axis.parameter.kind == "choice":
                steps = len(axis.parameter.values)
                assert places[row, column] == (values[row, column] + 0.5) / steps
            else:
                every = range(axis.parameter.low, axis.parameter.high + 1, axis.parameter.step)
                at = every.index(int(values[row, column]))
                assert places[row, column] == pytest.approx((at + 0.5) / len(every), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "middle"),
    [([5.0], 5.0), ([5.0, 2.0], 2.0), ([3.0, 1.0, 2.0], 2.0), ([4.0, 1.0, 3.0, 2.0], 2.0)],
)
def test_the_value_in_the_middle_is_one_of_them(values: list[float], middle: float):
    assert middle_value(np.array(values)) == middle
    assert middle == pd.Series(values).quantile(0.5, interpolation="lower")


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.864, "sharpe", "0.86"),
        (-0.00024, "sharpe", "0.00"),
        (-1.676, "sharpe", "-1.68"),
        (0.1234, "total_return", "12.34%"),
    ],
)
def test_a_ratio_beside_another_has_two_decimals(value: float, metric: str, text: str):
    assert rounded_metric(value, metric) == text


def test_names_are_as_short_as_they_can_be():
    names = [
        "consensus.c_min",
        "consensus.consensus_c_min",
        "heads.a.length",
        "heads.b.length",
        "x",
    ]
    assert short_names(names) == ("c_min", "consensus_c_min", "a.length", "b.length", "x")
    assert short_names(["a.b", "b"]) == ("a.b", "b")


def test_medians_are_those_of_pandas():
    draw = np.random.default_rng(1)
    x, y, good = draw.random(500), draw.random(500), draw.normal(size=500)
    good[::7] = np.nan
    edges = np.linspace(0, 1, 9)
    frame = pd.DataFrame({"x": pd.cut(x, edges, right=False), "y": pd.cut(y, edges, right=False)})
    frame["good"] = good
    found, counts = medians_by_place(x, good, edges)
    by_x = frame.groupby("x", observed=False)["good"]
    np.testing.assert_array_equal(found, by_x.median())
    np.testing.assert_array_equal(counts, by_x.count())
    table, cells = medians_of_pair(x, y, good, edges, edges[:4])
    inside = frame[y < edges[3]]
    expected = inside.groupby(["y", "x"], observed=False)["good"].median().unstack()
    np.testing.assert_array_equal(table[:2], expected.to_numpy()[:2])
    assert table.shape == (3, 8)
    assert cells.sum() == np.isfinite(good).sum()


def test_the_last_edge_belongs_to_its_bin_and_an_empty_bin_is_undefined():
    found, counts = medians_by_place(
        np.array([0.0, 1.0, 3.0]), np.array([5.0, 6.0, 9.0]), np.array([0.0, 1.0, 2.0, 3.0])
    )
    np.testing.assert_array_equal(found, [5.0, 6.0, 9.0])
    found, counts = medians_by_place(np.array([0.5]), np.array([2.0]), np.array([0.0, 1.0, 2.0]))
    assert found[0] == 2.0
    assert np.isnan(found[1])
    assert counts.tolist() == [1, 0]


def test_intervals_are_those_of_the_standard_error():
    returns = np.random.default_rng(2).standard_t(4, size=900) * 0.01 + 0.0006
    record = track_record(returns)
    year = math.sqrt(8760)
    low, high = sharpe_intervals(
        np.array([record.sharpe_per_bar * year]), np.array([psr_2012(record)])
    )
    reach = norm.ppf(0.975) * standard_error_2012(record) * year
    assert low[0] == pytest.approx(record.sharpe_per_bar * year - reach, rel=1e-9)
    assert high[0] == pytest.approx(record.sharpe_per_bar * year + reach, rel=1e-9)
    ends = sharpe_intervals(np.array([1.0, np.nan, 3.0, 0.0]), np.array([np.nan, 0.9, 1.0, 0.5]))
    assert np.isnan(ends).all()


def test_improvements_are_the_steps_of_the_best_so_far():
    good = np.array([-np.inf, 1.0, 3.0, 3.0, 2.0, 7.0, 8.0])
    can_win = np.array([True, True, True, True, True, False, True])
    assert improvements(good, can_win).tolist() == [1, 2, 6]
    assert improvements(np.full(3, -np.inf), np.ones(3, bool)).tolist() == []
    assert improvements(np.empty(0), np.empty(0, bool)).tolist() == []


def test_a_histogram_counts_everything_once():
    values = np.append(np.random.default_rng(3).normal(size=400), [np.nan, -np.inf])
    found = histogram(values)
    assert found.counts.sum() == 400
    assert found.undefined == 2
    expected, _ = np.histogram(values[:400], bins=np.histogram_bin_edges(values[:400], "fd"))
    assert abs(len(found.counts) - len(expected)) <= 1
    assert histogram(np.array([2.0, 2.0])).counts.tolist() == [2]
    assert histogram(np.array([np.nan])).counts.tolist() == [0]
    # Most values alike: the rule has no width.
    assert len(histogram(np.append(np.zeros(99), 1.0)).counts) == 40


def test_reasons_are_counted_with_their_first_trial():
    found = failures_of([None, "b", "a", "b", None, "a", "b"])
    assert [(one.error, one.trials, one.first) for one in found] == [("b", 3, 1), ("a", 2, 2)]
    assert failures_of([None]) == ()


def test_the_pace_is_that_of_the_files():
    ends = np.array([[10.0, 100.0], [20.0, 110.0], [40.0, 120.0], [50.0, 170.0]])
    found = pace_of(ends, 90.0)
    assert found is not None
    assert found.per_second == 1.0
    assert found.hours.tolist() == [10 / 3600, 20 / 3600, 30 / 3600, 80 / 3600]
    assert pace_of(ends[::-1], 90.0) is None
    assert pace_of(ends, 200.0) is None
    copied = np.array([[10.0, 5000.0], [20.0, 5000.01], [40.0, 5000.02]])
    assert pace_of(copied, 90.0) is None
    assert pace_of(copied[:1], 90.0) is not None
    assert pace_of(np.empty((0, 2)), 0.0) is None


def test_importance_is_that_of_optuna_on_the_mirror(tmp_path: Path, tree: dict[str, Any]):
    """The mirror's study of the same sweep, evaluated by Optuna's own function."""
    config = sweep_config(tree, space=TWO, screen={"trials": 128, "batch": 64})
    ledger = made_sweep(
        tmp_path,
        config,
        lambda places: {"sharpe": -((places[:, 1] - 0.4) ** 2) + places[:, 0] / 50},
    )
    found = importance_of(read_sweep(ledger), 0)
    assert found is not None
    assert (found.trials, found.is_screen) == (128, True)
    write_mirror(ledger, tmp_path / "study.log")
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    )
    study = optuna.load_study(study_name=ledger.sweep_id, storage=storage)
    told = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
    )
    axes = [axis.name for axis in read_sweep(ledger).space.axes]
    np.testing.assert_allclose(found.shares, [told[name] for name in axes], rtol=1e-9)
    assert found.shares[1] > 0.9


@pytest.mark.parametrize(
    "name", ["consensus.quorum", "consensus.hold_bars", "consensus.p_min", "consensus.weights.ict"]
)
def test_importance_knows_wholes_choices_and_weights(
    tmp_path: Path, tree: dict[str, Any], name: str
):
    config = sweep_config(tree, screen={"trials": 256, "batch": 256})
    names = [axis.name for axis in space_of(config).axes]
    noise = np.random.default_rng(6).normal(size=256)
    reading = read_sweep(
        made_sweep(
            tmp_path,
            config,
            lambda places: {"sharpe": 10 * places[:, names.index(name)] + noise / 100},
        )
    )
    found = importance_of(reading, 0)
    assert found is not None
    assert found.shares.sum() == pytest.approx(1.0)
    assert names[int(np.argmax(found.shares))] == name


def test_importance_needs_trials_and_differences(tmp_path: Path, tree: dict[str, Any]):
    few = made_sweep(tmp_path / "few", sweep_config(tree), trials=48)
    assert importance_of(read_sweep(few), 0) is None
    config = sweep_config(tree, constraints=[{"metric": "trades", "at_least": 1000}])
    assert importance_of(read_sweep(made_sweep(tmp_path / "none", config)), 0) is None
    alike = made_sweep(
        tmp_path / "alike", sweep_config(tree), lambda places: {"sharpe": np.ones(len(places))}
    )
    reading = read_sweep(alike)
    shares, largest = ped_anova(
        reading.space, reading.coordinates, reading.good[:, 0], permutations=2
    )
    assert not shares.any()
    assert largest.tolist() == [0.0, 0.0]


def test_the_largest_share_of_noise_is_told_apart_from_skill(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, space=TWENTY, screen={"trials": 128, "batch": 128})
    noise = np.random.default_rng(8).normal(size=128)
    for name, result, is_luck in (
        ("noise", lambda places: noise, True),
        ("skill", lambda places: noise / 10 + places[:, 3], False),
    ):
        ledger = made_sweep(
            tmp_path / name, config, lambda places, of=result: {"sharpe": of(places)}
        )
        found = importance_of(read_sweep(ledger), 0)
        assert found is not None
        assert found.permutations == 20
        assert 1 / 20 < found.by_luck < 0.6
        assert (found.shares.max() < found.by_luck) == is_luck


def test_slices_and_pairs_find_the_hill(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, space=TWO, screen={"trials": 1024, "batch": 1024})
    reading = read_sweep(
        made_sweep(
            tmp_path,
            config,
            lambda places: {"sharpe": -np.abs(places[:, 0] - 0.21) - np.abs(places[:, 1] - 0.79)},
        )
    )
    stop = edges_of(reading.space.axes[1])
    np.testing.assert_allclose(stop, 5.0 ** (np.arange(13) / 12), rtol=1e-12)
    middles = middles_of(reading.space.axes[1], stop)
    np.testing.assert_allclose(middles, 5.0 ** ((np.arange(12) + 0.5) / 12), rtol=1e-12)
    along = slice_of(reading, 1)
    assert int(np.nanargmax(along.medians)) == 9
    pair = pair_of(reading, 0, 1)
    assert np.unravel_index(int(np.nanargmax(pair.medians)), pair.medians.shape) == (9, 2)
    frame = pd.DataFrame(
        {"y": np.digitize(reading.values[:, 1], stop[1:-1]), "own": reading.own[:, 0]}
    )
    np.testing.assert_array_equal(along.medians, frame.groupby("y")["own"].median())
    flat = plateau_of(reading)
    assert not isinstance(flat, str)
    assert flat.best_is_member
    assert np.abs(reading.places[flat.members] - [0.21, 0.79]).max() < 0.2
    assert flat.threshold <= reading.own[flat.best, 0]


def test_edges_hold_each_whole_number_and_choice_apart(tree: dict[str, Any]):
    space = space_of(sweep_config(tree, space=TWENTY))
    by_name = {axis.name: edges_of(axis) for axis in space.axes}
    assert by_name["consensus.quorum"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert by_name["consensus.hold_bars"].tolist() == [-0.5, 0.5, 1.5, 2.5]
    wide = by_name["exits.time_stop_bars"]
    assert (len(wide), wide[0], wide[-1]) == (13, 4.5, 60.5)


def test_directions_and_infeasible_trials_are_respected(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(
        tree,
        space=TWO,
        objectives=[{"metric": "max_drawdown"}],
        constraints=[{"metric": "trades", "at_least": 100}],
    )
    reading = read_sweep(
        made_sweep(
            tmp_path,
            config,
            lambda places: {
                "max_drawdown": 0.1 + 0.5 * places[:, 0],
                "trades": np.where(places[:, 0] < 0.25, 5.0, 500.0),
            },
        )
    )
    assert (reading.is_infeasible == (reading.places[:, 0] < 0.25)).all()
    found = slice_of(reading, 0)
    assert np.isnan(found.medians[:3]).all()
    assert (np.diff(found.medians[3:]) > 0).all()
    best = reading.ranked[0]
    assert reading.own[best, 0] == reading.own[reading.is_complete, 0].min()
    flat = plateau_of(reading)
    assert not isinstance(flat, str)
    assert flat.threshold >= reading.own[flat.best, 0]


def test_drift_by_hand():
    folds = [
        {"trial": 3, "places": {"a": 0.1, "b": 0.5}},
        {"trial": 3, "places": {"a": 0.1, "b": 0.5}},
        {"trial": 9, "places": {"a": 0.4, "b": 0.1}},
    ]
    found = drift_of(folds)
    assert found.names == ("a", "b")
    np.testing.assert_allclose(found.mean_steps, [0.15, 0.2])
    assert found.changes == 1
    alone = drift_of(folds[:1])
    assert (alone.mean_steps.tolist(), alone.changes) == ([0.0, 0.0], 0)


def test_the_curve_of_deflation_is_the_papers_formula():
    """Bailey and López de Prado (2014), with scipy's normal distribution."""
    returns = np.random.default_rng(4).normal(0.001, 0.01, size=400)
    record = track_record(returns)
    variance = 0.002
    chosen = {
        "days": record.bars,
        "sharpe_per_day": record.sharpe_per_bar,
        "skew_of_days": record.skew,
        "kurtosis_of_days": record.kurtosis,
        "autocorrelation_of_days": record.autocorrelation,
        "deflation": {"sharpe_variance": variance, "raw_trials": 500, "effective_trials": 12.5},
    }
    curve = deflation_curve(chosen)
    assert curve is not None
    assert curve.trials[0] == 1
    assert curve.trials[-1] == 500
    assert 12.5 in curve.trials
    for trials, dsr, luck in zip(curve.trials, curve.dsr, curve.luck_annual, strict=True):
        if 1 < trials < 3:
            continue
        expected = 0.0
        if trials > 1:
            gamma = 0.5772156649015329
            expected = math.sqrt(variance) * (
                (1 - gamma) * norm.ppf(1 - 1 / trials) + gamma * norm.ppf(1 - 1 / (trials * math.e))
            )
        sharpe = record.sharpe_per_bar
        error = math.sqrt(
            (1 - record.skew * sharpe + (record.kurtosis - 1) / 4 * sharpe**2) / (record.bars - 1)
        )
        assert luck == pytest.approx(expected * math.sqrt(365), abs=1e-9)
        assert dsr == pytest.approx(norm.cdf((sharpe - expected) / error), abs=1e-9)
    assert (np.diff(curve.dsr) <= 0).all()
    assert deflation_curve({**chosen, "deflation": None}) is None
