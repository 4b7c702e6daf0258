"""A vendor's list of coins as it could be seen: market caps and flags, moving forward in time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import ConfigError, DataError, Float1D

from .keys import Instrument
from .kinds import KINDS
from .loading import find_dataset
from .store import Store
from .tables import available_at_ns, floats_of, times_ns
from .timestamps import time_text

_TICKER: Final = "ticker:"


@dataclass(frozen=True, slots=True)
class CoinRow:
    """One coin of one dated list; times int64 ns UTC, ``market_cap`` in USD, NaN where not stated."""

    event_ns: int
    available_ns: int
    asset: str
    market_cap: float
    is_stable: bool | None
    is_wrapped: bool | None


def coin_rows(store: Store, coins: Instrument, tickers: Collection[str] = ()) -> list[CoinRow]:
    """Every vintage of every list of a data set of kind ``universe``, by availability, then date.

    A coin that has one of ``tickers`` on the list of a date is that ticker's there, by the name
    ``by_ticker(ticker)``: vendors rename coins, and tickers pass to others. Raises ConfigError where a
    list has two coins of one of them: only a person can tell which is meant.
    """
    kind = KINDS["universe"]
    key = find_dataset(store, coins, kind.name, None)
    table = store.read(key, columns=("symbol", "market_cap_usd", "is_stable", "is_wrapped"))
    assets, times = table["asset"].to_pylist(), times_ns(kind, table).tolist()
    owner: dict[tuple[int, str], str] = {}
    names = list(assets)
    for row, ticker in enumerate(table["symbol"].to_pylist()):
        if ticker not in tickers:
            continue
        first = owner.setdefault((times[row], ticker), assets[row])
        if first != assets[row]:
            raise ConfigError(
                f"universe: {coins}: on {time_text(times[row])} {ticker} is {first} or {assets[row]}; "
                "say which with assets"
            )
        names[row] = by_ticker(ticker)
    rows = map(
        CoinRow,
        times,
        available_at_ns(table).tolist(),
        names,
        floats_of(table, "market_cap_usd").tolist(),
        table["is_stable"].to_pylist(),
        table["is_wrapped"].to_pylist(),
    )
    return sorted(rows, key=lambda row: (row.available_ns, row.event_ns))


def by_ticker(ticker: str) -> str:
    """What stands for an asset where a coin is whichever has ``ticker`` on a list."""
    return f"{_TICKER}{ticker}"


def tickers_among(assets: Iterable[str]) -> frozenset[str]:
    """The tickers of those ``assets`` that ``by_ticker`` made."""
    return frozenset(one.removeprefix(_TICKER) for one in assets if one.startswith(_TICKER))


class CoinList:
    """The lists that were visible at a moment; :meth:`advance` moves it forward, never back.

    ``stable`` and ``wrapped`` are the coins that the latest visible list that says so calls that.
    """

    def __init__(self, rows: Iterable[CoinRow]) -> None:
        self._rows = list(rows)
        self._next, self._moment_ns = 0, -1
        self._caps: dict[int, dict[str, float]] = {}
        self._flagged_ns: dict[tuple[str, str], int] = {}
        self.stable: set[str] = set()
        self.wrapped: set[str] = set()
        self.states_caps = any(np.isfinite(row.market_cap) for row in self._rows)
        self.states_stable = any(row.is_stable is not None for row in self._rows)
        self.states_wrapped = any(row.is_wrapped is not None for row in self._rows)

    def advance(self, moment_ns: int) -> None:
        """See everything that was available by ``moment_ns`` (int64 ns UTC)."""
        if moment_ns < self._moment_ns:
            raise DataError("list of coins: moments must not decrease")
        self._moment_ns = moment_ns
        while self._next < len(self._rows) and self._rows[self._next].available_ns <= moment_ns:
            row = self._rows[self._next]
            self._caps.setdefault(row.event_ns, {})[row.asset] = row.market_cap
            self._flag(row, "stable", self.stable, row.is_stable)
            self._flag(row, "wrapped", self.wrapped, row.is_wrapped)
            self._next += 1

    def _flag(self, row: CoinRow, name: str, flagged: set[str], value: bool | None) -> None:
        known_ns = self._flagged_ns.get((name, row.asset), row.event_ns)
        if value is None or row.event_ns < known_ns:
            return
        self._flagged_ns[name, row.asset] = row.event_ns
        if value:
            flagged.add(row.asset)
        else:
            flagged.discard(row.asset)

    def market_caps(self, assets: Sequence[str], moment_ns: int) -> Float1D:
        """Market caps of the latest visible list, NaN for coins not on it, ``(S,)``.

        A list that is older than the kind allows shows nothing.
        """
        nothing = np.full(len(assets), np.nan)
        latest_ns = max(self._caps, default=None)
        if latest_ns is None or moment_ns - latest_ns > KINDS["universe"].max_age_ns:
            return nothing
        caps = self._caps[latest_ns]
        return np.array([caps.get(asset, np.nan) for asset in assets])
