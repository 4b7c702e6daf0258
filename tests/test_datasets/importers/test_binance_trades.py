"""Trades and aggregated trades of the Binance archive."""

from pathlib import Path

import pytest

from tests.test_datasets.importers.binance_samples import (
    AGG_TRADES_HEADER,
    TRADES_HEADER,
    agg_trade_cells,
    csv_bytes,
    trade_cells,
)
from tests.test_datasets.importers.reading import defects, read_one, refusal, refused_as, write
from tests.test_datasets.sample_files import START_NS


@pytest.mark.parametrize("header", [(), (AGG_TRADES_HEADER,)])
@pytest.mark.parametrize("unit", [1, 1000])
def test_aggregated_trades(tmp_path: Path, header: tuple[str, ...], unit: int) -> None:
    cells = agg_trade_cells(10, unit=unit)
    market, suffix = ("um_perp", "um") if unit == 1 else ("spot", "spot")
    path = tmp_path / f"BTCUSDT-aggTrades-2021-01-01_{suffix}.csv"
    rows = read_one(write(path, csv_bytes(cells, *header)))
    assert str(rows.key) == f"trades/binance/{market}/BTCUSDT/event/binance_archive"
    assert rows.table["trade_id"].to_pylist() == [int(row[0]) for row in cells]
    assert rows.table["price"].to_pylist() == [float(row[1]) for row in cells]
    assert rows.table["quantity"].to_pylist() == [float(row[2]) for row in cells]
    assert rows.table["is_buyer_maker"].to_pylist() == [row[6] == "True" for row in cells]
    assert rows.time_ns().tolist() == [START_NS + 700_000_000 * (row // 2) for row in range(10)]
    assert rows.findings == ()


def test_spot_files_have_one_column_more(tmp_path: Path) -> None:
    aggregated = write(
        tmp_path / "spot/BTCUSDT-aggTrades-2021-01.csv", csv_bytes(agg_trade_cells(10, spot=True))
    )
    assert str(read_one(aggregated).key) == "trades/binance/spot/BTCUSDT/event/binance_archive"
    single = write(
        tmp_path / "spot/BTCUSDT-trades-2021-01.csv", csv_bytes(trade_cells(10, spot=True))
    )
    assert str(read_one(single).key) == "trades/binance/spot/BTCUSDT/event/binance_archive_trades"


@pytest.mark.parametrize("header", [(), (TRADES_HEADER,)])
def test_single_trades_are_a_source_of_their_own(tmp_path: Path, header: tuple[str, ...]) -> None:
    cells = trade_cells(10)
    path = tmp_path / "futures/um/BTCUSDT-trades-2021-01-01.csv"
    rows = read_one(write(path, csv_bytes(cells, *header)))
    assert str(rows.key) == "trades/binance/um_perp/BTCUSDT/event/binance_archive_trades"
    assert rows.table["quantity"].to_pylist() == [float(row[2]) for row in cells]


def test_coin_margined_quantities_are_base_quantities_or_refused(tmp_path: Path) -> None:
    cells = trade_cells(10)
    rows = read_one(write(tmp_path / "BTCUSD_PERP-trades-2021-01-01.csv", csv_bytes(cells)))
    assert rows.table["quantity"].to_pylist() == [float(row[3]) for row in cells]
    assert defects(rows) == {"incomparable_unit": 10}
    path = write(tmp_path / "BTCUSD_PERP-aggTrades-2021-01-01.csv", csv_bytes(agg_trade_cells(10)))
    assert refused_as(path)[0] == "incomparable_unit"


def test_aggregates_without_trades_are_left_out(tmp_path: Path) -> None:
    cells = agg_trade_cells(10)
    cells[3][1:5] = ["0.0", "0.0", "-1", "-1"]
    rows = read_one(write(tmp_path / "BTCUSDT-aggTrades-2021_um.csv", csv_bytes(cells)))
    assert defects(rows) == {"missing_value": 1}
    assert len(rows.table) == 9


def test_disorder_repetition_and_contradiction(tmp_path: Path) -> None:
    cells = agg_trade_cells(10)
    cells = [*cells[5:], *cells[:5], cells[7]]
    path = tmp_path / "BTCUSDT-aggTrades-2021_um.csv"
    rows = read_one(write(path, csv_bytes(cells)))
    assert rows.table["trade_id"].to_pylist() == list(range(5000, 5010))
    assert set(defects(rows)) == {"unsorted", "duplicate"}
    cells[-1] = [*cells[-1][:2], "99.0", *cells[-1][3:]]
    assert refused_as(write(path, csv_bytes(cells)))[0] == "contradiction"


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (1, "0", "line 4: price=0.0"),
        (2, "-1", "line 4: quantity=-1.0"),
        (5, "1609459200000000", "line 4: time=1609459200000000 is not in ms"),
        (6, "perhaps", "line 4: is_buyer_maker='perhaps' is neither true nor false"),
        (0, "12.5", "line 4: trade_id='12.5' is not a whole number"),
    ],
)
def test_broken_trades_are_refused_with_the_line(
    tmp_path: Path, column: int, cell: str, message: str
) -> None:
    cells = agg_trade_cells(10)
    cells[3][column] = cell
    assert message in str(refusal(write(tmp_path / "A-aggTrades-2021_um.csv", csv_bytes(cells))))


def test_the_market_of_trades_must_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-aggTrades-2021-01-01.csv", csv_bytes(agg_trade_cells(10)))
    assert "does not say the market" in str(refusal(path))
    assert read_one(path, market="um_perp").key.market == "um_perp"
