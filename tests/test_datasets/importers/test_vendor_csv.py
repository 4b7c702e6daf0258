"""CoinMarketCap's lists and Investing.com's rates, against a slow reference parser."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.findings import RefusedFileError, by_defect
from datasets.importers.files import read_file
from datasets.importers.reading.csv_table import NULL_WORDS
from datasets.importers.report import Request
from datasets.importers.vendor_csv import FORMATS
from tests.test_datasets.importers.fuzzing import (
    ReferenceRefusal,
    Row,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
    in_store_order,
)

FORMAT = {layout.name: layout for layout in FORMATS}
DAY = 86_400_000_000_000
CAPS = "coinmarketcap_csv"
RATES = "investing_com_csv"
CAPS_HEADER = (
    "Rank,Name,Symbol,Market Cap,Price,Circulating Supply,Volume (24h),% 1h,% 24h,% 7d,"
    "snapshot_date"
)
RATES_HEADER = "Date,Price,Open,High,Low,Vol.,Change %"
CAPS_LINES = [
    f"{rank},{name},{symbol},{1e9 / rank},{10.5 * rank},1000000.0,250.75,0.1,-0.2,0.3,20220501"
    for rank, (name, symbol) in enumerate(
        [("Bitcoin", "BTC"), ("BinaryX", "BNX"), ("BinaryX (old)", "BNX"), ("A, B", "AB")], start=1
    )
]
CAPS_LINES[3] = CAPS_LINES[3].replace("A, B", '"A, B"')
RATES_LINES = [
    f'2021-01-{day:02d},"1,{203 + day}.93","1,206.85","1,210.70","1,{103 + day}.19",,-0.28%'
    for day in (1, 4, 5, 6)
]
RATES_LINES[2] = "2021-01-05,999.5,998.25,1000,998,,0.1%"
NAMES = {CAPS: "coinmarketcap_monthly_20220501.csv", RATES: "usd_krw_investingcom.csv"}


def text_of(name: str, lines: list[str] | None = None) -> bytes:
    header = CAPS_HEADER if name == CAPS else RATES_HEADER
    body = lines if lines is not None else CAPS_LINES if name == CAPS else RATES_LINES
    return ("\n".join([header, *body]) + "\n").encode()


def day_ns(text: str, form: str) -> int:
    try:
        return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    except ValueError as error:
        raise ReferenceRefusal(str(error)) from error


def cells_of(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8-sig", "strict").rstrip("\r\n \t")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    return lines[1:]


def reference_caps(data: bytes) -> dict[str, list[Row]]:
    rows = []
    for rank, name, symbol, cap, price, supply, volume, *_, date in cells_of(data):
        row: Row = {
            "event_time": day_ns(date, "%Y%m%d"), "asset": name, "symbol": symbol, "rank": int(rank),
        }  # fmt: skip
        numbers = {
            "market_cap_usd": cap,
            "price_usd": price,
            "circulating_supply": supply,
            "volume_24h_usd": volume,
        }
        row |= {k: float(v) + 0.0 for k, v in numbers.items() if v not in NULL_WORDS}
        rows.append(row)
    key = "universe/coinmarketcap/coins/all/event/coinmarketcap_csv"
    return {key: in_store_order(rows, ("event_time", "asset"))}


def reference_rates(data: bytes) -> dict[str, list[Row]]:
    rows = []
    for date, close, open_, high, low, _, _ in cells_of(data):
        numbers = {"open": open_, "high": high, "low": low, "close": close}
        for text in numbers.values():
            if not re.fullmatch(r"\d{1,3}(,\d{3})*(\.\d+)?|\d+(\.\d+)?", text, re.ASCII):
                raise ReferenceRefusal(text)
        row: Row = {name: float(text.replace(",", "")) for name, text in numbers.items()}
        rows.append({"event_time": day_ns(date, "%Y-%m-%d"), **row})
    key = "fx/investing_com/fx/USDKRW/1d/investing_com_csv"
    return {key: in_store_order(rows, ("event_time",))}


REFERENCE = {CAPS: reference_caps, RATES: reference_rates}


def promise(name: str, data: bytes) -> bool:
    return assert_refused_or_exact(
        FORMAT[name], in_memory(NAMES[name]), REFERENCE[name], data, Request()
    )


@pytest.mark.parametrize("name", [CAPS, RATES])
def test_a_file_is_taken_as_the_reference_reads_it(name: str) -> None:
    assert FORMAT[name].recognises(in_memory(NAMES[name])(text_of(name)))
    assert promise(name, text_of(name))


@pytest.mark.parametrize("name", [CAPS, RATES])
@settings(max_examples=300)
@given(data=st.data())
def test_broken_files_are_refused_or_read_exactly(name: str, data: st.DataObject) -> None:
    promise(name, data.draw(st.one_of(corrupted(text_of(name)), arbitrary_bytes())))


def test_rates_may_stand_newest_first(tmp_path: Path) -> None:
    path = tmp_path / NAMES[RATES]
    path.write_bytes(text_of(RATES, RATES_LINES[::-1]))
    _, (rows,) = read_file(path, Request())
    assert rows.table["close"].to_pylist() == [1204.93, 1207.93, 999.5, 1209.93]
    assert by_defect(rows.findings) == {"no_session": 2}
    assert rows.places.tolist() == [5, 4, 3, 2]
    path.write_bytes(text_of(RATES, [RATES_LINES[1], RATES_LINES[0], *RATES_LINES[2:]]))
    _, (rows,) = read_file(path, Request())
    assert by_defect(rows.findings) == {"no_session": 2, "unsorted": 1}


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        (RATES, '2021-01-07,"1,20,3.9",1,1,1,,0%', "line 6: Price='1,20,3.9' is no number"),
        (RATES, "01/07/2021,1,1,1,1,,0%", "line 6: Date='01/07/2021' is no day written YYYY-MM-DD"),
        (RATES, "2021-02-30,1,1,1,1,,0%", "line 6: Date='2021-02-30' is no day"),
        (RATES, "2021-01-07,,1,1,1,,0%", "line 6: Price is empty"),
        (CAPS, "5,E,E,1,1,1,1,0,0,0,2022-05-01", "line 6: snapshot_date='2022-05-01' is no day"),
        (CAPS, "5,E,E,1,1,1,1,0,0,0", "line 6: 10 of 11 columns"),
        (CAPS, "0,E,E,1,1,1,1,0,0,0,20220501", "line 6: rank=0"),
        (CAPS, "5,E,E,-1,1,1,1,0,0,0,20220501", "line 6: market_cap_usd=-1.0"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, name: str, line: str, message: str) -> None:
    lines = CAPS_LINES if name == CAPS else RATES_LINES
    path = tmp_path / NAMES[name]
    path.write_bytes(text_of(name, [*lines, line]))
    with pytest.raises(Exception, match=re.escape(message)):
        read_file(path, Request())


def test_a_ticker_of_two_coins_is_noted(tmp_path: Path) -> None:
    path = tmp_path / NAMES[CAPS]
    path.write_bytes(text_of(CAPS))
    _, (rows,) = read_file(path, Request())
    assert rows.findings[0].defect == "symbol_not_unique"
    assert rows.findings[0].lines == ("line 3 (2022-05-01 00:00)", "line 4 (2022-05-01 00:00)")


def test_the_currencies_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_bytes(text_of(RATES))
    with pytest.raises(RefusedFileError, match="says the symbol; give --symbol"):
        read_file(path, Request())
    _, (rows,) = read_file(path, Request(symbol="USDKRW"))
    assert rows.key.symbol == "USDKRW"
    with pytest.raises(RefusedFileError, match="the file says market=fx"):
        read_file(path, Request(symbol="USDKRW", market="spot"))
