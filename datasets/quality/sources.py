"""Two sources of the same rows: where they state different values."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from ..findings import Finding, kept_lines
from ..keys import SIMULATED_VENUE, DatasetKey
from ..kinds import KINDS
from ..tables import floats_of, times_ns
from ..timestamps import time_text
from .check import counted
from .series import CheckedSeries, Outline

RELATIVE_TOLERANCE = 1e-9
"""Sums rounded by a source differ by less."""
ReadSeries = Callable[[DatasetKey], CheckedSeries]


def disagreements(outlines: Sequence[Outline], read: ReadSeries) -> Iterator[Finding]:
    """One finding for each pair of sources of one instrument and step that differ somewhere.

    Sources of the simulated venue are markets of their own (mode and seed), not witnesses of one.
    """
    by_instrument: dict[tuple[str, ...], list[Outline]] = defaultdict(list)
    for outline in outlines:
        key = outline.key
        if key.venue == SIMULATED_VENUE:
            continue
        if not KINDS[key.kind].row_key:
            by_instrument[key.kind, key.venue, key.market, key.symbol, key.step].append(outline)
    for group in by_instrument.values():
        group.sort(key=lambda outline: outline.key)
        for position, one in enumerate(group):
            for other in group[position + 1 :]:
                if one.first_ns <= other.last_ns and other.first_ns <= one.last_ns:
                    yield from _compared(read(one.key), read(other.key))


def _compared(one: CheckedSeries, other: CheckedSeries) -> Iterator[Finding]:
    _, mine, theirs = np.intersect1d(one.time_ns, other.time_ns, return_indices=True)
    if not mine.size:
        return
    a, b = one.ordered.take(pa.array(mine)), other.ordered.take(pa.array(theirs))
    time_ns = times_ns(one.kind, a)
    wrong = np.zeros(len(a), dtype=np.bool_)
    counts: dict[str, int] = {}
    lines: dict[int, str] = {}
    for column in one.kind.columns:
        if not column.is_number:
            continue
        x, y = floats_of(a, column.name), floats_of(b, column.name)
        # A cell that one source lacks is NaN here, and nothing is larger than NaN.
        differs = np.abs(x - y) > RELATIVE_TOLERANCE * np.maximum(np.abs(x), np.abs(y))
        if differs.any():
            counts[column.name] = int(differs.sum())
            wrong |= differs
            for row in map(int, np.flatnonzero(differs)):
                text = f"{column.name} {x[row]:.10g} and {y[row]:.10g}"
                lines[row] = f"{lines[row]}, {text}" if row in lines else text
    if not counts:
        return
    rows = np.flatnonzero(wrong)
    yield Finding(
        defect="source_disagreement",
        action="kept",
        subject=str(one.key),
        count=len(rows),
        message=f"{counted(len(rows), 'row')} of {len(a)} differ between {one.key.source} and "
        f"{other.key.source}: " + ", ".join(f"{name} in {n}" for name, n in counts.items()),
        first_ns=int(time_ns[rows[0]]),
        last_ns=int(time_ns[rows[-1]]),
        lines=kept_lines(
            [f"{time_text(int(time_ns[row]))}: {lines[row]}" for row in map(int, rows)]
        ),
    )
