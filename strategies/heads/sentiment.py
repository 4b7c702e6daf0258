"""Sentiment: what the crowd holds, pays and fears, mostly read against it (SPEC H2)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar, Literal

import numpy as np

from engine import Float1D
from indicators import Detection, Feature, feature

from ..base import (
    SMALLEST_SCALE,
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
from ..contributions import Contribution, contribution_table, known_share
from ..scoring import column_or_nan

_SCORED = (
    ("long_short", "the long/short ratio of all accounts", (0.05, 0.55)),
    ("funding", "funding above its baseline, stretched or speeding up", (0.02, 0.50)),
    ("funding_volatility", "the volatility of funding against its past", (0.02, 0.45)),
    ("liquidation", "liquidations inferred from open interest", (0.0, 0.15)),
    ("volume", "taker buying and flow-weighted returns", (0.0, 0.10)),
    ("mood", "calm, pace, activity and trend of the bars", (0.05, 0.50)),
    ("risk", "leverage and the premium's size against their past", (0.05, 0.60)),
    ("fear_greed", "an extreme of the fear and greed index", (0.03, 0.40)),
    ("external", "the sentiment that the user brings", (0.0, 0.60)),
)
"""Components in the order of their weights: name, what a strong score means, share of hours."""


@dataclass(frozen=True, slots=True)
class SentimentHead:
    """A weighted mean of component scores, 0 to 100; a component without data drops out.

    The weights are the seed's (they sum to 100); fear and greed and the sentiment that the user brings,
    which the seed leaves unweighted, stand beside them with 10 each; on rows without it, the latter does
    not count in the coverage either. ``u = (S - 50) / 50`` votes its sign where ``|u| >= vote_threshold``;
    ``p = min(0.9, 0.5 + 0.4 |u|)``; ``c = 0.5 + 0.5 coverage (1 - sigma / 50)``, sigma being the
    weighted deviation of the scores that are there. Coverage is their weight over all weights.

    Trend exhaustion is an event, not a state: it joins the mean with its own weight on the rows
    where it is set and does not count as coverage. Risk is .4 leverage (rank of open interest over
    turnover) and .3 margin (rank of the premium's size), scaled up; the seed's third part, maintenance
    margins, has no history. Liquidations are the proxy from open interest. ``long_short_mode="momentum"``
    follows the crowd instead of fading it; ``fear_greed_from="bars"`` takes the index that is made of
    volatility and momentum in the place of the published one.
    """

    name: ClassVar[str] = "sentiment"
    SPACE: ClassVar[Mapping[str, Range]] = {
        "vote_threshold": Range(0.15, 0.45),
        "long_short_days": Range(7, 90, integer=True),
        "funding_scale": Range(1e-4, 1e-3, log=True),
        "funding_volatility_length": Range(9, 63, integer=True),
        "weight_long_short": Range(0.0, 40.0),
        "weight_funding": Range(0.0, 40.0),
        "weight_mood": Range(0.0, 40.0),
        "weight_funding_volatility": Range(0.0, 40.0),
        "weight_liquidation": Range(0.0, 40.0),
        "weight_volume": Range(0.0, 40.0),
        "weight_risk": Range(0.0, 40.0),
        "weight_fear_greed": Range(0.0, 40.0),
    }
    REASONS: ClassVar[tuple[Reason, ...]] = (
        *(
            Reason(f"{name}_{side}", direction, f"{side}: {text}", rate)
            for name, text, rate in _SCORED
            for side, direction in (("bullish", 1), ("bearish", -1))
        ),
        Reason("exhausted_fall", 1, "nine falling closes, low RSI, high volume", (0.0, 0.01)),
        Reason("exhausted_rise", -1, "nine rising closes, high RSI, high volume", (0.0, 0.01)),
    )
    FIRING_RATE: ClassVar[tuple[float, float]] = (0.005, 0.25)
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]] = (
        {"long_short_mode": "momentum", "fear_greed_from": "bars"},
    )

    weight_long_short: float = 20.0
    weight_funding: float = 15.0
    weight_funding_volatility: float = 10.0
    weight_liquidation: float = 15.0
    weight_volume: float = 10.0
    weight_mood: float = 15.0
    weight_risk: float = 15.0
    weight_fear_greed: float = 10.0
    weight_external: float = 10.0
    weight_exhaustion: float = 10.0
    vote_threshold: float = 0.25
    long_short_days: int = 30
    funding_scale: float = 3e-4
    funding_length: int = 90
    funding_volatility_length: int = 21
    mood_days: int = 365
    mood_minimum_days: int = 90
    long_short_mode: Literal["contrarian", "momentum"] = "contrarian"
    fear_greed_from: Literal["index", "bars"] = "index"

    def __post_init__(self) -> None:
        check_weights(
            self.name,
            **{f"weight_{name}": getattr(self, f"weight_{name}") for name, _, _ in _SCORED},
        )
        check_range(self.name, 0.0, inf, weight_exhaustion=self.weight_exhaustion)
        check_range(self.name, 0.0, 1.0, vote_threshold=self.vote_threshold)
        check_range(self.name, SMALLEST_SCALE, inf, funding_scale=self.funding_scale)
        check_lengths(
            self.name,
            long_short_days=self.long_short_days,
            funding_length=self.funding_length,
            funding_volatility_length=self.funding_volatility_length,
            mood_days=self.mood_days,
            mood_minimum_days=self.mood_minimum_days,
        )
        check_choice(self.name, ("contrarian", "momentum"), long_short_mode=self.long_short_mode)
        check_choice(self.name, ("index", "bars"), fear_greed_from=self.fear_greed_from)

    def features(self) -> Mapping[str, Feature]:
        """Component scores, each on its own clock, and the relative volume that weighs one."""
        crowd = {"window_days": self.long_short_days, "minimum_days": self.long_short_days}
        return {
            "long_short_contrarian": feature("long_short", "contrarian", clock="metrics", **crowd),
            "long_short_trend": feature("long_short", "trend", clock="metrics", **crowd),
            "relative_volume": feature("trend_exhaustion", "relative_volume"),
            "funding": feature(
                "funding_sentiment",
                "score",
                clock="funding",
                scale=self.funding_scale,
                length=self.funding_length,
            ),
            "funding_volatility": feature(
                "funding_volatility",
                "score",
                clock="funding",
                length=self.funding_volatility_length,
            ),
            "liquidation": feature("liquidation", "score", clock="metrics"),
            "volume": feature("volume_sentiment", "score"),
            "mood": feature(
                "market_mood",
                "score",
                window_days=self.mood_days,
                minimum_days=self.mood_minimum_days,
            ),
            "premium_size_rank": feature("premium_history", "size_rank", clock="premium_index"),
            "leverage_rank": feature("open_interest_leverage", "rank", clock="bars+metrics"),
            "fear_greed": feature("fear_greed_of_bars", "score")
            if self.fear_greed_from == "bars"
            else feature("fear_greed", "score", clock="fear_greed"),
            "external": feature("external_sentiment", "score", clock="external_sentiment"),
            "exhaustion": feature("trend_exhaustion", "signal"),
        }

    def contributions(self, inputs: HeadInputs) -> tuple[Contribution, ...]:
        """Every component; exhaustion is known on the rows of its events only."""
        nothing = np.zeros(inputs.rows)
        exhaustion = _exhaustion(inputs)
        event = np.where(exhaustion != 0, 50.0 + 50.0 * exhaustion, np.nan)
        scores = {**self._component_scores(inputs), "exhaustion": event}
        return tuple(
            Contribution(
                name, "", score, np.full(inputs.rows, getattr(self, f"weight_{name}")), nothing
            )
            for name, score in scores.items()
        )

    def detections(self) -> Mapping[str, Detection]:
        """None: this head measures, it looks for no events."""
        return {}

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """The sign of the mean score where it is far enough from 50."""
        contributions = self.contributions(inputs)
        table = contribution_table(contributions)
        mean = np.clip(table.total, 0.0, 100.0)
        distance = np.where(table.share > 0, table.adjusted - mean[:, None], 0.0)
        deviation = np.sqrt((table.share * distance**2).sum(axis=1))
        coverage = known_share([_expected(one) for one in contributions])
        u = (mean - 50.0) / 50.0
        agreement = np.clip(1.0 - deviation / 50.0, 0.0, 1.0)
        flags = {}
        for (name, _, _), one in zip(_SCORED, contributions, strict=False):
            flags[f"{name}_bullish"] = one.score >= 50.0 + 50.0 * self.vote_threshold
            flags[f"{name}_bearish"] = one.score <= 50.0 - 50.0 * self.vote_threshold
        exhaustion = _exhaustion(inputs)
        flags["exhausted_fall"] = exhaustion > 0
        flags["exhausted_rise"] = exhaustion < 0
        return HeadOutput.from_votes(
            direction=np.where(np.abs(u) >= self.vote_threshold, np.sign(u), 0.0),
            probability=np.minimum(0.9, 0.5 + 0.4 * np.abs(u)),
            confidence=0.5 + 0.5 * coverage * agreement,
            score=mean,
            coverage=coverage,
            reasons=reason_bits(flags, self.REASONS),
        )

    def _component_scores(self, inputs: HeadInputs) -> dict[str, Float1D]:
        """Every component's score by name, NaN where it has no data."""
        scores = {name: column_or_nan(inputs, name) for name, _, _ in _SCORED}
        crowd = _long_short_score(inputs)
        scores["long_short"] = crowd if self.long_short_mode == "contrarian" else 100.0 - crowd
        scores["risk"] = _risk_score(inputs)
        return scores


def _expected(one: Contribution) -> Contribution:
    """The component as far as its absence is a lack: what only comes now and then never is."""
    if one.name not in ("exhaustion", "external"):
        return one
    counted = one.name == "external"
    return replace(one, weight=np.where(np.isnan(one.score), 0.0, one.weight * counted))


def _exhaustion(inputs: HeadInputs) -> Float1D:
    events = column_or_nan(inputs, "exhaustion")
    return np.where(np.isnan(events), 0.0, events)


def _long_short_score(inputs: HeadInputs) -> Float1D:
    """0.6 contrarian + 0.25 trend + 0.15 contrarian as far as the volume confirms it."""
    contrarian = column_or_nan(inputs, "long_short_contrarian")
    busy = np.minimum(1.0, column_or_nan(inputs, "relative_volume") / 1.5)
    confirmed = 50.0 + (contrarian - 50.0) * busy
    score: Float1D = (
        0.6 * contrarian + 0.25 * column_or_nan(inputs, "long_short_trend") + 0.15 * confirmed
    )
    return score


def _risk_score(inputs: HeadInputs) -> Float1D:
    """100 less the mean of the ranks of leverage and margin, 4 to 3, of what is there of them."""
    total, weight = np.zeros(inputs.rows), np.zeros(inputs.rows)
    for share, alias in ((0.4, "leverage_rank"), (0.3, "premium_size_rank")):
        rank = column_or_nan(inputs, alias)
        known = ~np.isnan(rank)
        total += np.where(known, share * (100.0 - rank), 0.0)
        weight += np.where(known, share, 0.0)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)
