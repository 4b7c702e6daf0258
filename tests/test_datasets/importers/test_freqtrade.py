"""freqtrade's files against rows read with plain Python and pandas."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from datasets.findings import RefusedFileError
from datasets.importers import freqtrade
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
    refusal,
    refused_as,
    write,
)

MS = 1_000_000
START_MS = 1_609_459_200_000
HOUR_MS = 3_600_000
CANDLES = [
    [START_MS + HOUR_MS * n, 10.0 + n, 12.0 + n, 9.0 + n, 11.0 + n, 5.0 * n] for n in range(6)
]
TRADES: list[list[Any]] = [
    [START_MS + 7, "41", None, "sell", 0.5, 3.0, 1.5],
    [START_MS + 7, "42", None, "buy", 0.6, 5.0, 3.0],
    [START_MS + 90, "43", None, "buy", 0.7, 1.0, 0.7],
]
CSV_HEADER = ",timestamp,id,type,side,price,amount,cost,date"
SPOT_KEY = "ohlcv/binance/spot/XRPETH/1h/freqtrade"
TRADES_KEY = "trades/binance/spot/XRPETH/event/freqtrade"


def candle_table(candles: list[list[Any]]) -> pa.Table:
    stamps = pa.array([row[0] for row in candles]).cast(pa.timestamp("ms", tz="UTC"))
    names = ("open", "high", "low", "close", "volume")
    values = {name: [row[n + 1] for row in candles] for n, name in enumerate(names)}
    return pa.table({"date": stamps} | values)


def trade_table(trades: list[list[Any]]) -> pa.Table:
    names = ("timestamp", "id", "type", "side", "price", "amount", "cost")
    return pa.table({name: [row[n] for row in trades] for n, name in enumerate(names)})


def feather_file(path: Path, table: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    feather.write_feather(table, path, compression="lz4")
    return path


def json_file(path: Path, rows: object) -> Path:
    return write(path, json.dumps(rows).encode())


def test_candles_are_the_same_from_feather_and_json(tmp_path: Path) -> None:
    one = read_one(
        feather_file(tmp_path / "XRP_ETH-1h.feather", candle_table(CANDLES)), venue="binance"
    )
    two = read_one(json_file(tmp_path / "XRP_ETH-1h.json", CANDLES), venue="binance")
    assert str(one.key) == str(two.key) == SPOT_KEY
    assert one.table.equals(two.table)
    # freqtrade has dropped the open candle itself: the last one stays.
    assert rows_of(one.table) == candle_reference(json.dumps(CANDLES).encode())[SPOT_KEY]


def test_the_folder_of_freqtrade_says_the_venue(tmp_path: Path) -> None:
    folder = tmp_path / "user_data" / "data" / "bybit" / "futures"
    rows = read_one(
        feather_file(folder / "BTC_USDT_USDT-1h-futures.feather", candle_table(CANDLES))
    )
    assert str(rows.key) == "ohlcv/bybit/linear_perp/BTCUSDT/1h/freqtrade"
    assert defects(rows) == {}
    path = feather_file(tmp_path / "data" / "raw" / "XRP_ETH-1h.feather", candle_table(CANDLES))
    assert refused_as(path) == (
        "unstated_venue",
        f"{path}: neither the file nor its name says the venue; give --venue binance",
    )
    rows = read_one(path, venue="okx")
    assert (rows.key.symbol, defects(rows)) == ("XRP-ETH", {"unstated_venue": 6})


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("BTC_USDT_USDT-1h-futures", "ohlcv/binance/um_perp/BTCUSDT/1h"),
        ("BTC_USDT_USDT-1h-mark", "mark_price/binance/um_perp/BTCUSDT/1h"),
        ("BTC_USD_BTC-1h-index", "index_price/binance/cm_perp/BTCUSD_PERP/1h"),
        ("BTC_USDT_USDT-1h-premiumIndex", "premium_index/binance/um_perp/BTCUSDT/1h"),
    ],
)
def test_names_say_kind_market_and_symbol(tmp_path: Path, name: str, key: str) -> None:
    scale = 1e-3 if key.startswith("premium_index") else 1.0
    candles = [[time, *(value * scale for value in values)] for time, *values in CANDLES]
    path = feather_file(tmp_path / f"{name}.feather", candle_table(candles))
    assert str(read_one(path, venue="binance").key) == f"{key}/freqtrade"


def test_mark_prices_need_no_volume(tmp_path: Path) -> None:
    table = candle_table(CANDLES).set_column(5, "volume", pa.array([float("nan")] * 6))
    rows = read_one(
        feather_file(tmp_path / "BTC_USDT_USDT-1h-mark.feather", table), venue="binance"
    )
    assert len(rows.table) == 6
    path = feather_file(tmp_path / "BTC_USDT_USDT-1h-futures.feather", table)
    assert "volume" in str(refusal(path, venue="binance"))


def funding(hours: list[int], late_ms: int = 7) -> list[list[Any]]:
    return [[START_MS + HOUR_MS * hour + late_ms, 1e-4, 0.0, 0.0, 0.0, 0.0] for hour in hours]


def test_funding_is_put_on_its_settlement_and_changes_of_its_interval_are_told(
    tmp_path: Path,
) -> None:
    hours = [0, 8, 16, 24, 28, 32, 36, 37, 38, 39, 63, 64, 65]
    path = json_file(tmp_path / "LAYER_USDT_USDT-8h-funding_rate.json", funding(hours))
    rows = read_one(path, venue="binance")
    assert str(rows.key) == "funding/binance/um_perp/LAYERUSDT/8h/freqtrade"
    assert [row["event_time"] for row in rows_of(rows.table)] == [
        (START_MS + HOUR_MS * hour) * MS for hour in hours
    ]
    assert finding(rows, "late_stamp").count == len(hours)
    change = finding(rows, "interval_change")
    assert change.count == 2
    # The hole of 24 hours is no interval.
    assert "8 h to 4 h to 1 h" in change.message


def test_a_single_hole_is_no_change_of_interval(tmp_path: Path) -> None:
    path = json_file(tmp_path / "BTC_USDT_USDT-8h-funding_rate.json", funding([0, 8, 16, 32, 40]))
    assert "interval_change" not in defects(read_one(path, venue="binance"))


def test_later_funding_files_have_a_column_of_their_own(tmp_path: Path) -> None:
    stamps = candle_table(CANDLES[:3])["date"]
    table = pa.table({"date": stamps, "funding_rate": [0.1, 0.2, 0.3]})
    rows = read_one(
        feather_file(tmp_path / "BTC_USDT_USDT-1h-funding_rate.feather", table), venue="binance"
    )
    assert (rows.key.step, rows.table["rate"].to_pylist()) == ("8h", [0.1, 0.2, 0.3])


def test_candles_under_the_name_of_funding_are_refused(tmp_path: Path) -> None:
    path = json_file(tmp_path / "BTC_USDT_USDT-8h-funding_rate.json", CANDLES)
    assert refused_as(path, venue="binance")[0] == "contradiction"


def csv_bytes(trades: list[list[Any]]) -> bytes:
    lines = [CSV_HEADER]
    for number, trade in enumerate(trades):
        cells = ["" if cell is None else str(cell) for cell in trade]
        lines.append(",".join([str(number), *cells, "2021-01-01 00:00:00+00:00"]))
    return ("\n".join(lines) + "\n").encode()


def test_trades_are_the_same_from_feather_json_and_csv(tmp_path: Path) -> None:
    expected = trade_reference(json.dumps(TRADES).encode())
    given_all = {"venue": "binance", "symbol": "XRPETH", "market": "spot"}
    paths = [
        feather_file(tmp_path / "XRP_ETH-trades.feather", trade_table(TRADES)),
        json_file(tmp_path / "XRP_ETH-trades.json", TRADES),
        write(tmp_path / "public_trades_list.csv", csv_bytes(TRADES)),
    ]
    for path in paths:
        rows = read_one(path, **given_all)
        assert {str(rows.key): rows_of(rows.table)} == expected
    assert rows_of(rows.table)[0]["is_buyer_maker"] is True


def test_trades_without_numbers_are_ordered_within_their_time(tmp_path: Path) -> None:
    trades = [[*trade[:1], f"x-{trade[1]}", *trade[2:]] for trade in TRADES]
    path = json_file(tmp_path / "XRP_ETH-trades.json", [*trades, trades[1]])
    rows = read_one(path, venue="binance")
    assert rows.table["trade_id"].to_pylist() == [0, 1, 0]
    assert defects(rows) == {"unstated_venue": 3, "duplicate": 1, "tied_times": 1}


def test_one_trade_with_two_prices_is_refused(tmp_path: Path) -> None:
    other = [*TRADES[0][:4], 0.9, 3.0, 2.7]
    path = json_file(tmp_path / "XRP_ETH-trades.json", [*TRADES, other])
    defect, message = refused_as(path, venue="binance")
    assert defect == "contradiction"
    assert "trade 41 stands twice" in message


def test_amounts_in_contracts_are_refused(tmp_path: Path) -> None:
    contracts = [[*trade[:5], trade[5] * 100, trade[6]] for trade in TRADES]
    path = json_file(tmp_path / "BTC_USDT_USDT-trades.json", contracts)
    assert refused_as(path, venue="okx")[0] == "unstated_unit"


def test_feather_of_other_columns_is_refused_even_when_the_format_is_named() -> None:
    (layout,) = freqtrade.FORMATS
    file = in_memory("XRP_ETH-1h.feather")(feather_bytes(pa.table({"day": [1], "open": [2.0]})))
    assert not layout.recognises(file)
    with pytest.raises(RefusedFileError, match="neither Feather nor JSON nor CSV"):
        list(layout.read(file, Request(venue="binance")))


def test_the_placeholder_coin_needs_a_symbol(tmp_path: Path) -> None:
    path = json_file(tmp_path / "UNITTEST_BTC-1h.json", CANDLES)
    assert "--symbol" in refused_as(path, venue="binance")[1]
    assert read_one(path, venue="binance", symbol="ETHBTC").key.symbol == "ETHBTC"


def candle_reference(data: bytes) -> dict[str, list[Row]]:
    rows = []
    for stamp, *prices in json.loads(data):
        names = ("open", "high", "low", "close", "volume")
        rows.append({"open_time": stamp * MS} | dict(zip(names, map(float, prices), strict=True)))
    for row in rows:
        if not row["low"] <= min(row["open"], row["close"]) <= row["high"]:
            raise ReferenceRefusal("prices contradict each other")
    return {SPOT_KEY: in_store_order(rows, ("open_time",))}


class UnnumberedError(Exception):
    """Ids that are no numbers become orders within the time, which the oracle does not give."""


def trade_reference(data: bytes) -> dict[str, list[Row]]:
    if not all(re.fullmatch("[0-9]{1,18}", str(row[1])) for row in json.loads(data)):
        raise UnnumberedError
    rows = [
        {
            "event_time": stamp * MS,
            "trade_id": int(number),
            "price": float(price),
            "quantity": float(amount),
            "is_buyer_maker": {"sell": True, "buy": False}[side],
        }
        for stamp, number, _, side, price, amount, _ in json.loads(data)
    ]
    return {TRADES_KEY: in_store_order(rows, ("event_time", "trade_id"))}


def lines_of(rows: list[list[Any]]) -> bytes:
    return ("[" + ",\n".join(json.dumps(row) for row in rows) + "]").encode()


@settings(max_examples=150)
@given(data=st.one_of(corrupted(lines_of(CANDLES)), arbitrary_bytes()))
def test_fuzzed_candles_are_refused_or_exact(data: bytes) -> None:
    (layout,) = freqtrade.FORMATS
    build, request = in_memory("XRP_ETH-1h.json"), Request(venue="binance", kind="ohlcv")
    assert_refused_or_exact(layout, build, candle_reference, data, request)


@settings(max_examples=150)
@given(data=st.one_of(corrupted(lines_of(TRADES)), arbitrary_bytes()))
def test_fuzzed_trades_are_refused_or_exact(data: bytes) -> None:
    (layout,) = freqtrade.FORMATS
    build, request = in_memory("XRP_ETH-trades.json"), Request(venue="binance", kind="trades")
    with contextlib.suppress(UnnumberedError):
        assert_refused_or_exact(layout, build, trade_reference, data, request)


def feather_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    feather.write_feather(table, sink, compression="uncompressed")
    return bytes(sink.getvalue())


def feather_reference(data: bytes) -> dict[str, list[Row]]:
    """What pandas reads; a changed number cannot be told from a true one."""
    frame = pd.read_feather(pa.BufferReader(data))
    rows = [
        {"open_time": int(row["date"].value)}
        | {name: float(row[name]) for name in ("open", "high", "low", "close", "volume")}
        for _, row in frame.iterrows()
    ]
    return {SPOT_KEY: in_store_order(rows, ("open_time",))}


@settings(max_examples=200)
@given(data=st.one_of(corrupted(feather_bytes(candle_table(CANDLES))), arbitrary_bytes()))
def test_fuzzed_feather_is_refused_or_exact(data: bytes) -> None:
    (layout,) = freqtrade.FORMATS
    build, request = in_memory("XRP_ETH-1h.feather"), Request(venue="binance", kind="ohlcv")
    assert_refused_or_exact(layout, build, feather_reference, data, request)


@pytest.mark.real
def test_real_files_have_the_stated_rows(real_data: Path) -> None:
    counts = {}
    for path in sorted((real_data / "raw").glob("freqtrade_*/*.feather")):
        rows = read_one(path, venue="binance")
        frame = pd.read_feather(path)
        assert len(rows.table) == len(frame)
        counts[path.name] = len(frame)
        if rows.key.kind == "ohlcv":
            assert rows.table["close"].to_pylist() == frame["close"].tolist()
        if rows.key.kind == "funding":
            assert rows.table["rate"].to_pylist() == frame["open"].tolist()
            assert "late_stamp" in defects(rows) or "LAYER" not in path.name
    assert counts["XRP_ETH-trades.feather"] == 12477
    assert counts["BTC_USDT_USDT-1m-futures.feather"] == 43199
    layer = real_data / "raw/freqtrade_feather/LAYER_USDT_USDT-8h-funding_rate.feather"
    assert "4 h to 1 h" in finding(read_one(layer, venue="binance"), "interval_change").message


@pytest.mark.real
def test_real_test_data_of_freqtrade(real_data: Path) -> None:
    folder = real_data / "raw/freqtrade_testdata"
    feathers = read_one(folder / "XRP_ETH-trades.feather", venue="binance")
    packed = read_one(folder / "XRP_ETH-trades.json.gz", venue="binance")
    assert feathers.table.equals(packed.table)
    assert len(packed.table) == 12477
    placeholder = folder / "UNITTEST_BTC-1m.json"
    assert refused_as(placeholder)[0] == "unstated_venue"
    rows = read_one(placeholder, venue="binance", symbol="ETHBTC")
    assert len(rows.table) == 13681
    assert defects(rows) == {"unstated_venue": 13681}
    listed = folder / "public_trades_list.csv"
    rows = read_one(listed, venue="binance", symbol="ETHUSDT", market="um_perp")
    assert len(rows.table) == 1000
    assert int(rows.table["is_buyer_maker"].to_pandas().sum()) == 473
