"""Numbers of trades: a venue counts them, so that a number that is missing is a trade that is missing."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ..findings import Finding
from .check import SeriesCheck, counted, rows_finding
from .series import CheckedSeries
from .settings import QualitySettings

_RISING: Final = 0.9
"""Share of rising numbers from which they count trades; an order within a time begins anew at each time."""


def _missing_numbers(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if series.key.kind != "trades" or len(series.time_ns) < 2:
        return
    number = np.asarray(series.ordered["trade_id"]).astype(np.int64)
    steps = np.diff(number)
    if np.mean(steps > 0) < _RISING:
        return
    behind = np.flatnonzero(steps > 1) + 1
    if not behind.size:
        return
    missing = int((steps[behind - 1] - 1).sum())
    yield rows_finding(
        series,
        "missing_numbers",
        series.time_ns[behind],
        f"{counted(missing, 'number')} missing in {counted(len(behind), 'place')}: a bar that one may "
        "belong to is not made of trades",
    )


CHECKS = (SeriesCheck("numbers of trades", ("missing_numbers",), _missing_numbers),)
