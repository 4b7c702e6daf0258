"""What a check of data sets found, as one object and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ..findings import Finding, by_defect
from ..keys import DatasetKey
from ..timestamps import time_text
from .gap import CAUSES, Gap
from .settings import QualitySettings

QUALITY_VERSION: Final = 2
PROBLEMS: Final = (
    "duplicate",
    "contradiction",
    "unsorted",
    "off_grid",
    "ohlc_contradiction",
    "price_spike",
    "symbol_reuse",
    "stale_tail",
    "after_expiry",
    "incomplete_last_bar",
    "close_before_open",
    "leading_zeros",
    "flat_start",
    "missing_time",
    "source_disagreement",
)
"""Defects that make rows wrong; the others say what to know about rows that are right."""


@dataclass(frozen=True, slots=True)
class DatasetQuality:
    """One data set: its rows, its gaps with their causes, and what is wrong with it.

    Times are int64 ns UTC; ``interval_ns`` is the usual distance of rows, 0 for events. ``findings``
    are those of the importer and those of the checks. ``stretches`` are the first and last times of
    events close together, empty for rows on a grid. Where a period was asked for, all of it is about
    that period; a data set without a row in it has ``rows`` 0 and its own first and last time.
    """

    key: DatasetKey
    rows: int
    first_ns: int
    last_ns: int
    interval_ns: int
    gaps: tuple[Gap, ...]
    findings: tuple[Finding, ...]
    stretches: tuple[tuple[int, int], ...] = ()

    @property
    def end_ns(self) -> int:
        """When the last row ends."""
        return self.last_ns + self.interval_ns

    @property
    def missing_rows(self) -> int:
        """Rows missing between the first and the last."""
        return sum(gap.missing_rows for gap in self.gaps if gap.inside)

    def gaps_by_cause(self) -> dict[str, int]:
        """Number of gaps of each cause that occurs."""
        counts = {cause: sum(gap.cause == cause for gap in self.gaps) for cause in CAUSES}
        return {cause: count for cause, count in counts.items() if count}

    def to_json(self) -> dict[str, Any]:
        """What the manifest keeps, as JSON values; equal data sets give equal documents."""
        return {
            "version": QUALITY_VERSION,
            "dataset": str(self.key),
            "rows": self.rows,
            "first_ns": self.first_ns,
            "last_ns": self.last_ns,
            "first_time": time_text(self.first_ns),
            "last_time": time_text(self.last_ns),
            "interval_ns": self.interval_ns,
            "stretches": [list(stretch) for stretch in self.stretches],
            "missing_rows": self.missing_rows,
            "gaps_by_cause": self.gaps_by_cause(),
            "gaps": [gap.to_json() for gap in self.gaps],
            "defects": by_defect(self.findings),
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "DatasetQuality":
        """The inverse of :meth:`to_json`."""
        return cls(
            key=DatasetKey.parse(document["dataset"]),
            rows=document["rows"],
            first_ns=document["first_ns"],
            last_ns=document["last_ns"],
            interval_ns=document["interval_ns"],
            gaps=tuple(Gap.from_json(gap) for gap in document["gaps"]),
            findings=tuple(Finding.from_json(finding) for finding in document["findings"]),
            stretches=tuple((first, last) for first, last in document["stretches"]),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that cannot be imported as it is: the defect, and what its reader said.

    ``defect`` is None where the file is not there or an option is missing.
    """

    path: Path
    defect: str | None
    message: str

    def to_json(self) -> dict[str, Any]:
        """The refusal as JSON values."""
        return {"path": str(self.path), "defect": self.defect, "message": self.message}


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything a check found: per data set, between data sets, and files that were refused."""

    datasets: tuple[DatasetQuality, ...]
    comparisons: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    settings: QualitySettings

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings: those of each data set, then the comparisons."""
        own = [finding for dataset in self.datasets for finding in dataset.findings]
        return (*own, *self.comparisons)

    def problems(self) -> tuple[Finding, ...]:
        """Findings about rows that are wrong and still there."""
        return tuple(f for f in self.findings if f.defect in PROBLEMS and f.action == "kept")

    def defects(self) -> dict[str, int]:
        """Rows concerned by each defect; a refused file counts once."""
        counts = by_defect(self.findings)
        for refusal in self.refusals:
            if refusal.defect is not None:
                counts[refusal.defect] = counts.get(refusal.defect, 0) + 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values; the same data give the same document."""
        return {
            "version": QUALITY_VERSION,
            "datasets": [dataset.to_json() for dataset in self.datasets],
            "comparisons": [finding.to_json() for finding in self.comparisons],
            "refused": [refusal.to_json() for refusal in self.refusals],
            "defects": self.defects(),
            "settings": asdict(self.settings),
        }
