"""The ICT head: liquidity raids, order blocks, price gaps and entries, by the New York clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from engine import Bool1D, Float1D

from ..base import HeadInputs, HeadOutput, Range, Reason, reason_bits
from ..events import at_event, event_row, held
from ..ict_parameters import IctParameters

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
DISCOUNT, PREMIUM = 1.0, 3.0
"""Codes of ``dealing_range.zone``."""
HIGHEST = 0.95
SWEEP_FACTOR = 1.2


@dataclass(frozen=True, slots=True)
class IctHead(IctParameters):
    """Counts the newest signals of five families, each valid for some bars (SPEC H5.9).

    Families and points: optimal trade entry 1, Judas swing 1, liquidity sweep 2, touch of an order
    block or balanced range with the trend of structure 1, reaction at the middle of a fair value gap
    1. The side with more points votes; none on a tie. ``p = min(.95, .6 + .1 points)``; ``c`` is the
    mean confidence of that side's signals (a sweep's times 1.2, at most .95) times the kill zone's
    multiplier, applied once, at most .95.

    SPEC gives the sweep's confidence; the others are stated here: ``entry_confidence``,
    ``judas_confidence + judas_gain min(1, strength)``, ``touch_confidence`` and ``gap_confidence``.
    The multiplier is that of the zone in which the bar opens, or that of the silver bullet where it is
    higher; ``kill_zones`` chooses the table (the seed's has no London close, and its macros in place of
    the silver bullets). Saturdays and Sundays have no zones, sessions and Judas swings unless
    ``weekend``. Nothing is voted for ``warm_up_bars`` rows, nor by a family whose levels are not there
    yet; coverage is the points of the others. On bars of more than an hour there are no sessions: the
    Judas swing drops out of the coverage, and no kill zone multiplies.

    Swings are pivots of ``pivot_bars`` on each side, or the turns that a close confirms ``turn_atr``
    ATR behind them (``swing_mode``); they break by closes or wicks (``break_mode``), and a block is the
    whole candle or its body (``block_zone``). A Judas swing may have to come with a shift of structure
    (``judas_needs_shift``). Reasons only, which the vote of H5.9 does not count: shifts of structure
    (MSS), the side of the newest break of the major swings (pivots of ``major_bars`` on each side),
    premium and discount (``range_mode``: the newest swing pair, or the seed's last ``range_bars``
    bars), and what was special about a sweep.
    """

    SPACE: ClassVar[Mapping[str, Range]] = {
        "pivot_bars": Range(3, 8, integer=True),
        "entry_validity_bars": Range(3, 30, integer=True),
        "judas_validity_bars": Range(3, 30, integer=True),
        "sweep_validity_bars": Range(3, 30, integer=True),
        "touch_validity_bars": Range(3, 30, integer=True),
        "gap_validity_bars": Range(3, 30, integer=True),
        "sweep_epsilon_atr": Range(0.0, 0.2),
        "equal_width_atr": Range(0.05, 0.3),
        "judas_min_strength": Range(0.1, 1.0),
        "gap_min_size_atr": Range(0.0, 0.5),
        "gap_displacement_atr": Range(0.0, 2.0),
        "balanced_window_bars": Range(5, 60, integer=True),
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
        Reason("silver_bullet", 0, "the bar opens in a silver bullet or macro", (0.02, 0.12)),
        Reason("shift_up", 1, "structure shifted up with displacement", (0.005, 0.15)),
        Reason("shift_down", -1, "structure shifted down with displacement", (0.005, 0.15)),
        Reason("major_up", 1, "the newest break of the major swings goes up", (0.25, 0.70)),
        Reason("major_down", -1, "the newest break of the major swings goes down", (0.25, 0.70)),
        Reason("equal_swept", 0, "the newest sweep took equal lows or highs", (0.002, 0.10)),
        Reason("busy_sweep", 0, "the newest sweep had 1.5 times the volume", (0.01, 0.20)),
        Reason("discount", 0, "price stands in the lower part of its range", (0.2, 0.6)),
        Reason("premium", 0, "price stands in the upper part of its range", (0.2, 0.6)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.30, 0.85)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {
            "kill_zones": "seed",
            "swing_mode": "turns",
            "break_mode": "wick",
            "range_mode": "rolling",
        },
        {"weekend": True, "block_zone": "body", "judas_needs_shift": True},
    )

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
        weight = sum(POINTS.values())
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.minimum(HIGHEST, 0.6 + 0.1 * winning),
            confidence=np.minimum(HIGHEST, mean * self._multiplier(inputs)),
            score=np.clip(50.0 + 50.0 * (points[1] - points[-1]) / weight, 0.0, 100.0),
            coverage=coverage / weight,
            reasons=reason_bits(self._flags(inputs, known, signals, balanced), self.REASONS),
        )

    def _flags(
        self,
        inputs: HeadInputs,
        known: Mapping[str, Bool1D],
        signals: Mapping[str, Float1D],
        balanced: Bool1D,
    ) -> dict[str, Bool1D]:
        """The reasons: what argues for each side, and what it happened in."""
        newest = event_row(inputs["sweep"], self.sweep_validity_bars)
        swept = (newest >= 0) & known["sweep"]
        shift = np.where(known["block"], held(inputs["shift"], self.shift_validity_bars), 0.0)
        flags = {
            "kill_zone": inputs["kill_zone"] > 0,
            "silver_bullet": inputs["silver_bullet"] > 0,
            "equal_swept": swept & (inputs["sweep_equal"][newest] > 0),
            "busy_sweep": swept & (inputs["sweep_busy"][newest] > 0),
            "discount": inputs["range_zone"] == DISCOUNT,
            "premium": inputs["range_zone"] == PREMIUM,
        }
        for suffix, side in (("up", 1), ("down", -1)):
            flags[f"shift_{suffix}"] = shift == side
            flags[f"major_{suffix}"] = inputs["major_trend"] == side
            for name in ("entry", "judas", "sweep", "gap"):
                flags[f"{name}_{suffix}"] = signals[name] == side
            flags[f"block_{suffix}"] = (signals["block"] == side) & ~balanced
            flags[f"balanced_{suffix}"] = (signals["block"] == side) & balanced
        return flags

    def _signals(
        self, inputs: HeadInputs, known: Mapping[str, Bool1D]
    ) -> tuple[dict[str, Float1D], Bool1D]:
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
            "judas": np.minimum(
                HIGHEST, self.judas_confidence + self.judas_gain * np.clip(strength, 0.0, 1.0)
            ),
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


def _known(inputs: HeadInputs, warm_up_bars: int) -> dict[str, Bool1D]:
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
