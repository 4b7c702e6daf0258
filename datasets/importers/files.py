"""Importing files: recognise each, check all of it, then write it."""

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from engine import ConfigError, DataError, timeframe_ns

from ..conflicts import ON_CONFLICT, OnConflict
from ..findings import RefusedFileError
from ..keys import check_market
from ..kinds import kind_named
from ..manifest import gaps_between
from ..store import Store, Write
from .agreement import agreeing
from .format import Format
from .formats import FORMATS
from .mapping import load_mapping, read_mapped
from .plain_bars import BAR_COLUMNS
from .reading.source_file import SourceFile, open_source
from .report import ImportReport, Request
from .rows import SourceRows
from .tidy import refuse_unknown_layout


def import_files(
    store: Store,
    paths: Sequence[Path | str],
    *,
    kind: str | None = None,
    venue: str | None = None,
    market: str | None = None,
    symbol: str | None = None,
    timeframe: str | None = None,
    source: str | None = None,
    format_name: str | None = None,
    mapping: Path | None = None,
    on_conflict: str = "refuse",
    on_file: Callable[[tuple[ImportReport, ...]], None] | None = None,
) -> tuple[ImportReport, ...]:
    """Import files of every format in ``FORMATS``; one report per file and data set.

    The arguments say what a file does not, and choose among the series of a file that says it.
    ``source`` names the data sets, by default after the format; ``format_name`` names the format
    where several fit; ``mapping`` is a YAML file that describes files of no known format. A file is
    written only after every rule has been checked on all of it; importing it again changes nothing.
    ``on_conflict`` is the rule for rows that contradict stored ones (see ``merged_table``; a revision
    counts as known from now on). ``on_file`` is given the reports of each file as soon as it has been
    written.

    Raises DataError naming the file, the row and the rule; files before it stay imported, files after
    it are not tried, and the message says how many those are. Raises ConfigError for an argument that
    is none of the words it may be.
    """
    rule = _on_conflict(on_conflict)
    request = checked_request(
        Request(
            kind=kind,
            venue=venue,
            market=market,
            symbol=symbol,
            timeframe=timeframe,
            source=source,
        )
    )
    reports: list[ImportReport] = []
    for number, path in enumerate(map(Path, paths), start=1):
        try:
            of_file = tuple(_import_file(store, path, request, format_name, mapping, rule))
        except DataError as error:
            raise _counting_untried(error, len(paths) - number) from error.__cause__
        reports += of_file
        if on_file is not None:
            on_file(of_file)
    return tuple(reports)


def _counting_untried(error: DataError, files: int) -> DataError:
    """The same ``error``, whose message says that the ``files`` after the refused one were not tried."""
    if files:
        counted = "1 file after it was" if files == 1 else f"{files} files after it were"
        error.args = (f"{error}; the {counted} not tried",)
    return error


def checked_request(request: Request) -> Request:
    """``request`` when its words are known; ConfigError or DataError naming the one that is not."""
    if request.kind is not None:
        kind_named(request.kind)
    if request.timeframe is not None:
        timeframe_ns(request.timeframe)
    if request.market is not None:
        check_market(request.market, "--market")
    return request


def read_file(
    path: Path, request: Request, format_name: str | None = None, mapping: Path | None = None
) -> tuple[SourceFile, list[SourceRows]]:
    """Recognise one file and read all of it, checked and cleaned; nothing is written.

    Raises RefusedFileError or DataError naming the file and the rule, and no other error.
    """
    file = open_source(path)
    if mapping is not None:
        description = load_mapping(mapping)
        stored = replace(request, symbol=description.stored_symbol(request.symbol))
        return file, _series(file, stored, None, lambda: read_mapped(file, request, description))
    layout = recognised(file, format_name)
    if request.kind is not None and request.kind not in layout.kinds:
        raise DataError(
            f"{path}: {layout.title} ({layout.name}) holds {', '.join(layout.kinds)}, not "
            f"kind={request.kind}; leave the kind out"
        )
    return file, _series(file, request, layout, lambda: layout.read(file, request))


def recognised(file: SourceFile, format_name: str | None = None) -> Format:
    """The one format of a file; RefusedFileError when none or several fit, listing them."""
    if format_name is not None:
        for layout in FORMATS:
            if layout.name == format_name:
                return layout
        known = [layout.name for layout in FORMATS]
        near = difflib.get_close_matches(format_name, known, n=3, cutoff=0.6)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise ConfigError(
            f"format={format_name!r} is unknown; {meant}`ninefold data formats` lists all {len(known)}"
        )
    fitting = [layout for layout in FORMATS if layout.recognises(file)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(layout.name for layout in fitting)
        raise RefusedFileError(
            "unreadable", f"{file.path}: may be {names}; say which with --format"
        )
    refuse_unknown_layout(file)
    raise RefusedFileError(
        "unreadable",
        f"{file.path}: is of none of the {len(FORMATS)} known formats{_lacking(file)}; `ninefold data "
        "formats` lists them, and --mapping describes any other CSV or Parquet file",
    )


def _lacking(file: SourceFile) -> str:
    """What keeps a file with the columns of bars from being plain bars, the format most people have."""
    found = [cell.strip().lower() for cell in file.head[0].split(",")] if file.head else []
    lacking = [name for name in BAR_COLUMNS if name not in found]
    if len(BAR_COLUMNS) - len(lacking) < 3:
        return ""
    if lacking:
        return f" (as bars it lacks the column {' and '.join(map(repr, lacking))})"
    return f" (as bars its first line would be 'open_time,{','.join(BAR_COLUMNS)}')"


def _series(
    file: SourceFile,
    request: Request,
    layout: Format | None,
    read: Callable[[], Iterator[SourceRows]],
) -> list[SourceRows]:
    try:
        series = [agreeing(file, layout, request, rows) for rows in read()]
    except RefusedFileError as error:
        if str(file.path) in str(error):
            raise
        raise RefusedFileError(error.defect, f"{file.path}: {error}") from error
    except (ConfigError, DataError) as error:
        if str(file.path) in str(error):
            raise
        raise DataError(f"{file.path}: {error}") from error
    if not series:
        raise RefusedFileError("unreadable", f"{file.path}: holds no series that was asked for")
    return series


def _on_conflict(word: str) -> OnConflict:
    for rule in ON_CONFLICT:
        if rule == word:
            return rule
    raise ConfigError(
        f"on_conflict={word!r} is unknown; it must be one of {', '.join(ON_CONFLICT)}"
    )


def _import_file(
    store: Store,
    path: Path,
    request: Request,
    format_name: str | None,
    mapping: Path | None,
    on_conflict: OnConflict,
) -> Iterator[ImportReport]:
    file, series = read_file(path, request, format_name, mapping)
    revised_at_ns = time.time_ns() if on_conflict == "revise" else None
    writes = [
        Write(
            key=rows.key,
            table=rows.table,
            provenance=_provenance(rows, file),
            revised_at_ns=revised_at_ns,
            is_checked=rows.is_checked,
        )
        for rows in series
    ]
    try:
        results = store.write_all(writes, on_conflict=on_conflict)
    except (ConfigError, DataError) as error:
        raise DataError(f"{path}: {error}") from error
    for rows, result in zip(series, results, strict=True):
        time_ns = rows.time_ns()
        gaps = gaps_between(time_ns, rows.key.step)
        yield ImportReport(
            path=path,
            format=rows.format,
            key=rows.key,
            rows=len(time_ns),
            added_rows=result.added_rows,
            first_ns=int(time_ns[0]),
            last_ns=int(time_ns[-1]),
            gaps=len(gaps),
            missing_rows=sum(gap.missing_rows for gap in gaps),
            findings=rows.findings,
            conflicts=result.conflicts,
        )


def _provenance(rows: SourceRows, file: SourceFile) -> dict[str, object]:
    return {
        "file": file.path.name,
        "sha256": file.sha256,
        "format": rows.format,
        "rows": len(rows.table),
        "checksum_held": file.checksum_held,
        "findings": [finding.to_json() for finding in rows.findings],
    }
