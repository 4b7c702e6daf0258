"""Every column of every ledger of a replay against the oracle's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from engine import (
    ACCOUNT_COLUMNS,
    LIMITS,
    ORDER_KINDS,
    ORDER_STATUSES,
    PAYMENT_KINDS,
    PHASES,
    REASONS,
    Panel,
    ReplayResult,
)

from .ledgers import EquityRow, Fill, OracleResult, OrderRow, Payment, Trade

Columns = Mapping[str, Sequence[Any]]
"""A ledger to be compared: plain Python values by the page's column names."""

ROW_TYPES = {
    "fills": Fill,
    "orders": OrderRow,
    "payments": Payment,
    "trades": Trade,
    "equity": EquityRow,
}
WORDS: dict[str, dict[str, Sequence[str]]] = {
    "fills": {"phase": PHASES, "reason": REASONS},
    "orders": {"kind": ORDER_KINDS, "status": ORDER_STATUSES, "limit": LIMITS},
    "payments": {"kind": PAYMENT_KINDS},
    "trades": {"exit_reason": REASONS},
}
COUNTS = ("ruined_bar", "ambiguous_exits", "unresolved_bars")


def ledgers_of(result: ReplayResult, panel: Panel) -> dict[str, dict[str, list[Any]]]:
    """The ledgers of a replay under the page's names, codes as words."""
    ledgers = {name: _columns_of(getattr(result, name), words) for name, words in WORDS.items()}
    ledgers["equity"] = {
        "time": panel.close_time.tolist(),
        **{name: getattr(result, name).tolist() for name in ACCOUNT_COLUMNS},
    }
    return ledgers


def _columns_of(
    records: np.ndarray[Any, np.dtype[Any]], words: Mapping[str, Sequence[str]]
) -> dict[str, list[Any]]:
    columns = {}
    for name in records.dtype.names or ():
        values = records[name].tolist()
        if name in words:
            values = [words[name][code] for code in values]
        columns[name.removesuffix("_ns")] = values
    return columns


def all_disagreements(expected: OracleResult, found: ReplayResult, panel: Panel) -> list[str]:
    """Where a replay differs from the oracle, ledgers and counts."""
    told = [
        f"{name}: {getattr(found, name)}, expected {getattr(expected, name)}"
        for name in COUNTS
        if getattr(found, name) != getattr(expected, name)
    ]
    return told + disagreements(expected, ledgers_of(found, panel))


def disagreements(
    expected: OracleResult, found: Mapping[str, Columns], relative: float = 1e-9
) -> list[str]:
    """Where the ledgers ``found`` (by the names of ``ROW_TYPES``) differ.

    Integers, flags and words must be equal; NaN equals NaN. Two floats may differ by ``relative`` of
    the larger, or by what rounding leaves where large numbers cancel (see ``_floors``).
    """
    floors = _floors(expected)
    told = []
    for name, columns in found.items():
        told += _differences(name, getattr(expected, name), columns, relative, floors[name])
    return told


MONEY = {
    "fills": ("fee", "spread", "impact", "shortfall", "cash_after"),
    "orders": ("wanted_notional", "granted_notional"),
    "payments": ("payment",),
    "trades": (
        "gross_pnl",
        "fees",
        "spread",
        "impact",
        "funding",
        "borrow",
        "shortfall",
        "net_pnl",
    ),
    "equity": ACCOUNT_COLUMNS,
}
QUANTITIES = {
    "fills": ("quantity", "position_after"),
    "orders": ("filled_quantity",),
    "payments": ("position",),
    "trades": ("quantity",),
}
RATIOS = {"trades": ("return_frac", "r_multiple", "mae_frac", "mfe_frac")}


def _floors(expected: OracleResult) -> dict[str, dict[str, float]]:
    """Absolute tolerance by ledger and column: 1e-13 of the numbers that are subtracted there.

    Cash after a round trip is a small rest of large numbers, and after a liquidation that took nearly
    everything so is all that follows (fees, sizes of the next orders). A profit is the difference of
    what was paid and received, and a ratio of it inherits that. The scale is therefore the largest
    cash or notional that the account ever moved, and the largest quantity; 1 for ratios.
    """
    moved = [
        max(abs(fill.cash_after), abs(fill.cash_after - row.cash_after))
        for fill, row in zip(expected.fills, expected.fills[1:], strict=False)
    ]
    held = [max(abs(row.cash), row.gross_exposure) for row in expected.equity]
    money = 1e-13 * max(moved + held)
    quantity = 1e-13 * max((fill.quantity for fill in expected.fills), default=0.0)
    return {
        name: {
            **dict.fromkeys(MONEY.get(name, ()), money),
            **dict.fromkeys(QUANTITIES.get(name, ()), quantity),
            **dict.fromkeys(RATIOS.get(name, ()), 1e-13),
        }
        for name in ROW_TYPES
    }


def _differences(
    name: str,
    expected: Sequence[Any],
    found: Columns,
    relative: float,
    floors: Mapping[str, float],
) -> list[str]:
    """The first difference of each column."""
    known = {item.name for item in fields(ROW_TYPES[name])}
    told = [f"{name}.{column}: on one side only" for column in sorted(known ^ set(found))]
    for column in sorted(known & set(found)):
        values = found[column]
        if len(values) != len(expected):
            told.append(f"{name}.{column}: {len(values)} rows, expected {len(expected)}")
            continue
        for index, (row, value) in enumerate(zip(expected, values, strict=True)):
            wanted = getattr(row, column)
            if not _same(wanted, value, relative, floors.get(column, 0.0)):
                told.append(f"{name}.{column}[{index}]: {value!r}, expected {wanted!r} in {row}")
                break
    return told


def _same(wanted: Any, value: Any, relative: float, floor: float) -> bool:
    if not isinstance(wanted, float):
        return bool(wanted == value)
    if math.isnan(wanted) or math.isnan(value):
        return math.isnan(wanted) and math.isnan(value)
    if math.isinf(wanted) or math.isinf(value):
        return bool(wanted == value)
    return bool(abs(wanted - value) <= max(floor, relative * max(abs(wanted), abs(value))))
