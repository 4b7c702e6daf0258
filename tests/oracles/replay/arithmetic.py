"""Section 1: rounding, and sums that add from left to right."""

import math
from collections.abc import Iterable


def total(values: Iterable[float]) -> float:
    """Plain additions in the given order (``sum`` compensates its rounding from Python 3.12 on)."""
    result = 0.0
    for value in values:
        result = result + value
    return result


def sign(value: float) -> int:
    """-1, 0 or +1."""
    return (value > 0) - (value < 0)


def ticks(n: int, tick: float) -> float:
    """``n`` ticks: the float nearest to the decimal where a whole number of ticks makes 1."""
    k = round(1 / tick)
    return n / k if k >= 1 and abs(k * tick - 1) <= 1e-12 else n * tick


def tick_up(x: float, tick: float) -> float:
    """The next multiple of ``tick`` that is not below ``x``; ``x`` itself below a tick."""
    return ticks(math.ceil(x / tick - 1e-9), tick) if tick and x >= tick else x


def tick_down(x: float, tick: float) -> float:
    """The next multiple of ``tick`` that is not above ``x``; ``x`` itself below a tick."""
    return ticks(math.floor(x / tick + 1e-9), tick) if tick and x >= tick else x


def lot_down(x: float, lot: float) -> float:
    """The next multiple of ``lot`` that is not above ``x``."""
    return math.floor(x / lot + 1e-9) * lot if lot else x


def through(side: int, price: float, level: float, tick: float) -> bool:
    """Section 3: whether ``price`` went through the limit of a buy (``side`` 1) or sell (-1) order."""
    if tick:
        step = tick * (1 - 1e-9)
        return price <= level - step if side > 0 else price >= level + step
    return price < level if side > 0 else price > level
