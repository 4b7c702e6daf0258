"""Every fault an exchange can have: healed without a trace in the data, or named."""

from datetime import UTC, datetime

import pytest

from datasets import Store
from datasets.fetch import RetryRules
from datasets.fetch.answers import retry_after_seconds
from tests.exchange_servers import ExchangeServer, Faults
from tests.exchange_servers.faults import CONTENT, EVERY, HARMLESS, TRANSPORT
from tests.exchange_servers.truth import DAY_MS
from tests.test_datasets.fetch.truth_tables import (
    NOW_MS,
    SPELLED,
    expected,
    fetched,
    job,
    small_world,
    stored,
)

FIRST_MS = NOW_MS - 45 * DAY_MS
PLACES = [
    ("binance", "spot", "ohlcv"),
    ("binanceusdm", "um_perp", "funding"),
    ("bybit", "linear_perp", "ohlcv"),
    ("bybit", "linear_perp", "metrics"),
    ("okx", "linear_perp", "funding"),
    ("okx", "spot", "ohlcv"),
]


@pytest.mark.parametrize("fault", EVERY)
def test_each_fault_is_healed_everywhere(store: Store, fault: str) -> None:
    world = small_world()
    share = 0.12 if fault == "slow" else 0.4
    with ExchangeServer(world, faults=Faults((fault,), share, seed=5)) as server:
        jobs = [job(exchange, market, kind, days=45) for exchange, market, kind in PLACES]
        reports = fetched(server, store, *jobs)
        assert server.faults.seen.get(fault, 0) > 0
    for report, (exchange, _, kind) in zip(reports, PLACES, strict=True):
        assert report.error is None
        assert stored(store, report.key) == expected(world, exchange, kind, FIRST_MS), report.name
    defects = {finding.defect for report in reports for finding in report.findings}
    found = {"duplicates": "duplicate", "shuffled": "unsorted", "torn_page": "contradiction"}
    if fault in found:
        assert found[fault] in defects
    else:
        assert not defects
    if fault in TRANSPORT:
        assert sum(report.repeated for report in reports) > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_mixture_of_faults_is_healed(store: Store, seed: int) -> None:
    world = small_world()
    names = [name for name in EVERY if name != "slow"]
    with ExchangeServer(world, faults=Faults(names, 0.35, seed=seed)) as server:
        jobs = [
            job(exchange, market, kind, days=20)
            for exchange, market in SPELLED
            for kind in ("ohlcv", "funding", "metrics")
            if market != "spot" or kind == "ohlcv"
        ]
        reports = fetched(server, store, *jobs)
    for report, one in zip(reports, jobs, strict=True):
        assert report.error is None
        truth = expected(world, one.exchange, one.kinds[0], NOW_MS - 20 * DAY_MS)
        assert stored(store, report.key) == truth, report.name
    assert store.verify() == ()


@pytest.mark.parametrize("fault", [*TRANSPORT[:-1], *CONTENT[:2], *HARMLESS])
def test_trades_survive_each_fault(store: Store, fault: str) -> None:
    world = small_world()
    with ExchangeServer(world, faults=Faults((fault,), 0.4, seed=2)) as server:
        jobs = [
            job(*place, "trades", days=1 / 96) for place in (("binance", "spot"), ("okx", "spot"))
        ]
        reports = fetched(server, store, *jobs)
    for report in reports:
        assert report.error is None
        first_ms = NOW_MS - int(DAY_MS / 96)
        assert stored(store, report.key) == expected(world, "okx", "trades", first_ms)


def test_markets_lost_in_a_broken_answer_are_asked_for_again(store: Store) -> None:
    for fault in ("truncated", "html", "empty_body", "empty_page"):
        with ExchangeServer(small_world()) as server:
            server.faults.script("/api/v3/exchangeInfo", [fault])
            (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=1))
            assert report.error is None, fault
            assert server.requests["/api/v3/exchangeInfo"] == 2


def test_a_broken_clock_is_asked_again(store: Store) -> None:
    with ExchangeServer(small_world()) as server:
        server.faults.script("/api/v3/time", ["html", "drop_body"])
        (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=1))
    assert report.error is None


@pytest.mark.parametrize("fault", ["status_429", "drop_body", "truncated", "html"])
def test_an_exchange_that_never_answers_is_named_with_what_is_safe(
    store: Store, fault: str
) -> None:
    world = small_world()
    one = job("bybit", "linear_perp", "ohlcv", days=10, timeframe="5m")
    with ExchangeServer(world) as server:
        server.faults.script("/v5/market/kline", ["", "", *[fault] * 9])
        (report,) = fetched(server, store, one)
        assert report.status == "failed"
        for part in (
            "bybit BTC/USDT:USDT ohlcv 5m",
            "kline 2023-11-",
            "after 8 attempts",
            "is safe for",
        ):
            assert part in report.error
        assert 0 < len(stored(store, report.key)) < 2880
        (report,) = fetched(server, store, one)
    assert report.error is None
    assert stored(store, report.key) == expected(
        world, "bybit", "ohlcv", NOW_MS - 10 * DAY_MS, step="5m"
    )


def test_two_values_for_one_time_are_refused_when_they_persist(store: Store) -> None:
    with ExchangeServer(small_world()) as server:
        server.faults.script("/api/v3/klines", ["torn_page"] * 20)
        (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=1))
    assert report.status == "failed"
    assert "states two values for 2023-11-14" in report.error
    assert store.keys() == ()


def test_a_long_pause_is_not_waited_for(store: Store) -> None:
    quick = RetryRules(first_wait_seconds=0.0, longest_pause_seconds=0.001)
    with ExchangeServer(small_world(), faults=Faults(("status_418",), 1.0)) as server:
        (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=1), retry=quick)
    assert report.status == "failed"
    assert "after 1 attempts" in report.error


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert retry_after_seconds({"retry-after": "7"}, now) == 7.0
    assert retry_after_seconds({"Retry-After": "Mon, 01 Jan 2024 00:00:30 GMT"}, now) == 30.0
    assert (
        retry_after_seconds({"Retry-After": "Mon, 01 Jan 2024 00:00:30 GMT"}, now.replace(hour=3))
        == 0.0
    )
    assert retry_after_seconds({"Retry-After": "soon"}, now) is None
    assert retry_after_seconds({}, now) is None


def test_a_wrong_query_is_not_repeated(store: Store) -> None:
    with ExchangeServer(small_world(), symbols=(("BTC", "USDT"),)) as server:
        (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=1))
        assert report.status == "complete"
        server.symbols = (("BTC", "USD"),)
        asked = server.requests["/api/v3/klines"]
        server.faults.script("/api/v3/exchangeInfo", [])
        (report,) = fetched(server, store, job("binance", "spot", "ohlcv", days=3))
        assert report.status == "failed"
        assert server.requests["/api/v3/klines"] == asked
