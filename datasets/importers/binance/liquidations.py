"""Liquidation orders of the archive."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...findings import RefusedFileError
from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from ..rows.trades import sequence_in_time
from .layout import NUMBER, TEXT, WHOLE, Layout
from .names import archive_key
from .stamps import stamps_ns

_NAME: Final = "binance_liquidations"
_LAYOUT: Final = Layout(
    columns={
        "time": WHOLE,
        "side": TEXT,
        "order_type": TEXT,
        "time_in_force": TEXT,
        "original_quantity": NUMBER,
        "price": NUMBER,
        "average_price": NUMBER,
        "order_status": TEXT,
        "last_fill_quantity": NUMBER,
        "accumulated_fill_quantity": NUMBER,
    },
)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    key = archive_key(file, request, "liquidations", step=EVENT_STEP, only_futures=True)
    if key.market.startswith("cm_"):
        raise RefusedFileError(
            "incomparable_unit",
            f"{file.path}: quantities of coin-margined contracts are in contracts, and the file does not "
            "state the base quantity",
        )
    (time_ns,) = stamps_ns(file, table, places, "time")
    filled = np.asarray(table["accumulated_fill_quantity"])
    average = np.asarray(table["average_price"])
    price = np.where(average > 0.0, average, np.asarray(table["price"]))
    columns = {
        "event_time": pa.array(time_ns),
        "sequence": pa.array(sequence_in_time(table, "time")),
        "side": pc.utf8_lower(table["side"]),
        "price": pa.array(price),
        "quantity": pa.array(filled),
        "notional": pa.array(price * filled),
    }
    rows = source_rows(file.path, _NAME, key, columns, places, "line")
    yield taken(
        rows.without(filled == 0.0, "missing_value", "an order of which nothing was filled")
    )


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
