"""Exchanges without a file of their own: ccxt's unified methods, which hide what is broken."""

import io
import json
from collections.abc import Mapping

import pytest

from datasets import Store
from datasets.fetch import FetchRules, exchanges, fetch
from experiments.fetch_progress import progress_of
from tests.exchange_servers import ExchangeServer, Faults
from tests.exchange_servers.truth import DAY_MS, HOUR_MS
from tests.test_datasets.fetch.truth_tables import (
    NOW_MS,
    QUICK,
    expected,
    fetched,
    job,
    small_world,
    stored,
)

PLACES = [
    ("binance", "spot", "ohlcv"),
    ("binanceusdm", "um_perp", "funding"),
    ("bybit", "linear_perp", "ohlcv"),
    ("bybit", "linear_perp", "funding"),
]
COMMON = ("open", "high", "low", "close", "volume", "rate")


@pytest.fixture(autouse=True)
def _no_exchange_has_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "_MODULES", {})


def common(rows: list[tuple[int, Mapping[str, object]]]) -> list[tuple[int, dict[str, object]]]:
    return [(t, {name: row[name] for name in COMMON if name in row}) for t, row in rows]


@pytest.mark.parametrize("faults", [(), ("html", "truncated", "empty_body", "drop_body")])
def test_stored_rows_are_the_truth(store: Store, faults: tuple[str, ...]) -> None:
    world = small_world()
    with ExchangeServer(world, faults=Faults(faults, 0.4, seed=3)) as server:
        jobs = [job(exchange, market, kind, days=45) for exchange, market, kind in PLACES]
        reports = fetched(server, store, *jobs)
    for report, (exchange, _, kind) in zip(reports, PLACES, strict=True):
        assert report.error is None
        truth = expected(world, exchange, kind, NOW_MS - 45 * DAY_MS)
        assert common(stored(store, report.key)) == common(truth), report.name


def test_an_answer_that_is_no_json_is_asked_again_and_not_taken_for_an_empty_page(
    store: Store,
) -> None:
    with ExchangeServer(small_world()) as server:
        server.faults.script("/v5/market/kline", ["html", "truncated", "empty_body"])
        (report,) = fetched(server, store, job("bybit", "linear_perp", "ohlcv", days=1))
    assert report.error is None
    assert report.repeated == 3
    assert len(stored(store, report.key)) == 20


def test_every_attempt_that_failed_is_told(store: Store) -> None:
    stream, heard = io.StringIO(), []
    with ExchangeServer(small_world()) as server, progress_of(stream, quiet=False) as show:
        server.faults.script("/v5/market/kline", ["html", "truncated"])
        rules = FetchRules(settings={"bybit": server.settings("bybit")}, retry=QUICK)
        one = job("bybit", "linear_perp", "ohlcv", days=1)
        fetch(store, [one], rules, on_progress=lambda told: (heard.append(told), show(told)))
    waits = [told.waits for told in heard if told.waits is not None]
    assert [text.split(" failed (")[0] for text in waits] == ["attempt 1 of 8", "attempt 2 of 8"]
    lines = [line for line in stream.getvalue().splitlines() if "attempt" in line]
    assert lines[0].startswith("· bybit BTC/USDT:USDT ohlcv 1h (BTCUSDT): attempt 1 of 8 failed (")
    assert lines[0].endswith("; the next in 0 s")


def test_recent_trades_are_what_is_offered(store: Store) -> None:
    with ExchangeServer(small_world()) as server:
        (report,) = fetched(server, store, job("bybit", "spot", "trades", days=1 / 24))
    assert report.error is None
    assert report.rows > 0
    assert "has nothing before" in report.findings[0].message


def test_an_exchange_that_gives_its_newest_rows_whatever_is_asked_is_named(store: Store) -> None:
    hour = NOW_MS // HOUR_MS * HOUR_MS
    with ExchangeServer(small_world()) as server:
        newest = [
            {
                "symbol": "BTCUSDT",
                "buyRatio": "0.6",
                "sellRatio": "0.4",
                "timestamp": str(hour - n * HOUR_MS),
            }
            for n in range(1, 51)
        ]
        answer = {"retCode": 0, "retMsg": "OK", "result": {"list": newest}}
        server.canned["/v5/market/account-ratio"] = json.dumps(answer)
        (report,) = fetched(server, store, job("bybit", "linear_perp", "metrics", days=30))
    assert report.status == "failed"
    assert "gives its newest rows whatever is asked for; begin with 2023-11-12" in report.error
    assert store.keys() == ()
