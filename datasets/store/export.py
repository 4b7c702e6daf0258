"""Rows of a data set as one file for other programs."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from engine import ConfigError

from ..durable import replace_file
from ..kinds import Kind
from .parts import parquet_bytes

_FORMATS = (".csv", ".parquet")


def check_target(path: Path) -> None:
    """ConfigError unless the name of the file says in which format to write it."""
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(
            f"{path}: the name of an exported file must end in {' or '.join(_FORMATS)}; it says the format"
        )


def export_rows(kind: Kind, table: pa.Table, path: Path) -> None:
    """Write rows to ``path``, replacing it in one step; CSV has times as ``2024-01-01 00:00:00``."""
    if path.suffix.lower() == ".parquet":
        replace_file(path, parquet_bytes(kind, table))
        return
    sink = pa.BufferOutputStream()
    pc.write_csv(table, sink, pc.WriteOptions(quoting_style="needed", quoting_header="none"))
    replace_file(path, sink.getvalue())
