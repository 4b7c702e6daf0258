"""Klines of the Binance archive: twelve columns, five kinds."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_datasets.importers.binance_samples import (
    KLINE_HEADER,
    OTHER_KLINE_HEADER,
    csv_bytes,
    price_cells,
)
from tests.test_datasets.importers.reading import (
    defects,
    read_one,
    refusal,
    refused_as,
    write,
)
from tests.test_datasets.sample_files import (
    HOUR_MS,
    HOUR_NS,
    START_MS,
    START_NS,
    bar_columns,
    kline_cells,
    utc_ns,
)


@pytest.mark.parametrize("header", [(), (KLINE_HEADER,), (OTHER_KLINE_HEADER,)])
@pytest.mark.parametrize("unit", [1, 1000])
def test_with_and_without_header_in_both_units(
    tmp_path: Path, header: tuple[str, ...], unit: int
) -> None:
    data = csv_bytes(kline_cells(30, unit=unit), *header)
    market, suffix = ("um_perp", "um") if unit == 1 else ("spot", "spot")
    rows = read_one(write(tmp_path / f"BTCUSDT-1h-2021-01_{suffix}.csv", data))
    assert str(rows.key) == f"ohlcv/binance/{market}/BTCUSDT/1h/binance_archive"
    assert rows.time_ns().tolist() == [START_NS + HOUR_NS * row for row in range(30)]
    for name, values in bar_columns(30).items():
        expected = [float(f"{value:.8f}") for value in values.tolist()]
        assert [float(value) for value in rows.table[name].to_pylist()] == expected
    assert rows.findings == ()


def test_header_may_order_the_columns_and_leave_ignore_out(tmp_path: Path) -> None:
    names = KLINE_HEADER.split(",")
    order = sorted(range(11), key=lambda place: names[place])
    cells = [[row[place] for place in order] for row in kline_cells(30)]
    data = csv_bytes(cells, ",".join(names[place] for place in order))
    rows = read_one(write(tmp_path / "BTCUSDT-1h-2021.csv", data), market="spot")
    assert rows.table["high"].to_pylist() == [float(row[2]) for row in kline_cells(30)]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2021-01.csv", "ohlcv spot BTCUSDT"),
        ("futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2021-01-01.csv", "ohlcv um_perp BTCUSDT"),
        ("spot/futures/um/x/BTCUSDT-1h-2021-01-01.csv", "ohlcv um_perp BTCUSDT"),
        ("futures/cm/monthly/klines/x/BTCUSD_PERP-1h-2021-01.csv", "ohlcv cm_perp BTCUSD_PERP"),
        ("BTCUSD_PERP-1h-2021-01.csv", "ohlcv cm_perp BTCUSD_PERP"),
        ("BTCUSDT-1h-2021_cm.csv", "ohlcv cm_perp BTCUSDT"),
        ("BTCUSDT-1h-2021_um_again.csv", "ohlcv um_perp BTCUSDT"),
        ("BTCUSDT_240628-1h-2021-01.csv", "dated_futures um_future BTCUSDT_240628"),
        ("futures/um/BTCUSDT_240628-1h-2021-01.csv", "dated_futures um_future BTCUSDT_240628"),
        ("BTCUSD_240628-1h-2021-01.csv", "dated_futures cm_future BTCUSD_240628"),
    ],
)
def test_the_name_says_symbol_step_and_market(tmp_path: Path, path: str, key: str) -> None:
    rows = read_one(write(tmp_path / path, csv_bytes(kline_cells(30))))
    assert (rows.key.venue, rows.key.step, rows.key.source) == ("binance", "1h", "binance_archive")
    assert f"{rows.key.kind} {rows.key.market} {rows.key.symbol}" == key


def test_what_the_request_says_goes_before_the_name(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-15m-2021_um.csv", csv_bytes(kline_cells(30)))
    rows = read_one(path, symbol="X", timeframe="1h", market="spot", venue="other", source="mine")
    assert str(rows.key) == "ohlcv/other/spot/X/1h/mine"


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("BTCUSDT-1h-2021.csv", {}, "does not say the market.*--market"),
        ("um/futures/BTCUSDT-1h-2021.csv", {}, "does not say the market.*--market"),
        ("bars.csv", {"market": "spot"}, "does not say the symbol.*--symbol"),
        ("bars.csv", {"market": "spot", "symbol": "X"}, "does not say the timeframe.*--timeframe"),
        ("BTCUSDT-1h-2021_um.csv", {"kind": "funding"}, "not kind=funding"),
        ("BTCUSDT-4h-2021_um.csv", {}, "most rows of BTCUSDT are 3600 s apart"),
        ("BTCUSDT-15m-2021_um.csv", {}, "close_time=.* after the end of the 15m bar"),
        ("BTCUSDT-1M-2021_um.csv", {}, "timeframe='1M' is not a bar step"),
        ("BTCUSDT-1h-2021_um.csv", {"symbol": "BTC/USDT"}, "symbol='BTC/USDT' cannot be a folder"),
        ("BTCUSDT_240628-1h-2021.csv", {"market": "um_perp"}, "does not fit market um_perp"),
        ("BTCUSDT_240699-1h-2021.csv", {}, "240699 is not a day written YYMMDD"),
        ("BTCUSDT-1h-2021_um.csv", {"market": "um_future"}, "does not fit market um_future"),
        ("BTCUSDT_240628-1h-2021.csv", {"kind": "ohlcv"}, "does not fit kind ohlcv"),
        ("BTCUSDT-1h-2021_um.csv", {"kind": "dated_futures"}, "does not fit kind dated_futures"),
    ],
)
def test_files_that_do_not_say_what_they_are(
    tmp_path: Path, name: str, request_: dict[str, str], message: str
) -> None:
    path = write(tmp_path / name, csv_bytes(kline_cells(30)))
    assert re.search(message, str(refusal(path, **request_)))


def test_a_dated_contract_expires_at_eight_of_the_day_in_its_symbol(tmp_path: Path) -> None:
    rows = read_one(write(tmp_path / "BTCUSDT_240628-1h-2021.csv", csv_bytes(kline_cells(30))))
    expiry = rows.table["expiry"].cast("int64").to_pylist()
    assert {moment * 1000 for moment in expiry} == {utc_ns("2024-06-28 08:00")}


def test_coin_margined_volumes_are_the_base_volumes(tmp_path: Path) -> None:
    cells = kline_cells(30)
    rows = read_one(write(tmp_path / "BTCUSD_PERP-1h-2021.csv", csv_bytes(cells)))
    assert rows.table["volume"].to_pylist() == [float(row[7]) for row in cells]
    assert rows.table["taker_buy_volume"].to_pylist() == [float(row[10]) for row in cells]
    assert rows.table["quote_volume"].null_count == rows.table["taker_buy_quote"].null_count == 30
    assert defects(rows) == {"incomparable_unit": 30}


@pytest.mark.parametrize(
    ("word", "kind", "offset"),
    [
        ("markPriceKlines", "mark_price", 100.0),
        ("indexPriceKlines", "index_price", 100.0),
        ("premiumIndexKlines", "premium_index", 0.5),
    ],
)
def test_price_bars_are_told_by_folder_name_or_request(
    tmp_path: Path, word: str, kind: str, offset: float
) -> None:
    cells = price_cells(30, offset=offset)
    data = csv_bytes(cells, KLINE_HEADER)
    key = f"{kind}/binance/um_perp/BTCUSDT/1h/binance_archive"
    folder = write(tmp_path / f"futures/um/daily/{word}/BTCUSDT-1h-2021-01-01.csv", data)
    named = write(tmp_path / f"BTCUSDT-{word}-1h-2021-01-01.csv", data)
    silent = write(tmp_path / "BTCUSDT-1h-2021-01-01.csv", data)
    for rows in (read_one(folder), read_one(named), read_one(silent, kind=kind)):
        assert str(rows.key) == key
        assert rows.table["close"].to_pylist() == [float(row[4]) for row in cells]
        assert rows.table["event_time"].to_pylist()[0].hour == 0
    defect, message = refused_as(silent, market="um_perp")
    assert defect == "unstated_unit"
    assert "--as mark_price" in message


def test_negative_prices_without_volume_are_premiums(tmp_path: Path) -> None:
    data = csv_bytes(price_cells(30, offset=0.0))
    rows = read_one(write(tmp_path / "BTCUSDT-1h-2021.csv", data))
    assert rows.key.kind == "premium_index"
    assert min(rows.table["low"].to_pylist()) < 0.0


def edited(line: int, column: int, value: str) -> Callable[[list[list[str]]], None]:
    def edit(cells: list[list[str]]) -> None:
        cells[line - 1][column] = value

    return edit


def same_time(cells: list[list[str]]) -> None:
    """The fifth bar at the time of the first."""
    cells[4][0], cells[4][6] = cells[0][0], cells[0][6]


@pytest.mark.parametrize("header", [(), (KLINE_HEADER,)])
@pytest.mark.parametrize(
    ("edit", "defect", "message"),
    [
        (edited(5, 4, "abc"), "unreadable", "line {5}: close='abc' is not a number"),
        (edited(5, 8, "12.5"), "unreadable", "line {5}: trades='12.5' is not a whole number"),
        (edited(5, 4, "-3.0"), None, "line {5}: close=-3.0"),
        (edited(5, 4, ""), "missing_value", "line {5}: close is empty"),
        (edited(5, 4, "1e9"), None, "line {5}: close=1000000000.0 at .* lies outside low"),
        (edited(5, 9, "1e9"), None, "line {5}: taker_buy_volume=.* is more than volume"),
        (edited(5, 0, "1.60947E+12"), "scientific_notation", "line {5}: open_time='1.60947E.12'"),
        (edited(1, 0, "1.60947E+12"), "scientific_notation", "line {1}: open_time='1.60947E.12'"),
        (same_time, "contradiction", "line {5}: .* stands twice .* line {1}"),
        (edited(5, 0, str(START_MS + 1)), "off_grid", "line {5}: .* is off the 1h grid"),
        (
            edited(5, 6, str(START_MS + 9 * HOUR_MS)),
            "off_grid",
            "line {5}: close_time=.* after the",
        ),
        (edited(5, 0, str(START_MS * 1000)), "mixed_time_unit", "line {5}: open_time=.* not in ms"),
        (
            edited(5, 6, str(START_MS * 1000)),
            "mixed_time_unit",
            "line {5}: close_time=.* not in ms",
        ),
        (
            edited(5, 0, "9999999999999"),
            "unreadable",
            "line {5}: open_time=9999999999999 is not in",
        ),
        (edited(5, 6, "0"), "unreadable", "line {5}: close_time=0 is not in ms"),
        (lambda c: [row.__setitem__(0, row[0][:10]) for row in c], "unreadable", "neither milli"),
        (
            lambda c: c[-1].__delitem__(slice(7, None)),
            "unreadable",
            "line {30}: 7 of 12 .*truncated",
        ),
        (lambda c: c[4].__delitem__(3), "unreadable", "line {5}: 11 of 12 columns, the line is br"),
    ],
)
def test_broken_rows_are_refused_with_the_line(
    tmp_path: Path,
    header: tuple[str, ...],
    edit: Callable[[list[list[str]]], None],
    defect: str | None,
    message: str,
) -> None:
    cells = kline_cells(30)
    edit(cells)
    path = write(tmp_path / "BTCUSDT-1h-2021_um.csv", csv_bytes(cells, *header))
    error = refusal(path)
    expected = re.sub(r"\{(\d+)\}", lambda m: str(int(m[1]) + len(header)), message)
    assert re.search(expected, str(error))
    assert getattr(error, "defect", None) == defect


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (KLINE_HEADER + "\n", "a header but no rows"),
        (KLINE_HEADER.replace("close_time,", "") + "\n1,2\n", "column 'close_time' is missing"),
        (KLINE_HEADER.replace("low", "open") + "\n1,2\n", "column 'low' is missing"),
        (KLINE_HEADER + ",open\n1,2\n", "columns twice or too many"),
        ("1609459200000,1,2,3\n", "none of the .* known formats"),
        ("https://example.com\nunix,date\n", "none of the .* known formats"),
    ],
)
def test_text_that_is_no_kline_file(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "BTCUSDT-1h-2021_um.csv", text.encode())
    assert re.search(message, str(refusal(path)))


def test_what_is_dropped_moved_or_odd_is_found(tmp_path: Path) -> None:
    cells = kline_cells(200)
    cells[10][6] = str(START_MS + 10 * HOUR_MS + 999)
    cells[20][6] = str(START_MS + 20 * HOUR_MS - 1)
    cells[30][0] = str(START_MS + 30 * HOUR_MS + 1234)
    for row in cells[:3]:
        row[1:5] = ["100.0"] * 4
        row[5] = row[7] = row[9] = row[10] = "0"
    cells.insert(50, cells[50])
    cells[70], cells[71] = cells[71], cells[70]
    rows = read_one(write(tmp_path / "BTCUSDT-1h-2021_um.csv", csv_bytes(cells)))
    assert defects(rows) == {
        "early_close_time": 1,
        "close_before_open": 1,
        "off_grid": 1,
        "duplicate": 1,
        "unsorted": 1,
    }
    # Quiet bars at midnight may be a piece of a longer history: they stay.
    assert len(rows.table) == 200 - 1


def test_the_zip_of_the_archive_with_its_checksum(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("BTCUSDT-1h-2021-01.csv", csv_bytes(kline_cells(30)))
    path = write(tmp_path / "spot/BTCUSDT-1h-2021-01.zip", buffer.getvalue())
    checksum = path.with_name(path.name + ".CHECKSUM")
    checksum.write_text(f"{hashlib.sha256(buffer.getvalue()).hexdigest()}  {path.name}\n")
    rows = read_one(path)
    assert str(rows.key) == "ohlcv/binance/spot/BTCUSDT/1h/binance_archive"
    assert len(rows.table) == 30
    checksum.write_text(f"{'0' * 64}  {path.name}\n")
    assert refused_as(path)[0] == "unreadable"
