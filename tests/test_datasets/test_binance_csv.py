import re
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets import DatasetKey, Store, import_files
from engine import ConfigError
from tests.test_datasets.sample_files import (
    HOUR_MS,
    HOUR_NS,
    START_MS,
    START_NS,
    kline_cells,
    refused,
    write_csv,
)

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
OTHER_HEADER = (
    "Opentime,Open,High,Low,Close,Volume,Closetime,Quote asset volume,Number of trades,"
    "Taker buy base asset volume,Taker buy quote asset volume,Ignore"
)


@pytest.mark.parametrize("header", [None, HEADER, OTHER_HEADER])
@pytest.mark.parametrize("unit", [1, 1000])
def test_csv_with_and_without_header_in_both_units(
    store: Store, tmp_path: Path, header: str | None, unit: int
) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1h-2021-01_um.csv", kline_cells(30, unit=unit), header)
    (report,) = import_files(store, [path])
    assert report.key == DatasetKey(
        "ohlcv", "binance", "um_perp", "BTCUSDT", "1h", "binance_archive"
    )
    assert report.notes == (f"times are in {'ms' if unit == 1 else 'us'}",)
    table = store.read(report.key)
    for name, place in (("open", 1), ("close", 4), ("taker_buy_volume", 9), ("trades", 8)):
        assert table[name].to_pylist() == [float(row[place]) for row in kline_cells(30)]
    assert (report.first_ns, report.last_ns) == (START_NS, START_NS + 29 * HOUR_NS)


def test_header_may_order_the_columns(store: Store, tmp_path: Path) -> None:
    names = HEADER.split(",")
    order = sorted(range(12), key=lambda i: names[i])
    cells = [[row[i] for i in order] for row in kline_cells(30)]
    path = write_csv(tmp_path / "BTCUSDT-1h-2021.csv", cells, ",".join(names[i] for i in order))
    (report,) = import_files(store, [path], market="spot")
    assert store.read(report.key)["high"].to_pylist() == [float(row[2]) for row in kline_cells(30)]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("BTCUSDT-1h-2021.csv", {}, "does not say the market.* --market"),
        ("bars.csv", {"market": "spot"}, "does not say the symbol"),
        ("bars.csv", {"market": "spot", "symbol": "BTCUSDT"}, "does not say the timeframe"),
        ("BTCUSDT-1h-2021_um.csv", {"kind": "funding"}, "not kind=funding"),
        ("BTCUSDT-15m-2021_um.csv", {}, "most rows of BTCUSDT are 3600 s apart"),
        ("bars.txt", {"market": "spot"}, "known formats are"),
    ],
)
def test_csv_that_does_not_say_what_it_is(
    store: Store, tmp_path: Path, name: str, options: dict[str, str], message: str
) -> None:
    path = write_csv(tmp_path / name, kline_cells(30))
    assert re.search(message, refused(store, path, **options))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("BTCUSDT-1M-2021_um.csv", {}, "timeframe='1M' is not a bar step"),
        ("BTCUSDT-1h-2021_um.csv", {"symbol": "BTC/USDT"}, "symbol='BTC/USDT' cannot be a folder"),
    ],
)
def test_names_that_cannot_be_kept_are_refused_with_the_file(
    store: Store, tmp_path: Path, name: str, options: dict[str, str], message: str
) -> None:
    assert message in refused(store, write_csv(tmp_path / name, kline_cells(30)), **options)


def test_a_timeframe_argument_that_is_none_is_a_usage_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="timeframe='1 hour'"):
        import_files(store, [tmp_path / "absent.csv"], timeframe="1 hour")


def test_arguments_win_over_the_name(store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-15m-2021_um.csv", kline_cells(30))
    (report,) = import_files(store, [path], symbol="X", timeframe="1h", market="spot")
    assert str(report.key) == "ohlcv/binance/spot/X/1h/binance_archive"


def csv_cell(line: int, column: int, value: str) -> Callable[[list[list[str]]], None]:
    def edit(cells: list[list[str]]) -> None:
        cells[line - 1][column] = value

    return edit


@pytest.mark.parametrize("header", [None, HEADER])
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (csv_cell(5, 4, "abc"), "line {5}: close='abc' is not a number"),
        (csv_cell(5, 4, "1_0.0"), "line {5}: close='1_0.0' is not a number"),
        (csv_cell(5, 8, "12.5"), "line {5}: trades='12.5' is not a whole number"),
        (csv_cell(5, 4, "-3.0"), "line {5}: close=-3.0"),
        (csv_cell(5, 4, "nan"), "line {5}: close=nan"),
        (csv_cell(5, 4, ""), "line {5}: close is empty"),
        (
            csv_cell(5, 0, "1.60947E+12"),
            "line {5}: open_time='1.60947E.12' is in scientific notation",
        ),
        (csv_cell(5, 0, str(START_MS + 3 * HOUR_MS)), "line {5}: .* duplicate of .* line {4}"),
        (csv_cell(5, 0, str(START_MS)), "line {5}: .* duplicate of .* line {1}"),
        (csv_cell(5, 0, str(START_MS + 1)), "line {5}: .* unsorted"),
        (csv_cell(5, 0, str(START_MS * 1000)), "line {5}: open_time=.* is not in ms"),
        (lambda c: [row.__setitem__(0, row[0][:10]) for row in c], "neither milliseconds nor"),
        (
            lambda c: c[-1].__delitem__(slice(7, None)),
            "line {30}: 7 of 12 columns, the file is truncated",
        ),
        (lambda c: c[4].__delitem__(3), "line {5}: 11 of 12 columns, the line is broken"),
        (lambda c: c.__setitem__(4, [""]), "line {5}: open_time is empty"),
    ],
)
def test_broken_csv_is_refused_with_the_line(
    store: Store,
    tmp_path: Path,
    header: str | None,
    edit: Callable[[list[list[str]]], None],
    message: str,
) -> None:
    cells = kline_cells(30)
    edit(cells)
    path = write_csv(tmp_path / "BTCUSDT-1h-2021_um.csv", cells, header)
    shift = 0 if header is None else 1
    expected = re.sub(r"\{(\d+)\}", lambda m: str(int(m.group(1)) + shift), message)
    assert re.search(expected, refused(store, path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        (HEADER + "\n", "a header but no rows"),
        (HEADER.replace("close_time,", "") + "\n1,2\n", "column 'close_time' is missing"),
        (HEADER.replace("ignore", "open") + "\n1,2\n", "column 'ignore' is missing"),
        (HEADER + ",open\n1,2\n", "columns twice or too many"),
        ("https://www.CryptoDataDownload.com\nunix,date\n", "is not the header of a Binance"),
        ("1609459200000,1,2,3\n", "4 columns and no header"),
        ("PK\x03\x04garbage", "is not the header"),
    ],
)
def test_text_that_is_no_kline_csv(store: Store, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "BTCUSDT-1h-2021_um.csv"
    path.write_text(text)
    assert message in refused(store, path)
