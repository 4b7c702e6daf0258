"""Daily series, lists of coins and value locked in tidy files."""

from pathlib import Path

import pytest

from datasets.findings import by_defect
from datasets.importers.files import read_file
from datasets.importers.report import Request
from datasets.importers.tidy.metric_series import METRICS
from tests.test_datasets.importers.fuzzing import rows_of
from tests.test_datasets.importers.test_tidy_bars import defects, refusal, taken
from tests.test_datasets.importers.tidy_samples import (
    DAY,
    SAMPLES,
    START_MS,
    changed,
    parquet_bytes,
)

DAY_NS = DAY * 1_000_000


def test_metrics_go_to_their_kinds(tmp_path: Path) -> None:
    keys = [str(rows.key) for rows in taken("onchain_series", tmp_path)]
    assert keys == [
        "exchange_reserves/unstated/exchanges/BTC/1d/onchain_series",
        "onchain/unstated/coins/btc_funding_fee/1d/onchain_series",
        "onchain/unstated/network/btc_sopr_ratio/1d/onchain_series",
    ]
    keys = [str(rows.key) for rows in taken("social_series", tmp_path, venue="lunar")]
    assert keys == [
        "social/lunar/social/btc_postscreated/1d/social_series",
        "etf/lunar/etf/GBTC/1d/social_series",
        "onchain/lunar/coins/total3/1d/social_series",
    ]


def test_units_and_vendors_that_are_not_stated(tmp_path: Path) -> None:
    series = taken("onchain_series", tmp_path)
    assert defects(series) == {"unstated_unit": 4, "unstated_venue": 12}
    assert defects(taken("onchain_series", tmp_path, venue="cryptoquant")) == {"unstated_unit": 4}


def test_days_without_a_value(tmp_path: Path) -> None:
    rows = changed(SAMPLES["social_series"].rows, 1, value=None)
    rows = changed(rows, 5, value=None)
    assert defects(taken("social_series", tmp_path, rows, venue="v")) == {
        "missing_value": 1,
        "no_session": 1,
    }


def test_unknown_metrics_and_choices(tmp_path: Path) -> None:
    rows = changed(SAMPLES["social_series"].rows, 5, metric="btc_mood")
    assert "row 5: metric='btc_mood' is unknown" in refusal("social_series", tmp_path, rows)
    (one,) = taken("social_series", tmp_path, kind="etf")
    assert one.key.symbol == "GBTC"
    assert "no rows for XRP" in refusal("social_series", tmp_path, symbol="XRP")


def test_every_metric_has_a_column_of_its_kind() -> None:
    from datasets import KINDS, MARKETS

    for metric in METRICS.values():
        assert metric.column in {column.name for column in KINDS[metric.kind].columns}
        assert metric.market in MARKETS


def test_the_index_of_mood_and_volatility(tmp_path: Path) -> None:
    (mood,) = taken("fear_greed_daily", tmp_path)
    assert str(mood.key) == "fear_greed/unstated/sentiment/crypto/1d/fear_greed_daily"
    assert mood.table["value"].to_pylist() == [20.0, 21.0, 22.0, 23.0]
    (fear,) = taken("dvol_daily", tmp_path)
    assert str(fear.key) == "implied_volatility/deribit/index/BTC/1d/dvol_daily"
    (first, *_) = rows_of(fear.table, with_availability=True)
    assert first["available_at"] == first["event_time"] + DAY_NS


def test_an_exchange_rate_has_weekends_and_contradictions(tmp_path: Path) -> None:
    rows = changed(SAMPLES["fx_daily"].rows, 1, close=1200.0)
    (rate,) = taken("fx_daily", tmp_path, rows)
    assert str(rate.key) == "fx/unstated/fx/USDKRW/1d/fx_daily"
    assert by_defect(rate.findings) == {
        "ohlc_contradiction": 1,
        "unstated_venue": 4,
        "no_session": 2,
    }
    assert len(rate.places) == 4
    assert "2 days between the first and the last have no row, 2 of them" in str(rate.findings)
    # Friday's close is known on Monday.
    assert rows_of(rate.table, with_availability=True)[0]["available_at"] == (
        START_MS * 1_000_000 + 3 * DAY_NS
    )


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("usdkrw_daily", "USDKRW"), ("EUR_USD-1d", "EURUSD"), ("usdkrwx", None), ("rates", None)],
)
def test_the_currencies_come_from_the_name_or_the_caller(
    tmp_path: Path, name: str, symbol: str | None
) -> None:
    path = tmp_path / f"{name}.parquet"
    path.write_bytes(parquet_bytes(SAMPLES["fx_daily"].rows))
    request = Request() if symbol else Request(symbol="USDJPY")
    _, (rate,) = read_file(path, request)
    assert rate.key.symbol == (symbol or "USDJPY")


def test_a_premium_says_how_far_its_inputs_are_off(tmp_path: Path) -> None:
    (premium,) = taken("kimchi_premium", tmp_path)
    assert str(premium.key) == "krw_premium/upbit/spot/KRW-BTC/1d/kimchi_premium"
    assert by_defect(premium.findings) == {"derived_value": 4, "no_session": 2}
    # 44,000,000 / 1100 / 39,000 - 1 is 0.0256410…
    assert "differ by up to 0.0000" in str(premium.findings)
    rows = changed(SAMPLES["kimchi_premium"].rows, 0, kimchi_premium=0.0156410)
    (premium,) = taken("kimchi_premium", tmp_path, rows)
    assert "differ by up to 0.0100" in str(premium.findings)


def test_market_caps_of_all_coins_are_one_list(tmp_path: Path) -> None:
    (listing,) = taken("market_caps", tmp_path)
    assert str(listing.key) == "universe/unstated/coins/all/event/market_caps"
    assert listing.table["asset"].to_pylist() == ["BTC", "ETH"] * 3
    assert by_defect(listing.findings) == {"derived_value": 6, "unstated_venue": 6}
    # The list of a day is known at noon of the next one.
    (first, *_) = rows_of(listing.table, with_availability=True)
    assert first["available_at"] == first["event_time"] + 36 * 3_600_000_000_000


def test_one_ticker_of_two_coins(tmp_path: Path) -> None:
    rows = changed(SAMPLES["market_cap_snapshots"].rows, 2, symbol="BNX")
    (listing,) = taken("market_cap_snapshots", tmp_path, rows)
    twice, renamed = listing.findings
    assert (twice.defect, twice.action, twice.count) == ("symbol_not_unique", "kept", 2)
    assert "1 tickers have several names over time" in renamed.message
    assert len(listing.places) == 6


def test_zeros_before_a_series_begins(tmp_path: Path) -> None:
    maker, total = taken("defi_tvl", tmp_path)
    assert (maker.key.market, total.key.market) == ("protocol", "total")
    assert total.table["tvl_usd"].to_pylist() == [1000.0, 2000.0, 3000.0]
    assert defects([maker, total]) == {"leading_zeros": 2, "unstated_venue": 6}
    rows = changed(SAMPLES["defi_tvl"].rows, 2, tvlusd=0)
    (total,) = taken("defi_tvl", tmp_path, rows, market="total")
    assert total.table["tvl_usd"].to_pylist() == [1000.0, 0.0, 3000.0]
    rows = [{**row, "tvlusd": 0} for row in rows]
    assert "leaves no row" in refusal("defi_tvl", tmp_path, rows)


def test_a_snapshot_of_protocols(tmp_path: Path) -> None:
    odd, lending, exchange = taken("protocol_tvl", tmp_path)
    assert [rows.key.symbol for rows in (odd, lending, exchange)] == ["a-_-b", "aave-v3", "big-cex"]
    assert by_defect(lending.findings) == {"single_snapshot": 1}
    assert by_defect(exchange.findings) == {
        "missing_value": 1,
        "incomparable_unit": 1,
        "single_snapshot": 1,
    }
    assert by_defect(odd.findings)["mixed_symbol_spelling"] == 1
    (row,) = rows_of(lending.table, with_availability=True)
    assert row["available_at"] > row["event_time"] == START_MS * 1_000_000 + 4_559_405 * 1_000_000
