"""What an import did, and the request that it answers."""

from dataclasses import dataclass
from pathlib import Path

from ..conflicts import Conflict
from ..findings import Finding
from ..keys import DatasetKey


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller says about a file; None leaves it to the file and its name."""

    kind: str | None = None
    venue: str | None = None
    market: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One file's contribution to one data set.

    ``rows`` from ``first_ns`` to ``last_ns`` (int64 ns UTC) were taken from the file, ``added_rows``
    of them were new to the store; ``missing_rows`` steps between them have no row (they load as gap
    bars) in ``gaps`` holes. ``findings`` say what was dropped, moved or kept although it is odd;
    ``conflicts`` are rows that contradict stored ones, where the caller allowed them.
    """

    path: Path
    format: str
    key: DatasetKey
    rows: int
    added_rows: int
    first_ns: int
    last_ns: int
    gaps: int
    missing_rows: int
    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...] = ()
