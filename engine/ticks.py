"""Multiples of a price step as the floats that files hold (docs/accounting.md §1, Rounding)."""

from typing import Any, Final

import numpy as np

from .jit import inner_kernel

ROUNDING: Final = 1e-9
"""Share of a tick or lot that a number may be off by and still count as a multiple of it."""
WHOLE: Final = 1e-12
"""How far ``1 / tick`` may be from a whole number, as a share of it, for steps counted by division."""


@inner_kernel
def on_ticks_kernel(count: float, tick: float) -> float:
    """``count`` steps of ``tick``: 1006 of 0.1 are 100.6, which the product is not."""
    parts = np.round(1.0 / tick)
    if parts >= 1.0 and abs(parts * tick - 1.0) <= WHOLE:
        return float(count / parts)
    return count * tick


def on_ticks(count: np.ndarray[Any, Any], tick: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``on_ticks_kernel`` for arrays of one shape or shapes that broadcast; NaN where ``tick`` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.round(1.0 / tick)
        is_whole = (parts >= 1.0) & (np.abs(parts * tick - 1.0) <= WHOLE)
        return np.where(is_whole, count / parts, count * tick)


@inner_kernel
def tick_up_kernel(price: float, tick: float) -> float:
    """The next multiple of ``tick`` at or above ``price``, ``price`` itself below one tick."""
    if not tick > 0.0 or price < tick:
        return price
    return on_ticks_kernel(np.ceil(price / tick - ROUNDING), tick)


@inner_kernel
def tick_down_kernel(price: float, tick: float) -> float:
    """The next multiple of ``tick`` at or below ``price``, ``price`` itself below one tick."""
    if not tick > 0.0 or price < tick:
        return price
    return on_ticks_kernel(np.floor(price / tick + ROUNDING), tick)
