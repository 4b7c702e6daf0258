"""How numbers of the heads are shown: names, intervals, whiskers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine import Float1D

from ...formats import formatted, spoken
from ...pages import Number

BASIS_POINTS: Final = 1e4


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    words = [spoken(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(words: str) -> str:
    """``words`` with a capital at the beginning; the rest as it is."""
    return words[:1].upper() + words[1:]


def basis_points(value: float) -> Number:
    """A fraction as a number in basis points."""
    return Number(value * BASIS_POINTS, "bps")


def interval_words(low: float, high: float, unit: str) -> str:
    """``low to high``, ``n/a`` where there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return "n/a"
    return f"{formatted(float(low), unit)} to {formatted(float(high), unit)}"


def whiskers(value: Float1D, low: Float1D, high: Float1D) -> Mapping[str, Any]:
    """Error bars from ``low`` to ``high`` around ``value``; none where a bound is NaN."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(high - value),
        "arrayminus": np.nan_to_num(value - low),
        "color": "@muted",
        "thickness": 1.3,
        "width": 3,
    }


def signed_colours(values: Float1D) -> list[str]:
    """``@up`` from 0 on, ``@down`` below."""
    return ["@down" if value < 0 else "@up" for value in values]
