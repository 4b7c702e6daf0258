"""Numbers as people read them: one rule for each unit, n/a for what is undefined."""

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
    if unit == "flag":
        return "yes" if value else "no"
    if unit in ("per year", "per day"):
        return f"{value:,.1f} a {unit.removeprefix('per ')}"
    if unit == "unix seconds":
        return f"{datetime.fromtimestamp(value, tz=UTC):%Y-%m-%d %H:%M}"
    if unit in ("days", "bps", "R"):
        return f"{value:,.2f} {unit}"
    return f"{value:,.2f}"


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
