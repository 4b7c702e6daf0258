"""Harmonic: patterns of five turning points whose reversal zone has held (SPEC H7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine import Bool1D, Float1D
from indicators import Detection, Feature, detection, feature
from indicators.harmonic_pattern import PATTERN_NAMES

from ..base import (
    SMALLEST_SCALE,
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_choice,
    check_lengths,
    check_range,
    reason_bits,
)
from ..events import held

_ZONE_OUTPUTS = (
    "entered",
    "failed",
    "bullish_count",
    "bearish_count",
    "bullish_precision",
    "bearish_precision",
    "bullish_patterns",
    "bearish_patterns",
)
_FREQUENT = {"abcd": (0.002, 0.1)}
_RARE = (0.0, 0.03)
"""Expected rates of one pattern: but for the ABCD, three ratios must fit at once, so that months of
hourly bars may pass without it."""


def _pattern_reasons() -> tuple[Reason, ...]:
    return tuple(
        Reason(
            f"{name}_{side}",
            sign,
            f"a {side} {name.replace('_', ' ')} is active",
            _FREQUENT.get(name, _RARE),
        )
        for name in PATTERN_NAMES
        for side, sign in (("bullish", 1), ("bearish", -1))
    )


@dataclass(frozen=True, slots=True)
class HarmonicHead:
    """Patterns confirmed in the last ``validity_bars`` vote; when both sides are active, the more
    precise side, by the sum of precision.

    ``p = min(0.9, 0.7 + 0.1 n)`` with n active patterns on the voting side, ``c = 0.6 + 0.3
    precision`` with their mean precision. A pattern is confirmed by the first close back out of its
    zone, at most 5 bars after it was entered; ``by_pivot`` instead waits until D is a confirmed
    pivot (later, and rarer). Zones that were only published or entered are reasons, not votes; each
    pattern that votes is named by a reason of its own. Coverage is 1 once the pivot list is warm.

    X, A, B and C are confirmed pivots ``P(left, right)``, or with ``swings`` "turns" the turns of the
    directional change of ``turn_atr`` ATR. ``minor_swings`` lets one leg step over a minor swing,
    ``alternate_abcd`` adds ABCD whose CD is 1.27 or 1.618 AB. The seed's tolerance is 5 % everywhere.

    The seed's "active within 2 % of D" is replaced by ``validity_bars``: such a band lasts hours on
    one market and weeks on another, and a return to D would renew a pattern long over.
    """

    name: ClassVar[str] = "harmonic"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "left": Range(3, 8, integer=True),
        "right": Range(3, 8, integer=True),
        "tolerance": Range(0.02, 0.06),
        "point_tolerance": Range(0.02, 0.08),
        "validity_bars": Range(3, 30, integer=True),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("confirmed_bullish", 1, "a bullish zone has held", (0.005, 0.15)),
        Reason("confirmed_bearish", -1, "a bearish zone has held", (0.005, 0.15)),
        Reason("several_bullish", 1, "more than one bullish pattern is active", (1e-4, 0.03)),
        Reason("several_bearish", -1, "more than one bearish pattern is active", (1e-4, 0.03)),
        Reason("entered_bullish", 1, "a bullish zone was touched lately", (0.01, 0.2)),
        Reason("entered_bearish", -1, "a bearish zone was touched lately", (0.01, 0.2)),
        Reason("failed_bullish", -1, "prices broke a bullish zone lately", (0.002, 0.1)),
        Reason("failed_bearish", 1, "prices broke a bearish zone lately", (0.002, 0.1)),
        Reason("pivot_bullish", 1, "D of a bullish pattern is a pivot", (0.002, 0.1)),
        Reason("pivot_bearish", -1, "D of a bearish pattern is a pivot", (0.002, 0.1)),
        *_pattern_reasons(),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.01, 0.25)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"by_pivot": True},
        {"swings": "turns"},
        {"minor_swings": True, "alternate_abcd": True, "tolerance": 0.05, "point_tolerance": 0.05},
    )

    left: int = 5
    right: int = 5
    tolerance: float = 0.03
    point_tolerance: float = 0.05
    validity_bars: int = 10
    by_pivot: bool = False
    swings: Literal["pivots", "turns"] = "pivots"
    turn_atr: float = 2.5
    minor_swings: bool = False
    alternate_abcd: bool = False

    def __post_init__(self) -> None:
        check_lengths(self.name, left=self.left, right=self.right, validity_bars=self.validity_bars)
        check_range(
            self.name,
            SMALLEST_SCALE,
            1.0,
            tolerance=self.tolerance,
            point_tolerance=self.point_tolerance,
        )
        check_range(self.name, 1.0, 6.0, turn_atr=self.turn_atr)
        check_choice(self.name, ("pivots", "turns"), swings=self.swings)

    def features(self) -> Mapping[str, Feature]:
        """Zones with their events, and patterns whose D is a pivot."""
        figures, zones = _figures(self), _zones(self)
        return {
            **{name: feature("harmonic", name, clock="bars", **zones) for name in _ZONE_OUTPUTS},
            "completed": feature("harmonic_pivot", "completed", clock="bars", **figures),
            "completed_precision": feature("harmonic_pivot", "precision", clock="bars", **figures),
            "completed_pattern": feature("harmonic_pivot", "pattern", clock="bars", **figures),
        }

    def detections(self) -> Mapping[str, Detection]:
        """Zones with what became of them, and figures whose D is a pivot."""
        return {
            "zones": detection("harmonic", clock="bars", **_zones(self)),
            "completed": detection("harmonic_pivot", clock="bars", **_figures(self)),
        }

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The side whose active patterns are more precise in sum."""
        if not inputs.has(*self.features()):
            return HeadOutput.absent(inputs.rows)
        bullish, bullish_count = _side(inputs, "bullish")
        bearish, bearish_count = _side(inputs, "bearish")
        completed = held(inputs["completed"], self.validity_bars)
        flags = {
            "confirmed_bullish": bullish_count > 0,
            "confirmed_bearish": bearish_count > 0,
            "several_bullish": bullish_count > 1,
            "several_bearish": bearish_count > 1,
        }
        for name, column, sign in (
            ("entered", held(inputs["entered"], self.validity_bars), 1),
            ("failed", held(inputs["failed"], self.validity_bars), -1),
            ("pivot", completed, 1),
        ):
            flags[f"{name}_bullish"] = sign * column > 0
            flags[f"{name}_bearish"] = sign * column < 0
        if self.by_pivot:
            precision = _completed_precision(inputs, self.validity_bars)
            bullish_count = np.where(completed > 0, 1.0, 0.0)
            bearish_count = np.where(completed < 0, 1.0, 0.0)
            bullish, bearish = precision * bullish_count, precision * bearish_count
        flags |= _patterns(inputs, completed, self.validity_bars, by_pivot=self.by_pivot)
        direction = np.sign(bullish - bearish)
        count = np.where(direction > 0, bullish_count, bearish_count)
        total = np.where(direction > 0, bullish, bearish)
        mean = np.clip(np.where(count > 0, total / np.maximum(count, 1.0), 0.0), 0.0, 1.0)
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.minimum(0.9, (7.0 + count) / 10.0),
            confidence=0.6 + 0.3 * mean,
            score=50.0 + 50.0 * np.tanh(bullish - bearish),
            coverage=1.0 * ~np.isnan(inputs["bullish_count"]),
            reasons=reason_bits(flags, self.REASONS),
        )


def _figures(head: HarmonicHead) -> dict[str, float]:
    return {
        "left": head.left,
        "right": head.right,
        "tolerance": head.tolerance,
        "point_tolerance": head.point_tolerance,
        "by_turns": head.swings == "turns",
        "turn_atr": head.turn_atr,
        "minor_swings": head.minor_swings,
        "alternate_abcd": head.alternate_abcd,
    }


def _zones(head: HarmonicHead) -> dict[str, float]:
    return {**_figures(head), "validity_bars": head.validity_bars}


def _patterns(
    inputs: HeadInputs, completed: Float1D, validity_bars: int, *, by_pivot: bool
) -> dict[str, Bool1D]:
    """Which patterns are active on each side: those that the votes come from."""
    flags: dict[str, Bool1D] = {}
    newest = held(inputs["completed_pattern"], validity_bars)
    for side, sign in (("bullish", 1), ("bearish", -1)):
        active = inputs[f"{side}_patterns"].astype(np.int64)
        for position, name in enumerate(PATTERN_NAMES):
            if by_pivot:
                flags[f"{name}_{side}"] = (newest == position + 1) & (sign * completed > 0)
            else:
                flags[f"{name}_{side}"] = (active >> position) & 1 > 0
    return flags


def _side(inputs: HeadInputs, side: str) -> tuple[Float1D, Float1D]:
    """Sum of precision and number of the active patterns of one side, 0 in warm-up."""
    precision = np.nan_to_num(inputs[f"{side}_precision"], nan=0.0)
    count = np.nan_to_num(inputs[f"{side}_count"], nan=0.0)
    return precision, count


def _completed_precision(inputs: HeadInputs, validity_bars: int) -> Float1D:
    """Precision of the newest completed pattern for as long as it is valid."""
    precision = np.nan_to_num(inputs["completed_precision"], nan=0.0)
    return held(np.where(inputs["completed"] != 0, precision, 0.0), validity_bars)
