"""Answers that are JSON and still make no sense: named, never a traceback, never believed."""

import json
import socket
from typing import Any

import pytest

from datasets import Store
from datasets.fetch import RetryRules
from tests.exchange_servers import ExchangeServer
from tests.exchange_servers.truth import DAY_MS
from tests.test_datasets.fetch.truth_tables import (
    NOW_MS,
    QUICK,
    expected,
    fetched,
    job,
    small_world,
    stored,
)

TWICE = RetryRules(attempts=2, first_wait_seconds=0.0, longest_wait_seconds=0.0)
PLACES = [
    ("binance", "spot", "ohlcv", "/api/v3/klines"),
    ("binanceusdm", "um_perp", "funding", "/fapi/v1/fundingRate"),
    ("bybit", "linear_perp", "ohlcv", "/v5/market/kline"),
    ("okx", "linear_perp", "funding", "/api/v5/public/funding-rate-history"),
    ("okx", "spot", "trades", "/api/v5/market/history-trades"),
]
BODIES: tuple[Any, ...] = (
    [{}],
    [["x"] * 12],
    {"code": "0", "data": [{}]},
    {"code": "0", "data": [{"ts": "soon"}]},
    {"code": "0", "data": {}},
    {"code": "0"},
    {"retCode": 0, "result": {"list": [["x"] * 7]}},
    {"retCode": 0, "result": {"list": [{}]}},
    {"retCode": 0, "result": []},
    {"retCode": 0},
    [],
    {},
    [None],
)


@pytest.mark.parametrize(("exchange", "market", "kind", "address"), PLACES)
def test_rows_of_another_shape_are_named_and_nothing_is_stored(
    store: Store, exchange: str, market: str, kind: str, address: str
) -> None:
    with ExchangeServer(small_world()) as server:
        for body in BODIES:
            server.canned[address] = json.dumps(body)
            one = job(exchange, market, kind, days=1)
            (report,) = fetched(server, store, one, retry=TWICE)
            assert report.status == "failed" or report.rows == 0, body
            assert store.keys() == ()


@pytest.mark.parametrize("body", ["[]", "{}", '{"symbols": [{}]}', '{"symbols": [1]}', "[1]"])
def test_a_list_of_markets_of_another_shape_is_no_traceback(store: Store, body: str) -> None:
    with ExchangeServer(small_world()) as server:
        server.canned["/api/v3/exchangeInfo"] = body
        one = job("binance", "spot", "ohlcv", days=1)
        (report,) = fetched(server, store, one, retry=TWICE)
    assert report.status == "failed"
    assert "binance" in report.error


def test_an_exchange_that_ignores_the_period_is_not_taken_for_an_empty_one(store: Store) -> None:
    with ExchangeServer(small_world()) as server:
        newest = [
            {"symbol": "BTCUSDT", "buyRatio": "0.6", "sellRatio": "0.4", "timestamp": str(t)}
            for t in range(NOW_MS // 3_600_000 * 3_600_000, NOW_MS - 2 * DAY_MS, -3_600_000)
        ]
        body = json.dumps({"retCode": 0, "result": {"list": newest}})
        server.canned["/v5/market/account-ratio"] = body
        (report,) = fetched(
            server, store, job("bybit", "linear_perp", "metrics", days=30), retry=TWICE
        )
    assert report.status == "failed"
    assert "later than asked for" in report.error


def test_an_exchange_that_cannot_be_reached_says_what_can_be_set(store: Store) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ExchangeServer(small_world()) as server:
        for base in (
            f"http://127.0.0.1:{port}",
            "http://nowhere.invalid",
            server.base_url.replace("http:", "https:"),
        ):
            settings = server.settings("bybit") | {"urls": {"api": {"public": base}}}
            one = job("bybit", "spot", "ohlcv", days=1)
            (report,) = fetched(server, store, one, settings={"bybit": settings}, retry=TWICE)
            assert report.status == "failed"
            assert "after 2 attempts" in report.error
            assert "exchanges.bybit.urls" in report.error


def test_a_proxy_stands_between(store: Store) -> None:
    world = small_world()
    with ExchangeServer(world) as server:
        settings = server.settings("bybit") | {
            "urls": {"api": {"public": "http://nowhere.invalid"}},
            "httpProxy": server.base_url,
        }
        one = job("bybit", "spot", "ohlcv", days=2)
        (report,) = fetched(server, store, one, settings={"bybit": settings}, retry=QUICK)
    assert report.error is None
    assert stored(store, report.key) == expected(world, "bybit", "ohlcv", NOW_MS - 2 * DAY_MS)
