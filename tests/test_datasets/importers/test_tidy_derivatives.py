"""Funding, open interest, vintages, trades and liquidations in tidy files."""

from pathlib import Path

import pytest

from datasets.findings import by_defect
from datasets.importers.rows import SourceRows
from tests.test_datasets.importers.fuzzing import rows_of
from tests.test_datasets.importers.test_tidy_bars import defects, refusal, taken
from tests.test_datasets.importers.tidy_samples import (
    DAY,
    HOUR,
    SAMPLES,
    SECOND,
    START_MS,
    Row,
    changed,
)

START_NS = START_MS * 1_000_000


def stamps(rows: SourceRows, unit_ms: int = HOUR) -> list[float]:
    return [(time - START_NS) / (unit_ms * 1_000_000) for time in rows.time_ns().tolist()]


def known(rows: SourceRows, unit_ms: int = HOUR) -> list[float]:
    values = rows_of(rows.table, with_availability=True)
    return [(row["available_at"] - START_NS) / (unit_ms * 1_000_000) for row in values]


def funding(hours: list[int], symbol: str = "BTCUSDT", late_ms: int = 0) -> list[Row]:
    return [
        {"symbol": symbol, "funding_time": START_MS + HOUR * hour + late_ms, "funding_rate": 1e-4}
        for hour in hours
    ]


def test_the_step_of_funding_is_its_usual_interval(tmp_path: Path) -> None:
    rows = [
        *funding([0, 4, 8, 12, 24], "FOUR", late_ms=7),
        *funding([0, 8, 16, 24, 28], "MOSTLY"),
        *funding([0, 1, 2, 3], "ONE"),
        *funding([8], "SINGLE"),
    ]
    series = taken("funding_settlements", tmp_path, rows)
    assert [(one.key.symbol, one.key.step) for one in series] == [
        ("FOUR", "4h"),
        ("MOSTLY", "8h"),
        ("ONE", "1h"),
        ("SINGLE", "8h"),
    ]
    assert stamps(series[0]) == [0, 4, 8, 12, 24]
    assert defects(series) == {"late_stamp": 5}


def test_a_change_of_the_interval_is_noted_and_a_hole_is_none(tmp_path: Path) -> None:
    changing = [*range(0, 40, 8), *range(40, 60, 4), *range(60, 70)]
    (rows,) = taken("funding_settlements", tmp_path, funding(changing))
    assert by_defect(rows.findings) == {"interval_change": 2}
    assert "8 h to 4 h to 1 h" in rows.findings[0].message
    (rows,) = taken("funding_settlements", tmp_path, funding([0, 8, 16, 32, 40, 48]))
    assert rows.findings == ()


def test_mark_prices_that_are_missing_stay_empty(tmp_path: Path) -> None:
    series = taken("funding_history", tmp_path)
    assert [f"{one.key.venue}/{one.key.market}" for one in series] == [
        "binance/um_perp",
        "bybit/linear_perp",
    ]
    assert series[0].table["mark_price"].to_pylist() == [None, 90.0, None, 90.0]
    assert defects(series) == {"missing_value": 4}
    (one,) = taken("funding_history", tmp_path, venue="bybit")
    assert one.key.venue == "bybit"
    assert "nothing in it is from venue=okx" in refusal("funding_history", tmp_path, venue="okx")


def test_daily_bars_of_a_rate_are_no_funding(tmp_path: Path) -> None:
    message = refusal("coinalyze_funding", tmp_path)
    assert "would pay funding once a day instead of at every settlement" in message


def test_the_close_of_a_day_is_known_when_the_day_is_over(tmp_path: Path) -> None:
    inverse, linear = taken("coinalyze_open_interest", tmp_path)
    assert str(inverse.key) == (
        "metrics/coinalyze/inverse_perp/BTCUSD_PERP.A/1d/coinalyze_open_interest"
    )
    assert str(linear.key).startswith("metrics/coinalyze/linear_perp/FTM.H/")
    # The day of the newest row had not ended when the file was made.
    assert stamps(inverse, DAY) == [1.0, 2.0, 3.0]
    assert inverse.table["sum_open_interest_value"].to_pylist() == [2.0, 3.0, 4.0]
    assert all(moment >= day for moment, day in zip(known(inverse, DAY), (1, 2, 3), strict=True))
    assert by_defect(inverse.findings) == {
        "incomplete_last_bar": 1,
        "unstated_unit": 3,
        "unstated_venue": 3,
    }
    rows = [{**row, "coin_symbol": "USDT"} for row in SAMPLES["coinalyze_open_interest"].rows]
    assert defects(taken("coinalyze_open_interest", tmp_path, rows))["mixed_symbol_spelling"] == 6


def test_a_code_of_two_coins_is_refused(tmp_path: Path) -> None:
    rows = changed(SAMPLES["coinalyze_open_interest"].rows, 0, coin_symbol="ETH")
    message = refusal("coinalyze_open_interest", tmp_path, rows)
    assert "two series of the file would be the data set" in message


def test_a_single_snapshot_is_no_history(tmp_path: Path) -> None:
    rows = [
        *SAMPLES["multi_venue_open_interest"].rows,
        {"venue": "okx", "coin": "BTC", "time": START_MS + 1234, "oi_usd": 5.0},
    ]
    series = taken("multi_venue_open_interest", tmp_path, rows)
    assert [one.key.step for one in series] == ["1h", "1h", "1h"]
    assert [by_defect(one.findings) for one in series] == [{}, {}, {"single_snapshot": 1}]


def test_captures_are_known_when_they_were_captured(tmp_path: Path) -> None:
    (rows,) = taken("long_short_vintages", tmp_path)
    assert stamps(rows) == [float(hour) for hour in range(9)]
    assert known(rows) == [12.0] * 7 + [13.0, 14.0]
    (finding,) = rows.findings
    assert (finding.defect, finding.action, finding.count) == ("capture_time", "kept", 7)


def test_revisions_stay_beside_what_they_revise(tmp_path: Path) -> None:
    first = list(SAMPLES["taker_volume_vintages"].rows)
    later = START_MS + 30 * HOUR
    revised = {**first[3], "as_of": later, "taker_buy_volume": 6.0}
    confirmed = [{**row, "as_of": later} for row in first[4:6]]
    (rows,) = taken("taker_volume_vintages", tmp_path, [*first, revised, *confirmed])
    assert by_defect(rows.findings)["revision"] == 1
    ratios = [
        row["sum_taker_long_short_vol_ratio"]
        for row in rows_of(rows.table)
        if row["event_time"] == START_NS + 3 * HOUR * 1_000_000
    ]
    assert ratios == [5.0 / 4.0, 6.0 / 4.0]
    assert len(rows.places) == 12


def test_a_moment_without_sales_has_no_ratio(tmp_path: Path) -> None:
    rows = changed(SAMPLES["taker_volume_vintages"].rows, 2, taker_sell_volume=0.0)
    (one,) = taken("taker_volume_vintages", tmp_path, rows)
    assert (len(one.places), by_defect(one.findings)["missing_value"]) == (8, 1)


def test_two_values_in_usd_must_be_one(tmp_path: Path) -> None:
    rows = changed(SAMPLES["open_interest_vintages"].rows, 4, open_interest_usd=7.0)
    assert "row 4: open_interest_usd and open_interest_value_usd differ" in refusal(
        "open_interest_vintages", tmp_path, rows
    )
    assert "says the market; give --market" in refusal(
        "open_interest_vintages", tmp_path, venue="okx"
    )


def stream() -> list[Row]:
    """Trades of one symbol; two writers recorded numbers 3 and 4, the second without a trade time."""
    rows = [
        {
            "event_time": START_MS + 100 * number + 9,
            "symbol": "BTCUSDT",
            "agg_trade_id": number,
            "price": 100.0 + number,
            "quantity": 2.0,
            "trade_time": START_MS + 100 * number,
            "is_buyer_maker": number % 2 == 0,
        }
        for number in (1, 2, 3, 4, 6)
    ]
    copies = [{**row, "trade_time": None} for row in rows[2:4]]
    return [*rows[:3], copies[0], copies[1], rows[3], rows[4]]


def test_a_trade_stands_once_with_its_own_time(tmp_path: Path) -> None:
    rows = stream()
    rows[1], rows[2] = rows[2], rows[1]
    (one,) = taken("aggregated_trades", tmp_path, rows)
    assert one.table["trade_id"].to_pylist() == [1, 2, 3, 4, 6]
    assert stamps(one, 100) == [1.0, 2.0, 3.0, 4.0, 6.0]
    assert known(one, 1) == [109.0, 209.0, 309.0, 409.0, 609.0]
    assert by_defect(one.findings) == {
        "duplicate": 2,
        "unsorted": 1,
        "missing_time": 2,
        "sampled": 5,
    }
    assert "2 of them stand again" in one.findings[2].message


def test_a_trade_whose_time_nobody_recorded_is_dropped(tmp_path: Path) -> None:
    rows = stream()
    rows[0]["trade_time"] = None
    (one,) = taken("aggregated_trades", tmp_path, rows)
    assert one.table["trade_id"].to_pylist() == [2, 3, 4, 6]
    nobody = [{**row, "trade_time": None} for row in rows]
    assert "no row of BTCUSDT has a trade_time" in refusal("aggregated_trades", tmp_path, nobody)


def test_two_prices_of_one_trade_are_refused(tmp_path: Path) -> None:
    rows = changed(stream(), 3, price=1.0)
    message = refusal("aggregated_trades", tmp_path, rows)
    assert "trade 3 stands twice, price is 103.0" in message
    assert "1.0 here" in message


@pytest.mark.parametrize(
    ("side", "crossed", "taker_sold"),
    [("Ask", True, True), ("Bid", True, False), ("Ask", False, False), ("Bid", False, True)],
)
def test_the_side_of_the_taker(tmp_path: Path, side: str, crossed: bool, taker_sold: bool) -> None:
    rows = [{**SAMPLES["one_sided_trades"].rows[0], "side": side, "crossed": crossed}]
    (one,) = taken("one_sided_trades", tmp_path, rows)
    assert one.table["is_buyer_maker"].to_pylist() == [taker_sold]


def test_trades_of_one_second_keep_their_order_and_are_known_at_its_end(tmp_path: Path) -> None:
    rows = [*SAMPLES["one_sided_trades"].rows, SAMPLES["one_sided_trades"].rows[7]]
    (one,) = taken("one_sided_trades", tmp_path, rows)
    assert one.table["trade_id"].to_pylist() == [0, 1, 0, 1, 0, 1, 0, 1, 2]
    assert stamps(one, SECOND) == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert known(one, SECOND) == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert by_defect(one.findings) == {"sampled": 9, "tied_times": 5}
    assert "1 rows that equal another one" in one.findings[0].message
    finer = changed(rows, 0, time=START_MS + 1)
    assert known(taken("one_sided_trades", tmp_path, finer)[0], 1)[0] == 0.0
    wrong = changed(rows, 2, side="Buy")
    assert "row 2: side='Buy'" in refusal("one_sided_trades", tmp_path, wrong)


def test_orders_of_several_captures_stand_once(tmp_path: Path) -> None:
    rows = list(SAMPLES["liquidation_orders"].rows)
    again = [{**row, "capture": "b"} for row in rows]
    again[0]["usd_notional"] = rows[0]["usd_notional"] / 1e6
    lone = {**rows[1], "trade_time": START_MS + 999, "usd_notional": 1.0}
    future, perpetual, other = taken("liquidation_orders", tmp_path, [*rows, *again, lone])
    assert [one.key.market for one in (future, perpetual, other)] == [
        "um_future",
        "um_perp",
        "um_perp",
    ]
    assert [one.key.symbol for one in (future, perpetual, other)] == [
        "BTCUSDT_210326",
        "BTCUSDT",
        "ETHUSDC",
    ]
    assert perpetual.table["notional"].to_pylist() == [200.0, None, 303.0]
    assert perpetual.table["side"].to_pylist() == ["buy", "sell", "sell"]
    found = by_defect(perpetual.findings)
    assert (found["duplicate"], found["incomparable_unit"]) == (1, 2)
    assert (found["missing_value"], found["mixed_symbol_spelling"]) == (5, 3)
    assert "mixed_symbol_spelling" not in by_defect(other.findings)
    assert defects([future, perpetual, other])["duplicate"] == 4


def test_orders_of_one_moment_are_numbered(tmp_path: Path) -> None:
    rows = list(SAMPLES["liquidation_orders"].rows)
    (one,) = taken(
        "liquidation_orders",
        tmp_path,
        [*rows, {**rows[0], "price": 90.0, "usd_notional": 180.0}],
        market="um_perp",
        symbol="BTCUSDT",
    )
    assert one.table["sequence"].to_pylist() == [0, 1, 0]
    assert one.table["price"].to_pylist() == [100.0, 90.0, 101.0]


def test_a_coin_that_is_no_symbol_is_dropped_by_name(tmp_path: Path) -> None:
    rows = list(SAMPLES["liquidation_orders"].rows)
    series = taken("liquidation_orders", tmp_path, [*rows, {**rows[0], "coin": "Hello BotADA"}])
    (finding,) = [f for one in series for f in one.findings if f.subject == "Hello BotADA"]
    assert (finding.defect, finding.action, finding.count) == (
        "mixed_symbol_spelling",
        "dropped",
        1,
    )
    assert "says the market" in refusal("liquidation_orders", tmp_path, venue="binance")


def test_calls_of_aave_are_sales_of_collateral(tmp_path: Path) -> None:
    second, third = taken("aave_liquidations", tmp_path)
    assert str(second.key) == "liquidations/aave_v2/lending/WBTC/event/aave_liquidations"
    assert third.key.venue == "aave_v3"
    assert second.table["sequence"].to_pylist() == [0, 1, 0, 1]
    assert set(second.table["side"].to_pylist()) == {"sell"}
    assert second.table["price"].to_pylist()[1] == 1001.0 / 1.5
    assert by_defect(second.findings) == {"derived_value": 4, "tied_times": 2}
    rows = changed(SAMPLES["aave_liquidations"].rows, 1, collateral_asset_symbol="WETH")
    assert "row 1: collateral_asset_symbol='WETH'" in refusal("aave_liquidations", tmp_path, rows)


def test_sums_that_do_not_add_up_are_noted(tmp_path: Path) -> None:
    rows = changed(SAMPLES["liquidation_sums"].rows, 1, total_usd=99.0)
    series = taken("liquidation_sums", tmp_path, rows)
    assert defects(series) == {"incomplete_last_bar": 2, "derived_value": 1}
    assert series[0].table["liquidations"].to_pylist() == [0, 1, 2]
