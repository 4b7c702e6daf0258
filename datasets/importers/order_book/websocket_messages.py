"""Lines of a Binance WebSocket capture, sorted into what they say of each instrument."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ...findings import RefusedFileError
from ..reading.json_columns import FIRST_MS, LAST_MS, MS_NS, parsed_json
from ..reading.source_file import SourceFile
from .replay import BookMessage
from .rows import check_level, plain_number, price_levels

_LINE: Final = re.compile(rb"(?:(?P<stamp>[0-9]{10,19}) )?(?P<json>\{.*\})\s*")
_STAMP_NS: Final = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
"""Nanoseconds per unit of a stamp by its digits: all mean the years 2001 to 2286."""
_TRADES: Final = {"trade": "t", "aggTrade": "a"}
"""Events of trades, and the field of their number."""


@dataclass(slots=True)
class Stream:
    """What a capture has of one instrument."""

    depth: list[BookMessage] = field(default_factory=list)
    trades: dict[str, list[tuple[int, int, int | None, float, float, bool]]] = field(
        default_factory=dict
    )
    """By event: place, number, receipt, price, quantity, whether the taker sold; times aside."""
    trade_times: dict[str, list[int]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    least_delay_ns: int | None = None

    def skip(self, name: str) -> None:
        """Count a message that the store has no kind for."""
        self.skipped[name] = self.skipped.get(name, 0) + 1


@dataclass(frozen=True, slots=True)
class _Message:
    place: int
    known_ns: int | None
    fields: dict[str, Any]


def _messages(file: SourceFile) -> Iterator[_Message]:
    for place, line in enumerate(file.data.split(b"\n"), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        stamp = match and match["stamp"]
        if match is None or (stamp and len(stamp) not in _STAMP_NS):
            raise RefusedFileError(
                "unreadable",
                f"{file.path} line {place}: is not a message of Binance, with or without the time "
                "of its receipt before it; the capture may be cut off there, remove the line",
            )
        known_ns = int(stamp) * _STAMP_NS[len(stamp)] if stamp else None
        if known_ns is not None and not FIRST_MS * MS_NS <= known_ns < 2**63:
            raise RefusedFileError(
                "unreadable", f"{file.path} line {place}: {known_ns} is no time of receipt"
            )
        message = parsed_json(match["json"], f"{file.path} line {place}")
        if "stream" in message and isinstance(message.get("data"), dict):
            message = message["data"]
        yield _Message(place, known_ns, message)


def streams_of(file: SourceFile) -> dict[tuple[str, str], Stream]:
    """The messages by market and symbol; snapshots stand where they were received."""
    streams: dict[tuple[str, str], Stream] = {}
    snapshots: list[_Message] = []
    tickers: list[_Message] = []
    for message in _messages(file):
        event = message.fields.get("e")
        if event is None and "lastUpdateId" in message.fields:
            snapshots.append(message)
        elif event == "depthUpdate":
            market = "futures" if "pu" in message.fields else "spot"
            _add_change(file, _stream(file, streams, message, market), message)
        elif event in _TRADES:
            market = "spot" if "M" in message.fields else "futures"
            _add_trade(file, _stream(file, streams, message, market), message, event)
        else:
            tickers.append(message)
    for message in snapshots:
        _add_snapshot(file, streams, message)
    for message in tickers:
        _skip(streams, message)
    return streams


def _stream(
    file: SourceFile, streams: dict[tuple[str, str], Stream], message: _Message, market: str
) -> Stream:
    symbol = message.fields.get("s")
    if not isinstance(symbol, str) or not symbol.replace("_", "").isalnum():
        raise _odd(file, message, "s", symbol)
    if market == "futures":
        # Only contracts margined in the coin, and dated ones, have an underscore in their symbol.
        base, _, suffix = symbol.partition("_")
        market = "um_perp" if not suffix else "cm_perp"
        if suffix and suffix != "PERP":
            market = "um_future" if base.endswith(("USDT", "USDC")) else "cm_future"
    return streams.setdefault((market, symbol), Stream())


def _add_change(file: SourceFile, stream: Stream, message: _Message) -> None:
    time_ns = _time_ns(file, message, "T" if "T" in message.fields else "E")
    _note_delay(file, stream, message)
    where = f"line {message.place}"
    previous = _whole(file, message, "pu") if "pu" in message.fields else None
    stream.depth.append(
        BookMessage(
            message.place,
            time_ns,
            _known_ns(file, message),
            False,
            price_levels(file, where, message.fields.get("b")),
            price_levels(file, where, message.fields.get("a")),
            _whole(file, message, "U"),
            _whole(file, message, "u"),
            previous,
        )
    )


def _add_trade(file: SourceFile, stream: Stream, message: _Message, event: str) -> None:
    price, quantity = (_positive(file, message, name) for name in ("p", "q"))
    if price == 0.0 and quantity == 0.0:
        # Futures report insurance fund and settlement entries as trades of nothing.
        stream.skip(f"{event} without a price")
        return
    check_level(file, f"line {message.place}", (price, quantity))
    sold = message.fields.get("m")
    if not isinstance(sold, bool):
        raise _odd(file, message, "m", sold)
    number = _whole(file, message, _TRADES[event])
    _note_delay(file, stream, message)
    stream.trade_times.setdefault(event, []).append(_time_ns(file, message, "T"))
    stream.trades.setdefault(event, []).append(
        (message.place, number, _known_ns(file, message), price, quantity, sold)
    )


def _add_snapshot(
    file: SourceFile, streams: dict[tuple[str, str], Stream], message: _Message
) -> None:
    owners = [stream for stream in streams.values() if stream.depth]
    if "E" in message.fields:
        owners = [s for (market, _), s in streams.items() if s.depth and market != "spot"]
    if len(owners) != 1:
        raise RefusedFileError(
            "unstated_venue",
            f"{file.path} line {message.place}: a snapshot names no symbol, and {len(owners)} "
            "books of the file could be meant; record every symbol in a file of its own",
        )
    where = f"line {message.place}"
    last_id = _whole(file, message, "lastUpdateId")
    snapshot = BookMessage(
        message.place,
        None,
        message.known_ns,
        True,
        price_levels(file, where, message.fields.get("bids")),
        price_levels(file, where, message.fields.get("asks")),
        last_id,
        last_id,
    )
    owners[0].depth.append(snapshot)


def _skip(streams: dict[tuple[str, str], Stream], message: _Message) -> None:
    symbol = message.fields.get("s")
    name = str(message.fields.get("e") or ("bookTicker" if "B" in message.fields else "unnamed"))
    owners = [stream for (_, known), stream in streams.items() if known == symbol]
    for stream in owners or list(streams.values())[:1]:
        stream.skip(name[:40])


def _note_delay(file: SourceFile, stream: Stream, message: _Message) -> None:
    if message.known_ns is None or "E" not in message.fields:
        return
    delay_ns = message.known_ns - _time_ns(file, message, "E")
    if stream.least_delay_ns is None or delay_ns < stream.least_delay_ns:
        stream.least_delay_ns = delay_ns


def _known_ns(file: SourceFile, message: _Message) -> int:
    """Receipt; without one, the time at which Binance sent the message."""
    if message.known_ns is not None:
        return message.known_ns
    return _time_ns(file, message, "E")


def _time_ns(file: SourceFile, message: _Message, name: str) -> int:
    stamp = message.fields.get(name)
    for unit_ns in (MS_NS, 1_000):
        low = FIRST_MS * MS_NS // unit_ns
        if type(stamp) is int and low <= stamp < low * (LAST_MS // FIRST_MS):
            return stamp * unit_ns
    raise _odd(file, message, name, stamp)


def _whole(file: SourceFile, message: _Message, name: str) -> int:
    value = message.fields.get(name)
    if type(value) is not int or not -1 <= value < 2**63:
        raise _odd(file, message, name, value)
    return value


def _positive(file: SourceFile, message: _Message, name: str) -> float:
    value = message.fields.get(name)
    try:
        return plain_number(value)
    except ValueError as error:
        raise _odd(file, message, name, value) from error


def _odd(file: SourceFile, message: _Message, name: str, value: object) -> RefusedFileError:
    return RefusedFileError(
        "unreadable",
        f"{file.path} line {message.place}: {name}={str(value)[:60]!r} is not what Binance writes "
        "there",
    )
