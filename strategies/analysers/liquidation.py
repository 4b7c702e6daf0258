"""Cascades of liquidations: towards a heavy zone that is near, back from one that is cleared (H9.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indicators import Feature, feature

from ..base import HeadInputs
from ..events import held
from ..scoring import column_or_nan, column_or_zero
from .opinion import Opinion

HIGH_RISK = 4


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Price is drawn to a near zone at high risk; once a zone is cleared and volume fades, it turns.

    The turn is held ``event_bars`` bars and comes before the pull.
    """

    name: ClassVar[str] = "liquidation"

    event_bars: int = 10
    confidence: float = 0.70
    exhausted_confidence: float = 0.75

    def features(self) -> Mapping[str, Feature]:
        """The near zone, the tier of its risk, and zones that are exhausted."""
        return {
            f"liquidation_{output}": feature(
                "liquidation_map", output, clock="bars+metrics+funding"
            )
            for output in ("alert", "risk", "exhausted")
        }

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Short above a zone of longs, long below one of shorts; the other way once it is cleared."""
        risk = column_or_nan(inputs, "liquidation_risk")
        known = risk > 0
        pull = np.where(risk >= HIGH_RISK, column_or_zero(inputs, "liquidation_alert"), 0.0)
        turn = held(
            np.where(known, column_or_zero(inputs, "liquidation_exhausted"), 0.0), self.event_bars
        )
        turn = np.where(known, turn, 0.0)
        confidence = np.where(turn != 0, self.exhausted_confidence, self.confidence)
        return Opinion(np.where(turn != 0, turn, pull), confidence, known)
