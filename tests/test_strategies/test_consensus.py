"""The consensus kernel against a literal loop, over every combination and at every threshold edge."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ConfigError
from strategies import GATES, WEIGHTS, ConsensusRules, VoteMatrix, consensus, decide
from tests.oracles.consensus import Vote, literal_consensus

NAMES = tuple(WEIGHTS)
COMBINATIONS = list(itertools.product((-1, 0, 1), repeat=9))


def matrix(votes: list[list[Vote]]) -> VoteMatrix:
    table = np.array(votes, dtype=np.float64)
    rows = len(votes)
    times = np.arange(rows, dtype=np.int64)

    def part(index: int, dtype: type) -> np.ndarray:
        return np.asfortranarray(table[:, :, index].astype(dtype))

    return VoteMatrix(
        names=NAMES,
        open_time=times,
        known_at=times + 1,
        direction=part(0, np.int8),
        probability=part(1, np.float64),
        confidence=part(2, np.float64),
        score=np.full((rows, 9), 50.0, order="F"),
        coverage=part(3, np.float64),
        reasons=np.zeros((rows, 9), dtype=np.uint64, order="F"),
    )


def as_mapping(rules: ConsensusRules) -> dict[str, float | None]:
    return {
        name: getattr(rules, name)
        for name in (
            "quorum", "p_min", "c_min", "weight_min", "score_min", "consensus_c_min",
            "consensus_p_min", "max_opposite",
        )
    }  # fmt: skip


def assert_same(votes: list[list[Vote]], rules: ConsensusRules) -> np.ndarray:
    result = consensus(matrix(votes), rules)
    weights = [rules.weights[name] for name in NAMES]
    expected = [literal_consensus(row, weights, as_mapping(rules)) for row in votes]
    actual = [
        (int(side), GATES[gate]) for side, gate in zip(result.direction, result.gate, strict=True)
    ]
    assert actual == expected
    return result.gate


@pytest.mark.parametrize(
    ("p_shift", "c_shift"), [(0.0, 0.0), (-1e-13, -1e-13), (-1e-9, 0.0), (0.0, -1e-9), (1e-9, 1e-9)]
)
def test_every_combination_of_directions_at_the_default_edges(p_shift: float, c_shift: float):
    rules = ConsensusRules()
    votes = [
        [Vote(d, 0.60 + p_shift, 0.70 + c_shift, 1.0) for d in directions]
        for directions in COMBINATIONS
    ]
    gates = assert_same(votes, rules)
    stands = sum(gate == GATES.index("stands") for gate in gates)
    assert (stands > 0) == (p_shift > -1e-10 and c_shift > -1e-10)


@pytest.mark.parametrize(
    "rules",
    [
        ConsensusRules(quorum=3, weight_min=0.36),
        ConsensusRules(quorum=5, weight_min=0.6),
        ConsensusRules(score_min=0.0),
        ConsensusRules(score_min=0.1, quorum=3),
        ConsensusRules(consensus_c_min=0.85),
        ConsensusRules(consensus_p_min=0.75),
        ConsensusRules(max_opposite=1),
        ConsensusRules(max_opposite=0, quorum=3, weight_min=0.3),
        ConsensusRules(weights=dict.fromkeys(NAMES, 1.0), weight_min=4 / 9),
    ],
)
def test_every_combination_with_heads_of_different_strength(rules: ConsensusRules):
    generator = np.random.default_rng(5)
    strengths = generator.choice([0.55, 0.6, 0.7, 0.75, 0.85, 0.95], size=(len(COMBINATIONS), 9, 2))
    present = generator.random((len(COMBINATIONS), 9)) < 0.9
    votes = [
        [
            Vote(d if present[row, head] else 0, *strengths[row, head], float(present[row, head]))
            for head, d in enumerate(directions)
        ]
        for row, directions in enumerate(COMBINATIONS)
    ]
    gates = assert_same(votes, rules)
    assert {"stands", "tie", "quorum"} <= {GATES[gate] for gate in gates}


@pytest.mark.parametrize(
    ("gate", "rules"),
    [
        ("weight", ConsensusRules(weight_min=0.5)),
        ("score", ConsensusRules(score_min=0.1)),
        ("confidence", ConsensusRules(consensus_c_min=0.9)),
        ("probability", ConsensusRules(consensus_p_min=0.8)),
        ("veto", ConsensusRules(max_opposite=0)),
    ],
)
def test_each_gate_can_be_the_one_that_fails(gate: str, rules: ConsensusRules):
    votes = [
        [Vote(d, 0.65, 0.72, 1.0) for d in directions]
        for directions in COMBINATIONS
        if sum(directions) > 0
    ]
    gates = assert_same(votes, rules)
    assert gate in {GATES[code] for code in gates}


def test_weight_and_score_gates_never_bind_at_the_defaults_when_all_heads_have_data():
    generator = np.random.default_rng(11)
    for _ in range(5):
        strengths = generator.uniform(0.55, 1.0, size=(len(COMBINATIONS), 9, 2))
        votes = [
            [Vote(d, *strengths[row, head], 1.0) for head, d in enumerate(directions)]
            for row, directions in enumerate(COMBINATIONS)
        ]
        failed = {GATES[gate] for gate in consensus(matrix(votes), ConsensusRules()).gate}
        assert not failed & {"weight", "score"}


def test_four_light_weak_heads_against_three_heavy_strong_ones_fail_a_score_gate_of_zero():
    light = {"sentiment", "rules", "harmonic", "market_structure"}
    heavy = {"technical", "volume", "ict"}
    row = [
        Vote(1, 0.6, 0.7, 1.0)
        if name in light
        else Vote(-1, 0.95, 0.95, 1.0)
        if name in heavy
        else Vote(0, 0.5, 0.0, 1.0)
        for name in NAMES
    ]
    assert consensus(matrix([row]), ConsensusRules()).direction[0] == 1
    assert GATES[consensus(matrix([row]), ConsensusRules(score_min=0.0)).gate[0]] == "score"


votes_of_a_bar = st.lists(
    st.builds(
        Vote,
        st.sampled_from([-1, 0, 1]),
        st.floats(0, 1),
        st.floats(0, 1),
        st.sampled_from([0.3, 1.0]),
    ),
    min_size=9,
    max_size=9,
)


@settings(max_examples=150, deadline=None)
@given(
    votes=st.lists(votes_of_a_bar, min_size=1, max_size=6),
    quorum=st.integers(1, 7),
    p_min=st.floats(0, 1),
    c_min=st.floats(0, 1),
    weight_min=st.floats(0, 1),
    score_min=st.floats(-1, 1),
    veto=st.none() | st.integers(0, 4),
)
def test_the_kernel_equals_the_literal_loop(
    votes: list[list[Vote]],
    quorum: int,
    p_min: float,
    c_min: float,
    weight_min: float,
    score_min: float,
    veto: int | None,
):
    rules = ConsensusRules(
        quorum=quorum, p_min=p_min, c_min=c_min, weight_min=weight_min, score_min=score_min,
        max_opposite=veto, consensus_c_min=0.3, consensus_p_min=0.3,
    )  # fmt: skip
    assert_same(votes, rules)


def test_permuting_heads_with_their_weights_changes_nothing():
    generator = np.random.default_rng(2)
    votes = matrix(
        [[Vote(int(generator.integers(-1, 2)), 0.8, 0.8, 1.0) for _ in NAMES] for _ in range(400)]
    )
    order = generator.permutation(9)
    moved = replace(
        votes,
        names=tuple(NAMES[index] for index in order),
        **{
            name: np.asfortranarray(getattr(votes, name)[:, order])
            for name in ("direction", "probability", "confidence", "score", "coverage", "reasons")
        },
    )
    rules = ConsensusRules(weight_min=0.4)
    before, after = consensus(votes, rules), consensus(moved, rules)
    np.testing.assert_array_equal(before.direction, after.direction)
    np.testing.assert_allclose(before.probability, after.probability, rtol=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [("quorum", 0), ("p_min", 1.5), ("weights", {"technical": -1.0}), ("max_opposite", -1)],
)
def test_rules_out_of_range_are_refused_by_name(field: str, value: object):
    with pytest.raises(ConfigError, match=field):
        ConsensusRules(**{field: value})


def test_a_head_without_weight_is_refused():
    votes = matrix([[Vote(1, 0.8, 0.8, 1.0)] * 9])
    with pytest.raises(ConfigError, match="harmonic"):
        consensus(votes, ConsensusRules(weights={n: 0.1 for n in NAMES if n != "harmonic"}))


def literal_decisions(
    direction: list[int], is_gap: list[bool], exit_on_flat: bool, hold_bars: int | None
) -> list[int | None]:
    """None where a row does not act, else its target."""
    decided: list[int | None] = []
    turned_at, before = None, 0
    for t, side in enumerate(direction):
        if is_gap[t]:
            decided.append(None)
            continue
        fell_flat = side == 0 and before != 0 and exit_on_flat
        expired = turned_at is not None and hold_bars is not None and t - turned_at >= hold_bars
        decision = None
        if side not in (0, before):
            decision, turned_at = side, t
        elif fell_flat or expired:
            decision, turned_at = 0, None
        decided.append(decision)
        before = side
    return decided


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([-1, 0, 0, 1]), st.sampled_from([False, False, False, True])),
        min_size=1,
        max_size=40,
    ),
    exit_on_flat=st.booleans(),
    hold_bars=st.none() | st.integers(1, 6),
)
def test_decisions_follow_the_turns_of_the_consensus_on_bars_that_exist(
    rows: list[tuple[int, bool]], exit_on_flat: bool, hold_bars: int | None
):
    direction, is_gap = (list(column) for column in zip(*rows, strict=True))
    target, acts = decide(
        np.array(direction, dtype=np.int8),
        np.array(is_gap),
        exit_on_flat=exit_on_flat,
        hold_bars=hold_bars,
    )
    actual = [int(side) if act else None for side, act in zip(target, acts, strict=True)]
    assert actual == literal_decisions(direction, is_gap, exit_on_flat, hold_bars)
