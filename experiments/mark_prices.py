"""Mark prices of the traded perpetuals on the bars of a panel."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from datasets import DatasetKey, Instrument, SourceConflicts, Store, load_series, series_datasets
from engine import PRICE_COLUMNS, Bool1D, Float1D, MarkPrices, Panel, Series, timeframe_ns

KIND = "mark_price"
ConflictHandler = Callable[[SourceConflicts], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMarks:
    """Mark prices of one symbol with open, high, low and close, on bars of ``step_ns``."""

    name: str
    series: Series
    step_ns: int


def stored_marks(
    store: Store,
    instrument: Instrument,
    panel: Panel,
    on_source_conflicts: ConflictHandler,
) -> tuple[StoredMarks | None, tuple[DatasetKey, ...], str]:
    """What the store has of ``instrument`` in the span of ``panel``, the data sets, and why nothing.

    Rows that lack one of the four prices are left out. Mark prices on longer bars than the panel's
    cannot say when a level was reached, and are not taken.
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
    series = load_series(
        store,
        instrument,
        KIND,
        int(panel.open_time[0]),
        int(panel.close_time[-1]),
        on_source_conflicts=on_source_conflicts,
    )
    if series is None or any(name not in series.columns for name in PRICE_COLUMNS):
        return None, keys, f"{KIND} of {instrument} does not state open, high, low and close"
    whole = np.isfinite(np.column_stack([series.columns[name] for name in PRICE_COLUMNS])).all(
        axis=1
    )
    whole &= (series.event_time >= panel.open_time[0]) & (series.event_time < panel.close_time[-1])
    if not whole.any():
        return None, keys, f"{KIND} of {instrument} has no bar with all four prices in this period"
    kept = replace(
        series,
        event_time=series.event_time[whole],
        available_at=series.available_at[whole],
        columns={name: series.columns[name][whole] for name in PRICE_COLUMNS},
    )
    return StoredMarks(name=str(keys[0]), series=kept, step_ns=timeframe_ns(step)), keys, ""


def with_marks(panel: Panel, marks: dict[str, StoredMarks]) -> tuple[Panel, dict[str, int]]:
    """``panel`` with the mark prices of some symbols, and how many of their listed bars lack one.

    A bar without a mark price, and a symbol without any, has the traded prices as its mark.
    """
    table = {name: getattr(panel, name).copy() for name in PRICE_COLUMNS}
    lacking: dict[str, int] = {}
    for symbol, stored in marks.items():
        column = panel.symbols.index(symbol)
        found, has_mark = _aggregated(stored, panel)
        has_mark &= panel.listed[:, column]
        for name in PRICE_COLUMNS:
            table[name][has_mark, column] = found[name][has_mark]
        lacking[symbol] = int((panel.listed[:, column] & ~has_mark).sum())
    return replace(panel, mark=MarkPrices(**table)), lacking


def _aggregated(stored: StoredMarks, panel: Panel) -> tuple[dict[str, Float1D], Bool1D]:
    """First open, highest high, lowest low and last close of the rows inside each bar."""
    series = stored.series
    bar = (series.event_time - panel.open_time[0]) // panel.step_ns
    starts = np.flatnonzero(np.diff(bar, prepend=bar[0] - 1))
    stops = np.append(starts[1:], len(bar)) - 1
    columns = series.columns
    inside = {
        "open": columns["open"][starts],
        "high": np.maximum.reduceat(columns["high"], starts),
        "low": np.minimum.reduceat(columns["low"], starts),
        "close": columns["close"][stops],
    }
    found = {name: np.ones(len(panel)) for name in PRICE_COLUMNS}
    for name, column in found.items():
        column[bar[starts]] = inside[name]
    has_mark = np.zeros(len(panel), dtype=np.bool_)
    has_mark[bar[starts]] = True
    return found, has_mark
