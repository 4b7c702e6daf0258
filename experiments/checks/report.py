"""What a check answers: one row for each thing it looked at."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One answer: which check, about what, whether it passed, and what was seen.

    ``severity`` says what a failure means: an ``error`` fails the report, a ``warning`` is shown.
    """

    check: str
    subject: str
    passed: bool
    detail: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The rows of one or several checks, in the order in which they were made."""

    rows: tuple[CheckRow, ...]

    @property
    def passed(self) -> bool:
        """Whether no row of severity ``error`` failed."""
        return not any(row.severity == "error" and not row.passed for row in self.rows)

    @property
    def failures(self) -> tuple[CheckRow, ...]:
        """Every row that did not pass, warnings included."""
        return tuple(row for row in self.rows if not row.passed)

    def of(self, check: str) -> tuple[CheckRow, ...]:
        """The rows of one check."""
        return tuple(row for row in self.rows if row.check == check)

    def lines(self) -> list[str]:
        """The report as text, one line for each row."""
        words = {True: "ok", False: "FAILED"}
        return [
            f"{words[row.passed] if row.severity == 'error' or row.passed else 'warning':8}"
            f"{row.check:12} {row.subject:40} {row.detail}"
            for row in self.rows
        ]
