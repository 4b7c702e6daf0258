"""Mark prices of the traded perpetuals on the bars of a panel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from datasets import DatasetKey, Instrument, SourceConflicts, Store, load_series, series_datasets
from engine import (
    PRICE_COLUMNS,
    Bool1D,
    Float1D,
    Int1D,
    MarkPrices,
    Panel,
    Series,
    timeframe_ns,
)

KIND = "mark_price"
ConflictHandler = Callable[[SourceConflicts], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMarks:
    """Mark prices of one symbol with open, high, low and close, on bars of ``step_ns``.

    ``longer`` has those on longer bars, by their length in ns, where the store has them too.
    """

    name: str
    series: Series
    step_ns: int
    longer: Mapping[int, Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkCoverage:
    """Listed bars of a panel that have no mark price, and those whose mark is made of a part.

    ``partial`` bars lack some of the stored rows inside, and no longer stored bar tells what these
    reached.
    """

    lacking: int
    partial: int


def stored_marks(
    store: Store,
    instrument: Instrument,
    panel: Panel,
    on_source_conflicts: ConflictHandler,
    timeframes: tuple[str, ...] = (),
) -> tuple[StoredMarks | None, tuple[DatasetKey, ...], str]:
    """What the store has of ``instrument`` in the span of ``panel``, the data sets, and why nothing.

    Rows that lack one of the four prices are left out. Mark prices on longer bars than the panel's
    cannot say when a level was reached, and are not taken. Of ``timeframes``, those of the panels that
    the marks are for, ``longer`` holds what the store has.
    """
    keys = series_datasets(store, instrument, KIND)
    if not keys:
        return None, (), f"the store has no {KIND} of {instrument}"
    step = max((key.step for key in keys), key=timeframe_ns)
    if panel.step_ns % timeframe_ns(step):
        return (
            None,
            keys,
            f"{KIND} of {instrument} has bars of {step}, not within {panel.timeframe}",
        )
    series = _load(store, instrument, panel, on_source_conflicts)
    if series is None or any(name not in series.columns for name in PRICE_COLUMNS):
        return None, keys, f"{KIND} of {instrument} does not state open, high, low and close"
    kept = _whole_rows(series, panel)
    if kept is None:
        return None, keys, f"{KIND} of {instrument} has no bar with all four prices in this period"
    longer: dict[int, Series] = {}
    for timeframe in dict.fromkeys((panel.timeframe, *timeframes)):
        more = series_datasets(store, instrument, KIND, step=timeframe)
        if timeframe_ns(timeframe) <= timeframe_ns(step) or not more:
            continue
        found = _load(store, instrument, panel, on_source_conflicts, step=timeframe)
        rows = None if found is None else _whole_rows(found, panel)
        if rows is not None:
            keys += more
            longer[timeframe_ns(timeframe)] = rows
    marks = StoredMarks(name=str(keys[0]), series=kept, step_ns=timeframe_ns(step), longer=longer)
    return marks, keys, ""


def _load(
    store: Store,
    instrument: Instrument,
    panel: Panel,
    on_source_conflicts: ConflictHandler,
    step: str | None = None,
) -> Series | None:
    return load_series(
        store,
        instrument,
        KIND,
        int(panel.open_time[0]),
        int(panel.close_time[-1]),
        step=step,
        on_source_conflicts=on_source_conflicts,
    )


def _whole_rows(series: Series, panel: Panel) -> Series | None:
    """The rows in the span of ``panel`` that state all four prices; None where there is none."""
    if any(name not in series.columns for name in PRICE_COLUMNS):
        return None
    prices = np.column_stack([series.columns[name] for name in PRICE_COLUMNS])
    whole = np.isfinite(prices).all(axis=1)
    whole &= (series.event_time >= panel.open_time[0]) & (series.event_time < panel.close_time[-1])
    if not whole.any():
        return None
    return replace(
        series,
        event_time=series.event_time[whole],
        available_at=series.available_at[whole],
        columns={name: series.columns[name][whole] for name in PRICE_COLUMNS},
    )


def with_marks(
    panel: Panel, marks: Mapping[str, StoredMarks]
) -> tuple[Panel, dict[str, MarkCoverage]]:
    """``panel`` with the mark prices of some symbols, and what these do not cover.

    A bar is made of the stored rows inside it. Where some of these are missing and the store has the
    bar itself, reaching farther than the others, it is taken instead. A bar without a mark price, and a
    symbol without any, has the traded prices as its mark.
    """
    table = {name: getattr(panel, name).copy() for name in PRICE_COLUMNS}
    coverage: dict[str, MarkCoverage] = {}
    for symbol, stored in marks.items():
        column = panel.symbols.index(symbol)
        found, rows = _aggregated(stored.series, panel)
        is_short = rows < panel.step_ns // stored.step_ns
        partial = is_short & (rows > 0)
        if panel.step_ns in stored.longer:
            longer, is_stored = _aggregated(stored.longer[panel.step_ns], panel)
            farther = _reach_farther(longer, found) | (rows == 0)
            taken = is_short & (is_stored > 0) & farther
            found = {name: np.where(taken, longer[name], found[name]) for name in PRICE_COLUMNS}
            partial &= is_stored == 0
            rows = np.where(taken, 1, rows)
        listed = panel.listed[:, column]
        has_mark = (rows > 0) & listed
        for name in PRICE_COLUMNS:
            table[name][has_mark, column] = found[name][has_mark]
        coverage[symbol] = MarkCoverage(
            lacking=int((listed & ~has_mark).sum()), partial=int((listed & partial).sum())
        )
    return replace(panel, mark=MarkPrices(**table)), coverage


def _reach_farther(longer: Mapping[str, Float1D], found: Mapping[str, Float1D]) -> Bool1D:
    farther: Bool1D = (longer["high"] > found["high"]) | (longer["low"] < found["low"])
    return farther


def _aggregated(series: Series, panel: Panel) -> tuple[dict[str, Float1D], Int1D]:
    """First open, highest high, lowest low and last close of the rows inside each bar, and how many."""
    bar = (series.event_time - panel.open_time[0]) // panel.step_ns
    starts = np.flatnonzero(np.diff(bar, prepend=bar[0] - 1))
    stops = np.append(starts[1:], len(bar))
    columns = series.columns
    inside = {
        "open": columns["open"][starts],
        "high": np.maximum.reduceat(columns["high"], starts),
        "low": np.minimum.reduceat(columns["low"], starts),
        "close": columns["close"][stops - 1],
    }
    found = {name: np.ones(len(panel)) for name in PRICE_COLUMNS}
    for name, column in found.items():
        column[bar[starts]] = inside[name]
    rows = np.zeros(len(panel), dtype=np.int64)
    rows[bar[starts]] = stops - starts
    return found, rows
