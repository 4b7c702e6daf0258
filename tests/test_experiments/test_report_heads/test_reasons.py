"""Reasons behind votes: each row names the detectors of its side, as a loop over bits would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import RunResult
from experiments.report.reasons import UNNAMED, reason_texts

REASONS = [
    {"name": "rsi_low", "direction": 1},
    {"name": "rsi_high", "direction": -1},
    {"name": "quiet", "direction": 0},
    {"name": "cross_up", "direction": 1},
]


def named(bits: int, direction: int) -> str:
    if direction == 0:
        return ""
    names = []
    for bit, reason in enumerate(REASONS):
        if bits & (1 << bit) and reason["direction"] == direction:
            names.append(str(reason["name"]).replace("_", " "))
    return ", ".join(names) if names else UNNAMED


@given(st.lists(st.tuples(st.integers(0, 15), st.sampled_from([-1, 0, 1])), max_size=40))
def test_every_row_names_the_detectors_of_its_side(rows: list[tuple[int, int]]):
    bits = np.array([bit for bit, _ in rows], dtype=np.uint64)
    direction = np.array([side for _, side in rows], dtype=np.int8)
    index, combinations = reason_texts(bits, direction, REASONS)
    assert index.dtype == np.uint16
    assert [combinations[i] for i in index] == [named(*row) for row in rows]
    assert len(set(combinations)) == len(combinations)


def test_the_last_of_sixty_four_bits_counts():
    reasons = [{"name": f"r{bit}", "direction": 1} for bit in range(64)]
    bits = np.array([1 << 63, 1], dtype=np.uint64)
    index, combinations = reason_texts(bits, np.array([1, 1], dtype=np.int8), reasons)
    assert [combinations[i] for i in index] == ["r63", "r0"]


@pytest.mark.parametrize("symbol", ["AAASIM", "BBBSIM"])
def test_of_a_run_every_vote_has_its_words(result: RunResult, symbol: str):
    votes = result.votes[symbol]
    heads = next(one for one in result.firing if one["symbol"] == symbol)["heads"]
    for column, head in enumerate(heads):
        direction = votes.direction[:, column]
        index, combinations = reason_texts(votes.reasons[:, column], direction, head["reasons"])
        assert ((index == 0) == (direction == 0)).all()
        assert index.max() == len(combinations) - 1
