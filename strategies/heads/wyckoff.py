"""Wyckoff: springs, upthrusts, signs of strength and weakness of trading ranges (SPEC H6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal

import numpy as np

from engine import Bool1D, Float1D
from indicators import Detection, Feature, detection, feature

from ..base import (
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_choice,
    check_lengths,
    check_range,
    reason_bits,
)
from ..events import at_event, held

_EVENTS = (
    "preliminary",
    "climax",
    "range_start",
    "secondary_test",
    "upthrust",
    "undercut",
    "spring",
    "spring_confirmed",
    "test",
    "strength",
    "jump",
    "support_point",
    "markup",
    "failure",
    "schematic",
    "composite",
)
_VOTING = ("spring", "strength", "test", "support_point", "markup")
_SECOND_READINGS = {3.0: 1.0, 4.0: -1.0}
"""Codes of the schematics that continue a trend, and the side that they argue for."""


@dataclass(frozen=True, slots=True)
class WyckoffHead:
    """The newest event of the last ``validity_bars`` votes; without one the composite operator does.

    Spring and upthrust after distribution vote with p = c = .90, a sign of strength or weakness with
    .75, the composite operator alone with .70 where it is at least ``composite_threshold`` in size.
    Events of re-accumulation and redistribution are those of the side that they read. An event that
    the composite of the row before it agrees with by that much gains ``agreement_bonus`` on both, at
    most ``cap``; the composite from its own row on contains the event and would agree with almost
    every one. A newer event of the other side replaces an older one; of the same side the one with
    the greater confidence counts. The seed's .90 makes one event decide: it is the default because
    the seed says so.

    Tests, last points of support and mark-up vote through the composite, and with p = c of their own
    where ``test_confidence``, ``support_point_confidence`` or ``markup_confidence`` is not 0. All
    other events, absorption and waves that shrink are named as reasons. ``thresholds`` "seed" asks for
    a climax 2 % of the price wide and a sign of strength 1.5 % wide on 1.5 mean volumes, "atr" for the
    widths in average true ranges. Coverage is 1 once the ranges are known: all that votes.
    """

    name: ClassVar[str] = "wyckoff"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "spring_confidence": Range(0.70, 0.95),
        "strength_confidence": Range(0.60, 0.90),
        "composite_threshold": Range(0.3, 0.8),
        "validity_bars": Range(3, 30, integer=True),
        "climax_volume": Range(1.8, 3.0),
        "trend_atr": Range(5.0, 15.0),
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
        Reason("preliminary_support", 1, "heavy buying came before the climax", (5e-4, 0.12)),
        Reason("preliminary_supply", -1, "heavy selling came before the climax", (5e-4, 0.12)),
        Reason("selling_climax", 1, "a wide bar down on great volume", (0.003, 0.3)),
        Reason("buying_climax", -1, "a wide bar up on great volume", (0.003, 0.3)),
        Reason("support_tested", 1, "secondary test of a climax", (0.001, 0.08)),
        Reason("supply_tested", -1, "secondary test of a buying climax", (0.001, 0.08)),
        Reason("failed_break_down", 1, "a range was left downwards in vain", (1e-4, 0.1)),
        Reason("failed_break_up", -1, "a range was left upwards in vain", (1e-4, 0.1)),
        Reason("jump", 1, "jump across the creek", (2e-4, 0.04)),
        Reason("fall", -1, "fall through the ice", (2e-4, 0.04)),
        Reason("distribution_broken", 1, "a close far above a distribution", (5e-4, 0.06)),
        Reason("accumulation_broken", -1, "a close far under an accumulation", (5e-4, 0.06)),
        Reason("reaccumulation", 1, "the newest range is read as re-accumulation", (0.002, 0.3)),
        Reason("redistribution", -1, "the newest range is read as redistribution", (0.002, 0.3)),
        Reason("falling_wave_shrinks", 1, "a wave down on far less volume", (0.02, 0.35)),
        Reason("rising_wave_shrinks", -1, "a wave up on far less volume", (0.02, 0.35)),
        Reason("absorption_bullish", 1, "volume without result after a fall", (0.01, 0.3)),
        Reason("absorption_bearish", -1, "volume without result after a rise", (0.01, 0.3)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.005, 0.25)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"thresholds": "seed"},
        {"test_confidence": 0.7, "support_point_confidence": 0.7, "markup_confidence": 0.65},
    )

    spring_probability: float = 0.90
    spring_confidence: float = 0.90
    strength_probability: float = 0.75
    strength_confidence: float = 0.75
    test_confidence: float = 0.0
    support_point_confidence: float = 0.0
    markup_confidence: float = 0.0
    composite_probability: float = 0.70
    composite_confidence: float = 0.70
    composite_threshold: float = 0.5
    half_life_bars: int = 50
    agreement_bonus: float = 0.05
    cap: float = 0.95
    validity_bars: int = 10
    thresholds: Literal["atr", "seed"] = "atr"
    climax_volume: float = 2.0
    trend_atr: float = 8.0
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
            test_confidence=self.test_confidence,
            support_point_confidence=self.support_point_confidence,
            markup_confidence=self.markup_confidence,
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
            trend_atr=self.trend_atr,
            spring_depth=self.spring_depth,
        )
        check_choice(self.name, ("atr", "seed"), thresholds=self.thresholds)
        check_lengths(
            self.name,
            half_life_bars=self.half_life_bars,
            validity_bars=self.validity_bars,
            pivot_right=self.pivot_right,
            max_range_bars=self.max_range_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Events and composite of the ranges, absorption, and waves that shrink."""
        return {
            **{name: Feature("wyckoff", name, self._range_parameters()) for name in _EVENTS},
            "absorption": feature("effort_result", "absorption"),
            "shrinking": feature("weis_wave", "shrinking"),
        }

    def detections(self) -> Mapping[str, Detection]:
        """Ranges and their events, absorption, and Weis waves."""
        return {
            "ranges": Detection("wyckoff_range", self._range_parameters()),
            "events": Detection("wyckoff", self._range_parameters()),
            "absorption": detection("effort_result"),
            "waves": detection("weis_wave"),
        }

    def _range_parameters(self) -> tuple[tuple[str, float], ...]:
        """Parameters of the ranges, in the order of their names that identities are kept in."""
        return (
            ("climax_volume", float(self.climax_volume)),
            ("half_life_bars", float(self.half_life_bars)),
            ("max_range_bars", float(self.max_range_bars)),
            ("pivot_right", float(self.pivot_right)),
            ("seed_thresholds", float(self.thresholds == "seed")),
            ("spring_depth", float(self.spring_depth)),
            ("trend_atr", float(self.trend_atr)),
        )

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The newest valid event, else the composite operator."""
        if not inputs.has(*self.features()):
            return HeadOutput.absent(inputs.rows)
        known = ~np.isnan(inputs["composite"])
        composite = np.where(known, inputs["composite"], 0.0)
        leaning = np.where(np.abs(composite) >= self.composite_threshold, np.sign(composite), 0.0)
        probability = np.full(inputs.rows, self.composite_probability)
        confidence = np.full(inputs.rows, self.composite_confidence)
        voting = self._voting()
        newest = held(_first_of([inputs[name] for name, _, _ in voting]), self.validity_bars)
        before = np.concatenate(([0.0], leaning[:-1]))
        direction = np.where(newest != 0, newest, leaning)
        # From the weakest event to the strongest, so that the strongest of a side stays.
        for name, own_probability, own_confidence in reversed(voting):
            votes = (newest != 0) & (held(inputs[name], self.validity_bars) == newest)
            agrees = at_event(before, inputs[name], self.validity_bars) == newest
            probability = np.where(votes, self._graded(own_probability, agrees), probability)
            confidence = np.where(votes, self._graded(own_confidence, agrees), confidence)
        return HeadOutput.from_votes(
            direction=np.where(known, direction, 0.0),
            probability=probability,
            confidence=confidence,
            score=50.0 + 50.0 * composite,
            coverage=1.0 * known,
            reasons=reason_bits(_flags(inputs, self.validity_bars, leaning), self.REASONS),
        )

    def _voting(self) -> list[tuple[str, float, float]]:
        """Name, probability and confidence of the events that vote, the most confident first."""
        own = (
            (self.spring_probability, self.spring_confidence),
            (self.strength_probability, self.strength_confidence),
            (self.test_confidence, self.test_confidence),
            (self.support_point_confidence, self.support_point_confidence),
            (self.markup_confidence, self.markup_confidence),
        )
        grades = [(name, *grade) for name, grade in zip(_VOTING, own, strict=True)]
        voting = [grade for grade in grades if grade[0] in _VOTING[:2] or grade[2] > 0]
        return sorted(voting, key=lambda grade: -grade[2])

    def _graded(self, grade: float, agrees: Bool1D) -> Float1D:
        """``grade``, with the bonus where the composite agreed: at most ``cap``, or what it was."""
        raised = min(grade + self.agreement_bonus, max(grade, self.cap))
        return np.where(agrees, raised, grade)


def _first_of(signals: Sequence[Float1D]) -> Float1D:
    """On every row the first signal that is not 0."""
    out = np.zeros(len(signals[0]))
    for signal in reversed(signals):
        out = np.where(signal != 0, signal, out)
    return out


def _flags(inputs: HeadInputs, validity_bars: int, leaning: Float1D) -> dict[str, Bool1D]:
    """The reasons on every row, each event for as long as it is valid."""
    reading = np.zeros(inputs.rows)
    for code, side in _SECOND_READINGS.items():
        reading[inputs["schematic"] == code] = side
    sides = {
        ("composite_bullish", "composite_bearish"): leaning,
        ("reaccumulation", "redistribution"): reading,
    }
    for names, aliases in (
        (("spring", "upthrust"), ("spring",)),
        (("strength", "weakness"), ("strength",)),
        (("spring_holds", "upthrust_holds"), ("test", "spring_confirmed")),
        (("last_support", "last_supply"), ("support_point",)),
        (("markup", "markdown"), ("markup",)),
        (("accumulation", "distribution"), ("range_start",)),
        (("preliminary_support", "preliminary_supply"), ("preliminary",)),
        (("selling_climax", "buying_climax"), ("climax",)),
        (("support_tested", "supply_tested"), ("secondary_test",)),
        (("failed_break_down", "failed_break_up"), ("upthrust", "undercut")),
        (("jump", "fall"), ("jump",)),
        (("distribution_broken", "accumulation_broken"), ("failure",)),
        (("falling_wave_shrinks", "rising_wave_shrinks"), ("shrinking",)),
        (("absorption_bullish", "absorption_bearish"), ("absorption",)),
    ):
        sides[names] = held(_first_of([inputs[alias] for alias in aliases]), validity_bars)
    flags = {}
    for (bullish, bearish), column in sides.items():
        flags[bullish] = column > 0
        flags[bearish] = column < 0
    return flags
