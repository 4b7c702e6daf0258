"""Parquet files of ``ninefold data export``: the rows of one data set, which the file names."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..findings import RefusedFileError
from ..keys import DatasetKey
from ..kinds import KINDS
from ..store.export import DATASET_KEY
from .format import Format
from .reading.source_file import SourceFile
from .reading.stated import agreed
from .report import Request
from .rows import SourceRows, source_rows, taken
from .tidy.layout import DAMAGE, PARQUET, parquet_table

_NAME: Final = "ninefold_export"


def _stated_key(file: SourceFile) -> str | None:
    """The data set that the metadata of a Parquet file names; None for any other file."""
    if not file.data.startswith(PARQUET):
        return None
    try:
        metadata = pq.read_schema(pa.BufferReader(file.data)).metadata or {}
    except DAMAGE:
        return None
    stated = metadata.get(DATASET_KEY)
    return None if stated is None else stated.decode("utf-8", "replace")


def _key(file: SourceFile, request: Request) -> DatasetKey:
    stated = _stated_key(file)
    if stated is None:
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: names no data set in its metadata, as a Parquet file of `ninefold data export` "
            "does; leave --format out, or describe the file with --mapping",
        )
    key = DatasetKey.parse(stated)
    return DatasetKey(
        agreed(file, "kind", request.kind, key.kind),
        agreed(file, "venue", request.venue, key.venue),
        agreed(file, "market", request.market, key.market),
        # Two coins under one symbol are taken apart by exporting each and naming it.
        request.symbol or key.symbol,
        agreed(file, "timeframe", request.timeframe, key.step),
        request.source or key.source,
    )


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    key = _key(file, request)
    table = parquet_table(file)
    names = KINDS[key.kind].schema.names
    if table.column_names != names:
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: has the columns {', '.join(table.column_names)}; an export of {key.kind} has "
            f"{', '.join(names)}",
        )
    columns = {name: table[name] for name in names}
    places = np.arange(len(table), dtype=np.int64)
    # The store had the step of the key; an excerpt may lack most of the neighbours that show it.
    rows = taken(source_rows(file.path, _NAME, key, columns, places, "row"), step_is_certain=True)
    exported = DatasetKey.parse(str(_stated_key(file)))
    if exported.symbol != key.symbol:
        rows = rows.noting(
            "name_contradiction",
            f"exported as symbol {exported.symbol}, imported as {key.symbol} because --symbol says so",
        )
    yield rows


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Parquet files of `ninefold data export`",
        kinds=tuple(KINDS),
        recognises=lambda file: _stated_key(file) is not None,
        read=_read,
        hint="the entry ninefold.dataset in the metadata of a Parquet file",
        holds="the data set that the file names, under its own source and symbol unless --source or "
        "--symbol says another; every vintage with its available_at. An exported CSV names nothing: it "
        "needs --mapping",
    ),
)
