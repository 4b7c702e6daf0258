"""JSON of ccxt's unified methods against rows read with plain Python."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers import ccxt_json
from datasets.importers.report import Request
from tests.test_datasets.importers.fuzzing import (
    ReferenceRefusal,
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

MS = 1_000_000
START_MS = 1_609_459_200_000
HOUR_MS = 3_600_000
CANDLES = [
    [START_MS + HOUR_MS * n, 10.0 + n, 12.0 + n, 9.0 + n, 11.0 + n, 5.0 * n] for n in range(6)
]
CANDLE_KEY = "ohlcv/binance/spot/BTCUSDT/1h/ccxt"
FUNDING_KEY = "funding/binance/um_perp/BTCUSDT/8h/ccxt"
OWNER = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}


def trade(ms: int, number: str | None, side: str = "buy", **other: Any) -> dict[str, Any]:
    row = {
        "info": {"T": 1}, "timestamp": START_MS + ms, "symbol": "BTC/USDT", "id": number, "side": side,
        "price": 100.0, "amount": 2.0, "cost": 200.0, "takerOrMaker": None,
    }  # fmt: skip
    return row | other


def rate(hour: int, symbol: str = "BTC/USDT:USDT", value: float = 1e-4) -> dict[str, Any]:
    return {"symbol": symbol, "fundingRate": value, "timestamp": START_MS + HOUR_MS * hour + 3}


def interest(hour: int, **other: Any) -> dict[str, Any]:
    row = {"symbol": "BTC/USDT:USDT", "timestamp": START_MS + HOUR_MS * hour}
    return row | {"openInterestAmount": 5.0, "openInterestValue": 500.0} | other


def json_file(path: Path, rows: object) -> Path:
    return write(path, json.dumps(rows).encode())


def test_candles_need_an_owner_and_lose_the_bar_that_may_be_open(tmp_path: Path) -> None:
    path = json_file(tmp_path / "candles.json", CANDLES)
    for name in OWNER:
        assert name in refused_as(path, **{n: v for n, v in OWNER.items() if n != name})[1]
    rows = read_one(path, **OWNER)
    assert str(rows.key) == CANDLE_KEY
    assert rows_of(rows.table) == candle_reference(json.dumps(CANDLES).encode())[CANDLE_KEY]
    assert defects(rows) == {"incomplete_last_bar": 1}
    marks = read_one(path, kind="mark_price", venue="binance", market="um_perp", symbol="BTCUSDT")
    assert str(marks.key) == "mark_price/binance/um_perp/BTCUSDT/1h/ccxt"


@pytest.mark.parametrize(
    ("venue", "market", "is_known"),
    [
        ("binance", "um_perp", True),
        ("kraken", "spot", True),
        ("okx", "linear_perp", False),
        ("binance", "cm_perp", False),
    ],
)
def test_a_volume_that_may_count_contracts_is_noted(
    tmp_path: Path, venue: str, market: str, is_known: bool
) -> None:
    owner = {"venue": venue, "market": market}
    path = json_file(tmp_path / "candles.json", CANDLES)
    found = defects(read_one(path, symbol="BTC", **owner))
    assert ("unstated_unit" in found) == (not is_known)
    path = json_file(tmp_path / "BTC_USDT_USDT-1h-futures.json", CANDLES)
    assert ("unstated_unit" in defects(read_one(path, symbol="BTCUSDT", **owner))) == (not is_known)


def test_the_name_tells_candles_of_freqtrade_from_those_of_ccxt(tmp_path: Path) -> None:
    path = json_file(tmp_path / "BTC_USDT-1h.json", CANDLES)
    assert read_one(path, venue="binance").format == "freqtrade"


def test_trades_say_symbol_and_market_themselves(tmp_path: Path) -> None:
    items = [trade(5, "8", "sell"), trade(9, "9"), trade(5, "7", symbol="ETH/USDT")]
    series = read_series(json_file(tmp_path / "trades.json", items), venue="binance")
    assert list(series) == [
        "trades/binance/spot/BTCUSDT/event/ccxt",
        "trades/binance/spot/ETHUSDT/event/ccxt",
    ]
    rows = series["trades/binance/spot/BTCUSDT/event/ccxt"]
    assert rows.table["trade_id"].to_pylist() == [8, 9]
    assert rows.table["is_buyer_maker"].to_pylist() == [True, False]
    assert rows.places.tolist() == [0, 1]


def test_contracts_are_not_taken_for_coins(tmp_path: Path) -> None:
    swap = "BTC/USDT:USDT"
    path = json_file(tmp_path / "trades.json", [trade(5, "8", symbol=swap, amount=200.0)])
    assert refused_as(path, venue="okx")[0] == "unstated_unit"
    path = json_file(tmp_path / "unpriced.json", [trade(5, "8", symbol=swap, cost=None)])
    assert "unstated_unit" in defects(read_one(path, venue="okx"))
    assert "unstated_unit" not in defects(read_one(path, venue="binance"))


def test_a_market_that_contradicts_the_symbol_is_refused(tmp_path: Path) -> None:
    path = json_file(tmp_path / "trades.json", [trade(5, "8")])
    defect, message = refused_as(path, venue="binance", market="um_perp")
    assert defect == "contradiction"
    assert "market=spot, not market=um_perp" in message


def test_funding_of_several_symbols(tmp_path: Path) -> None:
    items = [rate(0), rate(8), rate(16), rate(0, "ETH/USDT:USDT"), rate(0, "BTC/USD:BTC")]
    series = read_series(json_file(tmp_path / "funding.json", items), venue="binance")
    assert list(series) == [
        "funding/binance/cm_perp/BTCUSD_PERP/8h/ccxt",
        FUNDING_KEY,
        "funding/binance/um_perp/ETHUSDT/8h/ccxt",
    ]
    assert rows_of(series[FUNDING_KEY].table) == [
        {"event_time": (START_MS + HOUR_MS * hour) * MS, "rate": 1e-4} for hour in (0, 8, 16)
    ]
    assert finding(series[FUNDING_KEY], "late_stamp").count == 3


def test_open_interest_has_the_step_of_its_rows(tmp_path: Path) -> None:
    path = json_file(tmp_path / "oi.json", [interest(n, openInterestValue=None) for n in range(5)])
    rows = read_one(path, venue="binance")
    assert str(rows.key) == "metrics/binance/um_perp/BTCUSDT/1h/ccxt"
    assert rows.table["sum_open_interest"].to_pylist() == [5.0] * 5
    assert rows.table["sum_open_interest_value"].null_count == 5


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([trade(5, "8"), rate(0)], "item 1: is not trades"),
        ([trade(5, "8"), trade(6, "9", price="x")], "item 1: price='x'"),
        ([trade(5, "8", side=None)], "side is empty"),
        ([trade(5, "8", timestamp=1)], "not in milliseconds"),
        ([rate(0, "BTC/USDT:USDT-240329")], "with an expiry"),
        ([rate(0, "BTCUSDT")], "neither a pair"),
    ],
)
def test_odd_items_are_refused_by_number(
    tmp_path: Path, items: list[dict[str, Any]], message: str
) -> None:
    assert message in refused_as(json_file(tmp_path / "x.json", items), venue="binance")[1]


def test_a_venue_with_spellings_of_its_own_needs_the_symbol(tmp_path: Path) -> None:
    path = json_file(tmp_path / "trades.json", [trade(5, "8")])
    assert "--symbol" in refused_as(path, venue="kraken")[1]
    assert read_one(path, venue="kraken", symbol="XXBTZUSD").key.symbol == "XXBTZUSD"


def candle_reference(data: bytes) -> dict[str, list[Row]]:
    names = ("open", "high", "low", "close", "volume")
    rows = [
        {"open_time": stamp * MS} | dict(zip(names, map(float, values), strict=True))
        for stamp, *values in json.loads(data)
    ]
    for row in rows:
        if not row["low"] <= min(row["open"], row["close"]) <= row["high"]:
            raise ReferenceRefusal("prices contradict each other")
    ordered = in_store_order(rows, ("open_time",))
    return {CANDLE_KEY: ordered[:-1]}


def funding_reference(data: bytes) -> dict[str, list[Row]]:
    rows = []
    for item in json.loads(data):
        if item["symbol"] != "BTC/USDT:USDT":
            continue
        late = item["timestamp"] % HOUR_MS
        if late <= 1000:
            time_ns = (item["timestamp"] - late) * MS
            rows.append({"event_time": time_ns, "rate": float(item["fundingRate"])})
    return {FUNDING_KEY: in_store_order(rows, ("event_time",))}


def lines_of(rows: list[Any]) -> bytes:
    return ("[" + ",\n".join(json.dumps(row) for row in rows) + "]").encode()


@settings(max_examples=150)
@given(data=st.one_of(corrupted(lines_of(CANDLES)), arbitrary_bytes()))
def test_fuzzed_candles_are_refused_or_exact(data: bytes) -> None:
    (layout,) = ccxt_json.FORMATS
    request = Request(kind="ohlcv", timeframe="1h", **OWNER)
    assert_refused_or_exact(layout, in_memory("x.json"), candle_reference, data, request)


@settings(max_examples=150)
@given(data=st.one_of(corrupted(lines_of([rate(8 * n) for n in range(6)])), arbitrary_bytes()))
def test_fuzzed_funding_is_refused_or_exact(data: bytes) -> None:
    (layout,) = ccxt_json.FORMATS
    request = Request(kind="funding", venue="binance", market="um_perp", symbol="BTCUSDT")
    assert_refused_or_exact(layout, in_memory("x.json"), funding_reference, data, request)
