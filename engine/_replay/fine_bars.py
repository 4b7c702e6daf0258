"""Whether a panel agrees with finer bars, and what the finer bars say of its marks (accounting, 1)."""

from typing import Final

from ..arrays import Bool2D, Float2D
from ..jit import kernel
from .state import Prices

AGREES: Final = -1
IS_GAP: Final = 8


@kernel
def compare_kernel(
    bars: Prices,
    marks: Prices,
    listed: Bool2D,
    is_gap: Bool2D,
    sub: Prices,
    sub_marks: Prices,
    sub_is_gap: Bool2D,
    is_unresolved: Bool2D,
    reach_low: Float2D,
    reach_high: Float2D,
) -> tuple[int, int, int, float, float]:
    """The first cell where a bar is not the aggregate of its existing sub-bars.

    Returns column (0 … 3 traded, 4 … 7 mark prices, ``IS_GAP``, or ``AGREES``), bar, symbol, and
    the two values. Writes where a bar exists without sub-bars, and the range of all marks in the
    bar, opens of missing sub-bars among them.
    """
    rows, symbols = bars.open.shape
    count = len(sub.open) // rows
    for t in range(rows):
        for s in range(symbols):
            low, high = marks.low[t, s], marks.high[t, s]
            first, last = -1, -1
            top, bottom, mark_top, mark_bottom = 0.0, 0.0, 0.0, 0.0
            for row in range(t * count, (t + 1) * count):
                if sub_is_gap[row, s]:
                    continue
                if first < 0:
                    first = row
                    top, bottom = sub.high[row, s], sub.low[row, s]
                    mark_top, mark_bottom = sub_marks.high[row, s], sub_marks.low[row, s]
                last = row
                top, bottom = max(top, sub.high[row, s]), min(bottom, sub.low[row, s])
                mark_top = max(mark_top, sub_marks.high[row, s])
                mark_bottom = min(mark_bottom, sub_marks.low[row, s])
            is_unresolved[t, s] = first < 0 and listed[t, s] and not is_gap[t, s]
            if first < 0 or not listed[t, s]:
                reach_low[t, s], reach_high[t, s] = low, high
                if not is_unresolved[t, s]:
                    for row in range(t * count, (t + 1) * count):
                        reach_low[t, s] = min(reach_low[t, s], sub_marks.open[row, s])
                        reach_high[t, s] = max(reach_high[t, s], sub_marks.open[row, s])
                continue
            if is_gap[t, s]:
                return IS_GAP, t, s, 1.0, 0.0
            found = (sub.open[first, s], top, bottom, sub.close[last, s])
            stated = (bars.open[t, s], bars.high[t, s], bars.low[t, s], bars.close[t, s])
            marked = (sub_marks.open[first, s], mark_top, mark_bottom, sub_marks.close[last, s])
            shown = (marks.open[t, s], high, low, marks.close[t, s])
            for column in range(4):
                if found[column] != stated[column]:
                    return column, t, s, stated[column], found[column]
                if marked[column] != shown[column]:
                    return 4 + column, t, s, shown[column], marked[column]
            reach_low[t, s], reach_high[t, s] = low, high
            for row in range(t * count, (t + 1) * count):
                if sub_is_gap[row, s]:
                    reach_low[t, s] = min(reach_low[t, s], sub_marks.open[row, s])
                    reach_high[t, s] = max(reach_high[t, s], sub_marks.open[row, s])
    return AGREES, 0, 0, 0.0, 0.0
