"""Bars in which nobody traded."""

from collections.abc import Iterator

import numpy as np

from ..findings import Finding
from ..timestamps import time_text
from .check import SeriesCheck, counted, rows_finding
from .runs import runs_of
from .series import CheckedSeries
from .settings import QualitySettings


def _zero_volume(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if not series.has_volume:
        return
    starts, lengths = runs_of(series.numbers("volume") == 0)
    long_enough = lengths >= settings.zero_volume_least_run
    starts, lengths = starts[long_enough], lengths[long_enough]
    if not starts.size:
        return
    rows = np.concatenate(
        [np.arange(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    )
    yield rows_finding(
        series,
        "zero_volume_run",
        series.time_ns[rows],
        f"{counted(len(rows), 'bar')} without a trade in {counted(len(starts), 'run')}, the longest of "
        f"{int(lengths.max())}",
        [
            f"{time_text(int(series.time_ns[start]))}: {counted(int(length), 'bar')}"
            for start, length in zip(starts, lengths, strict=True)
        ],
    )


CHECKS = (SeriesCheck("bars without a trade", ("zero_volume_run",), _zero_volume),)
