"""Trades of any source as rows of the store: their numbers, their takers, each trade once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, Int1D

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ..reading.source_file import SourceFile
from .source_rows import SourceRows, source_rows, taken

_SIDES: Final = ("buy", "sell")
COST_TOLERANCE: Final = 0.01
_COST_ROUNDING: Final = 1e-6
"""Costs are rounded by their source; a contract that is not one coin differs by far more."""
_NUMBER: Final = "^[0-9]{1,18}$"


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Trades in the order of the file, ``(N,)`` each.

    ``ids`` are the venue's own, text, null where it gives none. ``sides`` are the sides of the
    taker, ``buy`` or ``sell``. ``known_ns`` is when a capture received them, None where there was
    none. ``places`` are rows or lines as ``word`` says.
    """

    time_ns: Int1D
    ids: pa.Array
    sides: pa.Array
    price: pa.Array
    quantity: pa.Array
    places: Int1D
    word: str
    known_ns: Int1D | None = None


def taken_trades(
    file: SourceFile, format_name: str, key: DatasetKey, trades: TradeColumns
) -> SourceRows:
    """The trades that are imported: checked, sorted, each once.

    ``trade_id`` is the number that the venue gave. Where ids are no numbers, or missing, it is the
    order within the time, from 0, so that trades of one time must stand in one file.
    RefusedFileError for a side that is none and for one id with two prices.
    """
    ids = _plain_text(trades.ids)
    repeated = _repeated(file, trades, ids)
    numbered = bool(pc.all(pc.match_substring_regex(ids, _NUMBER)).as_py()) and not ids.null_count
    order = order_within_time(trades.time_ns, repeated)
    columns = {
        "event_time": pa.array(trades.time_ns),
        "trade_id": ids.cast(pa.int64()) if numbered else pa.array(order),
        "price": trades.price,
        "quantity": trades.quantity,
        "is_buyer_maker": _is_buyer_maker(file, trades),
    }
    if trades.known_ns is not None:
        columns["available_at"] = pa.array(np.maximum(trades.known_ns, trades.time_ns))
    rows = source_rows(file.path, format_name, key, columns, trades.places, trades.word)
    rows = rows.without(repeated, "duplicate", "the same trade stands twice")
    if not numbered:
        ties = len(rows.places) - len(np.unique(rows.time_ns()))
        if ties:
            rows = rows.noting(
                "tied_times",
                "trades have no number and share times; trade_id is their order within the time",
                ties,
            )
    return taken(rows)


def check_base_unit(file: SourceFile, trades: TradeColumns, cost: pa.Array) -> None:
    """RefusedFileError unless ``cost`` is price times quantity: then quantity is in contracts.

    ccxt gives ``amount`` in contracts and ``cost`` in money, so their ratio shows the size of one
    contract where it is not one coin. Empty costs say nothing and pass.
    """
    price, quantity = np.asarray(trades.price), np.asarray(trades.quantity)
    stated_cost = np.asarray(cost.cast(pa.float64()).fill_null(np.nan))
    expected = price * quantity
    wrong = np.abs(stated_cost - expected) > COST_TOLERANCE * np.abs(expected) + _COST_ROUNDING
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RefusedFileError(
            "unstated_unit",
            f"{file.path} {trades.word} {trades.places[row]}: cost={stated_cost[row]:g} is not "
            f"price={price[row]:g} times amount={quantity[row]:g}; the amount counts contracts of "
            "another size than one coin, give the size with --mapping",
        )


def _plain_text(ids: pa.Array) -> pa.Array:
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    return ids.cast(pa.string())


def _is_buyer_maker(file: SourceFile, trades: TradeColumns) -> pa.Array:
    sides = _plain_text(trades.sides)
    known = np.asarray(pc.fill_null(pc.is_in(sides, pa.array(_SIDES)), False)).astype(np.bool_)
    if not known.all():
        row = int(np.argmin(known))
        raise RefusedFileError(
            "missing_value",
            f"{file.path} {trades.word} {trades.places[row]}: side={sides[row].as_py()!r}; the "
            "side of the taker must be buy or sell",
        )
    # The taker sold into the bid of a maker who buys.
    return pc.equal(sides, "sell")


def _repeated(file: SourceFile, trades: TradeColumns, ids: pa.Array) -> Bool1D:
    """True for a trade whose time and id stand earlier, or were received earlier, ``(N,)``."""
    repeated = np.zeros(len(ids), dtype=np.bool_)
    codes = np.asarray(ids.dictionary_encode().indices.fill_null(-1))
    known_ns = trades.time_ns if trades.known_ns is None else trades.known_ns
    order = np.lexsort((known_ns, codes, trades.time_ns))
    time_ns, codes = trades.time_ns[order], codes[order]
    same = (np.diff(time_ns) == 0) & (np.diff(codes) == 0) & (codes[1:] >= 0)
    if not same.any():
        return repeated
    later, earlier = order[1:][same], order[:-1][same]
    for name in ("price", "quantity", "sides"):
        values = getattr(trades, name)
        equal = pc.equal(values.take(pa.array(earlier)), values.take(pa.array(later)))
        differs = ~np.asarray(pc.fill_null(equal, False)).astype(np.bool_)
        if differs.any():
            first, second = int(earlier[differs][0]), int(later[differs][0])
            raise RefusedFileError(
                "contradiction",
                f"{file.path} {trades.word} {trades.places[second]}: trade {ids[second].as_py()} "
                "stands "
                f"twice with different values: {name} is {values[first].as_py()!r} in "
                f"{trades.word} "
                f"{trades.places[first]} and {values[second].as_py()!r} here; remove one of the "
                "two",
            )
    repeated[later] = True
    return repeated


def order_within_time(time_ns: Int1D, left_out: Bool1D | None = None) -> Int1D:
    """Number of each row among those of its time, from 0, in their order; rows ``left_out`` have 0."""
    order = np.zeros(len(time_ns), dtype=np.int64)
    rows = np.arange(len(time_ns)) if left_out is None else np.flatnonzero(~left_out)
    by_time = rows[np.argsort(time_ns[rows], kind="stable")]
    begins = np.ones(len(by_time), dtype=np.bool_)
    begins[1:] = np.diff(time_ns[by_time]) != 0
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(by_time)))
    order[by_time] = np.arange(len(by_time)) - np.repeat(starts, lengths)
    return order


def sequence_in_time(table: pa.Table, time: str) -> Int1D:
    """Number of each row within its time, from 0 in the order of the file, ``(N,)``.

    Equal rows have one number: a row that stands twice is one event that was written twice.
    """
    numbers: dict[object, dict[tuple[object, ...], int]] = {}
    sequence = np.empty(len(table), dtype=np.int64)
    columns = [column.to_pylist() for column in table.columns]
    for row, (moment, *cells) in enumerate(zip(table[time].to_pylist(), *columns, strict=True)):
        seen = numbers.setdefault(moment, {})
        sequence[row] = seen.setdefault(tuple(cells), len(seen))
    return sequence
