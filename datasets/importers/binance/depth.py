"""Cumulative order book depth of the archive."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from .layout import NUMBER, TEXT, Layout
from .names import archive_key, refuse_coin_margined
from .stamps import text_times_ns

_NAME: Final = "binance_depth"
_VALUES: Final = ("percentage", "depth", "notional")
_LAYOUT: Final = Layout(columns={"timestamp": TEXT} | dict.fromkeys(_VALUES, NUMBER))


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    key = archive_key(file, request, "book_depth", step=EVENT_STEP, only_futures=True)
    refuse_coin_margined(file, key, "depth")
    time_ns = text_times_ns(file, table, places, "timestamp")
    columns = {"event_time": pa.array(time_ns)} | {name: table[name] for name in _VALUES}
    yield taken(source_rows(file.path, _NAME, key, columns, places, "line"))


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Binance archive book depth",
        kinds=("book_depth",),
        recognises=_LAYOUT.recognises,
        read=_read,
        hint="header timestamp, percentage, depth, notional; times are text",
        holds="depth within one to five percent of the mid price, about every 30 seconds",
    ),
)
