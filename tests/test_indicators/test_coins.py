"""Comparisons across coins against their definitions, day by day in plain Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.sectors import SECTORS as COINS_BY_SECTOR
from engine import DAY_NS, Float1D, MarketPanel
from indicators.altcoin_season import (
    ALTCOIN_SEASON,
    SECTOR_SEASON,
    SECTORS,
    season_band,
    season_strength,
)
from indicators.clock import Clock, clock_of
from indicators.coins import change_frequency, days_in_state
from indicators.rotation import LAYER_ROTATION, rotation_phase
from indicators.spec import Indicator
from tests.generators import random_market

WINDOW = 30


@dataclass(frozen=True)
class Coin:
    """A coin of a hand-made universe: a price for each day on which it has a bar, by day."""

    prices: Mapping[int, float]
    member: bool = True
    sectors: tuple[str, ...] = ()
    first_days: tuple[int, ...] = field(default=(0,))
    """Days on which a listing began."""

    def age(self, day: int) -> int:
        if day not in self.prices:
            return 0
        return day - max(first for first in self.first_days if first <= day) + 1

    def growth(self, day: int, days: int) -> float | None:
        if self.age(day) <= days or day - days not in self.prices:
            return None
        return self.prices[day] / self.prices[day - days]


def clock_from(days: int, coins: Sequence[Coin], own: int | None = None) -> Clock:
    """The clock ``universe`` of coins, the first of which is bitcoin."""
    shape = (days, len(coins))
    columns = {name: np.zeros(shape) for name in ("age", "member")}
    columns |= {f"in_{name}": np.zeros(shape) for name in SECTORS}
    columns["close"] = np.full(shape, np.nan)
    for index, coin in enumerate(coins):
        for day, price in coin.prices.items():
            columns["close"][day, index] = price
            columns["age"][day, index] = coin.age(day)
            columns["member"][day, index] = index > 0 and coin.member
        for name in coin.sectors:
            columns[f"in_{name}"][:, index] = 1.0
    times = np.arange(days, dtype=np.int64) * DAY_NS
    panel = MarketPanel(
        name="universe",
        symbols=tuple(f"C{index}" for index in range(len(coins))),
        own=own,
        benchmark=0,
        max_age_ns=3 * DAY_NS,
        event_time=times,
        available_at=times + DAY_NS,
        columns=columns,
    )
    market = random_market(10, 1)
    found = clock_of(type(market)(bars=market.bars, panels={"universe": panel}), "universe")
    assert found is not None
    return found


def computed(indicator: Indicator, clock: Clock, **parameters: float) -> dict[str, Float1D]:
    columns = {name: clock.columns[name] for name in indicator.inputs}
    outputs = indicator.compute(columns, indicator.resolved(parameters))
    return {output.name: column for output, column in zip(indicator.outputs, outputs, strict=True)}


def walk(seed: int, days: int, volatility: float = 0.05) -> list[float]:
    generator = np.random.default_rng(seed)
    return np.exp(np.cumsum(volatility * generator.standard_normal(days))).tolist()


def always(seed: int, days: int, **how: object) -> Coin:
    return Coin(dict(enumerate(walk(seed, days))), **how)


def literal_share(coins: Sequence[Coin], counted: Sequence[Coin], day: int, least: int) -> float:
    bitcoin = coins[0].growth(day, WINDOW)
    assert bitcoin is not None
    grown = [one for coin in counted if (one := coin.growth(day, WINDOW)) is not None]
    if len(grown) < least:
        return math.nan
    return 100.0 * sum(one > bitcoin for one in grown) / len(grown)


def ragged_coins(seed: int, days: int, count: int) -> list[Coin]:
    """Coins that are listed late, vanish, come back as new listings or lack days, in sectors."""
    generator = np.random.default_rng(seed)
    coins = [always(seed, days)]
    for index in range(count):
        prices = dict(enumerate(walk(1000 * seed + index, days)))
        first = int(generator.integers(0, days)) if generator.random() < 0.4 else 0
        last = int(generator.integers(first, days)) if generator.random() < 0.3 else days
        begins = [first]
        if generator.random() < 0.4:
            hole = int(generator.integers(first, days))
            prices = {day: price for day, price in prices.items() if not hole <= day < hole + 10}
            begins.append(hole + 10)
        missing = set(generator.integers(0, days, 3).tolist())
        prices = {
            day: price
            for day, price in prices.items()
            if first <= day <= last and (day not in missing or day in begins)
        }
        # A missing day is no comparison, but does not end a listing.
        sector = SECTORS[int(generator.integers(0, len(SECTORS)))]
        coins.append(Coin(prices, bool(generator.random() < 0.8), (sector,), tuple(begins)))
    return coins


@pytest.mark.parametrize("seed", range(4))
def test_the_index_is_the_share_of_members_that_beat_bitcoin(seed: int) -> None:
    days = 300
    coins = ragged_coins(seed, days, 18)
    found = computed(ALTCOIN_SEASON, clock_from(days, coins), window_days=WINDOW, least_coins=5)
    members = [coin for coin in coins[1:] if coin.member]
    assert np.isnan(found["index"][:WINDOW]).all()
    for day in range(WINDOW, days):
        expected = literal_share(coins, members, day, 5)
        assert found["index"][day] == pytest.approx(expected, abs=1e-12, nan_ok=True)
        counted = sum(coin.growth(day, WINDOW) is not None for coin in members)
        assert found["coins"][day] == counted


@pytest.mark.parametrize("seed", range(3))
def test_a_sector_counts_every_listed_coin_of_it(seed: int) -> None:
    days = 200
    coins = ragged_coins(seed, days, 24)
    found = computed(SECTOR_SEASON, clock_from(days, coins), window_days=WINDOW)
    assert set(found) == set(SECTORS) == set(COINS_BY_SECTOR)
    some = 0
    for sector in SECTORS:
        of_sector = [coin for coin in coins[1:] if sector in coin.sectors]
        for day in range(WINDOW, days):
            expected = literal_share(coins, of_sector, day, 3)
            some += not math.isnan(expected)
            assert found[sector][day] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert some > 100


def test_a_delisted_coin_counts_to_its_last_day_and_a_reused_name_not_across_it() -> None:
    """One that fell to nothing and came back under its name, a hundred thousand times dearer."""
    days = 120
    dead = {day: 1.0 if day < 50 else 0.0001 for day in range(60)}
    reborn = dict.fromkeys(range(75, days), 10.0)
    steady = [always(seed, days) for seed in range(9)]
    flat = Coin(dict.fromkeys(range(days), 1.0))
    coins = [flat, Coin({**dead, **reborn}, first_days=(0, 75)), *steady]
    found = computed(ALTCOIN_SEASON, clock_from(days, coins), window_days=WINDOW, least_coins=3)
    counted = found["coins"]
    assert (counted[WINDOW:60] == 10).all()
    assert (counted[60 : 75 + WINDOW] == 9).all()
    assert (counted[75 + WINDOW :] == 10).all()


def test_fewer_coins_than_wanted_say_nothing() -> None:
    coins = [always(seed, 100) for seed in range(10)]
    few = computed(ALTCOIN_SEASON, clock_from(100, coins), window_days=WINDOW)
    assert np.isnan(few["index"]).all()
    assert not few["band"].any()
    assert not few["side"].any()
    assert (few["phase_days"][WINDOW:] == 0).all()
    assert (few["coins"][WINDOW:] == 9).all()


def test_bitcoin_itself_is_given_no_side() -> None:
    days = 100
    coins = [Coin(dict.fromkeys(range(days), 1.0))]
    coins += [Coin({day: 1.0 + 0.01 * day for day in range(days)}) for _ in range(10)]
    for own, expected in ((0, 0.0), (1, 1.0), (None, 1.0)):
        found = computed(ALTCOIN_SEASON, clock_from(days, coins, own), window_days=WINDOW)
        assert (found["index"][WINDOW:] == 100.0).all()
        assert (found["side"][WINDOW:] == expected).all()


def test_bands_are_half_open() -> None:
    index = np.array([0.0, 24.99, 25.0, 39.99, 40.0, 59.99, 60.0, 74.99, 75.0, 100.0, np.nan])
    assert season_band(index).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0]
    strength = season_strength(np.array([0.0, 12.5, 25.0, 60.0, 75.0, 100.0]))
    assert strength.tolist() == [1.0, 0.5, 0.5, 0.5, 0.0, 1.0]
    assert np.isnan(season_strength(np.array([np.nan]))[0])


def test_phases_of_rotation_meet_at_their_edges() -> None:
    difference = np.array([11.0, 10.0, 3.0, 2.99, 0.0, -2.99, -3.0, -10.0, -10.01, np.nan])
    assert rotation_phase(difference).tolist() == [1, 2, 2, 3, 3, 3, 4, 4, 5, 0]


@pytest.mark.parametrize("use_median", [0, 1])
def test_rotation_is_the_difference_of_mean_returns(use_median: int) -> None:
    days = 200
    coins = ragged_coins(5, days, 60)
    found = computed(LAYER_ROTATION, clock_from(days, coins, 1), use_median=use_median)

    def centre(layer: str, day: int) -> float:
        returns = sorted(
            100.0 * (one - 1.0)
            for coin in coins
            if layer in coin.sectors and (one := coin.growth(day, 30)) is not None
        )
        if len(returns) < 2:
            return math.nan
        middle = len(returns) // 2
        if use_median:
            return 0.5 * (returns[middle] + returns[(len(returns) - 1) // 2])
        return math.fsum(returns) / len(returns)

    some = 0
    for day in range(30, days):
        first, second = centre("layer_1", day), centre("layer_2", day)
        some += not math.isnan(first - second)
        assert found["layer_1"][day] == pytest.approx(first, rel=1e-9, abs=1e-9, nan_ok=True)
        assert found["difference"][day] == pytest.approx(first - second, abs=1e-9, nan_ok=True)
        if not math.isnan(first - second):
            assert found["strength"][day] == pytest.approx(min(abs(first - second) / 100, 1))
    assert some > 100


def test_a_layer_leads_for_its_own_coins_only() -> None:
    days = 60
    rising = {day: 1.0 + 0.02 * day for day in range(days)}
    flat = dict.fromkeys(range(days), 1.0)
    coins = [Coin(flat), *(Coin(rising, sectors=("layer_1",)) for _ in range(2))]
    coins += [Coin(flat, sectors=("layer_2",)) for _ in range(2)] + [Coin(flat)]
    for own, side in ((1, 1.0), (3, -1.0), (5, 0.0), (0, 0.0), (None, 0.0)):
        found = computed(LAYER_ROTATION, clock_from(days, coins, own))
        assert (found["phase"][30:] == 1.0).all()
        assert (found["side"][30:] == side).all()


def literal_frequency(
    state: Sequence[int], level: Sequence[float], day: int, horizon: int, memory: int, least: int
) -> float:
    """Looks at every earlier day whose outcome is known, each time anew."""

    def side(at: int) -> float | None:
        if at < horizon or math.isnan(level[at]) or math.isnan(level[at - horizon]):
            return None
        return float(np.sign(level[at] - level[at - horizon]))

    if state[day] == 0 or side(day) is None:
        return math.nan
    outcomes = []
    for past in range(max(day - horizon - memory + 1, 0), day - horizon + 1):
        after = state[past + 1 : past + horizon + 1]
        if state[past] == state[day] and side(past) == side(day) and 0 not in after:
            outcomes.append(any(one != state[past] for one in after))
    return sum(outcomes) / len(outcomes) if len(outcomes) >= least else math.nan


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 7), memory=st.integers(5, 80))
def test_change_frequency_counts_what_was_known(seed: int, horizon: int, memory: int) -> None:
    generator = np.random.default_rng(seed)
    rows = 120
    state = generator.integers(0, 4, rows // 3).repeat(3)[:rows]
    level = np.round(generator.standard_normal(rows), 1)
    level[generator.random(rows) < 0.1] = np.nan
    found = change_frequency(
        state.astype(np.float64), level, states=4, horizon=horizon, memory=memory, least=2
    )
    for day in range(rows):
        expected = literal_frequency(state.tolist(), level.tolist(), day, horizon, memory, 2)
        assert found[day] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_days_in_a_state_are_counted_up_to_a_limit() -> None:
    state = np.array([0.0, 2.0, 2.0, 2.0, 2.0, 3.0, 0.0, 3.0])
    assert days_in_state(state, 3).tolist() == [0, 1, 2, 3, 3, 1, 0, 1]
