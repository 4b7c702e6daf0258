"""The full grid of bars that a period needs, and which of them an instrument has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from engine import PRICE_COLUMNS, Bool1D, DataError, Float1D, grid_origin_ns, timeframe_ns

from ..store import DatasetInfo

BAR_COLUMNS: Final = (*PRICE_COLUMNS, "volume")
"""Columns that every bar has."""
Target = Callable[[str], Float1D]
"""The array ``(T,)`` into which a column is loaded, made when it is first asked for."""


class NoBarsError(DataError):
    """The period holds no bar of what was asked for."""


@dataclass(frozen=True, slots=True)
class Grid:
    """``count`` bars of ``timeframe``, the first of which opens at ``first_ns`` (int64 ns UTC).

    ``as_of_ns`` None shows bars as they were first published; otherwise as they were known then.
    With ``last_part`` the last bar of an instrument may be one that it has only the beginning of.
    """

    timeframe: str
    first_ns: int
    count: int
    as_of_ns: int | None = None
    last_part: bool = False

    @property
    def step_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    @property
    def end_ns(self) -> int:
        """Close of the last bar, int64 ns UTC."""
        return self.first_ns + self.count * self.step_ns


@dataclass(frozen=True, slots=True)
class Filled:
    """Which bars of a grid one instrument has.

    It is listed on bars ``first <= t < last``; ``has_bar`` ``(T,)`` is False there where a bar is missing
    and everywhere else. ``flows`` are the flow columns that some bar states; ``some_late`` says that bars
    are missing because nobody could know them in time.
    """

    first: int
    last: int
    has_bar: Bool1D
    flows: frozenset[str]
    some_late: bool


def grid_of(
    infos: Sequence[DatasetInfo],
    timeframe: str,
    start_ns: int | None,
    end_ns: int | None,
    as_of_ns: int | None,
    *,
    last_part: bool = False,
) -> Grid:
    """The bars of ``timeframe`` with ``start_ns <= open < end_ns`` that the data sets may fill.

    Bars of which the data sets hold only a part, at their beginning or end, are not on it, with
    ``last_part`` only those at the beginning. ``count`` is 0 where nothing is left.
    """
    step, origin = timeframe_ns(timeframe), grid_origin_ns(timeframe)
    first = min(info.first_ns for info in infos)
    end = max(info.last_ns + timeframe_ns(info.key.step) for info in infos)
    first = first if start_ns is None else max(first, start_ns)
    first += (origin - first) % step
    end += (origin - end) % step if last_part else -((end - origin) % step)
    end = end if end_ns is None else min(end, end_ns)
    return Grid(timeframe, first, max(0, -(-(end - first) // step)), as_of_ns, last_part)
