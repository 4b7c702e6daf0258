"""Reality Check, SPA, StepM: literal programs, arch on the same resamples, and their error rates."""

import os
import subprocess
import sys

import numpy as np
import pytest
from arch.bootstrap import SPA, StepM
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine.errors import ConfigError, DataError
from experiments.statistics.resampling import (
    Resampling,
    automatic_table_resampling,
    resampled_rows,
)
from experiments.statistics.snooping import (
    long_run_deviations,
    reality_check,
    stepwise_superiority,
    superior_predictive_ability,
)

BLOCKS = Resampling(block_length=6.0)


def noise(rows: int, columns: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    common = generator.standard_normal((rows, 1))
    return 0.01 * (0.5 * common + generator.standard_normal((rows, columns)))


def rows_of(how: Resampling, count: int, draws: int, seed: int) -> np.ndarray:
    return np.concatenate(list(resampled_rows(how, count, draws, seed)))


class SameRows:
    """Stands in for arch's bootstrap and gives the rows of ours."""

    def __init__(self, data: np.ndarray, rows: np.ndarray) -> None:
        self.data, self.rows = data, rows

    def bootstrap(self, _count: int):
        for one in self.rows:
            yield (self.data[one],), {}


def arch_spa(excess: np.ndarray, rows: np.ndarray, block: float, **options) -> SPA:
    """arch takes losses: the benchmark loses nothing, a candidate loses its excess."""
    test = SPA(np.zeros(len(excess)), -excess, block_size=block, reps=len(rows), **options)
    test.bootstrap = SameRows(test._loss_diff, rows)
    test.compute()
    return test


def with_one(p_of_arch: float, draws: int) -> float:
    return (1 + round(p_of_arch * draws)) / (1 + draws)


@given(
    rows=st.integers(20, 60),
    columns=st.integers(1, 8),
    seed=st.integers(0, 10_000),
    shift=st.floats(0.0, 0.004),
)
def test_without_studentising_all_three_p_values_equal_those_of_arch(rows, columns, seed, shift):
    excess = noise(rows, columns, seed) - 0.002
    excess[:, 0] += shift
    ours = superior_predictive_ability(excess, BLOCKS, seed=seed, draws=60, studentised=False)
    if ours.statistic == 0.0:
        assert ours.p_lower == ours.p_upper == 1.0
        return
    theirs = arch_spa(excess, rows_of(BLOCKS, rows, 60, seed), 6).pvalues
    for kind in ("lower", "consistent", "upper"):
        assert getattr(ours, f"p_{kind}") == pytest.approx(with_one(theirs[kind], 60), rel=1e-12)
    assert reality_check(excess, BLOCKS, seed=seed, draws=60).p_upper == ours.p_upper


@given(
    rows=st.integers(20, 60),
    columns=st.integers(1, 8),
    seed=st.integers(0, 10_000),
    scale=st.floats(1e-3, 1e3),
    edge=st.floats(-0.01, 0.01),
)
def test_studentised_p_values_are_ordered_and_blind_to_scale(rows, columns, seed, scale, edge):
    excess = noise(rows, columns, seed)
    excess[:, -1] += edge
    ours = superior_predictive_ability(excess, BLOCKS, seed=seed, draws=60)
    assert 0 < ours.p_lower <= ours.p_consistent <= ours.p_upper <= 1
    scales = np.geomspace(1.0, scale, columns)
    other = superior_predictive_ability(excess * scales, BLOCKS, seed=seed, draws=60)
    assert other.statistic == pytest.approx(ours.statistic, rel=1e-9)
    assert (other.p_lower, other.p_consistent, other.p_upper) == pytest.approx(
        (ours.p_lower, ours.p_consistent, ours.p_upper), abs=1e-12
    )
    stepwise = stepwise_superiority(excess, BLOCKS, seed=seed, draws=60)
    scaled = stepwise_superiority(excess * scales, BLOCKS, seed=seed, draws=60)
    np.testing.assert_allclose(scaled.p_adjusted, stepwise.p_adjusted, atol=1e-12)
    # Before any step StepM is the SPA with every candidate recentred.
    if ours.statistic > 0:
        assert stepwise.p_adjusted.min() == pytest.approx(ours.p_upper, abs=1e-12)


@pytest.mark.parametrize("scheme", ["stationary", "circular"])
@pytest.mark.parametrize("rows", [40, 41])
def test_long_run_deviations_are_those_of_the_resampled_means(scheme, rows):
    how = Resampling(block_length=5.0, scheme=scheme)
    values = np.cumsum(noise(rows, 3, 1), axis=0)
    found = long_run_deviations(values, how)
    means = values[rows_of(how, rows, 40_000, 2)].mean(axis=1)
    # The last circular block is cut where the length does not divide T.
    np.testing.assert_allclose(found, np.sqrt(rows) * means.std(axis=0), rtol=0.03)
    if scheme == "stationary":
        theirs = SPA(np.zeros(rows), -values, block_size=5, reps=2)
        theirs._compute_variance()
        np.testing.assert_allclose(found**2, theirs._loss_diff_var, rtol=1e-10)


def literal_spa(excess: np.ndarray, how: Resampling, draws: int, seed: int) -> dict[str, float]:
    """Hansen 2005, formulas in their order, one number at a time."""
    count, columns = excess.shape
    omega, mean = [], []
    q = 1 / how.block_length
    for k in range(columns):
        x = [float(v) for v in excess[:, k]]
        m = sum(x) / count
        total = sum((v - m) ** 2 for v in x) / count
        for i in range(1, count):
            kappa = (1 - i / count) * (1 - q) ** i + i / count * (1 - q) ** (count - i)
            total += 2 * kappa * sum((x[j] - m) * (x[j + i] - m) for j in range(count - i)) / count
        omega.append(total**0.5)
        mean.append(m)
    root = count**0.5
    statistic = max(0.0, *(root * m / w for m, w in zip(mean, omega, strict=True)))
    bound = -((2 * np.log(np.log(count))) ** 0.5)
    centre = {
        "p_lower": [max(m, 0.0) for m in mean],
        "p_consistent": [
            m if root * m / w >= bound else 0.0 for m, w in zip(mean, omega, strict=True)
        ],
        "p_upper": mean,
    }
    found = {}
    rows = rows_of(how, count, draws, seed)
    for name, shift in centre.items():
        hits = 0
        for one in rows:
            star = [float(np.mean(excess[one, k])) for k in range(columns)]
            largest = max(0.0, *(root * (star[k] - shift[k]) / omega[k] for k in range(columns)))
            hits += largest >= statistic
        found[name] = (1 + hits) / (1 + draws)
    return found | {"statistic": statistic}


@pytest.mark.parametrize("seed", range(4))
def test_the_studentised_test_is_the_literal_one(seed: int):
    excess = noise(40, 5, seed) + 0.0005
    excess[:, 2] *= 7.0
    excess[:, 3] -= 0.01
    ours = superior_predictive_ability(excess, BLOCKS, seed=seed, draws=150)
    expected = literal_spa(excess, BLOCKS, 150, seed)
    for name, value in expected.items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-9)
    assert (np.diff(ours.null_statistics) >= 0).all()
    reached = (ours.null_statistics >= ours.statistic).sum()
    assert ours.p_consistent == (1 + reached) / 151


def test_one_noisy_candidate_hides_an_edge_from_arch_but_not_from_us():
    """``studentize=True`` of arch 8.0.0 only decides which columns are recentred."""
    excess = np.random.default_rng(4).standard_normal((1000, 50)) * 0.01
    excess[:, 7] += 0.0016
    how = Resampling(block_length=10.0)
    rows = rows_of(how, 1000, 500, 1)
    loud = excess.copy()
    loud[:, 30] *= 20.0
    calm_arch = arch_spa(excess, rows, 10, studentize=True).pvalues["consistent"]
    loud_arch = arch_spa(loud, rows, 10, studentize=True).pvalues["consistent"]
    plain_arch = arch_spa(loud, rows, 10, studentize=False).pvalues["consistent"]
    assert calm_arch < 0.01
    assert loud_arch > 0.05
    assert plain_arch == pytest.approx(loud_arch, abs=0.02)
    ours = superior_predictive_ability(loud, how, seed=1, draws=500)
    assert ours.best == 7
    assert ours.p_consistent < 0.01
    assert reality_check(loud, how, seed=1, draws=500).p_upper > 0.05


def test_the_same_candidates_divided_by_their_deviation_make_arch_agree():
    excess = noise(300, 12, 3) + 0.0004
    excess *= np.geomspace(1, 50, 12)
    scaled = excess / long_run_deviations(excess, BLOCKS)
    ours = superior_predictive_ability(excess, BLOCKS, seed=3, draws=300)
    theirs = arch_spa(scaled, rows_of(BLOCKS, 300, 300, 3), 6).pvalues
    for kind in ("lower", "consistent", "upper"):
        assert getattr(ours, f"p_{kind}") == pytest.approx(with_one(theirs[kind], 300), rel=1e-12)


def literal_stepm(excess, how, draws, seed, level) -> set[int]:
    """Romano and Wolf 2005: reject above the critical value, drop the rejected, begin again."""
    count = len(excess)
    scaled = excess / long_run_deviations(excess, how)
    mean = scaled.mean(axis=0)
    star = np.array([scaled[one].mean(axis=0) - mean for one in rows_of(how, count, draws, seed)])
    left, rejected = set(range(excess.shape[1])), set()
    while left:
        largest = np.sort(star[:, sorted(left)].max(axis=1))[::-1]
        # The most draws that may reach a rejected statistic: (1 + n) ÷ (1 + draws) <= level.
        allowed = int(np.floor(level * (1 + draws) + 1e-9)) - 1
        critical = largest[allowed] if allowed >= 0 else np.inf
        fresh = {k for k in left if mean[k] > critical}
        if not fresh:
            break
        rejected |= fresh
        left -= fresh
    return rejected


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_adjusted_p_values_reject_what_stepm_rejects(seed: int, level: float):
    excess = noise(150, 15, seed)
    excess[:, :6] += np.linspace(0.0015, 0.006, 6)
    ours = stepwise_superiority(excess, BLOCKS, seed=seed, draws=199)
    expected = literal_stepm(excess, BLOCKS, 199, seed, level)
    assert set(np.flatnonzero(ours.superior(level))) == expected
    assert expected


def test_stepm_agrees_with_arch_where_no_candidate_is_left_unrecentred():
    excess = noise(400, 10, 1)
    excess[:, [2, 5]] += 0.004
    scaled = excess / long_run_deviations(excess, BLOCKS)
    peer = StepM(np.zeros(400), -scaled, size=0.05, block_size=6, reps=999)
    peer.spa.bootstrap = SameRows(peer.spa._loss_diff, rows_of(BLOCKS, 400, 999, 1))
    peer.compute()
    ours = stepwise_superiority(excess, BLOCKS, seed=1, draws=999)
    assert list(np.flatnonzero(ours.superior(0.05))) == peer.superior_models == [2, 5]


def within_binomial(hits: int, count: int, chance: float) -> bool:
    low, high = binom.interval(0.999, count, chance)
    return bool(low <= hits <= high)


def test_p_values_under_the_null_are_uniform():
    """White noise and dependent columns, no edge: each level is met as often as it says."""
    generator = np.random.default_rng(5)
    repetitions = 400
    p_values = np.empty((repetitions, 3))
    for seed in range(repetitions):
        excess = generator.standard_normal((200, 12)) + generator.standard_normal((200, 1))
        excess *= np.geomspace(1, 30, 12)
        found = superior_predictive_ability(
            excess, Resampling(block_length=2.0), seed=seed, draws=199
        )
        stepwise = stepwise_superiority(excess, Resampling(block_length=2.0), seed=seed, draws=199)
        p_values[seed] = found.p_consistent, found.p_upper, stepwise.p_adjusted.min()
    for column in p_values.T:
        for level in (0.05, 0.1, 0.25, 0.5, 0.75):
            assert within_binomial(int((column <= level).sum()), repetitions, level)


def test_bad_candidates_do_not_weaken_the_consistent_test():
    """Forty losers beside one edge: White's null counts them, Hansen's does not."""
    consistent = upper = 0
    for seed in range(60):
        excess = np.random.default_rng(seed).standard_normal((150, 41))
        excess[:, 1:] -= 0.8
        excess[:, 0] += 0.2
        found = superior_predictive_ability(
            excess, Resampling(block_length=1.0), seed=seed, draws=199
        )
        consistent += found.p_consistent <= 0.05
        upper += found.p_upper <= 0.05
    assert consistent > upper + 15


def test_candidates_that_never_trade_are_left_out():
    excess = noise(100, 6, 2)
    padded = np.insert(excess, [0, 3], 0.0, axis=1)
    ours = superior_predictive_ability(padded, BLOCKS, seed=1, draws=100)
    plain = superior_predictive_ability(excess, BLOCKS, seed=1, draws=100)
    assert ours.idle_candidates == 2
    assert ours.p_consistent == plain.p_consistent
    assert padded[:, ours.best] is not None
    np.testing.assert_array_equal(padded[:, ours.best], excess[:, plain.best])
    stepwise = stepwise_superiority(padded, BLOCKS, seed=1, draws=100)
    assert (stepwise.p_adjusted[[0, 4]] == 1.0).all()
    nothing = superior_predictive_ability(np.zeros((50, 3)), BLOCKS, seed=1, draws=10)
    assert (nothing.best, nothing.p_consistent, nothing.idle_candidates) == (-1, 1.0, 3)
    assert (stepwise_superiority(np.zeros((50, 3)), BLOCKS, seed=1).p_adjusted == 1.0).all()


def test_without_a_resampling_the_blocks_are_automatic():
    excess = noise(200, 5, 2)
    how = automatic_table_resampling(excess)
    ours = superior_predictive_ability(excess, seed=1, draws=50)
    assert ours.block_length == how.block_length
    assert ours.p_upper == superior_predictive_ability(excess, how, seed=1, draws=50).p_upper
    assert stepwise_superiority(excess, seed=1, draws=50).block_length == how.block_length


def test_wrong_tables_are_named():
    excess = noise(50, 3, 1)
    unknown, constant = excess.copy(), excess.copy()
    unknown[4, 1] = np.nan
    constant[:, 2] = 0.5
    with pytest.raises(DataError, match=r"excess\[4, 1\]=nan"):
        superior_predictive_ability(unknown, BLOCKS, seed=1)
    with pytest.raises(DataError, match=r"excess\[:, 2\] is 0\.5 on every row"):
        stepwise_superiority(constant, BLOCKS, seed=1)
    with pytest.raises(DataError, match=r"shape \(50,\)"):
        superior_predictive_ability(excess[:, 0], BLOCKS, seed=1)
    with pytest.raises(ConfigError, match="draws=0"):
        superior_predictive_ability(excess, BLOCKS, seed=1, draws=0)


SCRIPT = """
import hashlib, numpy as np
from experiments.statistics.resampling import Resampling
from experiments.statistics.snooping import superior_predictive_ability
excess = np.random.default_rng(1).standard_normal((500, 300))
found = superior_predictive_ability(excess, Resampling(block_length=7.0), seed=3, draws=300)
print(hashlib.sha256(found.null_statistics.tobytes()).hexdigest(), found.p_consistent)
"""


def test_the_number_of_threads_does_not_change_a_bit():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "3")
    }
    assert len(outputs) == 1
