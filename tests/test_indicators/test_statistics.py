"""Ranks, scores, the Hurst exponent, correlation and beta."""

import math

import numpy as np
import pytest
import talib

from indicators import statistics as subject
from tests.generators import random_walk
from tests.oracles import indicators_measured as oracle
from tests.oracles import indicators_published as published

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
def test_percent_rank_counts_the_rows_before_and_equals_talib_without_ties(series: str) -> None:
    close = SERIES[series]["close"]
    (found,) = subject.PERCENT_RANK.compute(SERIES[series], {"length": 100})
    assert np.isnan(found[:100]).all()
    for t in range(100, len(close)):
        assert found[t] == sum(close[i] <= close[t] for i in range(t - 100, t))
    if series in ("walk", "monotone", "zero_volume"):
        oracle.assert_equal_lines(found, talib.PERCENTRANK(close, 100))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 20])
def test_z_score_equals_its_definition(series: str, length: int) -> None:
    (found,) = subject.Z_SCORE.compute(SERIES[series], {"length": length})

    def score(window: list[float]) -> float:
        spread = oracle.deviation(window)
        return (window[-1] - oracle.mean(window)) / spread if len(set(window)) > 1 else 0.0

    expected = oracle.windowed(SERIES[series]["close"].tolist(), length, score)
    oracle.assert_equal_lines(found, expected, atol=1e-9)


def returns(seed: int, rows: int = 600) -> np.ndarray:
    line = np.full(rows, np.nan)
    line[1:] = np.diff(np.log(random_walk(rows, seed)))
    return line


@pytest.mark.parametrize("length", [2, 5, 30, 97])
def test_correlation_and_beta_equal_numpy_on_every_window(length: int) -> None:
    first = returns(1)
    second = 0.4 * first + returns(2)
    found = subject.rolling_correlation(first, second, length)
    slope = subject.rolling_beta(first, second, length)
    assert np.isnan(found).sum() == np.isnan(slope).sum() == length
    for t in range(length, len(first)):
        rows = slice(t - length + 1, t + 1)
        matrix = np.cov(first[rows], second[rows], ddof=0)
        expected = matrix[0, 1] / math.sqrt(matrix[0, 0] * matrix[1, 1])
        assert found[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert slope[t] == pytest.approx(matrix[0, 1] / matrix[1, 1], rel=1e-9, abs=1e-12)


def test_correlation_and_beta_equal_talib() -> None:
    coin, bitcoin = random_walk(600, 3), random_walk(600, 4)
    simple = [np.concatenate(([np.nan], line[1:] / line[:-1] - 1.0)) for line in (coin, bitcoin)]
    found = subject.rolling_correlation(simple[0], simple[1], 30)
    oracle.assert_equal_lines(found[1:], talib.CORREL(simple[0][1:], simple[1][1:], 30))
    oracle.assert_equal_lines(
        subject.rolling_beta(simple[0], simple[1], 30), talib.BETA(bitcoin, coin, 30)
    )


def test_a_huge_return_leaves_no_trace_and_a_missing_one_only_its_windows() -> None:
    first, second = returns(5), returns(6)
    sound = subject.rolling_correlation(first, second, 30), subject.rolling_beta(first, second, 30)
    for wrong in (1e12, np.nan):
        spoilt = first.copy()
        spoilt[100] = wrong
        found = (
            subject.rolling_correlation(spoilt, second, 30),
            subject.rolling_beta(spoilt, second, 30),
        )
        for line, expected in zip(found, sound, strict=True):
            np.testing.assert_array_equal(line[:100], expected[:100])
            np.testing.assert_array_equal(line[130:], expected[130:])
            assert (np.isnan(line[100:130]) == math.isnan(wrong)).all()


def test_a_side_that_stands_still_has_neither_correlation_nor_beta() -> None:
    moving, still = returns(7), np.full(600, 0.1)
    for first, second in ((moving, still), (still, moving)):
        line = subject.rolling_correlation(first, second, 30)
        np.testing.assert_array_equal(line[30:], 0.0)
    np.testing.assert_array_equal(subject.rolling_beta(moving, still, 30)[30:], 0.0)
    same = subject.rolling_correlation(moving, moving, 30)
    np.testing.assert_allclose(same[30:], 1.0, rtol=1e-12)
    np.testing.assert_allclose(subject.rolling_beta(2.0 * moving, moving, 30)[30:], 2.0, rtol=1e-12)


def test_expected_rescaled_range_is_that_of_normal_steps() -> None:
    assert subject.expected_rescaled_range(2) == pytest.approx(1.0, rel=1e-12)
    steps = np.random.default_rng(12).standard_normal((40_000, 25))
    path = np.cumsum(steps - steps.mean(axis=1, keepdims=True), axis=1)
    spread = np.maximum(path.max(axis=1), 0.0) - np.minimum(path.min(axis=1), 0.0)
    measured = spread / steps.std(axis=1)
    error = measured.std() / math.sqrt(len(measured))
    assert abs(measured.mean() - subject.expected_rescaled_range(25)) < 4.0 * error


@pytest.mark.parametrize("series", ["walk", "constant", "alternating", "one_tick"])
@pytest.mark.parametrize("length", [24, 100])
def test_hurst_exponent_equals_its_definition(series: str, length: int) -> None:
    close = SERIES[series]["close"][:260]
    (found,) = subject.HURST.compute({"close": close}, {"length": length})
    expected = {size: subject.expected_rescaled_range(size) for size in range(6, length + 1)}
    oracle.assert_equal_lines(found, published.hurst(close.tolist(), length, expected))


def test_hurst_exponent_tells_memory_from_none() -> None:
    noise = np.random.default_rng(13).standard_normal(20_000)
    persistent = np.convolve(noise, np.ones(10), "same")

    def mean_exponent(steps: np.ndarray) -> float:
        close = 100.0 * np.exp(0.001 * np.cumsum(steps))
        return float(np.nanmean(subject.hurst_exponent(close, 100)))

    assert mean_exponent(noise) == pytest.approx(0.5, abs=0.03)
    assert mean_exponent(persistent) > 0.7
    assert mean_exponent(np.diff(noise, prepend=0.0)) < 0.3
    flat = subject.hurst_exponent(np.full(300, 100.1), 100)
    np.testing.assert_array_equal(flat[100:], 0.5)
