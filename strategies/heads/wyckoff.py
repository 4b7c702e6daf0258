"""Wyckoff: springs, upthrusts, signs of strength and weakness of trading ranges (SPEC H6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from engine import Bool1D, Float1D
from indicators import Detection, Feature, feature

from ..base import HeadInputs, HeadOutput, Range, Reason, check_lengths, check_range, reason_bits
from ..events import at_event, held

_EVENTS = (
    "spring",
    "strength",
    "spring_confirmed",
    "test",
    "support_point",
    "markup",
    "range_start",
    "composite",
)


@dataclass(frozen=True, slots=True)
class WyckoffHead:
    """The newest event of the last ``validity_bars`` votes; without one the composite operator does.

    Spring and upthrust after distribution vote with p = c = .90, a sign of strength or weakness with
    .75, the composite operator alone with .70 where it is at least ``composite_threshold`` in size.
    An event that the composite of the row before it agrees with by that much gains
    ``agreement_bonus`` on both, at most ``cap``; the composite from its own row on contains the event
    and would agree with almost every one. A newer event of the other side replaces an older one; of
    the same side the stronger counts. The seed's .90 makes one event decide: it is the default
    because the seed says so.

    Tests, last points of support, mark-up, new ranges and absorption vote through the composite or
    not at all; they are named as reasons. Coverage is 1 once the ranges are known: all that votes.
    """

    name: ClassVar[str] = "wyckoff"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "spring_confidence": Range(0.70, 0.95),
        "strength_confidence": Range(0.60, 0.90),
        "composite_threshold": Range(0.3, 0.8),
        "validity_bars": Range(3, 30, integer=True),
        "climax_volume": Range(1.8, 3.0),
        "spring_depth": Range(0.1, 0.3),
        "pivot_right": Range(3, 8, integer=True),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("spring", 1, "a spring is still valid", (2e-4, 0.03)),
        Reason("upthrust", -1, "an upthrust after distribution is still valid", (2e-4, 0.03)),
        Reason("strength", 1, "a sign of strength is still valid", (5e-4, 0.04)),
        Reason("weakness", -1, "a sign of weakness is still valid", (5e-4, 0.04)),
        Reason("composite_bullish", 1, "the composite operator has bought", (0.003, 0.15)),
        Reason("composite_bearish", -1, "the composite operator has sold", (0.003, 0.15)),
        Reason("spring_holds", 1, "three lows above support, or a test", (1e-4, 0.02)),
        Reason("upthrust_holds", -1, "three highs below resistance, or a test", (1e-4, 0.02)),
        Reason("last_support", 1, "last point of support, or a backup", (1e-4, 0.02)),
        Reason("last_supply", -1, "last point of supply", (1e-4, 0.02)),
        Reason("markup", 1, "phase E: mark-up has begun", (2e-4, 0.03)),
        Reason("markdown", -1, "phase E: mark-down has begun", (2e-4, 0.03)),
        Reason("accumulation", 1, "a selling climax has been answered by a rally", (0.001, 0.05)),
        Reason("distribution", -1, "a buying climax has been answered by a fall", (0.001, 0.05)),
        Reason("absorption_bullish", 1, "volume without result after a fall", (0.01, 0.3)),
        Reason("absorption_bearish", -1, "volume without result after a rise", (0.01, 0.3)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.005, 0.25)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ()

    spring_probability: float = 0.90
    spring_confidence: float = 0.90
    strength_probability: float = 0.75
    strength_confidence: float = 0.75
    composite_probability: float = 0.70
    composite_confidence: float = 0.70
    composite_threshold: float = 0.5
    agreement_bonus: float = 0.05
    cap: float = 0.95
    validity_bars: int = 10
    climax_volume: float = 2.0
    spring_depth: float = 0.3
    pivot_right: int = 5
    max_range_bars: int = 400

    def __post_init__(self) -> None:
        check_range(
            self.name,
            0.0,
            1.0,
            spring_probability=self.spring_probability,
            spring_confidence=self.spring_confidence,
            strength_probability=self.strength_probability,
            strength_confidence=self.strength_confidence,
            composite_probability=self.composite_probability,
            composite_confidence=self.composite_confidence,
            composite_threshold=self.composite_threshold,
            agreement_bonus=self.agreement_bonus,
            cap=self.cap,
        )
        check_range(
            self.name,
            0.0,
            inf,
            climax_volume=self.climax_volume,
            spring_depth=self.spring_depth,
        )
        check_lengths(
            self.name,
            validity_bars=self.validity_bars,
            pivot_right=self.pivot_right,
            max_range_bars=self.max_range_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Events and composite of the ranges, and absorption."""
        return {
            **{name: _range_feature(self, name) for name in _EVENTS},
            "absorption": feature("effort_result", "absorption"),
        }

    def detections(self) -> Mapping[str, Detection]:
        """The events that the votes follow from."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The newest valid event, else the composite operator."""
        if not inputs.has(*self.features()):
            return HeadOutput.absent(inputs.rows)
        known = ~np.isnan(inputs["composite"])
        composite = np.where(known, inputs["composite"], 0.0)
        spring = held(inputs["spring"], self.validity_bars)
        strength = held(inputs["strength"], self.validity_bars)
        leaning = np.where(np.abs(composite) >= self.composite_threshold, np.sign(composite), 0.0)
        newest = held(
            np.where(inputs["spring"] != 0, inputs["spring"], inputs["strength"]),
            self.validity_bars,
        )
        direction = np.where(newest != 0, newest, leaning)
        is_spring = (newest != 0) & (spring == newest)
        is_event = newest != 0
        agrees = self._earlier_leaning(inputs, leaning, is_spring) == newest
        bonus = np.where(is_event & agrees, self.agreement_bonus, 0.0)
        probability = _graded(
            is_spring, is_event,
            (self.spring_probability, self.strength_probability, self.composite_probability),
        )  # fmt: skip
        confidence = _graded(
            is_spring, is_event,
            (self.spring_confidence, self.strength_confidence, self.composite_confidence),
        )  # fmt: skip
        flags = _flags(inputs, self.validity_bars, spring, strength, leaning)
        return HeadOutput.from_votes(
            direction=np.where(known, direction, 0.0),
            probability=np.minimum(probability + bonus, np.maximum(probability, self.cap)),
            confidence=np.minimum(confidence + bonus, np.maximum(confidence, self.cap)),
            score=50.0 + 50.0 * composite,
            coverage=1.0 * known,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _earlier_leaning(self, inputs: HeadInputs, leaning: Float1D, is_spring: Bool1D) -> Float1D:
        """Side of the composite on the row before the event that votes, 0 without one."""
        before = np.concatenate(([0.0], leaning[:-1]))
        spring = at_event(before, inputs["spring"], self.validity_bars)
        strength = at_event(before, inputs["strength"], self.validity_bars)
        return np.where(is_spring, spring, strength)


def _range_feature(head: WyckoffHead, output: str) -> Feature:
    return feature(
        "wyckoff",
        output,
        climax_volume=head.climax_volume,
        spring_depth=head.spring_depth,
        pivot_right=head.pivot_right,
        max_range_bars=head.max_range_bars,
    )


def _graded(is_spring: Bool1D, is_event: Bool1D, grades: tuple[float, float, float]) -> Float1D:
    graded: Float1D = np.where(is_spring, grades[0], np.where(is_event, grades[1], grades[2]))
    return graded


def _flags(
    inputs: HeadInputs, validity_bars: int, spring: Float1D, strength: Float1D, leaning: Float1D
) -> dict[str, Bool1D]:
    """The reasons on every row, each event for as long as it is valid."""
    sides = {
        ("spring", "upthrust"): spring,
        ("strength", "weakness"): strength,
        ("composite_bullish", "composite_bearish"): leaning,
        ("spring_holds", "upthrust_holds"): held(
            np.where(inputs["test"] != 0, inputs["test"], inputs["spring_confirmed"]),
            validity_bars,
        ),
        ("last_support", "last_supply"): held(inputs["support_point"], validity_bars),
        ("markup", "markdown"): held(inputs["markup"], validity_bars),
        ("accumulation", "distribution"): held(inputs["range_start"], validity_bars),
        ("absorption_bullish", "absorption_bearish"): held(inputs["absorption"], validity_bars),
    }
    flags = {}
    for (bullish, bearish), column in sides.items():
        flags[bullish] = column > 0
        flags[bearish] = column < 0
    return flags
