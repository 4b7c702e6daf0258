"""Bars, dated futures and book means in tidy files: what is kept, dropped and refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datasets.findings import RefusedFileError, by_defect
from datasets.importers.files import read_file
from datasets.importers.report import Request
from datasets.importers.rows import SourceRows
from engine import DataError
from tests.test_datasets.importers.tidy_samples import (
    DAY,
    HOUR,
    SAMPLES,
    START_MS,
    Row,
    bar,
    changed,
    parquet_bytes,
)


def taken(
    name: str, folder: Path, rows: Sequence[Row] | None = None, **asked: Any
) -> list[SourceRows]:
    sample = SAMPLES[name]
    request = Request(**asked) if asked else sample.request
    return read_file(sample.write(folder, rows), request)[1]


def refusal(name: str, folder: Path, rows: Sequence[Row] | None = None, **asked: Any) -> str:
    with pytest.raises(DataError) as caught:
        taken(name, folder, rows, **asked)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def defects(series: Sequence[SourceRows]) -> dict[str, int]:
    return by_defect(finding for rows in series for finding in rows.findings)


def bars_until(ends: dict[str, int], step: int = HOUR) -> list[Row]:
    """Bars of several symbols from the start; ``ends`` says how many each has."""
    return [
        {"symbol": symbol, "open_time": START_MS + step * row, **bar(row)}
        for symbol, count in ends.items()
        for row in range(count)
    ]


def last_hours(series: Sequence[SourceRows]) -> dict[str, int]:
    hour_ns = HOUR * 1_000_000
    return {
        rows.key.symbol: int(rows.time_ns()[-1] // hour_ns - START_MS // HOUR) for rows in series
    }


def test_the_last_bar_goes_where_a_series_was_still_running(tmp_path: Path) -> None:
    ends = {"LIVE": 50, "ALSO": 49, "DAY": 26, "GONE": 25}
    series = taken("ohlcv_bars", tmp_path, bars_until(ends))
    # The newest bar opens at hour 49: 24 hours before it is hour 25.
    assert last_hours(series) == {"LIVE": 48, "ALSO": 47, "DAY": 24, "GONE": 24}
    assert [rows.key.symbol for rows in series if rows.findings] == ["ALSO", "DAY", "LIVE"]
    (finding,) = series[-1].findings
    assert (finding.defect, finding.action, finding.count) == ("incomplete_last_bar", "dropped", 1)
    assert finding.lines == ("row 49 (2021-01-03 01:00)",)


def test_choosing_a_symbol_does_not_change_what_is_dropped(tmp_path: Path) -> None:
    rows = bars_until({"LIVE": 50, "GONE": 20})
    (gone,) = taken("ohlcv_bars", tmp_path, rows, symbol="GONE")
    assert (len(gone.places), gone.findings) == (20, ())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("binance_spot_x.parquet", "binance/spot"),
        ("BINANCE_SPOT_x.parquet", "binance/spot"),
        ("binance_um_perp_x.parquet", "binance/um_perp"),
        ("binance_um_x.parquet", "binance/um_perp"),
        ("upbit_krw_btc.parquet", "upbit/spot"),
        ("bybit_linear_perp_x.parquet", "bybit/linear_perp"),
        ("binance_spotty.parquet", "market"),
        ("binance.parquet", "venue"),
        ("my_spot_bars.parquet", "venue"),
        ("btc_perp_1m.parquet", "venue"),
    ],
)
def test_only_a_name_of_the_documented_form_says_venue_and_market(
    tmp_path: Path, name: str, key: str
) -> None:
    path = tmp_path / name
    path.write_bytes(parquet_bytes(SAMPLES["ohlcv_bars"].rows))
    if "/" in key:
        _, series = read_file(path, Request())
        assert {f"{rows.key.venue}/{rows.key.market}" for rows in series} == {key}
        return
    with pytest.raises(RefusedFileError, match=f"says the {key}; give --{key}"):
        read_file(path, Request())


def test_options_win_over_the_name(tmp_path: Path) -> None:
    series = taken("ohlcv_bars", tmp_path, venue="okx", market="spot", source="mine")
    assert str(series[0].key) == "ohlcv/okx/spot/BTCUSDT/15m/mine"
    assert defects(series) == {
        "incomplete_last_bar": 2,
        "unstated_unit": 22,
        "name_contradiction": 22,
    }
    said = [found.message for found in series[0].findings if found.defect == "name_contradiction"]
    assert "says venue=binance, market=um_perp" in said[0]


def test_a_flat_start_and_contradictions(tmp_path: Path) -> None:
    rows = [dict(row) for row in SAMPLES["spot_and_perp"].rows]
    for row in rows:
        row["open_time"] += HOUR
    for row in (0, 1):
        rows[row] |= dict.fromkeys(("open", "high", "low", "close"), 10_000.0)
    traded = [dict(row) for row in rows]
    for row in (0, 1):
        rows[row]["volume"] = 0.0
    assert "flat_start" not in defects(taken("spot_and_perp", tmp_path, traded))
    assert defects(taken("spot_and_perp", tmp_path, rows)) == {
        "flat_start": 2,
        "incomplete_last_bar": 2,
    }
    rows.append({**rows[3], "close": 101.5})
    assert "stands twice with different values: close is" in refusal(
        "spot_and_perp", tmp_path, rows
    )


def test_repeated_and_unsorted_rows_are_found(tmp_path: Path) -> None:
    rows = [dict(row) for row in SAMPLES["ohlcv_bars"].rows]
    rows[2], rows[3] = rows[3], rows[2]
    rows.insert(6, dict(rows[5]))
    series = taken("ohlcv_bars", tmp_path, rows)
    assert defects(series) == {"duplicate": 1, "unsorted": 1, "incomplete_last_bar": 2}


def test_a_perpetual_of_another_venue_is_not_guessed(tmp_path: Path) -> None:
    assert "does not say how a perpetual of okx" in refusal("spot_and_perp", tmp_path, venue="okx")
    assert "'cm_perp' is not in this file" in refusal("spot_and_perp", tmp_path, market="cm_perp")
    assert "its symbols are BTCUSDT, ETHUSDT" in refusal("klines12", tmp_path, symbol="XRP")


def test_klines_of_the_archive_keep_their_last_bar(tmp_path: Path) -> None:
    series = taken("klines12", tmp_path)
    assert [len(rows.places) for rows in series] == [12, 12]
    assert defects(series) == {}


def test_dashes_of_coinbase(tmp_path: Path) -> None:
    series = taken("daily_bars", tmp_path)
    assert [rows.key.symbol for rows in series] == ["BTC-USD", "ETH-USD"]
    for spelling in ("ETH-USD", "ETH/USD"):
        (rows,) = taken("daily_bars", tmp_path, symbol=spelling)
        assert rows.key.symbol == "ETH-USD"
    assert "no rows for XRP-USD" in refusal("daily_bars", tmp_path, symbol="XRP-USD")


def future(days: int, quiet: int, expiry: int = 84) -> list[Row]:
    """A contract with ``days`` daily bars up to its expiry and ``quiet`` dead ones after it."""
    first = expiry - days + 1
    name = {"symbol": "BTCUSDT_210326", "expiry": START_MS + expiry * DAY}
    rows = [
        {**name, "open_time": START_MS + (first + n) * DAY, **bar(n)} for n in range(days + quiet)
    ]
    for row in rows[days:]:
        row |= {"open": 103.0, "high": 103.0, "low": 103.0, "close": 103.0, "volume": 0.0}
    return rows


def test_rows_after_the_expiry_are_dropped_and_the_day_of_expiry_kept(tmp_path: Path) -> None:
    (rows,) = taken("dated_futures_bars", tmp_path, future(days=12, quiet=3))
    assert len(rows.places) == 12
    assert by_defect(rows.findings) == {"after_expiry": 3}
    last = rows.table.slice(11).to_pylist()[0]
    assert str(last["open_time"]) == "2021-03-26 00:00:00"
    assert str(last["expiry"]) == "2021-03-26 08:00:00"
    assert str(rows.key) == "dated_futures/binance/um_future/BTCUSDT_210326/1d/dated_futures_bars"


def test_trading_after_the_expiry_refuses_the_file(tmp_path: Path) -> None:
    rows = future(days=12, quiet=3)
    rows[13]["volume"] = 1.0
    message = refusal("dated_futures_bars", tmp_path, rows)
    assert "row 13: BTCUSDT_210326 was traded at 2021-03-28 00:00, after its expiry" in message
    rows = changed(future(days=12, quiet=0), 5, expiry=START_MS + 200 * DAY)
    assert "has 2 expiries" in refusal("dated_futures_bars", tmp_path, rows)


def test_an_expiry_of_another_venue_keeps_its_day(tmp_path: Path) -> None:
    rows = future(days=12, quiet=2)
    (other,) = taken("dated_futures_bars", tmp_path, rows, venue="okx", market="linear_future")
    assert len(other.places) == 12
    assert {str(time) for time in other.table["expiry"].to_pylist()} == {"2021-03-26 00:00:00"}


def test_a_contract_that_runs_on_loses_its_last_bar(tmp_path: Path) -> None:
    (rows,) = taken("dated_futures_bars", tmp_path)
    assert by_defect(rows.findings) == {"incomplete_last_bar": 1}


def test_volumes_of_several_venues_are_not_compared(tmp_path: Path) -> None:
    series = taken("multi_venue_bars", tmp_path)
    assert [f"{rows.key.venue}/{rows.key.market}/{rows.key.symbol}" for rows in series] == [
        "binance/um_perp/BTC",
        "dydx/linear_perp/BTC",
    ]
    assert defects(series) == {"incomplete_last_bar": 2, "incomparable_unit": 6}
    (one,) = taken("multi_venue_bars", tmp_path, venue="dydx")
    assert one.key.venue == "dydx"
    assert "nothing in it is of market=spot" in refusal("multi_venue_bars", tmp_path, market="spot")
    rows = changed(SAMPLES["multi_venue_bars"].rows, 0, venue="nowhere")
    assert "row 0: venue='nowhere' is unknown" in refusal("multi_venue_bars", tmp_path, rows)


def test_book_means_need_a_venue(tmp_path: Path) -> None:
    message = refusal("book_spread_slippage", tmp_path, market="spot")
    assert "give --venue" in message
    series = taken("book_spread_slippage", tmp_path)
    assert defects(series) == {"incomplete_last_bar": 2, "unstated_unit": 6, "unstated_venue": 6}
    rows = changed(SAMPLES["book_spread_slippage"].rows, 2, time=START_MS + 2 * HOUR + 60_000)
    assert "row 2: 2021-01-01 02:01 is off the 1h grid" in refusal(
        "book_spread_slippage", tmp_path, rows
    )
