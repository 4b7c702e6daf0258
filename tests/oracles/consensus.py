"""The consensus of SPEC §10 as a literal loop over lists, one bar at a time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

TOLERANCE = 1e-12
BONUS_N = {4: 0.0, 5: 0.03, 6: 0.06, 7: 0.09, 8: 0.12, 9: 0.15}


class Vote(NamedTuple):
    """One head's answer on one bar."""

    direction: int
    probability: float
    confidence: float
    coverage: float


def reaches(value: float, threshold: float) -> bool:
    """``value >= threshold`` with the tolerance that every gate has."""
    return value >= threshold - TOLERANCE


def literal_consensus(
    votes: Sequence[Vote], weights: Sequence[float], rules: Mapping[str, float | None]
) -> tuple[int, str]:
    """Direction and the first gate that fails, or ``stands``."""
    valid = [
        index
        for index, vote in enumerate(votes)
        if vote.coverage > 0
        and vote.direction != 0
        and reaches(vote.probability, rules["p_min"])
        and reaches(vote.confidence, rules["c_min"])
    ]
    plus = [index for index in valid if votes[index].direction == 1]
    minus = [index for index in valid if votes[index].direction == -1]
    if not valid:
        return 0, "no_votes"
    if len(plus) == len(minus):
        return 0, "tie"
    side, agree, oppose = (1, plus, minus) if len(plus) > len(minus) else (-1, minus, plus)
    if len(agree) < rules["quorum"]:
        return 0, "quorum"
    present = sum(weights[index] for index, vote in enumerate(votes) if vote.coverage > 0)
    agreeing = sum(weights[index] for index in agree)
    if not reaches(agreeing / present, rules["weight_min"]):
        return 0, "weight"
    signed = 0.0
    for index in valid:
        vote = votes[index]
        signed += weights[index] * vote.direction * (2 * vote.probability - 1) * vote.confidence
    if not reaches(side * (signed / present), rules["score_min"]):
        return 0, "score"
    probability = sum(weights[index] * votes[index].probability for index in agree) / agreeing
    bonus = BONUS_N.get(len(agree), 0.0)
    for level, extra in ((0.85, 0.08), (0.75, 0.05), (0.60, 0.02)):
        if reaches(probability, level):
            bonus += extra
            break
    mean = sum(weights[index] * votes[index].confidence for index in agree) / agreeing
    if not reaches(min(1.0, mean + bonus), rules["consensus_c_min"]):
        return 0, "confidence"
    if not reaches(probability, rules["consensus_p_min"]):
        return 0, "probability"
    if rules["max_opposite"] is not None and len(oppose) > rules["max_opposite"]:
        return 0, "veto"
    return side, "stands"
