"""What was announced of a coin as slow series: listings, and what a schedule of unlocks will release."""

import difflib
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import DAY_NS, DataError, Float1D, Int1D, Series
from indicators.asof import as_of_rows, released_rows

from ..keys import DatasetKey, Instrument
from ..kinds import kind_named
from ..store import Store
from ..tables import available_at_ns, floats_of, moments_ns, times_ns
from .find import find_dataset

LISTINGS: Final = "listings"
UNLOCKS: Final = "unlocks"
UNLOCK_SCHEDULE: Final = "unlock_schedule"
WINDOWS_DAYS: Final = (7, 14, 30)
"""Spans ahead of a day over which unlocks are added up."""
_SCHEDULE_SHOWN_NS: Final = 2 * DAY_NS


@dataclass(frozen=True, slots=True)
class CoinSupply:
    """Where the circulating supply of a coin stands: ``asset``, its name in the column ``asset`` of the
    list ``coins`` (kind ``universe``); tickers are not unique."""

    coins: Instrument
    asset: str


def load_listings(
    store: Store, key: DatasetKey, start_ns: int, end_ns: int, *, as_of_ns: int | None
) -> Series | None:
    """Announcements as the series ``listings``: ``side`` 1 of a listing, -1 of a delisting.

    The first vintage of each moment counts; of two announcements of one moment the one that takes
    effect later, which is what the coin comes to. None where there is none in the period.
    """
    kind = kind_named(LISTINGS)
    table = store.read(key, start_ns - kind.max_age_ns, end_ns)
    event_time, known_ns = times_ns(kind, table), available_at_ns(table)
    side = np.array([1.0 if action == "list" else -1.0 for action in table["action"].to_pylist()])
    order = np.lexsort((-moments_ns(table, "effective_time"), known_ns, event_time))
    if as_of_ns is not None:
        order = order[known_ns[order] <= as_of_ns]
    rows = order[released_rows(event_time[order], known_ns[order])]
    if not len(rows):
        return None
    return Series(
        name=LISTINGS,
        max_age_ns=kind.max_age_ns,
        event_time=event_time[rows],
        available_at=known_ns[rows],
        columns={"side": side[rows]},
    )


def load_unlock_schedule(
    store: Store,
    key: DatasetKey,
    supply: CoinSupply | None,
    start_ns: int,
    end_ns: int,
    *,
    as_of_ns: int | None,
) -> Series | None:
    """The schedule as announced by each midnight: the series ``unlock_schedule``; None without a number.

    A row a day, known at its 00:00 UTC, from the first announcement on. ``fraction_7d``, ``fraction_14d``
    and ``fraction_30d`` are the coins released after that moment within so many days, over the
    circulating supply in the last list that could be seen then. Where no such list states one, the
    fraction that the announcement itself states counts; where an unlock has neither, windows that hold it
    are NaN. An announcement stands until a later one of the same unlock time and category, which may
    state 0, or until it is as old as its kind is shown.
    """
    schedule = _Schedule.read(store, key)
    first_ns = int(schedule.known_ns.min(initial=np.iinfo(np.int64).max))
    last_ns = end_ns if as_of_ns is None else min(end_ns, as_of_ns + 1)
    first_day = -(-max(first_ns, start_ns - _SCHEDULE_SHOWN_NS) // DAY_NS)
    days = DAY_NS * np.arange(first_day, -(-last_ns // DAY_NS), dtype=np.int64)
    if not len(days):
        return None
    floating = np.full(len(days), np.nan) if supply is None else _supply(store, supply, days)
    fractions = np.array(
        [
            schedule.fractions(int(day), float(coins))
            for day, coins in zip(days, floating, strict=True)
        ]
    )
    columns = {f"fraction_{span}d": fractions[:, i] for i, span in enumerate(WINDOWS_DAYS)}
    if np.isnan(fractions).all():
        return None
    return Series(
        name=UNLOCK_SCHEDULE,
        max_age_ns=_SCHEDULE_SHOWN_NS,
        event_time=days,
        available_at=days,
        columns=columns,
    )


def supply_dataset(store: Store, supply: CoinSupply) -> DatasetKey:
    """The list of coins that states the supply; DataError where the store lacks it."""
    return find_dataset(store, supply.coins, "universe", None)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """Announced unlocks ``(N,)``, ordered by unlock and category, then by announcement and vintage."""

    event_ns: Int1D
    known_ns: Int1D
    unlock_ns: Int1D
    unlock: Int1D
    """Number of the unlock (its time and category): rows of one number replace each other."""
    tokens: Float1D
    stated: Float1D
    """Fraction of the supply that the announcement states, NaN where it states none."""

    @classmethod
    def read(cls, store: Store, key: DatasetKey) -> "_Schedule":
        kind = kind_named(UNLOCKS)
        table = store.read(key)
        event_ns, known_ns = times_ns(kind, table), available_at_ns(table)
        unlock_ns = moments_ns(table, "unlock_time")
        names = table["category"].to_pylist()
        codes = {name: code for code, name in enumerate(sorted(set(names)))}
        category = np.array([codes[name] for name in names], dtype=np.int64)
        order = np.lexsort((known_ns, event_ns, category, unlock_ns))
        unlock_ns, category = unlock_ns[order], category[order]
        differs = np.ones(len(order), dtype=np.bool_)
        differs[1:] = (np.diff(unlock_ns) != 0) | (np.diff(category) != 0)
        return cls(
            event_ns[order],
            known_ns[order],
            unlock_ns,
            np.cumsum(differs).astype(np.int64),
            floats_of(table, "tokens")[order],
            floats_of(table, "fraction_of_supply")[order],
        )

    def fractions(self, now_ns: int, supply: float) -> tuple[float, ...]:
        """Fractions of ``supply`` (NaN: unknown) released in each window, as announced by ``now_ns``."""
        oldest_ns = now_ns - kind_named(UNLOCKS).max_age_ns
        rows = np.flatnonzero((self.known_ns <= now_ns) & (self.event_ns >= oldest_ns))
        newest = np.ones(len(rows), dtype=np.bool_)
        newest[:-1] = np.diff(self.unlock[rows]) != 0
        rows = rows[newest]
        withdrawn = self.stated[rows] == 0
        share = self.tokens[rows] / supply if supply > 0 else self.stated[rows]
        share = np.where(withdrawn, 0.0, share)
        ahead_ns = self.unlock_ns[rows] - now_ns
        return tuple(
            float(share[(ahead_ns > 0) & (ahead_ns <= span * DAY_NS)].sum())
            for span in WINDOWS_DAYS
        )


def _supply(store: Store, supply: CoinSupply, moments_at: Int1D) -> Float1D:
    """Circulating coins in the last list seen at each moment, NaN where none is visible or states them."""
    kind = kind_named("universe")
    table = store.read(supply_dataset(store, supply), columns=("circulating_supply",))
    names = table["asset"].to_pylist()
    mine = np.array([name == supply.asset for name in names], dtype=np.bool_)
    if not mine.any():
        near = difflib.get_close_matches(supply.asset, set(names), n=3)
        raise DataError(
            f"{supply.coins}: no list names the asset {supply.asset!r}; write its name in the column "
            f"asset{f', such as {near[0]!r}' if near else ''}"
        )
    event_time, known_ns = times_ns(kind, table)[mine], available_at_ns(table)[mine]
    coins = floats_of(table, "circulating_supply")[mine]
    rows = as_of_rows(moments_at, event_time, known_ns, kind.max_age_ns)
    return np.where(rows >= 0, coins[rows], np.nan)
