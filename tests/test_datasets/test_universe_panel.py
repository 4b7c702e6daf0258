"""The panel of the universe: who is in it on which day, from hand-made histories of coins."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from datasets import (
    DatasetKey,
    Instrument,
    Store,
    UniverseRule,
    load_benchmark,
    load_universe,
    with_own,
)
from datasets.sectors import RENAMES, SECTORS, STABLE, WRAPPED, base_of
from engine import DAY_NS, HOUR_NS, ConfigError, Float1D, MarketPanel
from tests.test_datasets.sample_files import utc_ns

START_NS = utc_ns("2021-01-04 00:00")
STEP_HOURS = 6
PER_DAY = 24 // STEP_HOURS
RULE = UniverseRule(size=50, minimum_listed_days=5, lookback_days=3, rebalance="1d")


def instrument(symbol: str) -> Instrument:
    return Instrument("binance", "spot", symbol)


BITCOIN = instrument("BTCUSDT")


def write(
    store: Store,
    symbol: str,
    bars: Sequence[int],
    *,
    start_ns: int = START_NS,
    close: Sequence[float] | None = None,
    volume: float = 1.0,
) -> Instrument:
    """Six-hour bars by their number since ``start_ns``."""
    prices = [1.0 + 0.001 * bar for bar in bars] if close is None else list(close)
    table = pa.table(
        {
            "open_time": pa.array([start_ns + STEP_HOURS * HOUR_NS * bar for bar in bars]),
            **{name: pa.array(prices) for name in ("open", "high", "low", "close")},
            "volume": pa.array([volume] * len(prices)),
        }
    )
    store.write(DatasetKey("ohlcv", "binance", "spot", symbol, "6h", "test"), table, provenance={})
    return instrument(symbol)


def days(first: int, stop: int) -> range:
    return range(first * PER_DAY, stop * PER_DAY)


def panel_of(
    store: Store, others: Sequence[Instrument], rule: UniverseRule = RULE, **how: object
) -> MarketPanel:
    loaded = load_universe(store, [BITCOIN, *others], BITCOIN, rule, **how)
    assert {key.symbol for key in loaded.datasets} >= {BITCOIN.symbol}
    return loaded.panel


def column(panel: MarketPanel, name: str, symbol: str) -> Float1D:
    found: Float1D = panel.columns[name][:, panel.symbols.index(symbol)]
    return found


def test_a_day_is_known_when_it_has_ended(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 20))
    coin = write(store, "ETHUSDT", days(2, 20))
    panel = panel_of(store, [coin])
    assert panel.symbols == ("BTC", "ETH")
    assert panel.benchmark == 0
    assert panel.own is None
    assert panel.event_time.tolist() == [START_NS + day * DAY_NS for day in range(20)]
    assert (panel.available_at - panel.event_time == DAY_NS).all()
    close = column(panel, "close", "ETH")
    assert np.isnan(close[:2]).all()
    assert close[2:].tolist() == [1.0 + 0.001 * (PER_DAY * day + 3) for day in range(2, 20)]
    assert column(panel, "age", "ETH").tolist() == [0, 0, *range(1, 19)]
    # Listed for five days at the choice that ends the day.
    assert column(panel, "member", "ETH").tolist() == [0.0] * 6 + [1.0] * 14
    assert not column(panel, "member", "BTC").any()
    assert column(panel, "in_layer_1", "ETH").all()
    assert not panel.columns["in_defi"].any()


def test_a_delisted_coin_stays_until_its_last_day(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 30))
    coin = write(store, "LUNAUSDT", days(0, 15))
    panel = panel_of(store, [coin])
    assert column(panel, "member", "LUNA")[4:15].all()
    assert not column(panel, "member", "LUNA")[15:].any()
    assert not column(panel, "age", "LUNA")[15:].any()
    # A hole is only known as a delisting once it is a week long.
    assert np.isnan(column(panel, "close", "LUNA")[21:]).all()


def test_a_name_that_comes_back_after_a_week_is_a_new_listing(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 40))
    short = write(store, "ADAUSDT", [*days(0, 10), *days(13, 40)])
    long = write(store, "LUNAUSDT", [*days(0, 10), *days(20, 40)])
    panel = panel_of(store, [short, long])
    assert column(panel, "age", "ADA").tolist() == [*range(1, 11), 0, 0, 0, *range(14, 41)]
    assert column(panel, "age", "LUNA").tolist() == [*range(1, 11), *[0] * 10, *range(1, 21)]
    assert column(panel, "member", "LUNA")[20:].tolist() == [0.0] * 4 + [1.0] * 16


def test_stable_and_wrapped_coins_are_left_out(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 20))
    coins = [write(store, f"{base}USDT", days(0, 20)) for base in ("ETH", "USDC", "UST", "WBTC")]
    assert panel_of(store, coins).symbols == ("BTC", "ETH")
    assert {"USDC", "UST"} <= STABLE
    assert "WBTC" in WRAPPED


def test_the_size_of_the_universe_is_an_upper_limit(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 20), volume=1e6)
    names = ("AAA", "BBB", "CCC")
    coins = [
        write(store, f"{name}USDT", days(0, 20), volume=float(rank))
        for rank, name in enumerate(names, start=1)
    ]
    whole = panel_of(store, coins)
    assert whole.columns["member"][10].tolist() == [0, 1, 1, 1]
    two = panel_of(store, coins, UniverseRule(size=2, minimum_listed_days=5, rebalance="1d"))
    assert two.columns["member"][10].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("size", [50, 1])
def test_a_renamed_coin_is_one_coin_and_stays_a_member(store: Store, size: int) -> None:
    """MATIC until it was exchanged for POL one for one; an earlier POL was another coin."""
    (rename,) = (one for one in RENAMES if one.new == "POL")
    start_ns = rename.since_ns - 20 * DAY_NS
    write(store, "BTCUSDT", days(0, 40), start_ns=start_ns)
    old = write(store, "MATICUSDT", days(0, 22), start_ns=start_ns, volume=9.0)
    bars = [*days(0, 5), *days(20, 40)]
    new = write(store, "POLUSDT", bars, start_ns=start_ns, close=[7.0] * len(bars), volume=9.0)
    other = write(store, "ETHUSDT", days(0, 40), start_ns=start_ns, volume=0.1)
    rule = UniverseRule(size=size, minimum_listed_days=5, lookback_days=3, rebalance="1d")
    panel = panel_of(store, [old, new, other], rule)
    assert panel.symbols == ("BTC", "POL", "ETH")
    close = column(panel, "close", "POL")
    assert close[19] == pytest.approx(1.0 + 0.001 * 79)
    assert (close[20:] == 7.0).all()
    assert column(panel, "age", "POL").tolist() == list(range(1, 41))
    assert column(panel, "member", "POL")[5:].all()
    assert column(panel, "in_layer_2", "POL").all()
    for symbol in ("MATICUSDT", "POLUSDT"):
        assert with_own(panel, symbol, "USDT").own == 1


def test_the_own_coin_is_found_by_its_base() -> None:
    assert base_of("BTCUSDT", "USDT") == "BTC"
    assert base_of("btc/usdt", "USDT") == "BTC"
    assert base_of("1000SHIBUSDT", "USDT") == "SHIB"
    assert base_of("1INCHUSDT", "USDT") == "1INCH"
    assert base_of("BTCSIM", "SIM") == "BTC"
    with pytest.raises(ConfigError, match="'BTCEUR' is not priced in USDT"):
        base_of("BTCEUR", "USDT")


def test_a_market_whose_coin_is_not_there_has_none_of_its_own(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 10))
    panel = panel_of(store, [write(store, "ETHUSDT", days(0, 10))])
    assert with_own(panel, "ETHUSDT", "USDT").own == 1
    assert with_own(panel, "SOLUSDT", "USDT").own is None
    assert with_own(panel, "ETHBTC", "USDT").own is None


def test_no_coin_stands_in_two_lists_that_exclude_each_other() -> None:
    named = {base for names in SECTORS.values() for base in names}
    assert not named & (STABLE | WRAPPED)
    assert not STABLE & WRAPPED
    assert "BTC" not in named
    assert all(len(set(names)) == len(names) for names in SECTORS.values())
    for rename in RENAMES:
        assert [rename.old in names for names in SECTORS.values()] == [
            rename.new in names for names in SECTORS.values()
        ]


def test_two_instruments_of_one_coin_are_refused(store: Store) -> None:
    coins = [write(store, name, days(0, 10)) for name in ("SHIBUSDT", "1000SHIBUSDT")]
    write(store, "BTCUSDT", days(0, 10))
    with pytest.raises(ConfigError, match="are one coin, SHIB; name one of them"):
        panel_of(store, coins)
    with pytest.raises(ConfigError, match="no coin among them beside the benchmark"):
        panel_of(store, [])


@pytest.mark.parametrize("ticker", ["unique", "renamed", "shared"])
def test_market_caps_come_from_the_list_that_was_known(store: Store, ticker: str) -> None:
    write(store, "BTCUSDT", days(0, 20))
    coins = [write(store, f"{base}USDT", days(0, 20)) for base in ("AAA", "BBB", "CCC")]
    listed = Instrument("vendor", "coins", "all")
    rows = [(2, "Aaa", "AAA", 10.0), (2, "Bbb", "BBB", 20.0), (12, "Bbb", "BBB", 20.0)]
    rows += [(12, "Aaa", "AAA", 30.0)] if ticker == "unique" else [(12, "Renamed", "AAA", 30.0)]
    rows += [(12, "Other", "AAA", 99.0)] if ticker == "shared" else [(12, "AAA", "XXX", 99.0)]
    rows.sort()
    table = pa.table(
        {
            "event_time": pa.array([START_NS + DAY_NS * row[0] for row in rows]),
            "asset": pa.array([row[1] for row in rows]),
            "symbol": pa.array([row[2] for row in rows]),
            "market_cap_usd": pa.array([row[3] for row in rows]),
        }
    )
    key = DatasetKey("universe", "vendor", "coins", "all", "event", "test")
    store.write(key, table, provenance={})
    rule = UniverseRule(size=1, by="market_cap", minimum_listed_days=0, rebalance="1d")
    if ticker == "shared":
        words = "on 2021-01-16 00:00 AAA is Other or Renamed; say which with assets"
        with pytest.raises(ConfigError, match=words):
            panel_of(store, coins, rule, coins=listed)
        told = panel_of(store, coins, rule, coins=listed, assets={"AAA": "Other"})
        assert told.columns["member"][3].tolist() == [0, 0, 1, 0]
        assert told.columns["member"][19].tolist() == [0, 1, 0, 0]
        return
    member = panel_of(store, coins, rule, coins=listed).columns["member"]
    # Dated a day, known at noon of the next one: on the day that ends after that.
    assert [int(member[day].argmax()) for day in (3, 12, 13, 19)] == [2, 2, 1, 1]
    assert not member[2].any()
    assert (member.sum(axis=1)[3:] == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_cutting_off_the_future_never_changes_the_past(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    total = 45 * PER_DAY
    lives: dict[str, list[int]] = {"BTCUSDT": list(range(total))}
    for base in ("ETH", "SOL", "LUNA", "UNI", "MATIC"):
        begin, end = sorted(generator.integers(0, total, 2).tolist())
        hole = int(generator.integers(begin, end + 1))
        width = int(generator.choice([2, PER_DAY + 1, 9 * PER_DAY]))
        bars = [bar for bar in range(begin, end + 1) if not hole < bar <= hole + width]
        lives[f"{base}USDT"] = bars
    volumes = {symbol: float(generator.integers(1, 9)) for symbol in lives}
    rule = UniverseRule(size=2, minimum_listed_days=3, lookback_days=4, rebalance="1d")

    def seen(until: int) -> MarketPanel:
        """What a store shows that was filled up to a bar."""
        store = Store(tmp_path_factory.mktemp("store"))
        coins = []
        for symbol, bars in lives.items():
            known = [bar for bar in bars if bar < until]
            if known:
                coins.append(write(store, symbol, known, volume=volumes[symbol]))
        return panel_of(store, coins[1:], rule)

    whole = seen(total)
    compared = 0
    for day in sorted(generator.choice(np.arange(8, 45), 3, replace=False).tolist()):
        until = day * PER_DAY
        if sum(bars[0] < until for bars in lives.values() if bars) < 3:
            continue
        part = seen(until)
        assert part.event_time.tolist() == whole.event_time[:day].tolist()
        for symbol in part.symbols:
            for name in part.columns:
                np.testing.assert_array_equal(
                    column(part, name, symbol), column(whole, name, symbol)[:day]
                )
                compared += 1
    assert compared


def test_bars_beside_the_benchmark_are_known_at_their_close(store: Store) -> None:
    write(store, "BTCUSDT", days(0, 4))
    own = write(store, "ETHUSDT", [bar for bar in days(1, 3) if bar != 6])
    loaded = load_benchmark(store, own, BITCOIN, "6h")
    panel = loaded.panel
    assert (panel.own, panel.benchmark) == (0, 1)
    assert (panel.available_at - panel.event_time == STEP_HOURS * HOUR_NS).all()
    assert np.isnan(panel.columns["close"][:, 0]).nonzero()[0].tolist() == [
        0,
        1,
        2,
        3,
        6,
        *range(12, 16),
    ]
    assert not np.isnan(panel.columns["close"][:, 1]).any()
    alone = load_benchmark(store, BITCOIN, BITCOIN, "12h").panel
    assert (alone.own, alone.benchmark) == (0, 0)
    assert alone.columns["close"].shape == (8, 1)
