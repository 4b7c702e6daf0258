"""Bars in the plainest CSV there is: a time, four prices and a volume, and no word about whose they are."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Int1D

from ..findings import RefusedFileError
from ..keys import DatasetKey
from .format import Format
from .mapping.schema import TimeColumn
from .mapping.times import TimeFault, lack_offset, written_ns
from .reading.csv_table import csv_table
from .reading.source_file import SourceFile
from .reading.stated import advice, agreed_kind
from .report import Request
from .rows import SourceRows, source_rows, taken_bars
from .rows.units import noting_volume

_NAME: Final = "plain_bars"
_TIMES: Final = ("open_time", "timestamp", "date")
BAR_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_WHOLE: Final = r"^[0-9]{1,19}$"
_UNITS: Final = (("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))
_FIRST_NS: Final = 10**18
_LAST_NS: Final = 9 * 10**18
"""Stamps from 2001 to 2255 are of another magnitude in every unit."""


_READ_AS_UTC: Final = (
    "times state no offset and are read as UTC; where they are of another zone, import with --mapping "
    "and its zone"
)


def _time_name(file: SourceFile) -> str | None:
    """The name of the time column where the header is that of this format, else None."""
    cells = file.head[0].split(",") if file.head else [""]
    return cells[0] if tuple(cells[1:]) == BAR_COLUMNS and cells[0] in _TIMES else None


def _key(file: SourceFile, request: Request) -> DatasetKey:
    agreed_kind(file, request, "ohlcv")
    said = {
        "venue": request.venue,
        "market": request.market,
        "symbol": request.symbol,
        "timeframe": request.timeframe,
    }
    missing = [what for what, value in said.items() if not value]
    if missing:
        raise RefusedFileError(
            "unstated_venue" if "venue" in missing else "missing_value",
            f"{file.path}: the file does not say the {', '.join(missing)}; give "
            f"{', '.join(advice(what, request.venue) for what in missing)}",
        )
    venue, market, symbol, step = (str(value) for value in said.values())
    return DatasetKey("ohlcv", venue, market, symbol, step, request.source or _NAME)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    name = _time_name(file)
    if name is None:
        raise RefusedFileError(
            "unreadable",
            f"{file.path} line 1: the header must be open_time,{','.join(BAR_COLUMNS)} (or timestamp or "
            "date instead of open_time); describe other columns with --mapping",
        )
    key = _key(file, request)
    types = dict.fromkeys(BAR_COLUMNS, pa.float64())
    table, places = csv_table(file, (name, *BAR_COLUMNS), types, skip_lines=1)
    columns = {"open_time": pa.array(_times_ns(file, table[name], name, places))}
    columns |= {value: table[value] for value in BAR_COLUMNS}
    rows = source_rows(file.path, _NAME, key, columns, places, "line")
    rows = noting_volume(taken_bars(rows, is_capture=True))
    if lack_offset(table[name].combine_chunks()):
        rows = rows.noting("unstated_zone", _READ_AS_UTC)
    yield rows


def _times_ns(file: SourceFile, cells: pa.ChunkedArray, name: str, places: Int1D) -> Int1D:
    """Stamps of the unit that the first one has, or ISO texts in UTC, int64 ns, ``(N,)``."""
    texts = pc.utf8_trim_whitespace(cells.combine_chunks())

    def refusal(row: int, defect: str, reason: str) -> RefusedFileError:
        cell = texts[row].as_py()[:60]
        return RefusedFileError(defect, f"{file.path} line {places[row]}: {name}={cell} {reason}")

    is_stamp = np.asarray(pc.match_substring_regex(texts, _WHOLE)).astype(np.bool_)
    if not is_stamp[0]:
        try:
            return written_ns(texts, TimeColumn(column=name, zone="UTC"))
        except TimeFault as fault:
            raise refusal(fault.row, "unreadable", fault.reason) from fault
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            reason = f"and others cannot be read as times ({' '.join(str(error).split())[:200]})"
            raise refusal(0, "mixed_time_format", reason) from error
    if not is_stamp.all():
        row, reason = int(np.argmin(is_stamp)), f"is no stamp as line {places[0]} has one"
        raise refusal(row, "mixed_time_format", reason)
    stamps = [int(text) for text in texts.to_pylist()]
    unit = _unit(stamps[0])
    if unit is None:
        raise refusal(0, "unreadable", "lies between 2001 and 2255 in none of s, ms, us and ns")
    for row, stamp in enumerate(stamps):
        if _unit(stamp) != unit:
            reason = f"is not in {unit[0]} as line {places[0]} is; one file has one unit"
            raise refusal(row, "mixed_time_unit", reason)
    return np.array(stamps, dtype=np.int64) * unit[1]


def _unit(stamp: int) -> tuple[str, int] | None:
    """The unit of a stamp and its nanoseconds; None for a stamp that is a time in no unit."""
    for name, unit_ns in _UNITS:
        if _FIRST_NS <= stamp * unit_ns < _LAST_NS:
            return name, unit_ns
    return None


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Plain CSV of bars",
        kinds=("ohlcv",),
        recognises=lambda file: _time_name(file) is not None,
        read=_read,
        hint="CSV with the header open_time,open,high,low,close,volume, or with timestamp or date first",
        holds="bars of one series; needs --venue, --market, --symbol and --timeframe. Times are the "
        "opening of the bar: whole numbers in s, ms, us or ns, told by their magnitude, or ISO texts, "
        "in UTC where they state no offset. The last bar may have been open and is left out; "
        "--mapping keeps it",
    ),
)
