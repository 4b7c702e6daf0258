"""Agreement of voters from sums: against NumPy on the rows themselves."""

import numpy as np
import pytest

from experiments.statistics.vote_agreement import LEAST_VOTES, VoteSums, vote_agreement

ROWS, HEADS = 3_000, 5


@pytest.fixture(scope="module")
def votes() -> tuple[np.ndarray, np.ndarray]:
    """Directions with something in common, and heads that lack data for a while or always."""
    generator = np.random.default_rng(4)
    common = generator.integers(-1, 2, (ROWS, 1))
    own = generator.integers(-1, 2, (ROWS, HEADS))
    direction = np.where(generator.random((ROWS, HEADS)) < 0.3, common, own).astype(np.int8)
    has_data = np.ones((ROWS, HEADS), dtype=np.bool_)
    has_data[:700, 1], has_data[2_000:, 2], has_data[:, 4] = False, False, False
    direction[~has_data] = 0
    direction[:, 3] *= np.arange(ROWS) < 40
    return direction, has_data


def test_each_pair_is_what_numpy_says_of_its_rows(votes: tuple[np.ndarray, np.ndarray]):
    direction, has_data = votes
    found = vote_agreement(direction, has_data)
    for i in range(HEADS - 1):
        for j in range(HEADS - 1):
            both = has_data[:, i] & has_data[:, j]
            one, other = direction[both, i].astype(float), direction[both, j].astype(float)
            if one.std() > 0 and other.std() > 0:
                expected = np.corrcoef(one, other)[0, 1]
                assert found.correlation[i, j] == pytest.approx(expected, abs=1e-12)
            else:
                assert np.isnan(found.correlation[i, j])
            voted = (one != 0) & (other != 0)
            if voted.sum() < LEAST_VOTES:
                assert np.isnan(found.agree[i, j])
            else:
                assert found.agree[i, j] == (one[voted] == other[voted]).mean()
    assert np.isnan(found.agree[3, 1])
    assert np.isnan(found.correlation[4]).all()
    assert found.heads == 4
    np.testing.assert_allclose(found.voting, (direction != 0).mean(axis=0), rtol=1e-15)


def test_parts_add_up_to_the_whole(votes: tuple[np.ndarray, np.ndarray]):
    direction, has_data = votes
    sums = VoteSums(HEADS)
    for rows in (slice(0, 10), slice(10, 2_500), slice(2_500, None)):
        sums.add(direction[rows], has_data[rows])
    whole, parts = vote_agreement(direction, has_data), sums.agreement()
    np.testing.assert_array_equal(whole.correlation, parts.correlation)
    np.testing.assert_array_equal(whole.agree, parts.agree)
    assert whole.effective == parts.effective


def test_copies_are_worth_one_head():
    one = np.random.default_rng(1).integers(-1, 2, (500, 1)).astype(np.int8)
    found = vote_agreement(np.hstack((one, one, -one)), np.ones((500, 3), dtype=np.bool_))
    assert found.effective == pytest.approx(1.0)


def test_without_bars_nothing_is_said():
    found = VoteSums(3).agreement()
    assert np.isnan(found.effective)
    assert np.isnan(found.voting).all()
    assert found.heads == 0
