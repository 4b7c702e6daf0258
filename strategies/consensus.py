"""Reconciling nine votes into one direction (SPEC §10), and directions into decisions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Final

import numpy as np

from engine import Bool1D, ConfigError, Float1D, Float2D, Int8Array1D, Int8Array2D, kernel

from .base import Range
from .votes import VoteMatrix

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "technical": 0.13,
        "sentiment": 0.09,
        "volume": 0.13,
        "rules": 0.09,
        "ict": 0.13,
        "wyckoff": 0.13,
        "harmonic": 0.09,
        "market_structure": 0.09,
        "crypto_metrics": 0.12,
    }
)
"""The owner's weights; they sum to 1."""

GATES: Final = (
    "stands",
    "no_votes",
    "tie",
    "quorum",
    "weight",
    "score",
    "confidence",
    "probability",
    "veto",
)
"""Why a bar has no consensus, by code: the first gate that failed; 0 when the consensus stands."""

TOLERANCE: Final = 1e-12
NO_VETO: Final = 127
BONUS_OF_A_HEAD: Final = 0.03
"""Added to the confidence for each agreeing head after the fourth, up to ``MOST_OF_BONUS``."""
MOST_OF_BONUS: Final = 9
HIGH_P: Final = 0.85 - TOLERANCE
MIDDLE_P: Final = 0.75 - TOLERANCE
LOW_P: Final = 0.60 - TOLERANCE
HIGH_P_BONUS: Final = 0.08
MIDDLE_P_BONUS: Final = 0.05
LOW_P_BONUS: Final = 0.02
_STANDS, _NO_VOTES, _TIE, _QUORUM, _WEIGHT, _SCORE, _CONFIDENCE, _PROBABILITY, _VETO = range(9)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConsensusRules:
    """Thresholds of the consensus; every comparison is ``value >= threshold - 1e-12``.

    ``p_min`` and ``c_min`` filter each head by itself. ``quorum`` heads must agree; they must carry
    ``weight_min`` of the weight of all heads that have data (and more than 0); the signed weighted
    score of all valid heads must reach ``score_min`` on their side; consensus confidence and
    probability must reach ``consensus_c_min`` and ``consensus_p_min``; at most ``max_opposite``
    valid heads may oppose (None: any number). ``weights`` holds one number for each head. Raises
    ConfigError when out of range.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    quorum: int = 4
    p_min: float = 0.60
    c_min: float = 0.70
    weight_min: float = 0.35
    score_min: float = -1.0
    consensus_c_min: float = 0.70
    consensus_p_min: float = 0.60
    max_opposite: int | None = None

    def __post_init__(self) -> None:
        limits = {
            "quorum": (1, 64),
            "p_min": (0.0, 1.0),
            "c_min": (0.0, 1.0),
            "weight_min": (0.0, 1.0),
            "score_min": (-1.0, 1.0),
            "consensus_c_min": (0.0, 1.0),
            "consensus_p_min": (0.0, 1.0),
            "max_opposite": (0, 64),
        }
        for entry in fields(self):
            if entry.name == "weights":
                continue
            value = getattr(self, entry.name)
            low, high = limits[entry.name]
            if value is not None and not low <= value <= high:
                raise ConfigError(f"consensus.{entry.name}={value} must lie in [{low}, {high}]")
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ConfigError(
                    f"consensus.weights.{name}={weight} must be finite and not negative"
                )
        if not sum(self.weights.values()) > 0:
            raise ConfigError("consensus.weights are all 0: at least one head must count")


SPACE: Final[Mapping[str, Range]] = MappingProxyType(
    {
        "quorum": Range(3, 7, integer=True),
        "p_min": Range(0.55, 0.75),
        "c_min": Range(0.55, 0.85),
        "weight_min": Range(0.30, 0.75),
        "score_min": Range(-0.2, 0.5),
        "consensus_c_min": Range(0.60, 0.90),
        "consensus_p_min": Range(0.55, 0.80),
        "max_opposite": Range(0, 4, integer=True),
    }
)
"""Search ranges of SPEC §10."""


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The consensus on every bar, known at its close; every array ``(T,)``.

    ``direction`` int8, 0 unless every gate holds; ``side`` int8, the side with more valid heads (0
    on a tie); ``probability``, ``confidence``, ``agreeing_weight``, ``signed_score`` and
    ``legacy_score`` float64, of that side, 0 where there is none; ``votes_for`` and
    ``votes_against`` int8, valid heads on and against it; ``mask`` int64, one bit for each agreeing
    head; ``gate`` int8, a code of ``GATES``.
    """

    direction: Int8Array1D
    side: Int8Array1D
    probability: Float1D
    confidence: Float1D
    agreeing_weight: Float1D
    signed_score: Float1D
    legacy_score: Float1D
    votes_for: Int8Array1D
    votes_against: Int8Array1D
    mask: np.ndarray[tuple[int], np.dtype[np.int64]]
    gate: Int8Array1D


@kernel
def _consensus_kernel(
    direction: Int8Array2D,
    probability: Float2D,
    confidence: Float2D,
    coverage: Float2D,
    weights: Float1D,
    thresholds: Float1D,
    quorum: int,
    max_opposite: int,
) -> tuple[Int8Array2D, Float2D, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Columns: int8 (direction, side, for, against, gate), float (P, C, A, S, legacy), mask.

    Gates compare sums with ``(threshold - 1e-12) * weight``: the sweep does the same without
    dividing.
    """
    rows, heads = direction.shape
    p_min, c_min, weight_min, score_min, consensus_c_min, consensus_p_min = (
        thresholds[0], thresholds[1], thresholds[2], thresholds[3], thresholds[4], thresholds[5],
    )  # fmt: skip
    whole = np.zeros((rows, 5), dtype=np.int8)
    real = np.zeros((rows, 5))
    mask = np.zeros(rows, dtype=np.int64)
    for t in range(rows):
        up, down = 0, 0
        present_weight, score = 0.0, 0.0
        for h in range(heads):
            if not coverage[t, h] > 0:
                continue
            present_weight += weights[h]
            vote = direction[t, h]
            p, c = probability[t, h], confidence[t, h]
            if vote == 0 or not (p >= p_min and c >= c_min):
                continue
            score += weights[h] * (vote * ((2.0 * p - 1.0) * c))
            if vote > 0:
                up += 1
            else:
                down += 1
        if up == down:
            whole[t, 4] = _NO_VOTES if up == 0 else _TIE
            continue
        side = 1 if up > down else -1
        agreeing, against = (up, down) if side > 0 else (down, up)
        sum_weight, sum_p, sum_c, sum_pc, bits = 0.0, 0.0, 0.0, 0.0, 0
        for h in range(heads):
            p, c = probability[t, h], confidence[t, h]
            if coverage[t, h] > 0 and direction[t, h] == side and p >= p_min and c >= c_min:
                sum_weight += weights[h]
                sum_p += weights[h] * p
                sum_c += weights[h] * c
                sum_pc += weights[h] * p * c
                bits |= 1 << h
        bonus = 0.0
        if agreeing > 4:
            bonus = BONUS_OF_A_HEAD * (min(agreeing, MOST_OF_BONUS) - 4)
        if sum_p >= HIGH_P * sum_weight:
            bonus += HIGH_P_BONUS
        elif sum_p >= MIDDLE_P * sum_weight:
            bonus += MIDDLE_P_BONUS
        elif sum_p >= LOW_P * sum_weight:
            bonus += LOW_P_BONUS
        gate = _STANDS
        if agreeing < quorum:
            gate = _QUORUM
        elif not (sum_weight > 0.0 and sum_weight >= weight_min * present_weight):
            gate = _WEIGHT
        elif not side * score >= score_min * present_weight:
            gate = _SCORE
        elif not sum_c >= (consensus_c_min - bonus) * sum_weight:
            gate = _CONFIDENCE
        elif not sum_p >= consensus_p_min * sum_weight:
            gate = _PROBABILITY
        elif against > max_opposite:
            gate = _VETO
        whole[t, 0] = side if gate == _STANDS else 0
        whole[t, 1], whole[t, 2], whole[t, 3], whole[t, 4] = side, agreeing, against, gate
        if sum_weight > 0.0:
            real[t, 0] = sum_p / sum_weight
            real[t, 1] = min(1.0, sum_c / sum_weight + bonus)
            real[t, 2] = sum_weight / present_weight
            real[t, 4] = sum_pc / sum_weight
        if present_weight > 0.0:
            real[t, 3] = score / present_weight
        mask[t] = bits
    return whole, real, mask


@kernel
def _decide_kernel(
    direction: Int8Array1D, is_gap: Bool1D, exit_on_flat: bool, hold_bars: int
) -> tuple[Float1D, Bool1D]:
    target = np.zeros(len(direction))
    acts = np.zeros(len(direction), dtype=np.bool_)
    previous, wanted, age = 0, 0, 0
    for t in range(len(direction)):
        age += 1
        if is_gap[t]:
            continue
        side = direction[t]
        if side != 0 and side != previous:
            target[t], acts[t] = side, True
            wanted, age = side, 0
        elif (side == 0 and previous != 0 and exit_on_flat) or (
            wanted != 0 and 0 < hold_bars <= age
        ):
            acts[t] = True
            wanted = 0
        previous = side
    return target, acts


def head_weights(names: Sequence[str], rules: ConsensusRules) -> Float1D:
    """The weights of the heads ``names``. Raises ConfigError when ``rules`` lacks one."""
    missing = [name for name in names if name not in rules.weights]
    if missing:
        raise ConfigError(f"consensus.weights has no entry for head {missing[0]!r}")
    return np.array([rules.weights[name] for name in names], dtype=np.float64)


def threshold_numbers(rules: ConsensusRules) -> Float1D:
    """``p_min, c_min, weight_min, score_min, consensus_c_min, consensus_p_min``, each less 1e-12."""
    thresholds = (
        rules.p_min, rules.c_min, rules.weight_min, rules.score_min,
        rules.consensus_c_min, rules.consensus_p_min,
    )  # fmt: skip
    return np.array(thresholds, dtype=np.float64) - TOLERANCE


def consensus(votes: VoteMatrix, rules: ConsensusRules) -> Consensus:
    """The consensus of ``votes`` under ``rules``; row *t* reads row *t* of the votes only.

    Sums run in head order. Raises ConfigError when ``rules`` gives no weight for a head.
    """
    weights = head_weights(votes.names, rules)
    whole, real, mask = _consensus_kernel(
        votes.direction,
        votes.probability,
        votes.confidence,
        votes.coverage,
        weights,
        threshold_numbers(rules),
        rules.quorum,
        NO_VETO if rules.max_opposite is None else rules.max_opposite,
    )
    return Consensus(
        direction=whole[:, 0].copy(),
        side=whole[:, 1].copy(),
        votes_for=whole[:, 2].copy(),
        votes_against=whole[:, 3].copy(),
        gate=whole[:, 4].copy(),
        probability=real[:, 0].copy(),
        confidence=real[:, 1].copy(),
        agreeing_weight=real[:, 2].copy(),
        signed_score=real[:, 3].copy(),
        legacy_score=real[:, 4].copy(),
        mask=mask,
    )


def decide(
    direction: Int8Array1D,
    is_gap: Bool1D,
    *,
    exit_on_flat: bool = False,
    hold_bars: int | None = None,
) -> tuple[Float1D, Bool1D]:
    """Targets and acting rows, both ``(T,)``, from consensus directions; row *t* reads rows <= *t*.

    A row acts when the consensus turns to a side (entry, or reversal of the other side), when it
    falls back to flat and ``exit_on_flat`` is set, and ``hold_bars`` rows after the last turn. A
    side that merely persists does not act again: after a stop the next entry waits for a new turn.
    A missing bar (``is_gap``) decides nothing: what is carried there is not an observation. Raises
    ConfigError when ``hold_bars`` is not positive.
    """
    if hold_bars is not None and hold_bars < 1:
        raise ConfigError(f"hold_bars={hold_bars} must be at least 1, or null for no limit")
    return _decide_kernel(direction, is_gap, exit_on_flat, hold_bars or 0)
