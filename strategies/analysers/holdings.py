"""Where coins lie: on exchanges, and locked in decentralised finance (SPEC H9.7, H9.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from ..scoring import column_or_nan, column_or_zero
from .opinion import Opinion, banded_opinion

_CLOCK = "exchange_reserves"
_SCARCE = 1


@dataclass(frozen=True, slots=True)
class ExchangeReserves:
    """Coins that leave exchanges are not for sale: a day's flow, else a week's, else scarcity."""

    name: ClassVar[str] = "reserves"

    sharp_confidence: float = 0.80
    steady_confidence: float = 0.75
    inflow_confidence: float = 0.70
    scarce_confidence: float = 0.85

    def features(self) -> Mapping[str, Feature]:
        """Both flows, the band of the level, and a day's change, which tells whether there are data."""
        return {
            "reserves_sharp": feature("exchange_reserves", "sharp", clock=_CLOCK),
            "reserves_steady": feature("exchange_reserves", "steady", clock=_CLOCK),
            "reserves_band": feature("exchange_reserves", "band", clock=_CLOCK),
            "reserves_change": feature("exchange_reserves", "change_1d", clock=_CLOCK),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Long where coins leave or are scarce, short where they arrive."""
        known = ~np.isnan(column_or_nan(inputs, "reserves_change"))
        sharp, steady, band = (
            np.where(known, column_or_zero(inputs, f"reserves_{name}"), 0.0)
            for name in ("sharp", "steady", "band")
        )
        scarce = (band == _SCARCE).astype(np.float64)
        side = np.where(sharp != 0, sharp, np.where(steady != 0, steady, scarce))
        outflow = np.where(
            sharp > 0,
            self.sharp_confidence,
            np.where(steady > 0, self.steady_confidence, self.scarce_confidence),
        )
        return Opinion(side, np.where(side < 0, self.inflow_confidence, outflow), known)


@dataclass(frozen=True, slots=True)
class LockedValue:
    """With strong growth of the value locked within seven days, and against strong decline.

    ``price_neutral`` measures it in coins, where the price of what is locked does not show; it needs a
    series that states both.
    """

    name: ClassVar[str] = "tvl"

    price_neutral: bool = True
    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The band of the growth."""
        indicator = "tvl_flow" if self.price_neutral else "tvl"
        return {"tvl_band": feature(indicator, "band", clock="tvl")}

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the growth."""
        highest = 3 if self.price_neutral else 5
        bands = {1: (-1.0, self.confidence), highest: (1.0, self.confidence)}
        return banded_opinion(inputs, "tvl_band", bands)
