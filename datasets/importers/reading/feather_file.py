"""Feather (Arrow IPC) files: their columns, or a refusal."""

from typing import Final

import pyarrow as pa

from ...findings import RefusedFileError
from .source_file import SourceFile

MAGIC: Final = b"ARROW1"


def feather_columns(file: SourceFile) -> tuple[str, ...]:
    """Names of the columns; none where the file is no readable Feather file."""
    if not file.data.startswith(MAGIC):
        return ()
    try:
        return tuple(pa.ipc.open_file(pa.BufferReader(file.data)).schema.names)
    except (pa.ArrowException, OSError, ValueError):
        return ()


def feather_table(file: SourceFile) -> pa.Table:
    """All of the file, every value validated; RefusedFileError for damaged bytes."""
    try:
        table = pa.ipc.open_file(pa.BufferReader(file.data)).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        first_line = str(error).partition("\n")[0]
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: not a readable Feather file ({first_line}); download it again",
        ) from error
    if not len(table):
        raise RefusedFileError("unreadable", f"{file.path}: the file has columns but no rows")
    return table
