"""The market structure head: trends of several timeframes, where price stands, what is unmitigated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from engine import HOUR_NS, Float1D, timeframe_ns
from indicators import Detection, Feature, detection, feature

from ..base import (
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_choice,
    check_lengths,
    check_range,
    check_weights,
    reason_bits,
)
from ..events import held
from ..structure_parameters import (
    block_parameters,
    break_parameters,
    check_structure_modes,
    swing_detection,
    swing_parameters,
)

TIMEFRAMES: Final = ("5m", "15m", "1h", "4h", "1d", "1w")
PRESETS: Final[Mapping[str, Mapping[str, float]]] = {
    "swing": {"1h": 0.2, "4h": 0.3, "1d": 0.3, "1w": 0.2},
    "prism": {"5m": 0.25, "15m": 0.35, "4h": 0.40},
    "equal": {"5m": 0.25, "15m": 0.25, "1h": 0.25, "4h": 0.25},
}
"""Weights of the timeframes (SPEC H8.2): S2's, S3's and C1's."""
DISCOUNT, DISCOUNT_QUADRANT = 0.45, 0.25
BOS_UP, CHOCH_UP, BOS_DOWN, CHOCH_DOWN = 1.0, 2.0, 3.0, 4.0
"""Codes of ``structure_break.newest``."""
MINOR_BARS, MAJOR_BARS = 5, 50
"""Sides of the internal and the major pivots of an inducement (SPEC H5.1)."""
HIGHEST = 0.92
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class MarketStructureHead:
    """Votes with the trend that most of the timeframes share (SPEC H8.1 to H8.5).

    A timeframe's trend is 1 for higher highs and lows of its alternating pivots, -1 for lower ones,
    else 0 (``trend_mode`` pivots); with ``breaks`` the side of its newest BOS or CHoCH; ``joint``
    asks the pivots first and the breaks where the pivots are mixed. ``share`` is the weight of the
    majority's trend over the weight of the timeframes that are known; at ``aligned_share`` or more
    they are aligned and ``p = min(.9, .7 + .2 share)``, ``c = .85 + .05 (share - .75) / .25``. In the
    dealing range (``range_mode``: the last ``range_bars`` bars, or the newest pivot pair), a long in
    the discount half (position under .45) or a short in the premium half (over .55) multiplies c by
    1.03, at most .88 unless it was more; in the outer quadrant it makes c .90. Each untouched order
    block of the vote's side adds .02, and an inducement of the last ``inducement_validity_bars`` bars
    ``inducement_bonus``, up to .92. Without alignment, the newest touch of a breaker of the last
    ``breaker_validity_bars`` bars votes alone with p = c = .75; otherwise the head is neutral.

    Which of the seed's two zone rules means what is our reading: "right zone" the outer quadrant,
    "same-side zone" the half. SPEC names inducement without a number; it counts like a block. SPEC's
    confidence of a conflicted head is not told, since a neutral answer has confidence 0. BOS and CHoCH
    of the decision bars are reasons, and vote through ``trend_mode``.

    Weights are those of ``preset``, with ``free`` the ``weight_...`` fields, whose defaults are S2's. A
    timeframe is the decision bars where these have its length, else bars rebuilt from them. One that
    is shorter than the decision bars, or no multiple of them, is missing and lowers the coverage for
    good: nothing is known inside a decision bar at its close but the bar. Coverage is the weight of
    the timeframes whose trend is known; below ``minimum_coverage`` there is no vote. So ``prism``
    wants decision bars of 5 minutes and ``equal`` at most 15; on 4h bars .8 of S2's weight is left,
    on daily bars .5, where the head abstains.

    Breaks, blocks and breakers are those of the decision bars: of pivots ``pivot_bars`` on each side
    or of directional changes (``swing_mode``), by closes or wicks (``break_mode``), with the whole
    candle or its body as zone (``block_zone``).
    """

    name: ClassVar[str] = "market_structure"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "pivot_bars": Range(3, 8, integer=True),
        "aligned_share": Range(0.6, 0.95),
        "breaker_validity_bars": Range(3, 30, integer=True),
        "inducement_validity_bars": Range(3, 30, integer=True),
        "weight_1h": Range(0.0, 1.0),
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
        Reason("inducement_up", 1, "minor lows swept over a standing major low", (0.01, 0.20)),
        Reason(
            "inducement_down", -1, "minor highs swept under a standing major high", (0.01, 0.20)
        ),
        Reason("bos_up", 1, "the newest break of structure goes on upwards", (0.15, 0.45)),
        Reason("bos_down", -1, "the newest break of structure goes on downwards", (0.15, 0.45)),
        Reason("choch_up", 1, "the newest break of structure turns up", (0.05, 0.35)),
        Reason("choch_down", -1, "the newest break of structure turns down", (0.05, 0.35)),
        Reason("conflicted", 0, "the timeframes disagree", (0.40, 0.95)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.08, 0.60)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"preset": "swing", "trend_mode": "breaks", "break_mode": "wick", "block_zone": "body"},
        # Bars of an hour know .40 and .50 of these weights.
        {"preset": "prism", "minimum_coverage": 0.3, "range_mode": "pivots"},
        {
            "preset": "equal",
            "minimum_coverage": 0.4,
            "swing_mode": "turns",
            "trend_mode": "joint",
        },
    )

    preset: Literal["free", "swing", "prism", "equal"] = "free"
    trend_mode: Literal["pivots", "breaks", "joint"] = "pivots"
    swing_mode: Literal["pivots", "turns"] = "pivots"
    break_mode: Literal["close", "wick"] = "close"
    block_zone: Literal["wick", "body"] = "wick"
    range_mode: Literal["rolling", "pivots"] = "rolling"
    pivot_bars: int = 5
    turn_atr: float = 2.5
    weight_5m: float = 0.0
    weight_15m: float = 0.0
    weight_1h: float = 0.2
    weight_4h: float = 0.3
    weight_1d: float = 0.3
    weight_1w: float = 0.2
    aligned_share: float = 0.75
    minimum_coverage: float = 0.6
    range_bars: int = 50
    breaker_validity_bars: int = 5
    inducement_validity_bars: int = 5
    inducement_bonus: float = 0.02

    def __post_init__(self) -> None:
        check_choice(self.name, ("free", *PRESETS), preset=self.preset)
        check_choice(self.name, ("pivots", "breaks", "joint"), trend_mode=self.trend_mode)
        check_structure_modes(self)
        check_choice(self.name, ("rolling", "pivots"), range_mode=self.range_mode)
        check_weights(
            self.name,
            weight_5m=self.weight_5m,
            weight_15m=self.weight_15m,
            weight_1h=self.weight_1h,
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
            inducement_bonus=self.inducement_bonus,
        )
        check_lengths(
            self.name,
            pivot_bars=self.pivot_bars,
            range_bars=self.range_bars,
            breaker_validity_bars=self.breaker_validity_bars,
            inducement_validity_bars=self.inducement_validity_bars,
        )

    def weights(self) -> dict[str, float]:
        """The weight of every timeframe that has one, by its name, shortest first."""
        if self.preset != "free":
            return dict(PRESETS[self.preset])
        weights = (
            self.weight_5m,
            self.weight_15m,
            self.weight_1h,
            self.weight_4h,
            self.weight_1d,
            self.weight_1w,
        )
        return {name: weight for name, weight in zip(TIMEFRAMES, weights, strict=True) if weight}

    def features(self) -> Mapping[str, Feature]:
        """Trend of every timeframe; range position, blocks, breaks and breakers of the decision bars."""
        breaks, blocks = break_parameters(self), block_parameters(self)
        trends: dict[str, Feature] = {}
        for clock in self._clocks():
            if self.trend_mode != "breaks":
                for output in ("trend", "known"):
                    trends[f"{output}@{clock}"] = feature(
                        "market_trend",
                        output,
                        clock=clock,
                        left=self.pivot_bars,
                        right=self.pivot_bars,
                    )
            if self.trend_mode != "pivots":
                trends[f"breaks@{clock}"] = feature("structure", "trend", clock=clock, **breaks)
        position = (
            feature("dealing_range", "rolling_position", length=self.range_bars)
            if self.range_mode == "rolling"
            else feature("dealing_range", "position", clock="bars", **swing_parameters(self))
        )
        return {
            **trends,
            "bar_hours": feature("bar_step", "hours"),
            "position": position,
            "bullish_blocks": feature("order_block", "bullish_unmitigated", clock="bars", **blocks),
            "bearish_blocks": feature("order_block", "bearish_unmitigated", clock="bars", **blocks),
            "breaker_touch": feature("order_block", "breaker_touch", clock="bars", **blocks),
            "inducement": feature("inducement", "event", minor=MINOR_BARS, major=MAJOR_BARS),
            "newest_break": feature("structure_break", "newest", clock="bars", **breaks),
        }

    def detections(self) -> Mapping[str, Detection]:
        """The tables of events that the votes follow from, by a short alias."""
        bars, breaks = self.pivot_bars, break_parameters(self)
        trends: dict[str, Detection] = {}
        for clock in self._clocks():
            if self.trend_mode != "breaks":
                trends[f"trend@{clock}"] = detection(
                    "market_trend", clock=clock, left=bars, right=bars
                )
            if self.trend_mode != "pivots" and clock != "bars":
                trends[f"structure@{clock}"] = detection("structure", clock=clock, **breaks)
        return {
            "swings": swing_detection(self),
            **trends,
            "structure": detection("structure", clock="bars", **breaks),
            "blocks": detection("order_block", clock="bars", **block_parameters(self)),
            "major_swings": detection("pivot", left=MAJOR_BARS, right=MAJOR_BARS),
            "inducements": detection("inducement", minor=MINOR_BARS, major=MAJOR_BARS),
        }

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The shared trend where the timeframes are aligned, else a breaker's side, else nothing."""
        needed = (alias for alias in self.features() if "@" not in alias)
        if not inputs.has(*needed):
            return HeadOutput.absent(inputs.rows)
        majority, share, mean, coverage = self._alignment(inputs)
        known = (coverage >= self.minimum_coverage - ROUNDING) & ~np.isnan(inputs["position"])
        aligned = known & (majority != 0) & (share >= self.aligned_share - ROUNDING)
        trend = np.where(aligned, majority, 0.0)
        touch = held(inputs["breaker_touch"], self.breaker_validity_bars)
        breaker = np.where(known, touch, 0.0)
        induced = held(inputs["inducement"], self.inducement_validity_bars)
        # Mirrored for shorts: how far price stands from the cheap end of its range.
        price = np.where(trend > 0, inputs["position"], 1.0 - inputs["position"])
        half = aligned & (price < DISCOUNT)
        quadrant = aligned & (price <= DISCOUNT_QUADRANT)
        blocks = np.where(trend > 0, inputs["bullish_blocks"], inputs["bearish_blocks"])
        blocks = np.where(blocks > 0, blocks, 0.0)
        bonus = 0.02 * blocks + self.inducement_bonus * (aligned & (induced == trend))
        flags = {"conflicted": known & ~aligned}
        newest = inputs["newest_break"]
        for suffix, side, bos, choch in (
            ("up", 1, BOS_UP, CHOCH_UP),
            ("down", -1, BOS_DOWN, CHOCH_DOWN),
        ):
            flags[f"aligned_{suffix}"] = trend == side
            flags[f"right_zone_{suffix}"] = quadrant & (trend == side)
            flags[f"half_{suffix}"] = half & (trend == side)
            flags[f"blocks_{suffix}"] = (blocks > 0) & (trend == side)
            flags[f"breaker_{suffix}"] = breaker == side
            flags[f"inducement_{suffix}"] = known & (induced == side)
            flags[f"bos_{suffix}"] = known & (newest == bos)
            flags[f"choch_{suffix}"] = known & (newest == choch)
        return HeadOutput.from_votes(
            direction=np.where(aligned, trend, breaker),
            probability=np.where(aligned, np.minimum(0.9, 0.7 + 0.2 * share), 0.75),
            confidence=np.where(aligned, _confidence(share, half, quadrant, bonus), 0.75),
            score=np.clip(50.0 + 50.0 * mean, 0.0, 100.0),
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _clocks(self) -> tuple[str, ...]:
        """The decision bars, which may be any of the timeframes, and the longer bars of the others."""
        return ("bars", *(f"bars:{timeframe}" for timeframe in self.weights()))

    def _trend_on(self, inputs: HeadInputs, clock: str) -> tuple[Float1D, Float1D] | None:
        """Trend on ``clock`` and whether it is known, as 1 and 0; None where there are no such bars."""
        broken = inputs.get(f"breaks@{clock}")
        if self.trend_mode == "breaks":
            return None if broken is None else (broken, (broken != 0).astype(np.float64))
        trend, known = inputs.get(f"trend@{clock}"), inputs.get(f"known@{clock}")
        if trend is None or known is None:
            return None
        if self.trend_mode == "joint" and broken is not None:
            trend = np.where(trend != 0, trend, broken)
        return trend, (known > 0).astype(np.float64)

    def _alignment(self, inputs: HeadInputs) -> tuple[Float1D, Float1D, Float1D, Float1D]:
        """Majority side, its share, weighted mean trend and coverage of the known timeframes."""
        up, down, known = np.zeros(inputs.rows), np.zeros(inputs.rows), np.zeros(inputs.rows)
        weights = self.weights()
        decision = self._trend_on(inputs, "bars")
        for timeframe, weight in weights.items():
            found = self._trend_on(inputs, f"bars:{timeframe}")
            there: Float1D = np.ones(inputs.rows)
            if found is None and decision is not None:
                found = decision
                there = (inputs["bar_hours"] == timeframe_ns(timeframe) / HOUR_NS).astype(
                    np.float64
                )
            if found is None:
                continue
            trend, is_known = found
            counted = weight * there * is_known
            up += counted * (trend > 0)
            down += counted * (trend < 0)
            known += counted
        divisor = np.where(known > 0, known, 1.0)
        majority = np.sign(up - down)
        coverage = np.clip(known / sum(weights.values()), 0.0, 1.0)
        return majority, np.maximum(up, down) / divisor, (up - down) / divisor, coverage


def _confidence(share: Float1D, half: np.ndarray, quadrant: np.ndarray, bonus: Float1D) -> Float1D:
    """Confidence of an aligned vote (SPEC H8.5), with what blocks and inducement add."""
    base = np.clip(0.85 + 0.05 * (share - 0.75) / 0.25, 0.0, 0.9)
    base = np.where(half, np.maximum(base, np.minimum(1.03 * base, 0.88)), base)
    base = np.where(quadrant, 0.90, base)
    return np.minimum(HIGHEST, base + bonus)
