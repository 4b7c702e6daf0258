"""Bybit's order book archive: ``2024-12-01_XRPUSDT_ob500.data``, snapshots and changes as JSON
lines.

Bybit keeps 500 levels for contracts only (``orderbook.500.XRPUSDT``; spot has 200), so that a depth
of 500 says the market. A change follows the one before it by its number ``u``; a snapshot begins
the count anew. ``cts`` is when the matching engine made the book (older files have ``ts`` only),
``ts`` when it was sent, which is when it is known. The book becomes ``book_snapshot``, sampled
every second (``--timeframe`` sets a longer distance).
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from engine import timeframe_ns

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.json_columns import FIRST_MS, LAST_MS, MS_NS, parsed_json
from ..reading.source_file import SourceFile
from ..reading.stated import agreed, stated
from ..report import Request
from ..rows import SourceRows
from .replay import SAMPLE_NS, BookMessage, BookReplay
from .rows import price_levels, sampled_rows

NAME: Final = "bybit_book"
_VENUE: Final = "bybit"
_TOPIC: Final = re.compile(r"orderbook\.(?P<depth>[0-9]{1,4})\.(?P<symbol>[A-Za-z0-9-]+)")
_START: Final = re.compile(r'\{\s*"topic"\s*:\s*"orderbook\.')
_CONTRACT_DEPTH: Final = "500"
_TYPES: Final = ("snapshot", "delta")


def _recognises(file: SourceFile) -> bool:
    return bool(file.head) and _START.match(file.head[0]) is not None


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    topic: str | None = None
    sample_ns = timeframe_ns(request.timeframe) if request.timeframe else SAMPLE_NS
    replay = BookReplay("consecutive", sample_ns=sample_ns)
    for place, line in enumerate(file.data.split(b"\n"), start=1):
        if not line.strip():
            continue
        message = parsed_json(line, f"{file.path} line {place}")
        found = message.get("topic") if isinstance(message, dict) else None
        if not isinstance(found, str) or found != (topic or found):
            raise _odd(file, place, "topic", found)
        topic = found
        replay.take(_message(file, place, message))
    yield sampled_rows(file, NAME, _key(file, request, topic or ""), replay, "line")


def _message(file: SourceFile, place: int, message: dict[str, Any]) -> BookMessage:
    data, where = message.get("data"), f"line {place}"
    if message.get("type") not in _TYPES or not isinstance(data, dict):
        raise _odd(file, place, "type", message.get("type"))
    number = data.get("u")
    if type(number) is not int or not 0 < number < 2**63:
        raise _odd(file, place, "u", number)
    known_ns = _time_ns(file, place, message, "ts")
    return BookMessage(
        place,
        _time_ns(file, place, message, "cts") if "cts" in message else known_ns,
        known_ns,
        message["type"] == "snapshot",
        price_levels(file, where, data.get("b")),
        price_levels(file, where, data.get("a")),
        number,
        number,
    )


def _time_ns(file: SourceFile, place: int, message: dict[str, Any], name: str) -> int:
    stamp = message.get(name)
    if type(stamp) is not int or not FIRST_MS <= stamp < LAST_MS:
        raise _odd(file, place, name, stamp)
    return stamp * MS_NS


def _key(file: SourceFile, request: Request, topic: str) -> DatasetKey:
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise _odd(file, 1, "topic", topic)
    symbol = agreed(file, "symbol", request.symbol, match["symbol"])
    market = None
    if match["depth"] == _CONTRACT_DEPTH:
        market = _contract_market(symbol)
    if market is not None:
        agreed(file, "market", request.market, market)
    return DatasetKey(
        "book_snapshot",
        agreed(file, "venue", request.venue, _VENUE),
        stated(file, "market", request.market, market, venue="bybit"),
        symbol,
        EVENT_STEP,
        request.source or NAME,
    )


def _contract_market(symbol: str) -> str | None:
    if "-" in symbol:
        return "linear_future"
    if symbol.endswith(("USDT", "USDC", "PERP")):
        return "linear_perp"
    return "inverse_perp" if symbol.endswith("USD") else None


def _odd(file: SourceFile, place: int, name: str, value: object) -> RefusedFileError:
    return RefusedFileError(
        "unreadable",
        f"{file.path} line {place}: {name}={str(value)[:60]!r} is not what Bybit writes there in "
        "a file of one order book",
    )


FORMATS: Final = (
    Format(
        NAME,
        "order book archive of Bybit (ob500)",
        ("book_snapshot",),
        _recognises,
        _read,
        "JSON lines that begin with a topic orderbook.500.SYMBOL",
        "the book at whole seconds, 20 levels deep",
    ),
)
