"""The events of ``chart_pattern.py``: each pattern on the row whose close triggers it."""

from ._chart_pattern_kernel import POINTS
from .chart_pattern import CHART_PATTERN, chart_pattern_log
from .detector import Detector, EventType
from .event_table import EventTable, table_of_logs
from .spec import Columns, Parameters


def _chart_pattern_events(columns: Columns, parameters: Parameters) -> EventTable:
    return table_of_logs(chart_pattern_log(columns, parameters), points=POINTS)


CHART_PATTERN_DETECTOR = Detector(
    name="chart_pattern",
    text=(
        "Chart patterns, known at the close beyond the line that triggers them, which is told as it "
        "stood on that row. The zone lies between this line and the extreme on the other side (the "
        "other line of a triangle). The target lies the pattern's height beyond the line, measured at "
        "its head, at a triangle's first point, for a flag the length of the pole (R. Edwards, J. Magee)."
    ),
    inputs=CHART_PATTERN.inputs,
    parameters=CHART_PATTERN.parameters,
    # In the order of the codes in _chart_pattern_kernel.
    types=(
        EventType("double_top", "two highs of one height, a close under the low between", "double"),
        EventType(
            "double_bottom", "two lows of one height, a close over the high between", "double"
        ),
        EventType(
            "head_and_shoulders", "three highs, a close under the neckline", "head_shoulders"
        ),
        EventType(
            "inverse_head_and_shoulders", "three lows, a close over the neckline", "head_shoulders"
        ),
        EventType("ascending_triangle", "level highs and rising lows, left by a close", "triangle"),
        EventType(
            "descending_triangle", "level lows and falling highs, left by a close", "triangle"
        ),
        EventType(
            "symmetric_triangle", "falling highs and rising lows, left by a close", "triangle"
        ),
        EventType("flag", "a pole, a pause, a close beyond it in the pole's direction", "flag"),
    ),
    # Turning points, oldest first: three of a double, five of a head, four of a triangle; a flag has
    # the closes on which its pole begins and ends and the last close of its pause.
    points=tuple(f"point_{number}" for number in range(1, POINTS + 1)),
    levels=("line", "target"),
    find=_chart_pattern_events,
    stable=CHART_PATTERN.stable,
    indicator=CHART_PATTERN,
)

DETECTORS = (CHART_PATTERN_DETECTOR,)
