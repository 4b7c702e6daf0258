"""Order books in CSV of Tardis: changes to replay, and snapshots as they stand."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Int1D, timeframe_ns

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ..order_book.replay import SAMPLE_NS, BookMessage, BookReplay
from ..order_book.rows import check_level, sampled_rows
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken

NAME: Final = "tardis"
LEVEL: Final = re.compile(r"(?P<side>asks|bids)\[(?P<level>[0-9]{1,3})\]\.(?P<what>price|amount)")
"""A column of a snapshot: side, level from the best price, and what it holds."""
_BOOK_SIDES: Final = {"ask": "ask", "bid": "bid", "asks": "ask", "bids": "bid"}
_SNAPSHOT_COLUMNS: Final = ("event_time", "available_at", "side", "level", "price", "quantity")


def replayed_book(
    file: SourceFile,
    request: Request,
    key: DatasetKey,
    table: pa.Table,
    time_ns: Int1D,
    known_ns: Int1D,
    places: Int1D,
) -> SourceRows:
    """Lines of one receipt are one message; the first one of a run of snapshot lines empties the
    book.
    """
    sides = table["side"].to_pylist()
    for row, side in enumerate(sides):
        if side not in _BOOK_SIDES:
            raise RefusedFileError(
                "unreadable", f"{file.path} line {places[row]}: side={side!r} must be ask or bid"
            )
    is_snapshot = np.asarray(table["is_snapshot"].combine_chunks().cast(pa.int8())) == 1
    begins = np.ones(len(places), dtype=np.bool_)
    begins[1:] = (np.diff(known_ns) != 0) | (np.diff(time_ns) != 0)
    begins[1:] |= is_snapshot[1:] != is_snapshot[:-1]
    bounds = np.append(np.flatnonzero(begins), len(places))
    price, amount = table["price"].to_pylist(), table["amount"].to_pylist()
    sample_ns = timeframe_ns(request.timeframe) if request.timeframe else SAMPLE_NS
    replay = BookReplay("none", sample_ns=sample_ns)
    was_snapshot = False
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        levels: dict[str, list[tuple[float, float]]] = {"ask": [], "bid": []}
        for row in range(begin, end):
            level = (price[row], amount[row])
            check_level(file, f"line {places[row]}", level)
            levels[_BOOK_SIDES[sides[row]]].append(level)
        replay.take(
            BookMessage(
                int(places[begin]),
                int(time_ns[begin]),
                int(known_ns[begin]),
                bool(is_snapshot[begin]) and not was_snapshot,
                levels["bid"],
                levels["ask"],
            )
        )
        was_snapshot = bool(is_snapshot[begin])
    return sampled_rows(file, NAME, key, replay, "line")


def book_snapshots(
    file: SourceFile,
    key: DatasetKey,
    table: pa.Table,
    time_ns: Int1D,
    known_ns: Int1D,
    places: Int1D,
) -> SourceRows:
    """One row per side and level that is filled."""
    names = [name for name in table.column_names if name.endswith(".price")]
    parts = []
    for name in names:
        match = LEVEL.fullmatch(name)
        if match is None:
            raise RefusedFileError(
                "unreadable", f"{file.path}: column {name!r} is no level of a book"
            )
        parts.append((_BOOK_SIDES[match["side"]], int(match["level"]), name[: -len(".price")]))
    columns: dict[str, list[pa.Array]] = {name: [] for name in _SNAPSHOT_COLUMNS}
    positions = []
    for side, level, stem in parts:
        price, amount = table[f"{stem}.price"], table[f"{stem}.amount"]
        filled = np.asarray(pc.and_(price.is_valid(), amount.is_valid())).astype(np.bool_)
        chosen = np.flatnonzero(filled)
        positions.append(chosen)
        columns["event_time"].append(pa.array(time_ns[chosen]))
        columns["available_at"].append(pa.array(np.maximum(known_ns, time_ns)[chosen]))
        columns["side"].append(pa.array([side] * len(chosen), pa.string()))
        columns["level"].append(pa.array(np.full(len(chosen), level)))
        columns["price"].append(price.take(pa.array(chosen)).combine_chunks())
        columns["quantity"].append(amount.take(pa.array(chosen)).combine_chunks())
    joined = {name: pa.concat_arrays(arrays) for name, arrays in columns.items()}
    where = places[np.concatenate(positions)]
    rows = source_rows(file.path, NAME, key, joined, where, "line")
    # Columns were put one below the other; the order of the lines is the order of the snapshots.
    return taken(rows.taking(np.argsort(where, kind="stable")))
