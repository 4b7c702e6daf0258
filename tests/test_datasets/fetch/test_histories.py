"""Real classes of ccxt against the local server: what is stored is the truth, row by row."""

import pytest

from datasets import DatasetKey, Store
from engine import DAY_NS, ConfigError
from tests.exchange_servers import ExchangeServer
from tests.exchange_servers.truth import DAY_MS, HOUR_MS
from tests.test_datasets.fetch.truth_tables import (
    MS_NS,
    NOW_MS,
    SPELLED,
    VENUES,
    expected,
    fetched,
    job,
    small_world,
    stored,
)

STEPS = {"ohlcv": "1h", "funding": "8h", "metrics": "1h", "trades": "event"}
OFFERED = [
    (exchange, market, kind)
    for exchange, market in SPELLED
    for kind in STEPS
    if (market != "spot" or kind in ("ohlcv", "trades")) and (exchange, kind) != ("bybit", "trades")
]


def key_of(exchange: str, market: str, kind: str) -> DatasetKey:
    return DatasetKey(kind, VENUES[exchange], market, "BTCUSDT", STEPS[kind], "api")


@pytest.mark.parametrize(("exchange", "market", "kind"), OFFERED)
def test_stored_rows_are_the_truth(store: Store, exchange: str, market: str, kind: str) -> None:
    days = 1 / 48 if kind == "trades" else 60
    world = small_world()
    with ExchangeServer(world) as server:
        (report,) = fetched(server, store, job(exchange, market, kind, days=days))
    assert report.error is None
    assert (report.status, report.key) == ("complete", key_of(exchange, market, kind))
    first_ms = NOW_MS - int(days * DAY_MS)
    if (exchange, kind) == ("binanceusdm", "metrics"):
        first_ms = NOW_MS - 30 * DAY_MS + HOUR_MS
        assert [finding.defect for finding in report.findings] == ["gap"]
        assert "has nothing before" in report.findings[0].message
    truth = expected(world, exchange, kind, first_ms)
    assert len(truth) > 200
    assert stored(store, report.key) == truth
    assert report.rows == report.added_rows == len(truth)
    assert store.verify() == ()


def test_a_listing_years_after_the_start_costs_few_requests(store: Store) -> None:
    world = small_world(listed_ms=NOW_MS - 8 * DAY_MS)
    with ExchangeServer(world) as server:
        for exchange, market in SPELLED:
            before = sum(server.requests.values())
            (report,) = fetched(
                server, store, job(exchange, market, "ohlcv", days=6 * 365, timeframe="5m")
            )
            assert stored(store, report.key) == expected(world, exchange, "ohlcv", 0, step="5m"), (
                exchange
            )
            # 631,000 steps before the listing would be 631 pages of a thousand, asked twice.
            limit = 100 if exchange == "okx" else 1000
            pages = 8 * 288 / limit
            assert sum(server.requests.values()) - before < 1.5 * pages + 60


def test_a_period_without_any_row_is_asked_once_and_remembered(store: Store) -> None:
    one = job("bybit", "linear_perp", "ohlcv", days=90, end_ns=(NOW_MS - 60 * DAY_MS) * MS_NS)
    with ExchangeServer(small_world()) as server:
        (report,) = fetched(server, store, one)
        assert (report.status, report.rows) == ("complete", 0)
        assert store.keys() == ()
        asked = server.requests["/v5/market/kline"]
        fetched(server, store, one)
        assert server.requests["/v5/market/kline"] == asked


def test_the_open_bar_is_left_out_by_the_clock_of_the_exchange(store: Store) -> None:
    # The server's present is years away from the clock of this machine.
    world = small_world(holes=())
    with ExchangeServer(world) as server:
        for exchange, market in SPELLED:
            (report,) = fetched(server, store, job(exchange, market, "ohlcv", days=1))
            last_ms = stored(store, report.key)[-1][0]
            assert last_ms == (NOW_MS - HOUR_MS) // HOUR_MS * HOUR_MS, exchange


def test_until_is_exclusive_and_since_inclusive(store: Store) -> None:
    hour = NOW_MS // HOUR_MS * HOUR_MS
    one = job("bybit", "spot", "ohlcv", days=1)
    start, end = (hour - 48 * HOUR_MS) * MS_NS, (hour - 24 * HOUR_MS) * MS_NS
    with ExchangeServer(small_world()) as server:
        (report,) = fetched(
            server,
            store,
            job("bybit", "spot", "ohlcv", days=1, start_ns=start, end_ns=end),
        )
    times = [time for time, _ in stored(store, report.key)]
    assert (times[0], times[-1]) == (hour - 48 * HOUR_MS, hour - 25 * HOUR_MS)
    assert one.start_ns > start


def test_trades_that_share_a_moment_are_all_kept_across_pages(store: Store) -> None:
    # Sixty trades per moment and pages of seven: most pages end inside a moment.
    world = small_world(trade_gap_ms=1, listed_ms=NOW_MS - DAY_MS)
    with ExchangeServer(world, page_rows=7) as server:
        for exchange, market in (("binance", "spot"), ("okx", "spot")):
            one = job(exchange, market, "trades", days=0, start_ns=(NOW_MS - 100) * MS_NS)
            (report,) = fetched(server, store, one)
            assert stored(store, report.key) == expected(world, exchange, "trades", NOW_MS - 100)


def test_trades_that_the_exchange_no_longer_has_are_named(store: Store) -> None:
    world = small_world(trades_kept=500)
    with ExchangeServer(world) as server:
        (report,) = fetched(server, store, job("okx", "spot", "trades", days=1))
    assert stored(store, report.key) == expected(world, "okx", "trades", 0)
    assert report.rows == 500
    assert "has nothing before" in report.findings[0].message


def test_bybit_offers_recent_trades_only(store: Store) -> None:
    world = small_world()
    with ExchangeServer(world) as server:
        (report,) = fetched(server, store, job("bybit", "linear_perp", "trades", days=1))
    truth = expected(world, "bybit", "trades", NOW_MS - DAY_MS // 24)
    # The oldest moment of the last thousand may be cut off and is left out.
    oldest_ms = world.trade("BTCUSDT", world.last_trade_id - 999)[0]
    kept = [(t, row) for t, row in truth if t > oldest_ms]
    wanted = [
        (t, {**row, "trade_id": sum(other == t for other, _ in kept[:place])})
        for place, (t, row) in enumerate(kept)
    ]
    assert stored(store, report.key) == wanted
    assert "has nothing before" in report.findings[0].message


def test_a_smaller_page_than_promised_loses_nothing(store: Store) -> None:
    world = small_world()
    with ExchangeServer(world, page_rows=37) as server:
        for exchange, market in SPELLED:
            for kind in ("ohlcv", "funding", "metrics"):
                if market == "spot" and kind != "ohlcv":
                    continue
                (report,) = fetched(server, store, job(exchange, market, kind, days=12))
                first_ms = NOW_MS - 12 * DAY_MS
                assert stored(store, report.key) == expected(world, exchange, kind, first_ms), (
                    report.name
                )


def test_many_data_sets_at_once(store: Store) -> None:
    world = small_world()
    jobs = [
        job(exchange, market, "ohlcv", days=30, symbols=("BTC/USDT", "ETH/USDT"), market=wanted)
        for (exchange, market), wanted in zip(
            SPELLED, ("spot", None, "spot", "linear", "spot", "linear"), strict=True
        )
    ]
    with ExchangeServer(world) as server:
        reports = fetched(server, store, *jobs)
    assert [report.status for report in reports] == ["complete"] * 12
    for report in reports:
        exchange = report.name.split()[0]
        truth = expected(world, exchange, "ohlcv", NOW_MS - 30 * DAY_MS, pair=report.key.symbol)
        assert stored(store, report.key) == truth


def test_one_bad_symbol_does_not_lose_the_others(store: Store) -> None:
    one = job("binance", "spot", "ohlcv", days=2, symbols=("BTC/USDT", "NONE/USDT", "ETH/USDT"))
    with ExchangeServer(small_world()) as server:
        reports = fetched(server, store, one)
    assert [report.status for report in reports] == ["complete", "failed", "complete"]
    assert "NONE/USDT" in reports[1].error
    assert len(store.keys()) == 2


def test_what_makes_no_sense_is_refused_before_anything_is_asked(store: Store) -> None:
    good = job("binance", "spot", "ohlcv", days=2)
    with ExchangeServer(small_world()) as server:
        for bad, message in (
            ({"kinds": ("candles",)}, "must be one of ohlcv"),
            ({"end_ns": good.start_ns - DAY_NS}, "until must be after since"),
            ({"symbols": ()}, "at least one symbol"),
            ({"tail": True}, "follows the archive"),
        ):
            with pytest.raises(ConfigError, match=message):
                fetched(server, store, job("binance", "spot", "ohlcv", days=2, **bad))
        with pytest.raises(ConfigError, match="did you mean"):
            fetched(server, store, good, settings={"binance": {"timeot": 3}})
        assert not server.requests


def test_funding_of_a_spot_market_is_refused_with_advice(store: Store) -> None:
    with ExchangeServer(small_world()) as server:
        (report,) = fetched(server, store, job("okx", "spot", "funding", days=2))
    assert report.status == "failed"
    assert "write a perpetual" in report.error
