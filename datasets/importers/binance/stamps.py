"""Times in Binance files: stamps in milliseconds or microseconds, or text in UTC."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Int1D

from ...findings import RefusedFileError
from ..reading.source_file import SourceFile

_UNITS: Final = ((10**12, 9 * 10**12, 1_000_000, "ms"), (10**15, 9 * 10**15, 1_000, "us"))
"""First and last stamp, nanoseconds per unit: both mean the years 2001 to 2255, before int64 ns end."""
_LAST_SECOND: Final = 9 * 10**9
_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"


def stamps_ns(file: SourceFile, table: pa.Table, places: Int1D, *names: str) -> tuple[Int1D, ...]:
    """Time columns as int64 ns UTC, ``(N,)`` each; their one unit is told by their magnitude.

    Raises RefusedFileError for stamps in two units (``mixed_time_unit``) or in neither.
    """
    unit_ns, low, high, unit = _unit(file, names[0], int(table[names[0]][0].as_py()), places)
    columns = []
    for name in names:
        stamps = np.asarray(table[name])
        wrong = (stamps < low) | (stamps >= high)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            in_other = any(low <= stamps[row] < high for low, high, _, _ in _UNITS)
            raise RefusedFileError(
                "mixed_time_unit" if in_other else "unreadable",
                f"{file.path} line {places[row]}: {name}={stamps[row]} is not in {unit} as line "
                f"{places[0]} is; one file has one unit: split it, or download it again",
            )
        columns.append(stamps * unit_ns)
    return tuple(columns)


def refuse_contract_microseconds(
    file: SourceFile, table: pa.Table, places: Int1D, name: str, market: str
) -> None:
    """RefusedFileError for stamps in microseconds in the archive of a contract."""
    stamp = int(table[name][0].as_py())
    if market != "spot" and stamp >= _UNITS[1][0]:
        raise RefusedFileError(
            "contradiction",
            f"{file.path} line {places[0]}: {name}={stamp} is in microseconds, which Binance writes only "
            f"in the archive of its spot market, from 2025 on, and not for {market}; give --market spot",
        )


def _unit(file: SourceFile, name: str, stamp: int, places: Int1D) -> tuple[int, int, int, str]:
    for low, high, unit_ns, unit in _UNITS:
        if low <= stamp < high:
            return unit_ns, low, high, unit
    raise RefusedFileError(
        "unreadable",
        f"{file.path} line {places[0]}: {name}={stamp} is neither milliseconds nor microseconds since "
        "1970; Binance publishes one of the two",
    )


def text_times_ns(file: SourceFile, table: pa.Table, places: Int1D, name: str) -> Int1D:
    """A column of texts such as ``2024-01-01 00:05:00`` (UTC) as int64 ns, ``(N,)``."""
    texts = table[name]
    fits = pc.match_substring_regex(texts, pattern=_TEXT)
    times = pc.strptime(texts, format="%Y-%m-%d %H:%M:%S", unit="s", error_is_null=True)
    # A day such as 30 February is read as 1 March by some; written back it differs.
    same = pc.equal(pc.strftime(times, format="%Y-%m-%d %H:%M:%S"), texts)
    seconds = np.asarray(pc.fill_null(times.cast(pa.int64()), -1))
    good = np.asarray(pc.and_(fits, pc.fill_null(same, False)))
    good &= (seconds >= 0) & (seconds < _LAST_SECOND)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise RefusedFileError(
            "unreadable",
            f"{file.path} line {places[row]}: {name}={texts[row].as_py()[:60]!r} is not a time such as "
            "2024-01-01 00:05:00",
        )
    return seconds * 1_000_000_000
