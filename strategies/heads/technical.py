"""The technical head: trend, momentum and volatility indicators, scored and averaged."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Final, Literal

import numpy as np

from engine import Float1D
from indicators import Detection, Feature, feature

from ..base import (
    HeadInputs,
    HeadOutput,
    Range,
    Reason,
    check_choice,
    check_lengths,
    check_range,
    check_timeframes,
    reason_bits,
)
from ..contributions import Contribution, contribution_table, known_share
from ..scoring import TOLERANCE, agreement_confidence, column_or_nan, side_of
from ..technical_broad import BROAD, broad_features, broad_signal
from ..technical_components import (
    ALPHAPULSE,
    NEUTRAL_COMPONENTS,
    SIGNALS,
    VIRTUOSO,
    Weights,
    faded,
    timeframe_adjustment,
    volatility_behind,
)

GROUPS: Final = ("trend", "momentum", "volatility")
PRESETS: Final[Mapping[str, Weights]] = {
    "alphapulse": ALPHAPULSE,
    "virtuoso": VIRTUOSO,
    "broad": BROAD,
}
"""Weights of every preset; their products sum to 1."""
HIGHEST_CONFIDENCE: Final = 0.95
STRONG_TREND: Final = 25.0
_MEAN_OF_VOLATILITY: Final = 20
_LONGER: Final = ("middle", "higher")


@dataclass(frozen=True, slots=True)
class TechnicalHead:
    """Votes with the weighted mean *s* of signals in [0, 1] (SPEC H1.4 to H1.6).

    LONG when ``s >= threshold``, SHORT when ``s <= 1 - threshold``; probability is *s* or ``1 - s``.
    ``confidence_mode="default"``: ``0.5 + 0.25 (2 share - 1) + 0.25 min(1, 4 |s - 1/2|)``, where
    ``share`` is the part of the directional signals on the vote's side; ``"seed"``:
    ``0.6 (1 - 2 sigma) + 0.8 |s - 1/2|`` with sigma the deviation of the three group scores. Both
    are clipped to [0, 0.95].

    ``preset`` chooses components and weights. ``"alphapulse"``: 25 signals of the decision bars in three
    groups, trend .40, momentum .35, volatility .25. ``"virtuoso"``: AO .20, MACD .15, RSI .20,
    Williams %R .15, CCI .15, ATR .15, each moved by up to ten points towards what it is on
    ``middle_timeframe`` and ``higher_timeframe`` (SPEC 11.4; a timeframe that the decision bars cannot
    give drops out), clipped to its range, and only then weighted. There ``rsi_mode="fade"`` reads an
    RSI beyond 30 and 70 against itself, and ATR counts for the side of the 20-bar mean on which the
    price is while volatility is above its median of 200 bars (``atr_mode="expansion"``), or calm counts
    as good (``"calm"``). ``"broad"``: all 71 directional indicators of the list alike within trend .30,
    momentum .25, volatility .25 and volume .20 (``technical_broad``).

    A signal whose indicator is unknown drops out and the weights of the others are scaled up;
    coverage is the weight that is known. There is no vote below ``minimum_coverage``, and none before
    the slow mean is known, ``slow_length`` rows, by when the recursive indicators have settled.
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
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"preset": "virtuoso"},
        {"preset": "broad", "confidence_mode": "seed"},
        {"preset": "virtuoso", "rsi_mode": "fade", "atr_mode": "calm"},
    )

    preset: Literal["alphapulse", "virtuoso", "broad"] = "alphapulse"
    threshold: float = 0.55
    minimum_coverage: float = 0.60
    confidence_mode: Literal["default", "seed"] = "default"
    rsi_mode: Literal["trend", "fade"] = "trend"
    atr_mode: Literal["expansion", "calm"] = "expansion"
    middle_timeframe: str = "4h"
    higher_timeframe: str = "1d"
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
        check_range(self.name, 0.0, 1.0, minimum_coverage=self.minimum_coverage)
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
        check_choice(self.name, tuple(PRESETS), preset=self.preset)
        check_choice(self.name, ("default", "seed"), confidence_mode=self.confidence_mode)
        check_choice(self.name, ("trend", "fade"), rsi_mode=self.rsi_mode)
        check_choice(self.name, ("expansion", "calm"), atr_mode=self.atr_mode)
        check_timeframes(
            self.name,
            middle_timeframe=self.middle_timeframe,
            higher_timeframe=self.higher_timeframe,
        )

    def features(self) -> Mapping[str, Feature]:
        """Indicators of bars; nothing but prices is read."""
        shared = self._shared_features()
        if self.preset == "virtuoso":
            longer = (self.middle_timeframe, self.higher_timeframe)
            return {
                **shared,
                **self._virtuoso_features("", "bars"),
                **{
                    alias: one
                    for name, timeframe in zip(_LONGER, longer, strict=True)
                    for alias, one in self._virtuoso_features(
                        f"_{name}", f"bars:{timeframe}"
                    ).items()
                },
            }
        wanted = {**shared, **self._alphapulse_features()}
        return wanted if self.preset == "alphapulse" else {**wanted, **broad_features()}

    def _shared_features(self) -> dict[str, Feature]:
        fast, slow = self.fast_length, self.slow_ema_length
        trail, multiple = self.supertrend_length, self.supertrend_multiple
        return {
            "ema_cross": feature("ema_cross", "cross", fast=fast, slow=slow),
            "ma_stack": feature("ma_stack", "ma_stack", slow=self.slow_length),
            "adx": feature("adx", "adx", length=self.adx_length),
            "supertrend_flip": feature("supertrend", "flip", length=trail, multiple=multiple),
            "bulge": feature("mass_index", "bulge"),
        }

    def _alphapulse_features(self) -> dict[str, Feature]:
        channel = self.channel_length
        fast, slow = self.fast_length, self.slow_ema_length
        trail, multiple = self.supertrend_length, self.supertrend_multiple
        return {
            "atr": feature("atr", "atr"),
            "atr_frac": feature("atr", "atr_frac"),
            "ema_spread": feature("ema_cross", "spread", fast=fast, slow=slow),
            "macd": feature("macd", "histogram", fast=fast, slow=slow, signal=self.signal_length),
            "plus_di": feature("adx", "plus_di", length=self.adx_length),
            "minus_di": feature("adx", "minus_di", length=self.adx_length),
            "supertrend": feature("supertrend", "side", length=trail, multiple=multiple),
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
            "chandelier": feature("chandelier", "side"),
        }

    def _virtuoso_features(self, suffix: str, clock: str) -> dict[str, Feature]:
        fast, slow = self.fast_length, self.slow_ema_length
        on_clock = {
            "atr": feature("atr", "atr", clock=clock),
            "macd": feature(
                "macd",
                "histogram",
                clock=clock,
                fast=fast,
                slow=slow,
                signal=self.signal_length,
            ),
            "ao_score": feature("ao_score", "ao_score", clock=clock),
            "rsi": feature("rsi", "rsi", clock=clock, length=self.rsi_length),
            "williams_r": feature(
                "williams_r", "williams_r", clock=clock, length=self.stochastic_length
            ),
            "cci": feature("cci", "cci", clock=clock, length=self.cci_length),
            "atr_rank": feature("atr_rank", "atr_rank", clock=clock),
            "mean_distance": feature("sma", "distance", clock=clock, length=_MEAN_OF_VOLATILITY),
        }
        return {f"{alias}{suffix}": one for alias, one in on_clock.items()}

    def contributions(self, inputs: HeadInputs) -> tuple[Contribution, ...]:
        """Every component of the preset with its group, its weight and what longer timeframes add."""
        nothing = np.zeros(inputs.rows)
        found = []
        for group, (factor, weights) in PRESETS[self.preset].items():
            for name, weight in weights.items():
                score = self._score(name, inputs, "")
                moved = nothing
                if self.preset == "virtuoso":
                    middle, higher = (self._score(name, inputs, f"_{one}") for one in _LONGER)
                    adx = column_or_nan(inputs, "adx")
                    moved = timeframe_adjustment(score, middle, higher, adx)
                found.append(
                    Contribution(name, group, score, np.full(inputs.rows, factor * weight), moved)
                )
        return tuple(found)

    def _score(self, name: str, inputs: HeadInputs, suffix: str) -> Float1D:
        def column(alias: str) -> Float1D:
            return column_or_nan(inputs, f"{alias}{suffix}")

        if self.preset == "virtuoso" and name == "atr":
            rank = column("atr_rank")
            if self.atr_mode == "calm":
                return 100.0 - rank
            return 100.0 * volatility_behind(column("mean_distance"), rank)
        signal = broad_signal(name, column) if self.preset == "broad" else SIGNALS[name](column)
        if self.preset == "virtuoso" and name == "rsi" and self.rsi_mode == "fade":
            signal = faded(signal)
        return 100.0 * np.clip(signal, 0.0, 1.0)

    def detections(self) -> Mapping[str, Detection]:
        """None: this head measures, it looks for no events."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """Direction, probability, confidence, score, coverage and reasons on every bar."""
        contributions = self.contributions(inputs)
        table = contribution_table(contributions)
        score = np.clip(table.total / 100.0, 0.0, 1.0)
        coverage = known_share(contributions)
        group_scores = [
            contribution_table([one for one in contributions if one.group == group]).total / 100.0
            for group in GROUPS
        ]
        waited = ~np.isnan(column_or_nan(inputs, "ma_stack"))
        enough = coverage >= self.minimum_coverage - TOLERANCE
        side = np.where(waited & enough, side_of(score, self.threshold), np.int8(0))
        if self.confidence_mode == "seed":
            confidence = _seed_confidence(score, group_scores)
        else:
            silent = NEUTRAL_COMPONENTS if self.preset == "alphapulse" else frozenset[str]()
            directional = (
                table.adjusted[:, index] / 100.0
                for index, name in enumerate(table.names)
                if name not in silent
            )
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
            "strong_trend": column_or_nan(inputs, "adx") >= STRONG_TREND,
            "range_bulge": column_or_nan(inputs, "bulge") > 0,
        }
        for suffix, direction in (("up", 1), ("down", -1)):
            for group, side in zip(GROUPS, sides, strict=True):
                flags[f"{group}_{suffix}"] = side == direction
            flags[f"agreement_{suffix}"] = np.logical_and.reduce([s == direction for s in sides])
            flags[f"ema_cross_{suffix}"] = cross == direction
            flags[f"supertrend_flip_{suffix}"] = flip == direction
        return flags


def _seed_confidence(score: Float1D, group_scores: list[Float1D]) -> Float1D:
    mean = (group_scores[0] + group_scores[1] + group_scores[2]) / 3.0
    squares = sum((group - mean) ** 2 for group in group_scores)
    return 0.6 * (1.0 - 2.0 * np.sqrt(squares / 3.0)) + 0.8 * np.abs(score - 0.5)
