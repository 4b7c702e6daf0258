"""Fits on training rows: against scikit-learn, by hand, and blind to what follows the range."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from engine import HOUR_NS, ConfigError
from experiments.checks.markets import null_market
from experiments.fits import cascade_features, cascade_labels, fit_cascade, fit_logistic
from indicators import INDICATORS_BY_NAME, build_features
from indicators.liquidation_map import LIQUIDATION_MAP


@pytest.mark.parametrize("ridge", [0.01, 1.0, 50.0])
def test_against_scikit_learn(ridge):
    generator = np.random.default_rng(3)
    regressors = generator.standard_normal((800, 3)) * [1.0, 5.0, 0.2]
    score = -1.0 + regressors @ [0.8, -0.3, 2.0]
    labels = generator.random(800) < 1 / (1 + np.exp(-score))
    theirs = LogisticRegression(C=1 / ridge, tol=1e-10, max_iter=10_000).fit(regressors, labels)
    expected = [theirs.intercept_[0], *theirs.coef_[0]]
    # Their optimiser stops at a small slope, not at the optimum.
    np.testing.assert_allclose(fit_logistic(regressors, labels, ridge), expected, rtol=1e-4)


def test_separable_rows_stay_finite_and_labels_alike_are_refused():
    regressors = np.arange(10.0)[:, np.newaxis]
    assert np.isfinite(fit_logistic(regressors, regressors[:, 0] > 4)).all()
    with pytest.raises(ConfigError, match="alike"):
        fit_logistic(regressors, np.zeros(10, dtype=bool))
    with pytest.raises(ConfigError, match="finite"):
        fit_logistic(np.full((4, 1), np.nan), np.array([True, False, True, False]))


def test_a_label_looks_ahead_and_never_at_its_own_row():
    known_at = HOUR_NS * np.arange(10, dtype=np.int64)
    burst = np.array([0.0, 0, 0, 1, 0, 0, 0, 0, -1, 0])
    labels, whole = cascade_labels(known_at, burst, 3)
    np.testing.assert_array_equal(labels, [1, 1, 1, 0, 0, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(whole, [1] * 7 + [0] * 3)


@pytest.fixture(scope="module")
def given():
    market = null_market(4_000, 41)
    wanted = cascade_features()
    matrix = build_features(market, wanted.values(), indicators=INDICATORS_BY_NAME)
    columns = {alias: matrix.get(one) for alias, one in wanted.items()}
    return market, matrix.known_at, columns


def test_the_fit_becomes_parameters_of_the_map(given):
    market, known_at, columns = given
    training = np.arange(len(known_at)) < 3_000
    fitted = fit_cascade(known_at, columns, training)
    LIQUIDATION_MAP.resolved(fitted)
    wanted = cascade_features()["relative_mass"]
    odds = type(wanted)(
        "liquidation_map", "probability", tuple(sorted(fitted.items())), wanted.clock
    )
    found = build_features(market, [odds], indicators=INDICATORS_BY_NAME).get(odds)
    score = (
        fitted["intercept"]
        + fitted["mass_weight"] * columns["relative_mass"]
        - fitted["distance_weight"] * columns["relative_distance"]
        + fitted["funding_weight"] * columns["funding_size"]
        + fitted["crowding_weight"] * columns["crowding"]
    )
    expected = 1 / (1 + np.exp(-score))
    held = (found > 0) & ~np.isnan(found)
    np.testing.assert_allclose(found[held], expected[held], rtol=1e-9)
    labels, whole = cascade_labels(known_at[:3_000], columns["burst"][:3_000])
    usable = held[:3_000] & whole
    assert found[:3_000][usable].mean() == pytest.approx(labels[usable].mean(), abs=0.02)


def test_rows_whose_label_is_open_are_left_out(given):
    """The last day of the range has no label yet: read as quiet, it would bias the fit."""
    _, known_at, columns = given
    training = np.arange(len(known_at)) < 2_000
    burst = np.zeros(len(known_at))
    burst[[900, 1_400, 1_995]] = 1.0
    fitted = fit_cascade(known_at, {**columns, "burst": burst}, training)
    regressors = np.column_stack([
        columns["relative_mass"], -columns["relative_distance"],
        columns["funding_size"], columns["crowding"],
    ])  # fmt: skip
    rows = np.arange(2_000 - 24)
    rows = rows[np.isfinite(regressors[rows]).all(axis=1)]
    labels = np.array([burst[row + 1 : row + 25].any() for row in rows])
    expected = fit_logistic(regressors[rows], labels)
    np.testing.assert_allclose(list(fitted.values())[1:], expected, rtol=1e-9)


def test_what_follows_the_range_changes_nothing(given):
    _, known_at, columns = given
    training = (np.arange(len(known_at)) >= 500) & (np.arange(len(known_at)) < 2_500)
    spoiled = {alias: column.copy() for alias, column in columns.items()}
    for column in spoiled.values():
        column[2_500:] = 1e9
        column[:500] = -1e9
    assert fit_cascade(known_at, columns, training) == fit_cascade(known_at, spoiled, training)
    with pytest.raises(ConfigError, match="unbroken"):
        fit_cascade(known_at, columns, training & (np.arange(len(known_at)) != 700))
