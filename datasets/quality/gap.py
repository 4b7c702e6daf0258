"""A gap with its cause, and the period that a check is asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

import numpy as np

from engine import Bool1D, Int1D

from ..timestamps import time_text
from .check import counted

Cause = Literal["before_listing", "outage", "download_hole", "delisted", "no_session", "unknown"]
CAUSES: Final[tuple[Cause, ...]] = (
    "before_listing",
    "outage",
    "download_hole",
    "delisted",
    "no_session",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows from ``start_ns`` up to, not including, ``end_ns`` (int64 ns UTC), and why.

    ``lacking`` of ``witnesses`` other symbols lack the rows too. ``inside`` is False for what lies
    before the first or after the last row.
    """

    start_ns: int
    end_ns: int
    missing_rows: int
    cause: Cause
    reason: str
    witnesses: int
    lacking: int
    inside: bool = True

    def to_json(self) -> dict[str, Any]:
        """The gap as JSON values, its times also as text."""
        texts = {"start_time": time_text(self.start_ns), "end_time": time_text(self.end_ns)}
        return {**asdict(self), **texts}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Gap":
        """The inverse of :meth:`to_json`."""
        return cls(**{field.name: document[field.name] for field in fields(cls)})

    def __str__(self) -> str:
        rows = counted(self.missing_rows, "row")
        return (
            f"{time_text(self.start_ns)} to {time_text(self.end_ns)}: {rows}, {self.cause} "
            f"({self.reason})"
        )


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start_ns`` up to, not including, ``end_ns`` (int64 ns UTC).

    None stands for the first or the last row that the source has of any symbol.
    """

    start_ns: int | None = None
    end_ns: int | None = None

    def holds(self, time_ns: Int1D) -> Bool1D:
        """True for the times that lie in the period, ``(N,)``."""
        inside = np.ones(len(time_ns), dtype=np.bool_)
        if self.start_ns is not None:
            inside &= time_ns >= self.start_ns
        if self.end_ns is not None:
            inside &= time_ns < self.end_ns
        return inside

    def contains(self, first_ns: int, last_ns: int) -> bool:
        """True where both times lie in the period."""
        return bool(self.holds(np.array([first_ns, last_ns])).all())

    def touches(self, first_ns: int, last_ns: int) -> bool:
        """True where any time from ``first_ns`` to ``last_ns`` lies in the period."""
        begins = self.end_ns is None or first_ns < self.end_ns
        return begins and (self.start_ns is None or last_ns >= self.start_ns)
