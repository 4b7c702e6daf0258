"""Unlocks, listings and prices of the same coin elsewhere (SPEC H9.11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from ..scoring import column_or_nan
from .opinion import Opinion, banded_opinion, signalled_opinion


@dataclass(frozen=True, slots=True)
class TokenUnlocks:
    """Short while a large part of the float is announced to be released within 14 days."""

    name: ClassVar[str] = "unlocks"

    large_percent: float = 1.0
    confidence: float = 0.75

    def features(self) -> Mapping[str, Feature]:
        """The band of what is released."""
        return {
            "unlocks_band": feature(
                "unlock_pressure", "band", clock="unlock_schedule", large_percent=self.large_percent
            )
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Short before a large release."""
        return banded_opinion(inputs, "unlocks_band", {3: (-1.0, self.confidence)})


@dataclass(frozen=True, slots=True)
class Listing:
    """With the return of the first days after a listing, against the coin after a delisting."""

    name: ClassVar[str] = "listing"

    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """Momentum, and the band, which tells whether anything was announced."""
        return {
            "listing_side": feature("listing", "momentum", clock="bars+listings"),
            "listing_band": feature("listing", "band", clock="bars+listings"),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the momentum of the announcement."""
        known = column_or_nan(inputs, "listing_band") > 0
        return signalled_opinion(inputs, "listing_side", known, self.confidence)


@dataclass(frozen=True, slots=True)
class FundPremium:
    """With strong demand for funds that hold the coin: their flow and, before 2024, the premium.

    Where the two disagree there is no side.
    """

    name: ClassVar[str] = "etf"

    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The bands of premium and flow."""
        return {
            "etf_premium_band": feature("etf_premium", "band", clock="etf"),
            "etf_flow_band": feature("etf_flow", "band", clock="etf"),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the demand."""
        bands = {1: (-1.0, self.confidence), 3: (1.0, self.confidence)}
        premium = banded_opinion(inputs, "etf_premium_band", bands)
        flow = banded_opinion(inputs, "etf_flow_band", bands)
        side = np.sign(premium.side + flow.side)
        return Opinion(side, np.full(inputs.rows, self.confidence), premium.known | flow.known)


@dataclass(frozen=True, slots=True)
class KimchiPremium:
    """Short while Korea pays unusually much more than the world: a crowd of small buyers."""

    name: ClassVar[str] = "kimchi"

    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The band of the premium."""
        return {"kimchi_band": feature("kimchi_premium", "band", clock="krw_premium")}

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Against the crowd."""
        return banded_opinion(inputs, "kimchi_band", {2: (-1.0, self.confidence)})
