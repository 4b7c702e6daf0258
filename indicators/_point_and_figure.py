"""Point-and-figure charts of closes, one step for each bar: columns of boxes that turn by a reversal.

A chart is a slice of four numbers: rising (1) or falling (-1), the box in which the present column
ends, the number of columns, the size of a box. Boxes are counted from an origin in price, so that a
scaled or mirrored market draws the same chart.
"""

import numpy as np

from engine import Float1D, kernel

CHART_RISES, CHART_END, CHART_COLUMNS, CHART_BOX = range(4)
CHART_FIELDS = 4

REVERSAL_BOXES = 3


@kernel(nogil=True)
def begin_chart_kernel(chart: Float1D, box: float, height: float, rises: bool) -> None:
    """Start a chart in its first column, ``height`` above the origin."""
    chart[CHART_RISES] = 1.0 if rises else -1.0
    chart[CHART_BOX], chart[CHART_COLUMNS] = box, 1.0
    chart[CHART_END] = np.floor(height / box) if rises else np.ceil(height / box)


@kernel(nogil=True)
def advance_chart_kernel(chart: Float1D, height: float) -> None:
    """Take one close, ``height`` above the origin: it lengthens the column, turns it, or does neither.

    A box of a rising column is filled when the close reaches its top, of a falling one its bottom.
    """
    rises, boxes = chart[CHART_RISES] > 0, height / chart[CHART_BOX]
    filled_up, filled_down = np.floor(boxes), np.ceil(boxes)
    if rises and filled_up > chart[CHART_END]:
        chart[CHART_END] = filled_up
    elif rises and filled_down <= chart[CHART_END] - REVERSAL_BOXES:
        chart[CHART_RISES], chart[CHART_END] = -1.0, filled_down
        chart[CHART_COLUMNS] += 1.0
    elif not rises and filled_down < chart[CHART_END]:
        chart[CHART_END] = filled_down
    elif not rises and filled_up >= chart[CHART_END] + REVERSAL_BOXES:
        chart[CHART_RISES], chart[CHART_END] = 1.0, filled_up
        chart[CHART_COLUMNS] += 1.0


@kernel(nogil=True)
def counted_height_kernel(chart: Float1D) -> float:
    """Horizontal count: columns times the boxes of a reversal, in units of price."""
    return float(chart[CHART_COLUMNS] * chart[CHART_BOX] * REVERSAL_BOXES)
