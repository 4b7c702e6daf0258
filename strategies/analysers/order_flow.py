"""Who crosses the spread: CVD against price, its trend, and strong taker flow (SPEC H9.1, H9.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from engine import Bool1D
from indicators import Feature, feature
from indicators.volume_delta import CLOCK, CLOSE_LOCATION, TAKER_COLUMNS, TRADES

from ..base import HeadInputs
from ..events import held
from ..scoring import column_or_nan, column_or_zero
from .opinion import Opinion, signalled_opinion

_MEASURED: Final = (TRADES, TAKER_COLUMNS)


def _made_of(inputs: HeadInputs, alias: str, estimated: bool) -> Bool1D:
    """Where the source in the column ``alias`` counts, ``(T,)``: one that saw the takers, or any."""
    counted = (*_MEASURED, CLOSE_LOCATION) if estimated else _MEASURED
    found: Bool1D = np.isin(column_or_nan(inputs, alias), counted)
    return found


@dataclass(frozen=True, slots=True)
class CvdDivergence:
    """Divergence of CVD from price at confirmed pivots, held ``event_bars`` bars.

    Confidence is ``confidence + strength_bonus * strength``; with the defaults 0.75 to 0.90. CVD comes
    from trades or taker columns, and where ``estimated`` is set from the place of the close too.
    """

    name: ClassVar[str] = "cvd_divergence"

    event_bars: int = 10
    confidence: float = 0.75
    strength_bonus: float = 0.15
    estimated: bool = False

    def features(self) -> Mapping[str, Feature]:
        """Regular and hidden events, the strength of each, and what they are made of."""
        return {
            f"divergence_{output}": feature("cvd_divergence", output, clock=CLOCK)
            for output in ("regular", "hidden", "strength", "source")
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """The side of the newest event while it is valid."""
        strength = column_or_nan(inputs, "divergence_strength")
        known = ~np.isnan(strength) & _made_of(inputs, "divergence_source", self.estimated)
        event = column_or_zero(inputs, "divergence_regular") + column_or_zero(
            inputs, "divergence_hidden"
        )
        side = held(np.where(known, np.sign(event), 0.0), self.event_bars)
        lasting = held(np.where(known, strength, 0.0), self.event_bars)
        confidence = np.clip(self.confidence + self.strength_bonus * lasting, 0.0, 1.0)
        return Opinion(side, confidence, known)


@dataclass(frozen=True, slots=True)
class CvdTrend:
    """The sign of CVD over 20 bars as a share of their volume, beyond ``threshold``.

    CVD comes from trades or taker columns, and where ``estimated`` is set from the place of the close too.
    """

    name: ClassVar[str] = "cvd_trend"

    threshold: float = 0.05
    confidence: float = 0.70
    estimated: bool = False

    def features(self) -> Mapping[str, Feature]:
        """The share, the side it takes, and what they are made of."""
        return {
            f"cvd_{output}": feature("cvd", output, clock=CLOCK, threshold=self.threshold)
            for output in ("side", "trend", "source")
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the takers."""
        known = ~np.isnan(column_or_nan(inputs, "cvd_trend"))
        known &= _made_of(inputs, "cvd_source", self.estimated)
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
