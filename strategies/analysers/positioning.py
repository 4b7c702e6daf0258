"""Who holds what: crowded accounts, and top traders apart from them (SPEC H9.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from ..scoring import column_or_nan
from .opinion import Opinion, banded_opinion

CROWDED_SHORT, CROWDED_LONG = 1, 3
SECOND_VENUE = "metrics:second"
"""The clock on which a second venue's ratios stands."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Against accounts that are as long or as short as they seldom were on their own venue.

    A venue's ratio is judged by its percent rank, never by its level: retail accounts lean long, and
    venues do not count alike. With ``use_second_venue`` the mean of the z-scores of two venues speaks
    where ranks are silent, once it reaches ``venue_z``; where both venues are at least one deviation
    on the crowded side, confidence is ``agreeing_confidence``.
    """

    name: ClassVar[str] = "accounts"

    percentile: float = 95.0
    confidence: float = 0.80
    agreeing_confidence: float = 0.85
    use_second_venue: bool = False
    venue_z: float = 2.0

    def features(self) -> Mapping[str, Feature]:
        """The band of the rank, and with two venues the z-score of each."""
        wanted = {
            "crowd_band": feature(
                "long_short_extreme", "relative_band", clock="metrics", percentile=self.percentile
            )
        }
        if self.use_second_venue:
            wanted["crowd_z"] = feature("long_short", "z", clock="metrics")
            wanted["crowd_z_second"] = feature("long_short", "z", clock=SECOND_VENUE)
        return wanted

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Against the crowd."""
        bands = {CROWDED_SHORT: (1.0, self.confidence), CROWDED_LONG: (-1.0, self.confidence)}
        ranked = banded_opinion(inputs, "crowd_band", bands)
        if not self.use_second_venue:
            return ranked
        first, second = (column_or_nan(inputs, alias) for alias in ("crowd_z", "crowd_z_second"))
        both = ~np.isnan(first) & ~np.isnan(second)
        mean = np.where(both, first + second, 0.0) / 2.0
        crowded = np.where(np.abs(mean) >= self.venue_z, -np.sign(mean), 0.0)
        side = np.where(ranked.side != 0, ranked.side, crowded)
        agree = both & (-side * first >= 1.0) & (-side * second >= 1.0)
        confidence = np.where(agree, self.agreeing_confidence, self.confidence)
        return Opinion(side, confidence, ranked.known | both)


@dataclass(frozen=True, slots=True)
class TopTraders:
    """With the positions of top traders where they are far from what all accounts hold."""

    name: ClassVar[str] = "top_traders"

    confidence: float = 0.70

    def features(self) -> Mapping[str, Feature]:
        """The band of the difference."""
        return {"elite_band": feature("elite_divergence", "band", clock="metrics")}

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """With the top traders."""
        bands = {1: (-1.0, self.confidence), 3: (1.0, self.confidence)}
        return banded_opinion(inputs, "elite_band", bands)
