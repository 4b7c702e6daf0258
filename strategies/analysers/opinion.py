"""What an analyser answers, and what every analyser declares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from engine import Bool1D, Float1D
from indicators import Feature

from ..base import HeadInputs
from ..scoring import column_or_nan, column_or_zero


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """One analyser on every bar, arrays ``(T,)``; row *t* is known at close *t*.

    ``side`` is -1, 0 or 1 and 0 where nothing is known; ``confidence`` in [0, 1] is that of the side;
    ``known`` tells where the analyser had data.
    """

    side: Float1D
    confidence: Float1D
    known: Bool1D


class Analyser(Protocol):
    """A frozen dataclass of its parameters; it reads nothing but the features that it declares."""

    name: ClassVar[str]

    def features(self) -> Mapping[str, Feature]:
        """The features it needs, by the alias under which ``opinion`` reads them."""
        ...

    def opinion(self, inputs: HeadInputs) -> Opinion:
        """Side, confidence and whether there were data, on every bar."""
        ...


def banded_opinion(
    inputs: HeadInputs, alias: str, bands: Mapping[int, tuple[float, float]]
) -> Opinion:
    """The side and the confidence of the band that the state ``alias`` is in.

    ``bands`` maps a code to (side, confidence); a code without an entry has no side. Code 0 is unknown.
    """
    band = column_or_nan(inputs, alias)
    side, confidence = np.zeros(inputs.rows), np.zeros(inputs.rows)
    for code, (toward, certainty) in bands.items():
        side = np.where(band == code, toward, side)
        confidence = np.where(band == code, certainty, confidence)
    return Opinion(side, confidence, band > 0)


def signalled_opinion(inputs: HeadInputs, alias: str, known: Bool1D, confidence: float) -> Opinion:
    """The side of the signal ``alias`` where data are ``known``, with one confidence."""
    side = np.where(known, column_or_zero(inputs, alias), 0.0)
    return Opinion(side, np.full(inputs.rows, confidence), known)
