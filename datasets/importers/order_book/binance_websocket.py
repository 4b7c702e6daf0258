"""Raw Binance WebSocket captures: trades, and the order book rebuilt from depth changes.

Each line is a message as it came, after the local time of its receipt and a space where the
recorder wrote one: ``1723161253937085768 {"stream":"btcusdt@depth@100ms","data":{…}}``; seconds to
nanoseconds are told by their digits. Lines with ``lastUpdateId`` are snapshots asked for over REST.
Spot and futures are told apart by their fields: only futures state ``pu`` in depth changes, only
spot states ``M`` in trades.

Depth becomes ``book_snapshot``, sampled every second (see ``order_book``; ``--timeframe`` sets a
longer distance). ``trade`` or, without it, ``aggTrade`` becomes ``trades``. Messages of other
streams are counted. A row is known when it was received; where the local clock runs behind the
venue's, it is known at its event time, never before.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import timeframe_ns

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..reading.stated import agreed
from ..report import Request
from ..rows import SourceRows
from ..rows.trades import TradeColumns, taken_trades
from .replay import SAMPLE_NS, BookReplay
from .rows import sampled_rows
from .websocket_messages import Stream, streams_of

NAME: Final = "binance_websocket"
_VENUE: Final = "binance"
_START: Final = re.compile(r"(?:[0-9]{10,19} )?\{")
_HINTS: Final = ('"depthUpdate"', '"trade"', '"aggTrade"', '"lastUpdateId"', '@bookTicker"')


def _recognises(file: SourceFile) -> bool:
    for line in file.head[:50]:
        if _START.match(line) is None:
            return False
        if any(hint in line for hint in _HINTS):
            return True
    return False


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    streams = streams_of(file)
    found = False
    for (market, symbol), stream in sorted(streams.items()):
        if request.symbol not in (None, symbol):
            continue
        found = True
        agreed(file, "venue", request.venue, _VENUE)
        agreed(file, "market", request.market, market)
        series = []
        if stream.trades and request.kind in (None, "trades"):
            series.append(_trade_rows(file, request, market, symbol, stream))
        if stream.depth and request.kind in (None, "book_snapshot"):
            try:
                series.append(_book_rows(file, request, market, symbol, stream))
            except RefusedFileError as error:
                if not series:
                    raise
                series[0] = series[0].noting(error.defect, f"the book is left out: {error}")
        yield from _with_findings(series, stream)
    if not found:
        have = ", ".join(symbol for _, symbol in sorted(streams)) or "no message of an instrument"
        raise RefusedFileError("unreadable", f"{file.path}: has no {request.symbol}; it has {have}")


def _book_rows(
    file: SourceFile, request: Request, market: str, symbol: str, stream: Stream
) -> SourceRows:
    sample_ns = timeframe_ns(request.timeframe) if request.timeframe else SAMPLE_NS
    replay = BookReplay("consecutive" if market == "spot" else "previous", sample_ns=sample_ns)
    for message in sorted(stream.depth, key=lambda message: message.place):
        replay.take(message)
    key = DatasetKey("book_snapshot", _VENUE, market, symbol, EVENT_STEP, request.source or NAME)
    return sampled_rows(file, NAME, key, replay, "line")


def _trade_rows(
    file: SourceFile, request: Request, market: str, symbol: str, stream: Stream
) -> SourceRows:
    event = "trade" if "trade" in stream.trades else "aggTrade"
    source = NAME if event == "trade" else f"{NAME}_agg"
    for other in stream.trades.keys() - {event}:
        stream.skipped[other] = stream.skipped.get(other, 0) + len(stream.trades[other])
    place, number, known_ns, price, quantity, sold = zip(*stream.trades[event], strict=True)
    time_ns = np.array(stream.trade_times[event], dtype=np.int64)
    trades = TradeColumns(
        time_ns,
        pa.array(number, pa.int64()),
        pa.array(["sell" if taker_sold else "buy" for taker_sold in sold], pa.string()),
        pa.array(price, pa.float64()),
        pa.array(quantity, pa.float64()),
        np.array(place, dtype=np.int64),
        "line",
        np.array(known_ns, dtype=np.int64),
    )
    key = DatasetKey("trades", _VENUE, market, symbol, EVENT_STEP, request.source or source)
    return taken_trades(file, NAME, key, trades)


def _with_findings(series: list[SourceRows], stream: Stream) -> Iterator[SourceRows]:
    """What concerns the capture as a whole is said once, with its first series."""
    for number, rows in enumerate(series):
        if number == 0 and stream.skipped:
            words = ", ".join(f"{count} {name}" for name, count in sorted(stream.skipped.items()))
            rows = rows.noting(
                "skipped_message",
                f"messages that no kind of the store holds: {words}",
                sum(stream.skipped.values()),
            )
        if stream.least_delay_ns is not None and stream.least_delay_ns < 0:
            rows = rows.noting(
                "capture_time",
                f"the recorder's clock was up to {-stream.least_delay_ns / 1e6:.0f} ms behind the "
                "venue's; a row counts as known at its event time where it was received before it",
            )
        yield rows


FORMATS: Final = (
    Format(
        NAME,
        "raw WebSocket capture of Binance",
        ("trades", "book_snapshot"),
        _recognises,
        _read,
        "lines of JSON messages, each after the time of its receipt or without it",
        "trades, and the book at whole seconds, 20 levels deep",
    ),
)
