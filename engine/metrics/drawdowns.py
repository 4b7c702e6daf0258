"""Losses from former peaks of equity, at closes, initial cash included among the peaks."""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..arrays import Float1D
from ..jit import kernel
from ..simd import WIDTH, choose, load, lowest, mask_bits, spread
from ..timeframe import DAY_NS, SECOND_NS
from .distribution import FEWEST_IN_TAIL
from .metric import Metric
from .returns import annual_return, total_return

if TYPE_CHECKING:
    from .evaluation import Evaluation

DRAWDOWN_DTYPE: Final = np.dtype(
    [
        ("peak_bar", np.int64),
        ("trough_bar", np.int64),
        ("end_bar", np.int64),
        ("bars", np.int64),
        ("depth_frac", np.float64),
    ]
)
"""``peak_bar`` is the last close at the peak (−1: the initial cash), ``trough_bar`` the first of the
deepest closes, ``end_bar`` the first close at the peak or above (−1: none yet), ``bars`` the closes
below it."""


def drawdowns(equity: Float1D, initial_cash: float) -> Float1D:
    """1 − equity ÷ highest equity so far, initial cash included, ``(T,)``, 0 or positive."""
    peak = np.maximum(np.maximum.accumulate(equity), initial_cash)
    return 1.0 - equity / peak


def max_drawdown(equity: Float1D, initial_cash: float) -> float:
    """Largest fraction lost from a peak; the greatest of ``drawdowns``."""
    told = np.ascontiguousarray(equity, dtype=np.float64)
    return float(_max_drawdown_kernel(told, told.ctypes.data, float(initial_cash)))


@kernel
def _max_drawdown_kernel(equity: Float1D, address: int, initial_cash: float) -> float:
    """Under one peak only the lowest equity counts: quotients of floats keep the order.

    ``address`` is that of ``equity``. Eight closes that make no peak are looked at as one.
    """
    peak, lowest_since, deepest = initial_cash, initial_cash, 0.0
    lows = spread(initial_cash)
    t, bars = 0, len(equity)
    while t < bars:
        if t + WIDTH <= bars:
            closes = load(address, t)
            if mask_bits(closes > spread(peak)) == 0:
                lows = choose(closes < lows, closes, lows)
                t += WIDTH
                continue
        for bar in range(t, min(t + WIDTH, bars)):
            if equity[bar] > peak:
                deepest = max(deepest, 1.0 - min(lowest_since, lowest(lows)) / peak)
                peak = lowest_since = equity[bar]
                lows = spread(peak)
            elif equity[bar] < lowest_since:
                lowest_since = equity[bar]
        t += WIDTH
    return float(max(deepest, 1.0 - min(lowest_since, lowest(lows)) / peak))


def drawdown_periods(depths: Float1D) -> np.ndarray[Any, Any]:
    """Every stretch of closes below a former peak in time order, rows of ``DRAWDOWN_DTYPE``.

    ``depths`` ``(T,)`` are those of ``drawdowns``.
    """
    below = depths > 0
    starts = np.flatnonzero(below & ~np.concatenate(([False], below[:-1])))
    table = np.zeros(len(starts), dtype=DRAWDOWN_DTYPE)
    if not len(starts):
        return table
    ends = np.flatnonzero(~below & np.concatenate(([False], below[:-1])))
    ended = np.concatenate((ends, np.full(len(starts) - len(ends), len(depths))))
    deepest = np.maximum.reduceat(depths, starts)
    period = np.cumsum(below & ~np.concatenate(([False], below[:-1]))) - 1
    at_depth = np.flatnonzero(below & (depths == deepest[np.maximum(period, 0)]))
    _, first = np.unique(period[at_depth], return_index=True)
    table["peak_bar"] = starts - 1
    table["trough_bar"] = at_depth[first]
    table["end_bar"] = np.where(ended < len(depths), ended, -1)
    table["bars"] = ended - starts
    table["depth_frac"] = deepest
    return table


def worst_drawdowns(equity: Float1D, initial_cash: float, count: int = 10) -> np.ndarray[Any, Any]:
    """The ``count`` deepest rows of ``drawdown_periods``, deepest first, of equals the earlier first."""
    table = drawdown_periods(drawdowns(equity, initial_cash))
    return table[np.argsort(-table["depth_frac"], kind="stable")[:count]]


def ulcer_index(depths: Float1D) -> float:
    """Root mean square of the drawdowns at all closes."""
    return math.sqrt(float((depths * depths).mean()))


def pitfall(depths: Float1D, volatility: float) -> float:
    """Mean of the deepest 5 % of the drawdowns at closes ÷ annual volatility; NaN below 200 closes."""
    if len(depths) * 0.05 < FEWEST_IN_TAIL or not volatility > 0:
        return math.nan
    return float(np.sort(depths)[-(int((len(depths) - 1) * 0.05) + 1) :].mean()) / volatility


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan


def _annual(run: "Evaluation") -> float:
    return annual_return(run.equity, run.initial_cash, run.years)


def _deepest(run: "Evaluation") -> np.void | None:
    table = run.drawdown_table
    return table[int(np.argmax(table["depth_frac"]))] if len(table) else None


def _close_ns(run: "Evaluation", bar: int) -> int:
    """Close of the bar; its run's first open for −1, where the peak is the initial cash."""
    return int(run.panel.close_time[bar] if bar >= 0 else run.panel.open_time[0])


def _moment(run: "Evaluation", column: str) -> float:
    row = _deepest(run)
    if row is None or (column == "end_bar" and row[column] < 0):
        return math.nan
    return _close_ns(run, int(row[column])) / SECOND_NS


def _days_between(run: "Evaluation", start: str) -> float:
    """Days from peak (or trough) of the deepest drawdown to its end; to the last close from the peak."""
    row = _deepest(run)
    if row is None or (start == "trough_bar" and row["end_bar"] < 0):
        return math.nan
    end = int(row["end_bar"]) if row["end_bar"] >= 0 else run.bars - 1
    return (_close_ns(run, end) - _close_ns(run, int(row[start]))) / DAY_NS


METRICS: Final = (
    Metric(
        "max_drawdown", "drawdowns", "fraction", "largest 1 − equity ÷ highest equity so far, at closes",
        lambda run: float(run.drawdowns.max()), ("empyrical", "quantstats"), "theirs are negative",
    ),
    Metric(
        "max_drawdown_start", "drawdowns", "unix seconds", "last close at the peak before it",
        lambda run: _moment(run, "peak_bar"),
    ),
    Metric(
        "max_drawdown_trough", "drawdowns", "unix seconds", "close at its lowest",
        lambda run: _moment(run, "trough_bar"), ("quantstats",),
    ),
    Metric(
        "max_drawdown_end", "drawdowns", "unix seconds",
        "first close at the peak again; NaN when it has not recovered",
        lambda run: _moment(run, "end_bar"), (),
        "quantstats ends it one bar earlier, and at the last bar when it has not recovered",
    ),
    Metric(
        "max_drawdown_days", "drawdowns", "days", "from its peak to its end, or to the last close",
        lambda run: _days_between(run, "peak_bar"),
    ),
    Metric(
        "max_drawdown_recovery_days", "drawdowns", "days",
        "from its lowest close to its end; NaN when it has not recovered",
        lambda run: _days_between(run, "trough_bar"),
    ),
    Metric(
        "average_drawdown", "drawdowns", "fraction", "mean depth of the stretches below a peak",
        lambda run: float(run.drawdown_table["depth_frac"].mean()) if len(run.drawdown_table)
        else math.nan,
        ("quantstats",), "the mean of its `drawdown_details`; theirs is negative",
    ),
    Metric(
        "longest_drawdown_bars", "drawdowns", "bars", "most closes in a row below a former peak",
        lambda run: float(run.drawdown_table["bars"].max()) if len(run.drawdown_table) else 0.0,
    ),
    Metric(
        "time_under_water", "drawdowns", "fraction", "share of the closes below a former peak",
        lambda run: float((run.drawdowns > 0).mean()),
    ),
    Metric(
        "ulcer_index", "drawdowns", "fraction", "root mean square of the drawdowns at all closes",
        lambda run: ulcer_index(run.drawdowns), (), "quantstats divides by n − 1",
    ),
    Metric(
        "calmar", "drawdowns", "ratio", "annual return ÷ maximum drawdown",
        lambda run: _ratio(_annual(run), float(run.drawdowns.max())), ("empyrical", "quantstats"),
    ),
    Metric(
        "martin", "drawdowns", "ratio", "annual return ÷ ulcer index (ulcer performance index)",
        lambda run: _ratio(_annual(run), ulcer_index(run.drawdowns)), (),
        "quantstats divides the total return, whatever the length of the run",
    ),
    Metric(
        "recovery_factor", "drawdowns", "ratio", "total return ÷ maximum drawdown",
        lambda run: _ratio(total_return(run.equity, run.initial_cash), float(run.drawdowns.max())), (),
        "quantstats divides the sum of the returns, and drops the sign",
    ),
    Metric(
        "serenity", "drawdowns", "ratio",
        "annual return ÷ (ulcer index × mean of the deepest 5 % drawdowns ÷ annual volatility); NaN below "
        "200 closes",
        lambda run: _ratio(
            _annual(run), ulcer_index(run.drawdowns) * pitfall(run.drawdowns, run.volatility)
        ), (),
        "quantstats takes the sum of returns, a normal tail of the drawdowns and the deviation of a bar",
    ),
)  # fmt: skip
