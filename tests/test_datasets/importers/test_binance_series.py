"""Funding, metrics, liquidations and depth of the Binance archive."""

from pathlib import Path

import pytest

from tests.test_datasets.importers.binance_samples import (
    DEPTH_HEADER,
    FUNDING_HEADER,
    LIQUIDATIONS_HEADER,
    METRICS_HEADER,
    csv_bytes,
    depth_cells,
    funding_cells,
    liquidation_cells,
    metrics_cells,
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
from tests.test_datasets.sample_files import HOUR_MS, HOUR_NS, START_MS, START_NS

FUNDING = "BTCUSDT-fundingRate-2021-01.csv"
METRICS = "BTCUSDT-metrics-2021-01-01.csv"
LIQUIDATIONS = "BTCUSDT-liquidationSnapshot-2021-01-01.csv"
DEPTH = "BTCUSDT-bookDepth-2021-01-01.csv"


def test_funding_is_put_on_its_settlement(tmp_path: Path) -> None:
    cells = funding_cells(20)
    rows = read_one(write(tmp_path / FUNDING, csv_bytes(cells, FUNDING_HEADER)))
    assert str(rows.key) == "funding/binance/um_perp/BTCUSDT/8h/binance_archive"
    assert rows.time_ns().tolist() == [START_NS + 8 * HOUR_NS * row for row in range(20)]
    assert rows.table["rate"].to_pylist() == [float(row[2]) for row in cells]
    assert rows.table["interval_hours"].to_pylist() == [8.0] * 20
    assert defects(rows) == {"late_stamp": 15}
    assert "up to 3 ms late" in finding(rows, "late_stamp").message


def test_funding_far_from_a_full_hour_refuses(tmp_path: Path) -> None:
    cells = funding_cells(20)
    cells[4][0] = str(START_MS + 32 * HOUR_MS + 2001)
    path = write(tmp_path / FUNDING, csv_bytes(cells, FUNDING_HEADER))
    assert refused_as(path)[0] == "off_grid"


def test_coin_margined_and_dated_markets_follow_from_the_symbol(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSD_PERP-fundingRate-2021-01.csv"
    rows = read_one(write(path, csv_bytes(funding_cells(20), FUNDING_HEADER)))
    assert rows.key.market == "cm_perp"
    path = tmp_path / "ETHBTC-fundingRate-2021-01.csv"
    write(path, csv_bytes(funding_cells(20), FUNDING_HEADER))
    assert "does not say the market" in str(refusal(path))


def test_metrics_and_their_empty_cells(tmp_path: Path) -> None:
    cells = metrics_cells(10)
    cells[2][4] = cells[5][7] = ""
    cells[7][2:] = [""] * 6
    rows = read_one(write(tmp_path / METRICS, csv_bytes(cells, METRICS_HEADER)))
    assert str(rows.key) == "metrics/binance/um_perp/BTCUSDT/5m/binance_archive"
    assert rows.time_ns()[0] == START_NS + 300_000_000_000
    assert len(rows.table) == 9
    assert rows.table["count_toptrader_long_short_ratio"].null_count == 1
    assert rows.table["sum_open_interest"].to_pylist()[0] == 5000.123
    messages = [found.message for found in rows.findings]
    assert messages == [
        "1 of 10 rows kept: count_toptrader_long_short_ratio is empty",
        "1 of 10 rows kept: sum_taker_long_short_vol_ratio is empty",
        "1 of 10 rows dropped: no column has a value",
    ]
    assert defects(rows) == {"missing_value": 3}


def test_metrics_of_several_symbols_are_several_series(tmp_path: Path) -> None:
    data = csv_bytes([*metrics_cells(5), *metrics_cells(5, "ETHUSDT")], METRICS_HEADER)
    path = write(tmp_path / "metrics.csv", data)
    assert [key.split("/")[3] for key in read_series(path)] == ["BTCUSDT", "ETHUSDT"]
    assert read_one(path, symbol="ETHUSDT").key.symbol == "ETHUSDT"
    assert "holds no symbol=XRPUSDT" in str(refusal(path, symbol="XRPUSDT"))


def test_coin_margined_open_interest_is_the_base_value(tmp_path: Path) -> None:
    data = csv_bytes(metrics_cells(5, "BTCUSD_PERP"), METRICS_HEADER)
    rows = read_one(write(tmp_path / "BTCUSD_PERP-metrics-2021-01-01.csv", data))
    assert rows.table["sum_open_interest"].to_pylist()[0] == 9e7
    assert rows.table["sum_open_interest_value"].null_count == 5
    assert defects(rows) == {"incomparable_unit": 5}


@pytest.mark.parametrize(
    "cell",
    [
        "2021-02-30 00:05:00",
        "9021-01-01 00:05:00",
        "0021-01-01 00:05:00",
        "2021-01-01",
        "1609459500000",
        "x",
    ],
)
def test_metrics_with_other_times_are_refused(tmp_path: Path, cell: str) -> None:
    cells = metrics_cells(5)
    cells[2][0] = cell
    path = write(tmp_path / METRICS, csv_bytes(cells, METRICS_HEADER))
    assert f"line 4: create_time={cell!r} is not a time" in str(refusal(path))


def test_metrics_without_any_value_are_refused(tmp_path: Path) -> None:
    cells = [[*row[:2], *[""] * 6] for row in metrics_cells(3)]
    path = write(tmp_path / METRICS, csv_bytes(cells, METRICS_HEADER))
    assert refused_as(path)[0] == "missing_value"


def test_liquidations_stand_twice_in_the_archive_and_once_here(tmp_path: Path) -> None:
    cells = liquidation_cells(6)
    doubled = [row for row in cells for _ in range(2)]
    rows = read_one(write(tmp_path / LIQUIDATIONS, csv_bytes(doubled, LIQUIDATIONS_HEADER)))
    assert str(rows.key) == "liquidations/binance/um_perp/BTCUSDT/event/binance_archive"
    assert defects(rows) == {"duplicate": 6}
    assert rows.table["sequence"].to_pylist() == [0, 1, 0, 1, 0, 1]
    assert rows.table["side"].to_pylist() == ["buy", "sell"] * 3
    assert rows.table["price"].to_pylist() == [float(row[6]) for row in cells]
    assert rows.table["notional"].to_pylist() == [float(r[6]) * float(r[9]) for r in cells]


def test_liquidations_count_what_was_filled(tmp_path: Path) -> None:
    cells = liquidation_cells(6)
    cells[1][9] = "0.25"
    cells[2][6] = "0"
    cells[3][9] = "0"
    rows = read_one(write(tmp_path / LIQUIDATIONS, csv_bytes(cells, LIQUIDATIONS_HEADER)))
    assert rows.table["quantity"].to_pylist()[1] == 0.25
    assert rows.table["price"].to_pylist()[2] == float(cells[2][5])
    assert defects(rows) == {"missing_value": 1}
    cells[0][1] = "HOLD"
    path = write(tmp_path / LIQUIDATIONS, csv_bytes(cells, LIQUIDATIONS_HEADER))
    assert "line 2: side='hold'" in str(refusal(path))


def test_depth_has_ten_rows_per_snapshot(tmp_path: Path) -> None:
    cells = depth_cells(4)
    rows = read_one(write(tmp_path / DEPTH, csv_bytes(cells, DEPTH_HEADER)))
    assert str(rows.key) == "book_depth/binance/um_perp/BTCUSDT/event/binance_archive"
    assert rows.table["percentage"].to_pylist()[:3] == [-5.0, -4.0, -3.0]
    assert rows.table["depth"].to_pylist() == [float(row[2]) for row in cells]
    assert rows.findings == ()


@pytest.mark.parametrize(
    ("name", "cells", "header"),
    [
        (
            "BTCUSD_PERP-liquidationSnapshot-2021-01-01.csv",
            liquidation_cells(4),
            LIQUIDATIONS_HEADER,
        ),
        ("BTCUSD_PERP-bookDepth-2021-01-01.csv", depth_cells(2), DEPTH_HEADER),
    ],
)
def test_quantities_in_contracts_are_refused(
    tmp_path: Path, name: str, cells: list[list[str]], header: str
) -> None:
    defect, message = refused_as(write(tmp_path / name, csv_bytes(cells, header)))
    assert defect == "incomparable_unit"
    assert "contracts" in message
