"""What a schedule of unlocks will release, against tables made by hand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from datasets import (
    CoinSupply,
    DatasetKey,
    FurtherSources,
    Instrument,
    Store,
    market_series_datasets,
)
from engine import DAY_NS, DataError, Market
from tests.test_datasets.further_series import SPOT, hours_ns, loaded, write_spot
from tests.test_datasets.sample_files import START_NS


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
