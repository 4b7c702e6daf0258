"""The deepest drawdowns of a run, one by one."""

from typing import Final

import numpy as np

from engine.metrics import worst_drawdowns
from engine.timeframe import DAY_NS

from ..pages.document import Number, Section, Table, Text
from .metrics import metrics_table
from .reading import RunReading
from .wording import moment

WORST: Final = 10


def drawdowns_section(reading: RunReading) -> Section:
    """Start, deepest point, end, depth and lengths of the ten worst."""
    worst = worst_drawdowns(reading.equity, reading.initial_cash, WORST)
    metrics = metrics_table(reading, "drawdowns", name="drawdown-metrics")
    if not len(worst):
        none = Text(paragraphs=("No close lies below a former peak.",))
        return Section(name="drawdowns", title="Worst drawdowns", blocks=(none, metrics))
    rows = tuple(_row(reading, number + 1, row) for number, row in enumerate(worst))
    table = Table(
        name="worst-drawdowns",
        caption="The deepest stretches below a former peak, at closes",
        columns=(
            "", "depth", "from (UTC)", "deepest", "recovered", "days", "days to recover", "bars below",
        ),
        rows=rows,
        note="Days run from the peak to the recovery, or to the last close where there is none yet.",
    )  # fmt: skip
    return Section(name="drawdowns", title="Worst drawdowns", blocks=(table, metrics))


def _row(reading: RunReading, number: int, row: np.void) -> tuple[str | Number, ...]:
    close = reading.close_time
    peak, trough, end = int(row["peak_bar"]), int(row["trough_bar"]), int(row["end_bar"])
    start_ns = int(close[peak] if peak >= 0 else reading.open_time[0])
    end_ns = int(close[end if end >= 0 else -1])
    to_recover = (end_ns - int(close[trough])) / DAY_NS if end >= 0 else None
    return (
        str(number),
        Number(float(row["depth_frac"]), "fraction"),
        moment(start_ns),
        moment(int(close[trough])),
        moment(end_ns) if end >= 0 else "not yet",
        Number((end_ns - start_ns) / DAY_NS, "days"),
        Number(to_recover, "days"),
        Number(float(row["bars"]), "bars"),
    )
