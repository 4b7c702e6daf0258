"""Rows of a data set as one file for other programs."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from engine import ConfigError

from ..durable import replace_file
from ..keys import DatasetKey
from ..kinds import KINDS
from .parts import parquet_bytes

_FORMATS = (".csv", ".parquet")
DATASET_KEY = b"ninefold.dataset"
"""Entry of the metadata of an exported Parquet file: which data set its rows are of."""


def check_target(path: Path) -> None:
    """ConfigError unless the name of the file says in which format to write it."""
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(
            f"{path}: the name of an exported file must end in {' or '.join(_FORMATS)}; it says the format"
        )


def export_rows(key: DatasetKey, table: pa.Table, path: Path) -> None:
    """Write rows to ``path``, replacing it in one step; CSV has times as ``2024-01-01 00:00:00``.

    Parquet names the data set in its metadata, so that an import knows it; CSV has no place for that.
    """
    if path.suffix.lower() == ".parquet":
        replace_file(path, parquet_bytes(KINDS[key.kind], table, {DATASET_KEY: str(key).encode()}))
        return
    sink = pa.BufferOutputStream()
    pc.write_csv(table, sink, pc.WriteOptions(quoting_style="needed", quoting_header="none"))
    replace_file(path, sink.getvalue())
