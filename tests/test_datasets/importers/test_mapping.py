"""Files that a mapping describes, and mappings that describe nothing."""

import contextlib
import inspect
import re
import textwrap
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from datasets.importers.files import read_file
from datasets.importers.format import Format
from datasets.importers.mapping import FileMapping, load_mapping, read_mapped
from datasets.importers.mapping import mapping as mapping_module
from datasets.importers.reading.source_file import open_source
from datasets.importers.report import Request
from datasets.importers.rows import SourceRows
from engine import ConfigError, DataError
from tests.test_datasets.importers.fuzzing import (
    Row,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
    in_store_order,
    rows_of,
)
from tests.test_datasets.importers.reading import defects, finding, write

NS = 1_000_000_000
EVENTS = {"venue": "vendor", "market": "spot", "symbol": "BTCUSDT"}
METRICS = {"kind": "metrics", **EVENTS, "step": "1d"}
TRADES = {
    "kind": "trades",
    **EVENTS,
    "time": {"column": "t", "unit": "ms"},
    "columns": {"price": "p", "quantity": "q", "is_buyer_maker": "side"},
    "words": {"is_buyer_maker": {"sell": True, "buy": False}},
}


def mapped(path: Path, document: dict[str, Any], **request: Any) -> list[SourceRows]:
    mapping = FileMapping.model_validate(document)
    return list(read_mapped(open_source(path), Request(**request), mapping))


def refused(path: Path, document: dict[str, Any], **request: Any) -> str:
    with pytest.raises(DataError) as caught:
        mapped(path, document, **request)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


def utc(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return int(moment.timestamp()) * NS


def test_the_example_of_the_documentation_reads_a_file(tmp_path: Path) -> None:
    document = inspect.getdoc(mapping_module) or ""
    example = textwrap.dedent(document.split("::\n", 1)[1].split("\n``time``", 1)[0])
    mapping = load_mapping(write(tmp_path / "oi.yaml", example.encode()))
    lines = [
        "Open interest by day", "", "Day;Pair;OI;Ratio", "01.07.2024;BTCUSDT;1.234.567,5;150",
        "02.07.2024;BTCUSDT;-;120", "01.07.2024;ETHUSDT;12,25;n/a",
    ]  # fmt: skip
    path = write(tmp_path / "oi.csv", "\n".join(lines).encode())
    bitcoin, ether = read_mapped(open_source(path), Request(), mapping)
    assert str(bitcoin.key) == "metrics/vendor/linear_perp/BTCUSDT/1d/mapped"
    midnight = utc("2024-07-01", "Europe/Berlin")
    assert rows_of(bitcoin.table, with_availability=True)[0] == {
        "event_time": midnight,
        "available_at": midnight + 36 * 3600 * NS,
        "sum_open_interest": 1234567.5,
        "count_long_short_ratio": 1.5,
        "sum_taker_long_short_vol_ratio": 1.0,
    }
    assert bitcoin.places.tolist() == [4, 5]
    assert rows_of(ether.table)[0]["sum_open_interest"] == 12.25


@pytest.mark.parametrize(
    ("time", "cell", "expected"),
    [
        ({"unit": "s"}, "1720000000", 1720000000 * NS),
        ({"unit": "s"}, "1720000000.25", 1720000000 * NS + NS // 4),
        ({"unit": "ms"}, "1720000000123", 1720000000123 * 10**6),
        ({"unit": "us"}, "1720000000123456", 1720000000123456 * 10**3),
        ({"unit": "ns"}, "1720000000123456000", 1720000000123456000),
        ({"zone": "UTC"}, "2024-07-03", utc("2024-07-03")),
        ({}, "2024-07-03T12:30:00Z", utc("2024-07-03 12:30")),
        ({}, "2024-07-03 12:30:00+02:00", utc("2024-07-03 10:30")),
        ({"zone": "Asia/Seoul"}, "2024-07-03 12:30", utc("2024-07-03 03:30")),
        ({"format": "%d/%m/%Y %H:%M", "zone": "UTC"}, "03/07/2024 12:30", utc("2024-07-03 12:30")),
        ({"format": "%Y%m%d %H%M %z"}, "20240703 1230 +0200", utc("2024-07-03 10:30")),
    ],
)
def test_times(tmp_path: Path, time: dict[str, str], cell: str, expected: int) -> None:
    document = {**TRADES, "time": {"column": "t", **time}}
    path = write(tmp_path / "x.csv", f"t,p,q,side\n{cell},100,2,sell\n".encode())
    (rows,) = mapped(path, document)
    assert rows_of(rows.table)[0]["event_time"] == expected


@pytest.mark.parametrize(
    ("time", "cell"),
    [
        ({"unit": "ms"}, "1720000000"),
        ({"unit": "s"}, "1720000000123456"),
        ({"unit": "s"}, "yesterday"),
        ({"zone": "UTC"}, "03.07.2024"),
        ({"zone": "UTC"}, "2024-02-30"),
        ({"format": "%d/%m/%Y", "zone": "UTC"}, "07/13/2024"),
        ({"zone": "Europe/Berlin"}, "2024-10-27 02:30"),
        ({"zone": "Europe/Berlin"}, "2024-03-31 02:30"),
        ({"unit": "ms"}, ""),
    ],
)
def test_unclear_times_are_refused_with_their_line(
    tmp_path: Path, time: dict[str, str], cell: str
) -> None:
    document = {**TRADES, "time": {"column": "t", **time}}
    path = write(tmp_path / "x.csv", f"t,p,q,side\n{cell},100,2,sell\n".encode())
    assert "line 2" in refused(path, document)


@pytest.mark.parametrize(
    ("time", "cell"),
    [
        ({}, "2024-07-03 12:30"),
        ({}, "2024-07-03"),
        ({"format": "%d/%m/%Y %H:%M"}, "03/07/2024 12:30"),
    ],
)
def test_a_zone_is_never_guessed(tmp_path: Path, time: dict[str, str], cell: str) -> None:
    document = {**TRADES, "time": {"column": "t", **time}}
    path = write(tmp_path / "x.csv", f"t,p,q,side\n{cell},100,2,sell\n".encode())
    assert f"line 2: t={cell!r} states no offset from UTC" in refused(path, document)
    assert "zone: UTC or zone: Europe/Berlin" in refused(path, document)
    typed = pa.table({"t": [datetime(2024, 7, 3)], "p": [1.0], "q": [1.0], "side": ["buy"]})
    pq.write_table(typed, tmp_path / "x.parquet")
    untold = {**TRADES, "time": {"column": "t"}}
    assert "states no offset from UTC" in refused(tmp_path / "x.parquet", untold)


def test_a_wrong_delimiter_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b"t;p;q;side\n1720000000000;100;2;sell\n")
    assert "the file has t;p;q;side: one column, so set csv.delimiter to ';'" in refused(
        path, TRADES
    )


def test_trades_without_a_number_are_ordered_within_their_time(tmp_path: Path) -> None:
    text = "t,p,q,side\n1720000000001,1,1,sell\n1720000000001,1,1,buy\n1720000000002,1,1,buy\n"
    (rows,) = mapped(write(tmp_path / "x.csv", text.encode()), TRADES)
    assert rows.table["trade_id"].to_pylist() == [0, 1, 0]
    assert rows.table["is_buyer_maker"].to_pylist() == [True, False, False]
    path = write(tmp_path / "y.csv", b"t,p,q,side\n1720000000001,1,1,hold\n")
    assert "side='hold' is none of the words" in refused(path, TRADES)


def test_a_comma_of_thousands_is_never_taken_for_a_decimal_point(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b't,p,q,side\n1720000000001,"1,377.38",1,sell\n')
    assert "p='1,377.38' is not a number" in refused(path, TRADES)
    thousands = {**TRADES, "csv": {"thousands": ","}}
    (rows,) = mapped(path, thousands)
    assert rows.table["price"].to_pylist() == [1377.38]
    for cell in ("1,37.38", "1377,380", "1,377,38"):
        odd = write(tmp_path / "odd.csv", f't,p,q,side\n1720000000001,"{cell}",1,sell\n'.encode())
        assert f"p='{cell}' is not a number" in refused(odd, thousands)


def day_table() -> pa.Table:
    stamps = pa.array([1720000000 * 10**3, (1720000000 + 86400) * 10**3])
    return pa.table(
        {
            "when": stamps.cast(pa.timestamp("ms", tz="UTC")),
            "seen": pa.array([1720000000 + 10, 1720000000 + 86400 + 20]),
            "oi": pa.array([Decimal("1.5"), Decimal("2.5")]),
            "pair": pa.array(["BTCUSDT", "BTCUSDT"]).dictionary_encode(),
        }
    )


def test_parquet_and_feather_keep_their_types(tmp_path: Path) -> None:
    document = {
        **METRICS,
        "symbol": {"column": "pair"},
        "time": {"column": "when"},
        "available_at": {"column": "seen", "unit": "s"},
        "columns": {"sum_open_interest": "oi"},
    }
    pq.write_table(day_table(), tmp_path / "x.parquet")
    feather.write_feather(day_table(), tmp_path / "x.feather")
    for name in ("x.parquet", "x.feather"):
        (rows,) = mapped(tmp_path / name, document)
        table = rows_of(rows.table, with_availability=True)
        assert [row["sum_open_interest"] for row in table] == [1.5, 2.5]
        assert [(row["available_at"] - row["event_time"]) // NS for row in table] == [10, 20]


def test_nanoseconds_are_read_exactly(tmp_path: Path) -> None:
    """They lie beyond what float64 counts."""
    stamps = [1_704_067_200_001_001_000 + 1_000 * row for row in range(3)]
    document = TRADES | {"time": {"column": "t", "unit": "ns"}}
    table = {"t": stamps, "p": [1.0] * 3, "q": [1.0] * 3, "side": ["buy"] * 3}
    pq.write_table(pa.table(table), tmp_path / "trades.parquet")
    text = "t,p,q,side\n" + "".join(f"{stamp},1,1,buy\n" for stamp in stamps)
    for path in (tmp_path / "trades.parquet", write(tmp_path / "trades.csv", text.encode())):
        (rows,) = mapped(path, document)
        assert rows.time_ns().tolist() == stamps
    late = write(tmp_path / "late.csv", text.replace("001000,", "001001,").encode())
    assert "finer than a microsecond" in refused(late, document)


RATE = {
    "kind": "fx", "venue": "vendor", "market": "fx", "symbol": "USDKRW", "step": "1d",
    "time": {"column": "t", "zone": "UTC"}, "columns": {"close": "c"},
}  # fmt: skip
NOONS = [datetime(2024, 1, day, 12) for day in (1, 2, 3)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("t", NOONS), ("t", NOONS), ("c", [1.0] * 3)], "two of its columns have one name"),
        ([("t", NOONS), ("c", pa.array([2**64 - 1] * 3, pa.uint64()))], "beyond 2\\*\\*53"),
        ([("t", pa.array(NOONS, pa.timestamp("ms", "Nowhere/X"))), ("c", [1.0] * 3)], "as times"),
        ([("t", NOONS), ("c", [1.0] * 3)], "12:00 is off the 1d grid"),
    ],
)
def test_odd_columns_are_refused(
    tmp_path: Path, columns: list[tuple[str, Any]], message: str
) -> None:
    table = pa.Table.from_arrays(
        [pa.array(values) for _, values in columns], names=[name for name, _ in columns]
    )
    feather.write_feather(table, tmp_path / "rate.feather")
    assert re.search(message, refused(tmp_path / "rate.feather", RATE))


def test_bars_that_may_be_open_lose_the_last_one(tmp_path: Path) -> None:
    lines = [f"{1_719_792_000 + 3600 * n},1,3,0.5,2,9" for n in range(4)]
    path = write(tmp_path / "x.csv", "\n".join(["t,o,h,l,c,v", *lines]).encode())
    names = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    document: dict[str, Any] = {
        "kind": "ohlcv", **EVENTS, "step": "1h", "time": {"column": "t", "unit": "s"}, "columns": names,
        "last_bar": "open",
    }  # fmt: skip
    lines[0] = lines[0].replace(",1,", ",2,")
    path = write(tmp_path / "x.csv", "\n".join(["t,o,h,l,c,v", *lines]).encode())
    (rows,) = mapped(path, document)
    assert defects(rows) == {"incomplete_last_bar": 1}
    (rows,) = mapped(path, {**document, "last_bar": "complete"})
    assert len(rows.table) == 4


def test_other_moments_may_be_empty(tmp_path: Path) -> None:
    text = "day,coin,from,to\n2024-07-01,A,2020-01-05,\n2024-07-01,B,2021-01-05,2024-05-06\n"
    document = {
        "kind": "universe", **EVENTS, "time": {"column": "day", "zone": "UTC"},
        "columns": {"asset": "coin", "symbol": "coin", "listed_at": "from", "delisted_at": "to"},
    }  # fmt: skip
    (rows,) = mapped(write(tmp_path / "x.csv", text.encode()), document)
    assert [row.get("delisted_at") for row in rows_of(rows.table)] == [None, utc("2024-05-06")]


def test_funding_in_percent(tmp_path: Path) -> None:
    lines = [f"{1_719_792_000_005 + 28_800_000 * n},0.01" for n in range(3)]
    path = write(tmp_path / "x.csv", "\n".join(["t,r", *lines]).encode())
    document = {
        "kind": "funding", **EVENTS, "market": "linear_perp", "time": {"column": "t", "unit": "ms"},
        "columns": {"rate": "r"}, "factors": {"rate": 0.01},
    }  # fmt: skip
    (rows,) = mapped(path, document)
    assert rows.table["rate"].to_pylist() == [0.01 * 0.01] * 3
    assert rows.key.step == "8h"
    assert finding(rows, "late_stamp").count == 3


def test_what_the_mapping_leaves_open_must_be_asked_for_and_may_not_contradict(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "x.csv", b"t,p,q,side\n1720000000001,1,1,sell\n")
    unsaid = {name: value for name, value in TRADES.items() if name != "venue"}
    assert "--venue" in refused(path, unsaid)
    (rows,) = mapped(path, unsaid, venue="kraken", source="mine")
    assert (rows.key.venue, rows.key.source) == ("kraken", "mine")
    assert "venue=vendor, not venue=kraken" in refused(path, TRADES, venue="kraken")
    assert "column 'q'" in refused(
        write(tmp_path / "y.csv", b"t,p,side\n1720000000001,1,sell\n"), TRADES
    )


def test_symbols_are_renamed(tmp_path: Path) -> None:
    lines = [f"{1720000000001 + n},1,1,sell,{pair}" for n, pair in enumerate(("BTC/EUR", "ETH"))]
    path = write(tmp_path / "x.csv", "\n".join(["t,p,q,side,pair", *lines]).encode())
    document = {**TRADES, "symbol": {"column": "pair"}}
    message = refused(path, document)
    assert "symbol='BTC/EUR' cannot be a folder name" in message
    assert "symbols: {BTC/EUR: NAME}" in message
    renaming = {**document, "symbols": {"BTC/EUR": "XBT-EUR"}}
    assert [rows.key.symbol for rows in mapped(path, renaming)] == ["ETH", "XBT-EUR"]
    mapping = write(tmp_path / "m.yaml", yaml.safe_dump(renaming).encode())
    for asked in ("BTC/EUR", "XBT-EUR"):
        (rows,) = read_file(path, Request(symbol=asked), mapping=mapping)[1]
        assert rows.key.symbol == "XBT-EUR"
    both = {**document, "symbols": {"BTC/EUR": "ETH"}}
    assert "'BTC/EUR' and 'ETH' would both be ETH" in refused(path, both)
    (rows,) = mapped(path, {**TRADES, "symbol": "BTC/EUR", "symbols": {"BTC/EUR": "BTC-EUR"}})
    assert rows.key.symbol == "BTC-EUR"


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"kind": "candles"}, "kind", "'candles' is unknown"),
        ({"market": "moon"}, "market", "'moon' is unknown"),
        ({"step": "7h"}, "step", "does not divide a day"),
        (
            {"colums": {}},
            "colums",
            "is no key here; the keys are kind, venue, market, symbol, symbols",
        ),
        ({"csv": {"delimeter": ";"}}, "csv.delimeter", "the keys are delimiter, skip_lines"),
        ({"time": {"col": "t"}}, "time.column", "Field required"),
        ({"time": "t"}, "time", "write time: {column: t, unit: ms}"),
        ({"available_at": "36h"}, "available_at", "available_at: {delay: 36h}"),
        ({"symbol": {"name": "t"}}, "symbol", "symbol: {column: NAME}"),
        ({"symbols": {"BTC/EUR": "BTC/E"}}, "symbols", "'BTC/E' cannot be a folder name"),
        ({"time": {"column": "t", "unit": "min"}}, "time.unit", "'s', 'ms', 'us' or 'ns'"),
        ({"time": {"column": "t", "unit": "s", "format": "%Y"}}, "time", "give one of the two"),
        ({"time": {"column": "t", "zone": "Mars"}}, "time.zone", "no time zone"),
        ({"available_at": {}}, "available_at", "either a column or a delay"),
        ({"available_at": {"delay": "soon"}}, "available_at", "no delay"),
        ({"columns": {"price": "p", "size": "q"}}, "mapping", "'size' is no column of trades"),
        ({"columns": {"price": "p"}}, "mapping", "'quantity' is missing"),
        ({"constants": {"price": 1.0}}, "mapping", "'price' has a column, too"),
        ({"factors": {"is_buyer_maker": 2.0}}, "mapping", "no decimal number"),
        ({"csv": {"thousands": ".", "decimal": "."}}, "csv", "same mark"),
        ({"last_bar": "open"}, "mapping", "no bars that close"),
    ],
)
def test_faults_of_a_mapping_point_at_their_key(
    tmp_path: Path, change: dict[str, Any], key: str, reason: str
) -> None:
    path = write(tmp_path / "m.yaml", yaml.safe_dump({**TRADES, **change}).encode())
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    assert str(caught.value).startswith(f"{path}: {key}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"- 1", b"a: [", b"\xff\xfe\x00", b"kind: trades\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"m\.yaml"):
        load_mapping(write(tmp_path / "m.yaml", text))


VALID = b"t,p,q,side\n1720000000001,1.5,1,sell\n1720000000002,1,2,buy\n1720000000009,2,1e1,buy\n"
LAYOUT = Format(
    "mapped",
    "",
    (),
    lambda file: True,
    lambda file, request: read_mapped(file, request, FileMapping.model_validate(TRADES)),
    "",
    "",
)


def reference(data: bytes) -> dict[str, list[Row]]:
    lines = data.decode("utf-8-sig").rstrip("\r\n \t").replace("\r\n", "\n").split("\n")
    names = [name.strip('"') for name in lines[0].split(",")]
    rows: list[Row] = []
    for line in lines[1:]:
        cells = dict(zip(names, (c.strip('"').strip() for c in line.split(",")), strict=True))
        stamp = Decimal(cells["t"]) * 10**6
        rows.append(
            {
                "event_time": int(stamp),
                "price": float(cells["p"]),
                "quantity": float(cells["q"]),
                "is_buyer_maker": {"sell": True, "buy": False}[cells["side"]],
            }
        )
    counts: dict[int, int] = {}
    for row in rows:
        row["trade_id"] = counts.get(row["event_time"], 0)
        counts[row["event_time"]] = row["trade_id"] + 1
    return {
        "trades/vendor/spot/BTCUSDT/event/mapped": in_store_order(rows, ("event_time", "trade_id"))
    }


@settings(max_examples=250)
@given(data=st.one_of(corrupted(VALID), arbitrary_bytes()))
def test_fuzzed_files_are_refused_or_exact(data: bytes) -> None:
    assert_refused_or_exact(LAYOUT, in_memory("x.csv"), reference, data, Request())


@settings(max_examples=100)
@given(data=st.data())
def test_fuzzed_parquet_is_refused_or_read(data: st.DataObject) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(day_table(), sink)
    document = {**METRICS, "time": {"column": "when"}, "columns": {"sum_open_interest": "oi"}}
    file = in_memory("x.parquet")(data.draw(corrupted(bytes(sink.getvalue()))))
    mapping = FileMapping.model_validate(document)
    with contextlib.suppress(DataError):
        for rows in read_mapped(file, Request(), mapping):
            assert rows.table.num_rows == len(rows.places)


@pytest.mark.real
def test_exchange_rates_with_thousands_separators(real_data: Path) -> None:
    document = {
        "kind": "fx", "venue": "investing", "market": "fx", "symbol": "USDKRW", "step": "1d",
        "time": {"column": "Date", "zone": "UTC"},
        "columns": {n.lower(): n for n in ("Open", "High", "Low")},
        "csv": {"thousands": ","},
    }  # fmt: skip
    document["columns"] |= {"close": "Price"}
    (rows,) = mapped(real_data / "raw/misc_vendor/usd_krw_investingcom.csv", document)
    assert len(rows.table) == 1934
    assert rows_of(rows.table)[-1]["close"] == 1377.38
