"""Captures and archives of order books: Binance WebSocket, Bybit ob500, Binance historical depth."""

import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import Store, import_files
from datasets.importers.order_book import binance_csv, binance_websocket, bybit
from datasets.importers.report import Request
from tests.test_datasets.importers.fuzzing import (
    ReferenceRefusal,
    Row,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
    rows_of,
)
from tests.test_datasets.importers.reading import (
    defects,
    finding,
    read_one,
    read_series,
    refused_as,
    write,
)

MS = 1_000_000
START_MS = 1_700_000_000_000
SPOT_TRADES = "trades/binance/spot/BTCUSDT/event/binance_websocket"
SPOT_BOOK = "book_snapshot/binance/spot/BTCUSDT/event/binance_websocket"
BYBIT_KEY = "book_snapshot/bybit/linear_perp/XRPUSDT/event/bybit_book"
CAPTURES = "raw/binance_ws_l2_stream"
SAMPLES = "raw/l2_vendor_samples"


def depth(
    ms: int, first: int, last: int, *, previous: int | None = None, **sides: Any
) -> dict[str, Any]:
    message = {"e": "depthUpdate", "E": START_MS + ms, "s": "BTCUSDT", "U": first, "u": last}
    if previous is not None:
        message |= {"T": START_MS + ms - 1, "pu": previous}
    return message | {"b": sides.get("b", []), "a": sides.get("a", [])}


def trade(ms: int, number: int, price: str = "100.5", *, sold: bool = False) -> dict[str, Any]:
    return {
        "e": "trade", "E": START_MS + ms, "s": "BTCUSDT", "t": number, "p": price, "q": "0.5",
        "T": START_MS + ms, "m": sold, "M": True,
    }  # fmt: skip


TICKER = {"u": 7, "s": "BTCUSDT", "b": "100", "B": "1", "a": "101", "A": "1"}
SNAPSHOT = {
    "lastUpdateId": 10,
    "bids": [["100.0", "1.0"], ["99.0", "2.0"]],
    "asks": [["101.0", "1.5"]],
}
SPOT = [
    depth(0, 5, 8, b=[["100.0", "9.0"]]),
    TICKER,
    SNAPSHOT,
    depth(400, 9, 12, b=[["100.0", "3.0"]], a=[["102.0", "4.0"]]),
    trade(450, 71),
    trade(450, 72, "100.6", sold=True),
    depth(1500, 13, 13, a=[["101.0", "0.0"]]),
    depth(2600, 14, 20),
]


def capture(messages: list[dict[str, Any]], delay_ms: int | None = 20) -> bytes:
    """Lines as a recorder writes them, received ``delay_ms`` after they were sent."""
    lines, sent = [], START_MS
    for message in messages:
        sent = message.get("E", sent)
        stream = "btcusdt@bookTicker" if "B" in message else "btcusdt@any"
        wrapped = message if "lastUpdateId" in message else {"stream": stream, "data": message}
        stamp = "" if delay_ms is None else f"{(sent + delay_ms) * MS} "
        lines.append(stamp + json.dumps(wrapped, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def levels(rows: Any) -> dict[tuple[int, str], list[tuple[float, float]]]:
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for row in rows_of(rows.table):
        place = (row["event_time"] // MS - START_MS, row["side"])
        found.setdefault(place, []).append((row["price"], row["quantity"]))
    return found


def test_spot_capture_gives_trades_and_the_book_at_whole_seconds(tmp_path: Path) -> None:
    path = write(tmp_path / "spot.gz", gzip.compress(capture(SPOT)))
    series = read_series(path)
    assert set(series) == {SPOT_TRADES, SPOT_BOOK}
    trades = rows_of(series[SPOT_TRADES].table, with_availability=True)
    received = (START_MS + 470) * MS
    assert [(t["trade_id"], t["is_buyer_maker"], t["available_at"]) for t in trades] == [
        (71, False, received),
        (72, True, received),
    ]
    assert levels(series[SPOT_BOOK]) == {
        (1000, "ask"): [(101.0, 1.5)],
        (1000, "bid"): [(100.0, 3.0), (99.0, 2.0)],
        # The best ask is gone, and what stood above the snapshot's only ask is unknown.
        (2000, "bid"): [(100.0, 3.0), (99.0, 2.0)],
    }
    assert finding(series[SPOT_TRADES], "skipped_message").count == 1
    assert "1 bookTicker" in finding(series[SPOT_TRADES], "skipped_message").message
    assert "capture_time" not in defects(series[SPOT_BOOK])


def test_a_recorder_whose_clock_is_behind_never_makes_a_row_known_before_its_time(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "spot.txt", capture(SPOT, delay_ms=-1300))
    for rows in read_series(path).values():
        table = rows_of(rows.table, with_availability=True)
        assert all(row["available_at"] == row["event_time"] for row in table)
        assert "1300 ms behind" in finding(rows, "capture_time").message


def test_lines_without_a_time_of_receipt_are_known_when_they_were_sent(tmp_path: Path) -> None:
    path = write(tmp_path / "spot.txt", capture(SPOT, delay_ms=None))
    rows = read_series(path)[SPOT_TRADES]
    assert [row["available_at"] for row in rows_of(rows.table, with_availability=True)] == [
        (START_MS + 450) * MS
    ] * 2


def test_futures_are_told_by_their_fields_and_follow_the_previous_number(tmp_path: Path) -> None:
    messages = [
        depth(0, 90, 95, previous=80),
        {**SNAPSHOT, "lastUpdateId": 97, "E": START_MS + 5, "T": START_MS + 4},
        depth(500, 100, 110, previous=95),
        depth(1500, 130, 140, previous=110),
        depth(2500, 170, 180, previous=150),
        depth(3500, 190, 200, previous=180),
    ]
    rows = read_one(write(tmp_path / "usdm.txt", capture(messages)))
    assert str(rows.key) == "book_snapshot/binance/um_perp/BTCUSDT/event/binance_websocket"
    assert {ms for ms, _ in levels(rows)} == {1000}
    assert finding(rows, "gap").count == 1


def test_depth_without_a_snapshot_leaves_the_trades_and_says_so(tmp_path: Path) -> None:
    messages = [message for message in SPOT if message is not SNAPSHOT]
    path = write(tmp_path / "spot.txt", capture(messages))
    rows = read_one(path)
    assert str(rows.key) == SPOT_TRADES
    assert "the book is left out" in finding(rows, "single_snapshot").message
    assert refused_as(path, kind="book_snapshot")[0] == "single_snapshot"


def test_aggregated_trades_are_another_source_and_yield_to_single_ones(tmp_path: Path) -> None:
    aggregated = {**trade(500, 1), "e": "aggTrade", "a": 33}
    rows = read_one(write(tmp_path / "a.txt", capture([aggregated])))
    assert (rows.key.source, rows.table["trade_id"].to_pylist()) == ("binance_websocket_agg", [33])
    rows = read_one(write(tmp_path / "b.txt", capture([aggregated, trade(500, 1)])))
    assert (rows.key.source, rows.table["trade_id"].to_pylist()) == ("binance_websocket", [1])
    assert "1 aggTrade" in finding(rows, "skipped_message").message


def test_a_trade_received_twice_is_one_trade_known_from_its_first_receipt(tmp_path: Path) -> None:
    again = capture([trade(450, 71)], delay_ms=900)
    rows = read_one(write(tmp_path / "spot.txt", capture([trade(450, 71)]) + again))
    assert [row["available_at"] for row in rows_of(rows.table, with_availability=True)] == [
        (START_MS + 470) * MS
    ]
    assert finding(rows, "duplicate").count == 1


@pytest.mark.parametrize(
    ("data", "defect", "message"),
    [
        (capture(SPOT)[:-30], "unreadable", "line 8: is not a message"),
        (capture([trade(0, 1), trade(0, 1, "99")]), "contradiction", "trade 1 stands twice"),
        (capture([trade(0, 1, "-1")]), "unreadable", "line 1: price=-1"),
        (capture([{**trade(0, 1), "m": "yes"}]), "unreadable", "line 1: m='yes'"),
        (capture([{**trade(0, 1), "T": 12}]), "unreadable", "line 1: T='12'"),
        (capture([trade(0, 1), SNAPSHOT]), "unstated_venue", "names no symbol"),
    ],
)
def test_broken_captures_are_refused_with_their_line(
    tmp_path: Path, data: bytes, defect: str, message: str
) -> None:
    found = refused_as(write(tmp_path / "spot.txt", data))
    assert found[0] == defect
    assert message in found[1]


def reference_trades(data: bytes) -> dict[str, list[Row]]:
    """Spot trades of a capture in plain Python; the book is not this oracle's subject."""
    rows: dict[tuple[int, int], Row] = {}
    for line in data.decode("utf-8", "strict").split("\n"):
        if not line.strip():
            continue
        text = line if line.startswith("{") else line.split(" ", 1)[1]
        message = json.loads(text)
        if "stream" in message and isinstance(message.get("data"), dict):
            message = message["data"]
        if message.get("e") != "trade":
            continue
        if message["s"] != "BTCUSDT":
            continue
        if "M" not in message:
            raise ReferenceRefusal("another market")
        unit = MS if message["T"] < 10**13 else 1000
        row = {
            "event_time": message["T"] * unit,
            "trade_id": message["t"],
            "price": float(message["p"]),
            "quantity": float(message["q"]),
            "is_buyer_maker": message["m"],
        }
        if rows.setdefault((row["event_time"], row["trade_id"]), row) != row:
            raise ReferenceRefusal("one trade with two values")
    return {SPOT_TRADES: [rows[key] for key in sorted(rows)]} if rows else {}


@settings(max_examples=150)
@given(data=st.one_of(corrupted(capture(SPOT[3:6])), arbitrary_bytes()))
def test_fuzzed_trades_are_refused_or_exact(data: bytes) -> None:
    (layout,) = binance_websocket.FORMATS
    request = Request(kind="trades", symbol="BTCUSDT", market="spot")
    assert_refused_or_exact(layout, in_memory("spot"), reference_trades, data, request)


def bybit_line(ms: int, number: int, kind: str = "delta", **sides: Any) -> str:
    data = {"s": "XRPUSDT", "b": sides.get("b", []), "a": sides.get("a", []), "u": number, "seq": 1}
    message = {
        "topic": "orderbook.500.XRPUSDT",
        "type": kind,
        "ts": START_MS + ms + 10,
        "data": data,
    }
    return json.dumps({**message, "cts": START_MS + ms}, separators=(",", ":"))


BYBIT = [
    bybit_line(100, 50, "snapshot", b=[["1.5", "10"], ["1.4", "7"]], a=[["1.6", "3"]]),
    bybit_line(900, 51, b=[["1.5", "0"]]),
    bybit_line(1900, 52, a=[["1.6", "8"], ["1.55", "2"]]),
    bybit_line(2950, 53),
]


def bybit_reference(data: bytes) -> dict[str, list[Row]]:
    """Every sample replayed from the first line; only unbroken files with rising times."""
    messages = [json.loads(line) for line in data.decode().split("\n") if line.strip()]
    times = [m["cts"] if "cts" in m else m["ts"] for m in messages]
    numbers = [m["data"]["u"] for m in messages]
    if times != sorted(times) or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise SkipReferenceError
    if [m["type"] for m in messages] != ["snapshot"] + ["delta"] * (len(messages) - 1):
        raise SkipReferenceError
    rows = []
    for second in range(-(-times[0] // 1000), -(-times[-1] // 1000)):
        book: dict[tuple[str, float], float] = {}
        for time, message in zip(times, messages, strict=True):
            if time <= second * 1000:
                for side, name in (("b", "bid"), ("a", "ask")):
                    book |= {(name, float(p)): float(q) for p, q in message["data"][side]}
        sides = {
            name: sorted((p, q) for (own, p), q in book.items() if own == name and q)
            for name in ("ask", "bid")
        }
        sides["bid"].reverse()
        if sides["ask"] and sides["bid"] and sides["bid"][0][0] >= sides["ask"][0][0]:
            continue
        for name in ("ask", "bid"):
            for level, (price, quantity) in enumerate(sides[name][:20]):
                rows.append(
                    {
                        "event_time": second * 1000 * MS,
                        "side": name,
                        "level": level,
                        "price": price,
                        "quantity": quantity,
                    }
                )
    return {
        f"book_snapshot/bybit/linear_perp/{messages[0]['topic'].split('.')[2]}/event/bybit_book": rows
    }


class SkipReferenceError(Exception):
    """The slow replay has nothing to say about broken streams; the property test of books has."""


def test_bybit_archive_gives_the_book_known_when_it_was_sent(tmp_path: Path) -> None:
    data = "\n".join(BYBIT).encode()
    rows = read_one(write(tmp_path / "2023-11-14_XRPUSDT_ob500.data", data))
    assert str(rows.key) == BYBIT_KEY
    assert rows_of(rows.table) == bybit_reference(data)[BYBIT_KEY]
    assert levels(rows)[2000, "ask"] == [(1.55, 2.0), (1.6, 8.0)]
    known = {
        row["event_time"]: row["available_at"]
        for row in rows_of(rows.table, with_availability=True)
    }
    assert known == {(START_MS + ms) * MS: (START_MS + ms) * MS for ms in (1000, 2000)}


@settings(max_examples=150)
@given(data=st.one_of(corrupted("\n".join(BYBIT).encode()), arbitrary_bytes()))
def test_fuzzed_bybit_books_are_refused_or_exact(data: bytes) -> None:
    (layout,) = bybit.FORMATS
    with contextlib.suppress(SkipReferenceError):
        assert_refused_or_exact(layout, in_memory("ob500.data"), bybit_reference, data, Request())


HEADER = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu"


def depth_csv(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


SNAP = (f"BTCUSDT,{START_MS},10,10,b,snap,100.0,1.0,-1", f"BTCUSDT,{START_MS},10,10,a,snap,101.0,2.0,-1",
        f"BTCUSDT,{START_MS},10,10,b,snap,100.5,1.0,-1")  # fmt: skip
SETS = (f"BTCUSDT,{START_MS + 500},9,12,b,set,100.5,0.0,8",
        f"BTCUSDT,{START_MS + 500},9,12,a,set,101.0,5.0,8",
        f"BTCUSDT,{START_MS + 1200},13,15,a,set,101.0,1.0,12")  # fmt: skip


def test_binance_depth_snapshots_stand_as_they_are(tmp_path: Path) -> None:
    rows = read_one(write(tmp_path / "snap.csv", depth_csv(*SNAP)))
    assert levels(rows) == {(0, "bid"): [(100.5, 1.0), (100.0, 1.0)], (0, "ask"): [(101.0, 2.0)]}
    assert defects(rows) == {"single_snapshot": 3}
    assert rows.key.market == "um_perp"


def test_binance_depth_changes_need_a_snapshot(tmp_path: Path) -> None:
    defect, message = refused_as(write(tmp_path / "update.csv", depth_csv(*SETS)))
    assert defect == "gap"
    assert "depth_snap" in message
    rows = read_one(write(tmp_path / "both.csv", depth_csv(*SNAP, *SETS)))
    assert levels(rows)[1000, "ask"] == [(101.0, 5.0)]
    assert levels(rows)[1000, "bid"] == [(100.0, 1.0)]


def snap_reference(data: bytes) -> dict[str, list[Row]]:
    """Snapshots sorted by hand, after the header."""
    books: dict[str, dict[tuple[int, str], dict[float, float]]] = {}
    for line in data.decode("utf-8-sig").rstrip().split("\n")[1:]:
        symbol, stamp, _, _, side, update, price, quantity, _ = line.rstrip("\r").split(",")
        place = int(stamp), {"a": "ask", "b": "bid"}[side]
        book = books.setdefault(symbol, {}).setdefault(place, {})
        if update != "snap" or float(price) in book:
            raise ReferenceRefusal("no snapshot, or a price twice")
        book[float(price)] = float(quantity)
    found: dict[str, list[Row]] = {}
    for symbol, sides in books.items():
        market = "um_perp" if "_" not in symbol else "cm_future"
        rows = found.setdefault(f"book_snapshot/binance/{market}/{symbol}/event/binance_book", [])
        for (stamp, name), book in sorted(sides.items()):
            for level, price in enumerate(sorted(book, reverse=name == "bid")):
                row = {"event_time": int(stamp) * MS, "side": name, "level": level, "price": price}
                rows.append(row | {"quantity": book[price]})
    return found


@settings(max_examples=150)
@given(data=st.one_of(corrupted(depth_csv(*SNAP)), arbitrary_bytes()))
def test_fuzzed_binance_snapshots_are_refused_or_exact(data: bytes) -> None:
    (layout,) = binance_csv.FORMATS
    if b"set" in data or data.count(b"\n") < 1 or b'"' in data:
        return
    assert_refused_or_exact(layout, in_memory("snap.csv"), snap_reference, data, Request())


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "market", "trades", "tickers", "instants"),
    [
        ("spot_btcusdt_20240808.gz", "spot", 9757, 28040, 346),
        ("usdm_btcusdt_20240808.gz", "um_perp", 21313, 66089, 345),
    ],
)
def test_real_captures_have_the_stated_counts_and_agree_with_the_best_prices_in_them(
    real_data: Path,
    tmp_path: Path,
    name: str,
    market: str,
    trades: int,
    tickers: int,
    instants: int,
) -> None:
    path = real_data / CAPTURES / name
    store = Store(tmp_path / "store")
    reports = {report.key.kind: report for report in import_files(store, [path])}
    assert reports["trades"].rows == trades
    assert reports["trades"].key.market == market
    found = {finding.defect: finding for finding in reports["trades"].findings}
    assert found["skipped_message"].count == tickers
    assert found["capture_time"].count == trades
    assert "gap" not in {finding.defect for finding in reports["book_snapshot"].findings}
    book = rows_of(store.read(reports["book_snapshot"].key))
    assert len({row["event_time"] for row in book}) == instants
    best = {
        (r["event_time"], r["side"]): (r["price"], r["quantity"]) for r in book if not r["level"]
    }
    assert_best_prices(path, best, instants)


def assert_best_prices(
    path: Path, best: dict[tuple[int, str], tuple[float, float]], instants: int
) -> None:
    """Best prices against the venue's own: the bookTicker of the last change before an instant.

    Its number says after which change it was true; where the depth stream has gone further, or
    where a level beyond the snapshot is the best one, there is nothing to compare.
    """
    last_change: dict[int, int] = {}
    tickers: dict[int, dict[str, Any]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        message = json.loads(line.split(b" ", 1)[1])
        message = message.get("data", message)
        if message.get("e") == "depthUpdate":
            time_ns = message.get("T", message["E"]) * MS
            last_change[time_ns] = message["u"]
        elif "B" in message:
            tickers[message["u"]] = message
    numbers = sorted(tickers)
    compared = 0
    for instant in {instant for instant, _ in best}:
        number = last_change[max(time for time in last_change if time <= instant)]
        true = tickers[max((n for n in numbers if n <= number), default=numbers[0])]
        for side, price, quantity in (("bid", "b", "B"), ("ask", "a", "A")):
            if (instant, side) in best:
                assert best[instant, side] == (float(true[price]), float(true[quantity]))
                compared += 1
    assert compared > instants


@pytest.mark.real
def test_real_samples_of_vendors(real_data: Path) -> None:
    folder = real_data / SAMPLES
    rows = read_one(folder / "bybit_xrpusdt-ob500.data.zip")
    assert str(rows.key) == BYBIT_KEY
    assert len({row["event_time"] for row in rows_of(rows.table)}) == 5
    assert defects(rows) == {"sampled": 200}
    rows = read_one(folder / "binance_btcusdt-depth-snap.csv")
    assert len(rows.table) == 100
    assert defects(rows) == {"single_snapshot": 100, "missing_value": 1}
    assert refused_as(folder / "binance_btcusdt-depth-update.csv")[0] == "gap"
