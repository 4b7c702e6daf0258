"""Who crosses the spread: CVD against price, its trend, and strong taker flow (SPEC H9.1, H9.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from ..events import held
from ..scoring import column_or_nan, column_or_zero
from .opinion import Opinion, signalled_opinion


@dataclass(frozen=True, slots=True)
class CvdDivergence:
    """Divergence of CVD from price at confirmed pivots, held ``event_bars`` bars.

    Confidence is ``confidence + strength_bonus * strength``; with the defaults 0.75 to 0.90.
    """

    name: ClassVar[str] = "cvd_divergence"

    event_bars: int = 10
    confidence: float = 0.75
    strength_bonus: float = 0.15

    def features(self) -> Mapping[str, Feature]:
        """Regular and hidden events, and the strength of each."""
        return {
            "divergence_regular": feature("cvd_divergence", "regular"),
            "divergence_hidden": feature("cvd_divergence", "hidden"),
            "divergence_strength": feature("cvd_divergence", "strength"),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """The side of the newest event while it is valid."""
        strength = column_or_nan(inputs, "divergence_strength")
        known = ~np.isnan(strength)
        event = column_or_zero(inputs, "divergence_regular") + column_or_zero(
            inputs, "divergence_hidden"
        )
        side = held(np.where(known, np.sign(event), 0.0), self.event_bars)
        lasting = held(np.where(known, strength, 0.0), self.event_bars)
        confidence = np.clip(self.confidence + self.strength_bonus * lasting, 0.0, 1.0)
        return Opinion(side, confidence, known)


@dataclass(frozen=True, slots=True)
class CvdTrend:
    """The sign of CVD over 20 bars as a share of their volume, beyond ``threshold``."""

    name: ClassVar[str] = "cvd_trend"

    threshold: float = 0.05
    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The share, and the side it takes."""
        return {
            "cvd_side": feature("cvd", "side", threshold=self.threshold),
            "cvd_trend": feature("cvd", "trend", threshold=self.threshold),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the takers."""
        known = ~np.isnan(column_or_nan(inputs, "cvd_trend"))
        return signalled_opinion(inputs, "cvd_side", known, self.confidence)


@dataclass(frozen=True, slots=True)
class TakerFlow:
    """Takers strongly on one side: a bar's buy share beyond ``strong``, its mean beyond ``moderate``."""

    name: ClassVar[str] = "taker_flow"

    strong: float = 0.60
    moderate: float = 0.55
    confidence: float = 0.75

    def features(self) -> Mapping[str, Feature]:
        """The strong side, and the mean share."""
        return {
            alias: feature("taker_ratio", output, strong=self.strong, moderate=self.moderate)
            for alias, output in (("taker_side", "strong"), ("taker_share", "smooth"))
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the takers; only the strong bands speak."""
        known = ~np.isnan(column_or_nan(inputs, "taker_share"))
        return signalled_opinion(inputs, "taker_side", known, self.confidence)
