"""The technical head: trend, momentum and volatility indicators, scored and averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final, Literal

import numpy as np

from engine import ConfigError, Float1D
from indicators import Feature, feature

from ..base import HeadInputs, HeadOutput, Range, Reason, check_lengths, check_range, reason_bits
from ..scoring import (
    agreement_confidence,
    bounded,
    column_or_nan,
    quotient_or_zero,
    side_of,
    weighted_mean,
)

GROUP_WEIGHTS: Final = {"trend": 0.40, "momentum": 0.35, "volatility": 0.25}
COMPONENT_WEIGHTS: Final = {
    "trend": {
        "ema_cross": 0.15,
        "ma_stack": 0.10,
        "macd": 0.15,
        "adx": 0.12,
        "supertrend": 0.12,
        "hma": 0.10,
        "aroon": 0.10,
        "dema_tema": 0.08,
        "ichimoku": 0.08,
    },
    "momentum": {
        "rsi": 0.15,
        "stochastic": 0.12,
        "tsi": 0.12,
        "williams_r": 0.08,
        "cci": 0.08,
        "cmo": 0.10,
        "ppo": 0.10,
        "trix": 0.10,
        "ultimate_oscillator": 0.08,
        "ao": 0.07,
    },
    "volatility": {
        "bollinger": 0.25,
        "atr": 0.20,
        "donchian": 0.15,
        "keltner": 0.15,
        "mass_index": 0.12,
        "chandelier": 0.13,
    },
}
"""Weights of the AlphaPulse technical head (SPEC H1.4); each group sums to 1."""
NEUTRAL_COMPONENTS: Final = frozenset({"atr", "mass_index"})
"""Components without a direction: always 0.5, they only hold the score back."""
HIGHEST_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class TechnicalHead:
    """Votes with the weighted mean *s* of 25 signals in [0, 1] (SPEC H1.4 to H1.6).

    LONG when ``s >= threshold``, SHORT when ``s <= 1 - threshold``; probability is *s* or ``1 - s``.
    ``confidence_mode="default"``: ``0.5 + 0.25 (2 share - 1) + 0.25 min(1, 4 |s - 1/2|)``, where
    ``share`` is the part of the directional signals on the vote's side; ``"seed"``:
    ``0.6 (1 - 2 sigma) + 0.8 |s - 1/2|`` with sigma the deviation of the three group scores. Both
    are clipped to [0, 0.95].

    A signal whose indicator is unknown drops out and the weights of the others are scaled up;
    coverage is the weight that is known. There is no vote before the slow mean is known,
    ``slow_length`` rows, by when the recursive indicators have settled.

    Signals are oscillators over their range, or ``1/2 + tanh(x / k) / 2`` where x is a price
    difference in ATR and k its usual size; ``_signals`` lists them. CMO enters unsmoothed: in the
    smoothed form it is the RSI again.
    """

    name: ClassVar[str] = "technical"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "threshold": Range(0.52, 0.70),
        "rsi_length": Range(5, 30, integer=True),
        "stochastic_length": Range(5, 30, integer=True),
        "cci_length": Range(10, 40, integer=True),
        "fast_length": Range(6, 20, integer=True),
        "slow_ema_length": Range(21, 50, integer=True),
        "signal_length": Range(5, 15, integer=True),
        "adx_length": Range(7, 30, integer=True),
        "supertrend_length": Range(5, 20, integer=True),
        "supertrend_multiple": Range(1.5, 5.0),
        "channel_length": Range(10, 50, integer=True),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason("trend_up", 1, "trend score at or above the threshold", (0.25, 0.60)),
        Reason("trend_down", -1, "trend score at or below its mirror", (0.25, 0.60)),
        Reason("momentum_up", 1, "momentum score at or above the threshold", (0.25, 0.55)),
        Reason("momentum_down", -1, "momentum score at or below its mirror", (0.25, 0.55)),
        Reason("volatility_up", 1, "price high in its bands", (0.20, 0.50)),
        Reason("volatility_down", -1, "price low in its bands", (0.20, 0.50)),
        Reason("agreement_up", 1, "all three scores point up", (0.15, 0.45)),
        Reason("agreement_down", -1, "all three scores point down", (0.15, 0.45)),
        Reason("ema_cross_up", 1, "fast EMA crossed above the slow one", (0.005, 0.04)),
        Reason("ema_cross_down", -1, "fast EMA crossed below the slow one", (0.005, 0.04)),
        Reason("supertrend_flip_up", 1, "close crossed above SuperTrend", (0.005, 0.03)),
        Reason("supertrend_flip_down", -1, "close crossed below SuperTrend", (0.005, 0.03)),
        Reason("strong_trend", 0, "ADX at or above 25", (0.25, 0.65)),
        Reason("range_bulge", 0, "mass index fell back from a bulge", (0.001, 0.03)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.50, 0.90)

    threshold: float = 0.55
    confidence_mode: Literal["default", "seed"] = "default"
    rsi_length: int = 14
    stochastic_length: int = 14
    cci_length: int = 20
    fast_length: int = 12
    slow_ema_length: int = 26
    signal_length: int = 9
    adx_length: int = 14
    supertrend_length: int = 10
    supertrend_multiple: float = 3.0
    channel_length: int = 20
    slow_length: int = 200

    def __post_init__(self) -> None:
        check_range(self.name, 0.5, 1.0, threshold=self.threshold)
        check_range(self.name, 0.0, inf, supertrend_multiple=self.supertrend_multiple)
        check_lengths(
            self.name,
            rsi_length=self.rsi_length,
            stochastic_length=self.stochastic_length,
            cci_length=self.cci_length,
            fast_length=self.fast_length,
            slow_ema_length=self.slow_ema_length,
            signal_length=self.signal_length,
            adx_length=self.adx_length,
            supertrend_length=self.supertrend_length,
            channel_length=self.channel_length,
            slow_length=self.slow_length,
        )
        if self.confidence_mode not in ("default", "seed"):
            raise ConfigError(
                f"technical head: confidence_mode={self.confidence_mode!r} must be 'default' or 'seed'"
            )

    def features(self) -> Mapping[str, Feature]:
        """Indicators of the decision bars; nothing but prices is read."""
        channel = self.channel_length
        fast, slow = self.fast_length, self.slow_ema_length
        trail, multiple = self.supertrend_length, self.supertrend_multiple
        return {
            "atr": feature("atr", "atr"),
            "atr_frac": feature("atr", "atr_frac"),
            "ema_spread": feature("ema_cross", "spread", fast=fast, slow=slow),
            "ema_cross": feature("ema_cross", "cross", fast=fast, slow=slow),
            "ma_stack": feature("ma_stack", "ma_stack", slow=self.slow_length),
            "macd": feature("macd", "histogram", fast=fast, slow=slow, signal=self.signal_length),
            "adx": feature("adx", "adx", length=self.adx_length),
            "plus_di": feature("adx", "plus_di", length=self.adx_length),
            "minus_di": feature("adx", "minus_di", length=self.adx_length),
            "supertrend": feature("supertrend", "side", length=trail, multiple=multiple),
            "supertrend_flip": feature("supertrend", "flip", length=trail, multiple=multiple),
            "hma_slope": feature("hma_slope", "hma_slope", length=channel),
            "aroon": feature("aroon", "oscillator"),
            "dema_distance": feature("dema", "distance", length=channel),
            "tema_distance": feature("tema", "distance", length=channel),
            "ichimoku": feature("ichimoku", "score"),
            "rsi": feature("rsi", "rsi", length=self.rsi_length),
            "stochastic_k": feature("stochastic", "k", length=self.stochastic_length),
            "stochastic_d": feature("stochastic", "d", length=self.stochastic_length),
            "tsi": feature("tsi", "tsi"),
            "williams_r": feature("williams_r", "williams_r", length=self.stochastic_length),
            "cci": feature("cci", "cci", length=self.cci_length),
            "cmo": feature("cmo", "cmo_unsmoothed", length=self.rsi_length),
            "ppo": feature("ppo", "ppo", fast=fast, slow=slow),
            "trix": feature("trix", "trix"),
            "ultimate_oscillator": feature("ultimate_oscillator", "ultimate_oscillator"),
            "ao_score": feature("ao_score", "ao_score"),
            "percent_b": feature("bollinger", "percent_b", length=channel),
            "donchian": feature("donchian", "position", length=channel),
            "keltner": feature("keltner", "position", length=channel),
            "mass_index": feature("mass_index", "mass_index"),
            "bulge": feature("mass_index", "bulge"),
            "chandelier": feature("chandelier", "side"),
        }

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """Direction, probability, confidence, score, coverage and reasons on every bar."""
        signals = _signals(inputs)
        groups = {
            group: weighted_mean(signals, weights, inputs.rows)
            for group, weights in COMPONENT_WEIGHTS.items()
        }
        flat = {
            name: GROUP_WEIGHTS[group] * weight
            for group, weights in COMPONENT_WEIGHTS.items()
            for name, weight in weights.items()
        }
        score, coverage = weighted_mean(signals, flat, inputs.rows)
        known = ~np.isnan(column_or_nan(inputs, "ma_stack"))
        side = np.where(known, side_of(score, self.threshold), np.int8(0))
        group_scores = [groups[group][0] for group in GROUP_WEIGHTS]
        if self.confidence_mode == "seed":
            confidence = _seed_confidence(score, group_scores)
        else:
            directional = (s for name, s in signals.items() if name not in NEUTRAL_COMPONENTS)
            confidence = agreement_confidence(score, side, directional)
        return HeadOutput.from_votes(
            direction=side,
            probability=np.where(side > 0, score, 1.0 - score),
            confidence=np.clip(confidence, 0.0, HIGHEST_CONFIDENCE),
            score=100.0 * score,
            coverage=coverage,
            reasons=reason_bits(self._flags(inputs, group_scores), self.REASONS),
        )

    def _flags(self, inputs: HeadInputs, group_scores: list[Float1D]) -> dict[str, np.ndarray]:
        sides = [side_of(score, self.threshold) for score in group_scores]
        cross, flip = column_or_nan(inputs, "ema_cross"), column_or_nan(inputs, "supertrend_flip")
        flags = {
            "strong_trend": column_or_nan(inputs, "adx") >= 25.0,
            "range_bulge": column_or_nan(inputs, "bulge") > 0,
        }
        for suffix, direction in (("up", 1), ("down", -1)):
            for group, side in zip(GROUP_WEIGHTS, sides, strict=True):
                flags[f"{group}_{suffix}"] = side == direction
            flags[f"agreement_{suffix}"] = np.logical_and.reduce([s == direction for s in sides])
            flags[f"ema_cross_{suffix}"] = cross == direction
            flags[f"supertrend_flip_{suffix}"] = flip == direction
        return flags


def _signals(inputs: HeadInputs) -> dict[str, Float1D]:
    """Every component as a signal in [0, 1], 0.5 neutral, NaN where it is not known."""

    def column(alias: str) -> Float1D:
        return column_or_nan(inputs, alias)

    def in_atr(alias: str) -> Float1D:
        return quotient_or_zero(column(alias), column("atr"))

    def percent_in_atr(alias: str) -> Float1D:
        return quotient_or_zero(column(alias), 100.0 * column("atr_frac"))

    plus, minus = column("plus_di"), column("minus_di")
    strength = np.clip(column("adx") / 25.0, 0.0, 1.0)
    averages = bounded(in_atr("dema_distance"), 1.0) + bounded(in_atr("tema_distance"), 1.0)
    return {
        "ema_cross": bounded(in_atr("ema_spread"), 0.5),
        "ma_stack": 0.5 + 0.5 * column("ma_stack"),
        "macd": bounded(in_atr("macd"), 0.15),
        "adx": 0.5 + 0.5 * strength * quotient_or_zero(plus - minus, plus + minus),
        "supertrend": 0.5 + 0.5 * column("supertrend"),
        "hma": bounded(in_atr("hma_slope"), 0.15),
        "aroon": 0.5 + column("aroon") / 200.0,
        "dema_tema": averages / 2.0,
        "ichimoku": column("ichimoku") / 100.0,
        "rsi": column("rsi") / 100.0,
        "stochastic": (column("stochastic_k") + column("stochastic_d")) / 200.0,
        "tsi": bounded(column("tsi"), 25.0),
        "williams_r": 1.0 + column("williams_r") / 100.0,
        "cci": bounded(column("cci"), 150.0),
        "cmo": 0.5 + column("cmo") / 200.0,
        "ppo": bounded(percent_in_atr("ppo"), 0.5),
        "trix": bounded(percent_in_atr("trix"), 0.1),
        "ultimate_oscillator": column("ultimate_oscillator") / 100.0,
        "ao": column("ao_score") / 100.0,
        "bollinger": np.clip(column("percent_b"), 0.0, 1.0),
        "atr": 0.5 + 0.0 * column("atr"),
        "donchian": np.clip(column("donchian"), 0.0, 1.0),
        "keltner": np.clip(column("keltner"), 0.0, 1.0),
        "mass_index": 0.5 + 0.0 * column("mass_index"),
        "chandelier": 0.5 + 0.5 * column("chandelier"),
    }


def _seed_confidence(score: Float1D, group_scores: list[Float1D]) -> Float1D:
    mean = (group_scores[0] + group_scores[1] + group_scores[2]) / 3.0
    squares = sum((group - mean) ** 2 for group in group_scores)
    return 0.6 * (1.0 - 2.0 * np.sqrt(squares / 3.0)) + 0.8 * np.abs(score - 0.5)
