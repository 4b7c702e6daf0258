"""Archives of order books: Bybit's ob500 and the historical depth of Binance."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers.order_book import binance_csv, bybit
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
from tests.test_datasets.importers.reading import defects, read_one, refused_as, write

BYBIT_KEY = "book_snapshot/bybit/linear_perp/XRPUSDT/event/bybit_book"
SAMPLES = "raw/l2_vendor_samples"


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
