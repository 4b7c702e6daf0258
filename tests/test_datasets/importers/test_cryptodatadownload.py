"""CryptoDataDownload: newest first, a banner, seconds and milliseconds."""

from pathlib import Path

import pytest

from tests.test_datasets.importers.binance_samples import (
    DOWNLOAD_BANNER,
    DOWNLOAD_HEADER,
    csv_bytes,
    download_cells,
)
from tests.test_datasets.importers.reading import (
    defects,
    finding,
    read_one,
    read_series,
    refusal,
    refused_as,
    write,
)
from tests.test_datasets.sample_files import HOUR_NS, START_NS

Cells = list[list[str]]
HEADERS = (DOWNLOAD_BANNER, DOWNLOAD_HEADER)


def saved(tmp_path: Path, cells: Cells, *, name: str = "Binance_BTCUSDT_1h.csv") -> Path:
    return write(tmp_path / name, csv_bytes(cells, *HEADERS))


def interleaved(rows: int = 30) -> Cells:
    """Both generations, ``rows - 5`` hours of each in common, newest first."""
    cells = download_cells(rows, first=5) + download_cells(rows, seconds=True)
    return sorted(cells, key=lambda row: -float(row[0]) * (1000 if "." in row[0] else 1))


def test_newest_first_is_no_defect_and_the_last_bar_is_left_out(tmp_path: Path) -> None:
    cells = download_cells(30)
    rows = read_one(saved(tmp_path, cells))
    assert str(rows.key) == "ohlcv/binance/spot/BTCUSDT/1h/cryptodatadownload"
    assert rows.time_ns().tolist() == [START_NS + HOUR_NS * row for row in range(29)]
    assert rows.table["volume"].to_pylist() == [float(row[7]) for row in cells[:0:-1]]
    assert rows.table["quote_volume"].to_pylist() == [float(row[8]) for row in cells[:0:-1]]
    assert rows.table["trades"].to_pylist() == [int(row[9]) for row in cells[:0:-1]]
    assert defects(rows) == {"incomplete_last_bar": 1}
    assert rows.places[0] == 2 + len(cells)


def test_two_generations_become_two_data_sets(tmp_path: Path) -> None:
    series = read_series(saved(tmp_path, interleaved()))
    milliseconds, seconds = series.values()
    assert milliseconds.key.source == "cryptodatadownload"
    assert seconds.key.source == "cryptodatadownload_seconds"
    assert (len(milliseconds.table), len(seconds.table)) == (29, 29)
    assert milliseconds.time_ns()[0] == START_NS + 5 * HOUR_NS
    assert seconds.time_ns()[0] == START_NS
    for rows in (milliseconds, seconds):
        assert defects(rows)["mixed_time_unit"] == 30
        assert "25 times stand in both" in finding(rows, "contradiction").message
    assert seconds.table["trades"].null_count == 29
    assert defects(seconds)["missing_value"] == 30
    assert "missing_value" not in defects(milliseconds)


def test_generations_that_agree_do_not_contradict(tmp_path: Path) -> None:
    cells = download_cells(30)
    again = [[f"{int(row[0]) // 1000}.0", *row[1:9], "NULL"] for row in cells]
    milliseconds, seconds = read_series(saved(tmp_path, cells + again)).values()
    assert "contradiction" not in defects(milliseconds) | defects(seconds)
    assert "mixed_time_unit" in defects(milliseconds)


def test_rows_whose_two_times_disagree_are_left_out(tmp_path: Path) -> None:
    cells = download_cells(30, seconds=True)
    cells[10][1], cells[11][1] = "2020-12-31 11-PM", "never"
    rows = read_one(saved(tmp_path, cells))
    assert finding(rows, "contradiction").count == 2
    assert len(rows.table) == 30 - 2 - 1


def test_the_futures_file_and_other_names(tmp_path: Path) -> None:
    name = "BTCUSDT_Binance_futures_data_hour.csv"
    assert read_one(saved(tmp_path, download_cells(30), name=name)).key.market == "um_perp"
    path = saved(tmp_path, download_cells(30), name="bars.csv")
    assert "does not say the venue" in str(refusal(path))
    rows = read_one(path, venue="kraken", market="spot", timeframe="1h", source="mine")
    assert str(rows.key) == "ohlcv/kraken/spot/BTCUSDT/1h/mine"


def test_volumes_are_told_by_the_header(tmp_path: Path) -> None:
    cells = download_cells(30)
    swapped = [[*row[:7], row[8], row[7], row[9]] for row in cells]
    header = DOWNLOAD_HEADER.replace("BTC,Volume USDT", "USDT,Volume BTC")
    path = write(tmp_path / "Binance_BTCUSDT_1h.csv", csv_bytes(swapped, DOWNLOAD_BANNER, header))
    assert read_one(path).table.equals(read_one(saved(tmp_path, cells)).table)


def test_the_banner_may_be_missing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Binance_BTCUSDT_1h.csv", csv_bytes(download_cells(30), DOWNLOAD_HEADER)
    )
    assert len(read_one(path).table) == 29


@pytest.mark.parametrize(
    ("column", "cell", "defect", "message"),
    [
        (0, "1.60946E+12", "scientific_notation", "line 8: unix='1.60946E+12'"),
        (0, "9999999999.0", "unreadable", "line 8: unix='9999999999.0' is neither seconds nor"),
        (0, "9999999999999", "unreadable", "line 8: unix='9999999999999' is neither seconds nor"),
        (0, "16094592000", "unreadable", "line 8: unix='16094592000' is neither seconds nor milli"),
        (2, "ETH/USDT", None, "line 8: symbol='ETH/USDT' in a file of BTC/USDT"),
        (3, "NULL", "missing_value", "line 8: open is empty"),
        (7, "x", "unreadable", "line 8: volume='x' is not a number"),
        (9, "1.5", "unreadable", "line 8: trades='1.5' is not a whole number"),
    ],
)
def test_broken_rows_are_refused_with_the_line(
    tmp_path: Path, column: int, cell: str, defect: str | None, message: str
) -> None:
    cells = download_cells(30)
    cells[5][column] = cell
    error = refusal(saved(tmp_path, cells))
    assert message in str(error)
    assert getattr(error, "defect", None) == defect


def test_two_rows_of_one_time_and_generation_contradict(tmp_path: Path) -> None:
    cells = download_cells(30)
    cells.insert(5, [*cells[5][:7], "1.0", *cells[5][8:]])
    assert refused_as(saved(tmp_path, cells))[0] == "contradiction"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (DOWNLOAD_HEADER.replace("Volume BTC", "Volume ETH"), "do not fit the symbol 'BTC/USDT'"),
        (DOWNLOAD_HEADER.replace("tradecount", "Volume BTC"), "do not fit the symbol 'BTC/USDT'"),
    ],
)
def test_headers_that_do_not_fit_the_symbol_are_refused(
    tmp_path: Path, header: str, message: str
) -> None:
    data = csv_bytes(download_cells(5), DOWNLOAD_BANNER, header)
    assert message in str(refusal(write(tmp_path / "Binance_BTCUSDT_1h.csv", data)))


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "Binance_BTCUSDT_1h.csv", csv_bytes([], *HEADERS))
    assert refused_as(path)[0] == "unreadable"
