"""Many instruments on one grid: bars, and every slow series as of each bar's close."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import (
    FLOW_COLUMNS,
    PRICE_COLUMNS,
    Bars,
    Bool2D,
    Float2D,
    Int1D,
    Panel,
    timeframe_ns,
)

from ..cache import ArrayCache
from ..keys import DatasetKey, Instrument
from ..store import Store
from .arrays import BarArrays, common_grid, joined_series, open_times
from .grid import BAR_COLUMNS, NoBarsError
from .request import AlignedRequest, cache_key, resolved
from .sources import SourceConflicts

_WORKERS: Final = 4
"""So many instruments are loaded at the same time."""
_NOBODY: Final[Mapping[Instrument, Sequence[Instrument]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlignedMarkets:
    """Bars and slow series of S instruments on T bars, for kernels that read many of them.

    ``open_time`` ``(T,)`` int64 ns UTC is the full grid of ``timeframe`` from the first to the last bar
    that any instrument has in the period. Everything else is ``(T, S)`` in Fortran order, so the
    column of one instrument is contiguous, and read-only; the columns are in the order of
    ``instruments``. Row *t* is known at ``close_time[t]``.

    ``listed`` is True from an instrument's first bar to its last, ``is_gap`` where it is listed and has
    no bar. Prices are in quote currency; a missing bar has the close before it and volume 0. Outside
    the listing prices repeat the nearest listed open or close, and are NaN for an instrument that
    is first listed after the period. ``flows`` are the columns of ``engine.FLOW_COLUMNS`` that some
    instrument states, NaN where one does not. ``series`` maps ``kind.column``, such as
    ``funding.rate``, to the value that was visible at each close, NaN where none was or the last one was
    too old.

    ``datasets`` were read. ``source_conflicts`` tells where instruments with several sources had
    contradicting ones.
    """

    instruments: tuple[Instrument, ...]
    timeframe: str
    open_time: Int1D
    open: Float2D
    high: Float2D
    low: Float2D
    close: Float2D
    volume: Float2D
    is_gap: Bool2D
    listed: Bool2D
    flows: Mapping[str, Float2D]
    series: Mapping[str, Float2D]
    datasets: tuple[DatasetKey, ...]
    source_conflicts: tuple[SourceConflicts, ...] = ()

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def step_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    @property
    def close_time(self) -> Int1D:
        """Moment at which each row becomes known, int64 ns UTC, ``(T,)``."""
        return self.open_time + self.step_ns

    @property
    def symbols(self) -> tuple[str, ...]:
        """A name of each column: the symbol, or the whole instrument where symbols repeat."""
        short = [instrument.symbol for instrument in self.instruments]
        if len(set(short)) == len(short):
            return tuple(short)
        return tuple(str(instrument) for instrument in self.instruments)

    def panel(self) -> Panel:
        """The same prices as a panel for the replay, without copying them.

        Raises DataError for an instrument that is first listed after the period.
        """
        prices = {name: getattr(self, name) for name in PRICE_COLUMNS}
        return Panel(
            symbols=self.symbols,
            timeframe=self.timeframe,
            open_time=self.open_time,
            listed=self.listed,
            is_gap=self.is_gap,
            **prices,
        )

    def bars(self, column: int) -> Bars:
        """The bars of one instrument over its listing, without copying them.

        Equal to ``load_bars``. Raises DataError when it is not listed in the period, or states a
        flow on some bars only.
        """
        listed = self.listed[:, column]
        first = int(np.argmax(listed))
        rows = slice(first, first + int(listed.sum()))
        has_bar = ~self.is_gap[rows, column]
        flows = {
            name: values[rows, column]
            for name, values in self.flows.items()
            if np.isfinite(values[rows, column][has_bar]).any()
        }
        return Bars(
            symbol=self.instruments[column].symbol,
            timeframe=self.timeframe,
            open_time=self.open_time[rows],
            volume=self.volume[rows, column],
            is_gap=self.is_gap[rows, column],
            **{name: getattr(self, name)[rows, column] for name in PRICE_COLUMNS},
            **flows,
        )


def load_aligned(
    store: Store,
    instruments: Sequence[Instrument],
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    kinds: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    series_from: Mapping[Instrument, Sequence[Instrument]] = _NOBODY,
    as_of_ns: int | None = None,
    last_part: bool = False,
    cache: ArrayCache | bool = True,
) -> AlignedMarkets:
    """Bars with ``start_ns <= open_time < end_ns`` of many instruments, and slow series joined to them.

    Bars are those of ``load_bars``. Each of ``kinds`` is joined as of the close of each bar: of the
    rows available by then the one with the latest event, in its last vintage available by then. It is
    taken from the instrument itself or else from the first of ``series_from[instrument]`` that has it.
    ``columns`` limits flows and series to these names (``taker_buy_quote``, ``funding.rate``); prices
    and volume are always there. Where bars are built from shorter ones, ``last_part`` shows also the last
    bar of an instrument that ends inside it.

    A ``cache`` (by default the one in the folder of the store) keeps the arrays, so that the same request
    costs almost nothing until a data set that it reads is changed.

    Raises ConfigError for a name that is no column, DataError for an unknown instrument, several
    sources without a precedence, or a period in which no instrument has a bar.
    """
    request = resolved(
        store,
        instruments,
        timeframe,
        start_ns,
        end_ns,
        kinds,
        columns,
        series_from,
        as_of_ns,
        last_part,
    )
    kept = ArrayCache.of(store) if cache is True else cache or None
    if kept is None:
        return _loaded(store, request)
    key = cache_key(store, request)
    entry = kept.get(key)
    if entry is not None:
        return _from_cache(request, entry.facts, entry.arrays)
    markets = _loaded(store, request)
    # A data set that changed meanwhile belongs to another key.
    if cache_key(store, request) == key:
        facts = {"conflicts": [conflicts.to_json() for conflicts in markets.source_conflicts]}
        kept.put(key, facts, _arrays_of(markets))
    return markets


def _loaded(store: Store, request: AlignedRequest) -> AlignedMarkets:
    infos = {key: store.dataset(key) for keys in request.bars for key in keys}
    conflicts: list[SourceConflicts] = []
    columns = BarArrays(common_grid(request, infos), len(request.instruments))

    def load(position: int) -> list[SourceConflicts]:
        keys = request.bars[position]
        return columns.load(store, [infos[key] for key in keys], position, request.flows)

    if len(request.bars) == 1:
        # A thread of its own would keep memory of its own.
        conflicts += load(0)
    else:
        # Decoding Parquet leaves Python to the others.
        with ThreadPoolExecutor(_WORKERS) as pool:
            for found in pool.map(load, range(len(request.bars))):
                conflicts += found
    grid, bars = columns.trimmed()
    if grid.count == 0:
        raise NoBarsError(
            f"{request.instruments[0]} and {len(request.instruments) - 1} others: no bars of "
            f"{request.timeframe} in the period; choose another one"
        )
    series = joined_series(store, request, grid, conflicts)
    return _markets(request, {"open_time": open_times(grid)} | bars | series, tuple(conflicts))


def _markets(
    request: AlignedRequest, arrays: Mapping[str, Any], conflicts: tuple[SourceConflicts, ...]
) -> AlignedMarkets:
    for array in arrays.values():
        array.flags.writeable = False
    shape = arrays["close"].shape
    return AlignedMarkets(
        instruments=request.instruments,
        timeframe=request.timeframe,
        **{name: arrays[name] for name in ("open_time", *BAR_COLUMNS, "is_gap", "listed")},
        flows={name: arrays[name] for name in FLOW_COLUMNS if name in arrays},
        series={
            name: array if array.shape == shape else np.broadcast_to(array, shape)
            for name, array in arrays.items()
            if "." in name
        },
        datasets=request.datasets,
        source_conflicts=conflicts,
    )


def _arrays_of(markets: AlignedMarkets) -> dict[str, Any]:
    names = ("open_time", *BAR_COLUMNS, "is_gap", "listed")
    series = {
        # A column that all instruments share is kept once.
        name: array[:, :1] if array.strides[1] == 0 else array
        for name, array in markets.series.items()
    }
    return {**{name: getattr(markets, name) for name in names}, **markets.flows, **series}


def _from_cache(
    request: AlignedRequest, facts: Mapping[str, Any], arrays: Mapping[str, Any]
) -> AlignedMarkets:
    conflicts = tuple(SourceConflicts.from_json(document) for document in facts["conflicts"])
    return _markets(request, arrays, conflicts)
