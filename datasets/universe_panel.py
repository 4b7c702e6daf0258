"""Many coins as one panel: what features across symbols read, day by day and bar by bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import DAY_NS, Bool2D, ConfigError, Float2D, Int1D, MarketPanel, kernel

from .cache import ArrayCache
from .coins import by_ticker
from .keys import DatasetKey, Instrument
from .loading import SourceConflicts, find_dataset, load_aligned
from .sectors import RENAMES, SECTORS, STABLE, WRAPPED, Rename, base_of, renamed
from .store import Store
from .universe import RELISTED_AFTER_NS, UniverseRule, universe_choices

UNIVERSE: Final = "universe"
BENCHMARK: Final = "benchmark"
DAYS_SHOWN: Final = 3
"""A day of the universe is shown for so long after it began; the next one comes after two."""
_DAY: Final = "1d"
_NO_ASSETS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedPanel:
    """A panel, the data sets it was read from, and where their sources contradict each other."""

    panel: MarketPanel
    datasets: tuple[DatasetKey, ...]
    source_conflicts: tuple[SourceConflicts, ...]


def load_universe(
    store: Store,
    instruments: Sequence[Instrument],
    benchmark: Instrument,
    rule: UniverseRule,
    end_ns: int | None = None,
    *,
    quote: str = "USDT",
    coins: Instrument | None = None,
    assets: Mapping[str, str] = _NO_ASSETS,
    cache: ArrayCache | bool = True,
) -> LoadedPanel:
    """Daily rows of ``instruments`` (give delisted ones too) and of ``benchmark``, up to ``end_ns``.

    A row is a day, known when it has ended; the last one is the last whole day of ``benchmark``.
    ``symbols`` are base currencies. Columns, each ``(D, S)``: ``close`` (quote currency, carried over a
    hole of less than a week, NaN where the coin is not listed), ``age`` (days of the present listing, 1
    on its first, 0 on a day without a bar), ``member`` (1 where ``rule`` chose the coin from what was
    known by the end of the day) and ``in_<sector>`` for each of ``SECTORS``. Stable and wrapped coins are
    left out by name; the benchmark is never a member. A renamed coin is one column under its last name,
    whose listing goes on.
    Coins are found in the list ``coins`` by the ticker that they have on each of its dates, or by the
    name that ``assets`` gives to their base currency.

    Raises ConfigError for two instruments of one coin or a ticker of two coins on one date, DataError
    where the store lacks something.
    """
    bases = _bases(instruments, benchmark, quote)
    listed = {one: base for one, base in bases.items() if base not in STABLE | WRAPPED}
    candidates = [one for one in listed if one != benchmark]
    if not candidates:
        raise ConfigError(
            f"universe: {len(instruments)} instruments and no coin among them beside the benchmark "
            f"{benchmark}; name some, or symbols: all"
        )
    named = None
    if coins is not None:
        named = {one: assets.get(listed[one], by_ticker(listed[one])) for one in candidates}
    ended = load_aligned(store, [benchmark], _DAY, None, end_ns, columns=(), cache=cache)
    # Without the day on which a coin left, only one that came back would have had a bar on it.
    days = load_aligned(
        store,
        [benchmark, *candidates],
        _DAY,
        None,
        end_ns,
        columns=(),
        last_part=True,
        cache=cache,
    )
    whole = days.open_time <= ended.open_time[-1]
    open_time = days.open_time[whole]
    has_bar = (days.listed & ~days.is_gap)[whole]
    chosen = universe_choices(
        store, candidates, _DAY, rule, open_time + DAY_NS, coins=coins, assets=named, cache=cache
    )
    table = _Table(
        bases=[listed[one] for one in days.instruments],
        open_time=open_time,
        close=days.close[whole],
        has_bar=has_bar,
        member=np.concatenate((np.zeros_like(chosen[:, :1]), chosen), axis=1) & has_bar,
    )
    for rename in RENAMES:
        table.rename(rename, rule.minimum_listed_days)
    age, shown = _ages_kernel(table.open_time, table.has_bar, RELISTED_AFTER_NS)
    panel = MarketPanel(
        name=UNIVERSE,
        symbols=tuple(table.bases),
        own=None,
        benchmark=0,
        max_age_ns=DAYS_SHOWN * DAY_NS,
        event_time=table.open_time,
        available_at=table.open_time + DAY_NS,
        columns={
            "close": np.where(shown, table.close, np.nan),
            "age": age,
            "member": table.member.astype(np.float64),
            **_sector_flags(table),
        },
    )
    keys = days.datasets
    if coins is not None:
        keys = (*keys, find_dataset(store, coins, "universe", None))
    return LoadedPanel(panel=panel, datasets=keys, source_conflicts=days.source_conflicts)


def with_own(panel: MarketPanel, symbol: str, quote: str) -> MarketPanel:
    """The panel as the market of ``symbol`` sees it; ``own`` None where it lacks that coin."""
    try:
        base = base_of(symbol, quote)
    except ConfigError:
        return replace(panel, own=None)
    for name in (base, renamed(base)):
        if name in panel.symbols:
            return replace(panel, own=panel.symbols.index(name))
    return replace(panel, own=None)


def load_benchmark(
    store: Store,
    own: Instrument,
    benchmark: Instrument,
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    cache: ArrayCache | bool = True,
) -> LoadedPanel:
    """Bars of ``own`` and ``benchmark`` on one grid, each known at its close; ``close`` is NaN in gaps.

    A bar is shown for a day, or for two steps where these are longer. Raises DataError as
    ``load_aligned`` does.
    """
    pair = [own] if own == benchmark else [own, benchmark]
    bars = load_aligned(store, pair, timeframe, start_ns, end_ns, columns=(), cache=cache)
    panel = MarketPanel(
        name=BENCHMARK,
        symbols=tuple(str(one) for one in bars.instruments),
        own=0,
        benchmark=len(pair) - 1,
        max_age_ns=max(DAY_NS, 2 * bars.step_ns),
        event_time=bars.open_time,
        available_at=bars.close_time,
        columns={"close": np.where(bars.listed & ~bars.is_gap, bars.close, np.nan)},
    )
    return LoadedPanel(panel=panel, datasets=bars.datasets, source_conflicts=bars.source_conflicts)


@dataclass(slots=True)
class _Table:
    """Days of the coins while the panel is made; ``close`` ``(D, S)`` and the flags alike."""

    bases: list[str]
    open_time: Int1D
    close: Float2D
    has_bar: Bool2D
    member: Bool2D

    def rename(self, rename: Rename, minimum_listed_days: int) -> None:
        """Make one column of both names of a coin: the old one's days, then the new one's.

        It stays in the universe until the new name is old enough to be chosen by itself.
        """
        if rename.old not in self.bases or rename.new not in self.bases:
            return
        old, new = self.bases.index(rename.old), self.bases.index(rename.new)
        before = self.open_time < rename.since_ns
        young = ~before & (self.open_time < rename.since_ns + minimum_listed_days * DAY_NS)
        last = np.flatnonzero(before & self.has_bar[:, old])
        stays = bool(last.size) and bool(self.member[last[-1], old])
        self.member[:, new] = np.where(before, self.member[:, old], self.member[:, new])
        self.member[young, new] |= stays & self.has_bar[young, new]
        for column in (self.close, self.has_bar):
            column[before, new] = column[before, old]
        self.bases.pop(old)
        for name in ("close", "has_bar", "member"):
            setattr(self, name, np.delete(getattr(self, name), old, axis=1))


def _bases(
    instruments: Sequence[Instrument], benchmark: Instrument, quote: str
) -> dict[Instrument, str]:
    bases = {one: base_of(one.symbol, quote) for one in dict.fromkeys([benchmark, *instruments])}
    owner: dict[str, Instrument] = {}
    for one, base in bases.items():
        if base in owner:
            raise ConfigError(
                f"universe: {owner[base]} and {one} are one coin, {base}; name one of them"
            )
        owner[base] = one
    return bases


@kernel
def _ages_kernel(
    open_time: Int1D, has_bar: Bool2D, relisted_after_ns: int
) -> tuple[Float2D, Bool2D]:
    """Days of the present listing, 0 without a bar; and where a close may be shown or carried."""
    age = np.zeros(has_bar.shape)
    shown = np.zeros(has_bar.shape, dtype=np.bool_)
    for coin in range(has_bar.shape[1]):
        first, last = -1, -1
        for row in range(len(open_time)):
            hole_ns = open_time[row] - open_time[last] if last >= 0 else 0
            if has_bar[row, coin]:
                if first < 0 or hole_ns > relisted_after_ns:
                    first = row
                last = row
                age[row, coin] = row - first + 1.0
            shown[row, coin] = last >= 0 and open_time[row] - open_time[last] < relisted_after_ns
    return age, shown


def _sector_flags(table: _Table) -> dict[str, Float2D]:
    shape = table.close.shape
    return {
        f"in_{sector}": np.ascontiguousarray(
            np.broadcast_to([float(base in names) for base in table.bases], shape)
        )
        for sector, names in SECTORS.items()
    }
