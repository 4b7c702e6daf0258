"""Clocks: the sets of rows on which indicators are computed, and when each row is known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine import Float1D, Int1D, Market, timeframe_ns

from .resample import resampled

NO_AGE_LIMIT_NS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Clock:
    """Rows of one table: ``event_time``, ``available_at`` int64 ns UTC ``(N,)`` and float columns.

    A row may be used from ``available_at`` on, and for ``max_age_ns`` after its event.
    """

    name: str
    event_time: Int1D
    available_at: Int1D
    columns: Mapping[str, Float1D]
    max_age_ns: int = NO_AGE_LIMIT_NS

    def stating(self, names: tuple[str, ...]) -> "Clock | None":
        """The rows that state all of the columns ``names``; None when no row does.

        A row of a slow series may lack some of its columns. It is then no row at all for an
        indicator that reads them, which goes on from its last whole row until that is too old.
        """
        if any(name not in self.columns for name in names):
            return None
        stated = np.ones(len(self.event_time), dtype=np.bool_)
        for name in names:
            stated &= ~np.isnan(self.columns[name])
        if stated.all():
            return self
        if not stated.any():
            return None
        return Clock(
            self.name,
            self.event_time[stated],
            self.available_at[stated],
            {name: column[stated] for name, column in self.columns.items()},
            self.max_age_ns,
        )


def clock_of(market: Market, name: str) -> Clock | None:
    """The clock called ``name``, or None when the market has no such series or no bars of that step.

    ``bars`` are the decision bars, ``bars:<timeframe>`` are rebuilt from them, any other name is a
    slow series. A longer bar is available at its own close; a step that is not a longer multiple of
    the decision bars' is missing, so that no bar counts twice. Raises ConfigError for a misspelt step.
    """
    if name == "bars" or name.startswith("bars:"):
        bars = market.bars
        if name != "bars":
            timeframe = name.removeprefix("bars:")
            step = timeframe_ns(timeframe)
            if step <= bars.step_ns or step % bars.step_ns:
                return None
            longer = resampled(bars, timeframe)
            if longer is None:
                return None
            bars = longer
        return Clock(name, bars.open_time, bars.close_time, bars.columns())
    series = market.series.get(name)
    if series is None:
        return None
    columns = {"event_time": series.event_time.astype(np.float64), **series.columns}
    return Clock(name, series.event_time, series.available_at, columns, series.max_age_ns)
