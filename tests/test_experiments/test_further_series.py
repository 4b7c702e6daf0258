"""Runs that see dated futures, a second venue, one exchange's reserves, listings and unlocks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from datasets import DatasetKey, Store, import_files
from engine import DAY_NS, HOUR_NS, MINUTE_NS, ConfigError, DataError, Market
from experiments import config_of, run
from experiments.market_data import load_market_data, signal_markets
from experiments.notes import data_notes
from experiments.record import run_content
from indicators import INDICATORS_BY_NAME, build_features, feature
from indicators.volume_delta import CLOCK
from tests.test_datasets.sample_files import START_NS, bar_table

DAYS = 60
HOURS = 24 * DAYS
RATIO = "count_long_short_ratio"
SPOT = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT", "source": ["test", "mine"]}
FURTHER: Mapping[str, Any] = {
    "dated_futures": {"venue": "binance", "market": "um_future", "symbol": "BTCUSDT"},
    "index": SPOT,
    "second_metrics": {"venue": "okx", "market": "linear_perp", "symbol": "BTC"},
    "venue_reserves": {"venue": "binance", "market": "exchanges", "symbol": "BTC"},
    "supply": {"venue": "vendor", "market": "coins", "symbol": "all", "asset": "Bitcoin"},
    "series_from": [{"venue": "all", "market": "exchanges", "symbol": "BTC"}],
}
CLOCKS = {
    "dated_futures", "index_price", "metrics", "metrics:second", "exchange_reserves",
    "exchange_reserves:venue", "listings", "unlock_schedule", "external_sentiment",
}  # fmt: skip


def moments(hours: "np.ndarray[Any, Any] | list[int]") -> pa.Array:
    return pa.array(START_NS + HOUR_NS * np.asarray(hours, dtype=np.int64))


def small_store(root: Path) -> Store:
    """Sixty days of bars, and around them a little of everything that is no series of the bars' own."""
    made = Store(root)

    def write(key: str, columns: Mapping[str, Any]) -> None:
        made.write(DatasetKey.parse(key), pa.table(dict(columns)), provenance={})

    bars = bar_table(HOURS)
    write("ohlcv/binance/spot/BTCUSDT/1h/test", {n: bars[n] for n in bars.column_names})
    # A steep contango until the tenth day, a normal one until the twentieth, then backwardation.
    basis = np.select([np.arange(HOURS) < 240, np.arange(HOURS) < 480], [1.06, 1.01], 0.99)
    future = pa.array(bars["close"].to_numpy() * basis)
    write(
        "dated_futures/binance/um_future/BTCUSDT_210326/1h/test",
        {
            "open_time": bars["open_time"],
            **dict.fromkeys(("open", "high", "low", "close"), future),
            "volume": pa.array(np.ones(HOURS)),
            "expiry": moments(np.full(HOURS, 24 * 84 + 8)),
        },
    )
    hours, days = np.arange(HOURS), 24 * np.arange(DAYS)
    wave = 1.5 * np.exp(0.3 * np.sin(hours / 50.0))
    for key, ratio in (("binance/spot/BTCUSDT", wave), ("okx/linear_perp/BTC", wave**2)):
        columns = {"event_time": moments(hours), RATIO: pa.array(ratio)}
        write(f"metrics/{key}/1h/test", columns)
    for key, coins in (("all", np.full(DAYS, 100.0)), ("binance", 25.0 + 0.1 * np.arange(DAYS))):
        columns = {"event_time": moments(days), "reserve": pa.array(coins)}
        write(f"exchange_reserves/{key}/exchanges/BTC/1d/test", columns)
    write(
        "listings/binance/spot/BTCUSDT/event/test",
        {
            "event_time": moments([24 * 30]),
            "action": pa.array(["delist"]),
            "effective_time": moments([24 * 50]),
        },
    )
    write(
        "external_sentiment/binance/spot/BTCUSDT/1h/mine",
        {"event_time": moments([5, 40, 41]), "score": pa.array([10.0, 80.0, 90.0])},
    )
    write(
        "unlocks/binance/spot/BTCUSDT/event/test",
        {
            "event_time": moments([0]),
            "unlock_time": moments([24 * 40]),
            "category": pa.array(["team"]),
            "tokens": pa.array([5.0]),
        },
    )
    write(
        "universe/vendor/coins/all/event/test",
        {
            "event_time": moments([0]),
            "asset": pa.array(["Bitcoin"]),
            "symbol": pa.array(["BTC"]),
            "circulating_supply": pa.array([100.0]),
        },
    )
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return small_store(tmp_path_factory.mktemp("store"))


def tree(further: Mapping[str, Any] = FURTHER, **heads: Any) -> dict[str, Any]:
    pair = {"signals": SPOT, **further}
    return {"name": "further", "data": {"instruments": [pair]}, "heads": heads}


def column(market: Market, indicator: str, output: str, clock: str, **parameters: float):
    wanted = feature(indicator, output, clock=clock, **parameters)
    values = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    assert values is not None
    return values


def test_every_clock_of_an_analyser_is_there_and_in_the_fingerprint(store: Store) -> None:
    config = config_of(tree())
    data = load_market_data(config, store)
    market = data.markets["BTCUSDT"]
    assert set(market.series) == CLOCKS
    kinds = {(key.kind, key.venue) for key in data.datasets}
    assert kinds == {
        ("ohlcv", "binance"), ("dated_futures", "binance"), ("metrics", "binance"),
        ("metrics", "okx"), ("exchange_reserves", "all"), ("exchange_reserves", "binance"),
        ("listings", "binance"), ("unlocks", "binance"), ("universe", "vendor"),
        ("external_sentiment", "binance"),
    }  # fmt: skip
    (alone,) = signal_markets(config, config.instruments, store)
    assert alone.series.keys() == market.series.keys()
    without = load_market_data(config_of(tree({})), store)
    assert set(without.markets["BTCUSDT"].series) == {
        "metrics", "listings", "unlock_schedule", "external_sentiment",
    }  # fmt: skip
    assert without.fingerprint != data.fingerprint


def test_a_changed_contract_changes_the_fingerprint(tmp_path: Path) -> None:
    made = small_store(tmp_path / "store")
    config = config_of(tree())
    before = load_market_data(config, made).fingerprint
    key = DatasetKey.parse("dated_futures/binance/um_future/BTCUSDT_210326/1h/test")
    rows = made.read(key)
    other = replace(key, symbol="BTCUSDT_210625")
    made.write(other, rows.slice(0, 10), provenance={})
    assert load_market_data(config, made).fingerprint != before


def test_trades_are_read_where_they_are_named_and_are_in_the_fingerprint(tmp_path: Path) -> None:
    made = small_store(tmp_path / "store")
    perpetual = {"venue": "binance", "market": "um_perp", "symbol": "BTCUSDT"}
    key = DatasetKey.parse("trades/binance/um_perp/BTCUSDT/event/test")

    def write(last_minute: int) -> None:
        minutes = np.arange(-1, last_minute)
        table = {
            "event_time": pa.array(START_NS + MINUTE_NS * minutes),
            "trade_id": pa.array(minutes + 10),
            "price": pa.array(np.full(len(minutes), 100.0)),
            "quantity": pa.array(np.ones(len(minutes))),
            "is_buyer_maker": pa.array(minutes % 4 == 0),
        }
        made.write(key, pa.table(table), provenance={})

    write(60 * 24 + 1)
    days = {"start": date(2021, 1, 1), "end": date(2021, 1, 1)}
    with_trades = tree({"trades": perpetual})
    with_trades["data"] |= days
    without = tree({})
    without["data"] |= days
    data = load_market_data(config_of(with_trades), made)
    market = data.markets["BTCUSDT"]
    assert len(market.bars) == len(market.series["trade_flow"].event_time) == 24
    assert key in data.datasets
    ratio = column(market, "volume_delta", "ratio", CLOCK, length=5)
    np.testing.assert_allclose(ratio[4:], 0.75, rtol=1e-12)
    assert (column(market, "volume_delta", "source", CLOCK, length=5) == 1).all()
    assert not [note for note in data_notes(config_of(with_trades), data) if "trades" in note]
    two_days = {**with_trades, "data": {**with_trades["data"], "end": date(2021, 1, 2)}}
    longer = load_market_data(config_of(two_days), made)
    (note,) = (one for one in data_notes(config_of(two_days), longer) if "trades" in one)
    assert "binance/um_perp/BTCUSDT/any source wholly cover 24 of 48 bars" in note
    plain = load_market_data(config_of(without), made)
    assert "trade_flow" not in plain.markets["BTCUSDT"].series
    assert data.fingerprint != plain.fingerprint
    # The trade behind the last bar proves that none is missing in it; later ones change nothing.
    write(60 * 25)
    within_the_hour = load_market_data(config_of(with_trades), made).fingerprint
    assert within_the_hour != data.fingerprint
    write(60 * 30)
    assert load_market_data(config_of(with_trades), made).fingerprint == within_the_hour
    with_trades["data"]["instruments"][0]["trades"]["symbol"] = "ETHUSDT"
    with pytest.raises(DataError, match="has no such trades"):
        load_market_data(config_of(with_trades), made)


def test_each_indicator_reads_what_was_loaded(store: Store) -> None:
    market = load_market_data(config_of(tree()), store).markets["BTCUSDT"]
    close_time = market.bars.close_time
    percent = column(market, "dated_basis", "percent", "dated_futures&index_price")
    np.testing.assert_allclose(percent[:240], 6.0, rtol=1e-9)
    np.testing.assert_allclose(percent[480:], -1.0, rtol=1e-9)
    days = column(market, "dated_basis", "days", "dated_futures&index_price")
    expiry_ns = START_NS + (24 * 84 + 8) * HOUR_NS
    np.testing.assert_allclose(days, (expiry_ns - close_time) / DAY_NS, rtol=1e-9)
    own, other = (
        column(market, "long_short", "z", clock, window_days=7, minimum_days=7)
        for clock in ("metrics", "metrics:second")
    )
    # The logarithm of a square is twice the logarithm: one z-score.
    np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-9)
    assert np.isfinite(own[-1])
    share = column(
        market, "reserve_dominance", "share", "exchange_reserves&exchange_reserves:venue"
    )
    # The day that ended before yesterday's noon: number 57 of those that are counted from 0.
    assert share[24 * 59 - 1] == pytest.approx(0.25 + 0.1 * 57 / 100.0)
    band = column(market, "listing", "band", "bars+listings")
    at = int(np.searchsorted(close_time, START_NS + 24 * 30 * HOUR_NS))
    assert band[at - 1] == 0.0
    assert (band[at : at + 72] == 3.0).all()
    assert band[-1] == 1.0
    score = column(market, "external_sentiment", "score", "external_sentiment")
    # Known an hour after its event, shown for a day from it.
    expected = np.full(HOURS, np.nan)
    expected[5:29], expected[40], expected[41:65] = 10.0, 80.0, 90.0
    np.testing.assert_array_equal(score, expected)
    pressure = column(market, "unlock_pressure", "band", "unlock_schedule")
    ahead = ((START_NS + 40 * DAY_NS) - close_time) / DAY_NS
    large = (ahead > 0) & (np.floor((close_time - START_NS) / DAY_NS) >= 26)
    listed = close_time >= START_NS + 2 * DAY_NS
    np.testing.assert_array_equal(pressure[listed] == 3.0, large[listed])


def test_the_basis_votes_in_a_run(store: Store) -> None:
    def votes_of(**head: bool) -> Any:
        heads = {"enabled": ["crypto_metrics"], "crypto_metrics": head}
        return run(config_of(tree(**heads)), store=store, runs=None)

    result, silent = votes_of(use_basis=True), votes_of()
    votes, other = result.votes["BTCUSDT"], silent.votes["BTCUSDT"]
    at = votes.names.index("crypto_metrics")
    # Steep contango and backwardation speak short, a normal contango long.
    for rows, side in ((slice(0, 240), -1), (slice(240, 480), 1), (slice(480, HOURS), -1)):
        alone = other.direction[rows, at] == 0
        assert alone.sum() > 50
        assert (votes.direction[rows, at][alone] == side).all()
    # Without the keys of the pair the same head knows less and says nothing of it.
    pair = {"name": "further", "data": {"instruments": [{"signals": SPOT}]}}
    heads = {"enabled": ["crypto_metrics"], "crypto_metrics": {"use_basis": True}}
    bare = run(config_of({**pair, "heads": heads}), store=store, runs=None).votes["BTCUSDT"]
    assert (bare.direction[:, at] == other.direction[:, at]).all()
    assert (bare.coverage[:, at] < votes.coverage[:, at]).all()
    content = run_content(result, "id", {})
    assert content["series"] == {"BTCUSDT": sorted(CLOCKS)}
    assert content["panels"] == {"BTCUSDT": []}


def test_a_window_looks_back_beyond_the_first_bar(store: Store) -> None:
    """A run that starts late sees what a run of everything sees."""
    whole = load_market_data(config_of(tree()), store).markets["BTCUSDT"]
    late_tree = tree()
    late_tree["data"]["start"] = "2021-02-20"
    market = load_market_data(config_of(late_tree), store).markets["BTCUSDT"]
    first = HOURS - len(market.bars)
    assert first == 50 * 24
    for clock in ("metrics", "metrics:second"):
        parameters = {"window_days": 30, "minimum_days": 30}
        full = column(whole, "long_short", "z", clock, **parameters)
        seen = column(market, "long_short", "z", clock, **parameters)
        assert np.isfinite(seen).all()
        np.testing.assert_allclose(seen, full[first:], rtol=1e-12)


def test_the_index_must_be_spot() -> None:
    perpetual = {**SPOT, "market": "um_perp"}
    with pytest.raises(
        ConfigError, match=r"index=binance/um_perp/BTCUSDT/test>mine is not of market spot"
    ):
        config_of(tree({"index": perpetual}))


@pytest.fixture(scope="module")
def real_store(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Store:
    made = Store(tmp_path_factory.mktemp("real"))
    names = (
        "klines/binance_spot_klines12_1h.parquet",
        "derivatives/binance_um_btc_quarterly_1d.parquet",
    )
    import_files(made, [real_data / name for name in names])
    ratios = real_data / "derivatives" / "okx_sol_long_short_ratio_1h_vintages.parquet"
    import_files(made, [ratios], market="linear_perp")
    return made


@pytest.mark.real
@pytest.mark.parametrize("timeframe", ["1h", "1d"])
def test_the_basis_of_the_real_quarterlies(
    real_store: Store, real_data: Path, timeframe: str
) -> None:
    """Against pandas on the files themselves: the nearest expiry more than two days after the day."""
    spot = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT", "source": "klines12"}
    pair = {"signals": spot, "index": spot, "dated_futures": FURTHER["dated_futures"]}
    data = {"timeframe": timeframe, "start": "2021-01-01", "end": "2023-12-31"}
    config = config_of({"name": "real", "data": {**data, "instruments": [pair]}})
    (market,) = signal_markets(config, config.instruments, real_store)
    percent = column(market, "dated_basis", "percent", "dated_futures&index_price")
    annual = column(market, "dated_basis", "annual", "dated_futures&index_price")

    frame = pd.read_parquet(real_data / "derivatives" / "binance_um_btc_quarterly_1d.parquet")
    frame["close_time"] = frame["open_time"].dt.tz_localize(None) + pd.Timedelta(days=1)
    frame["settles"] = frame["expiry"].dt.tz_localize(None) + pd.Timedelta(hours=8)
    frame["days"] = (frame["settles"] - frame["close_time"]) / pd.Timedelta(days=1)
    frame = frame[(frame["days"] > 2) & (frame["volume"] > 0)]
    # The file ends inside its last day.
    frame = frame[frame["close_time"] <= pd.Timestamp("2023-12-31")]
    front = frame.sort_values("settles").groupby("close_time").first()
    hours = pd.read_parquet(real_data / "klines" / "binance_spot_klines12_1h.parquet")
    hours = hours[hours["symbol"] == "BTCUSDT"]
    ended = hours["open_time"].dt.tz_localize(None) + pd.Timedelta(hours=1)
    front["spot"] = hours.set_index(ended)["close"].reindex(front.index)
    front = front.dropna()
    assert len(front) > 1050
    rows = np.searchsorted(market.bars.close_time, front.index.as_unit("ns").asi8)
    expected = 100.0 * (front["close"] / front["spot"] - 1.0)
    np.testing.assert_allclose(percent[rows], expected, atol=1e-9)
    np.testing.assert_allclose(annual[rows], expected * 365.0 / front["days"], atol=1e-6)

    def on(day: str) -> tuple[float, float]:
        row = np.searchsorted(market.bars.close_time, pd.Timestamp(day).value)
        return float(percent[row]), float(annual[row])

    # The bull market of spring 2021 paid half as much again for a year; after FTX futures were below.
    assert on("2021-04-14")[1] > 50.0
    assert on("2022-11-12")[0] < -0.5


@pytest.mark.real
def test_the_real_ratios_of_a_second_venue(real_store: Store, tmp_path: Path) -> None:
    """No file has bars of that fortnight: flat ones stand around the ratios of OKX."""
    key = DatasetKey.parse("metrics/okx/linear_perp/SOL/1h/long_short_vintages")
    rows = real_store.read(key)
    made = Store(tmp_path / "store")
    made.write(key, rows, provenance={})
    first_ns = int(rows["event_time"].cast(pa.int64()).to_numpy()[0]) * 1000
    count = len(rows)
    flat = pa.array(np.ones(count))
    made.write(
        DatasetKey.parse("ohlcv/binance/spot/SOLUSDT/1h/flat"),
        pa.table(
            {
                "open_time": pa.array(first_ns + HOUR_NS * np.arange(count)),
                **dict.fromkeys(("open", "high", "low", "close", "volume"), flat),
            }
        ),
        provenance={},
    )
    pair = {
        "signals": {"venue": "binance", "market": "spot", "symbol": "SOLUSDT"},
        "second_metrics": {"venue": "okx", "market": "linear_perp", "symbol": "SOL"},
    }
    config = config_of({"name": "real", "data": {"instruments": [pair]}})
    (market,) = signal_markets(config, config.instruments, made)
    second = market.series["metrics:second"]
    z = column(market, "long_short", "z", "metrics:second", window_days=7, minimum_days=7)
    # Nothing was captured before the fortnight was nearly over: no row is known earlier.
    captured_ns = int(second.available_at[0])
    assert captured_ns - int(second.event_time[0]) > 14 * DAY_NS
    assert np.isnan(z[market.bars.close_time < captured_ns]).all()
    first = int(np.searchsorted(market.bars.close_time, captured_ns))
    now_ns = market.bars.close_time[first]
    seen = int(np.searchsorted(second.available_at, now_ns, side="right")) - 1
    week = second.event_time > second.event_time[seen] - 7 * DAY_NS
    week[seen + 1 :] = False
    ratios = np.log(second.columns[RATIO][week])
    assert z[first] == pytest.approx((ratios[-1] - ratios.mean()) / ratios.std(), rel=1e-9)
