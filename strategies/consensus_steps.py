"""The arithmetic of one consensus, gate by gate: what was compared with what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .consensus import (
    BONUS_OF_A_HEAD,
    HIGH_P,
    HIGH_P_BONUS,
    LOW_P,
    LOW_P_BONUS,
    MIDDLE_P,
    MIDDLE_P_BONUS,
    TOLERANCE,
    ConsensusRules,
    head_weights,
)

NO_DATA: Final = "no data"
NO_VOTE: Final = "no vote"
LOW_PROBABILITY: Final = "p too low"
LOW_CONFIDENCE: Final = "c too low"
VALID: Final = "valid"


@dataclass(frozen=True, slots=True)
class HeadVote:
    """One head's answer on one bar, with the ranges of ``HeadOutput``."""

    name: str
    direction: int
    probability: float
    confidence: float
    coverage: float


@dataclass(frozen=True, slots=True)
class GateStep:
    """One comparison: ``value`` must be at least ``threshold``; of ``veto`` at most.

    ``threshold`` is None where the rules set none. ``arithmetic`` says how the value came about.
    """

    gate: str
    value: float
    threshold: float | None
    holds: bool
    arithmetic: str


@dataclass(frozen=True, slots=True)
class ConsensusSteps:
    """One bar's consensus: ``side`` (0 on a tie or without votes), each head's part, every gate.

    ``standing`` maps each head to ``valid`` or to why it did not count. ``steps`` is empty where no
    side has more valid heads. ``stands`` is whether all of them hold.
    """

    side: int
    standing: Mapping[str, str]
    steps: tuple[GateStep, ...]

    @property
    def stands(self) -> bool:
        """Whether there is a side and every gate holds."""
        return self.side != 0 and all(step.holds for step in self.steps)


def standing_of(vote: HeadVote, rules: ConsensusRules) -> str:
    """Whether a head counts, and the first rule that keeps it out where it does not."""
    if not vote.coverage > 0:
        return NO_DATA
    if vote.direction == 0:
        return NO_VOTE
    if not vote.probability >= rules.p_min - TOLERANCE:
        return LOW_PROBABILITY
    if not vote.confidence >= rules.c_min - TOLERANCE:
        return LOW_CONFIDENCE
    return VALID


def consensus_steps(votes: Sequence[HeadVote], rules: ConsensusRules) -> ConsensusSteps:
    """Every gate of ``consensus`` for one bar (SPEC §10), those after the first that fails as well.

    Sums run in the order of ``votes``. Raises ConfigError when ``rules`` gives no weight for a head.
    """
    head_weights([vote.name for vote in votes], rules)
    standing = {vote.name: standing_of(vote, rules) for vote in votes}
    valid = [vote for vote in votes if standing[vote.name] == VALID]
    up = sum(vote.direction > 0 for vote in valid)
    down = len(valid) - up
    if up == down:
        return ConsensusSteps(0, standing, ())
    side = 1 if up > down else -1
    agreeing = [vote for vote in valid if vote.direction == side]
    present = sum(rules.weights[vote.name] for vote in votes if vote.coverage > 0)
    weight = sum(rules.weights[vote.name] for vote in agreeing)
    signed = side * sum(
        rules.weights[vote.name] * vote.direction * (2.0 * vote.probability - 1.0) * vote.confidence
        for vote in valid
    )
    steps = [
        _at_least("quorum", len(agreeing), rules.quorum, f"of {len(votes)} heads agree"),
        _at_least(
            "weight",
            weight / present if present > 0 else 0.0,
            rules.weight_min,
            f"= {weight:.4g} of {present:.4g} that has data",
            also=weight > 0,
        ),
        _at_least(
            "score",
            signed / present if present > 0 else 0.0,
            rules.score_min,
            "= sum of w vote (2p - 1) c over that weight",
        ),
    ]
    if weight > 0:
        steps += _means(agreeing, weight, rules)
    against = len(valid) - len(agreeing)
    steps.append(
        GateStep(
            "veto",
            against,
            rules.max_opposite,
            rules.max_opposite is None or against <= rules.max_opposite,
            "valid heads against it",
        )
    )
    return ConsensusSteps(side, standing, tuple(steps))


def _means(agreeing: Sequence[HeadVote], weight: float, rules: ConsensusRules) -> list[GateStep]:
    probability = sum(rules.weights[vote.name] * vote.probability for vote in agreeing) / weight
    mean = sum(rules.weights[vote.name] * vote.confidence for vote in agreeing) / weight
    of_heads = BONUS_OF_A_HEAD * max(0, min(len(agreeing), 9) - 4)
    of_probability = 0.0
    for level, bonus in (
        (HIGH_P, HIGH_P_BONUS),
        (MIDDLE_P, MIDDLE_P_BONUS),
        (LOW_P, LOW_P_BONUS),
    ):
        if probability >= level:
            of_probability = bonus
            break
    arithmetic = f"= {mean:.3f} + {of_heads:.2f} for heads + {of_probability:.2f} for p"
    whole = mean + of_heads + of_probability
    return [
        _at_least(
            "confidence",
            min(1.0, whole),
            rules.consensus_c_min,
            arithmetic if whole <= 1.0 else f"{arithmetic}, at most 1",
        ),
        _at_least(
            "probability", probability, rules.consensus_p_min, "weighted mean of those that agree"
        ),
    ]


def _at_least(
    gate: str, value: float, threshold: float, arithmetic: str, *, also: bool = True
) -> GateStep:
    return GateStep(gate, value, threshold, also and value >= threshold - TOLERANCE, arithmetic)
