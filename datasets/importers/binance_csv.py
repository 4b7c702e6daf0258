"""Kline CSV as Binance publishes it: twelve columns, header or none, milliseconds or microseconds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import csv

from engine import DataError, Int1D, timeframe_ns

from ..keys import DatasetKey
from .report import Request
from .rows import SourceRows, source_rows, taken_bars

FORMAT_NAME: Final = "binance_archive"
_COLUMNS: Final = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades",
    "taker_buy_volume", "taker_buy_quote", "ignore",
)  # fmt: skip
_WHOLE: Final = ("open_time", "close_time", "trades")
_SPELLINGS: Final = {
    "quoteassetvolume": "quote_volume",
    "count": "trades",
    "numberoftrades": "trades",
    "takerbuybaseassetvolume": "taker_buy_volume",
    "takerbuybase": "taker_buy_volume",
    "takerbuyquoteassetvolume": "taker_buy_quote",
    "takerbuyquotevolume": "taker_buy_quote",
} | {name.replace("_", ""): name for name in _COLUMNS}
"""Header cells, lower case without spaces and underscores, and the columns they name."""
_FILE_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:_[A-Z0-9]+)?)-(?P<step>[0-9]+[a-zA-Z]+)-[0-9]{4}(?:-[0-9]{2}){0,2}"
    r"(?:_(?P<suffix>\w+))?\.csv"
)
_ADVICE: Final = {
    "symbol": "--symbol BTCUSDT",
    "timeframe": "--timeframe 1h",
    "market": "--market spot or --market um_perp",
}
_MARKET_SUFFIXES: Final = {"um": "um_perp", "cm": "cm_perp", "spot": "spot"}
_UNITS: Final = ((10**12, 10**13, 1_000_000, "ms"), (10**15, 10**16, 1_000, "us"))
"""First and last magnitude of a stamp, nanoseconds per unit: both mean the years 2001 to 2286."""


def read_binance_csv(path: Path, data: bytes, request: Request) -> Iterator[SourceRows]:
    """The bars of one Binance kline CSV, checked and cleaned.

    Symbol and step come from the request or from a name such as ``BTCUSDT-1h-2018.csv``, the market
    from the request or the suffix ``_um``, ``_cm`` or ``_spot``; the unit of the times from their
    magnitude. Raises DataError when one of them cannot be told, or the file breaks a rule.
    """
    if request.kind not in (None, "ohlcv"):
        raise DataError(
            f"{path}: holds ohlcv ({FORMAT_NAME}), not kind={request.kind}; leave the kind out"
        )
    text = data.rstrip(b"\r\n")
    header = _header(path, text.split(b"\n", 1)[0])
    table = _read(path, text, header)
    first_line = 1 if header is None else 2
    places = np.arange(first_line, first_line + len(table), dtype=np.int64)
    unit_ns, unit = _unit(path, table, places)
    time_ns = np.asarray(table["open_time"]) * unit_ns
    close_ns = np.asarray(table["close_time"]) * unit_ns
    key = _key(path, request)
    columns = {n: table[n] for n in _COLUMNS if n not in ("open_time", "close_time", "ignore")}
    columns["open_time"] = pa.array(time_ns)
    rows = source_rows(path, FORMAT_NAME, key, columns, places, "line")
    yield taken_bars(rows.noting(f"times are in {unit}"), close_ns, is_capture=False)


def _key(path: Path, request: Request) -> DatasetKey:
    named = _FILE_NAME.fullmatch(path.name)
    symbol = request.symbol or (named and named.group("symbol"))
    step = request.timeframe or (named and named.group("step"))
    market = request.market or (named and _MARKET_SUFFIXES.get(named.group("suffix") or ""))
    for label, value in (("symbol", symbol), ("timeframe", step), ("market", market)):
        if not value:
            raise DataError(
                f"{path}: its name does not say the {label}, as BTCUSDT-1h-2018_spot.csv or "
                f"BTCUSDT-1h-2018_um.csv would; give {_ADVICE[label]}"
            )
    timeframe_ns(str(step))
    source = request.source or FORMAT_NAME
    return DatasetKey(
        "ohlcv", request.venue or "binance", str(market), str(symbol), str(step), source
    )


def _header(path: Path, line: bytes) -> list[str] | None:
    """Canonical column names of a header line, or None when the line is already data."""
    cells = [cell.strip() for cell in line.decode("utf-8-sig", "replace").split(",")]
    if re.fullmatch(r"[-+0-9.eE]+", cells[0]):
        if len(cells) != len(_COLUMNS):
            raise DataError(
                f"{path} line 1: {len(cells)} columns and no header; a Binance kline file has "
                f"{len(_COLUMNS)}: {', '.join(_COLUMNS)}"
            )
        return None
    names = [_SPELLINGS.get(re.sub(r"[^a-z]", "", cell.lower()), cell) for cell in cells]
    missing = [name for name in _COLUMNS if name not in names]
    if len(missing) > len(_COLUMNS) // 2:
        raise DataError(
            f"{path} line 1: {line[:80].decode('utf-8', 'replace')!r} is not the header of a Binance "
            "kline CSV; known formats are tidy Parquet (klines12, spot_and_perp, funding_history) and "
            "Binance kline CSV"
        )
    if missing:
        raise DataError(f"{path} line 1: column {missing[0]!r} is missing from the header")
    if len(set(names)) != len(names) or len(names) != len(_COLUMNS):
        raise DataError(
            f"{path} line 1: the header has columns twice or too many: {', '.join(cells)}"
        )
    return names


def _read(path: Path, text: bytes, header: list[str] | None) -> pa.Table:
    if header is not None and b"\n" not in text:
        raise DataError(f"{path}: the file has a header but no rows; download it again")
    names = header or list(_COLUMNS)
    types = {name: pa.int64() if name in _WHOLE else pa.float64() for name in names}
    types["ignore"] = pa.string()
    try:
        table = _parsed(text, names, types, header is not None)
    except pa.ArrowInvalid as error:
        raise _explained(path, text, names, header is not None, error) from error
    for name in names:
        if table[name].null_count:
            row = int(np.flatnonzero(np.asarray(table[name].is_null()))[0])
            line = row + (1 if header is None else 2)
            raise DataError(
                f"{path} line {line}: {name} is empty; the file may be truncated, download it again"
            )
    return table


def _parsed(
    text: bytes, names: list[str], types: dict[str, pa.DataType], has_header: bool
) -> pa.Table:
    return csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(
            column_names=names, skip_rows=1 if has_header else 0, use_threads=False
        ),
        parse_options=csv.ParseOptions(ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True
        ),
    )


def _explained(
    path: Path, text: bytes, names: list[str], has_header: bool, error: Exception
) -> DataError:
    """The first broken line or cell, found by reading slowly what could not be read fast."""
    lines = text.decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if has_header and number == 1:
            continue
        cells = line.split(",")
        if len(cells) != len(names):
            where = "the file is truncated" if number == len(lines) else "the line is broken"
            return DataError(
                f"{path} line {number}: {len(cells)} of {len(names)} columns, {where}; "
                "download it again"
            )
        for name, cell in zip(names, cells, strict=True):
            if name != "ignore" and not _is_number(cell, whole=name in _WHOLE):
                return DataError(f"{path} line {number}: {name}={cell!r} {_reason(name, cell)}")
    return DataError(f"{path}: not a readable CSV file ({error}); download it again")


def _is_number(cell: str, *, whole: bool) -> bool:
    try:
        int(cell) if whole else float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _reason(name: str, cell: str) -> str:
    if name.endswith("_time") and re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", cell.strip()):
        return (
            "is in scientific notation: a spreadsheet has saved the file again and rounded the times, "
            "which cannot be recovered; download the original"
        )
    return "is not a whole number" if name in _WHOLE else "is not a number"


def _unit(path: Path, table: pa.Table, places: Int1D) -> tuple[int, str]:
    """Nanoseconds per unit of the time columns, the same for every row, and its name."""
    stamps = np.asarray(table["open_time"])
    for low, high, unit_ns, name in _UNITS:
        fits = (stamps >= low) & (stamps < high)
        if fits[0]:
            if fits.all():
                return unit_ns, name
            row = int(np.flatnonzero(~fits)[0])
            raise DataError(
                f"{path} line {places[row]}: open_time={stamps[row]} is not in {name} as the rows above "
                "it; one file has one unit"
            )
    raise DataError(
        f"{path} line {places[0]}: open_time={stamps[0]} is neither milliseconds nor microseconds since "
        "1970; Binance publishes one of the two"
    )
