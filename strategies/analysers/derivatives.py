"""What leverage costs: premium of the perpetual, funding, basis of dated futures (SPEC H9.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from .opinion import Opinion, banded_opinion


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The majority of premium, funding and, with ``use_basis``, basis; confidence is its mean.

    Premium and funding are read against the crowd: the two high bands and funding ``funding_extreme``
    above its baseline speak short, their mirrors long. Of the basis, backwardation and a steep contango
    speak short and a normal contango long; the last is so usual that the basis is off by default.
    ``use_mark_price`` reads the premium from mark and index prices instead of the venue's own index.
    """

    name: ClassVar[str] = "derivatives"

    funding_extreme: float = 3e-4
    funding_confidence: float = 0.75
    premium_confidence: float = 0.70
    premium_extreme_confidence: float = 0.85
    use_mark_price: bool = False
    use_basis: bool = False
    contango_confidence: float = 0.70
    basis_extreme_confidence: float = 0.80

    def features(self) -> Mapping[str, Feature]:
        """One band for each part."""
        premium = feature("premium", "band", clock="premium_index")
        if self.use_mark_price:
            premium = feature("mark_premium", "band", clock="mark_price&index_price")
        wanted = {
            "premium_band": premium,
            "funding_band": feature(
                "funding_rate", "band", clock="funding", extreme=self.funding_extreme
            ),
        }
        if self.use_basis:
            wanted["basis_band"] = feature("dated_basis", "band", clock="dated_futures&index_price")
        return wanted

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """The side of the majority; a tie is none."""
        far, near = self.premium_extreme_confidence, self.premium_confidence
        parts = [
            banded_opinion(
                inputs,
                "premium_band",
                {1: (1.0, far), 2: (1.0, near), 4: (-1.0, near), 5: (-1.0, far)},
            ),
            banded_opinion(
                inputs,
                "funding_band",
                {1: (1.0, self.funding_confidence), 3: (-1.0, self.funding_confidence)},
            ),
        ]
        if self.use_basis:
            far, near = self.basis_extreme_confidence, self.contango_confidence
            bands = {1: (-1.0, far), 3: (1.0, near), 4: (-1.0, far)}
            parts.append(banded_opinion(inputs, "basis_band", bands))
        side = np.sign(np.sum([part.side for part in parts], axis=0))
        agree = np.array([(part.side == side) & (side != 0) for part in parts])
        total = np.sum(agree * np.array([part.confidence for part in parts]), axis=0)
        known = np.any([part.known for part in parts], axis=0)
        return Opinion(side, total / np.maximum(agree.sum(axis=0), 1), known)
