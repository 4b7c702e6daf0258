"""Bars of one instrument."""

import numpy as np

from engine import FLOW_COLUMNS, PRICE_COLUMNS, Bars, Bool1D, DataError, Float1D, Int1D

from ..keys import Instrument
from ..store import DatasetInfo, Store
from ..timestamps import time_text
from .fill import fill_grid
from .find import bars_datasets
from .grid import Filled, Grid, NoBarsError, grid_of
from .sources import ConflictHandler, refuse_conflicts


def load_bars(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    kind: str = "ohlcv",
    with_flows: bool = True,
    as_of_ns: int | None = None,
    on_source_conflicts: ConflictHandler = refuse_conflicts,
) -> Bars:
    """Bars with ``start_ns <= open_time < end_ns`` on the full grid.

    A missing bar has open, high, low and close of the close before it, volume and flows 0 and
    ``is_gap`` True; a period equals the same rows of the whole history. A flow column is None where
    no stored bar of the period has it, or where ``with_flows`` is False. Where the store lacks
    ``timeframe`` the bars are aggregated from the longest shorter step that divides it, whole bars
    only; a missing bar under them counts as one at the close before it.

    Of a bar that was revised the first vintage is loaded, what was seen at the time; with
    ``as_of_ns`` the last vintage known at that moment, and nothing that was not. A bar first known
    after the close of the next one is missing unless ``as_of_ns`` is given. ``kind`` is ``ohlcv`` or
    ``dated_futures``. Where ``instrument`` names several sources and they contradict each other,
    ``on_source_conflicts`` is told; by default that is refused.

    Raises DataError for an unknown instrument, several sources without a precedence, a period
    without bars, or a flow column that some bars of the period have and others lack.
    """
    keys = bars_datasets(store, instrument, timeframe, kind=kind)
    infos = [store.dataset(key) for key in keys]
    grid = grid_of(infos, timeframe, start_ns, end_ns, as_of_ns)
    if grid.count == 0:
        raise _no_bars(infos, timeframe, start_ns, end_ns, some_late=False)
    columns: dict[str, Float1D] = {}
    filled = fill_grid(
        store,
        infos,
        grid,
        FLOW_COLUMNS if with_flows else (),
        lambda name: columns.setdefault(name, np.empty(grid.count)),
        on_source_conflicts,
    )
    if not filled.has_bar.any():
        raise _no_bars(infos, timeframe, start_ns, end_ns, some_late=filled.some_late)
    return _bars(infos[0], grid, filled, columns)


def _bars(info: DatasetInfo, grid: Grid, filled: Filled, columns: dict[str, Float1D]) -> Bars:
    rows = slice(filled.first, filled.last)
    open_time = np.arange(grid.first_ns, grid.end_ns, grid.step_ns, dtype=np.int64)[rows]
    has_bar = filled.has_bar[rows]
    for name in filled.flows:
        _check_whole(info, name, columns[name][rows], open_time, has_bar)
    return Bars(
        symbol=info.key.symbol,
        timeframe=grid.timeframe,
        open_time=open_time,
        volume=columns["volume"][rows],
        is_gap=~has_bar,
        **{name: columns[name][rows] for name in PRICE_COLUMNS},
        **{name: columns[name][rows] for name in filled.flows},
    )


def _check_whole(
    info: DatasetInfo, name: str, values: Float1D, open_time: Int1D, has_bar: Bool1D
) -> None:
    """Every bar has the column: a hole must not hide the rest."""
    lacking = has_bar & np.isnan(values)
    if lacking.any():
        first = time_text(int(open_time[np.argmax(lacking)]))
        raise DataError(
            f"{info.key}: {name} is missing on {int(lacking.sum())} of {int(has_bar.sum())} bars, first "
            f"at {first}; load a period where every bar has it or none, load without flows, or import "
            "it under another source"
        )


def _no_bars(
    infos: list[DatasetInfo],
    timeframe: str,
    start_ns: int | None,
    end_ns: int | None,
    *,
    some_late: bool,
) -> NoBarsError:
    info = infos[0]
    period = f"from {_bound(start_ns, 'the beginning')} to {_bound(end_ns, 'the end')}"
    if info.key.step != timeframe:
        return NoBarsError(
            f"{info.key}: the period {period} holds no whole {timeframe} bar; load a longer one"
        )
    gaps = sum(len(one.gaps) for one in infos)
    late = "; bars there were known too long after their close" if some_late else ""
    return NoBarsError(
        f"{info.key}: no bars {period}; the store has {time_text(min(one.first_ns for one in infos))} to "
        f"{time_text(max(one.last_ns for one in infos))}{f' with {gaps} gaps' if gaps else ''}{late}"
    )


def _bound(time_ns: int | None, absent: str) -> str:
    return absent if time_ns is None else time_text(time_ns)
