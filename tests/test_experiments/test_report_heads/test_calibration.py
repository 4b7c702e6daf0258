"""What heads state against what came true: counted by hand, and heads that are known to be (un)reliable."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.report.heads.calibration import JUDGED, CalibrationSums, HeadCalibration
from experiments.report.heads.forward import HORIZONS

WEEKS, HOURS = 52, 168
ROWS = WEEKS * HOURS


def moves(generator: np.random.Generator, rows: int = ROWS) -> np.ndarray:
    """Independent returns of each row and horizon."""
    return generator.normal(0.0, 0.01, (rows, len(HORIZONS)))


def calibrated(
    direction: np.ndarray, probability: np.ndarray, confidence: np.ndarray, forward: np.ndarray
) -> HeadCalibration:
    sums = CalibrationSums(WEEKS)
    week = np.arange(len(direction)) * WEEKS // len(direction)
    for rows in (slice(0, 700), slice(700, None)):
        sums.add(
            direction[rows].astype(np.int8), probability[rows], confidence[rows],
            np.ones(len(week[rows]), dtype=np.bool_), forward[rows], week[rows],
        )  # fmt: skip
    return sums.calibration()


def direction_right_with(
    generator: np.random.Generator, forward: np.ndarray, probability: np.ndarray
) -> np.ndarray:
    """Votes of which a share of ``probability`` goes with the judged return."""
    right = generator.random(len(forward)) < probability
    return np.where(right, 1, -1) * np.sign(forward[:, JUDGED])


def test_a_head_that_is_right_as_often_as_it_says_lies_on_the_line():
    generator = np.random.default_rng(1)
    forward, said = moves(generator), generator.uniform(0.5, 0.95, ROWS)
    found = calibrated(direction_right_with(generator, forward, said), said, said, forward)
    assert found.low[JUDGED] <= found.stated <= found.high[JUDGED]
    assert (found.probability.low <= found.probability.stated).all()
    assert (found.probability.stated <= found.probability.high).all()
    assert found.probability.expected_error < 0.03
    # E(p - right)^2 = E p(1 - p) for a calibrated head.
    assert found.brier == pytest.approx((said * (1 - said)).mean(), abs=0.01)


def test_a_head_that_says_90_and_is_right_half_the_time_is_shown_so():
    generator = np.random.default_rng(2)
    forward, said = moves(generator), np.full(ROWS, 0.9)
    found = calibrated(generator.choice([-1, 1], ROWS), said, said, forward)
    assert found.stated == pytest.approx(0.9)
    assert found.low[JUDGED] < 0.5 < found.high[JUDGED] < 0.6
    assert found.probability.expected_error == pytest.approx(0.4, abs=0.02)
    assert found.brier == pytest.approx(0.5 * 0.01 + 0.5 * 0.81, abs=0.01)
    assert len(found.probability.counts) == 1
    assert found.probability.counts[0] == ROWS


def test_votes_that_know_nothing_have_intervals_that_hold_one_half():
    """Of 200 shuffled heads, whose votes last for a day, 95 % hold it."""
    held = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        path = generator.normal(0.0, 0.01, ROWS + 24).cumsum()
        day = path[24:] - path[:-24]
        forward = np.column_stack((day, day, day))
        direction = np.repeat(generator.choice([-1, 0, 1], ROWS // 24), 24)
        said = np.full(ROWS, 0.7)
        found = calibrated(direction, said, said, forward)
        held.append(found.low[JUDGED] <= 0.5 <= found.high[JUDGED])
    # Three standard deviations of a share of 200.
    assert np.mean(held) == pytest.approx(0.95, abs=0.046)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(0, 900))
def test_every_count_is_that_of_a_loop(seed: int, rows: int):
    generator = np.random.default_rng(seed)
    forward = moves(generator, rows)
    forward[generator.random(forward.shape) < 0.2] = np.nan
    forward[generator.random(forward.shape) < 0.1] = 0.0
    direction = generator.integers(-1, 2, rows)
    probability = np.round(generator.uniform(0.5, 1.0, rows), 2)
    confidence = np.round(generator.uniform(0.0, 1.0, rows), 1)
    if not rows:
        return
    found = calibrated(direction, probability, confidence, forward)
    judged = [
        (
            float(probability[t]),
            float(confidence[t]),
            (forward[t, JUDGED] > 0) == (direction[t] > 0),
        )
        for t in range(rows)
        if direction[t] != 0 and np.isfinite(forward[t, JUDGED]) and forward[t, JUDGED] != 0
    ]
    assert found.counts[JUDGED] == len(judged)
    if not judged:
        assert np.isnan(found.brier)
        assert np.isnan(found.probability.expected_error)
        return
    table = pd.DataFrame(judged, columns=["probability", "confidence", "right"]).astype(float)
    assert found.brier == pytest.approx(((table["probability"] - table["right"]) ** 2).mean())
    assert found.stated == pytest.approx(table["probability"].mean())
    assert found.share[JUDGED] == pytest.approx(table["right"].mean())
    for name, reliability in (("probability", found.probability), ("confidence", found.confidence)):
        # Stated numbers have two digits, so hundredths are whole and bins are exact.
        edge = (table[name] * 100).round().astype(int) // 5
        bins = table.groupby(edge.clip(upper=19))
        np.testing.assert_array_equal(reliability.counts, bins.size())
        np.testing.assert_allclose(reliability.stated, bins[name].mean())
        np.testing.assert_allclose(reliability.share, bins["right"].mean())
        error = (bins.size() * (bins["right"].mean() - bins[name].mean()).abs()).sum() / len(table)
        assert reliability.expected_error == pytest.approx(error)


def test_a_number_on_an_edge_is_in_the_bin_above_whatever_its_last_digits():
    said = np.array([0.65, 0.95 - 0.3, 0.66, 0.64, 1.0])
    assert said[1] < said[0]
    found = calibrated(np.ones(5), said, said, np.ones((5, 3)))
    assert found.probability.counts.tolist() == [1.0, 3.0, 1.0]
    assert found.probability.stated.tolist() == pytest.approx([0.64, 1.96 / 3, 1.0])


def test_chance_is_what_the_same_longs_and_shorts_come_to():
    forward = np.full((1_000, 3), -0.01)
    for column, rising in enumerate((600, 500, 700)):
        forward[:rising, column] = 0.01
    direction = np.where(np.arange(1_000) < 800, 1, -1)
    sums = CalibrationSums(WEEKS)
    half, everywhere = np.full(1_000, 0.5), np.ones(1_000, dtype=np.bool_)
    nowhere = np.zeros(1_000, dtype=np.int64)
    sums.add(direction.astype(np.int8), half, half, everywhere, forward, nowhere)
    found = sums.calibration()
    np.testing.assert_allclose(found.chance, [0.8 * 0.6 + 0.2 * 0.4, 0.5, 0.8 * 0.7 + 0.2 * 0.3])
    assert np.isnan(found.low).all()


def test_chance_knows_only_bars_on_which_the_head_had_data():
    """A head with data in a rising half alone, always long, is no better than a coin that is too."""
    forward = np.where(np.arange(1_000) < 500, -0.01, 0.01)[:, None].repeat(3, axis=1)
    forward[500:600] = -0.01
    forward[600:620], forward[620:640] = np.nan, 0.0
    has_data = np.arange(1_000) >= 500
    direction, half = has_data.astype(np.int8), np.full(1_000, 0.5)
    sums = CalibrationSums(WEEKS)
    for rows in (slice(0, 550), slice(550, None)):
        sums.add(
            direction[rows], half[rows], half[rows], has_data[rows], forward[rows],
            np.arange(1_000)[rows] // 20,
        )  # fmt: skip
    found = sums.calibration()
    np.testing.assert_allclose(found.chance, 360 / 460)
    np.testing.assert_allclose(found.share, found.chance)
