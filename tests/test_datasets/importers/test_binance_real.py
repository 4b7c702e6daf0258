"""Real Binance and CryptoDataDownload files, against counts taken from their lines."""

from collections import Counter
from pathlib import Path

import pytest

from tests.test_datasets.importers.reading import defects, read_one, read_series, refused_as
from tests.test_datasets.sample_files import utc_ns

pytestmark = pytest.mark.real


def lines(path: Path) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split(",")] for line in path.read_text().split("\n") if line
    ]


def test_every_archive_csv_keeps_its_rows(real_data: Path) -> None:
    paths = sorted(real_data.glob("raw/binance_vision_klines*/*.csv"))
    assert len(paths) == 14
    for path in paths:
        rows = read_one(path, market=None if path.stem.endswith("_um") else "spot")
        cells = [row for row in lines(path) if row[0].isdigit()]
        assert len(rows.table) + defects(rows).get("off_grid", 0) == len(cells)
        closes = Counter(float(row[4]) for row in cells)
        assert not Counter(rows.table["close"].to_pylist()) - closes


def test_the_outage_of_2018_leaves_bars_off_the_grid(real_data: Path) -> None:
    rows = read_one(real_data / "raw/binance_vision_klines/BTCUSDT-1h-2018.csv", market="spot")
    assert defects(rows)["off_grid"] == 43


def test_milliseconds_end_where_microseconds_begin(real_data: Path) -> None:
    folder = real_data / "raw/binance_vision_klines"
    old = read_one(folder / "ETHUSDT-1h-2024-12.csv", market="spot").time_ns()
    new = read_one(folder / "ETHUSDT-1h-2025-01.csv", market="spot").time_ns()
    assert (len(old), len(new)) == (744, 744)
    assert old[-1] == utc_ns("2024-12-31 23:00")
    assert new[0] == utc_ns("2025-01-01")


def test_the_spreadsheet_victim_is_refused(real_data: Path) -> None:
    path = real_data / "raw/defects/SOLUSDT-1h-2023-01_excel_mangled.csv"
    assert refused_as(path, market="um_perp")[0] == "scientific_notation"


def test_rest_answers(real_data: Path) -> None:
    folder = real_data / "raw/binance_rest_csv"
    candles = read_one(folder / "DOGEUSDT_1h.csv", market="um_perp")
    assert len(candles.table) == 4500 - 1
    assert defects(candles) == {"incomplete_last_bar": 1}
    funding = read_one(folder / "DOGEUSDT_funding.csv")
    late = sum(int(row[0]) % 3_600_000 > 0 for row in lines(folder / "DOGEUSDT_funding.csv")[1:])
    assert (len(funding.table), defects(funding)) == (200, {"late_stamp": late})
    interest = read_one(folder / "DOGEUSDT_oi_4h.csv")
    assert (str(interest.key), len(interest.table)) == (
        "metrics/binance/um_perp/DOGEUSDT/4h/binance_rest",
        168,
    )


def test_liquidations_written_down(real_data: Path) -> None:
    path = real_data / "raw/binance_force_order_csv/binance_bigliqs.csv"
    series = read_series(path)
    cells = lines(path)
    assert sum(len(rows.table) for rows in series.values()) == len(cells) == 702
    total: Counter[str] = Counter()
    for rows in series.values():
        total.update(defects(rows))
    bare = sum("USDC" not in row[0] for row in cells)
    # Two orders are stated in millions although the others are in units.
    assert total == {"mixed_symbol_spelling": bare, "missing_value": 702, "contradiction": 2}
    assert "liquidations/binance/um_future/ETHUSDT_250627/event/binance_capture" in series


def test_trades_of_two_writers(real_data: Path) -> None:
    path = real_data / "raw/binance_force_order_csv/binance_trades_mixed_time_format.csv"
    cells = lines(path)
    clocks = sum(":" in row[5] for row in cells)
    trades = {(row[1], row[2]): int(row[5]) for row in cells if ":" not in row[5]}
    series = read_series(path, market="um_perp")
    assert sum(len(rows.table) for rows in series.values()) == len(trades) == len(cells) - clocks
    total: Counter[str] = Counter()
    for rows in series.values():
        total.update(defects(rows))
        times = [
            trades[rows.key.symbol, str(number)] for number in rows.table["trade_id"].to_pylist()
        ]
        assert [time // 1_000_000 for time in rows.time_ns().tolist()] == times
    assert (
        total["mixed_time_format"] == total["missing_time"] == total["duplicate"] == clocks == 606
    )


@pytest.mark.parametrize(
    ("name", "both"), [("Binance_BTCUSDT_1h.csv", 2649), ("Binance_BTCUSDT_d.csv", 1)]
)
def test_two_generations_in_one_download(real_data: Path, name: str, both: int) -> None:
    path = real_data / "raw/cryptodatadownload" / name
    cells = lines(path)[2:]
    old = [row for row in cells if "." in row[0]]
    milliseconds, seconds = read_series(path).values()
    assert len(milliseconds.table) == len(cells) - len(old) - 1
    disagreeing = [
        f.count for f in seconds.findings if f.action == "dropped" and f.defect == "contradiction"
    ]
    assert len(seconds.table) == len(old) - 1 - sum(disagreeing)
    for rows in (milliseconds, seconds):
        assert any(f"{both} times stand in both generations" in f.message for f in rows.findings)
        assert "mixed_time_unit" in defects(rows)
    assert defects(seconds)["missing_value"] == len(old)


def test_the_download_of_futures(real_data: Path) -> None:
    path = real_data / "raw/cryptodatadownload/BTCUSDT_Binance_futures_data_hour.csv"
    rows = read_one(path)
    assert str(rows.key) == "ohlcv/binance/um_perp/BTCUSDT/1h/cryptodatadownload"
    assert len(rows.table) == len(lines(path)) - 2 - 1
