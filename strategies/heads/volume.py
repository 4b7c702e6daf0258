"""The volume head: delta, money flow, price on its volume and divergences, scored and averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final, Literal

import numpy as np

from engine import ConfigError, Float1D
from indicators import Detection, Feature, feature
from indicators.volume_delta import CLOCK, CLOSE_LOCATION, TAKER_COLUMNS, TRADES

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
from ..contributions import Contribution, contribution_table, known_share
from ..events import held
from ..scoring import agreement_confidence, bounded, column_or_nan, column_or_zero, side_of
from ..volume_signals import (
    COMPONENT_WEIGHTS,
    alpha_pulse_signals,
    best_delta,
    prism_signals,
)

LONG_BAR_DEVIATION_ROWS: Final = 50
"""Rows of the deviation that turns are measured against on longer bars: two months of days."""
HIGHEST_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class VolumeHead:
    """Votes with the weighted mean *s* of its components, in [0, 1] (SPEC H3).

    LONG when ``s >= threshold``, SHORT when ``s <= 1 - threshold``; probability is *s* or ``1 - s``;
    confidence is ``0.5 + 0.25 (2 share - 1) + 0.25 min(1, 4 |s - 1/2|)`` as in the technical head,
    ``share`` being the part of the components on the vote's side. A regular CVD divergence of the last
    ``divergence_bars`` bars adds ``divergence_bonus`` where it supports the vote. Clipped to
    [0, 0.95].

    ``preset="alpha_pulse"``, each in [0, 1]:

    ==============  ====================================================================
    delta           ``1/2 + tanh(d / k) / 2``, d = (bought - sold) / volume over
                    ``delta_length``, k = ``delta_scale`` from trades and taker columns,
                    ``estimated_delta_scale`` from estimates
    taker           the same over ``taker_length`` bars, never from estimates, k = 0.2
    obv             ``1/2 + tanh(z / 2) / 2``
    vwap            ``1/2 + tanh(3 x) (1 - |x|) / 4``, x = deviation / 2 clipped to [-1, 1];
                    of 7 days, 24 hours and the day so far, .40, .35 and .25
    volume_profile  the indicator's score over ``profile_hours``
    cmf             ``1/2 + tanh(cmf / 0.15) / 2``
    adl             ``1/2 + tanh(z) / 2``
    force           ``1/2 + tanh(balance / 0.5) / 2``; emv likewise
    ==============  ====================================================================

    ``preset="prism"``, f being ``min(1, ADX / 25)``:

    ==============  ====================================================================
    delta           ``1/2 + f (2 share of buying - 1)``, clipped to [0, 1]
    obv, adl        as above
    cmf             the indicator's score of the smoothed flow
    rvol            the indicator's score
    divergence      ``1/2 + f tanh(D / 2) / 2``, D = sum of the signed strengths of valid
                    divergences; of bars of a day, of 4 hours and of the decision bars (with
                    CVD), .40, .35 and .25
    ==============  ====================================================================

    Delta comes from trades, else from the taker columns, else from the close location
    (``indicators.volume_delta``), and a reason names the source; the estimate counts only in part for
    coverage. A component that is unknown drops out and the
    others are scaled up; below ``minimum_coverage``, and before OBV is known (its window, 100 rows),
    there is no vote. Coverage is .85 where the delta is estimated (.90 in ``prism``), so that a
    ``minimum_coverage`` above that refuses the estimate. Bars of a day or of 4 hours that are not
    longer than the decision bars are left out. ``spike_ratio``, ``spike_days`` and ``spike_least_z``
    decide reasons, not votes.
    """

    name: ClassVar[str] = "volume"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "threshold": Range(0.52, 0.70),
        "delta_length": Range(5, 100, integer=True),
        "delta_scale": Range(0.02, 0.30, log=True),
        "cmf_length": Range(10, 40, integer=True),
        "profile_hours": Range(6, 720, integer=True, log=True),
        "profile_bin": Range(0.0005, 0.005, log=True),
        "value_area": Range(0.60, 0.80),
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
        Reason("value_area_up", 1, "close above the value area", (0.05, 0.35)),
        Reason("value_area_down", -1, "close below the value area", (0.05, 0.35)),
        Reason("low_volume_node_up", 1, "crossed a low-volume node upwards", (0.0002, 0.03)),
        Reason("low_volume_node_down", -1, "crossed a low-volume node", (0.0002, 0.03)),
        Reason("spike_up", 1, "volume at spike_ratio, close up", (0.01, 0.10)),
        Reason("spike_down", -1, "volume at spike_ratio, close down", (0.01, 0.10)),
        Reason("seasonal_spike_up", 1, "unusual for the time of day, close up", (0.0003, 0.04)),
        Reason("seasonal_spike_down", -1, "unusual for the time, close down", (0.0003, 0.04)),
        Reason("extreme_spike", 0, "five times what is usual for the time", (0.0, 0.02)),
        Reason("cvd_divergence_up", 1, "regular bullish CVD divergence, recent", (0.02, 0.35)),
        Reason("cvd_divergence_down", -1, "regular bearish CVD divergence, recent", (0.02, 0.35)),
        Reason("divergence_up", 1, "bullish divergences of two measures or more", (0.02, 0.35)),
        Reason("divergence_down", -1, "bearish divergences of two measures or more", (0.02, 0.35)),
        Reason("delta_of_trades", 0, "volume delta from trades", (0.0, 1.0)),
        Reason("delta_of_takers", 0, "volume delta from the taker columns", (0.0, 1.0)),
        Reason("delta_estimated", 0, "volume delta from the place of the close", (0.0, 1.0)),
        Reason("cvd_of_trades", 0, "CVD divergences from trades", (0.0, 1.0)),
        Reason("cvd_of_takers", 0, "CVD divergences from the taker columns", (0.0, 1.0)),
        Reason("cvd_estimated", 0, "CVD divergences from the place of the close", (0.0, 1.0)),
        Reason("low_coverage", 0, "too little known to vote", (0.0, 0.05)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.40, 0.85)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = ({"preset": "prism"},)

    preset: Literal["alpha_pulse", "prism"] = "alpha_pulse"
    threshold: float = 0.55
    minimum_coverage: float = 0.60
    delta_length: int = 20
    delta_scale: float = 0.10
    estimated_delta_scale: float = 0.30
    taker_length: int = 5
    cmf_length: int = 20
    rvol_length: int = 20
    profile_hours: int = 24
    profile_bin: float = 0.001
    value_area: float = 0.70
    spike_ratio: float = 2.0
    spike_days: int = 20
    spike_least_z: float = 3.0
    divergence_bars: int = 10
    divergence_bonus: float = 0.15

    def __post_init__(self) -> None:
        if self.preset not in COMPONENT_WEIGHTS:
            raise ConfigError(
                f"{self.name} head: preset={self.preset!r} must be one of {sorted(COMPONENT_WEIGHTS)}"
            )
        check_range(self.name, 0.5, 1.0, threshold=self.threshold)
        check_range(
            self.name,
            0.0,
            1.0,
            minimum_coverage=self.minimum_coverage,
            divergence_bonus=self.divergence_bonus,
            value_area=self.value_area,
        )
        check_range(
            self.name,
            SMALLEST_SCALE,
            inf,
            delta_scale=self.delta_scale,
            estimated_delta_scale=self.estimated_delta_scale,
            profile_bin=self.profile_bin,
        )
        check_range(
            self.name, 0.0, inf, spike_ratio=self.spike_ratio, spike_least_z=self.spike_least_z
        )
        check_lengths(
            self.name,
            delta_length=self.delta_length,
            taker_length=self.taker_length,
            cmf_length=self.cmf_length,
            rvol_length=self.rvol_length,
            profile_hours=self.profile_hours,
            spike_days=self.spike_days,
            divergence_bars=self.divergence_bars,
        )

    def features(self) -> Mapping[str, Feature]:
        """Indicators of the decision bars, beside trades where there are any, and for ``prism`` of
        longer bars.
        """
        delta, cmf = self.delta_length, self.cmf_length
        rvol = {"length": self.rvol_length, "spike": self.spike_ratio}
        usual = {"days": self.spike_days, "least_z": self.spike_least_z}
        profile = {
            "hours": self.profile_hours,
            "bin": self.profile_bin,
            "value_area": self.value_area,
        }
        wanted = {
            "delta": feature("volume_delta", "ratio", clock=CLOCK, length=delta),
            "delta_source": feature("volume_delta", "source", clock=CLOCK, length=delta),
            "obv": feature("obv", "z"),
            "spike": feature("rvol", "spike", clock="bars", **rvol),
            "cmf": feature("cmf", "cmf", length=cmf),
            "adl": feature("adl", "z"),
            "seasonal_spike": feature("volume_spike", "spike", clock="bars", **usual),
            "seasonal_tier": feature("volume_spike", "tier", clock="bars", **usual),
            "cvd_divergence": feature("cvd_divergence", "regular", clock=CLOCK),
            "cvd_source": feature("cvd_divergence", "source", clock=CLOCK),
            "divergence": feature("divergence_balance", "balance", validity=self.divergence_bars),
            "force": feature("force", "balance"),
            "vwap": feature("session_vwap", "deviation"),
            "profile_position": feature("volume_profile", "position", clock="bars", **profile),
            "in_value_area": feature("volume_profile", "in_value_area", clock="bars", **profile),
            "node_cross": feature("volume_profile", "lvn_cross", clock="bars", **profile),
        }
        if self.preset == "prism":
            longer = {"deviation_length": LONG_BAR_DEVIATION_ROWS}
            return {
                **wanted,
                "rvol": feature("rvol", "score", clock="bars", **rvol),
                "cmf_score": feature("cmf", "score", length=cmf),
                "adx": feature("adx", "adx"),
                "cvd_hidden": feature("cvd_divergence", "hidden", clock=CLOCK),
                "cvd_strength": feature("cvd_divergence", "strength", clock=CLOCK),
                "divergence_4h": feature(
                    "divergence_balance", "balance", clock="bars:4h", **longer
                ),
                "divergence_1d": feature(
                    "divergence_balance", "balance", clock="bars:1d", **longer
                ),
            }
        return {
            **wanted,
            "taker": feature("volume_delta", "ratio", clock=CLOCK, length=self.taker_length),
            "taker_source": feature(
                "volume_delta", "source", clock=CLOCK, length=self.taker_length
            ),
            "vwap_24h": feature("rolling_vwap", "deviation", hours=24),
            "vwap_7d": feature("rolling_vwap", "deviation", hours=168),
            "profile": feature("volume_profile", "score", clock="bars", **profile),
            "emv": feature("emv", "balance"),
        }

    def contributions(self, inputs: HeadInputs) -> tuple[Contribution, ...]:
        """Every component of the preset on every bar; weights are those of ``COMPONENT_WEIGHTS``."""
        ratio, quality = best_delta(inputs)
        if self.preset == "prism":
            signals = prism_signals(inputs, ratio, self.divergence_bars)
        else:
            signals = alpha_pulse_signals(inputs, self._delta_signal(ratio, quality))
        return tuple(
            Contribution(
                name=name,
                group="",
                score=100.0 * np.clip(signals[name], 0.0, 1.0),
                weight=np.full(inputs.rows, weight),
                adjustment=np.zeros(inputs.rows),
            )
            for name, weight in COMPONENT_WEIGHTS[self.preset].items()
        )

    def detections(self) -> Mapping[str, Detection]:
        """None: this head measures, it looks for no events."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """Direction, probability, confidence, score, coverage and reasons on every bar."""
        parts = self.contributions(inputs)
        total = contribution_table(parts).total
        # The total of a hundred times shares that add up to 1 may end one rounding above it.
        mean = np.minimum(total / 100.0, 1.0)
        ratio, quality = best_delta(inputs)
        untrusted = COMPONENT_WEIGHTS[self.preset]["delta"] * (1.0 - quality)
        coverage = np.maximum(known_share(parts) - np.where(np.isnan(ratio), 0.0, untrusted), 0.0)
        known = (coverage >= self.minimum_coverage) & ~np.isnan(column_or_nan(inputs, "obv"))
        side = np.where(known, side_of(mean, self.threshold), np.int8(0))
        divergence = held(column_or_zero(inputs, "cvd_divergence"), self.divergence_bars)
        confidence = agreement_confidence(mean, side, (part.score / 100.0 for part in parts))
        confidence = confidence + np.where(side * divergence > 0, self.divergence_bonus, 0.0)
        flags = self._flags(inputs, ratio, quality, divergence)
        delta_source = np.where(np.isnan(ratio), 0.0, column_or_zero(inputs, "delta_source"))
        for made, source in (
            ("delta", delta_source),
            ("cvd", column_or_zero(inputs, "cvd_source")),
        ):
            flags[f"{made}_of_trades"] = source == TRADES
            flags[f"{made}_of_takers"] = source == TAKER_COLUMNS
            flags[f"{made}_estimated"] = source == CLOSE_LOCATION
        flags["low_coverage"] = coverage < self.minimum_coverage
        return HeadOutput.from_votes(
            direction=side,
            probability=np.where(side > 0, mean, 1.0 - mean),
            confidence=np.clip(confidence, 0.0, HIGHEST_CONFIDENCE),
            score=np.minimum(total, 100.0),
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _delta_signal(self, ratio: Float1D, quality: Float1D) -> Float1D:
        scale = np.where(quality < 1.0, self.estimated_delta_scale, self.delta_scale)
        return bounded(2.0 * ratio - 1.0, scale)

    def _flags(
        self, inputs: HeadInputs, ratio: Float1D, quality: Float1D, divergence: Float1D
    ) -> dict[str, np.ndarray]:
        def column(alias: str) -> Float1D:
            return column_or_nan(inputs, alias)

        outside = column_or_nan(inputs, "in_value_area") == 0
        flags = {"extreme_spike": column_or_zero(inputs, "seasonal_tier") >= 3.0}
        lean = 0.5 * np.tanh(0.5)
        delta = self._delta_signal(ratio, quality)
        for suffix, side in (("up", 1.0), ("down", -1.0)):
            money = (side * column("cmf") >= 0.05) & (side * column("adl") > 0)
            flags[f"delta_{suffix}"] = side * (delta - 0.5) >= lean
            flags[f"money_flow_{suffix}"] = money
            flags[f"obv_{suffix}"] = side * column("obv") >= 1.0
            flags[f"force_{suffix}"] = side * column("force") >= 0.25
            flags[f"vwap_{suffix}"] = side * column("vwap") >= 1.0
            flags[f"value_area_{suffix}"] = outside & (side * column("profile_position") > 0)
            flags[f"low_volume_node_{suffix}"] = column_or_zero(inputs, "node_cross") == side
            flags[f"spike_{suffix}"] = column_or_zero(inputs, "spike") == side
            flags[f"seasonal_spike_{suffix}"] = column_or_zero(inputs, "seasonal_spike") == side
            flags[f"cvd_divergence_{suffix}"] = divergence == side
            flags[f"divergence_{suffix}"] = side * column("divergence") > 1.0
        return flags
