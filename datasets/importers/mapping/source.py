"""The file that a mapping describes, as columns under their own names."""

import csv as slow_csv
import io
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...findings import RefusedFileError
from ..reading.feather_file import MAGIC, feather_table
from ..reading.source_file import SourceFile
from .cells import Cells
from .schema import CsvOptions

_PARQUET: Final = b"PAR1"


def source_cells(file: SourceFile, options: CsvOptions) -> Cells:
    """The columns of a Parquet, Feather or CSV file; RefusedFileError for damaged bytes."""
    if file.data.startswith(_PARQUET):
        table = _parquet_table(file)
    elif file.data.startswith(MAGIC):
        table = feather_table(file)
    else:
        first_line = options.skip_lines + 2
        table = _csv_table(file, options)
        places = np.arange(first_line, first_line + len(table), dtype=np.int64)
        return Cells(file, table, places, "line", options)
    if len(set(table.column_names)) != len(table.column_names):
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: two of its columns have one name ({', '.join(table.column_names)[:300]}); "
            "nothing tells them apart",
        )
    return Cells(file, table, np.arange(len(table), dtype=np.int64), "row", options)


def _parquet_table(file: SourceFile) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(file.data))
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise RefusedFileError(
            "unreadable", f"{file.path}: not a readable Parquet file ({reason}); download it again"
        ) from error
    if not len(table):
        raise RefusedFileError("unreadable", f"{file.path}: the file has columns but no rows")
    return table


def _csv_table(file: SourceFile, options: CsvOptions) -> pa.Table:
    """Every cell as text; the header is the first line after those that are skipped."""
    text = file.data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n \t")
    lines = text.split(b"\n", options.skip_lines + 1)
    if len(lines) < options.skip_lines + 2:
        raise RefusedFileError(
            "unreadable", f"{file.path}: has no rows after its header; correct csv.skip_lines"
        )
    header = lines[options.skip_lines].decode("utf-8", "replace").rstrip("\r")
    try:
        names = next(slow_csv.reader(io.StringIO(header), delimiter=options.delimiter), [])
        if not any(names) or "\0" in header:
            raise ValueError("the line of the header has no names")
        if len(set(names)) != len(names):
            raise ValueError("two columns of the header have one name")
        return _parsed(lines[-1], names, options)
    except (pa.ArrowException, slow_csv.Error, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: not a CSV file as the mapping describes it ({reason}); correct "
            "csv.delimiter or csv.skip_lines",
        ) from error


def _parsed(text: bytes, names: list[str], options: CsvOptions) -> pa.Table:
    from pyarrow import csv

    return csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter=options.delimiter, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(options.null_words),
            strings_can_be_null=True,
        ),
    )
