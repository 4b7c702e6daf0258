"""The volume head: delta, money flow and price on its volume, scored and averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final

import numpy as np

from engine import Float1D
from indicators import Feature, feature

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
from ..scoring import (
    agreement_confidence,
    bounded,
    column_or_nan,
    column_or_zero,
    side_of,
    weighted_mean,
)

COMPONENT_WEIGHTS: Final = {
    "delta": 0.20,
    "obv": 0.15,
    "vwap": 0.15,
    "rvol": 0.12,
    "cmf": 0.10,
    "adl": 0.10,
    "force": 0.08,
    "emv": 0.05,
    "taker": 0.05,
}
"""Weights of preset B (SPEC H3) with relative volume in the place of the volume profile; sum 1."""
DELTA_SOURCES: Final = (("taker_delta", 1.0), ("close_location_delta", 0.5))
"""Ways to know the delta, best first, and what part of its weight each counts for in coverage.

Every bar has the columns of the second, so the third of SPEC H3, the colour, is never needed."""
HIGHEST_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class VolumeHead:
    """Votes with the weighted mean *s* of nine signals in [0, 1] (SPEC H3, preset B).

    LONG when ``s >= threshold``, SHORT when ``s <= 1 - threshold``; probability is *s* or ``1 - s``;
    confidence is ``0.5 + 0.25 (2 share - 1) + 0.25 min(1, 4 |s - 1/2|)`` as in the technical head,
    ``share`` being the part of the signals on the vote's side. A regular CVD divergence of the last
    ``divergence_bars`` bars adds ``divergence_bonus`` where it supports the vote. Clipped to
    [0, 0.95].

    ========  ==========================================================================
    delta     ``1/2 + tanh(d / k) / 2``, d = (bought - sold) / volume over ``delta_length``,
              k = ``delta_scale`` from taker columns, ``estimated_delta_scale`` otherwise
    taker     the same over ``taker_length`` bars, taker columns only, k = 0.2
    obv       ``1/2 + tanh(z / 2) / 2``
    vwap      ``1/2 + tanh(3 x) (1 - |x|) / 4``, x = deviation / 2 clipped to [-1, 1]
    rvol      the indicator's score
    cmf       ``1/2 + tanh(cmf / 0.15) / 2``
    adl       ``1/2 + tanh(z) / 2``
    force     ``1/2 + tanh(balance / 0.5) / 2``; emv likewise
    ========  ==========================================================================

    Delta comes from the taker columns, else from the close location; the
    estimate counts only in part for coverage and sets the reason ``delta_estimated``. A signal that
    is unknown drops out and the others are scaled up; below ``minimum_coverage``, and before OBV is
    known (its window, 100 rows), there is no vote. Coverage is .85 where the delta is estimated, so a
    ``minimum_coverage`` above that refuses the estimate. ``spike_ratio`` decides a reason, not a vote.
    """

    name: ClassVar[str] = "volume"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "threshold": Range(0.52, 0.70),
        "delta_length": Range(5, 100, integer=True),
        "delta_scale": Range(0.02, 0.30, log=True),
        "cmf_length": Range(10, 40, integer=True),
        "rvol_length": Range(10, 100, integer=True),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("delta_up", 1, "buyers ahead by half the delta scale", (0.001, 0.35)),
        Reason("delta_down", -1, "sellers ahead by half the delta scale", (0.001, 0.35)),
        Reason("money_flow_up", 1, "CMF at or above 0.05 and ADL above its mean", (0.10, 0.45)),
        Reason("money_flow_down", -1, "CMF at or below -0.05, ADL below its mean", (0.10, 0.45)),
        Reason("obv_up", 1, "OBV a deviation above its mean", (0.15, 0.45)),
        Reason("obv_down", -1, "OBV a deviation below its mean", (0.15, 0.45)),
        Reason("force_up", 1, "force balance at or above 0.25", (0.10, 0.45)),
        Reason("force_down", -1, "force balance at or below -0.25", (0.10, 0.45)),
        Reason("vwap_up", 1, "close a deviation above the day's VWAP", (0.10, 0.45)),
        Reason("vwap_down", -1, "close a deviation below the day's VWAP", (0.10, 0.45)),
        Reason("spike_up", 1, "volume at spike_ratio, close up", (0.01, 0.10)),
        Reason("spike_down", -1, "volume at spike_ratio, close down", (0.01, 0.10)),
        Reason("seasonal_spike_up", 1, "unusual for the time of day, close up", (0.0003, 0.04)),
        Reason("seasonal_spike_down", -1, "unusual for the time, close down", (0.0003, 0.04)),
        Reason("cvd_divergence_up", 1, "regular bullish CVD divergence, recent", (0.02, 0.35)),
        Reason("cvd_divergence_down", -1, "regular bearish CVD divergence, recent", (0.02, 0.35)),
        Reason("delta_estimated", 0, "no taker columns: always set there, else never", (0.0, 1.0)),
        Reason("low_coverage", 0, "too little known to vote", (0.0, 0.05)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.40, 0.85)

    threshold: float = 0.55
    minimum_coverage: float = 0.60
    delta_length: int = 20
    delta_scale: float = 0.10
    estimated_delta_scale: float = 0.30
    taker_length: int = 5
    cmf_length: int = 20
    rvol_length: int = 20
    spike_ratio: float = 2.0
    divergence_bars: int = 10
    divergence_bonus: float = 0.15

    def __post_init__(self) -> None:
        check_range(self.name, 0.5, 1.0, threshold=self.threshold)
        check_range(
            self.name,
            0.0,
            1.0,
            minimum_coverage=self.minimum_coverage,
            divergence_bonus=self.divergence_bonus,
        )
        check_range(
            self.name,
            SMALLEST_SCALE,
            inf,
            delta_scale=self.delta_scale,
            estimated_delta_scale=self.estimated_delta_scale,
        )
        check_range(self.name, 0.0, inf, spike_ratio=self.spike_ratio)
        check_lengths(
            self.name,
            delta_length=self.delta_length,
            taker_length=self.taker_length,
            cmf_length=self.cmf_length,
            rvol_length=self.rvol_length,
            divergence_bars=self.divergence_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Indicators of the decision bars; those on taker columns may be absent."""
        delta, rvol, spike = self.delta_length, self.rvol_length, self.spike_ratio
        return {
            "taker_delta": feature("taker_delta", "ratio", length=delta),
            "close_location_delta": feature("close_location_delta", "ratio", length=delta),
            "taker": feature("taker_delta", "ratio", length=self.taker_length),
            "obv": feature("obv", "z"),
            "vwap": feature("session_vwap", "deviation"),
            "rvol": feature("rvol", "score", length=rvol, spike=spike),
            "spike": feature("rvol", "spike", length=rvol, spike=spike),
            "cmf": feature("cmf", "cmf", length=self.cmf_length),
            "adl": feature("adl", "z"),
            "force": feature("force", "balance"),
            "emv": feature("emv", "balance"),
            "seasonal_spike": feature("volume_spike", "spike"),
            "cvd_divergence": feature("cvd_divergence", "regular"),
        }

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """Direction, probability, confidence, score, coverage and reasons on every bar."""
        ratio, quality = _delta(inputs)
        signals = self._signals(inputs, ratio, quality)
        score, coverage = weighted_mean(signals, COMPONENT_WEIGHTS, inputs.rows)
        known_delta = np.where(np.isnan(ratio), 0.0, COMPONENT_WEIGHTS["delta"])
        coverage = np.clip(coverage - known_delta * (1.0 - quality), 0.0, 1.0)
        known = (coverage >= self.minimum_coverage) & ~np.isnan(signals["obv"])
        side = np.where(known, side_of(score, self.threshold), np.int8(0))
        divergence = held(column_or_zero(inputs, "cvd_divergence"), self.divergence_bars)
        confidence = agreement_confidence(score, side, signals.values())
        confidence = confidence + np.where(side * divergence > 0, self.divergence_bonus, 0.0)
        flags = self._flags(inputs, signals, divergence)
        flags["delta_estimated"] = ~np.isnan(ratio) & (quality < 1.0)
        flags["low_coverage"] = coverage < self.minimum_coverage
        return HeadOutput.from_votes(
            direction=side,
            probability=np.where(side > 0, score, 1.0 - score),
            confidence=np.clip(confidence, 0.0, HIGHEST_CONFIDENCE),
            score=100.0 * score,
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _signals(self, inputs: HeadInputs, ratio: Float1D, quality: Float1D) -> dict[str, Float1D]:
        """Every component as a signal in [0, 1], 0.5 neutral, NaN where it is not known."""

        def column(alias: str) -> Float1D:
            return column_or_nan(inputs, alias)

        scale = np.where(quality < 1.0, self.estimated_delta_scale, self.delta_scale)
        away = np.clip(column("vwap") / 2.0, -1.0, 1.0)
        return {
            "delta": bounded(2.0 * ratio - 1.0, scale),
            "obv": bounded(column("obv"), 2.0),
            "vwap": 0.5 + 0.25 * np.tanh(3.0 * away) * (1.0 - np.abs(away)),
            "rvol": column("rvol") / 100.0,
            "cmf": bounded(column("cmf"), 0.15),
            "adl": bounded(column("adl")),
            "force": bounded(column("force"), 0.5),
            "emv": bounded(column("emv"), 0.5),
            "taker": bounded(2.0 * column("taker") - 1.0, 0.2),
        }

    def _flags(
        self, inputs: HeadInputs, signals: Mapping[str, Float1D], divergence: Float1D
    ) -> dict[str, np.ndarray]:
        flags: dict[str, np.ndarray] = {}
        lean = 0.5 * np.tanh(0.5)
        for suffix, side in (("up", 1.0), ("down", -1.0)):
            money = (side * column_or_nan(inputs, "cmf") >= 0.05) & (
                side * column_or_nan(inputs, "adl") > 0
            )
            flags[f"delta_{suffix}"] = side * (signals["delta"] - 0.5) >= lean
            flags[f"money_flow_{suffix}"] = money
            flags[f"obv_{suffix}"] = side * column_or_nan(inputs, "obv") >= 1.0
            flags[f"force_{suffix}"] = side * column_or_nan(inputs, "force") >= 0.25
            flags[f"vwap_{suffix}"] = side * column_or_nan(inputs, "vwap") >= 1.0
            flags[f"spike_{suffix}"] = column_or_zero(inputs, "spike") == side
            flags[f"seasonal_spike_{suffix}"] = column_or_zero(inputs, "seasonal_spike") == side
            flags[f"cvd_divergence_{suffix}"] = divergence == side
        return flags


def _delta(inputs: HeadInputs) -> tuple[Float1D, Float1D]:
    """Share of buying from the best source known on each row, and how far that source is trusted."""
    ratio, quality = np.full(inputs.rows, np.nan), np.zeros(inputs.rows)
    for alias, trust in DELTA_SOURCES:
        column = column_or_nan(inputs, alias)
        taken = np.isnan(ratio) & ~np.isnan(column)
        ratio = np.where(taken, column, ratio)
        quality = np.where(taken, trust, quality)
    return ratio, quality
