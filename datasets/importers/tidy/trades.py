"""Trades that a stream or an exchange's history has left."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import SECOND_NS, Bool1D, DataError, Int1D

from ...findings import RefusedFileError
from ...kinds import AVAILABLE_AT, EVENT_STEP
from ...timestamps import column_ns
from ..rows import SourceRows, taken
from ..rows.trades import order_within_time
from .layout import TidyLayout
from .series import TidyFile, TidySeries

_SIDES: Final = ("Ask", "Bid")


def _read_aggregated(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    for one in tidy.split(("symbol",), (tidy.request.symbol,)):
        key = tidy.key("trades", venue, market, one.names[0], EVENT_STEP)
        known_ns = tidy.times(one, "event_time")
        without_time = np.asarray(one.table["trade_time"].is_null())
        time_ns = known_ns.copy()
        time_ns[~without_time] = column_ns(
            one.table["trade_time"].drop_null(), f"{tidy.file.path}, column trade_time"
        )
        columns = {
            "event_time": pa.array(time_ns),
            AVAILABLE_AT: pa.array(known_ns),
            "trade_id": one.table["agg_trade_id"],
            "price": one.table["price"],
            "quantity": one.table["quantity"],
            "is_buyer_maker": one.table["is_buyer_maker"],
        }
        rows = tidy.rows(key, columns, one.places)
        yield _sampled(taken(_each_once(rows, known_ns, without_time)))


def _each_once(rows: SourceRows, known_ns: Int1D, without_time: Bool1D) -> SourceRows:
    """Each trade once, with its own time; the copy that has only the stream's time goes."""
    late = np.zeros(len(known_ns), dtype=np.bool_)
    late[1:] = np.diff(known_ns) < 0
    rows = rows.found("unsorted", "moved", late, "received out of order, sorted by trade time")
    repeated = _repeats(rows, without_time)
    rows = rows.found("duplicate", "dropped", repeated, "agg_trade_id stands twice")
    rows = rows.found(
        "missing_time",
        "dropped",
        without_time,
        f"trade_time is empty; {int((without_time & repeated).sum())} of them stand again with "
        "their time",
    )
    keep = np.flatnonzero(~(repeated | without_time))
    if not keep.size:
        raise RefusedFileError(
            "missing_time", f"{rows.name(0)}: no row of {rows.key.symbol} has a trade_time"
        )
    return rows.taking(keep[np.argsort(rows.time_ns()[keep], kind="stable")])


def _repeats(rows: SourceRows, without_time: Bool1D) -> Bool1D:
    """True for rows whose trade stands again: those without a time first, then the later ones."""
    ids = np.asarray(rows.table["trade_id"])
    order = np.lexsort((np.arange(len(ids)), without_time, ids))
    again = np.flatnonzero(np.diff(ids[order]) == 0) + 1
    repeated = np.zeros(len(ids), dtype=np.bool_)
    repeated[order[again]] = True
    first, copies = rows.taking(order[again - 1]), rows.taking(order[again])
    for name in ("price", "quantity", "is_buyer_maker"):
        equal = pc.fill_null(pc.equal(first.table[name], copies.table[name]), False)
        differs = ~np.asarray(equal).astype(np.bool_)
        if differs.any():
            row = int(np.argmax(differs))
            raise RefusedFileError(
                "contradiction",
                f"{copies.name(row)}: trade {ids[order[again[row]]]} stands twice, {name} is "
                f"{first.table[name][row].as_py()!r} in {first.name(row)} and "
                f"{copies.table[name][row].as_py()!r} here; remove one of the two",
            )
    return repeated


def _sampled(rows: SourceRows) -> SourceRows:
    ids = np.asarray(rows.table["trade_id"])
    span = int(ids.max()) - int(ids.min()) + 1
    if span == len(ids):
        return rows
    smallest = float(np.min(np.asarray(rows.table["price"]) * np.asarray(rows.table["quantity"])))
    return rows.noting(
        "sampled",
        f"{len(ids)} of {span} consecutive trade numbers; the smallest trade is {smallest:.0f} "
        "in quote currency",
    )


def _read_one_sided(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        key = tidy.key("trades", venue, market, one.names[0], EVENT_STEP)
        time_ns = tidy.times(one, "time")
        order = np.argsort(time_ns, kind="stable")
        # A stamp in whole seconds may hide a trade at the end of its second.
        known_ns = time_ns + SECOND_NS if (time_ns % SECOND_NS == 0).all() else time_ns
        columns = {
            "event_time": pa.array(time_ns[order]),
            AVAILABLE_AT: pa.array(known_ns[order]),
            "trade_id": pa.array(order_within_time(time_ns[order])),
            "price": one.table["px"].take(pa.array(order)),
            "quantity": one.table["sz"].take(pa.array(order)),
            "is_buyer_maker": pa.array(_taker_sold(tidy, one)[order]),
        }
        rows = taken(tidy.rows(key, columns, one.places[order]))
        equal = len(one.places) - len(one.table.group_by(one.table.column_names).aggregate([]))
        ties = len(time_ns) - len(np.unique(time_ns))
        if ties:
            rows = rows.noting(
                "tied_times",
                "trades without a number in one second; trade_id is their order in the file, and "
                f"{equal} rows that equal another one are kept, since they may be trades of "
                "their own",
                ties,
            )
        yield rows.noting(
            "sampled",
            "trades between two market makers are left out, and one between two others may stand "
            "for each side",
        )


def _taker_sold(tidy: TidyFile, one: TidySeries) -> Bool1D:
    """A row tells one side of the trade: ``crossed`` is True where that side was the taker."""
    sides = tidy.texts("side", one.table)
    known = np.asarray(pc.is_in(sides, pa.array(_SIDES)))
    if not known.all():
        row = int(np.argmin(known))
        raise RefusedFileError(
            "unreadable",
            f"{tidy.file.path} row {one.places[row]}: side={sides[row].as_py()!r}; it must be "
            "one of "
            f"{', '.join(_SIDES)}",
        )
    crossed = one.table["crossed"].combine_chunks()
    if not pa.types.is_boolean(crossed.type) or crossed.null_count:
        raise DataError(f"{tidy.file.path}: column crossed must be true or false in every row")
    sold: Bool1D = np.asarray(pc.equal(sides, "Ask")) == np.asarray(crossed)
    return sold


LAYOUTS: Final = (
    TidyLayout(
        name="aggregated_trades",
        title="Aggregated trades recorded from a stream",
        kinds=("trades",),
        required=(
            "event_time", "symbol", "agg_trade_id", "price", "quantity", "trade_time", "is_buyer_maker",
        ),
        read=_read_aggregated,
        holds=(
            "trade_time is the time and event_time, when the venue sent it, is available_at. Each "
            "agg_trade_id once; a row without a trade_time is dropped, its trade cannot be placed. "
            "Venue and market from the file name or the options."
        ),
    ),
    TidyLayout(
        name="one_sided_trades",
        title="Trades as one of the two sides saw them (Hyperliquid)",
        kinds=("trades",),
        required=("time", "coin", "side", "px", "sz", "crossed"),
        read=_read_one_sided,
        holds=(
            "trade_id is the order within the second; stamps in whole seconds are known a second "
            "later. The taker sold where an Ask crossed or a Bid did not. Equal rows are kept: nothing "
            "tells a copy from a second trade."
        ),
    ),
)  # fmt: skip
