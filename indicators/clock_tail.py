"""The newest rows of a clock, cut out of a market before anything is computed."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from engine import Bars, Int1D, Market, grid_origin_ns, timeframe_ns

from .clock import Clock, clock_of, panel_clock, series_clock
from .clock_join import AS_OF, IF_ANY, SAME_EVENT, compound_clock, is_compound


class ClockTails:
    """Newest rows of the clocks of one market, as ``clock_of`` shows them; longer ones on demand.

    A tail ends with the last row that is known at the close of the last bar. Its rows are equal to
    those of the whole clock, whatever their number; what they cost depends on that number alone.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._now = int(market.bars.open_time[-1]) + market.bars.step_ns
        self._kept: dict[str, tuple[int, Clock | None, bool]] = {}

    def tail(self, name: str, count: int) -> tuple[Clock | None, bool]:
        """At least the newest ``count`` rows of clock ``name``, or all: then the second answer is True.

        The clock is None where ``clock_of`` has none. Raises ConfigError for a misspelt step.
        """
        kept = self._kept.get(name)
        if kept is None or (kept[0] < count and not kept[2]):
            made = self._compound(name, count) if is_compound(name) else self._plain(name, count)
            kept = self._kept[name] = (count, *made)
        return kept[1], kept[2]

    def _plain(self, name: str, count: int) -> tuple[Clock | None, bool]:
        market = self._market
        if name == "bars" or name.startswith("bars:"):
            bars, is_whole = _newest_bars(market.bars, name.removeprefix("bars:"), count)
            return clock_of(Market(bars=bars), name), is_whole
        if name in market.panels:
            part = self._known(market.panels[name].available_at, count)
            return panel_clock(market.panels[name], part), part.start == 0
        if name in market.series:
            part = self._known(market.series[name].available_at, count)
            return series_clock(name, market.series[name], part), part.start == 0
        return None, True

    def _known(self, available_at: Int1D, count: int) -> slice:
        known = int(np.searchsorted(available_at, self._now, side="right"))
        return slice(max(known - count, 0), known)

    def _compound(self, name: str, count: int) -> tuple[Clock | None, bool]:
        base_name, *others = (part.removesuffix(IF_ANY) for part in name.split(AS_OF))
        sizes: dict[str, int] = {}
        while True:
            base, is_whole = self._same_events(base_name, sizes, count)
            if base is None or is_whole or len(base.event_time) >= count:
                break
        for other in others if base is not None and len(base.event_time) else ():
            while base is not None:
                seen, reaches_start = self._same_events(other, sizes, count)
                if seen is None or reaches_start:
                    break
                # Each row of the base needs the row of the other that was known by then.
                if len(seen.event_time) and seen.available_at[0] <= base.available_at[0]:
                    break
        joined = compound_clock(name, lambda part: self.tail(part, sizes.get(part, count))[0])
        return joined, is_whole

    def _same_events(
        self, group: str, sizes: dict[str, int], count: int
    ) -> tuple[Clock | None, bool]:
        """The rows of one group of ``SAME_EVENT`` clocks, from tails twice as long as last time."""
        parts = group.split(SAME_EVENT)
        for part in parts:
            sizes[part] = 2 * sizes[part] if part in sizes else count
        tails = {part: self.tail(part, sizes[part]) for part in parts}
        joined = compound_clock(group, lambda part: tails[part][0])
        return joined, all(is_whole for _, is_whole in tails.values())


def _newest_bars(bars: Bars, timeframe: str, count: int) -> tuple[Bars, bool]:
    """Decision bars under the newest ``count`` bars of ``timeframe`` that have ended; or all bars."""
    rows = len(bars)
    first, stop = rows - count, rows
    if timeframe != "bars":
        step = timeframe_ns(timeframe)
        origin = grid_origin_ns(timeframe) - int(bars.open_time[0])
        ended = (rows * bars.step_ns - origin) // step * step + origin
        first, stop = (ended - count * step) // bars.step_ns, ended // bars.step_ns
    if first <= 0:
        return bars, True
    arrays: dict[str, Any] = {
        field.name: value[first:stop]
        for field in fields(bars)
        if isinstance(value := getattr(bars, field.name), np.ndarray)
    }
    return replace(bars, **arrays), False
