"""The arithmetic that is shown against the kernel that decides."""

import itertools

import numpy as np
import pytest

from engine import ConfigError
from strategies import (
    GATES,
    WEIGHTS,
    ConsensusRules,
    HeadVote,
    VoteMatrix,
    consensus,
    consensus_steps,
)

NAMES = tuple(WEIGHTS)
RULES = (
    ConsensusRules(),
    ConsensusRules(quorum=3, weight_min=0.36, max_opposite=1),
    ConsensusRules(score_min=0.1, quorum=3, consensus_c_min=0.85),
    ConsensusRules(consensus_p_min=0.75, quorum=2, max_opposite=0),
    ConsensusRules(weights={**dict.fromkeys(NAMES, 0.0), "ict": 1.0}, quorum=1),
)
STEPS = ("quorum", "weight", "score", "confidence", "probability", "veto")


def cast(rows: int, seed: int) -> VoteMatrix:
    generator = np.random.default_rng(seed)
    shape = (rows, len(NAMES))
    times = np.arange(rows, dtype=np.int64)
    coverage = (generator.random(shape) < 0.9).astype(np.float64)
    lean = generator.choice([-1, 1], size=(rows, 1))
    direction = np.where(generator.random(shape) < 0.6, lean, generator.integers(-1, 2, shape))
    direction = np.where(coverage > 0, direction, 0)
    return VoteMatrix(
        names=NAMES,
        open_time=times,
        known_at=times + 1,
        direction=direction.astype(np.int8),
        probability=generator.choice([0.55, 0.6, 0.7, 0.75, 0.85, 0.95], shape),
        confidence=generator.choice([0.65, 0.7, 0.8, 0.95], shape),
        score=np.full(shape, 50.0),
        coverage=coverage,
        reasons=np.zeros(shape, dtype=np.uint64),
    )


@pytest.mark.parametrize("rules", RULES)
def test_gates_and_numbers_are_those_of_the_kernel(rules: ConsensusRules) -> None:
    votes = cast(1500, 3)
    whole = consensus(votes, rules)
    seen = set()
    for t in range(len(votes)):
        row = [
            HeadVote(
                name,
                int(votes.direction[t, h]),
                float(votes.probability[t, h]),
                float(votes.confidence[t, h]),
                float(votes.coverage[t, h]),
            )
            for h, name in enumerate(NAMES)
        ]
        shown = consensus_steps(row, rules)
        gate = GATES[whole.gate[t]]
        seen.add(gate)
        assert shown.side == whole.side[t]
        assert shown.stands == (gate == "stands")
        if gate in ("no_votes", "tie"):
            assert shown.steps == ()
            continue
        failed = [step.gate for step in shown.steps if not step.holds]
        assert failed[0] == gate if failed else gate == "stands"
        numbers = {step.gate: step.value for step in shown.steps}
        assert numbers["quorum"] == whole.votes_for[t]
        assert numbers["veto"] == whole.votes_against[t]
        assert numbers["weight"] == pytest.approx(whole.agreeing_weight[t], abs=1e-12)
        signed = whole.side[t] * whole.signed_score[t]
        assert numbers["score"] == pytest.approx(signed, abs=1e-12)
        assert numbers.get("confidence", 0.0) == pytest.approx(whole.confidence[t], abs=1e-12)
        assert numbers.get("probability", 0.0) == pytest.approx(whole.probability[t], abs=1e-12)
    assert {"stands", "tie", "no_votes"} & seen
    assert len(seen) >= 3


def test_a_head_that_does_not_count_says_which_rule_keeps_it_out() -> None:
    row = [
        HeadVote("technical", 0, 0.5, 0.0, 0.0),
        HeadVote("sentiment", 0, 0.5, 0.0, 1.0),
        HeadVote("volume", 1, 0.59, 0.9, 1.0),
        HeadVote("rules", 1, 0.9, 0.69, 1.0),
        HeadVote("ict", 1, 0.6, 0.7, 0.1),
    ]
    standing = consensus_steps(row, ConsensusRules()).standing
    assert list(standing.values()) == ["no data", "no vote", "p too low", "c too low", "valid"]


def test_the_confidence_is_its_printed_sum() -> None:
    row = [HeadVote(name, 1, 0.76, 0.72, 1.0) for name in NAMES[:6]]
    row += [HeadVote(name, 0, 0.5, 0.0, 1.0) for name in NAMES[6:]]
    step = next(s for s in consensus_steps(row, ConsensusRules()).steps if s.gate == "confidence")
    assert step.arithmetic == "= 0.720 + 0.06 for heads + 0.05 for p"
    assert step.value == pytest.approx(0.83)


def test_every_head_needs_a_weight() -> None:
    rules = ConsensusRules(weights={"ict": 1.0})
    with pytest.raises(ConfigError, match="no entry for head 'wyckoff'"):
        consensus_steps([HeadVote("wyckoff", 1, 0.9, 0.9, 1.0)], rules)


def test_a_tie_has_no_steps() -> None:
    for directions in itertools.permutations((1, -1)):
        row = [HeadVote(NAMES[i], d, 0.9, 0.9, 1.0) for i, d in enumerate(directions)]
        assert consensus_steps(row, ConsensusRules()).steps == ()
