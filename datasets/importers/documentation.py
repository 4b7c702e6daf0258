"""The page about data files, written by the importers themselves: formats, and what becomes of files.

``python -m datasets.importers.documentation docs/data-files.md ../shared/data`` writes the tables of the
page anew. The options of each file stay as they stand in its table.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import DataError

from ..findings import Finding, RefusedFileError
from .files import read_file
from .formats import FORMATS
from .report import Request
from .rows import SourceRows

_OPTIONS: Final = {
    "--as": "kind",
    "--venue": "venue",
    "--market": "market",
    "--symbol": "symbol",
    "--timeframe": "timeframe",
    "--source": "source",
    "--format": "format_name",
}
_HEADINGS: Final = ("## Formats", "## Files")
_FILE_HEADER: Final = "| file | options | becomes | findings |"
_NOT_DATA: Final = ("README.md",)


def formats_markdown() -> str:
    """Every format as one row of a Markdown table: name, how it is recognised, what it holds."""
    lines = [
        "| format | what | recognised by | kinds | what becomes of it |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{one.name}` | {_cell(one.title)} | {_cell(one.hint)} | {', '.join(one.kinds)} | "
        f"{_cell(one.holds)} |"
        for one in FORMATS
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class FileRow:
    """What becomes of one file with the options that it needs, in the words of the page."""

    name: str
    options: str
    becomes: str
    findings: str

    def __str__(self) -> str:
        options = f"`{self.options}`" if self.options else ""
        return f"| `{self.name}` | {options} | {_cell(self.becomes)} | {_cell(self.findings)} |"


def data_files(root: Path) -> list[str]:
    """Every data file below ``root``, relative to it, sorted."""
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(root)) for path in found if path.name not in _NOT_DATA)


def file_row(root: Path, name: str, options: str) -> FileRow:
    """What importing ``name`` below ``root`` with ``options`` would do; nothing is written.

    Raises ConfigError for options that are none.
    """
    path = root / name
    request, format_name = request_of(options)
    try:
        _, series = read_file(path, request, format_name)
    except DataError as error:
        defect = error.defect if isinstance(error, RefusedFileError) else "unreadable"
        reason = str(error).removeprefix(str(path)).lstrip(": ")
        return FileRow(name, options, f"refused: {reason}", defect)
    findings = (finding for rows in series for finding in rows.findings)
    return FileRow(name, options, "; ".join(_data_sets(series)), ", ".join(_counts(findings)))


def request_of(options: str) -> tuple[Request, str | None]:
    """``--venue okx --market spot`` as a request and the name of a format; DataError for others."""
    words = options.split()
    values: dict[str, str] = {}
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option not in _OPTIONS:
            raise DataError(
                f"option {option!r} is unknown; it must be one of {', '.join(_OPTIONS)}"
            )
        values[_OPTIONS[option]] = value
    format_name = values.pop("format_name", None)
    return Request(**values), format_name


def _data_sets(series: Iterable[SourceRows]) -> Iterator[str]:
    groups: dict[str, list[SourceRows]] = {}
    for rows in series:
        key = rows.key
        groups.setdefault(f"`{key.kind}/{key.venue}/{key.market}`", []).append(rows)
    for name, group in sorted(groups.items()):
        steps = ", ".join(sorted({rows.key.step for rows in group}))
        count = sum(len(rows.places) for rows in group)
        sets = "1 data set" if len(group) == 1 else f"{len(group)} data sets"
        yield f"{name} {steps}: {sets}, {count} row{'s' * (count != 1)}"


def _counts(findings: Iterable[Finding]) -> Iterator[str]:
    counts: dict[tuple[str, str], int] = {}
    for finding in findings:
        name = (finding.defect, finding.action)
        counts[name] = counts.get(name, 0) + finding.count
    for (defect, action), count in sorted(counts.items()):
        yield f"{defect} {count} {action}"


def options_in(page: str) -> dict[str, str]:
    """The options that the table of files on ``page`` states for each file."""
    row = re.compile(r"^\| `([^`|]+)` \| (?:`([^`|]*)`)? *\|")
    table = page.partition(_FILE_HEADER)[2]
    found = (row.match(line) for line in table.splitlines())
    return {match[1]: match[2] or "" for match in found if match is not None}


def files_markdown(root: Path, options: Mapping[str, str]) -> str:
    """Every data file below ``root`` as one row of a Markdown table, read with its ``options``."""
    rows = [str(file_row(root, name, options.get(name, ""))) for name in data_files(root)]
    return "\n".join([_FILE_HEADER, "|---|---|---|---|", *rows]) + "\n"


def with_table(page: str, heading: str, table: str) -> str:
    """``page`` with ``table`` in place of the one under ``heading``; DataError without the heading."""
    before, found, rest = page.partition(f"{heading}\n")
    if not found:
        raise DataError(f"the page has no heading {heading!r}")
    text, _, after = rest.partition("\n| ")
    tail = after.partition("\n\n")[2] if after else ""
    words = f"{text.strip()}\n\n" if text.strip() else ""
    return f"{before}{heading}\n\n{words}{table}" + (f"\n{tail}" if tail else "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _write(page: Path, root: Path) -> None:
    text = page.read_text(encoding="utf-8")
    tables = (formats_markdown(), files_markdown(root, options_in(text)))
    for heading, table in zip(_HEADINGS, tables, strict=True):
        text = with_table(text, heading, table)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]), Path(sys.argv[2]))
