"""CSV of Tardis against rows read with plain Python."""

import contextlib
import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers import tardis
from datasets.importers.report import Request
from datasets.importers.tardis.owners import owner_of
from tests.test_datasets.importers.fuzzing import (
    Row,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
    in_store_order,
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

US = 1_000
START = 1_600_000_000_000_000
OWNER = "exchange,symbol,timestamp,local_timestamp"
EVENTS = f"{OWNER},id,side,price,amount"
CHANGES = f"{OWNER},is_snapshot,side,price,amount"
BOOK = f"{OWNER}," + ",".join(
    f"{side}[{level}].{what}"
    for level in (0, 1)
    for side in ("asks", "bids")
    for what in ("price", "amount")
)
BINANCE = "binance-futures,BTCUSDT"
TRADES_KEY = "trades/binance/um_perp/BTCUSDT/event/tardis"
SAMPLES = "raw/l2_vendor_samples"


def text(header: str, *lines: str) -> bytes:
    return "\n".join([header, *lines]).encode() + b"\n"


def trade(us: int, number: str, side: str = "buy", owner: str = BINANCE, delay: int = 50) -> str:
    return f"{owner},{START + us},{START + us + delay},{number},{side},100.5,2.0"


def test_trades_are_known_when_they_were_received(tmp_path: Path) -> None:
    data = text(EVENTS, trade(0, "7", "sell"), trade(9, "8"), trade(20, "9", delay=-30))
    rows = read_one(write(tmp_path / "binance-futures_trades_2020-09-13_BTCUSDT.csv", data))
    assert str(rows.key) == TRADES_KEY
    table = rows_of(rows.table, with_availability=True)
    assert [row["trade_id"] for row in table] == [7, 8, 9]
    assert [row["is_buyer_maker"] for row in table] == [True, False, False]
    assert [(row["available_at"] - row["event_time"]) // US for row in table] == [50, 50, 0]
    assert finding(rows, "capture_time").count == 1


def test_trades_and_liquidations_are_told_apart_by_name_or_request(tmp_path: Path) -> None:
    data = text(EVENTS, trade(0, "7", "sell"), trade(0, "8", "sell"))
    unnamed = write(tmp_path / "sample.csv", data)
    assert "--as" in refused_as(unnamed)[1]
    named = write(tmp_path / "binance-futures_liquidations_2020-09-13_BTCUSDT.csv", data)
    rows = read_one(named)
    assert rows_of(rows.table) == rows_of(read_one(unnamed, kind="liquidations").table)
    assert [(r["sequence"], r["side"], r["notional"]) for r in rows_of(rows.table)] == [
        (0, "sell", 201.0),
        (1, "sell", 201.0),
    ]


def test_dollar_contracts_become_coins_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    data = text(EVENTS, trade(0, "7", owner="bitmex,XBTUSD"))
    rows = read_one(write(tmp_path / "bitmex_trades_XBTUSD.csv", data))
    assert rows.table["quantity"].to_pylist() == [2.0 / 100.5]
    assert "derived_value" in defects(rows)
    data = text(EVENTS, trade(0, "7", owner="okex-swap,BTC-USDT-SWAP"))
    assert refused_as(write(tmp_path / "okex-swap_trades_x.csv", data))[0] == "unstated_unit"
    assert owner_of("binance-delivery", "ETHUSD_PERP").contract_usd == 10.0
    assert owner_of("nowhere", "X").market is None


def test_snapshots_stand_as_they_are_and_empty_levels_are_left_out(tmp_path: Path) -> None:
    data = text(
        BOOK,
        f"{BINANCE},{START},{START + 4},101,1,100,2,102,3,99,4",
        f"{BINANCE},{START + 10},{START + 14},101,5,,,102,3,,",
    )
    rows = rows_of(read_one(write(tmp_path / "book.csv", data)).table, with_availability=True)
    assert [(r["side"], r["level"], r["price"], r["quantity"]) for r in rows] == [
        ("ask", 0, 101.0, 1.0), ("ask", 1, 102.0, 3.0), ("bid", 0, 100.0, 2.0), ("bid", 1, 99.0, 4.0),
        ("ask", 0, 101.0, 5.0), ("ask", 1, 102.0, 3.0),
    ]  # fmt: skip
    assert {r["available_at"] - r["event_time"] for r in rows} == {4 * US}


def change(us: int, snapshot: str, side: str, price: float, amount: float) -> str:
    return f"{BINANCE},{START + us},{START + us + 10},{snapshot},{side},{price},{amount}"


def test_changes_become_the_book_at_whole_seconds(tmp_path: Path) -> None:
    data = text(
        CHANGES,
        change(100, "false", "bid", 90, 1),
        change(200, "true", "ask", 101, 1),
        change(200, "true", "bid", 100, 2),
        change(210, "true", "bid", 99, 3),
        change(1_000_000, "false", "bid", 100, 0),
        change(1_000_001, "false", "ask", 101, 9),
        change(2_500_000, "true", "ask", 105, 1),
        change(3_500_000, "false", "ask", 106, 1),
    )
    rows = read_one(write(tmp_path / "incremental.csv", data))
    found = [
        (r["event_time"] // US - START, r["side"], r["price"], r["quantity"])
        for r in rows_of(rows.table)
    ]
    # At 2 s the book is unknown: the snapshot after it says that the stream had been cut.
    assert found == [
        (1_000_000, "ask", 101.0, 1.0), (1_000_000, "bid", 99.0, 3.0), (3_000_000, "ask", 105.0, 1.0),
    ]  # fmt: skip
    assert finding(rows, "gap").count == 1


def test_a_market_that_the_symbol_does_not_say_must_be_given(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x_trades_y.csv", text(EVENTS, trade(0, "1", owner="deribit,BTC-25MAR22"))
    )
    assert "--market" in refused_as(path)[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (trade(0, "7", "hold"), "side='hold'"),
        (trade(0, "7").replace("100.5", "-1"), "no level"),
        (trade(0, "7").replace(str(START), "16"), "timestamp=16 is not in microseconds"),
        (trade(0, "7")[:-8], "line 2"),
    ],
)
def test_odd_lines_are_refused(tmp_path: Path, line: str, message: str) -> None:
    assert message in refused_as(write(tmp_path / "b_trades_x.csv", text(EVENTS, line)))[1]


class UnnumberedError(Exception):
    """Ids that are no numbers become orders within the time, which the oracle does not give."""


def trade_reference(data: bytes) -> dict[str, list[Row]]:
    series: dict[str, list[Row]] = {}
    lines = data.decode("utf-8-sig").rstrip("\r\n \t").splitlines()
    for cells in csv.reader(io.StringIO("\n".join(lines[1:]))):
        exchange, symbol, stamp, _, number, side, price, amount = cells
        if not re.fullmatch("[0-9]{1,18}", number):
            raise UnnumberedError
        owner = owner_of(exchange, symbol)
        quantity = float(amount)
        if owner.unit == "usd":
            quantity = quantity * owner.contract_usd / float(price)
        row = {
            "event_time": int(stamp) * US,
            "trade_id": int(number),
            "price": float(price),
            "quantity": quantity,
            "is_buyer_maker": {"sell": True, "buy": False}[side],
        }
        key = f"trades/{owner.venue}/{owner.market or 'um_perp'}/{symbol}/event/tardis"
        series.setdefault(key, []).append(row)
    return {key: in_store_order(rows, ("event_time", "trade_id")) for key, rows in series.items()}


@settings(max_examples=200)
@given(
    data=st.one_of(
        corrupted(text(EVENTS, trade(0, "7"), trade(5, "8", "sell"), trade(9, "9"))),
        arbitrary_bytes(),
    )
)
def test_fuzzed_trades_are_refused_or_exact(data: bytes) -> None:
    (layout,) = tardis.FORMATS
    build = in_memory("binance-futures_trades_BTCUSDT.csv")
    with contextlib.suppress(UnnumberedError):
        assert_refused_or_exact(layout, build, trade_reference, data, Request())


@pytest.mark.real
def test_real_samples(real_data: Path) -> None:
    folder = real_data / SAMPLES
    rows = read_one(folder / "tardis_bitmex_trades_XBTUSD.csv")
    assert (str(rows.key), len(rows.table)) == (
        "trades/bitmex/inverse_perp/XBTUSD/event/tardis",
        10,
    )
    assert rows.table["trade_id"].to_pylist()[:3] == [0, 0, 1]
    series = read_series(folder / "tardis_binance-futures_book_snapshot_25_BTCUSDT.csv")
    (book,) = series.values()
    assert len(book.table) == 10 * 2 * 25
    partial = folder / "tardis_deribit_incremental_book_L2_BTC-PERPETUAL.csv"
    assert refused_as(partial)[0] == "single_snapshot"
