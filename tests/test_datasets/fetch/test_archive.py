"""The bulk archive of Binance: whole months, single days at the edges, checksums, files not there."""

from datetime import UTC, datetime

import pytest

from datasets import Store
from datasets.fetch import FetchJob
from datasets.fetch.archive_files import ArchiveName, archive_name, files_of
from engine import ConfigError
from tests.exchange_servers import ExchangeServer, Faults, World
from tests.exchange_servers.binance import agg_trade, kline
from tests.exchange_servers.truth import DAY_MS, HOUR_MS, fine, rate
from tests.test_datasets.fetch.truth_tables import (
    MS_NS,
    bar_values,
    contents,
    expected,
    fetched,
    stored,
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


WORLD = World(now_ms=ms("2021-06-10 12:30"), listed_ms=ms("2021-03-14 07:00"))
FOLDERS = {"spot": "data/spot", "um_perp": "data/futures/um"}


def put_bars(server: ExchangeServer, market: str, label: str, first_ms: int, end_ms: int) -> None:
    rows = [
        ",".join(map(str, kline(server.world, "BTCUSDT", t, HOUR_MS)))
        for t in server.world.times(first_ms, end_ms - 1, HOUR_MS)
    ]
    if rows:
        period = "monthly" if len(label) == 7 else "daily"
        folder = f"{FOLDERS[market]}/{period}/klines/BTCUSDT/1h"
        server.archive.add(f"{folder}/BTCUSDT-1h-{label}.zip", rows)


def filled(server: ExchangeServer, market: str = "spot") -> None:
    """Months from March to May, days from the 13th of March to the 9th of June."""
    for label, first, end in (
        ("2021-03", "2021-03-01", "2021-04-01"),
        ("2021-04", "2021-04-01", "2021-05-01"),
        ("2021-05", "2021-05-01", "2021-06-01"),
    ):
        put_bars(server, market, label, ms(first), ms(end))
    day_ms = ms("2021-03-13")
    while day_ms < ms("2021-06-10"):
        label = f"{datetime.fromtimestamp(day_ms / 1000, UTC):%Y-%m-%d}"
        put_bars(server, market, label, day_ms, day_ms + DAY_MS)
        day_ms += DAY_MS


def bars_of(first_ms: int, end_ms: int) -> list[tuple[int, object]]:
    return [
        (t, bar_values(WORLD, "binance", "BTCUSDT", t, HOUR_MS))
        for t in WORLD.times(first_ms, end_ms - 1, HOUR_MS)
    ]


def archive_job(since: str, until: str | None, **changes: object) -> FetchJob:
    given: dict[str, object] = {
        "exchange": "binance",
        "symbols": ("BTC/USDT",),
        "start_ns": ms(since) * MS_NS,
        "end_ns": None if until is None else ms(until) * MS_NS,
        "archive": True,
    }
    return FetchJob(**(given | changes))


def test_months_and_edge_days_give_exactly_the_period(store: Store) -> None:
    with ExchangeServer(WORLD) as server:
        filled(server)
        (report,) = fetched(server, store, archive_job("2020-12-30 05:00", "2021-06-03 09:00"))
        asked = [path.rsplit("/", 1)[-1] for path in server.requests if path.endswith(".zip")]
    assert report.error is None
    assert str(report.key) == "ohlcv/binance/spot/BTCUSDT/1h/binance_archive"
    assert stored(store, report.key) == bars_of(ms("2020-12-30"), ms("2021-06-03 09:00"))
    # Two days of December, five months, the outer days of two that are not there, June's edge.
    assert "BTCUSDT-1h-2020-12-30.zip" in asked
    assert "BTCUSDT-1h-2021-04.zip" in asked
    assert "BTCUSDT-1h-2021-06-03.zip" in asked
    assert "BTCUSDT-1h-2021-04-07.zip" not in asked
    assert len(asked) == 2 + 5 + 2 * 2 + 3


def test_a_repetition_asks_for_nothing_and_faults_are_healed(store: Store) -> None:
    names = ("status_503", "drop_before", "drop_body", "truncated")
    one = archive_job("2021-03-01", "2021-06-03")
    with ExchangeServer(WORLD, faults=Faults(names, 0.3, seed=1)) as server:
        filled(server)
        (report,) = fetched(server, store, one)
        assert report.error is None
        assert report.repeated > 0
        assert stored(store, report.key) == bars_of(0, ms("2021-06-03"))
        before = contents(store.root)
        files = sum(count for path, count in server.requests.items() if path.endswith(".zip"))
        fetched(server, store, one)
        assert sum(c for path, c in server.requests.items() if path.endswith(".zip")) == files
        assert contents(store.root) == before


def test_a_wrong_checksum_is_downloaded_again_and_then_refused(store: Store) -> None:
    with ExchangeServer(WORLD) as server:
        filled(server)
        path = "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2021-04.zip"
        good = server.archive.files[f"{path}.CHECKSUM"]
        server.archive.files[f"{path}.CHECKSUM"] = b"0" * 64 + b"  x.zip\n"
        one = archive_job("2021-03-01", "2021-06-01")
        (report,) = fetched(server, store, one)
        assert report.status == "failed"
        assert "its CHECKSUM says 0000" in report.error
        assert "is safe for 2021-03-01 00:00 to 2021-04-01 00:00" in report.error
        assert server.requests[f"/archive/{path}"] == 8
        server.archive.files[f"{path}.CHECKSUM"] = good
        (report,) = fetched(server, store, one)
    assert report.error is None
    assert stored(store, report.key) == bars_of(0, ms("2021-06-01"))


def test_a_missing_checksum_is_refused(store: Store) -> None:
    with ExchangeServer(WORLD) as server:
        filled(server)
        del server.archive.files[
            "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2021-04.zip.CHECKSUM"
        ]
        (report,) = fetched(server, store, archive_job("2021-04-01", "2021-05-01"))
    assert "holds no SHA-256" in report.error


def test_the_api_gives_what_the_archive_does_not_have_yet(store: Store) -> None:
    world = World(now_ms=ms("2021-06-10 12:30"), listed_ms=WORLD.listed_ms)
    with ExchangeServer(world) as server:
        filled(server)
        one = archive_job("2021-03-01", None, tail=True, end_ns=ms("2021-06-10 12:30") * MS_NS)
        # The archive's clock is that of this machine: the file of the last day may not come any more.
        (report,) = fetched(server, store, one)
    assert report.error is None
    assert report.status == "complete"
    got = stored(store, report.key)
    assert got[: 80 * 24] == bars_of(0, ms("2021-06-10 12:30"))[: 80 * 24]


def test_a_month_that_is_not_published_yet_is_read_day_by_day(store: Store) -> None:
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = (now.replace(day=1) - (now - now.replace(day=1))).replace(day=1)
    now_ms, first_ms = int(now.timestamp() * 1000), int(first.timestamp() * 1000)
    world = World(now_ms=now_ms + 13 * HOUR_MS, listed_ms=first_ms - DAY_MS)
    published_ms = now_ms - 2 * DAY_MS
    with ExchangeServer(world) as server:
        day_ms = first_ms
        while day_ms < published_ms:
            label = f"{datetime.fromtimestamp(day_ms / 1000, UTC):%Y-%m-%d}"
            put_bars(server, "spot", label, day_ms, day_ms + DAY_MS)
            day_ms += DAY_MS
        one = archive_job("2021-03-01", None, start_ns=first_ms * MS_NS, tail=True)
        (report,) = fetched(server, store, one)
        assert report.error is None
        truth = [
            (t, bar_values(world, "binance", "BTCUSDT", t, HOUR_MS))
            for t in world.times(first_ms, world.now_ms - HOUR_MS, HOUR_MS)
        ]
        assert stored(store, report.key) == truth
        assert server.requests["/api/v3/klines"] >= 1


def test_a_file_that_the_archive_lacks_after_the_listing_is_stated(store: Store) -> None:
    with ExchangeServer(WORLD) as server:
        filled(server)
        for label in (
            "monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2021-04",
            "daily/klines/BTCUSDT/1h/BTCUSDT-1h-2021-04-17",
        ):
            del server.archive.files[f"data/spot/{label}.zip"]
        (report,) = fetched(server, store, archive_job("2021-01-01", "2021-06-01"))
        advised = archive_job("2021-01-01", "2021-06-01", archive=False, source="binance_archive")
        lacking = stored(store, report.key)
        fetched(server, store, advised, again=True)
    assert stored(store, report.key) == bars_of(0, ms("2021-06-01"))
    (finding,) = report.findings
    assert (finding.defect, finding.count) == ("gap", 1)
    assert "has no file for 2021-04-17" in finding.message
    gap = range(ms("2021-04-17"), ms("2021-04-18"))
    assert lacking == [(t, row) for t, row in bars_of(0, ms("2021-06-01")) if t not in gap]


def test_the_last_days_of_a_delisted_coin_are_there_without_a_file_of_the_month(
    store: Store,
) -> None:
    with ExchangeServer(WORLD) as server:
        put_bars(server, "spot", "2021-03", ms("2021-03-01"), ms("2021-04-01"))
        for day in range(1, 13):
            day_ms = ms(f"2021-04-{day:02d}")
            put_bars(server, "spot", f"2021-04-{day:02d}", day_ms, day_ms + DAY_MS)
        (report,) = fetched(server, store, archive_job("2021-03-01", "2021-06-01"))
    assert report.error is None
    assert stored(store, report.key) == bars_of(0, ms("2021-04-13"))


def test_many_symbols_do_not_ask_the_archive_for_more_at_once_than_allowed(store: Store) -> None:
    symbols = tuple(f"C{n}/USDT" for n in range(12))
    with ExchangeServer(WORLD, faults=Faults(("slow",), 1.0), slow_seconds=0.05) as server:
        one = archive_job("2021-03-01", "2021-03-03", symbols=symbols)
        settings = {"binance": server.settings("binance") | {"timeout": 5_000}}
        fetched(server, store, one, places=2, settings=settings)
        assert server.most_at_once <= 2


def test_funding_by_months_metrics_by_days_and_trades(store: Store) -> None:
    with ExchangeServer(WORLD) as server:
        times = WORLD.settlements(ms("2021-04-01"), ms("2021-05-01") - 1)
        server.archive.add(
            "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2021-04.zip",
            ["calc_time,funding_interval_hours,last_funding_rate"]
            + [f"{t + 3},8,{fine(rate('BTCUSDT', t))}" for t in times],
        )
        first = WORLD.first_trade_id + 3 * ((ms("2021-04-05") - WORLD.listed_ms) // 700)
        trades = [agg_trade(WORLD, "BTCUSDT", first + n) for n in range(9, 300)]
        server.archive.add(
            "data/futures/um/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2021-04-05.zip",
            [
                "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
            ]
            + [
                ",".join(
                    map(str, (t["a"], t["p"], t["q"], t["f"], t["l"], t["T"], str(t["m"]).lower()))
                )
                for t in trades
            ],
        )
        server.archive.add(
            "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2021-04-05.zip",
            [
                "create_time,symbol,sum_open_interest,sum_open_interest_value,"
                "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
                "count_long_short_ratio,sum_taker_long_short_vol_ratio",
                *(
                    f"2021-04-05 {n // 12:02d}:{n % 12 * 5:02d}:00,BTCUSDT,{n + 1},2,3,4,5,6"
                    for n in range(288)
                ),
            ],
        )
        one = archive_job(
            "2021-04-05",
            "2021-04-06",
            symbols=("BTC/USDT:USDT",),
            kinds=("funding", "trades", "metrics"),
        )
        reports = fetched(server, store, one)
    assert [report.error for report in reports] == [None] * 3
    funding, aggregated, metrics = (report.key for report in reports)
    truth = expected(WORLD, "okx", "funding", ms("2021-04-05"), end_ms=ms("2021-04-06"))
    assert [(t, row["rate"]) for t, row in stored(store, funding)] == [
        (t, row["rate"]) for t, row in truth
    ]
    assert [row["trade_id"] for _, row in stored(store, aggregated)] == [t["a"] for t in trades]
    assert [row["sum_open_interest"] for _, row in stored(store, metrics)] == [
        float(n + 1) for n in range(288)
    ]


def test_names_of_files_and_what_has_none() -> None:
    name = archive_name("btcusdt", None, "ohlcv", "1h")
    assert name == ArchiveName("spot", "klines", "BTCUSDT", "1h")
    assert name.address("2024-05") == "data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-05.zip"
    files = list(files_of(name, ms("2024-01-30 05:00"), ms("2024-03-02"), ms("2025-01-01")))
    assert [file.label for file in files] == ["2024-01-30", "2024-01-31", "2024-02", "2024-03-01"]
    assert files[2].end_ms == ms("2024-03-01")
    with pytest.raises(ConfigError, match="only perpetuals"):
        archive_name("BTC/USDT", None, "funding", "8h")
    with pytest.raises(ConfigError, match="margined in a coin"):
        archive_name("BTC/USD:BTC", None, "ohlcv", "1h")
    with pytest.raises(ConfigError, match="may be"):
        archive_name("BTUSD", None, "ohlcv", "1h")
