"""Bars of CryptoDataDownload: a banner, newest first, and two generations of rows in one file."""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import ConfigError, DataError, Int1D, timeframe_ns

from ..findings import RefusedFileError
from ..keys import DatasetKey
from .format import Format
from .reading.csv_table import csv_table
from .reading.source_file import SourceFile
from .report import Request
from .rows import SourceRows, source_rows, taken_bars

_NAME: Final = "cryptodatadownload"
_BANNER: Final = "cryptodatadownload.com"
_FIRST: Final = ("unix", "date", "symbol", "open", "high", "low", "close")
_PRICES: Final = ("open", "high", "low", "close")
_FLOWS: Final = ("volume", "quote_volume")
_SPOT_NAME: Final = re.compile(r"(?P<venue>[A-Za-z]+)_(?P<symbol>[A-Z0-9]+)_(?P<step>[a-z0-9]+)")
_FUTURES_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z0-9]+)_(?P<venue>Binance)_futures_data_(?P<step>[a-z]+)"
)
_STEPS: Final = {"d": "1d", "day": "1d", "1h": "1h", "hour": "1h", "minute": "1m", "1min": "1m"}
_GENERATIONS: Final = (
    ("ms", r"^[0-9]{12,13}$", 1_000_000, ""),
    ("seconds", r"^[0-9]{9,10}(\.0+)?$", 1_000_000_000, "_seconds"),
)
"""Name, stamps, nanoseconds per unit, and what its source is called after the name of the format."""
_LAST_NS: Final = 9 * 10**18
"""The year 2255, before int64 nanoseconds end."""
_DATE: Final = (
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$", "%Y-%m-%d %H:%M:%S"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}-[AP]M$", "%Y-%m-%d %I-%p"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
)


def _header(file: SourceFile) -> tuple[list[str], int]:
    """Cells of the header, lower case, and its line; no cells where there is none."""
    skip = 1 if file.head and _BANNER in file.head[0].lower() else 0
    if len(file.head) <= skip:
        return [], skip + 1
    return [cell.strip().lower() for cell in file.head[skip].split(",")], skip + 1


def _recognises(file: SourceFile) -> bool:
    cells, _ = _header(file)
    return tuple(cells[: len(_FIRST)]) == _FIRST and any(c.startswith("volume ") for c in cells)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places, symbol = _table(file)
    generation, time_ns = _times(file, table, places)
    series = []
    for number, (_, _, _, suffix) in enumerate(_GENERATIONS):
        # Newest first is the order of the vendor, oldest first that of the store.
        chosen = np.flatnonzero(generation == number)[::-1]
        if not chosen.size:
            continue
        key = _key(file, request, symbol, suffix)
        part = table.take(pa.array(chosen))
        columns = {"open_time": pa.array(time_ns[chosen])}
        columns |= {n: part[n] for n in (*_PRICES, *_FLOWS, "trades") if n in part.column_names}
        rows = source_rows(file.path, _NAME, key, columns, places[chosen], "line")
        if "trades" in columns and columns["trades"].null_count:
            empty = np.asarray(columns["trades"].is_null())
            rows = rows.found("missing_value", "kept", empty, "the number of trades is NULL")
        series.append((rows, _date_ns(part["date"])))
    if len(series) > 1:
        series = _noting_generations(series)
    for rows, date_ns in series:
        yield taken_bars(
            rows.without(
                rows.time_ns() != date_ns,
                "contradiction",
                "unix and date name different times, nothing says which is right",
            ),
            is_capture=True,
        )


def _noting_generations(
    series: list[tuple[SourceRows, Int1D]],
) -> list[tuple[SourceRows, Int1D]]:
    """Both generations with findings about the other: they are two answers to one question."""
    (first, _), (second, _) = series
    both, one, other = np.intersect1d(first.time_ns(), second.time_ns(), return_indices=True)
    names = [name for name in (*_PRICES, *_FLOWS) if name in first.table.column_names]
    differing = np.zeros(len(both), dtype=np.bool_)
    closes = np.zeros(len(both), dtype=np.bool_)
    for name in names:
        unlike = np.asarray(first.table[name])[one] != np.asarray(second.table[name])[other]
        differing |= unlike
        closes |= unlike & (name == "close")
    result = []
    for rows, date_ns in series:
        rows = rows.noting(
            "mixed_time_unit",
            f"the file holds {len(first.places)} rows with times in milliseconds and "
            f"{len(second.places)} in seconds, two generations of the vendor; they become the data sets "
            f"{first.key} and {second.key}",
        )
        if differing.any():
            rows = rows.noting(
                "contradiction",
                f"{len(both)} times stand in both generations, {int(differing.sum())} with other values "
                f"and {int(closes.sum())} with another close; nothing mixes the two",
                int(differing.sum()),
            )
        result.append((rows, date_ns))
    return result


def _table(file: SourceFile) -> tuple[pa.Table, Int1D, str]:
    """The columns under canonical names, the line of each row, and the symbol as BASE/QUOTE."""
    cells, skip = _header(file)
    if tuple(cells[: len(_FIRST)]) != _FIRST:
        raise RefusedFileError(
            "unreadable", f"{file.path}: has no header {', '.join(_FIRST)} of CryptoDataDownload"
        )
    if len(file.head) <= skip:
        raise RefusedFileError("unreadable", f"{file.path}: the file has a header but no rows")
    symbol = next(iter(file.head[skip].split(",")[2:3]), "").strip().upper()
    base, _, quote = symbol.partition("/")
    spelled = {f"volume {base.lower()}": "volume", f"volume {quote.lower()}": "quote_volume"}
    spelled |= {"tradecount": "trades"}
    names = [spelled.get(cell, cell) for cell in cells]
    unknown = [name for name in names[len(_FIRST) :] if name not in (*_FLOWS, "trades")]
    if unknown or len(set(names)) != len(names) or "volume" not in names or not quote:
        raise DataError(
            f"{file.path} line {skip}: columns {', '.join(cells)[:200]!r} do not fit the symbol "
            f"{symbol[:40]!r}; expected Volume BASE, Volume QUOTE and tradecount for a symbol BASE/QUOTE"
        )
    types = dict.fromkeys((*_PRICES, *_FLOWS), pa.float64()) | {"trades": pa.int64()}
    table, places = csv_table(file, names, types, skip_lines=skip, optional=("trades",))
    other = ~np.asarray(pc.equal(pc.utf8_upper(pc.utf8_trim_whitespace(table["symbol"])), symbol))
    if other.any():
        row = int(np.flatnonzero(other)[0])
        raise DataError(
            f"{file.path} line {places[row]}: symbol={table['symbol'][row].as_py()[:40]!r} in a file of "
            f"{symbol}; one file has one symbol"
        )
    return table, places, symbol


def _times(file: SourceFile, table: pa.Table, places: Int1D) -> tuple[Int1D, Int1D]:
    """Generation of each row (its number in ``_GENERATIONS``) and its time in ns."""
    texts = table["unix"]
    generation = np.full(len(table), -1)
    time_ns = np.zeros(len(table), dtype=np.int64)
    for number, (_, pattern, unit_ns, _) in enumerate(_GENERATIONS):
        mine = np.asarray(pc.match_substring_regex(texts, pattern))
        whole = pc.replace_substring_regex(texts.filter(pa.array(mine)), r"\.0+$", "")
        stamps = np.asarray(whole.cast(pa.int64()))
        generation[mine] = np.where(stamps < _LAST_NS // unit_ns, number, -1)
        time_ns[mine] = stamps * unit_ns
    if (generation < 0).any():
        row = int(np.flatnonzero(generation < 0)[0])
        cell = texts[row].as_py()
        scientific = re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", cell) is not None
        raise RefusedFileError(
            "scientific_notation" if scientific else "unreadable",
            f"{file.path} line {places[row]}: unix={cell[:60]!r} is neither seconds nor milliseconds "
            "since 1970; download the file again",
        )
    return generation, time_ns


def _date_ns(texts: pa.ChunkedArray) -> Int1D:
    """The column ``date`` in ns, -1 where it is no date."""
    date_ns = np.full(len(texts), -1)
    for pattern, form in _DATE:
        mine = np.asarray(pc.match_substring_regex(texts, pattern))
        if mine.any():
            parsed = pc.strptime(
                texts.filter(pa.array(mine)), format=form, unit="s", error_is_null=True
            )
            seconds = np.asarray(pc.fill_null(parsed.cast(pa.int64()), -1))
            in_range = (seconds >= 0) & (seconds < _LAST_NS // 1_000_000_000)
            date_ns[mine] = np.where(in_range, seconds * 1_000_000_000, -1)
    return date_ns


def _stated_by_name(file: SourceFile) -> dict[str, str | None]:
    stem = file.name.split(".")[0]
    futures = _FUTURES_NAME.fullmatch(stem)
    named = futures or _SPOT_NAME.fullmatch(stem)
    if named is None:
        return {}
    return {
        "venue": named["venue"].lower(),
        "market": "um_perp" if futures else "spot",
        "symbol": named["symbol"],
        "timeframe": _STEPS.get(named["step"]),
    }


def _key(file: SourceFile, request: Request, symbol: str, suffix: str) -> DatasetKey:
    named = _stated_by_name(file)
    said = {
        "venue": request.venue or named.get("venue"),
        "market": request.market or named.get("market"),
        "timeframe": request.timeframe or named.get("timeframe"),
    }
    for label, value in said.items():
        if not value:
            raise DataError(
                f"{file.path}: its name does not say the {label}, as Binance_BTCUSDT_1h.csv or "
                f"BTCUSDT_Binance_futures_data_hour.csv would; give --{label}"
            )
    try:
        timeframe_ns(str(said["timeframe"]))
    except ConfigError as error:
        raise DataError(f"{file.path}: {error}") from error
    return DatasetKey(
        "ohlcv",
        str(said["venue"]),
        str(said["market"]),
        symbol.replace("/", ""),
        str(said["timeframe"]),
        (request.source or _NAME) + suffix,
    )


FORMATS: Final = (
    Format(
        name=_NAME,
        title="CryptoDataDownload",
        kinds=("ohlcv",),
        recognises=_recognises,
        read=_read,
        hint="a banner line, then unix, date, symbol, open to close, Volume BASE, Volume QUOTE, "
        "tradecount; newest row first",
        holds=f"bars; rows with times in seconds are another generation, source {_NAME}_seconds; the "
        "last bar of each may have been open and is left out",
        names=_stated_by_name,
    ),
)
