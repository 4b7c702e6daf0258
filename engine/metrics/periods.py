"""Returns of UTC days, months, quarters and years, and of the time just before the end.

A bar belongs to the period in which its last nanosecond lies. The first and the last period count as
far as the run goes. The return of a period is its last equity ÷ the equity before its first bar − 1, 0
where that is not positive. Bars of a day and longer are their own days.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ..arrays import Float1D, Int1D
from ..timeframe import DAY_NS
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation

Period = Literal["day", "month", "quarter", "year"]

PERIOD_RETURN_DTYPE: Final = np.dtype(
    [("year", np.int64), ("month", np.int64), ("return_frac", np.float64)]
)
"""Rows of the monthly and yearly tables; ``month`` is 1 to 12, 0 in the yearly one."""


def period_numbers(close_time: Int1D, period: Period) -> Int1D:
    """Number of the period of each bar since 1970, ``(T,)``; ``close_time`` int64 ns UTC."""
    last = (close_time - 1).astype("datetime64[ns]")
    unit = {"day": "D", "month": "M", "quarter": "M", "year": "Y"}[period]
    numbers: Int1D = last.astype(f"datetime64[{unit}]").astype(np.int64)
    return numbers // 3 if period == "quarter" else numbers


def period_returns(
    equity: Float1D, initial_cash: float, close_time: Int1D, period: Period
) -> tuple[Int1D, Float1D]:
    """Numbers of the periods and the return of each, both ``(P,)``."""
    numbers = period_numbers(close_time, period)
    ends = np.append(np.flatnonzero(np.diff(numbers)), len(numbers) - 1)
    after = equity[ends]
    before = np.concatenate(([initial_cash], after[:-1]))
    return numbers[ends], np.where(before > 0, after / np.where(before > 0, before, 1.0) - 1.0, 0.0)


def monthly_returns(
    equity: Float1D, initial_cash: float, close_time: Int1D
) -> np.ndarray[Any, Any]:
    """One row of ``PERIOD_RETURN_DTYPE`` for each month of the run."""
    numbers, returns = period_returns(equity, initial_cash, close_time, "month")
    return _rows(1970 + numbers // 12, numbers % 12 + 1, returns)


def yearly_returns(equity: Float1D, initial_cash: float, close_time: Int1D) -> np.ndarray[Any, Any]:
    """One row of ``PERIOD_RETURN_DTYPE`` for each year of the run."""
    numbers, returns = period_returns(equity, initial_cash, close_time, "year")
    return _rows(1970 + numbers, np.zeros_like(numbers), returns)


def _rows(year: Int1D, month: Int1D, returns: Float1D) -> np.ndarray[Any, Any]:
    table = np.zeros(len(year), dtype=PERIOD_RETURN_DTYPE)
    table["year"], table["month"], table["return_frac"] = year, month, returns
    return table


def months_before(time_ns: int, months: int) -> int:
    """The same day and time ``months`` calendar months earlier, at most that month's last day."""
    moment = np.datetime64(time_ns, "ns")
    month = moment.astype("datetime64[M]")
    earlier = month - np.timedelta64(months, "M")
    day, time = divmod(int((moment - month).astype(np.int64)), DAY_NS)
    length = int(
        ((earlier + 1).astype("datetime64[D]") - earlier.astype("datetime64[D]")).astype(np.int64)
    )
    return int(earlier.astype("datetime64[ns]").astype(np.int64)) + (
        min(day, length - 1) * DAY_NS + time
    )


def return_since(run: "Evaluation", start_ns: int) -> float:
    """Return from the last close at or before ``start_ns`` to the end; NaN if the run begins later."""
    if start_ns < int(run.panel.open_time[0]):
        return math.nan
    row = int(np.searchsorted(run.panel.close_time, start_ns, side="right")) - 1
    before = float(run.equity[row]) if row >= 0 else run.initial_cash
    return float(run.equity[-1]) / before - 1.0 if before > 0 else 0.0


def return_of_last_months(run: "Evaluation", months: int) -> float:
    """Return of the last ``months`` calendar months; NaN if the run is shorter."""
    return return_since(run, months_before(int(run.panel.close_time[-1]), months))


def _last(run: "Evaluation", period: Period) -> float:
    return float(run.returns_of(period)[-1])


def _extreme(kind: str, period: Period) -> Callable[["Evaluation"], float]:
    extreme = np.max if kind == "best" else np.min
    return lambda run: float(extreme(run.returns_of(period)))


def _positive_share(period: Period) -> Callable[["Evaluation"], float]:
    return lambda run: float((run.returns_of(period) > 0).mean())


_PERIODS: Final[tuple[Period, ...]] = ("day", "month", "quarter", "year")

_PEERS: Final = {
    "day": "quantstats takes bars for days where it is given shorter ones",
    "month": 'quantstats agrees with aggregate="ME"; "month" merges the months of all years',
    "year": "",
}

METRICS: Final = (
    Metric(
        "best_bar", "periods", "fraction", "largest return of a bar",
        lambda run: float(run.returns.max()), ("quantstats",),
    ),
    Metric(
        "worst_bar", "periods", "fraction", "smallest return of a bar",
        lambda run: float(run.returns.min()), ("quantstats",),
    ),
    *(
        Metric(
            f"{kind}_{period}", "periods", "fraction", f"{extreme} return of a {period}",
            _extreme(kind, period),
            ("quantstats",), _PEERS[period],
        )
        for period in _PERIODS if period != "quarter"
        for kind, extreme in (("best", "largest"), ("worst", "smallest"))
    ),
    *(
        Metric(
            f"positive_{period}s", "periods", "fraction",
            f"share of the {period}s of the run with a positive return",
            _positive_share(period),
            (),
            "quantstats leaves periods with a return of 0 out of the count",
        )
        for period in _PERIODS
    ),
    Metric(
        "month_to_date_return", "periods", "fraction", "return of the last, perhaps unfinished, month",
        lambda run: _last(run, "month"),
    ),
    Metric(
        "three_month_return", "periods", "fraction",
        "return since the close three calendar months before the end; NaN if the run is shorter",
        lambda run: return_of_last_months(run, 3),
    ),
    Metric(
        "six_month_return", "periods", "fraction", "likewise, six calendar months",
        lambda run: return_of_last_months(run, 6),
    ),
    Metric(
        "year_to_date_return", "periods", "fraction", "return of the last, perhaps unfinished, year",
        lambda run: _last(run, "year"),
    ),
    Metric(
        "one_year_return", "periods", "fraction", "likewise, twelve calendar months",
        lambda run: return_of_last_months(run, 12),
    ),
)  # fmt: skip
