"""What the loops over Wyckoff's ranges read and write: bars, the record of one range, the events."""

from typing import TypeAlias

from engine import Float1D, Float2D, kernel

from ._point_and_figure import CHART_FIELDS, counted_height_kernel

# Rows of the packed bars, (BAR_ROWS, T).
(
    BAR_HIGH,
    BAR_LOW,
    BAR_CLOSE,
    BAR_VOLUME,
    BAR_ATR,
    BAR_RELATIVE_VOLUME,
    BAR_SPREAD,
    BAR_STRONG,
    BAR_LEG_LOW,
    BAR_PIVOT_LOW,
) = range(10)
BAR_ROWS = 10

# Rows of the events, (EVENT_ROWS, T).
(
    RANGE_START,
    SECONDARY_TEST,
    UPTHRUST,
    UNDERCUT,
    SPRING,
    SPRING_CONFIRMED,
    TEST,
    STRENGTH,
    JUMP,
    SUPPORT_POINT,
    BACKUP,
    MARKUP,
    FAILURE,
    FAILURE_ON_VOLUME,
) = range(14)
EVENT_ROWS = 14

PHASE_A, PHASE_B, PHASE_C, PHASE_D, PHASE_E = 1.0, 2.0, 3.0, 4.0, 5.0

# States of a range in the log of changes; those of the phases are the phase less one.
STATE_FAILED, STATE_ENDED = 5.0, 6.0
STATES = 7

# Fields of one range.
(
    CLIMAX,
    RALLY,
    SUPPORT,
    RESISTANCE,
    CLIMAX_VOLUME,
    PHASE,
    IS_SECOND_READING,
    LOGGED_AS,
    DIP_START,
    DIP_LOW,
    DIP_LOW_ROW,
    SPRING_ROW,
    SPRING_LOW,
    SPRING_LOW_ROW,
    TOP_START,
    TOP_ROW,
    BOTTOM_START,
    BOTTOM_ROW,
    STRENGTH_ROW,
    STRENGTH_VOLUME,
    STRENGTH_LEG_LOW,
    JUMP_ROW,
    SUPPORT_POINT_ROW,
    CLOSES_ABOVE,
    CHART,
) = range(25)
FIELDS = CHART + CHART_FIELDS

NONE, SPENT = -1.0, -2.0

EventArrays: TypeAlias = tuple[Float2D, Float2D, Float2D, Float2D, Float2D, Float2D]
"""1 where an event is known, else 0; the row that it describes; its price; support, resistance and
target of its range. Each (EVENT_ROWS, T), written where the first is 1 only."""


@kernel(nogil=True)
def target_kernel(own: Float1D) -> float:
    """Support and the horizontal count of the chart since the climax."""
    return float(own[SUPPORT] + counted_height_kernel(own[CHART:]))


@kernel(nogil=True)
def record_kernel(
    own: Float1D, found: EventArrays, event: int, t: int, anchor: float, price: float
) -> None:
    """Write an event of a range; of several that name it on one row, the first one stays."""
    if found[0][event, t] == 0.0:
        found[0][event, t] = 1.0
        found[1][event, t], found[2][event, t] = anchor, price
        found[3][event, t], found[4][event, t] = own[SUPPORT], own[RESISTANCE]
        found[5][event, t] = target_kernel(own)
