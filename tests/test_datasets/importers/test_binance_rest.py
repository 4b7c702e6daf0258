"""REST answers of Binance saved as CSV."""

from pathlib import Path

import pytest

from tests.test_datasets.importers.binance_samples import (
    REST_CANDLES_HEADER,
    REST_FUNDING_HEADER,
    REST_OPEN_INTEREST_HEADER,
    csv_bytes,
    rest_candle_cells,
    rest_funding_cells,
    rest_open_interest_cells,
)
from tests.test_datasets.importers.reading import (
    defects,
    read_one,
    read_series,
    refusal,
    refused_as,
    write,
)
from tests.test_datasets.sample_files import HOUR_NS, START_NS

CANDLES = csv_bytes(rest_candle_cells(30), REST_CANDLES_HEADER)
FUNDING = csv_bytes(rest_funding_cells(20), REST_FUNDING_HEADER)
OPEN_INTEREST = csv_bytes(rest_open_interest_cells(20), REST_OPEN_INTEREST_HEADER)


def test_candles_lose_the_last_bar_which_may_have_been_open(tmp_path: Path) -> None:
    rows = read_one(write(tmp_path / "binance/DOGEUSDT_1h.csv", CANDLES), market="um_perp")
    assert str(rows.key) == "ohlcv/binance/um_perp/DOGEUSDT/1h/binance_rest"
    assert len(rows.table) == 29
    assert defects(rows) == {"incomplete_last_bar": 1}
    assert rows.table["taker_buy_volume"].null_count == 29
    assert rows.table["trades"].to_pylist() == [int(row[7]) for row in rest_candle_cells(30)[:29]]


def test_candles_must_say_symbol_step_and_market(tmp_path: Path) -> None:
    path = write(tmp_path / "binance/bars.csv", CANDLES)
    assert "does not say the symbol" in str(refusal(path, market="spot"))
    rows = read_one(path, market="spot", symbol="X", timeframe="1h")
    assert str(rows.key) == "ohlcv/binance/spot/X/1h/binance_rest"
    named = write(tmp_path / "binance/DOGEUSDT_1h.csv", CANDLES)
    assert "does not say the market" in str(refusal(named))


def test_funding(tmp_path: Path) -> None:
    rows = read_one(write(tmp_path / "binance/funding.csv", FUNDING))
    assert str(rows.key) == "funding/binance/um_perp/DOGEUSDT/8h/binance_rest"
    assert rows.time_ns().tolist() == [START_NS + 8 * HOUR_NS * row for row in range(20)]
    assert rows.table["rate"].to_pylist() == [float(row[2]) for row in rest_funding_cells(20)]
    assert rows.table["interval_hours"].null_count == 20
    assert defects(rows) == {"late_stamp": 15}


def test_open_interest_has_the_step_of_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "binance/oi.csv", OPEN_INTEREST)
    rows = read_one(path)
    assert str(rows.key) == "metrics/binance/um_perp/DOGEUSDT/4h/binance_rest"
    assert rows.table["sum_open_interest"].to_pylist() == [1000.0 + row for row in range(20)]
    assert rows.table["count_long_short_ratio"].null_count == 20
    assert read_one(path, timeframe="1h").key.step == "1h"
    one = csv_bytes(rest_open_interest_cells(1), REST_OPEN_INTEREST_HEADER)
    assert "give it with --timeframe" in str(refusal(write(tmp_path / "binance/one.csv", one)))


def test_several_symbols_are_several_series(tmp_path: Path) -> None:
    cells = [*rest_funding_cells(5), *rest_funding_cells(5, "BTCUSDT")]
    path = write(tmp_path / "binance/all.csv", csv_bytes(cells, REST_FUNDING_HEADER))
    assert [key.split("/")[3] for key in read_series(path)] == ["BTCUSDT", "DOGEUSDT"]


@pytest.mark.parametrize("data", [CANDLES, FUNDING, OPEN_INTEREST])
def test_columns_of_any_venue_need_a_venue(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path / "a/b/c/DOGEUSDT_1h.csv", data)
    assert refused_as(path, market="um_perp")[0] == "unstated_venue"
    assert read_one(path, venue="bybit", market="linear_perp").key.venue == "bybit"
