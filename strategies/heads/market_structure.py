"""The market structure head: trends of several timeframes, where price stands, what is unmitigated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from engine import Float1D
from indicators import Detection, Feature, feature

from ..base import (
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_lengths,
    check_range,
    check_weights,
    reason_bits,
)
from ..events import held

CLOCKS: Final = ("bars", "bars:4h", "bars:1d", "bars:1w")
"""Decision bars and the longer bars above them; the preset of SPEC H8.2 that fits hourly bars."""
DISCOUNT, DISCOUNT_QUADRANT = 0.45, 0.25
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class MarketStructureHead:
    """Votes with the trend that most of the timeframes share (SPEC H8.2 to H8.5).

    A timeframe's trend is 1 for higher highs and lows of its alternating pivots, -1 for lower ones,
    else 0. ``share`` is the weight of the majority's trend over the weight of the timeframes that are
    known; at ``aligned_share`` or more they are aligned and ``p = min(.9, .7 + .2 share)``,
    ``c = .85 + .05 (share - .75) / .25``. In the last 50 bars' range, a long in the discount half
    (position under .45) or a short in the premium half (over .55) multiplies c by 1.03, at most .88
    unless it was more; in the outer quadrant it makes c .90. Each untouched order block of the vote's
    side adds .02 up to .92. Without alignment, the newest touch of a breaker of the last
    ``breaker_validity_bars`` bars votes alone with p = c = .75; otherwise the head is neutral.

    Which of the seed's two zone rules means what is our reading: "right zone" the outer quadrant,
    "same-side zone" the half. Coverage is the weight of the timeframes whose four pivots are known;
    below ``minimum_coverage`` there is no vote. The default weights are S2's. A timeframe that is not
    a longer multiple of the decision bars is missing and lowers the coverage for good, so that no bar
    counts twice: on 4h bars .7 is left, on daily bars .4, where the head abstains until the weights
    are moved to the timeframes there are.
    """

    name: ClassVar[str] = "market_structure"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "pivot_bars": Range(3, 8, integer=True),
        "aligned_share": Range(0.6, 0.95),
        "breaker_validity_bars": Range(3, 30, integer=True),
        "weight_bars": Range(0.0, 1.0),
        "weight_4h": Range(0.0, 1.0),
        "weight_1d": Range(0.0, 1.0),
        "weight_1w": Range(0.0, 1.0),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("aligned_up", 1, "the timeframes share a rising trend", (0.02, 0.35)),
        Reason("aligned_down", -1, "the timeframes share a falling trend", (0.02, 0.35)),
        Reason("right_zone_up", 1, "aligned up in the lowest quadrant", (0.002, 0.10)),
        Reason("right_zone_down", -1, "aligned down in the highest quadrant", (0.002, 0.10)),
        Reason("half_up", 1, "aligned up in the discount half", (0.01, 0.15)),
        Reason("half_down", -1, "aligned down in the premium half", (0.01, 0.15)),
        Reason("blocks_up", 1, "aligned up with untouched bullish blocks", (0.005, 0.35)),
        Reason("blocks_down", -1, "aligned down with untouched bearish blocks", (0.005, 0.35)),
        Reason("breaker_up", 1, "a breaker held as support", (0.01, 0.20)),
        Reason("breaker_down", -1, "a breaker held as resistance", (0.01, 0.20)),
        Reason("conflicted", 0, "the timeframes disagree", (0.40, 0.95)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.08, 0.60)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ()

    pivot_bars: int = 5
    weight_bars: float = 0.2
    weight_4h: float = 0.3
    weight_1d: float = 0.3
    weight_1w: float = 0.2
    aligned_share: float = 0.75
    minimum_coverage: float = 0.6
    range_bars: int = 50
    breaker_validity_bars: int = 5

    def __post_init__(self) -> None:
        check_weights(
            self.name,
            weight_bars=self.weight_bars,
            weight_4h=self.weight_4h,
            weight_1d=self.weight_1d,
            weight_1w=self.weight_1w,
        )
        check_range(
            self.name,
            0.0,
            1.0,
            aligned_share=self.aligned_share,
            minimum_coverage=self.minimum_coverage,
        )
        check_lengths(
            self.name,
            pivot_bars=self.pivot_bars,
            range_bars=self.range_bars,
            breaker_validity_bars=self.breaker_validity_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Trend of every timeframe; range position, blocks and breakers of the decision bars."""
        bars = self.pivot_bars
        trends = {
            f"{output}@{clock}": feature("market_trend", output, clock=clock, left=bars, right=bars)
            for clock in CLOCKS
            for output in ("trend", "known")
        }
        return {
            **trends,
            "position": feature("dealing_range", "rolling_position", length=self.range_bars),
            "bullish_blocks": feature("order_block", "bullish_unmitigated", left=bars, right=bars),
            "bearish_blocks": feature("order_block", "bearish_unmitigated", left=bars, right=bars),
            "breaker_touch": feature("order_block", "breaker_touch", left=bars, right=bars),
        }

    def detections(self) -> Mapping[str, Detection]:
        """The events that the votes follow from."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The shared trend where the timeframes are aligned, else a breaker's side, else nothing."""
        needed = ("trend@bars", "position", "bullish_blocks", "bearish_blocks", "breaker_touch")
        if not inputs.has(*needed):
            return HeadOutput.absent(inputs.rows)
        majority, share, mean, coverage = self._alignment(inputs)
        known = (coverage >= self.minimum_coverage - ROUNDING) & ~np.isnan(inputs["position"])
        aligned = known & (majority != 0) & (share >= self.aligned_share - ROUNDING)
        trend = np.where(aligned, majority, 0.0)
        touch = held(inputs["breaker_touch"], self.breaker_validity_bars)
        breaker = np.where(known, touch, 0.0)
        # Mirrored for shorts: how far price stands from the cheap end of its range.
        price = np.where(trend > 0, inputs["position"], 1.0 - inputs["position"])
        half = aligned & (price < DISCOUNT)
        quadrant = aligned & (price <= DISCOUNT_QUADRANT)
        blocks = np.where(trend > 0, inputs["bullish_blocks"], inputs["bearish_blocks"])
        blocks = np.where(blocks > 0, blocks, 0.0)
        confidence = _confidence(share, half, quadrant, blocks)
        flags = {"conflicted": known & ~aligned}
        for suffix, side in (("up", 1), ("down", -1)):
            flags[f"aligned_{suffix}"] = trend == side
            flags[f"right_zone_{suffix}"] = quadrant & (trend == side)
            flags[f"half_{suffix}"] = half & (trend == side)
            flags[f"blocks_{suffix}"] = (blocks > 0) & (trend == side)
            flags[f"breaker_{suffix}"] = breaker == side
        return HeadOutput.from_votes(
            direction=np.where(aligned, trend, breaker),
            probability=np.where(aligned, np.minimum(0.9, 0.7 + 0.2 * share), 0.75),
            confidence=np.where(aligned, confidence, 0.75),
            score=np.clip(50.0 + 50.0 * mean, 0.0, 100.0),
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _weights(self) -> dict[str, float]:
        weights = (self.weight_bars, self.weight_4h, self.weight_1d, self.weight_1w)
        return dict(zip(CLOCKS, weights, strict=True))

    def _alignment(self, inputs: HeadInputs) -> tuple[Float1D, Float1D, Float1D, Float1D]:
        """Majority side, its share, weighted mean trend and coverage of the known timeframes."""
        up, down, known = np.zeros(inputs.rows), np.zeros(inputs.rows), np.zeros(inputs.rows)
        for clock, weight in self._weights().items():
            trend, state = inputs.get(f"trend@{clock}"), inputs.get(f"known@{clock}")
            if trend is None or state is None:
                continue
            up += weight * (trend > 0)
            down += weight * (trend < 0)
            known += weight * (state > 0)
        divisor = np.where(known > 0, known, 1.0)
        majority = np.sign(up - down)
        coverage = np.clip(known / sum(self._weights().values()), 0.0, 1.0)
        return majority, np.maximum(up, down) / divisor, (up - down) / divisor, coverage


def _confidence(share: Float1D, half: np.ndarray, quadrant: np.ndarray, blocks: Float1D) -> Float1D:
    """Confidence of an aligned vote (SPEC H8.5)."""
    base = np.clip(0.85 + 0.05 * (share - 0.75) / 0.25, 0.0, 0.9)
    base = np.where(half, np.maximum(base, np.minimum(1.03 * base, 0.88)), base)
    base = np.where(quadrant, 0.90, base)
    return np.minimum(0.92, base + 0.02 * blocks)
