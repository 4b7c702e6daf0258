"""Several sources of one thing: whose rows win, and where they contradict each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from engine import Bool1D, DataError, Float1D, Int1D

from ..keys import DatasetKey
from ..timestamps import time_text

EXAMPLES: Final = 5
"""So many contradictions of two sources are told with their values; the rest is counted."""
_ROUNDING: Final = 1e-9
"""Relative difference up to which two sources state the same number in different notations."""


@dataclass(frozen=True, slots=True)
class SourceConflict:
    """One value that two sources state differently; ``time_ns`` int64 ns UTC of the row."""

    time_ns: int
    column: str
    preferred: float
    other: float


@dataclass(frozen=True, slots=True)
class SourceConflicts:
    """Rows that two sources both have with different values; those of ``preferred`` were taken.

    ``common_rows`` is the number of times at which both have a row, ``rows`` of those that differ,
    ``examples`` the first differing values.
    """

    preferred: str
    other: str
    common_rows: int
    rows: int
    examples: tuple[SourceConflict, ...]

    def __str__(self) -> str:
        first = self.examples[0]
        return (
            f"{self.preferred} and {self.other} differ on {self.rows} of {self.common_rows} rows, first "
            f"at {time_text(first.time_ns)}: {first.column} is {first.preferred!r} and {first.other!r}"
        )

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values; ``from_json`` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SourceConflicts":
        """The inverse of ``to_json``."""
        examples = tuple(SourceConflict(**example) for example in document["examples"])
        return cls(**{**document, "examples": examples})


ConflictHandler = Callable[[SourceConflicts], None]


def refuse_conflicts(conflicts: SourceConflicts) -> None:
    """Raise DataError: for callers that do not say what becomes of contradictions."""
    raise DataError(
        f"{conflicts}; pass on_source_conflicts to be told of them and load the preferred values, or "
        "name one source"
    )


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Rows of one source by ascending time, each time once: number columns ``(N,)`` by name."""

    key: DatasetKey
    time_ns: Int1D
    columns: Mapping[str, Float1D]


def filled_rows(sources: Sequence[SourceRows], on_conflicts: ConflictHandler) -> SourceRows:
    """The rows of the first source and, at times at which it has none, those of the next ones.

    A row is taken whole: its columns never come from two sources. ``on_conflicts`` is told of every
    pair of sources that contradict each other.
    """
    taken = sources[0]
    for other in sources[1:]:
        for earlier in sources[: sources.index(other)]:
            tell_conflicts(earlier, other, on_conflicts)
        new = ~np.isin(other.time_ns, taken.time_ns)
        time_ns = np.concatenate([taken.time_ns, other.time_ns[new]])
        order = np.argsort(time_ns, kind="stable")
        columns = {
            name: np.concatenate([_column(taken, name), _column(other, name)[new]])[order]
            for name in dict.fromkeys([*taken.columns, *other.columns])
        }
        taken = SourceRows(taken.key, time_ns[order], columns)
    return taken


def tell_conflicts(preferred: SourceRows, other: SourceRows, on_conflicts: ConflictHandler) -> None:
    """Compare the rows that two sources both have and report those that differ, if any do."""
    _, ours, theirs = np.intersect1d(
        preferred.time_ns, other.time_ns, assume_unique=True, return_indices=True
    )
    names = [name for name in preferred.columns if name in other.columns]
    differing = {
        name: _differing(preferred.columns[name][ours], other.columns[name][theirs])
        for name in names
    }
    rows = np.flatnonzero(
        np.logical_or.reduce([np.zeros(len(ours), np.bool_), *differing.values()])
    )
    if not rows.size:
        return
    examples = [
        SourceConflict(
            int(preferred.time_ns[ours[row]]),
            name,
            float(preferred.columns[name][ours[row]]),
            float(other.columns[name][theirs[row]]),
        )
        for row in rows[:EXAMPLES]
        for name in names
        if differing[name][row]
    ]
    on_conflicts(
        SourceConflicts(
            str(preferred.key), str(other.key), len(ours), len(rows), tuple(examples[:EXAMPLES])
        )
    )


def _column(rows: SourceRows, name: str) -> Float1D:
    values = rows.columns.get(name)
    return np.full(len(rows.time_ns), np.nan) if values is None else values


def _differing(a: Float1D, b: Float1D) -> Bool1D:
    # A cell that one of them leaves empty contradicts nothing.
    both = np.isfinite(a) & np.isfinite(b)
    return both & (np.abs(a - b) > _ROUNDING * np.maximum(np.abs(a), np.abs(b)))
