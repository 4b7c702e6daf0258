"""Importing files: recognise each, check all of it, then write it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine import ConfigError, DataError, timeframe_ns

from ..kinds import kind_named
from ..manifest import gaps_between
from ..store import Store, Write
from .binance_csv import read_binance_csv
from .report import ImportReport, Request
from .rows import SourceRows
from .tidy import read_tidy

_PARQUET_MAGIC = b"PAR1"


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
    on_report: Callable[[ImportReport], None] | None = None,
) -> tuple[ImportReport, ...]:
    """Import tidy Parquet files and Binance kline CSVs; one report per file and data set.

    The arguments say what a file does not, and choose among the series of a file that says it.
    ``source`` names the data sets, by default after the format. A file is written only after every
    rule has been checked on all of it; importing it again changes nothing. ``on_report`` is called
    as soon as a file has been written.

    Raises DataError naming the file, the row and the rule; files before it stay imported. Raises
    ConfigError for a ``timeframe`` that is none.
    """
    if kind is not None:
        kind_named(kind)
    if timeframe is not None:
        timeframe_ns(timeframe)
    request = Request(kind, venue, market, symbol, timeframe, source)
    reports: list[ImportReport] = []
    with store.writing():
        for path in map(Path, paths):
            for report in _import_file(store, path, request):
                reports.append(report)
                if on_report is not None:
                    on_report(report)
    return tuple(reports)


def _import_file(store: Store, path: Path, request: Request) -> Iterator[ImportReport]:
    data = _contents(path)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        series = list(_read(path, data, request))
        writes = [Write(rows.key, rows.table, _provenance(rows, sha256)) for rows in series]
        results = store.write_all(writes)
    except (ConfigError, DataError) as error:
        if str(path) in str(error):
            raise
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
            dropped=rows.dropped,
            notes=rows.notes,
        )


def _contents(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if not data.strip():
        raise DataError(f"{path}: the file is empty; download it again")
    return data


def _read(path: Path, data: bytes, request: Request) -> Iterator[SourceRows]:
    if data.startswith(_PARQUET_MAGIC) or path.suffix == ".parquet":
        return read_tidy(path, data, request)
    if path.suffix == ".csv":
        return read_binance_csv(path, data, request)
    raise DataError(
        f"{path}: files of type {path.suffix or 'without a suffix'} are not known; known formats are "
        "tidy Parquet (klines12, spot_and_perp, funding_history) and Binance kline CSV"
    )


def _provenance(rows: SourceRows, sha256: str) -> dict[str, object]:
    return {
        "file": rows.path.name,
        "sha256": sha256,
        "format": rows.format,
        "rows": len(rows.table),
        "dropped": list(rows.dropped),
        "notes": list(rows.notes),
    }
