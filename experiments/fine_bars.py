"""Finer bars inside the traded ones: what happened within a bar, where the store can tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datasets import (
    DatasetKey,
    Instrument,
    NoBarsError,
    SourceConflicts,
    Store,
    bars_datasets,
    load_bars,
)
from engine import PRICE_COLUMNS, Bars, Bool1D, Float1D, Int1D, Panel, timeframe_ns

from .prices import FROM_TRADED, PricedBars, volume_in_quote

ConflictHandler = Callable[[SourceConflicts], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPrices:
    """Traded bars made of the finer ones inside them, and those as a panel over the same span.

    ``fine`` is None where the store has no finer bar of any symbol. ``datasets`` are those read,
    ``notes`` say what could not be resolved.
    """

    prices: Mapping[str, PricedBars]
    fine: Panel | None
    datasets: tuple[DatasetKey, ...]
    notes: tuple[str, ...]


def resolved_prices(
    store: Store,
    prices: Mapping[str, PricedBars],
    instruments: Mapping[str, Instrument],
    timeframe: str,
    on_source_conflicts: ConflictHandler,
    *,
    is_inverse: bool = False,
) -> ResolvedPrices:
    """``prices`` rebuilt from the bars of ``timeframe`` that the store has of ``instruments``.

    A bar with finer bars inside is made of these and counts as traded, unless some are missing and the
    bar itself reached farther than those that exist: what it reached alone would be forgotten. Such
    bars, and those without any finer bar, stay as they are, and nothing is known of their inside.
    ``is_inverse`` takes volumes in quote units, as ``prices`` have them. Raises DataError when several
    sources fit and the instrument names none.
    """
    keys: list[DatasetKey] = []
    loaded: dict[str, Bars | None] = {}
    for symbol, priced in prices.items():
        loaded[symbol], found = _loaded(
            store,
            instruments[symbol],
            timeframe,
            priced.bars,
            on_source_conflicts,
            is_inverse=is_inverse,
        )
        keys += found
    notes = [
        f"{symbol}: the store has no {timeframe} bars of {instruments[symbol]} in this period; its "
        f"stops and targets are resolved on {prices[symbol].bars.timeframe} bars"
        for symbol, bars in loaded.items()
        if bars is None
    ]
    if all(bars is None for bars in loaded.values()):
        return ResolvedPrices(prices=prices, fine=None, datasets=tuple(keys), notes=tuple(notes))
    panel = Panel.from_bars({symbol: priced.bars for symbol, priced in prices.items()})
    fine, reaching = _fine_panel(panel, prices, loaded, timeframe)
    notes += [
        f"{symbol}: {count} bars of {panel.timeframe} lack some of their {timeframe} bars and reach "
        "farther than those that exist; they are taken whole, and nothing is known of their inside"
        for symbol, count in reaching.items()
        if count
    ]
    rebuilt = panel.rebuilt_from(fine)
    return ResolvedPrices(
        prices={
            symbol: _rebuilt(priced, rebuilt, fine, column)
            for column, (symbol, priced) in enumerate(prices.items())
        },
        fine=fine,
        datasets=tuple(keys),
        notes=tuple(notes),
    )


def _loaded(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    bars: Bars,
    on_source_conflicts: ConflictHandler,
    *,
    is_inverse: bool,
) -> tuple[Bars | None, tuple[DatasetKey, ...]]:
    step_ns = timeframe_ns(timeframe)
    wanted = ("ohlcv", instrument.venue, instrument.market, instrument.symbol)
    every = store.keys()
    stored = [
        key
        for key in every
        if (key.kind, key.venue, key.market, key.symbol) == wanted
        and key.source in (instrument.sources or (key.source,))
    ]
    if all(step_ns % timeframe_ns(key.step) for key in stored):
        return None, ()
    keys = bars_datasets(store, instrument, timeframe)
    try:
        found = load_bars(
            store,
            instrument,
            timeframe,
            int(bars.open_time[0]),
            int(bars.close_time[-1]),
            with_flows=is_inverse,
            on_source_conflicts=on_source_conflicts,
        )
    except NoBarsError:
        return None, keys
    return (volume_in_quote(found) if is_inverse else found), keys


def _fine_panel(
    panel: Panel,
    prices: Mapping[str, PricedBars],
    loaded: Mapping[str, Bars | None],
    timeframe: str,
) -> tuple[Panel, dict[str, int]]:
    """The finer panel, and how many bars of each symbol reach farther than their finer bars tell."""
    count = panel.step_ns // timeframe_ns(timeframe)
    rows = len(panel) * count
    open_time = panel.open_time[0] + timeframe_ns(timeframe) * np.arange(rows, dtype=np.int64)
    table: dict[str, Any] = {
        name: np.repeat(getattr(panel, name), count, axis=0) for name in PRICE_COLUMNS
    }
    volume = np.zeros((rows, len(panel.symbols)))
    is_gap = np.zeros((rows, len(panel.symbols)), dtype=np.bool_)
    reaching: dict[str, int] = {}
    for column, (symbol, priced) in enumerate(prices.items()):
        first = int((priced.bars.open_time[0] - panel.open_time[0]) // panel.step_ns) * count
        inside = slice(first, first + len(priced.bars) * count)
        columns, exists, farther = _placed(priced.bars, loaded[symbol], open_time[inside], count)
        reaching[symbol] = int(farther.sum())
        for name in PRICE_COLUMNS:
            table[name][inside, column] = columns[name]
        volume[inside, column] = columns["volume"]
        is_gap[inside, column] = ~exists
    fine = Panel(
        symbols=panel.symbols,
        timeframe=timeframe,
        open_time=open_time,
        listed=np.repeat(panel.listed, count, axis=0),
        is_gap=is_gap,
        volume=volume,
        **table,
    )
    return fine, reaching


def _placed(
    bars: Bars, found: Bars | None, open_time: Int1D, count: int
) -> tuple[dict[str, Float1D], Bool1D, Bool1D]:
    """Finer prices on the whole span of ``bars``, which of them exist, and the bars that reach farther.

    Finer bars inside a bar that reaches farther count as missing. A missing one repeats the last
    price known by then: that of the finer bar before it or, where a bar has nothing inside, its own
    close.
    """
    rows = len(open_time)
    exists = np.zeros(rows, dtype=np.bool_)
    columns = {name: np.zeros(rows) for name in (*PRICE_COLUMNS, "volume")}
    if found is not None:
        at = (found.open_time - open_time[0]) // found.step_ns
        kept = ~found.is_gap & (at >= 0) & (at < rows)
        exists[at[kept]] = True
        for name, column in columns.items():
            column[at[kept]] = getattr(found, name)[kept]
    farther = _reach_farther(bars, columns, exists, count)
    exists &= ~np.repeat(farther, count)
    told = exists.reshape(-1, count).any(axis=1)
    known = exists | np.repeat(~told & ~bars.is_gap, count)
    last = np.maximum.accumulate(np.where(known, np.arange(rows), -1))
    closes = np.where(exists, columns["close"], np.repeat(bars.close, count))
    carried = np.where(last >= 0, closes[np.maximum(last, 0)], bars.open[0])
    for name in PRICE_COLUMNS:
        columns[name] = np.where(exists, columns[name], carried)
    columns["volume"] = np.where(exists, columns["volume"], 0.0)
    return columns, exists, farther


def _reach_farther(
    bars: Bars, columns: Mapping[str, Float1D], exists: Bool1D, count: int
) -> Bool1D:
    """Bars that lack some of their ``count`` finer bars and whose range the others do not cover."""
    inside = exists.reshape(-1, count)
    high = np.where(inside, columns["high"].reshape(-1, count), -np.inf).max(axis=1)
    low = np.where(inside, columns["low"].reshape(-1, count), np.inf).min(axis=1)
    is_partial = inside.any(axis=1) & ~inside.all(axis=1) & ~bars.is_gap
    farther: Bool1D = is_partial & ((bars.high > high) | (bars.low < low))
    return farther


def _rebuilt(priced: PricedBars, rebuilt: Panel, fine: Panel, column: int) -> PricedBars:
    bars = priced.bars
    count = rebuilt.step_ns // fine.step_ns
    first = int((bars.open_time[0] - rebuilt.open_time[0]) // rebuilt.step_ns)
    rows = slice(first, first + len(bars))
    exists = ~fine.is_gap[:, column].reshape(-1, count)[rows]
    told = exists.any(axis=1)
    assert fine.volume is not None
    traded = np.where(exists, fine.volume[:, column].reshape(-1, count)[rows], 0.0).sum(axis=1)
    is_gap = rebuilt.is_gap[rows, column]
    last = np.maximum.accumulate(np.where(~is_gap, np.arange(len(bars)), 0))
    close = rebuilt.close[rows, column]
    source = np.where(told, FROM_TRADED, priced.source).astype(np.int8)
    carried: dict[str, Any] = {
        name: np.where(is_gap, close[last], getattr(rebuilt, name)[rows, column])
        for name in PRICE_COLUMNS
    }
    return replace(
        priced,
        source=source,
        bars=replace(
            bars,
            is_gap=is_gap,
            volume=np.where(told & (priced.source != FROM_TRADED), traded, bars.volume),
            **carried,
        ),
    )
