"""Crypto metrics: order flow, positioning, derivatives and coins on exchanges (SPEC H9.12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import ClassVar, Final

import numpy as np

from engine import Bool1D, Float1D
from indicators import Detection, Feature, feature
from indicators.volume_delta import CLOSE_LOCATION, TAKER_COLUMNS, TRADES

from ..analysers import (
    Accounts,
    AltcoinSeason,
    Analyser,
    CvdDivergence,
    CvdTrend,
    Derivatives,
    ExchangeReserves,
    FundPremium,
    KimchiPremium,
    LayerRotation,
    Liquidation,
    Listing,
    LockedValue,
    Opinion,
    TakerFlow,
    TokenUnlocks,
    TopTraders,
)
from ..base import HeadInputs, HeadOutput, Range, Reason, check_lengths, check_range, reason_bits
from ..contributions import Contribution, contribution_table
from ..scoring import column_or_nan

_PAIRS: Final = (
    ("cvd_divergence", "CVD against price at pivots", (0.04, 0.35)),
    ("cvd_trend", "takers on one side over 20 bars", (0.01, 0.30)),
    ("accounts", "accounts crowded on the other side", (0.01, 0.20)),
    ("derivatives", "premium and funding against the crowd", (0.001, 0.20)),
    ("taker_flow", "strong takers on one side", (0.0002, 0.03)),
    ("reserves", "coins leave exchanges or are scarce there, or arrive", (0.0, 0.50)),
    ("altcoin_season", "altcoin season, or bitcoin season", (0.0, 0.80)),
    ("liquidation", "a heavy zone near, or one cleared; off by default", (0.0, 0.90)),
    ("tvl", "locked value grows or shrinks strongly; off by default", (0.0, 0.60)),
    ("rotation", "the coin's layer leads or trails; off by default", (0.0, 0.80)),
    ("top_traders", "top traders apart from the accounts; off by default", (0.0, 0.12)),
    ("unlocks", "a large unlock is announced; off by default", (0.0, 1.0)),
    ("listing", "momentum of a listing; off by default", (0.0, 1.0)),
    ("etf", "demand for a fund of the coin; off by default", (0.0, 0.30)),
    ("kimchi", "a crowd in Korea; off by default", (0.0, 0.12)),
)
"""Analysers: name, what speaks, and the share of hours on which each side is expected to."""
_ONLY_BEARISH: Final = ("unlocks", "kimchi")
_FROM_VOLUME: Final = ("cvd_divergence", "cvd_trend", "taker_flow")
_EXTREME_VOLATILITY: Final = 5
_SUSPECT_VOLUME: Final = 2


def _reasons() -> tuple[Reason, ...]:
    return tuple(
        Reason(f"{name}_{word}", side, text, rate)
        for name, text, rate in _PAIRS
        for word, side in (("bullish", 1), ("bearish", -1))
        if side < 0 or name not in _ONLY_BEARISH
    )


@dataclass(frozen=True, slots=True)
class CryptoMetricsHead:
    """The side with more analysers; n is their count, c_bar their mean confidence.

    ``p = min(0.90, 0.65 + 0.08 n)``; ``c = min(0.90, 0.85 + 0.25 (c_bar - 0.80))`` for n >= 5,
    ``min(0.85, 0.80 + 0.20 (c_bar - 0.75))`` for n >= 3, else ``min(0.80, c_bar)``; a tie is no
    vote. Seven analysers speak by default: CVD divergence and trend, crowded accounts, derivatives,
    strong taker flow, exchange reserves and altcoin season. The others are switched on by ``use_*``.
    Each is in ``strategies.analysers``. One without data drops out; coverage is the share of those
    switched on that had data. The score is the mean of 0, 50 and 100 for short, none and long.

    Volatility and the digits of volumes have no side. ``use_volatility`` lowers the confidence by
    ``volatility_penalty`` while realised volatility is extremely high, from where it tends to return;
    ``use_first_digits`` silences what is read from volumes while their first digits are unnatural.

    CVD comes from trades, else from the taker columns (``indicators.volume_delta``); a reason names the
    source of its trend. ``cvd_estimated`` lets the place of the close stand for both where they lack.
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
        *_reasons(),
        Reason("cvd_of_trades", 0, "CVD from trades", (0.0, 1.0)),
        Reason("cvd_of_takers", 0, "CVD from the taker columns", (0.0, 1.0)),
        Reason("cvd_estimated", 0, "CVD from the place of the close", (0.0, 1.0)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.15, 0.80)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {
            "use_second_venue": True,
            "use_top_traders": True,
            "use_mark_price": True,
            "use_basis": True,
            "use_liquidation": True,
            "use_tvl": True,
            "use_rotation": True,
            "use_unlocks": True,
            "use_listing": True,
            "use_etf": True,
            "use_kimchi": True,
            "use_volatility": True,
            "use_first_digits": True,
            "cvd_estimated": True,
        },
        {"use_altcoin_season": False, "use_tvl": True, "tvl_price_neutral": False},
    )

    event_bars: int = 10
    divergence_confidence: float = 0.75
    divergence_strength_bonus: float = 0.15
    cvd_trend_threshold: float = 0.05
    cvd_trend_confidence: float = 0.70
    cvd_estimated: bool = False
    long_short_percentile: float = 95.0
    long_short_confidence: float = 0.80
    agreeing_venues_confidence: float = 0.85
    use_second_venue: bool = False
    use_top_traders: bool = False
    top_traders_confidence: float = 0.70
    funding_extreme: float = 3e-4
    funding_confidence: float = 0.75
    premium_confidence: float = 0.70
    premium_extreme_confidence: float = 0.85
    use_mark_price: bool = False
    use_basis: bool = False
    contango_confidence: float = 0.70
    basis_extreme_confidence: float = 0.80
    taker_strong: float = 0.60
    taker_moderate: float = 0.55
    taker_confidence: float = 0.75
    sharp_outflow_confidence: float = 0.80
    steady_outflow_confidence: float = 0.75
    inflow_confidence: float = 0.70
    scarce_confidence: float = 0.85
    use_altcoin_season: bool = True
    altcoin_season_confidence: float = 0.80
    use_liquidation: bool = False
    liquidation_confidence: float = 0.70
    exhausted_confidence: float = 0.75
    use_tvl: bool = False
    tvl_price_neutral: bool = True
    tvl_confidence: float = 0.70
    use_rotation: bool = False
    rotation_confidence: float = 0.70
    use_unlocks: bool = False
    unlocks_confidence: float = 0.75
    use_listing: bool = False
    listing_confidence: float = 0.70
    use_etf: bool = False
    etf_confidence: float = 0.70
    use_kimchi: bool = False
    kimchi_confidence: float = 0.70
    use_volatility: bool = False
    volatility_penalty: float = 0.05
    use_first_digits: bool = False

    def __post_init__(self) -> None:
        check_lengths(self.name, event_bars=self.event_bars)
        check_range(self.name, 50.0, 100.0, long_short_percentile=self.long_short_percentile)
        check_range(self.name, 0.0, inf, funding_extreme=self.funding_extreme)
        shares = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name.endswith(("_confidence", "_bonus", "_penalty", "_threshold"))
        }
        taker = {"taker_strong": self.taker_strong, "taker_moderate": self.taker_moderate}
        check_range(self.name, 0.0, 1.0, **shares, **taker)

    def analysers(self) -> tuple[Analyser, ...]:
        """Those that speak with these parameters, in the order of the reasons."""
        switched: tuple[tuple[bool, Analyser], ...] = (
            (
                True,
                CvdDivergence(
                    self.event_bars,
                    self.divergence_confidence,
                    self.divergence_strength_bonus,
                    self.cvd_estimated,
                ),
            ),
            (
                True,
                CvdTrend(self.cvd_trend_threshold, self.cvd_trend_confidence, self.cvd_estimated),
            ),
            (
                True,
                Accounts(
                    self.long_short_percentile,
                    self.long_short_confidence,
                    self.agreeing_venues_confidence,
                    self.use_second_venue,
                ),
            ),
            (
                True,
                Derivatives(
                    self.funding_extreme,
                    self.funding_confidence,
                    self.premium_confidence,
                    self.premium_extreme_confidence,
                    self.use_mark_price,
                    self.use_basis,
                    self.contango_confidence,
                    self.basis_extreme_confidence,
                ),
            ),
            (True, TakerFlow(self.taker_strong, self.taker_moderate, self.taker_confidence)),
            (
                True,
                ExchangeReserves(
                    self.sharp_outflow_confidence,
                    self.steady_outflow_confidence,
                    self.inflow_confidence,
                    self.scarce_confidence,
                ),
            ),
            (self.use_altcoin_season, AltcoinSeason(self.altcoin_season_confidence)),
            (
                self.use_liquidation,
                Liquidation(
                    self.event_bars, self.liquidation_confidence, self.exhausted_confidence
                ),
            ),
            (self.use_tvl, LockedValue(self.tvl_price_neutral, self.tvl_confidence)),
            (self.use_rotation, LayerRotation(self.rotation_confidence)),
            (self.use_top_traders, TopTraders(self.top_traders_confidence)),
            (self.use_unlocks, TokenUnlocks(confidence=self.unlocks_confidence)),
            (self.use_listing, Listing(self.listing_confidence)),
            (self.use_etf, FundPremium(self.etf_confidence)),
            (self.use_kimchi, KimchiPremium(self.kimchi_confidence)),
        )
        return tuple(analyser for is_on, analyser in switched if is_on)

    def features(self) -> Mapping[str, Feature]:
        """The features of every analyser that speaks, and of the two that only qualify."""
        wanted = {
            alias: one
            for analyser in self.analysers()
            for alias, one in analyser.features().items()
        }
        if self.use_volatility:
            wanted["volatility_regime"] = feature("volatility_regime", "regime")
        if self.use_first_digits:
            wanted["digits_band"] = feature("first_digits", "band")
        return wanted

    def detections(self) -> Mapping[str, Detection]:
        """None: this head measures, it looks for no events."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The side of more analysers."""
        opinions = self._opinions(inputs)
        known = np.stack([one.known for one in opinions.values()])
        side = np.stack([one.side for one in opinions.values()])
        confidence = np.stack([one.confidence for one in opinions.values()])
        direction = np.sign(side.sum(axis=0))
        agrees = (side == direction) & (direction != 0)
        count = agrees.sum(axis=0)
        mean_confidence = (confidence * agrees).sum(axis=0) / np.maximum(count, 1)
        return HeadOutput.from_votes(
            direction=direction,
            probability=np.minimum(0.90, 0.65 + 0.08 * count),
            confidence=self._qualified(inputs, _vote_confidence(count, mean_confidence)),
            score=contribution_table(_contributions(opinions)).total,
            coverage=known.mean(axis=0),
            reasons=reason_bits(
                {**_flags(opinions, inputs.rows), **_cvd_flags(inputs, opinions)}, self.REASONS
            ),
        )

    def contributions(self, inputs: HeadInputs) -> tuple[Contribution, ...]:
        """Every analyser with the same weight: 0 short, 50 without a side, 100 long, NaN unknown."""
        return _contributions(self._opinions(inputs))

    def _opinions(self, inputs: HeadInputs) -> dict[str, Opinion]:
        opinions = {one.name: one.opinion(inputs) for one in self.analysers()}
        if self.use_first_digits:
            trusted = column_or_nan(inputs, "digits_band") != _SUSPECT_VOLUME
            for name in _FROM_VOLUME:
                opinions[name] = _silenced(opinions[name], trusted)
        return opinions

    def _qualified(self, inputs: HeadInputs, confidence: Float1D) -> Float1D:
        if not self.use_volatility:
            return confidence
        extreme = column_or_nan(inputs, "volatility_regime") == _EXTREME_VOLATILITY
        return np.where(extreme, np.maximum(confidence - self.volatility_penalty, 0.0), confidence)


def _silenced(opinion: Opinion, trusted: Bool1D) -> Opinion:
    """The opinion without a side, and without data, where it is not ``trusted``."""
    side = np.where(trusted, opinion.side, 0.0)
    return Opinion(side, opinion.confidence, opinion.known & trusted)


def _contributions(opinions: Mapping[str, Opinion]) -> tuple[Contribution, ...]:
    return tuple(
        Contribution(
            name=name,
            group="",
            score=np.where(one.known, 50.0 + 50.0 * one.side, np.nan),
            weight=np.ones(len(one.side)),
            adjustment=np.zeros(len(one.side)),
        )
        for name, one in opinions.items()
    )


def _vote_confidence(count: np.ndarray, mean_confidence: Float1D) -> Float1D:
    few = np.minimum(0.80, mean_confidence)
    several = np.minimum(0.85, 0.80 + 0.20 * (mean_confidence - 0.75))
    many = np.minimum(0.90, 0.85 + 0.25 * (mean_confidence - 0.80))
    chosen: Float1D = np.where(count >= 5, many, np.where(count >= 3, several, few))
    return chosen


def _cvd_flags(inputs: HeadInputs, opinions: Mapping[str, Opinion]) -> dict[str, np.ndarray]:
    source = np.where(opinions["cvd_trend"].known, column_or_nan(inputs, "cvd_source"), 0.0)
    return {
        "cvd_of_trades": source == TRADES,
        "cvd_of_takers": source == TAKER_COLUMNS,
        "cvd_estimated": source >= CLOSE_LOCATION,
    }


def _flags(opinions: Mapping[str, Opinion], rows: int) -> dict[str, np.ndarray]:
    silent: Sequence[bool] | np.ndarray = np.zeros(rows, dtype=np.bool_)
    flags: dict[str, np.ndarray] = {}
    for name, _, _ in _PAIRS:
        one = opinions.get(name)
        if name not in _ONLY_BEARISH:
            flags[f"{name}_bullish"] = np.asarray(silent if one is None else one.side > 0)
        flags[f"{name}_bearish"] = np.asarray(silent if one is None else one.side < 0)
    return flags
