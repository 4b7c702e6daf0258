"""The newest rows of a feature matrix, from a bounded window of each feature's own clock."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from engine import HOUR_NS, ConfigError, Float1D, Int1D, Market

from .asof import last_known_row
from .clock import Clock, clock_of
from .clock_tail import ClockTails
from .features import FeatureMatrix, StatedRows, computed_outputs, looked_up, shown_column
from .spec import Feature, Indicator

TIME_COLUMNS: Final = frozenset({"open_time", "event_time", "known_at"})
"""An indicator that reads one of them may measure its windows in time."""
MOST_EXTRA_ROWS: Final = 500
"""Windows are twice ``stable`` rows, up to this many more: a recursive mean of up to 30 rows, which
``stable`` lets differ by 1e-6, is then equal to 1e-12, and no vote hangs on the difference."""


def latest_features(
    market: Market,
    features: Iterable[Feature],
    *,
    indicators: Mapping[str, Indicator],
    rows: int = 1,
    tails: ClockTails | None = None,
) -> FeatureMatrix:
    """The last ``rows`` rows of ``build_features``, at a cost that does not grow with the history.

    Each indicator is computed on the rows of its clock that the last bars see and those before them
    that state its inputs: ``stable(parameters)`` rows, and as many again up to ``MOST_EXTRA_ROWS``;
    where its history is shorter, on all of it. An indicator that reads a time column may have windows
    of hours: its rows are then those of an hour, and on a clock with shorter steps the window reaches
    back that many hours.

    The values are those of the batch. Comparisons, extremes and counts are equal to the last bit.
    Sums over windows are added up in blocks from the first row, so they may differ in the last
    digits (1e-9 of their scale); recursive means differ by what the window leaves: 1e-6 of their
    scale at most, and that only where ``stable`` is far above ``MOST_EXTRA_ROWS``. Where a history is
    shorter than the window everything is equal.

    ``tails`` are those of this market, where several calls share them. Returns at most ``rows`` rows:
    as many as there are bars. A series that states an input nowhere is searched to its start. Raises
    what ``build_features`` raises, and ConfigError when ``rows`` is below 1.
    """
    if rows < 1:
        raise ConfigError(f"rows={rows} must be at least 1: the newest row is one")
    open_time = market.bars.open_time[-rows:]
    known_at = open_time + market.bars.step_ns
    needs = _Needs(market, known_at, ClockTails(market) if tails is None else tails)
    present: list[Feature] = []
    columns: list[Float1D] = []
    computed: dict[tuple[object, ...], tuple[tuple[Float1D, ...], Clock, Int1D]] = {}
    wanted = tuple(dict.fromkeys(features))
    asked = [_Asked(feature, looked_up(feature, indicators)) for feature in wanted]
    for one in sorted(asked, key=lambda one: one.before, reverse=True):
        needs.reserve(one)
    for one in asked:
        found = computed.get(one.identity)
        if found is None:
            window = needs.window(one)
            if window is None:
                continue
            outputs: tuple[Float1D, ...] = ()
            if len(window.event_time):
                outputs = computed_outputs(one.indicator, one.parameters, window)
            seen = last_known_row(known_at, window.available_at)
            found = computed[one.identity] = outputs, window, seen
        outputs, window, seen = found
        values = outputs[one.index] if outputs else np.empty(0)
        if one.feature.clock == "bars":
            columns.append(values[-len(known_at) :])
        else:
            output = one.indicator.outputs[one.index]
            columns.append(shown_column(values, seen, window, known_at, output))
        present.append(one.feature)
    matrix = np.empty((len(known_at), len(columns)), order="F")
    for position, column in enumerate(columns):
        matrix[:, position] = column
    return FeatureMatrix(open_time, known_at, tuple(present), matrix)


class _Asked:
    """One feature, with its indicator, parameters and the rows that come before the first one shown."""

    def __init__(self, feature: Feature, indicator: Indicator) -> None:
        self.feature, self.indicator = feature, indicator
        self.index = indicator.output_index(feature.output)
        self.parameters = indicator.resolved(dict(feature.parameters))
        self.identity = (feature.indicator, tuple(sorted(self.parameters.items())), feature.clock)
        stable = indicator.stable(self.parameters)
        self.before = stable + min(stable, MOST_EXTRA_ROWS)
        self.in_time = not TIME_COLUMNS.isdisjoint(indicator.inputs)


class _Needs:
    """Windows of stating rows, cut from tails that are as long as the longest window needs."""

    def __init__(self, market: Market, known_at: Int1D, tails: ClockTails) -> None:
        self._market, self._known_at, self._tails = market, known_at, tails
        self._counts: dict[str, int] = {}
        self._stated: dict[StatedRows, tuple[Clock, bool]] = {}

    def reserve(self, one: _Asked) -> None:
        """Let the first tail of the clock of ``one`` be long enough for it."""
        count = one.before + len(self._known_at) + 1
        clock = one.feature.clock
        self._counts[clock] = max(self._counts.get(clock, 0), count)

    def window(self, one: _Asked) -> Clock | None:
        """The rows on which ``one`` is computed, none where no bar sees any; None without the data."""
        while True:
            stated, is_whole = self._stating(one)
            if stated is None:
                return None
            if not len(stated.event_time):
                return stated
            first = self._first_row(one, stated)
            if first >= 0 or is_whole:
                return _from_row(stated, max(first, 0))
            self._grow(one.feature.clock)

    def _stating(self, one: _Asked) -> tuple[Clock | None, bool]:
        clock, inputs, may_lack = one.feature.clock, one.indicator.inputs, one.indicator.may_lack
        kept = self._stated.get((clock, inputs, may_lack))
        if kept is not None:
            return kept
        while True:
            tail, is_whole = self._tails.tail(clock, self._counts[clock])
            if tail is None or any(name not in tail.columns for name in inputs):
                return None, True
            stated = tail.stating(inputs, may_lack) if len(tail.event_time) else None
            if stated is not None:
                break
            if is_whole:
                # Nothing is known yet; what comes after the last bar decides whether it is a column.
                whole = clock_of(self._market, clock)
                stated = None if whole is None else whole.stating(inputs, may_lack)
                if stated is None:
                    return None, True
                stated = _from_row(stated, len(stated.event_time))
                break
            self._grow(clock)
        self._stated[clock, inputs, may_lack] = stated, is_whole
        return stated, is_whole

    def _first_row(self, one: _Asked, stated: Clock) -> int:
        """First row of the window of ``one``; negative where ``stated`` does not reach back to it."""
        seen = int(np.searchsorted(stated.available_at, self._known_at[0], side="right")) - 1
        first = seen - one.before
        if first >= 0 and one.in_time:
            since = stated.event_time[seen] - one.before * HOUR_NS
            first = min(first, int(np.searchsorted(stated.event_time, since, side="right")) - 1)
        return first

    def _grow(self, clock: str) -> None:
        self._counts[clock] *= 2
        for key in [key for key in self._stated if key[0] == clock]:
            del self._stated[key]


def _from_row(clock: Clock, first: int) -> Clock:
    if first == 0:
        return clock
    return Clock(
        clock.name,
        clock.event_time[first:],
        clock.available_at[first:],
        {name: column[first:] for name, column in clock.columns.items()},
        clock.max_age_ns,
    )
