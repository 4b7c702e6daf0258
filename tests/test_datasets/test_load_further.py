"""Series made of several data sets, against searches through every row and tables made by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import (
    CoinSupply,
    DatasetKey,
    FurtherSources,
    Instrument,
    NoBarsError,
    Store,
    load_market,
    market_series_datasets,
)
from engine import DAY_NS, HOUR_NS, DataError, Market, Series
from tests.test_datasets.sample_files import START_NS, bar_table

SPOT = Instrument("binance", "spot", "BTCUSDT")
FUTURES = Instrument("binance", "um_future", "BTCUSDT")
BARS = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "test")
HOURS = 24 * 12
PRICES = ("open", "high", "low", "close")


class Bar(NamedTuple):
    """Hour of the open, hours after the close at which it is known, close, volume."""

    hour: int
    delay: int
    close: float
    volume: float = 1.0


def write_spot(store: Store) -> None:
    store.write(BARS, bar_table(HOURS), provenance={})


def write_contract(
    store: Store,
    symbol: str,
    expiry_hour: int,
    bars: Sequence[Bar],
    *,
    step: str = "1h",
    market: str = "um_future",
    source: str = "test",
) -> None:
    step_hours = {"1h": 1, "4h": 4, "1d": 24}[step]
    bars = sorted(bars)
    close = pa.array([bar.close for bar in bars])
    table = pa.table(
        {
            "open_time": pa.array([START_NS + HOUR_NS * bar.hour for bar in bars], pa.int64()),
            "available_at": pa.array(
                [START_NS + HOUR_NS * (bar.hour + step_hours + bar.delay) for bar in bars],
                pa.int64(),
            ),
            **dict.fromkeys(PRICES, close),
            "volume": pa.array([bar.volume for bar in bars]),
            "expiry": pa.array([START_NS + HOUR_NS * expiry_hour] * len(bars), pa.int64()),
        }
    )
    key = DatasetKey("dated_futures", "binance", market, symbol, step, source)
    store.write(key, table, provenance={})


def loaded(store: Store, as_of_ns: int | None = None, **named: Any) -> Market:
    further = FurtherSources(**named)
    return load_market(store, SPOT, "1h", further=further, as_of_ns=as_of_ns)


def dated_rows(series: Series | None) -> list[tuple[int, int, float, int]]:
    """Hour of the close, hour at which it is known, close, hour of the expiry."""
    if series is None:
        return []
    return [
        (
            (event - START_NS) // HOUR_NS + 1,
            (known - START_NS) // HOUR_NS,
            close,
            round((expiry - START_NS) / HOUR_NS),
        )
        for event, known, close, expiry in zip(
            series.event_time.tolist(),
            series.available_at.tolist(),
            series.columns["close"].tolist(),
            series.columns["expiry"].tolist(),
            strict=True,
        )
    ]


CONTRACTS = st.lists(
    st.tuples(
        st.integers(40, 120),
        st.lists(
            st.builds(
                Bar,
                hour=st.integers(0, 40),
                delay=st.integers(0, 3),
                close=st.integers(1, 99).map(float),
                volume=st.sampled_from([0.0, 1.0, 2.0]),
            ),
            min_size=1,
            max_size=12,
            unique_by=lambda bar: bar[:2],
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda contract: contract[0],
)


def followed(contracts: Sequence[tuple[int, Sequence[Bar]]]) -> list[tuple[int, int, float, int]]:
    """Hour by hour, what somebody writes down who looks at every bar that has come out."""
    written: list[tuple[int, int, float, int]] = []
    for now in range(60):
        for close_hour in range(1, now + 1):
            if written and close_hour <= written[-1][0]:
                continue
            seen = [
                (expiry, bar.hour + 1 + bar.delay, bar.close)
                for expiry, bars in contracts
                for bar in bars
                if bar.hour + 1 == close_hour
                and bar.hour + 1 + bar.delay <= now
                and bar.volume > 0
                and expiry - close_hour > 48
            ]
            if seen:
                expiry = min(one[0] for one in seen)
                known, close = min(one[1:] for one in seen if one[0] == expiry)
                written.append((close_hour, known, close, expiry))
    return written


@settings(max_examples=25, deadline=None)
@given(contracts=CONTRACTS, moment=st.integers(0, 50))
def test_the_contract_of_a_moment_is_chosen_from_what_was_out_then(
    tmp_path_factory: pytest.TempPathFactory,
    contracts: list[tuple[int, list[Bar]]],
    moment: int,
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_spot(store)
    for expiry, bars in contracts:
        write_contract(store, f"BTCUSDT_{expiry:03d}", expiry, bars)
    series = loaded(store, dated_futures=FUTURES).series.get("dated_futures")
    expected = followed(contracts)
    assert dated_rows(series) == expected
    # As of a moment it is the beginning of the same rows.
    then = START_NS + HOUR_NS * moment
    try:
        early = loaded(store, then, dated_futures=FUTURES).series.get("dated_futures")
    except NoBarsError:
        return
    assert dated_rows(early) == [row for row in expected if row[1] <= moment]


def test_the_contract_changes_when_two_days_are_left(store: Store) -> None:
    write_spot(store)
    write_contract(store, "BTCUSDT_A", 60, [Bar(hour, 0, 10.0) for hour in range(50)])
    write_contract(store, "BTCUSDT_B", 200, [Bar(hour, 0, 20.0) for hour in range(50)])
    rows = dated_rows(loaded(store, dated_futures=FUTURES).series["dated_futures"])
    # At the close of hour 12 exactly 48 hours are left, which is not more than two days.
    assert [row[0] for row in rows if row[2] == 10.0] == list(range(1, 12))
    assert [row[0] for row in rows if row[2] == 20.0] == list(range(12, 51))


@pytest.mark.parametrize(
    ("underlying", "expected"),
    [
        ("BTCUSDT", {"BTCUSDT_240628", "BTCUSDT-27JUN25"}),
        ("BTC", {"BTC-27JUN25"}),
        ("BTC-USDT", {"BTC-USDT-240628"}),
    ],
)
def test_a_contract_adds_one_word_to_the_symbol(
    store: Store, underlying: str, expected: set[str]
) -> None:
    write_spot(store)
    for symbol in ("BTCUSDT_240628", "BTCUSDT-27JUN25", "BTCUSDT2_240628", "BTC-27JUN25"):
        write_contract(store, symbol, 200, [Bar(0, 0, 1.0)])
    for symbol in ("BTC-USDT-240628", "BTCUSDT_", "ETHUSDT_240628"):
        write_contract(store, symbol, 200, [Bar(0, 0, 1.0)])
    further = FurtherSources(dated_futures=Instrument("binance", "um_future", underlying))
    keys = market_series_datasets(store, (SPOT,), further, "1h", "dated_futures")
    assert {key.symbol for key in keys} == expected


def test_of_several_steps_the_longest_that_fits_is_read(store: Store) -> None:
    write_spot(store)
    for step in ("1h", "4h", "1d"):
        write_contract(store, "BTCUSDT_A", 400, [Bar(0, 0, 1.0)], step=step)
    write_contract(store, "BTCUSDT_B", 500, [Bar(0, 0, 1.0)], step="1d")
    further = FurtherSources(dated_futures=FUTURES)
    for timeframe, steps in (("1h", ["1h", "1d"]), ("6h", ["4h", "1d"]), ("1d", ["1d", "1d"])):
        keys = market_series_datasets(store, (SPOT,), further, timeframe, "dated_futures")
        assert [key.step for key in keys] == steps


def write_index(store: Store, step: str, hours: Sequence[int], close: float) -> None:
    table = pa.table(
        {
            "event_time": pa.array([START_NS + HOUR_NS * hour for hour in hours]),
            "close": pa.array([close] * len(hours)),
        }
    )
    key = DatasetKey("index_price", "binance", "spot", "BTCUSDT", step, "test")
    store.write(key, table, provenance={})


def test_a_day_of_a_future_meets_the_index_that_closes_with_it(store: Store) -> None:
    write_spot(store)
    write_index(store, "1h", range(48), 7.0)
    write_contract(store, "BTCUSDT_A", 900, [Bar(0, 0, 1.0), Bar(24, 0, 2.0)], step="1d")
    market = loaded(store, dated_futures=FUTURES, index=SPOT)
    series = market.series["dated_futures"]
    assert [(time - START_NS) // HOUR_NS for time in series.event_time] == [23, 47]
    assert [(time - START_NS) // HOUR_NS for time in series.available_at] == [24, 48]
    # Shown over the next day too, and no longer.
    assert series.max_age_ns == HOUR_NS + 2 * DAY_NS
    # The store's own index is not replaced.
    assert (market.series["index_price"].columns["close"] == 7.0).all()


def test_spot_closes_stand_for_an_index_that_is_not_there(store: Store) -> None:
    table = bar_table(HOURS, without=(30,)).select(["open_time", *PRICES, "volume"])
    volume = table["volume"].to_numpy().copy()
    volume[5] = 0.0
    store.write(
        BARS,
        table.set_column(table.column_names.index("volume"), "volume", pa.array(volume)),
        provenance={},
    )
    write_contract(store, "BTCUSDT_A", 900, [Bar(0, 0, 1.0), Bar(24, 0, 2.0)], step="1d")
    assert "index_price" not in loaded(store, dated_futures=FUTURES).series
    market = loaded(store, dated_futures=FUTURES, index=SPOT)
    index = market.series["index_price"]
    expected = [hour for hour in range(HOURS) if hour not in (5, 30)]
    assert [(time - START_NS) // HOUR_NS for time in index.event_time] == expected
    np.testing.assert_array_equal(index.available_at, index.event_time + HOUR_NS)
    np.testing.assert_array_equal(index.columns["close"], market.bars.close[expected])
    assert index.max_age_ns == market.series["dated_futures"].max_age_ns


def test_two_expiries_of_one_contract_are_refused(store: Store) -> None:
    write_spot(store)
    write_contract(store, "BTCUSDT_A", 100, [Bar(0, 0, 1.0)], source="one")
    write_contract(store, "BTCUSDT_A", 101, [Bar(1, 0, 1.0)], source="two")
    with pytest.raises(DataError, match="2 sources of dated_futures: one, two"):
        loaded(store, dated_futures=FUTURES)
    both = Instrument("binance", "um_future", "BTCUSDT", ("one", "two"))
    with pytest.raises(DataError, match="2 expiries, 2021-01-05 04:00 and 2021-01-05 05:00"):
        loaded(store, dated_futures=both)


def test_what_is_named_must_be_there(store: Store) -> None:
    write_spot(store)
    named: Mapping[str, Any] = {
        "dated_futures": FUTURES,
        "second_metrics": Instrument("okx", "linear_perp", "BTC"),
        "venue_reserves": Instrument("binance", "exchanges", "BTC"),
        "index": Instrument("kraken", "spot", "BTCUSD"),
    }
    for name, instrument in named.items():
        with pytest.raises(DataError, match=f"{instrument.symbol}.*the store has no"):
            loaded(store, **{name: instrument})
    assert not loaded(store).series


def write_series(store: Store, key: str, hours: Sequence[int], column: str, value: float) -> None:
    table = pa.table(
        {
            "event_time": pa.array([START_NS + HOUR_NS * hour for hour in hours], pa.int64()),
            column: pa.array([value] * len(hours)),
        }
    )
    store.write(DatasetKey.parse(key), table, provenance={})


def test_a_second_venue_and_one_exchange_stand_beside_the_first(store: Store) -> None:
    write_spot(store)
    ratio = "count_long_short_ratio"
    write_series(store, "metrics/binance/spot/BTCUSDT/1h/test", range(20), ratio, 1.5)
    write_series(store, "metrics/okx/linear_perp/BTC/1h/test", range(10), ratio, 2.5)
    write_series(store, "exchange_reserves/binance/exchanges/BTC/1d/test", (0, 24), "reserve", 3.0)
    second = Instrument("okx", "linear_perp", "BTC")
    reserves = Instrument("binance", "exchanges", "BTC")
    market = loaded(store, second_metrics=second, venue_reserves=reserves)
    assert set(market.series) == {"metrics", "metrics:second", "exchange_reserves:venue"}
    assert (market.series["metrics"].columns[ratio] == 1.5).all()
    other = market.series["metrics:second"]
    assert other.name == "metrics:second"
    assert (other.columns[ratio] == 2.5).all()
    assert len(other.event_time) == 10
    venue = market.series["exchange_reserves:venue"]
    # A day is known at noon of the next one.
    np.testing.assert_array_equal(venue.available_at, venue.event_time + 36 * HOUR_NS)
    further = FurtherSources(second_metrics=second, venue_reserves=reserves)
    found = {
        name: [str(key) for key in market_series_datasets(store, (SPOT,), further, "1h", name)]
        for name in market.series
    }
    assert found == {
        "metrics": ["metrics/binance/spot/BTCUSDT/1h/test"],
        "metrics:second": ["metrics/okx/linear_perp/BTC/1h/test"],
        "exchange_reserves:venue": ["exchange_reserves/binance/exchanges/BTC/1d/test"],
    }


def hours_ns(hours: Sequence[int]) -> pa.Array:
    return pa.array([START_NS + HOUR_NS * hour for hour in hours], pa.int64())


def test_announcements_of_listings_in_the_order_in_which_they_came(store: Store) -> None:
    write_spot(store)
    announced = [  # event, known, action, takes effect
        (-100, -100, "list", -50),
        (10, 10, "delist", 80),
        (30, 30, "delist", 60),
        (30, 30, "list", 90),
        (40, 70, "delist", 99),
        (50, 50, "list", 55),
    ]
    event, known, action, effective = zip(*announced, strict=True)
    table = pa.table(
        {
            "event_time": hours_ns(event),
            "available_at": hours_ns(known),
            "action": pa.array(action),
            "effective_time": hours_ns(effective),
        }
    )
    key = DatasetKey("listings", "binance", "spot", "BTCUSDT", "event", "test")
    store.write(key, table, provenance={})

    def rows(market: Market) -> list[tuple[int, int, float]]:
        series = market.series["listings"]
        return [
            ((event - START_NS) // HOUR_NS, (known - START_NS) // HOUR_NS, side)
            for event, known, side in zip(
                series.event_time.tolist(),
                series.available_at.tolist(),
                series.columns["side"].tolist(),
                strict=True,
            )
        ]

    # The one of hour 40 came out when that of hour 50 was known already.
    expected = [(-100, -100, 1.0), (10, 10, -1.0), (30, 30, 1.0), (50, 50, 1.0)]
    assert rows(loaded(store)) == expected
    assert rows(loaded(store, START_NS + 30 * HOUR_NS)) == expected[:3]
    assert market_series_datasets(store, (SPOT,), FurtherSources(), "1h", "listings") == (key,)


class Unlock(NamedTuple):
    """Hours of the announcement and of the release, who receives, coins, stated fraction."""

    announced: int
    released: int
    category: str
    tokens: float
    stated: float | None = None


def write_unlocks(store: Store, unlocks: Sequence[Unlock]) -> DatasetKey:
    event, released, category, tokens, stated = zip(*sorted(unlocks), strict=True)
    table = pa.table(
        {
            "event_time": hours_ns(event),
            "unlock_time": hours_ns(released),
            "category": pa.array(category),
            "tokens": pa.array(tokens),
            "fraction_of_supply": pa.array(stated, pa.float64()),
        }
    )
    key = DatasetKey("unlocks", "binance", "spot", "BTCUSDT", "event", "test")
    store.write(key, table, provenance={})
    return key


def write_supply(store: Store, lists: Sequence[tuple[int, str, float | None]]) -> CoinSupply:
    """Lists by the hour of their date; each is known 36 hours later."""
    event, asset, coins = zip(*sorted(lists), strict=True)
    table = pa.table(
        {
            "event_time": hours_ns(event),
            "asset": pa.array(asset),
            "symbol": pa.array(["BTC"] * len(asset)),
            "circulating_supply": pa.array(coins, pa.float64()),
        }
    )
    key = DatasetKey("universe", "vendor", "coins", "all", "event", "test")
    store.write(key, table, provenance={})
    return CoinSupply(Instrument("vendor", "coins", "all"), "Bitcoin")


def fractions(market: Market) -> dict[int, tuple[float, float, float]]:
    """By the day since the start: fractions of 7, 14 and 30 days."""
    series = market.series["unlock_schedule"]
    np.testing.assert_array_equal(series.available_at, series.event_time)
    columns = (series.columns[f"fraction_{days}d"].tolist() for days in (7, 14, 30))
    days = ((series.event_time - START_NS) // DAY_NS).tolist()
    return dict(zip(days, zip(*columns, strict=True), strict=True))


def test_unlocks_are_those_announced_by_each_midnight_over_the_float_seen_then(
    store: Store,
) -> None:
    write_spot(store)
    write_unlocks(
        store,
        [
            Unlock(30, 24 * 10, "team", 10.0),
            Unlock(30, 24 * 25, "team", 40.0),
            # Known at noon of the fourth day: a month is larger from the fifth midnight on.
            Unlock(24 * 4 + 12, 24 * 20, "investors", 100.0),
            # Moves nothing but the number of coins.
            Unlock(24 * 6, 24 * 25, "team", 60.0),
        ],
    )
    supply = write_supply(
        store, [(-48, "Bitcoin", 1000.0), (-48, "Other", 1.0), (24 * 5, "Bitcoin", 2000.0)]
    )
    market = loaded(store, supply=supply)
    found = fractions(market)
    expected = {
        2: (0.0, 0.010, 0.050),
        3: (0.010, 0.010, 0.050),
        4: (0.010, 0.010, 0.050),
        5: (0.010, 0.010, 0.150),
        6: (0.010, 0.110, 0.170),
        # The list of the fifth day is known at noon of the sixth, and is seen from the seventh on.
        7: (0.005, 0.055, 0.085),
        8: (0.005, 0.055, 0.085),
        9: (0.005, 0.055, 0.085),
        # What is released at this moment is not ahead any more.
        10: (0.0, 0.050, 0.080),
        11: (0.0, 0.080, 0.080),
        12: (0.0, 0.080, 0.080),
    }
    assert found.keys() == expected.keys()
    for day, row in expected.items():
        assert found[day] == pytest.approx(row, abs=1e-15), day
    for day in (2, 5, 8):
        early = fractions(loaded(store, START_NS + DAY_NS * day, supply=supply))
        assert early == {one: row for one, row in found.items() if one <= day}
    further = FurtherSources(supply=supply)
    keys = market_series_datasets(store, (SPOT,), further, "1h", "unlock_schedule")
    assert [key.kind for key in keys] == ["unlocks", "universe"]


def test_without_a_float_the_announcement_s_own_fraction_counts_or_nothing(store: Store) -> None:
    write_spot(store)
    write_unlocks(
        store,
        [
            Unlock(0, 24 * 9, "team", 10.0, 0.02),
            Unlock(24, 24 * 20, "team", 10.0),
            # Withdrawn on the fourth day.
            Unlock(24 * 4, 24 * 20, "team", 10.0, 0.0),
        ],
    )
    found = fractions(loaded(store))
    assert found[0] == (0.0, 0.02, 0.02)
    assert found[1][:2] == (0.0, 0.02)
    assert np.isnan(found[1][2]), "an unlock without a fraction leaves its windows unknown"
    assert found[4] == (0.02, 0.02, 0.02)
    # A list that is older than lists are shown states no float.
    old = write_supply(store, [(-24 * 60, "Bitcoin", 1000.0)])
    assert np.isnan(fractions(loaded(store, supply=old))[1][2])


def test_unlocks_without_any_number_are_absent(store: Store) -> None:
    write_spot(store)
    write_unlocks(store, [Unlock(0, 24 * 3, "team", 10.0)])
    series = loaded(store).series
    assert fractions(loaded(store))[4] == (0.0, 0.0, 0.0)
    assert np.isnan(series["unlock_schedule"].columns["fraction_7d"][0])
    supply = write_supply(store, [(0, "Bitcoin", 1000.0)])
    with pytest.raises(DataError, match=r"names the asset 'Bitcoins'.*such as 'Bitcoin'"):
        loaded(store, supply=CoinSupply(supply.coins, "Bitcoins"))


def test_a_series_brings_its_past_unless_it_ended_before_the_bars(store: Store) -> None:
    write_spot(store)
    day = 24
    coarse = list(range(-1000 * day, 5 * day, day))
    write_series(store, "metrics/binance/spot/BTCUSDT/1d/test", coarse, "sum_open_interest", 1.0)
    fine = [-401 * day, -400 * day, -399 * day, 0]
    write_series(store, "premium_index/binance/spot/BTCUSDT/5m/test", fine, "close", 0.5)
    # What could be shown on no bar leaves its place to the next.
    write_series(store, "tvl/binance/spot/BTCUSDT/1d/test", [-5 * day], "tvl_usd", 1.0)
    write_series(store, "tvl/other/total/all/1d/test", [0], "tvl_usd", 2.0)
    market = load_market(store, SPOT, "1h", series_from=(Instrument("other", "total", "all"),))
    hours = {
        name: ((series.event_time - START_NS) // HOUR_NS).tolist()
        for name, series in market.series.items()
    }
    assert hours["metrics"] == coarse
    assert hours["premium_index"] == fine[1:]
    assert (market.series["tvl"].columns["tvl_usd"] == 2.0).all()
