"""Choosing the universe against a literal choice, and under a future that is cut off."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DatasetKey, Instrument, Store, Universe, UniverseRule, select_universe
from engine import DAY_NS, HOUR_NS, ConfigError, DataError
from tests.test_datasets.sample_files import utc_ns

MONDAY_NS = utc_ns("2021-01-04 00:00")
NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE")
COINS = Instrument("coinmarketcap", "coins", "top")
COINS_KEY = DatasetKey("universe", "coinmarketcap", "coins", "top", "event", "test")
STEP_HOURS = 6
PER_DAY = 24 // STEP_HOURS


def instrument(name: str) -> Instrument:
    return Instrument("binance", "spot", name)


def key_of(name: str) -> DatasetKey:
    return DatasetKey("ohlcv", "binance", "spot", name, "6h", "test")


def write_bars(
    store: Store,
    name: str,
    volumes: Sequence[float],
    first: int = 0,
    without: Sequence[int] = (),
    stated: bool = False,
) -> None:
    """Six-hour bars at price 2; ``volumes`` in base currency, of bars from number ``first`` on."""
    rows = [row for row in range(len(volumes)) if row not in without]
    price = pa.array([2.0] * len(rows))
    columns = {
        "open_time": pa.array(
            [MONDAY_NS + STEP_HOURS * HOUR_NS * (first + row) for row in rows], pa.int64()
        ),
        **dict.fromkeys(("open", "high", "low", "close"), price),
        "volume": pa.array([float(volumes[row]) for row in rows]),
    }
    if stated:
        columns["quote_volume"] = pa.array([10.0 * volumes[row] for row in rows])
    store.write(key_of(name), pa.table(columns), provenance={})


def members(universe: Universe, row: int) -> set[str]:
    return {universe.instruments[column].symbol for column in np.flatnonzero(universe.member[row])}


def row_at(universe: Universe, day: int) -> int:
    """The bar that closes at the end of ``day``, counted from the Monday."""
    return int(
        np.searchsorted(universe.open_time, MONDAY_NS + (day + 1) * DAY_NS - STEP_HOURS * HOUR_NS)
    )


LIVES = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(1, 90),
        st.lists(st.integers(0, 5), min_size=90, max_size=90),
        st.sets(st.integers(1, 88), max_size=40),
    ),
    min_size=3,
    max_size=5,
)
RULES = st.builds(
    UniverseRule,
    size=st.integers(1, 3),
    lookback_days=st.integers(1, 8),
    minimum_listed_days=st.integers(0, 5),
    rebalance=st.sampled_from(["1d", "2d", "1w"]),
    keep_until_rank=st.none() | st.integers(3, 5),
)
Life = tuple[int, int, list[int], set[int]]


def store_of(store: Store, lives: Sequence[Life], until: int | None = None) -> list[Instrument]:
    """Write the instruments as far as their bars close by bar number ``until``; those that have any."""
    written = []
    for name, (first, rows, volumes, missing) in zip(NAMES, lives, strict=False):
        count = rows if until is None else min(rows, until - first)
        there = [row for row in range(max(count, 0)) if row not in missing]
        if there:
            write_bars(store, name, volumes[:count], first, sorted(missing))
            written.append(instrument(name))
    return written


def literal_members(lives: Sequence[Life], rule: UniverseRule, bar: int) -> set[str]:
    """Who is a member at a bar, from the definition: every choice since the first bar, one by one."""
    bars: list[dict[int, int]] = []
    for first, rows, volumes, missing in lives:
        bars.append({first + r: volumes[r] for r in range(rows) if r not in missing or r == 0})
    step_days = {"1d": 1, "2d": 2, "1w": 7}[rule.rebalance]
    origin_days = 0 if rule.rebalance == "1w" else (MONDAY_NS // DAY_NS) % step_days
    members: list[int] = []
    moment_days = [d for d in range(-7, 40) if (d + origin_days) % step_days == 0]
    first_bar = min(min(b) for b in bars)
    due = [d for d in moment_days if d * PER_DAY <= first_bar + 1]
    for day in [max(due), *(d for d in moment_days if d > max(due))]:
        if day * PER_DAY > bar + 1:
            break
        scores = {}
        for index, own in enumerate(bars):
            whole_first = -(-min(own) // PER_DAY)
            days = range(max(whole_first, day - rule.lookback_days), day)
            yesterday = [b for b in own if b // PER_DAY == day - 1]
            age = day - min(own) / PER_DAY
            if not yesterday or day - 1 not in days or age < rule.minimum_listed_days:
                continue
            score = sum(own[b] for b in own if b // PER_DAY in days)
            if score > 0:
                scores[index] = score
        ranked = sorted(scores, key=lambda index: (-scores[index], index))
        stay = [i for i in ranked[: rule.keep_until_rank or rule.size] if i in members][: rule.size]
        members = [*stay, *[i for i in ranked if i not in stay][: rule.size - len(stay)]]
    return {NAMES[index] for index in members if bar in bars[index]}


@settings(max_examples=60)
@given(lives=LIVES, rule=RULES)
def test_membership_equals_the_definition(
    tmp_path_factory: pytest.TempPathFactory, lives: list[Life], rule: UniverseRule
) -> None:
    lives = [(f, r, v, {m for m in missing if m < r - 1}) for f, r, v, missing in lives]
    store = Store(tmp_path_factory.mktemp("store"))
    instruments = store_of(store, lives)
    universe = select_universe(store, instruments, "6h", rule, cache=False)
    for row, open_ns in enumerate(universe.open_time.tolist()):
        bar = (open_ns - MONDAY_NS) // (STEP_HOURS * HOUR_NS)
        assert members(universe, row) == literal_members(lives, rule, bar), bar
    assert (universe.chosen.sum(axis=1) <= rule.size).all()


@settings(max_examples=40)
@given(lives=LIVES, rule=RULES, until=st.integers(1, 100))
def test_cutting_off_the_future_never_changes_the_past(
    tmp_path_factory: pytest.TempPathFactory, lives: list[Life], rule: UniverseRule, until: int
) -> None:
    whole = Store(tmp_path_factory.mktemp("whole"))
    instruments = store_of(whole, lives)
    full = select_universe(whole, instruments, "6h", rule, cache=False)
    cut = Store(tmp_path_factory.mktemp("cut"))
    known = store_of(cut, lives, until)
    if not known:
        return
    prefix = select_universe(cut, known, "6h", rule, cache=False)
    np.testing.assert_array_equal(prefix.open_time, full.open_time[: len(prefix.open_time)])
    for row in range(len(prefix.open_time)):
        assert members(prefix, row) == members(full, row)


@pytest.mark.parametrize("returns", [False, True])
def test_whether_a_coin_comes_back_does_not_show_before(store: Store, returns: bool) -> None:
    # It stops at 12:00 of the second day.
    write_bars(store, "AAA", [9] * 40 if returns else [9] * 6, without=range(6, 30))
    write_bars(store, "BBB", [5] * 40)
    rule = UniverseRule(size=1, lookback_days=2, minimum_listed_days=0, rebalance="1d")
    universe = select_universe(store, [instrument("AAA"), instrument("BBB")], "6h", rule)
    assert universe.chosen[2:4].tolist() == [[True, False], [False, True]]


def test_a_delisted_coin_is_a_member_until_its_last_bar(store: Store) -> None:
    write_bars(store, "AAA", [9] * 60)
    write_bars(store, "BBB", [5] * 100)
    write_bars(store, "CCC", [1] * 100)
    write_bars(store, "DDD", [7] * 60, first=40)
    rule = UniverseRule(size=2, lookback_days=2, minimum_listed_days=2, rebalance="1d")
    universe = select_universe(store, [instrument(name) for name in NAMES[:4]], "6h", rule)
    assert members(universe, 0) == set()
    assert members(universe, 8) == {"AAA", "BBB"}
    assert members(universe, 59) == {"AAA", "DDD"}
    assert members(universe, 60) == {"DDD"}
    assert members(universe, 64) == {"BBB", "DDD"}
    # Not before its second listed day, however large it is.
    assert all("DDD" not in members(universe, row) for row in range(47))
    assert "DDD" in members(universe, 47)


@pytest.mark.parametrize(("days_away", "first_choice_back"), [(6, 1), (8, 4)])
def test_what_comes_back_after_a_week_is_a_new_listing(
    store: Store, days_away: int, first_choice_back: int
) -> None:
    away = range(40, 40 + 4 * days_away)
    write_bars(store, "AAA", [9] * 120, without=away)
    rule = UniverseRule(size=1, lookback_days=1, minimum_listed_days=4, rebalance="1d")
    universe = select_universe(store, [instrument("AAA")], "6h", rule)
    back = int(np.flatnonzero(universe.open_time == MONDAY_NS + 6 * HOUR_NS * away.stop)[0])
    chosen_again = int(np.flatnonzero(universe.member[back:, 0])[0])
    # The bar that closes at the choice is the first that shows it.
    assert chosen_again == 4 * first_choice_back - 1


def test_stated_quote_volume_counts_before_the_estimate(store: Store) -> None:
    write_bars(store, "AAA", [4] * 40, stated=True)
    write_bars(store, "BBB", [10] * 40)
    rule = UniverseRule(size=1, lookback_days=2, minimum_listed_days=0, rebalance="1d")
    universe = select_universe(store, [instrument("AAA"), instrument("BBB")], "6h", rule)
    # 40 stated against 2 x 10 estimated.
    assert members(universe, 30) == {"AAA"}


def test_a_member_stays_while_it_is_near(store: Store) -> None:
    write_bars(store, "AAA", [10] * 8 + [8] * 8 + [1] * 24)
    write_bars(store, "BBB", [9] * 40)
    write_bars(store, "CCC", [5] * 40)
    names = [instrument(name) for name in NAMES[:3]]
    daily = {"lookback_days": 1, "minimum_listed_days": 0, "rebalance": "1d"}
    strict = select_universe(store, names, "6h", UniverseRule(size=1, **daily))
    sticky = select_universe(store, names, "6h", UniverseRule(size=1, keep_until_rank=2, **daily))
    assert [members(strict, row_at(strict, day)) for day in (1, 3, 5)] == [
        {"AAA"},
        {"BBB"},
        {"BBB"},
    ]
    assert [members(sticky, row_at(sticky, day)) for day in (1, 3, 5)] == [
        {"AAA"},
        {"AAA"},
        {"BBB"},
    ]


def write_coins(store: Store, rows: Sequence[tuple[int, str, float | None, bool | None]]) -> None:
    """Lists dated a day, each coin with market cap and stable flag; known 36 hours later."""
    rows = sorted(rows, key=lambda row: row[:2])
    table = pa.table(
        {
            "event_time": pa.array([MONDAY_NS + DAY_NS * row[0] for row in rows], pa.int64()),
            "asset": pa.array([row[1] for row in rows]),
            "symbol": pa.array([row[1] for row in rows]),
            "market_cap_usd": pa.array([row[2] for row in rows], pa.float64()),
            "is_stable": pa.array([row[3] for row in rows], pa.bool_()),
        }
    )
    store.write(COINS_KEY, table, provenance={})


def test_market_caps_are_those_of_the_last_list_that_was_known(store: Store) -> None:
    for name in NAMES[:3]:
        write_bars(store, name, [1] * 200)
    coins = {instrument(name): name.lower() for name in NAMES[:3]}
    write_coins(
        store,
        [
            (2, "aaa", 10.0, False),
            (2, "bbb", 20.0, None),
            (2, "ccc", 30.0, True),
            (8, "aaa", 50.0, None),
            (8, "bbb", 20.0, False),
        ],
    )
    daily = {"minimum_listed_days": 0, "rebalance": "1d", "by": "market_cap"}

    def chosen(rule: UniverseRule, day: int) -> set[str]:
        universe = select_universe(
            store, list(coins), "6h", rule, coins=COINS, assets=coins, cache=False
        )
        return members(universe, row_at(universe, day))

    rule = UniverseRule(size=1, **daily)
    # The list of day 2 is known at 12:00 of day 3: the choice at the end of day 3 is the first to see it.
    assert [chosen(rule, day) for day in (2, 3, 8, 9)] == [set(), {"CCC"}, {"CCC"}, {"AAA"}]
    no_stable = UniverseRule(size=1, exclude_stable=True, **daily)
    assert [chosen(no_stable, day) for day in (3, 9)] == [{"BBB"}, {"AAA"}]
    # Too old a list shows nothing; the flag of a coin that is not listed any more stays.
    assert chosen(rule, 49) == {"AAA"}
    everything = UniverseRule(size=3, exclude_stable=True, minimum_listed_days=0, rebalance="1d")
    assert chosen(everything, 20) == {"AAA", "BBB"}
    with pytest.raises(DataError, match="no row of the list of coins states is_wrapped"):
        chosen(UniverseRule(size=1, exclude_wrapped=True), 9)
    with pytest.raises(ConfigError, match="name its instrument with coins"):
        select_universe(store, list(coins), "6h", rule)
    with pytest.raises(ConfigError, match="names no coin for binance/spot/AAA"):
        select_universe(store, list(coins), "6h", rule, coins=COINS, assets={})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 0}, "size=0 must be at least 1"),
        ({"lookback_days": 0}, "lookback_days=0"),
        ({"minimum_listed_days": -1}, "minimum_listed_days=-1"),
        ({"rebalance": "4h"}, "must be a number of days"),
        ({"keep_until_rank": 4}, "must not be below size=5"),
        ({"by": "rank"}, "must be quote_volume or market_cap"),
    ],
)
def test_rules_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        UniverseRule(**{"size": 5, **change})
