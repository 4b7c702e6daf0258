"""Options, names of files and their content: what they do not agree about is refused or stated."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.test_datasets.importers.binance_samples import (
    DOWNLOAD_BANNER,
    DOWNLOAD_HEADER,
    FUNDING_HEADER,
    csv_bytes,
    download_cells,
)
from tests.test_datasets.importers.reading import (
    defects,
    finding,
    read_one,
    refusal,
    refused_as,
    write,
)
from tests.test_datasets.importers.test_source_file import zipped
from tests.test_datasets.importers.tidy_samples import DAY, HOUR, START_MS, parquet_bytes
from tests.test_datasets.sample_files import START_MS as KLINES_START_MS
from tests.test_datasets.sample_files import kline_cells

FUNDING = csv_bytes(
    [[str(KLINES_START_MS + row * 8 * HOUR), "8", "0.0001"] for row in range(6)], FUNDING_HEADER
)


def klines(rows: int = 30) -> bytes:
    return csv_bytes(kline_cells(rows))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"symbol": "ETHUSDT"}, "symbol=BTCUSDT"),
        ({"market": "spot"}, "market=um_perp"),
    ],
)
def test_an_option_against_the_name_is_believed_and_stated(
    tmp_path: Path, options: dict[str, str], said: str
) -> None:
    path = write(tmp_path / "BTCUSDT-1h-2021-01_um.csv", klines())
    assert defects(read_one(path)) == {}
    found = finding(read_one(path, **options), "name_contradiction")
    ((what, asked),) = options.items()
    assert said in found.message
    assert f"{what}={asked}" in found.message


def test_a_name_against_the_content_is_stated(tmp_path: Path) -> None:
    data = csv_bytes(download_cells(30), DOWNLOAD_BANNER, DOWNLOAD_HEADER)
    rows = read_one(write(tmp_path / "Binance_ETHUSDT_1h.csv", data))
    assert rows.key.symbol == "BTCUSDT"
    assert "symbol=ETHUSDT" in finding(rows, "name_contradiction").message


def test_an_option_against_the_content_is_refused(tmp_path: Path) -> None:
    data = csv_bytes(download_cells(30), DOWNLOAD_BANNER, DOWNLOAD_HEADER)
    path = write(tmp_path / "Binance_BTCUSDT_1h.csv", data)
    assert refused_as(path, symbol="ETHUSDT")[0] == "contradiction"
    for spelling in ("BTCUSDT", "BTC/USDT"):
        assert read_one(path, symbol=spelling).key.symbol == "BTCUSDT"


@pytest.mark.parametrize(
    "options",
    [{"venue": "okx"}, {"market": "um_perp"}, {"symbol": "ETH"}, {"timeframe": "1h"}],
)
def test_an_option_that_a_layout_cannot_follow_is_refused(
    tmp_path: Path, options: dict[str, str]
) -> None:
    rows = [
        {
            "date": START_MS + DAY * row, "upbit_btc_krw": 1.3e8, "binance_btc_usdt": 1e5,
            "usdkrw": 1300.0, "kimchi_premium": 0.0,
        }
        for row in range(5)
    ]  # fmt: skip
    path = write(tmp_path / "premium.parquet", parquet_bytes(rows))
    assert refused_as(path, **options)[0] == "contradiction"
    assert read_one(path, venue="upbit", market="spot", symbol="KRW-BTC", timeframe="1d")


def test_funding_of_a_spot_market_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-fundingRate-2021-01.csv", FUNDING)
    assert refused_as(path, market="spot")[0] == "contradiction"
    assert read_one(path).key.market == "um_perp"


def test_a_packed_file_is_named_as_the_file_around_it(tmp_path: Path) -> None:
    name = "BTCUSDT-1h-2021-01_um.zip"
    for inner in ("ETHUSDT-1h-2021-01.csv", "BTCUSDT-4h-2021-01.csv"):
        path = write(tmp_path / name, zipped((inner, klines())))
        assert refused_as(path)[0] == "contradiction"
    path = write(tmp_path / name, zipped(("BTCUSDT-1h-2021-01.csv", klines())))
    assert len(read_one(path).table) == 30


def test_bars_under_another_name_than_the_archives_lose_the_last_one(tmp_path: Path) -> None:
    path = write(tmp_path / "answers.csv", klines())
    rows = read_one(path, symbol="BTCUSDT", market="spot", timeframe="1h")
    assert defects(rows) == {"incomplete_last_bar": 1}
    assert len(rows.table) == 29


def test_two_symbols_of_a_venue_without_known_spellings_are_never_mixed(tmp_path: Path) -> None:
    trades = [
        {
            "timestamp": START_MS + row, "id": str(row), "symbol": symbol, "side": "buy", "price": 2.0,
            "amount": 1.0, "cost": 2.0,
        }
        for row, symbol in enumerate(("BTC/USD", "ETH/USD"))
    ]  # fmt: skip
    path = write(tmp_path / "trades.json", json.dumps(trades).encode())
    assert refused_as(path, venue="kraken", symbol="XBTUSD")[0] == "mixed_symbol_spelling"
    assert len(read_one(path, venue="kraken", symbol="ETHUSD").table) == 1
    alone = write(tmp_path / "one.json", json.dumps(trades[:1]).encode())
    rows = read_one(alone, venue="kraken", symbol="XBTUSD")
    assert rows.key.symbol == "XBTUSD"
    assert "writes BTC/USD" in finding(rows, "mixed_symbol_spelling").message


def hourly_means(rows: int) -> bytes:
    times = pa.array([START_MS + HOUR * row for row in range(rows)], pa.timestamp("ms"))
    return parquet_bytes(
        [
            {
                "symbol": "BTCUSDT", "time": time, "mid_price": 2.0, "spread": 0.1,
                "ask_slippage": 0.1, "bid_slippage": 0.1,
            }
            for time in times.to_pylist()
        ]
    )  # fmt: skip


@pytest.mark.parametrize("count", [4, 40])
def test_rows_further_apart_than_their_step_are_refused(tmp_path: Path, count: int) -> None:
    """A row of an hour taken for one of a minute would be known 59 minutes too early."""
    candles = [[START_MS + HOUR * row, 10, 12, 9, 11, 5] for row in range(count)]
    path = write(tmp_path / "candles.json", json.dumps(candles).encode())
    owner = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}
    assert "3600 s apart" in str(refusal(path, timeframe="1m", **owner))
    assert read_one(path, **owner).key.step == "1h"
    path = write(tmp_path / "means.parquet", hourly_means(count))
    where = {"venue": "binance", "market": "um_perp"}
    assert "3600 s apart" in str(refusal(path, timeframe="1m", **where))
    assert read_one(path, **where).key.step == "1h"


@pytest.mark.parametrize("days", [7, 30])
def test_a_weekly_rate_is_no_daily_one(tmp_path: Path, days: int) -> None:
    """The close of a week would be known at the end of its first day."""
    rows = [
        {"date": START_MS + DAY * days * row, "open": 2.0, "high": 3.0, "low": 1.0, "close": 2.0}
        for row in range(20)
    ]
    path = write(tmp_path / "usdkrw_weekly.parquet", parquet_bytes(rows))
    assert "s apart, the step is said to be 1d" in str(refusal(path))
    daily = rows[:5]
    for number, row in enumerate(daily):
        row["date"] = START_MS + DAY * (number + 2 * (number // 3))
    assert len(read_one(write(tmp_path / "usdkrw.parquet", parquet_bytes(daily))).table) == 5


def test_weekly_open_interest_of_coinalyze_is_no_daily_one(tmp_path: Path) -> None:
    """Its close would be known six days before the week is over."""
    for days, is_read in ((1, True), (7, False)):
        rows = [
            {
                "coin_symbol": "BTC", "symbol": "BTCUSDT_PERP.A", "date": START_MS + DAY * days * row,
                "oi_open": 1.0, "oi_high": 1.0, "oi_low": 1.0, "oi_close": 1.0,
            }
            for row in range(12)
        ]  # fmt: skip
        path = write(tmp_path / "interest.parquet", parquet_bytes(rows))
        if is_read:
            assert len(read_one(path).table) == 11
        else:
            assert "604800 s apart" in str(refusal(path))


@pytest.mark.parametrize(("rate", "is_odd"), [("0.0001", False), ("-0.01", True)])
def test_funding_that_may_be_in_percent_is_noted(tmp_path: Path, rate: str, is_odd: bool) -> None:
    cells = [[str(KLINES_START_MS + row * 8 * HOUR), "8", rate] for row in range(12)]
    path = write(tmp_path / "BTCUSDT-fundingRate-2021-01.csv", csv_bytes(cells, FUNDING_HEADER))
    assert defects(read_one(path)) == ({"unstated_unit": 12} if is_odd else {})


def test_a_kind_against_the_name_is_believed_and_stated(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-markPriceKlines-1h-2021-01_um.csv", klines())
    assert read_one(path).key.kind == "mark_price"
    assert "kind=mark_price" in finding(read_one(path, kind="ohlcv"), "name_contradiction").message
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    line = f"bitmex,XBTUSD,{START_MS}000,{START_MS}500,a,sell,100,1\n"
    path = write(tmp_path / "bitmex_liquidations_XBTUSD.csv", (header + line).encode())
    assert read_one(path).key.kind == "liquidations"
    assert (
        "kind=liquidations" in finding(read_one(path, kind="trades"), "name_contradiction").message
    )


def test_a_liquidation_that_stands_twice_is_one(tmp_path: Path) -> None:
    header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    line = f"binance-futures,BTCUSDT,{START_MS}000,{START_MS}500,,sell,100,1\n"
    other = line.replace("100,1", "100,2")
    path = write(tmp_path / "x_liquidations_BTCUSDT.csv", (header + line + line + other).encode())
    rows = read_one(path)
    assert rows.table["quantity"].to_pylist() == [1.0, 2.0]
    assert rows.table["sequence"].to_pylist() == [0, 1]
    assert defects(rows) == {"duplicate": 1}


def test_prices_under_the_name_of_a_premium_or_of_trades_are_refused(tmp_path: Path) -> None:
    premium = write(tmp_path / "BTCUSDT-premiumIndexKlines-1h-2021-01_um.csv", klines())
    assert "cannot be a premium" in refused_as(premium)[1]
    rows = [[START_MS + HOUR * row, 10, 12, 9, 11 - row % 2, 0] for row in range(12)]
    path = write(tmp_path / "BTC_USDT_USDT-1h-futures.json", json.dumps(rows).encode())
    assert "every volume is zero" in refused_as(path, venue="binance")[1]
    assert len(read_one(path, venue="binance", kind="ohlcv").table) == 12
