"""Reading one file as an import does, without a store."""

from pathlib import Path
from typing import Any

import pytest

from datasets.findings import Finding, RefusedFileError
from datasets.importers.files import read_file
from datasets.importers.report import Request
from datasets.importers.rows import SourceRows
from engine import DataError


def read_series(path: Path, **request: Any) -> dict[str, SourceRows]:
    """The series of a file by ``str(key)``; its format is recognised by its content."""
    _, series = read_file(path, Request(**request))
    return {str(rows.key): rows for rows in series}


def read_one(path: Path, **request: Any) -> SourceRows:
    (rows,) = read_series(path, **request).values()
    return rows


def defects(rows: SourceRows) -> dict[str, int]:
    """Rows concerned by each defect that was found."""
    counts: dict[str, int] = {}
    for finding in rows.findings:
        counts[finding.defect] = counts.get(finding.defect, 0) + finding.count
    return counts


def finding(rows: SourceRows, defect: str) -> Finding:
    (found,) = [found for found in rows.findings if found.defect == defect]
    return found


def refusal(path: Path, **request: Any) -> DataError:
    """Why a file is refused, after checking that the message names it in one line."""
    with pytest.raises(DataError) as caught:
        read_file(path, Request(**request))
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value).strip()
    return caught.value


def refused_as(path: Path, **request: Any) -> tuple[str, str]:
    """The defect for which a file is refused, and the message."""
    error = refusal(path, **request)
    assert isinstance(error, RefusedFileError)
    return error.defect, str(error)


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
