"""Liquidation orders of the archive."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Int1D

from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from ..rows.trades import sequence_in_time
from .layout import NUMBER, TEXT, WHOLE, Layout
from .names import archive_key, refuse_coin_margined
from .stamps import stamps_ns

_NAME: Final = "binance_liquidations"
ORDER_COLUMNS: Final = MappingProxyType(
    {
        "side": TEXT,
        "order_type": TEXT,
        "time_in_force": TEXT,
        "original_quantity": NUMBER,
        "price": NUMBER,
        "average_price": NUMBER,
        "order_status": TEXT,
        "last_fill_quantity": NUMBER,
        "accumulated_fill_quantity": NUMBER,
    }
)
"""What the venue says about an order that it closed by force, in the archive and in its stream."""
_LAYOUT: Final = Layout(columns={"time": WHOLE, **ORDER_COLUMNS})


def filled_orders(table: pa.Table, time_name: str, time_ns: Int1D) -> dict[str, pa.Array]:
    """The columns of the kind: what was filled, at its average price, else at the order's price."""
    filled = np.asarray(table["accumulated_fill_quantity"])
    average = np.asarray(pc.fill_null(table["average_price"], 0.0))
    price = np.where(average > 0.0, average, np.asarray(table["price"]))
    return {
        "event_time": pa.array(time_ns),
        "sequence": pa.array(sequence_in_time(table, time_name)),
        "side": pc.utf8_lower(table["side"]),
        "price": pa.array(price),
        "quantity": pa.array(filled),
        "notional": pa.array(price * filled),
    }


def without_unfilled(rows: SourceRows) -> SourceRows:
    """The orders of which something was filled."""
    unfilled = np.asarray(rows.table["quantity"]) == 0.0
    return rows.without(unfilled, "missing_value", "an order of which nothing was filled")


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    key = archive_key(file, request, "liquidations", step=EVENT_STEP, only_futures=True)
    refuse_coin_margined(file, key, "quantity")
    (time_ns,) = stamps_ns(file, table, places, "time")
    columns = filled_orders(table, "time", time_ns)
    yield taken(without_unfilled(source_rows(file.path, _NAME, key, columns, places, "line")))


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Binance archive liquidation snapshots",
        kinds=("liquidations",),
        recognises=_LAYOUT.recognises,
        read=_read,
        hint="header time, side, order_type to accumulated_fill_quantity",
        holds="liquidation orders: what was filled, at its average price; the archive has rows twice, "
        "they are taken once",
    ),
)
