"""What exchanges keep, publish late or refuse: taken from the place that has it, or stated."""

import pytest

from datasets import Store
from tests.exchange_servers import ExchangeServer
from tests.exchange_servers.truth import DAY_MS, HOUR_MS
from tests.test_datasets.fetch.truth_tables import (
    MS_NS,
    NOW_MS,
    expected,
    fetched,
    job,
    small_world,
    stored,
)


@pytest.mark.parametrize("listed_days", [40, 1 / 24 / 3])
def test_the_newest_bars_of_okx_are_where_its_history_does_not_have_them(
    store: Store, listed_days: float
) -> None:
    # The history lacks the last three bars; a coin listed minutes ago is only among the newest.
    world = small_world(listed_ms=NOW_MS - int(listed_days * DAY_MS), holes=())
    with ExchangeServer(world) as server:
        one = job("okx", "spot", "ohlcv", days=30, timeframe="5m")
        (report,) = fetched(server, store, one)
    truth = expected(world, "okx", "ohlcv", NOW_MS - 30 * DAY_MS, step="5m")
    assert truth
    assert stored(store, report.key) == truth
    assert report.findings == ()


def test_funding_that_okx_does_not_keep_is_stated(store: Store) -> None:
    world = small_world(listed_ms=NOW_MS - 400 * DAY_MS, holes=())
    with ExchangeServer(world) as server:
        (report,) = fetched(server, store, job("okx", "linear_perp", "funding", days=365))
    kept = expected(world, "okx", "funding", NOW_MS - 92 * DAY_MS)
    assert stored(store, report.key) == kept
    (finding,) = report.findings
    assert finding.defect == "gap"
    assert "promises nothing before 2023-08-" in finding.message


def test_metrics_that_okx_does_not_keep_are_stated(store: Store) -> None:
    world = small_world(holes=())
    with ExchangeServer(world) as server:
        one = job("okx", "linear_perp", "metrics", days=20, metrics_timeframe="5m")
        (report,) = fetched(server, store, one)
        (near,) = fetched(
            server, store, job("okx", "linear_perp", "metrics", days=4, metrics_timeframe="5m")
        )
    rows = stored(store, report.key)
    assert rows == expected(world, "okx", "metrics", NOW_MS - 1440 * 300_000, step="5m")
    assert "promises nothing before 2023-11-09" in report.findings[0].message
    assert near.findings == ()


@pytest.mark.parametrize("exchange", ["binanceusdm", "bybit", "okx"])
def test_a_step_that_no_metrics_have_is_refused_with_those_that_exist(
    store: Store, exchange: str
) -> None:
    market = "um_perp" if exchange == "binanceusdm" else "linear_perp"
    with ExchangeServer(small_world()) as server:
        one = job(exchange, market, "metrics", days=2, metrics_timeframe="1m")
        (report,) = fetched(server, store, one)
        asked = [path for path in server.requests if "Hist" in path or "rubik" in path]
    assert report.status == "failed"
    assert "has no metrics every 1m; it has 5m" in report.error
    assert asked == []


def test_a_metric_of_a_period_that_is_not_over_is_not_taken(store: Store) -> None:
    with ExchangeServer(small_world(holes=())) as server:
        (report,) = fetched(server, store, job("bybit", "linear_perp", "metrics", days=2))
    assert stored(store, report.key)[-1][0] == (NOW_MS - HOUR_MS) // HOUR_MS * HOUR_MS


@pytest.mark.parametrize("kind", ["ohlcv", "funding", "metrics"])
def test_rows_that_are_published_late_are_asked_for_again(store: Store, kind: str) -> None:
    hour_ms = NOW_MS // HOUR_MS * HOUR_MS
    market = "linear_perp"
    # A minute after the hour, and the last hours are not there yet.
    now_ms = hour_ms - hour_ms % (4 * HOUR_MS) + 60_000
    world = small_world(now_ms=now_ms, holes=((now_ms - HOUR_MS - 60_000, now_ms),))
    late = small_world(now_ms=now_ms, holes=())
    one = job("bybit", market, kind, days=3)
    with ExchangeServer(world) as server:
        (first,) = fetched(server, store, one)
        assert first.error is None
        assert len(stored(store, first.key)) < len(
            expected(late, "bybit", kind, NOW_MS - 3 * DAY_MS)
        )
        server.world = late
        (second,) = fetched(server, store, one)
    assert stored(store, second.key) == expected(late, "bybit", kind, NOW_MS - 3 * DAY_MS)
    assert second.conflicts == ()


def test_a_pause_that_one_request_is_told_holds_for_all(store: Store) -> None:
    jobs = [
        job("bybit", "spot", "ohlcv", days=8, timeframe="1m", symbols=(symbol,))
        for symbol in ("BTC/USDT", "ETH/USDT")
    ]
    with ExchangeServer(small_world()) as server:
        server.retry_after = "0.4"
        server.faults.script("/v5/market/kline", ["status_429"])
        fetched(server, store, *jobs)
        times = [t for t, path in server.arrivals if path == "/v5/market/kline"]
    # What was on its way may still arrive; then nothing does for as long as was told.
    assert not [t for t in times if 0.1 < t - times[0] < 0.38]
    assert len(times) > 20


def test_weekly_bars_begin_on_monday_and_none_is_missing(store: Store) -> None:
    week_ms, monday_ms = 7 * DAY_MS, 4 * DAY_MS
    first_ms = NOW_MS - 20 * week_ms
    with ExchangeServer(small_world(listed_ms=first_ms, holes=())) as server:
        one = job("binance", "spot", "ohlcv", days=0, start_ns=first_ms * MS_NS, timeframe="1w")
        (report,) = fetched(server, store, one)
        requests = server.requests["/api/v3/klines"]
    assert report.error is None
    times = [time for time, _ in stored(store, report.key)]
    start = first_ms + (monday_ms - first_ms) % week_ms
    assert times == list(range(start, NOW_MS - week_ms + 1, week_ms))
    assert requests == 1
