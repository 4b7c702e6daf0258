"""The study of the heads' votes: against counts by hand, and on heads that are copies."""

import numpy as np
import pytest

from experiments.studies.vote_correlation import agreement, median, page
from strategies import HEAD_NAMES, VoteMatrix

ROWS = 4_000


def votes(direction: np.ndarray, coverage: np.ndarray | None = None) -> VoteMatrix:
    """A vote matrix with these directions ``(T, 9)``."""
    rows, count = direction.shape
    time = 3_600_000_000_000 * np.arange(rows)
    return VoteMatrix(
        open_time=time,
        known_at=time + 3_600_000_000_000,
        names=HEAD_NAMES,
        direction=direction.astype(np.int8),
        probability=np.where(direction != 0, 0.7, 0.5),
        confidence=np.where(direction != 0, 0.8, 0.0),
        score=np.full((rows, count), 50.0),
        coverage=np.ones((rows, count)) if coverage is None else coverage,
        reasons=np.zeros((rows, count), dtype=np.uint64),
    )


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1, 2, (ROWS, len(HEAD_NAMES)))


def test_copies_count_once_and_mirrors_too() -> None:
    direction = drawn(1)
    assert agreement("drawn", votes(direction)).effective > 8.9
    direction[:, 1] = direction[:, 0]
    direction[:, 2] = -direction[:, 0]
    found = agreement("copies", votes(direction))
    assert found.correlation[0, 1] == pytest.approx(1.0)
    assert found.correlation[0, 2] == pytest.approx(-1.0)
    assert found.agree[0, 1] == 1.0
    assert found.agree[0, 2] == 0.0
    assert 6.0 < found.effective < 7.6


def test_agreement_is_counted_where_both_vote_and_both_have_data() -> None:
    direction, coverage = drawn(2), np.ones((ROWS, 9))
    coverage[:1_500, 3], coverage[3_000:, 4] = 0.0, 0.0
    direction[coverage == 0] = 0
    found = agreement("parts", votes(direction, coverage))
    both = [
        (int(a), int(b))
        for t, (a, b) in enumerate(direction[:, 3:5])
        if coverage[t, 3] > 0 and coverage[t, 4] > 0
    ]
    voted = [(a, b) for a, b in both if a != 0 and b != 0]
    assert found.agree[3, 4] == sum(a == b for a, b in voted) / len(voted)
    first, second = zip(*both, strict=True)
    assert found.correlation[3, 4] == pytest.approx(np.corrcoef(first, second)[0, 1])


def test_a_head_without_data_is_a_dash_and_not_a_number() -> None:
    direction, coverage = drawn(3), np.ones((ROWS, 9))
    coverage[:, 8], direction[:, 8] = 0.0, 0
    found = agreement("silent", votes(direction, coverage))
    assert found.heads == 8
    text = page([found, median("both", [found, found])])
    assert "nan" not in text
    assert "| crypto_metrics | – | – | – | – | – | – | – | – | 0.0 % |" in text
    assert text.count("8 heads vote; effective number 8.0.") == 2
