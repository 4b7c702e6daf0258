"""Streams of Binance that somebody wrote down as CSV."""

from pathlib import Path

from tests.test_datasets.importers.binance_samples import (
    captured_trade_cells,
    csv_bytes,
    force_order_cells,
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
from tests.test_datasets.sample_files import START_NS

MS_NS = 1_000_000


def trades(tmp_path: Path, cells: list[list[str]]) -> Path:
    return write(tmp_path / "binance/trades.csv", csv_bytes(cells))


def test_force_orders_by_symbol_and_the_spelling_rule(tmp_path: Path) -> None:
    cells = force_order_cells(16)
    cells.append([*cells[0]])
    cells[3][0] = "BTCUSDT"
    cells[5][0] = "ETH_250627"
    series = read_series(write(tmp_path / "binance/liquidations.csv", csv_bytes(cells)))
    assert {
        key.split("/")[2] + " " + rows.key.symbol: len(rows.table) for key, rows in series.items()
    } == {
        "um_perp BTCUSDT": 8,
        "um_perp ETHUSDC": 3,
        "um_future ETHUSDT_250627": 1,
        "um_perp FLUXUSDT": 4,
    }
    bitcoin = series["liquidations/binance/um_perp/BTCUSDT/event/binance_capture"]
    assert defects(bitcoin)["mixed_symbol_spelling"] == 8
    assert defects(bitcoin)["duplicate"] == 1
    assert defects(bitcoin)["missing_value"] == 9
    assert "taken for the USDT contract" in finding(bitcoin, "mixed_symbol_spelling").message
    coin = series["liquidations/binance/um_perp/ETHUSDC/event/binance_capture"]
    assert "mixed_symbol_spelling" not in defects(coin)
    assert bitcoin.table["sequence"].to_pylist() == [0, 1, 2, 3] * 2
    assert bitcoin.table["notional"].to_pylist()[0] == float(cells[0][11])


def test_a_stated_notional_in_another_unit_is_found(tmp_path: Path) -> None:
    cells = force_order_cells(4)
    cells[1][11] = str(float(cells[1][11]) / 1e6)
    path = write(tmp_path / "binance/liquidations.csv", csv_bytes(cells))
    rows = read_one(path, symbol="ETHUSDC")
    assert defects(rows)["contradiction"] == 1
    assert rows.table["notional"].to_pylist() == [float(cells[1][4]) * float(cells[1][5])]


def test_contracts_in_other_units_and_unknown_venues_are_refused(tmp_path: Path) -> None:
    cells = force_order_cells(4)
    other = write(tmp_path / "a/b/c/liquidations.csv", csv_bytes(cells))
    assert refused_as(other)[0] == "unstated_venue"
    cells[0][0] = "BTCUSD_PERP"
    inverse = write(tmp_path / "binance/liquidations.csv", csv_bytes(cells))
    assert refused_as(inverse)[0] == "incomparable_unit"


def test_trades_are_known_when_the_exchange_sent_them(tmp_path: Path) -> None:
    rows = read_one(trades(tmp_path, captured_trade_cells(10)), market="um_perp", symbol="SOLUSDT")
    assert str(rows.key) == "trades/binance/um_perp/SOLUSDT/event/binance_capture"
    expected = [START_NS + 500 * MS_NS * row for row in range(1, 10, 2)]
    assert rows.time_ns().tolist() == expected
    known = rows.table["available_at"].cast("int64").to_pylist()
    assert [moment * 1000 for moment in known] == [time + 40 * MS_NS for time in expected]
    assert rows.findings == ()


def test_a_clock_instead_of_a_trade_time(tmp_path: Path) -> None:
    cells = captured_trade_cells(10)
    cells.insert(3, [*cells[2][:5], "15:40:27", cells[2][6]])
    cells[7][5] = "15:40:29"
    rows = read_one(trades(tmp_path, cells), market="um_perp", symbol="BTCUSDT")
    assert defects(rows) == {"mixed_time_format": 2, "missing_time": 2, "duplicate": 1}
    borrowed, sent = [f for f in rows.findings if f.defect == "missing_time"]
    assert "the stamp of another line of the same trade" in borrowed.message
    assert "the moment at which the exchange sent the message" in sent.message
    assert len(rows.table) == 5
    # The sixth trade has no stamp of its own: that of its message stands for it.
    assert rows.time_ns().tolist()[3] == START_NS + (500 * 6 + 40) * MS_NS


def test_a_clock_line_that_contradicts_its_twin_is_refused(tmp_path: Path) -> None:
    cells = captured_trade_cells(10)
    cells.insert(3, [*cells[2][:3], "99.5", cells[2][4], "15:40:27", cells[2][6]])
    assert refused_as(trades(tmp_path, cells), market="um_perp")[0] == "contradiction"


def test_other_times_and_flags_are_refused_with_the_line(tmp_path: Path) -> None:
    cells = captured_trade_cells(4)
    cells[2][5] = "yesterday"
    message = str(refusal(trades(tmp_path, cells), market="um_perp"))
    assert "line 3: trade_time='yesterday' is neither a stamp nor HH:MM:SS" in message
    cells = captured_trade_cells(4)
    cells[1][6] = "2"
    message = str(refusal(trades(tmp_path, cells), market="um_perp"))
    assert "line 2: is_buyer_maker='2' is neither true nor false" in message


def test_the_market_of_a_trade_stream_must_be_said(tmp_path: Path) -> None:
    assert "does not say the market" in str(refusal(trades(tmp_path, captured_trade_cells(4))))
