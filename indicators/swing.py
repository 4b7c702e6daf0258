"""Swings: the turning points that market structure is read from, each with the row of its extreme.

They are confirmed pivots ``P(left, right)``, or the turns of the directional change (SPEC H5.1). Five
bars on each side give the internal structure, fifty the major one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, Float2D

from .directional_change import DIRECTIONAL_CHANGE, directional_change_pivots
from .pivot import alternating_swings, confirmed_pivots, pivot_stable_rows
from .spec import Columns, Parameter, Parameters
from .volatility import average_true_range

TURN_ATR_LENGTH: Final = 14

SIDES: Final = (Parameter("left", 5, 1, 100), Parameter("right", 5, 1, 100))
SWING_PARAMETERS: Final = (
    *SIDES,
    Parameter("by_turns", 0, 0, 1),
    Parameter("turn_atr", 2.5, 1.0, 6.0, integer=False),
)
"""``by_turns`` 1 takes turns that a close confirms ``turn_atr`` ATR behind the extreme; the sides of
pivots then mean nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Swings:
    """Highs and lows on the rows where they become known; every array is float64 ``(T,)``.

    ``high`` and ``low``: the price, NaN where none becomes known. ``high_anchor`` and ``low_anchor``:
    the row of the extreme, which means something only where the price is there.
    """

    high: Float1D
    low: Float1D
    high_anchor: Float1D
    low_anchor: Float1D

    def alternating(
        self, depth: int, is_gap: Float1D | None = None
    ) -> tuple[Float2D, Float2D, Float2D]:
        """Price, anchor and kind of the last ``depth`` swings, as ``alternating_pivots`` has them."""
        return alternating_swings(
            (self.high, self.low), (self.high_anchor, self.low_anchor), depth, is_gap
        )


def pivot_swings(high: Float1D, low: Float1D, left: int, right: int) -> Swings:
    """The confirmed pivots ``P(left, right)`` of ``(T,)`` highs and lows, known ``right`` rows late."""
    anchor = np.arange(len(high), dtype=np.float64) - right
    return Swings(*confirmed_pivots(high, low, left, right), anchor, anchor)


def swings_of(columns: Columns, parameters: Parameters) -> Swings:
    """The swings that ``SWING_PARAMETERS`` ask for; reads high, low, close and is_gap ``(T,)``."""
    high, low, close = columns["high"], columns["low"], columns["close"]
    if not parameters["by_turns"]:
        return pivot_swings(high, low, int(parameters["left"]), int(parameters["right"]))
    atr = average_true_range(high, low, close, TURN_ATR_LENGTH)
    top, bottom, anchor = directional_change_pivots(
        high, low, close, atr, parameters["turn_atr"], is_gap=columns["is_gap"]
    )
    return Swings(top, bottom, anchor, anchor)


def swing_stable_rows(parameters: Parameters) -> int:
    """Rows until the swings no longer depend on where the series starts."""
    if parameters["by_turns"]:
        return DIRECTIONAL_CHANGE.stable({"atr_length": TURN_ATR_LENGTH})
    return pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
