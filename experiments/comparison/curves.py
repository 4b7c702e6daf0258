"""The equity of several runs on the closes that all of them have."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa

from engine import DAY_NS, DataError, Float1D, Float2D, Int1D

from ..record import RunRecord

_NS_PER_US: Final = 1_000
YEAR_NS: Final = 365 * DAY_NS


@dataclass(frozen=True, slots=True)
class Curves:
    """Equity of R runs on T common closes.

    ``time_ns`` int64 ``(T,)``; ``growth`` ``(T, R)``: equity over what it is measured from, ``returns``
    ``(T, R)``: simple returns from close to close, the first of them from the base. The base is the
    initial cash where every run begins with the same bar (``is_whole`` then says that the runs also
    end together), else the equity at the first common close, whose return is left out. ``bars`` are
    the closes of each run by itself, ``closes_a_year`` as many common ones as a year holds.
    """

    time_ns: Int1D
    growth: Float2D
    returns: Float2D
    bars: tuple[int, ...]
    closes_a_year: float
    is_whole: bool


def curves_of(records: Sequence[RunRecord]) -> Curves:
    """Read the equity of ``records``. DataError when fewer than two closes are common to all of them."""
    tables = [record.table("equity") for record in records]
    times = [_time(table) for table in tables]
    common = reduce(np.intersect1d, times)
    if len(common) < 2:
        spans = "; ".join(
            f"{record.run_id} {record.content['start_time']} to {record.content['end_time']}"
            for record in records
        )
        raise DataError(
            f"the runs have no two closes in common ({spans}): compare runs that overlap"
        )
    rows = [np.searchsorted(time, common) for time in times]
    equity = np.column_stack(
        [
            np.asarray(table["equity"], dtype=np.float64)[row]
            for table, row in zip(tables, rows, strict=True)
        ]
    )
    whole = all(len(time) == len(common) for time in times)
    if whole:
        base = np.array([float(record.content["config"]["initial_cash"]) for record in records])
        growth, time = equity / base, common
        before = np.concatenate((np.ones((1, len(records))), growth[:-1]))
        returns = _returns(before, growth)
    else:
        growth, time = equity[1:] / np.where(equity[0] > 0, equity[0], np.nan), common[1:]
        returns = _returns(equity[:-1], equity[1:])
    step = float(np.median(np.diff(common)))
    return Curves(time, growth, returns, tuple(map(len, times)), YEAR_NS / step, whole)


def _time(table: pa.Table) -> Int1D:
    time: Int1D = np.asarray(table["time"].cast(pa.int64())) * _NS_PER_US
    return time


def _returns(before: Float2D, after: Float2D) -> Float2D:
    """Simple returns; 0 behind a ruin, as in the metrics."""
    alive = before > 0
    returns: Float2D = np.where(alive, after / np.where(alive, before, 1.0) - 1.0, 0.0)
    return returns


def drawdowns_of(growth: Float1D) -> Float1D:
    """1 - growth over its highest so far, beginning at 1, ``(T,)``."""
    highest = np.maximum.accumulate(np.maximum(growth, 1.0))
    depth: Float1D = 1.0 - growth / highest
    return depth
