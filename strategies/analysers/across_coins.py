"""The coin among others: altcoin season, rotation between layers (SPEC H9.2, H9.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from indicators import Feature, feature

from ..base import HeadInputs
from ..scoring import column_or_nan
from .opinion import Opinion, signalled_opinion


@dataclass(frozen=True, slots=True)
class AltcoinSeason:
    """Long in altcoin season, short in bitcoin season; bitcoin itself has neither."""

    name: ClassVar[str] = "altcoin_season"

    confidence: float = 0.80

    def features(self) -> Mapping[str, Feature]:
        """The side, and the band, which tells whether there are data."""
        return {
            "altcoin_side": feature("altcoin_season", "side", clock="universe"),
            "altcoin_band": feature("altcoin_season", "band", clock="universe"),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the season."""
        known = column_or_nan(inputs, "altcoin_band") > 0
        return signalled_opinion(inputs, "altcoin_side", known, self.confidence)


@dataclass(frozen=True, slots=True)
class LayerRotation:
    """Long where the coin's layer dominates the other one, short where the other does."""

    name: ClassVar[str] = "rotation"

    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The side, and the phase, which tells whether there are data."""
        return {
            "rotation_side": feature("layer_rotation", "side", clock="universe"),
            "rotation_phase": feature("layer_rotation", "phase", clock="universe"),
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the layer that dominates."""
        known = column_or_nan(inputs, "rotation_phase") > 0
        return signalled_opinion(inputs, "rotation_side", known, self.confidence)
