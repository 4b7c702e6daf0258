"""Numbers and names as people read them: one rule for each unit, n/a for what is undefined."""

import math
from collections.abc import Mapping
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
FIELD_WORDS: Final[Mapping[str, str]] = {
    "calmar": "Calmar", "gartley": "Gartley", "judas": "Judas", "kelly": "Kelly", "martin": "Martin",
    "omega": "Omega", "sharpe": "Sharpe", "sortino": "Sortino", "treynor": "Treynor", "wyckoff": "Wyckoff",
    "abcd": "ABCD", "atr": "ATR", "bos": "BOS", "choch": "CHoCH", "cvd": "CVD", "dsr": "DSR", "ema": "EMA",
    "etf": "ETF", "ict": "ICT", "mae": "MAE", "mfe": "MFE", "obv": "OBV", "psr": "PSR", "r2": "R²",
    "tvl": "TVL", "vwap": "VWAP",
}  # fmt: skip
"""Words of names that the field writes otherwise: proper nouns and abbreviations."""
METRIC_NAMES: Final[Mapping[str, str]] = {
    "log_equity_r2": "R² of log equity",
    "value_at_risk_95": "value at risk, 95 %",
    "conditional_value_at_risk_95": "conditional value at risk, 95 %",
    "value_at_risk_99": "value at risk, 99 %",
    "conditional_value_at_risk_99": "conditional value at risk, 99 %",
    "expectancy_frac": "expectancy, share of notional",
    "expectancy_r": "expectancy in R",
    "system_quality_number": "system quality number (SQN)",
}
"""Metrics whose words are not those of their name."""


def formatted(value: float | None, unit: str) -> str:
    """``value`` in its unit; fractions as percent, None (undefined) as n/a."""
    if value is None:
        return "n/a"
    if unit == "fraction":
        return f"{value:,.2%}" if abs(value) < 100 else f"{value:,.0%}"
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
    if unit == "days":
        decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
        return f"{value:,.{decimals}f} days"
    if unit in ("bps", "R"):
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


def counted(count: int, one: str) -> str:
    """``1 bar``, ``1,204 bars``."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def signed(value: float | None, unit: str) -> str:
    """``value`` as a difference, with its sign."""
    text = formatted(value, unit)
    return text if value is None or value < 0 or unit == "flag" else f"+{text}"


def spoken(name: str) -> str:
    """A name of the code (a head, a gate, a reason, a metric) as words: ``ict`` is ICT.

    For people alone: JSON, configurations and arguments keep the name.
    """
    return " ".join(FIELD_WORDS.get(word, word) for word in name.split("_"))


def metric_label(name: str, unit: str) -> str:
    """The name of a metric in a table, with the direction in which money moved where it did."""
    words = METRIC_NAMES.get(name) or spoken(name)
    moved = unit.removeprefix("settlement currency ")
    return f"{words} {moved}" if moved != unit else words


def is_of_equity(group: str) -> bool:
    """Whether a metric of this group is shown for buy and hold as well."""
    return group in EQUITY_GROUPS


def is_silent(name: str, value: float | None) -> bool:
    """Whether a table leaves a metric out, because what it counts never happened."""
    return value == 0 and (name in SILENT_AT_ZERO or name.startswith("orders_rejected_by_"))
