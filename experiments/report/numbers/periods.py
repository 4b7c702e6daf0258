"""Returns of days, weeks, months and years, and the shape of their distribution."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy.special import ndtri, stdtrit

from engine import Float1D, Float2D, Int1D
from engine.metrics import bar_returns, monthly_returns
from engine.metrics.periods import period_numbers

Span: TypeAlias = Literal["day", "week", "month", "year"]
SPANS: Final[tuple[Span, ...]] = ("day", "week", "month", "year")
_DAYS_TO_MONDAY: Final = 3
MOST_BINS: Final = 80
FEWEST_BINS: Final = 10
MAX_QUANTILES: Final = 400
MOST_FREEDOM: Final = 100.0
"""Degrees of freedom from which Student's t is not told from a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodReturns:
    """Return of each period, ``(P,)``, and the rows of its first and last bar."""

    returns: Float1D
    first: Int1D
    last: Int1D


def returns_of(
    equity: Float1D, initial_cash: float, close_time: Int1D, span: Span
) -> PeriodReturns:
    """Returns by UTC day, week from Monday, month or year; the first and last as far as the run goes.

    A bar belongs to the period in which its last nanosecond lies; the first return is measured from
    the initial cash, and is 0 from the period on that begins without positive equity.
    """
    if span == "week":
        numbers = (period_numbers(close_time, "day") + _DAYS_TO_MONDAY) // 7
    else:
        numbers = period_numbers(close_time, span)
    first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1)).astype(np.int64)
    last = np.append(first[1:], len(numbers)) - 1
    return PeriodReturns(returns=bar_returns(equity[last], initial_cash), first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthGrid:
    """Returns of months, ``cells`` ``(Y, 12)``, NaN outside the run, and of years, ``totals`` ``(Y,)``."""

    years: tuple[int, ...]
    cells: Float2D
    totals: Float1D


def month_grid(equity: Float1D, initial_cash: float, close_time: Int1D) -> MonthGrid:
    """Months of the run by year; each year's total compounds its months."""
    rows = monthly_returns(equity, initial_cash, close_time)
    years = np.arange(int(rows["year"].min()), int(rows["year"].max()) + 1)
    cells = np.full((len(years), 12), np.nan)
    cells[rows["year"] - years[0], rows["month"] - 1] = rows["return_frac"]
    totals = np.prod(np.where(np.isnan(cells), 1.0, 1.0 + cells), axis=1) - 1.0
    return MonthGrid(years=tuple(years.tolist()), cells=cells, totals=totals)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """``counts`` ``(B,)`` between ``edges`` ``(B + 1,)``, and what a ``normal`` distribution has there.

    The normal one has the mean and deviation (ddof 1) of the values; its counts are densities at
    the middles × width × number of values. ``zeros`` values are exactly 0.
    """

    edges: Float1D
    counts: Int1D
    normal: Float1D
    mean: float
    deviation: float
    zeros: int


def histogram(values: Float1D) -> Histogram:
    """Bins of the width of Freedman and Diaconis, 10 to 80 of them, over all ``values`` (two or more)."""
    low, high = np.quantile(values, (0.25, 0.75))
    width = 2.0 * float(high - low) / len(values) ** (1 / 3)
    span = float(values.max() - values.min())
    bins = int(np.ceil(span / width)) if width > 0 and span / width < MOST_BINS else MOST_BINS
    counts, edges = np.histogram(values, bins=max(FEWEST_BINS, bins))
    middles, step = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    normal = np.zeros(len(counts))
    if deviation > 0:
        z = (middles - mean) / deviation
        normal = np.exp(-z * z / 2) / (deviation * np.sqrt(2 * np.pi)) * step * len(values)
    return Histogram(
        edges=edges.astype(np.float64),
        counts=counts.astype(np.int64),
        normal=normal,
        mean=mean,
        deviation=deviation,
        zeros=int((values == 0).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantiles:
    """Standardised values in order, ``(Q,)``, against those of a normal and of a Student t distribution.

    ``student`` has unit variance and the degrees of freedom that give the values' kurtosis,
    4 + 6 ÷ (kurtosis − 3); both are None where that is 100 or more or the tails are not fat.
    """

    observed: Float1D
    normal: Float1D
    student: Float1D | None
    freedom: float | None


def quantiles(values: Float1D) -> Quantiles | None:
    """Quantiles at (i − ½) ÷ n of ``values``; of many the ends and some between. None if constant."""
    deviation = float(values.std(ddof=1))
    if not deviation > 0:
        return None
    ordered = np.sort((values - values.mean()) / deviation)
    places = _chosen(len(ordered))
    shares = (places + 0.5) / len(ordered)
    centred = values - values.mean()
    excess = float((centred**4).mean() / (centred**2).mean() ** 2) - 3.0
    freedom = 4.0 + 6.0 / excess if excess > 0 else np.inf
    has_tails = freedom < MOST_FREEDOM
    return Quantiles(
        observed=ordered[places],
        normal=ndtri(shares),
        student=stdtrit(freedom, shares) * np.sqrt((freedom - 2) / freedom) if has_tails else None,
        freedom=freedom if has_tails else None,
    )


def _chosen(count: int) -> Int1D:
    if count <= MAX_QUANTILES:
        return np.arange(count, dtype=np.int64)
    ends = MAX_QUANTILES // 8
    middle = np.linspace(ends, count - 1 - ends, MAX_QUANTILES - 2 * ends).astype(np.int64)
    return np.unique(np.concatenate((np.arange(ends), middle, np.arange(count - ends, count))))
