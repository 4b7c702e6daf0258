"""Settled funding of the archive."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from ...kinds import KINDS
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken_settlements
from .layout import NUMBER, WHOLE, Layout
from .names import archive_key
from .stamps import stamps_ns

_NAME: Final = "binance_funding"
_LAYOUT: Final = Layout(
    columns={"calc_time": WHOLE, "interval_hours": NUMBER, "rate": NUMBER},
    spellings={"fundingintervalhours": "interval_hours", "lastfundingrate": "rate"},
)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    step = request.timeframe or KINDS["funding"].native_step
    key = archive_key(file, request, "funding", step=step, only_futures=True)
    (time_ns,) = stamps_ns(file, table, places, "calc_time")
    columns = {
        "event_time": pa.array(time_ns),
        "rate": table["rate"],
        "interval_hours": table["interval_hours"],
    }
    yield taken_settlements(source_rows(file.path, _NAME, key, columns, places, "line"))


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Binance archive funding rates",
        kinds=("funding",),
        recognises=_LAYOUT.recognises,
        read=_read,
        hint="header calc_time, funding_interval_hours, last_funding_rate",
        holds="settled funding with the interval of each settlement",
    ),
)
