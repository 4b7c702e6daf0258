"""Harmonic: patterns of five turning points whose reversal zone has held (SPEC H7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import Float1D
from indicators import Detection, Feature, feature

from ..base import (
    SMALLEST_SCALE,
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
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
)


@dataclass(frozen=True, slots=True)
class HarmonicHead:
    """Patterns confirmed in the last ``validity_bars`` vote; when both sides are active, the more
    precise side, by the sum of precision.

    ``p = min(0.9, 0.7 + 0.1 n)`` with n active patterns on the voting side, ``c = 0.6 + 0.3
    precision`` with their mean precision. A pattern is confirmed by the first close back out of its
    zone, at most 5 bars after it was entered; ``by_pivot`` instead waits until D is a confirmed
    pivot (later, and rarer). Zones that were only published or entered are reasons, not votes.
    Coverage is 1 once the pivot list is warm.

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
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.01, 0.25)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ({"by_pivot": True},)

    left: int = 5
    right: int = 5
    tolerance: float = 0.03
    point_tolerance: float = 0.05
    validity_bars: int = 10
    by_pivot: bool = False

    def __post_init__(self) -> None:
        check_lengths(self.name, left=self.left, right=self.right, validity_bars=self.validity_bars)
        check_range(
            self.name,
            SMALLEST_SCALE,
            1.0,
            tolerance=self.tolerance,
            point_tolerance=self.point_tolerance,
        )

    def features(self) -> Mapping[str, Feature]:
        """Zones with their events, and patterns whose D is a pivot."""
        return {
            **{name: _zone_feature(self, name) for name in _ZONE_OUTPUTS},
            "completed": _pivot_feature(self, "completed"),
            "completed_precision": _pivot_feature(self, "precision"),
        }

    def detections(self) -> Mapping[str, Detection]:
        """The events that the votes follow from."""
        return {}

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


def _zone_feature(head: HarmonicHead, output: str) -> Feature:
    return feature(
        "harmonic",
        output,
        left=head.left,
        right=head.right,
        tolerance=head.tolerance,
        point_tolerance=head.point_tolerance,
        validity_bars=head.validity_bars,
    )


def _pivot_feature(head: HarmonicHead, output: str) -> Feature:
    return feature(
        "harmonic_pivot",
        output,
        left=head.left,
        right=head.right,
        tolerance=head.tolerance,
        point_tolerance=head.point_tolerance,
    )


def _side(inputs: HeadInputs, side: str) -> tuple[Float1D, Float1D]:
    """Sum of precision and number of the active patterns of one side, 0 in warm-up."""
    precision = np.nan_to_num(inputs[f"{side}_precision"], nan=0.0)
    count = np.nan_to_num(inputs[f"{side}_count"], nan=0.0)
    return precision, count


def _completed_precision(inputs: HeadInputs, validity_bars: int) -> Float1D:
    """Precision of the newest completed pattern for as long as it is valid."""
    precision = np.nan_to_num(inputs["completed_precision"], nan=0.0)
    return held(np.where(inputs["completed"] != 0, precision, 0.0), validity_bars)
