"""Clocks: the sets of rows on which indicators are computed, and when each row is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np

from engine import Float1D, Int1D, Market, MarketPanel, Series, timeframe_ns

from .clock_join import compound_clock, is_compound
from .resample import resampled

NO_AGE_LIMIT_NS = np.iinfo(np.int64).max
ALL_ROWS: Final = slice(None)


@dataclass(frozen=True, slots=True)
class Clock:
    """Rows of one table: ``event_time``, ``available_at`` int64 ns UTC ``(N,)`` and float columns.

    A row may be used from ``available_at`` on, and for ``max_age_ns`` after its event. Columns are
    ``(N,)``; those of a panel that hold a number for each coin are ``(N, S)``, which the type does not
    say (``coins_table`` reads them).
    """

    name: str
    event_time: Int1D
    available_at: Int1D
    columns: Mapping[str, Float1D]
    max_age_ns: int = NO_AGE_LIMIT_NS

    def stating(self, names: tuple[str, ...], may_lack: tuple[str, ...] = ()) -> "Clock | None":
        """The rows that state all of the columns ``names`` but ``may_lack``; None when no row does.

        A row of a slow series may lack some of its columns. It is then no row at all for an
        indicator that reads them, which goes on from its last whole row until that is too old. Columns
        with a number for each coin are not asked: each coin is there or not by itself. Of ``may_lack`` a
        column may be missing as a whole, and is NaN on every row then.
        """
        lacking = [name for name in names if name not in self.columns]
        if any(name not in may_lack for name in lacking):
            return None
        if lacking:
            nothing = np.full(len(self.event_time), np.nan)
            columns = {**self.columns, **dict.fromkeys(lacking, nothing)}
            return replace(self, columns=columns).stating(names, may_lack)
        stated = np.ones(len(self.event_time), dtype=np.bool_)
        for name in names:
            if self.columns[name].ndim == 1 and name not in may_lack:
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
    slow series or a panel of coins, and ``a+b``, ``a+b?`` or ``a&b`` join several (``clock_join``). A
    longer bar is available at its own close; a step that is not a longer multiple of the decision
    bars' is missing, so that no bar counts twice. Raises ConfigError for a misspelt step.
    """
    if is_compound(name):
        return compound_clock(name, lambda part: clock_of(market, part))
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
    if name in market.panels:
        return panel_clock(market.panels[name])
    series = market.series.get(name)
    return None if series is None else series_clock(name, series)


def series_clock(name: str, series: Series, part: slice = ALL_ROWS) -> Clock:
    """The rows ``part`` of a slow series, as clock ``name``; ``event_time`` in ns is a column too."""
    event_time = series.event_time[part]
    columns = {"event_time": event_time.astype(np.float64)}
    columns |= {label: column[part] for label, column in series.columns.items()}
    return Clock(name, event_time, series.available_at[part], columns, series.max_age_ns)


def panel_clock(panel: MarketPanel, part: slice = ALL_ROWS) -> Clock:
    """The rows ``part`` of a panel, with what is about the market's own coin and the benchmark.

    ``own_<column>`` and ``benchmark_close`` are ``(N,)`` columns of one coin. Where the panel lacks the
    market's own coin, ``own_close`` is absent and the others are 0: it was never there. ``is_benchmark``
    is 1 on every row where the own coin is the benchmark, else 0.
    """
    event_time = panel.event_time[part]
    tables = {name: table[part] for name, table in panel.columns.items()}
    columns = {
        "event_time": event_time.astype(np.float64),
        "is_benchmark": np.full(len(event_time), float(panel.own == panel.benchmark)),
        "benchmark_close": tables["close"][:, panel.benchmark].copy(),
    }
    for name, table in tables.items():
        if panel.own is not None:
            columns[f"own_{name}"] = table[:, panel.own].copy()
        elif name != "close":
            columns[f"own_{name}"] = np.zeros(len(table))
    return Clock(
        panel.name,
        event_time,
        panel.available_at[part],
        {**cast(Mapping[str, Float1D], tables), **columns},
        panel.max_age_ns,
    )
