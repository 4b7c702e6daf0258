"""Numbers as people read them: one rule for each unit, n/a for what is undefined."""

import math
from datetime import UTC, datetime
from typing import Final

from engine.metrics import EQUITY_GROUPS

SILENT_AT_ZERO: Final = (
    "impact",
    "borrow",
    "shortfall",
    "orders_cut",
    "orders_rejected",
    "ambiguous_exits",
    "unresolved_bars",
    "liquidations",
)

SMALLEST_PLAIN: Final = 0.005
"""Numbers below it would show two zeros: they get two digits instead."""
MOST_DECIMALS: Final = 8


def formatted(value: float | None, unit: str) -> str:
    """``value`` in its unit; fractions as percent, None (undefined) as n/a."""
    if value is None:
        return "n/a"
    if unit == "fraction":
        return f"{value:.2%}" if abs(value) < 100 else f"{value:,.0%}"
    if unit in ("count", "bars"):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    if unit == "probability":
        return "< 0.001" if value < 0.001 else "> 0.999" if value > 0.999 else f"{value:.3f}"
    if unit == "significant":
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    if unit == "flag":
        return "yes" if value else "no"
    if unit in ("per year", "per day"):
        return f"{value:,.1f} a {unit.removeprefix('per ')}"
    if unit == "unix seconds":
        return f"{datetime.fromtimestamp(value, tz=UTC):%Y-%m-%d %H:%M}"
    if unit in ("days", "bps", "R"):
        return f"{value:,.2f} {unit}"
    if unit.startswith("settlement currency") and abs(value) < 1:
        return _with_digits(value, 4)
    return f"{value:,.2f}" if abs(value) >= SMALLEST_PLAIN else _with_digits(value, 2)


def _with_digits(value: float, digits: int) -> str:
    """That many significant digits, never with an exponent; what is too small for 8 decimals is 0.00."""
    if abs(value) < 10.0**-MOST_DECIMALS:
        return "0.00"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(decimals, MOST_DECIMALS)}f}"


def signed(value: float | None, unit: str) -> str:
    """``value`` as a difference, with its sign."""
    text = formatted(value, unit)
    return text if value is None or value < 0 or unit == "flag" else f"+{text}"


def metric_label(name: str, unit: str) -> str:
    """The name of a metric in a table, with the direction in which money moved where it did."""
    words = name.replace("_", " ")
    moved = unit.removeprefix("settlement currency ")
    return f"{words} {moved}" if moved != unit else words


def is_of_equity(group: str) -> bool:
    """Whether a metric of this group is shown for buy and hold as well."""
    return group in EQUITY_GROUPS


def is_silent(name: str, value: float | None) -> bool:
    """Whether a table leaves a metric out, because what it counts never happened."""
    return value == 0 and (name in SILENT_AT_ZERO or name.startswith("orders_rejected_by_"))
