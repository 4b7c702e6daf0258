"""Crypto metrics: order flow, positioning, derivatives and coins on exchanges (SPEC H9.12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from engine import Bool1D, Float1D
from indicators import Feature, feature

from ..base import HeadInputs, HeadOutput, Range, Reason, check_lengths, check_range, reason_bits
from ..events import held
from ..scoring import column_or_nan

_EXTREME_PREMIUM_BANDS = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class CryptoMetricsHead:
    """The side with more of up to seven analyzers; n is their count, c_bar their mean confidence.

    ``p = min(0.90, 0.65 + 0.08 n)``; ``c = min(0.90, 0.85 + 0.25 (c_bar - 0.80))`` for n >= 5,
    ``min(0.85, 0.80 + 0.20 (c_bar - 0.75))`` for n >= 3, else ``min(0.80, c_bar)``; a tie is no
    vote. Analyzers: divergence of CVD (held ``event_bars`` bars, confidence 0.75 + 0.15 strength),
    trend of CVD (0.70), crowded accounts by percentile, derivatives (majority of premium band and
    funding beyond its baseline, mean confidence), strong taker flow, exchange reserves (a day's
    flow before a week's before scarcity), and, when ``use_tvl``, growth of locked value: it
    contains the token's own price, so it is off by default. An analyzer without data drops out;
    coverage is the share of analyzers that had data.

    Altcoin season is a comparison across symbols and waits for features that look across them, as
    does rotation between chains. The liquidation cascade map is left out: it is optional in the
    vote, and its proxy already serves the sentiment head.
    """

    name: ClassVar[str] = "crypto_metrics"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "event_bars": Range(3, 30, integer=True),
        "cvd_trend_threshold": Range(0.02, 0.15),
        "long_short_percentile": Range(90.0, 98.0),
        "funding_extreme": Range(1e-4, 1e-3, log=True),
        "taker_strong": Range(0.55, 0.70),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        Reason(
            "cvd_divergence_bullish", 1, "CVD holds while price falls, or mirrored", (0.04, 0.35)
        ),
        Reason("cvd_divergence_bearish", -1, "CVD fails while price rises", (0.04, 0.35)),
        Reason("cvd_trend_bullish", 1, "takers buy: CVD over 20 bars", (0.01, 0.30)),
        Reason("cvd_trend_bearish", -1, "takers sell: CVD over 20 bars", (0.01, 0.30)),
        Reason("accounts_crowded_short", 1, "long/short ratio at a low of its past", (0.01, 0.20)),
        Reason("accounts_crowded_long", -1, "long/short ratio at a high of its past", (0.01, 0.20)),
        Reason("derivatives_bullish", 1, "discount of the perpetual or low funding", (0.001, 0.20)),
        Reason(
            "derivatives_bearish", -1, "premium of the perpetual or high funding", (0.001, 0.20)
        ),
        Reason("taker_flow_bullish", 1, "strong taker buying", (0.0002, 0.03)),
        Reason("taker_flow_bearish", -1, "strong taker selling", (0.0002, 0.03)),
        Reason("reserves_bullish", 1, "coins leave exchanges or are scarce there", (0.0, 0.50)),
        Reason("reserves_bearish", -1, "coins arrive at exchanges", (0.0, 0.20)),
        Reason("tvl_bullish", 1, "locked value grows strongly; off by default", (0.0, 0.30)),
        Reason("tvl_bearish", -1, "locked value shrinks strongly; off by default", (0.0, 0.30)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.15, 0.70)

    event_bars: int = 10
    divergence_confidence: float = 0.75
    divergence_strength_bonus: float = 0.15
    cvd_trend_threshold: float = 0.05
    cvd_trend_confidence: float = 0.70
    long_short_percentile: float = 95.0
    long_short_confidence: float = 0.85
    funding_extreme: float = 3e-4
    funding_confidence: float = 0.75
    premium_confidence: float = 0.70
    premium_extreme_confidence: float = 0.85
    taker_strong: float = 0.60
    taker_moderate: float = 0.55
    taker_confidence: float = 0.75
    sharp_outflow_confidence: float = 0.80
    steady_outflow_confidence: float = 0.75
    inflow_confidence: float = 0.70
    scarce_confidence: float = 0.85
    use_tvl: bool = False
    tvl_confidence: float = 0.70

    def __post_init__(self) -> None:
        check_lengths(self.name, event_bars=self.event_bars)
        check_range(self.name, 50.0, 100.0, long_short_percentile=self.long_short_percentile)
        check_range(self.name, 0.0, inf, funding_extreme=self.funding_extreme)
        check_range(
            self.name,
            0.0,
            1.0,
            divergence_confidence=self.divergence_confidence,
            divergence_strength_bonus=self.divergence_strength_bonus,
            cvd_trend_threshold=self.cvd_trend_threshold,
            cvd_trend_confidence=self.cvd_trend_confidence,
            long_short_confidence=self.long_short_confidence,
            funding_confidence=self.funding_confidence,
            premium_confidence=self.premium_confidence,
            premium_extreme_confidence=self.premium_extreme_confidence,
            taker_strong=self.taker_strong,
            taker_moderate=self.taker_moderate,
            taker_confidence=self.taker_confidence,
            sharp_outflow_confidence=self.sharp_outflow_confidence,
            steady_outflow_confidence=self.steady_outflow_confidence,
            inflow_confidence=self.inflow_confidence,
            scarce_confidence=self.scarce_confidence,
            tvl_confidence=self.tvl_confidence,
        )

    def features(self) -> Mapping[str, Feature]:
        """Signals of each analyzer, and beside each a number that tells whether it had data."""
        crowd = {"percentile": self.long_short_percentile}
        funding = {"extreme": self.funding_extreme}
        taker = {"strong": self.taker_strong, "moderate": self.taker_moderate}
        wanted = {
            "divergence_regular": feature("cvd_divergence", "regular"),
            "divergence_hidden": feature("cvd_divergence", "hidden"),
            "divergence_strength": feature("cvd_divergence", "strength"),
            "cvd_side": feature("cvd", "side", threshold=self.cvd_trend_threshold),
            "cvd_trend": feature("cvd", "trend", threshold=self.cvd_trend_threshold),
            "crowd_side": feature("long_short_extreme", "relative", clock="metrics", **crowd),
            "crowd_rank": feature("long_short_extreme", "rank", clock="metrics", **crowd),
            "funding_side": feature("funding_rate", "contrarian", clock="funding", **funding),
            "funding_excess": feature("funding_rate", "excess", clock="funding", **funding),
            "premium_side": feature("premium", "contrarian", clock="premium_index"),
            "premium_band": feature("premium", "band", clock="premium_index"),
            "taker_side": feature("taker_ratio", "strong", clock="bars", **taker),
            "taker_share": feature("taker_ratio", "smooth", clock="bars", **taker),
            "reserves_sharp": feature("exchange_reserves", "sharp", clock="exchange_reserves"),
            "reserves_steady": feature("exchange_reserves", "steady", clock="exchange_reserves"),
            "reserves_scarce": feature("exchange_reserves", "scarce", clock="exchange_reserves"),
            "reserves_change": feature("exchange_reserves", "change_1d", clock="exchange_reserves"),
        }
        if self.use_tvl:
            wanted["tvl_side"] = feature("tvl", "strong", clock="tvl")
            wanted["tvl_growth"] = feature("tvl", "growth_7d", clock="tvl")
        return wanted

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The side of more analyzers."""
        signals = {
            "cvd_divergence": self._divergence(inputs),
            "cvd_trend": _simple(inputs, "cvd_side", "cvd_trend", self.cvd_trend_confidence),
            "accounts": _simple(inputs, "crowd_side", "crowd_rank", self.long_short_confidence),
            "derivatives": self._derivatives(inputs),
            "taker_flow": _simple(inputs, "taker_side", "taker_share", self.taker_confidence),
            "reserves": self._reserves(inputs),
        }
        if self.use_tvl:
            signals["tvl"] = _simple(inputs, "tvl_side", "tvl_growth", self.tvl_confidence)
        known = np.stack([signal.known for signal in signals.values()])
        side = np.stack([signal.side for signal in signals.values()])
        confidence = np.stack([signal.confidence for signal in signals.values()])
        direction = np.sign(side.sum(axis=0))
        agrees = (side == direction) & (direction != 0)
        count = agrees.sum(axis=0)
        mean_confidence = (confidence * agrees).sum(axis=0) / np.maximum(count, 1)
        balance = side.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.minimum(0.90, 0.65 + 0.08 * count),
            confidence=_vote_confidence(count, mean_confidence),
            score=50.0 + 50.0 * balance,
            coverage=known.mean(axis=0),
            reasons=reason_bits(_flags(signals), self.REASONS),
        )

    def _divergence(self, inputs: HeadInputs) -> "_Signal":
        strength = column_or_nan(inputs, "divergence_strength")
        known = ~np.isnan(strength)
        event = column_or_nan(inputs, "divergence_regular") + column_or_nan(
            inputs, "divergence_hidden"
        )
        side = held(np.where(known, event, 0.0), self.event_bars)
        lasting = held(np.where(known, strength, 0.0), self.event_bars)
        bonus = self.divergence_strength_bonus * lasting
        return _Signal(side, self.divergence_confidence + bonus, known)

    def _derivatives(self, inputs: HeadInputs) -> "_Signal":
        band = column_or_nan(inputs, "premium_band")
        premium_known = band > 0
        premium = np.where(premium_known, column_or_nan(inputs, "premium_side"), 0.0)
        extreme = np.isin(band, _EXTREME_PREMIUM_BANDS)
        premium_confidence = np.where(
            extreme, self.premium_extreme_confidence, self.premium_confidence
        )
        funding_known = ~np.isnan(column_or_nan(inputs, "funding_excess"))
        funding = np.where(funding_known, column_or_nan(inputs, "funding_side"), 0.0)
        side = np.sign(premium + funding)
        agree_premium, agree_funding = premium == side, funding == side
        total = premium_confidence * agree_premium + self.funding_confidence * agree_funding
        count = agree_premium.astype(np.float64) + agree_funding
        return _Signal(side, total / np.maximum(count, 1.0), premium_known | funding_known)

    def _reserves(self, inputs: HeadInputs) -> "_Signal":
        known = ~np.isnan(column_or_nan(inputs, "reserves_change"))
        sharp, steady, scarce = (
            np.where(known, column_or_nan(inputs, f"reserves_{name}"), 0.0)
            for name in ("sharp", "steady", "scarce")
        )
        side = np.where(sharp != 0, sharp, np.where(steady != 0, steady, scarce))
        outflow = np.where(
            sharp > 0,
            self.sharp_outflow_confidence,
            np.where(steady > 0, self.steady_outflow_confidence, self.scarce_confidence),
        )
        return _Signal(side, np.where(side < 0, self.inflow_confidence, outflow), known)


@dataclass(frozen=True, slots=True)
class _Signal:
    """One analyzer on every bar: its side, its confidence, and whether it had data, ``(T,)`` each."""

    side: Float1D
    confidence: Float1D
    known: Bool1D


def _simple(inputs: HeadInputs, side: str, evidence: str, confidence: float) -> _Signal:
    """A signal of constant confidence, silent where ``evidence`` is not known."""
    known = ~np.isnan(column_or_nan(inputs, evidence))
    shown = np.where(known, column_or_nan(inputs, side), 0.0)
    return _Signal(shown, np.full(inputs.rows, confidence), known)


def _vote_confidence(count: np.ndarray, mean_confidence: Float1D) -> Float1D:
    few = np.minimum(0.80, mean_confidence)
    several = np.minimum(0.85, 0.80 + 0.20 * (mean_confidence - 0.75))
    many = np.minimum(0.90, 0.85 + 0.25 * (mean_confidence - 0.80))
    chosen: Float1D = np.where(count >= 5, many, np.where(count >= 3, several, few))
    return chosen


def _flags(signals: Mapping[str, _Signal]) -> dict[str, np.ndarray]:
    silent = np.zeros_like(signals["cvd_trend"].known)
    flags = {"tvl_bullish": silent, "tvl_bearish": silent}
    for name, signal in signals.items():
        words = ("crowded_short", "crowded_long") if name == "accounts" else ("bullish", "bearish")
        flags[f"{name}_{words[0]}"] = signal.side > 0
        flags[f"{name}_{words[1]}"] = signal.side < 0
    return flags
