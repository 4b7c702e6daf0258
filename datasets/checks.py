"""Rules that every row in the store obeys, each violation named by its row, column and value."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from engine import Bool1D, DataError, Float1D, Int1D, grid_origin_ns, timeframe_ns

from .kinds import Kind
from .tables import times_ns
from .timestamps import time_text

FLOW_TOLERANCE = 1e-9
RowName = Callable[[int], str]
"""Says where a row stands, such as ``BTCUSDT-1h-2018.csv line 17``."""


def check_rows(kind: Kind, step: str, table: pa.Table, row_name: RowName) -> None:
    """Check a canonical table: times, grid, missing cells, ranges and price relations.

    Raises DataError for the first row that breaks a rule.
    """
    check_times(kind, times_ns(kind, table), row_name)
    check_values(kind, table, row_name)
    if kind.on_grid:
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


def check_times(kind: Kind, time_ns: Int1D, row_name: RowName) -> None:
    """Times strictly increase, else DataError naming both rows."""
    wrong = np.flatnonzero(np.diff(time_ns) <= 0)
    if not wrong.size:
        return
    row = int(wrong[0]) + 1
    now = time_text(int(time_ns[row]))
    earlier = np.flatnonzero(time_ns[:row] == time_ns[row])
    if earlier.size:
        raise DataError(
            f"{row_name(row)}: {kind.time_column}={now} is a duplicate of "
            f"{row_name(int(earlier[0]))}; every time may stand once: remove one of the two rows"
        )
    raise DataError(
        f"{row_name(row)}: {kind.time_column}={now} is unsorted, it comes after "
        f"{time_text(int(time_ns[row - 1]))}; sort the rows by time, oldest first"
    )


def check_values(kind: Kind, table: pa.Table, row_name: RowName) -> None:
    """Cells that must exist do, values are finite and in range, prices fit each other."""
    arrays: dict[str, Float1D] = {}
    for column in kind.columns:
        cells = table[column.name]
        if cells.null_count == len(cells) and not column.required:
            continue
        absent = np.asarray(cells.is_null())
        values = np.asarray(cells.cast(pa.float64()).fill_null(0.0 if column.integer else 1.0))
        arrays[column.name] = values
        if column.required and absent.any():
            row = int(np.flatnonzero(absent)[0])
            raise DataError(f"{row_name(row)}: {column.name} is empty; every row needs a value")
        rules: list[tuple[Bool1D, str]] = [(~np.isfinite(values), "must be a finite number")]
        if column.minimum is not None:
            too_low = values <= column.minimum if column.positive else values < column.minimum
            rule = "must be greater than" if column.positive else "must not be below"
            rules.append((too_low, f"{rule} {column.minimum:g}"))
        for broken, rule in rules:
            if broken.any():
                row = int(np.flatnonzero(broken)[0])
                raise DataError(
                    f"{row_name(row)}: {column.name}={cells[row].as_py()!r} at "
                    f"{_time(kind, table, row)}; it {rule}"
                )
    if kind.name == "ohlcv":
        _check_prices(kind, table, arrays, row_name)
        _check_flows(kind, table, arrays, row_name)


def _check_prices(
    kind: Kind, table: pa.Table, arrays: dict[str, Float1D], row_name: RowName
) -> None:
    low, high = arrays["low"], arrays["high"]
    for name in ("high", "open", "close"):
        broken = (arrays[name] < low) | (arrays[name] > high)
        if broken.any():
            row = int(np.flatnonzero(broken)[0])
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
