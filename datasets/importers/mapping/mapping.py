"""Any CSV, Parquet or Feather file, described by a small YAML file.

For example daily open interest with German dates and thousands separators::

    kind: metrics
    venue: vendor
    market: linear_perp
    symbol: {column: Pair}          # or one symbol for the whole file: BTCUSDT
    symbols: {BTC/USDT: BTCUSDT}    # symbol in the file: symbol in the store; others stay as they are
    step: 1d                        # left out for kinds of events
    time: {column: Day, format: "%d.%m.%Y", zone: Europe/Berlin}
    available_at: {delay: 36h}      # or {column: Published, unit: ms}; left out: the rule of the kind
    columns:                        # canonical name: name in the file
      sum_open_interest: OI
      count_long_short_ratio: Ratio
    factors: {count_long_short_ratio: 0.01}     # percent to fraction
    constants: {sum_taker_long_short_vol_ratio: 1.0}    # one value for every row
    words: {}                       # canonical name: {word of the file: word or flag of the kind}
    csv: {delimiter: ";", skip_lines: 2, thousands: ".", decimal: ",", null_words: ["-", "n/a"]}
    last_bar: complete              # or open: the last bar had not closed when the file was written

``time`` has a ``unit`` (s, ms, us, ns) for numbers since 1970, a strptime ``format`` for texts, or
neither for ISO texts; ``zone`` holds for texts without one (never guessed). ``ninefold data
kinds`` lists the canonical names; other columns of times are written as ``time`` is. Trades and
liquidations without a column for ``trade_id`` or ``sequence`` are numbered within each time in the
order of the file; ``words: {is_buyer_maker: {sell: true, buy: false}}`` reads the side of the
taker.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import DataError, Int1D

from ...findings import RefusedFileError
from ...keys import DatasetKey, check_symbol
from ...kinds import AVAILABLE_AT, EVENT_STEP, KINDS, Column
from ..reading.source_file import SourceFile
from ..reading.stated import agreed, stated
from ..report import Request
from ..rows import SourceRows, source_rows, taken_bars
from ..rows.funding import taken_funding
from ..rows.trades import order_within_time
from ..tidy.series import taken_periods
from .cells import Cells
from .schema import (
    BARS,
    NUMBERED,
    FileMapping,
    SymbolColumn,
    duration_ns,
    load_mapping,
)
from .source import source_cells

__all__ = ["NAME", "FileMapping", "load_mapping", "read_mapped"]
NAME: Final = "mapped"


def read_mapped(file: SourceFile, request: Request, mapping: FileMapping) -> Iterator[SourceRows]:
    """The series of a file that ``mapping`` describes, checked and cleaned.

    ``request`` says what the mapping leaves open, and chooses among several symbols.
    RefusedFileError or DataError naming the file, the row and the rule, and no other error, for
    whatever bytes it has.
    """
    agreed(file, "kind", request.kind, mapping.kind)
    kind = KINDS[mapping.kind]
    cells = source_cells(file, mapping.csv)
    time_ns = cells.times(mapping.time, "time")
    columns = {kind.time_column: pa.array(time_ns)}
    known_ns = _known_ns(cells, mapping, time_ns)
    if known_ns is not None:
        columns[AVAILABLE_AT] = pa.array(known_ns)
    for column in kind.columns:
        values = _column(cells, mapping, column)
        if values is not None:
            columns[column.name] = values
    for symbol, rows in _series(file, request, mapping, cells):
        part = {name: values.take(pa.array(rows)) for name, values in columns.items()}
        for name in NUMBERED:
            if name in kind.row_key and name not in part:
                part[name] = pa.array(order_within_time(time_ns[rows]))
        key = _key(file, request, mapping, symbol)
        series = source_rows(file.path, NAME, key, part, cells.places[rows], cells.word)
        yield _taken(series, mapping)


def _taken(rows: SourceRows, mapping: FileMapping) -> SourceRows:
    if mapping.kind in BARS:
        return taken_bars(rows, is_capture=mapping.last_bar == "open")
    return taken_funding(rows) if mapping.kind == "funding" else taken_periods(rows)


def _known_ns(cells: Cells, mapping: FileMapping, time_ns: Int1D) -> Int1D | None:
    stated_at = mapping.available_at
    if stated_at is None:
        return None
    if stated_at.delay is not None:
        delayed: Int1D = time_ns + duration_ns(stated_at.delay)
        return delayed
    return cells.times(stated_at.times(), "available_at")


def _column(cells: Cells, mapping: FileMapping, column: Column) -> pa.Array | None:
    """One canonical column, ``(N,)``; None where the mapping gives none."""
    name = column.name
    if name in mapping.constants:
        return cells.constant(mapping.constants[name], column)
    source = mapping.columns.get(name)
    if source is None:
        return None
    if name in mapping.words:
        return cells.words(source, f"columns.{name}", mapping.words[name], column)
    if column.type == "time":
        times = mapping.time.model_copy(update={"column": source})
        return cells.moments(times, f"columns.{name}")
    if column.is_number:
        return cells.numbers(source, f"columns.{name}", column, mapping.factors.get(name, 1.0))
    if column.type == "flag":
        return cells.flags(source, f"columns.{name}")
    return cells.texts(source, f"columns.{name}")


def _series(
    file: SourceFile, request: Request, mapping: FileMapping, cells: Cells
) -> list[tuple[str, Int1D]]:
    """Each symbol of the store with the positions of its rows."""
    asked = mapping.stored_symbol(request.symbol)
    if not isinstance(mapping.symbol, SymbolColumn):
        named = mapping.stored_symbol(mapping.symbol)
        if named is not None:
            agreed(file, "symbol", asked, named)
        symbol = stated(file, "symbol", asked, named)
        return [(symbol, np.arange(len(cells.places), dtype=np.int64))]
    symbols = cells.texts(mapping.symbol.column, "symbol.column").to_pylist()
    rows: dict[str, list[int]] = {}
    spellings: dict[str, str] = {}
    for row, spelled in enumerate(symbols):
        if spelled is None:
            raise RefusedFileError(
                "missing_value",
                f"{cells.name(row)}: {mapping.symbol.column} is empty; it is the symbol",
            )
        symbol = mapping.symbols.get(spelled, spelled)
        if spellings.setdefault(symbol, spelled) != spelled:
            raise RefusedFileError(
                "mixed_symbol_spelling",
                f"{cells.name(row)}: {spellings[symbol]!r} and {spelled!r} would both be {symbol}; give "
                "them different names under symbols",
            )
        if asked in (None, symbol):
            rows.setdefault(symbol, []).append(row)
    return [(symbol, np.array(rows[symbol], dtype=np.int64)) for symbol in sorted(rows)]


def _key(file: SourceFile, request: Request, mapping: FileMapping, symbol: str) -> DatasetKey:
    for what, asked, mapped in (
        ("venue", request.venue, mapping.venue),
        ("market", request.market, mapping.market),
        ("timeframe", request.timeframe, mapping.step),
    ):
        if mapped is not None:
            agreed(file, what, asked, mapped)
    kind = KINDS[mapping.kind]
    usual = EVENT_STEP if kind.is_event else None
    if mapping.kind == "funding":
        usual = kind.native_step
    try:
        check_symbol(symbol, str(file.path))
    except DataError as error:
        raise DataError(
            f"{error}; or rename it in the mapping with symbols: {{{symbol}: NAME}}"
        ) from error
    return DatasetKey(
        mapping.kind,
        stated(file, "venue", request.venue, mapping.venue),
        stated(
            file, "market", request.market, mapping.market, venue=request.venue or mapping.venue
        ),
        symbol,
        stated(file, "timeframe", request.timeframe, mapping.step or usual),
        request.source or NAME,
    )
