"""Rules that every row in the store obeys, each violation named by its row, column and value."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, DataError, Float1D, Int1D, grid_origin_ns, timeframe_ns

from .kinds import Column, Kind
from .tables import available_at_ns, floats_of, identity_order, repeated_rows, times_ns
from .timestamps import time_text

FLOW_TOLERANCE = 1e-9
RowName = Callable[[int], str]
"""Says where a row stands, such as ``BTCUSDT-1h-2018.csv line 17``."""


def check_rows(kind: Kind, step: str, table: pa.Table, row_name: RowName) -> None:
    """Check a canonical table in store order: order, grid, availability, missing cells, ranges.

    Raises DataError for the first row that breaks a rule.
    """
    check_order(kind, table, row_name)
    check_values(kind, table, row_name)
    check_availability(kind, step, table, row_name)
    check_grid(kind, step, table, row_name)


def check_grid(kind: Kind, step: str, table: pa.Table, row_name: RowName) -> None:
    """Every time of a kind on a grid is on it, else DataError naming the first that is not."""
    if not kind.on_grid:
        return
    wrong = off_grid(times_ns(kind, table), step)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{row_name(row)}: {kind.time_column}={_time(kind, table, row)} is off the {step} grid"
        )


def off_grid(time_ns: Int1D, step: str) -> Bool1D:
    """True where a time is not on the grid of ``step``."""
    wrong: Bool1D = (time_ns - grid_origin_ns(step)) % timeframe_ns(step) != 0
    return wrong


def check_order(kind: Kind, table: pa.Table, row_name: RowName) -> None:
    """Rows are in store order and none is repeated, else DataError naming both rows."""
    order = identity_order(kind, table)
    if (np.diff(order) < 0).any():
        # Where each row belongs; the first that belongs before its predecessor is the culprit.
        places = np.argsort(order)
        row = int(np.flatnonzero(np.diff(places) < 0)[0]) + 1
        raise DataError(
            f"{row_name(row)}: {kind.time_column}={_time(kind, table, row)} is "
            f"unsorted, it comes after {_time(kind, table, row - 1)}; sort the rows by "
            f"{', '.join(kind.identity)}, oldest first"
        )
    again = np.flatnonzero(repeated_rows(kind, table))
    if again.size:
        row = int(again[0])
        raise DataError(
            f"{row_name(row)}: {kind.time_column}={_time(kind, table, row)} is a duplicate of "
            f"{row_name(row - 1)}; every row may stand once: remove one of the two rows"
        )


def check_availability(kind: Kind, step: str, table: pa.Table, row_name: RowName) -> None:
    """No row is known before it is complete: a bar before its close, an event before it happens."""
    complete_ns = kind.complete_ns(times_ns(kind, table), step)
    early = np.flatnonzero(available_at_ns(table) < complete_ns)
    if early.size:
        row = int(early[0])
        raise DataError(
            f"{row_name(row)}: available_at={time_text(int(available_at_ns(table)[row]))} is before "
            f"{time_text(int(complete_ns[row]))}, when the row of {_time(kind, table, row)} was "
            "complete; nothing is known before it has happened"
        )


def check_values(kind: Kind, table: pa.Table, row_name: RowName) -> None:
    """Cells that must exist do, values are finite, in range and of the allowed words, prices fit."""
    arrays: dict[str, Float1D] = {}
    for column in kind.columns:
        cells = table[column.name]
        if cells.null_count == len(cells) and not column.required:
            continue
        if column.required and cells.null_count:
            row = int(np.flatnonzero(np.asarray(cells.is_null()))[0])
            raise DataError(f"{row_name(row)}: {column.name} is empty; every row needs a value")
        if column.is_number:
            arrays[column.name] = _checked_numbers(kind, column, table, row_name)
        elif column.words:
            _check_words(kind, column, table, row_name)
    if kind.needs_one_of:
        empty = np.logical_and.reduce([np.asarray(table[n].is_null()) for n in kind.needs_one_of])
        if empty.any():
            row = int(np.flatnonzero(empty)[0])
            raise DataError(
                f"{row_name(row)}: the row of {_time(kind, table, row)} has none of "
                f"{', '.join(kind.needs_one_of)}; it must have one"
            )
    if kind.ohlc == "strict":
        _check_prices(kind, table, arrays, row_name)
        _check_flows(kind, table, arrays, row_name)


def _checked_numbers(kind: Kind, column: Column, table: pa.Table, row_name: RowName) -> Float1D:
    values = floats_of(table, column.name)
    rules: list[tuple[Bool1D, str]] = []
    finite = np.isfinite(values)
    if not finite.all():
        stated = np.asarray(table[column.name].is_valid())
        rules.append((~finite & stated, "must be a finite number"))
    if column.minimum is not None:
        too_low = values <= column.minimum if column.positive else values < column.minimum
        rule = "must be greater than" if column.positive else "must not be below"
        rules.append((too_low, f"{rule} {column.minimum:g}"))
    for broken, rule in rules:
        if broken.any():
            row = int(np.flatnonzero(broken)[0])
            raise DataError(
                f"{row_name(row)}: {column.name}={table[column.name][row].as_py()!r} at "
                f"{_time(kind, table, row)}; it {rule}"
            )
    return values


def _check_words(kind: Kind, column: Column, table: pa.Table, row_name: RowName) -> None:
    allowed = pc.is_in(table[column.name], value_set=pa.array([*column.words, None]))
    unknown = np.flatnonzero(~np.asarray(allowed))
    if unknown.size:
        row = int(unknown[0])
        raise DataError(
            f"{row_name(row)}: {column.name}={table[column.name][row].as_py()!r} at "
            f"{_time(kind, table, row)}; it must be one of {', '.join(column.words)}"
        )


def ohlc_contradictions(table: pa.Table) -> Bool1D:
    """True where open, high or close lies outside low to high, ``(N,)``; empty cells fit."""
    low, high = floats_of(table, "low"), floats_of(table, "high")
    wrong = np.zeros(len(table), dtype=np.bool_)
    for name in ("high", "open", "close"):
        values = floats_of(table, name)
        wrong |= (values < low) | (values > high)
    return wrong


def _check_prices(
    kind: Kind, table: pa.Table, arrays: dict[str, Float1D], row_name: RowName
) -> None:
    if "low" not in arrays or "high" not in arrays:
        return
    low, high = arrays["low"], arrays["high"]
    for name in ("high", "open", "close"):
        if name not in arrays:
            continue
        broken = (arrays[name] < low) | (arrays[name] > high)
        if broken.any():
            row = int(np.flatnonzero(broken)[0])
            if low[row] > high[row]:
                raise DataError(
                    f"{row_name(row)}: high={float(high[row])!r} at {_time(kind, table, row)} is below "
                    f"low={float(low[row])!r}"
                )
            raise DataError(
                f"{row_name(row)}: {name}={float(arrays[name][row])!r} at {_time(kind, table, row)} lies "
                f"outside low={float(low[row])!r} .. high={float(high[row])!r}"
            )


def _check_flows(
    kind: Kind, table: pa.Table, arrays: dict[str, Float1D], row_name: RowName
) -> None:
    """What takers bought is part of what was traded; 1e-9 covers sums rounded by the source."""
    for part, whole in (("taker_buy_volume", "volume"), ("taker_buy_quote", "quote_volume")):
        if part not in arrays or whole not in arrays:
            continue
        known = ~np.asarray(table[part].is_null()) & ~np.asarray(table[whole].is_null())
        broken = known & (arrays[part] > arrays[whole] * (1.0 + FLOW_TOLERANCE))
        if broken.any():
            row = int(np.flatnonzero(broken)[0])
            raise DataError(
                f"{row_name(row)}: {part}={float(arrays[part][row])!r} at {_time(kind, table, row)} is "
                f"more than {whole}={float(arrays[whole][row])!r}; takers buy a part of what is traded"
            )


def _time(kind: Kind, table: pa.Table, row: int) -> str:
    return time_text(int(times_ns(kind, table)[row]))
