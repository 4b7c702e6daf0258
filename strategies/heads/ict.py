"""The ICT head: liquidity raids, order blocks, price gaps and entries, by the New York clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final

import numpy as np

from engine import Float1D
from indicators import Detection, Feature, feature

from ..base import HeadInputs, HeadOutput, Range, Reason, check_lengths, check_range, reason_bits
from ..events import at_event, event_row, held

POINTS: Final = {
    "entry": 1.0,
    "judas": 1.0,
    "sweep": 2.0,
    "block": 1.0,
    "gap": 1.0,
}
"""What each family adds to its side (SPEC H5.9) and weighs in the coverage."""
LONDON, NEW_YORK_AM, LONDON_CLOSE = 2.0, 3.0, 4.0
"""Codes of ``kill_zone.zone``; the Asian zone has no multiplier of its own."""
HIGHEST = 0.95
SWEEP_FACTOR = 1.2


@dataclass(frozen=True, slots=True)
class IctHead:
    """Counts the newest signals of five families, each valid for some bars (SPEC H5.9).

    Families and points: optimal trade entry 1, Judas swing 1, liquidity sweep 2, touch of an order
    block or balanced range with the trend of structure 1, reaction at the middle of a fair value gap
    1. The side with more points votes; none on a tie. ``p = min(.95, .6 + .1 points)``; ``c`` is the
    mean confidence of that side's signals (a sweep's times 1.2, at most .95) times the kill zone's
    multiplier, applied once, at most .95.

    SPEC gives the sweep's confidence; the others are stated here: .75 for an entry,
    ``.65 + .25 min(1, strength)`` for a Judas swing, .70 for a touch and for a reaction. The
    multiplier is that of the zone in which the bar opens. Nothing is voted for ``warm_up_bars``
    rows, nor by a family whose levels are not there yet; coverage is the points of the others. On
    bars of more than an hour there are no sessions: the Judas swing drops out of the coverage, and
    no kill zone multiplies.
    """

    name: ClassVar[str] = "ict"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "pivot_bars": Range(3, 8, integer=True),
        "entry_validity_bars": Range(3, 30, integer=True),
        "judas_validity_bars": Range(3, 30, integer=True),
        "sweep_validity_bars": Range(3, 30, integer=True),
        "touch_validity_bars": Range(3, 30, integer=True),
        "gap_validity_bars": Range(3, 30, integer=True),
        "sweep_epsilon_atr": Range(0.0, 0.2),
        "gap_min_size_atr": Range(0.0, 0.5),
        "block_touches": Range(1, 3, integer=True),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("entry_up", 1, "pull-back into 62 to 79 % of a rising leg", (0.005, 0.10)),
        Reason("entry_down", -1, "pull-back into 62 to 79 % of a falling leg", (0.005, 0.10)),
        Reason("judas_up", 1, "raid under a session's low failed", (0.01, 0.12)),
        Reason("judas_down", -1, "raid over a session's high failed", (0.01, 0.12)),
        Reason("sweep_up", 1, "liquidity under lows swept", (0.04, 0.30)),
        Reason("sweep_down", -1, "liquidity over highs swept", (0.04, 0.30)),
        Reason("block_up", 1, "order block touched in a rising structure", (0.005, 0.15)),
        Reason("block_down", -1, "order block touched in a falling structure", (0.005, 0.15)),
        Reason("balanced_up", 1, "balanced range touched in a rising structure", (0.002, 0.15)),
        Reason("balanced_down", -1, "balanced range touched in a falling structure", (0.002, 0.15)),
        Reason("gap_up", 1, "reaction at the middle of a bullish gap", (0.02, 0.25)),
        Reason("gap_down", -1, "reaction at the middle of a bearish gap", (0.02, 0.25)),
        Reason("kill_zone", 0, "the bar opens in a kill zone", (0.25, 0.45)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.30, 0.85)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ()

    pivot_bars: int = 5
    entry_validity_bars: int = 6
    judas_validity_bars: int = 6
    sweep_validity_bars: int = 4
    touch_validity_bars: int = 4
    gap_validity_bars: int = 4
    sweep_epsilon_atr: float = 0.05
    gap_min_size_atr: float = 0.1
    block_touches: int = 1
    entry_confidence: float = 0.75
    touch_confidence: float = 0.70
    gap_confidence: float = 0.70
    london_multiplier: float = 1.10
    new_york_multiplier: float = 1.20
    london_close_multiplier: float = 1.05
    silver_bullet_multiplier: float = 1.10
    warm_up_bars: int = 150

    def __post_init__(self) -> None:
        check_lengths(
            self.name,
            pivot_bars=self.pivot_bars,
            entry_validity_bars=self.entry_validity_bars,
            judas_validity_bars=self.judas_validity_bars,
            sweep_validity_bars=self.sweep_validity_bars,
            touch_validity_bars=self.touch_validity_bars,
            gap_validity_bars=self.gap_validity_bars,
            block_touches=self.block_touches,
        )
        check_range(
            self.name,
            0.0,
            1.0,
            entry_confidence=self.entry_confidence,
            touch_confidence=self.touch_confidence,
            gap_confidence=self.gap_confidence,
        )
        check_range(
            self.name,
            0.0,
            inf,
            sweep_epsilon_atr=self.sweep_epsilon_atr,
            gap_min_size_atr=self.gap_min_size_atr,
            london_multiplier=self.london_multiplier,
            new_york_multiplier=self.new_york_multiplier,
            london_close_multiplier=self.london_close_multiplier,
            silver_bullet_multiplier=self.silver_bullet_multiplier,
            warm_up_bars=self.warm_up_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Events of the ICT families, and a level of each that tells when it can be known."""
        bars = self.pivot_bars

        def swept(output: str) -> Feature:
            epsilon = self.sweep_epsilon_atr
            return feature("liquidity_sweep", output, left=bars, right=bars, epsilon_atr=epsilon)

        def gap(indicator: str, output: str) -> Feature:
            return feature(indicator, output, min_size_atr=self.gap_min_size_atr)

        return {
            "entry": feature("optimal_trade_entry", "entry", left=bars, right=bars),
            "entry_known": feature("zigzag", "previous_low", left=bars, right=bars),
            "judas": feature("judas_swing", "judas"),
            "new_york_judas": feature("judas_swing", "new_york_judas"),
            "judas_strength": feature("judas_swing", "strength"),
            "judas_known": feature("judas_swing", "asian_high"),
            "sweep": swept("sweep"),
            "sweep_confidence": swept("confidence"),
            "block_touch": feature(
                "order_block", "touch", left=bars, right=bars, max_touches=self.block_touches
            ),
            "balanced_touch": gap("balanced_price_range", "touch"),
            "trend": feature("structure", "trend", left=bars, right=bars),
            "block_known": feature("structure", "broken_level", left=bars, right=bars),
            "gap_reaction": gap("fair_value_gap", "reaction"),
            "gap_known": gap("fair_value_gap", "bullish_distance_atr"),
            "kill_zone": feature("kill_zone", "zone"),
            "silver_bullet": feature("kill_zone", "silver_bullet"),
        }

    def detections(self) -> Mapping[str, Detection]:
        """The events that the votes follow from."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The side with more points among the signals that are still valid."""
        if not inputs.has(*self.features()):
            return HeadOutput.absent(inputs.rows)
        known = _known(inputs, self.warm_up_bars)
        confidences = self._confidences(inputs)
        known = {name: known[name] & ~np.isnan(confidences[name]) for name in POINTS}
        signals, balanced = self._signals(inputs, known)
        points = {side: np.zeros(inputs.rows) for side in (1, -1)}
        coverage = np.zeros(inputs.rows)
        for name, value in POINTS.items():
            coverage += value * known[name]
            for side, total in points.items():
                total += value * (signals[name] == side)
        direction = np.sign(points[1] - points[-1])
        winning = np.where(direction >= 0, points[1], points[-1])
        total, count = np.zeros(inputs.rows), np.zeros(inputs.rows)
        for name in POINTS:
            agrees = (signals[name] == direction) & (direction != 0)
            total += np.where(agrees, confidences[name], 0.0)
            count += agrees
        mean = total / np.maximum(count, 1.0)
        flags = {"kill_zone": inputs["kill_zone"] > 0}
        for suffix, side in (("up", 1), ("down", -1)):
            for name in ("entry", "judas", "sweep", "gap"):
                flags[f"{name}_{suffix}"] = signals[name] == side
            flags[f"block_{suffix}"] = (signals["block"] == side) & ~balanced
            flags[f"balanced_{suffix}"] = (signals["block"] == side) & balanced
        weight = sum(POINTS.values())
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.minimum(HIGHEST, 0.6 + 0.1 * winning),
            confidence=np.minimum(HIGHEST, mean * self._multiplier(inputs)),
            score=np.clip(50.0 + 50.0 * (points[1] - points[-1]) / weight, 0.0, 100.0),
            coverage=coverage / weight,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _signals(
        self, inputs: HeadInputs, known: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Float1D], np.ndarray]:
        """Each family's newest valid signal, and where that of the blocks is a balanced range."""
        judas = _joined(inputs["judas"], inputs["new_york_judas"])
        trend = inputs["trend"]
        block = np.where(inputs["block_touch"] == trend, inputs["block_touch"], 0.0)
        balanced = np.where(inputs["balanced_touch"] == trend, inputs["balanced_touch"], 0.0)
        touch = _joined(block, balanced)
        at_touch = event_row(touch, self.touch_validity_bars)
        signals = {
            "entry": held(inputs["entry"], self.entry_validity_bars),
            "judas": held(judas, self.judas_validity_bars),
            "sweep": held(inputs["sweep"], self.sweep_validity_bars),
            "block": held(touch, self.touch_validity_bars),
            "gap": held(inputs["gap_reaction"], self.gap_validity_bars),
        }
        signals = {name: np.where(known[name], signal, 0.0) for name, signal in signals.items()}
        return signals, (at_touch >= 0) & (block[np.maximum(at_touch, 0)] == 0)

    def _confidences(self, inputs: HeadInputs) -> dict[str, Float1D]:
        """Each family's confidence, as it was on the row of its newest event."""
        judas = _joined(inputs["judas"], inputs["new_york_judas"])
        strength = at_event(inputs["judas_strength"], judas, self.judas_validity_bars)
        swept = at_event(inputs["sweep_confidence"], inputs["sweep"], self.sweep_validity_bars)
        return {
            "entry": np.full(inputs.rows, self.entry_confidence),
            "judas": 0.65 + 0.25 * np.clip(strength, 0.0, 1.0),
            "sweep": np.clip(SWEEP_FACTOR * swept, 0.0, HIGHEST),
            "block": np.full(inputs.rows, self.touch_confidence),
            "gap": np.full(inputs.rows, self.gap_confidence),
        }

    def _multiplier(self, inputs: HeadInputs) -> Float1D:
        zone = np.ones(inputs.rows)
        for code, multiplier in (
            (LONDON, self.london_multiplier),
            (NEW_YORK_AM, self.new_york_multiplier),
            (LONDON_CLOSE, self.london_close_multiplier),
        ):
            zone[inputs["kill_zone"] == code] = multiplier
        silver = np.where(inputs["silver_bullet"] > 0, self.silver_bullet_multiplier, 1.0)
        highest: Float1D = np.maximum(zone, silver)
        return highest


def _known(inputs: HeadInputs, warm_up_bars: int) -> dict[str, np.ndarray]:
    """Rows on which each family can be judged."""
    warm = np.arange(inputs.rows) >= warm_up_bars
    return {
        "entry": warm & ~np.isnan(inputs["entry_known"]),
        "judas": warm & ~np.isnan(inputs["judas_known"]),
        "sweep": warm & ~np.isnan(inputs["sweep_confidence"]),
        "block": warm & ~np.isnan(inputs["block_known"]),
        "gap": warm & ~np.isnan(inputs["gap_known"]),
    }


def _joined(first: Float1D, second: Float1D) -> Float1D:
    """``first`` where it fires, else ``second``."""
    return np.where(first != 0, first, second)
