"""What every check is: a name, and a function from data to findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine import Int1D

from ..findings import Finding, kept_lines
from ..timestamps import time_text
from .series import CheckedSeries, Outline
from .settings import QualitySettings


@dataclass(frozen=True, slots=True)
class SeriesCheck:
    """A check of one data set by itself; ``defects`` are the names of what it may find."""

    name: str
    defects: tuple[str, ...]
    find: Callable[[CheckedSeries, QualitySettings], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """A check that compares data sets; it sees the outlines of all of them."""

    name: str
    defects: tuple[str, ...]
    find: Callable[[Sequence[Outline], QualitySettings], Iterable[Finding]]


def rows_finding(
    series: CheckedSeries,
    defect: str,
    time_ns: Int1D,
    message: str,
    lines: Sequence[str] | None = None,
) -> Finding:
    """A finding about the rows at ``time_ns`` (in time order, at least one)."""
    if lines is None:
        lines = [time_text(int(time)) for time in time_ns]
    return Finding(
        defect=defect,
        action="kept",
        subject=str(series.key),
        count=len(time_ns),
        message=message,
        first_ns=int(time_ns.min()),
        last_ns=int(time_ns.max()),
        lines=kept_lines(lines),
    )


def counted(number: int, one: str) -> str:
    """``1 bar``, ``1,204 bars``."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
