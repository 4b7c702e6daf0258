"""Captures of trades and order books: the WebSocket streams of Binance as a recorder keeps them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import Store, import_files
from datasets.importers.order_book import binance_websocket
from datasets.importers.report import Request
from tests.test_datasets.importers.book_levels import MS, START_MS, levels
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

SPOT_TRADES = "trades/binance/spot/BTCUSDT/event/binance_websocket"
SPOT_BOOK = "book_snapshot/binance/spot/BTCUSDT/event/binance_websocket"
CAPTURES = "raw/binance_ws_l2_stream"


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
