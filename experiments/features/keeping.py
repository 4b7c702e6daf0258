"""Matrices as Parquet files: written whole or not at all, found again by the keys of their columns."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.durable import TEMPORARY_PREFIX, names_in, remove_files, replace_file
from datasets.file_lock import exclusive_lock
from engine import ContractError, DataError, Float1D, Int1D

from .definitions import ColumnDefinition

TIMES: Final = ("time", "open_time")
"""The columns before the features: the close of each bar, at which its row is known, and its open."""
TIME_TYPE: Final = pa.timestamp("us")
FACTS_KEY: Final = b"ninefold"
SUFFIX: Final = ".parquet"
KEY_DIGITS: Final = 16
COMPRESSION_LEVEL: Final = 1
_NS_PER_US: Final = 1_000
_LOCK: Final = ".lock"

Column: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class MatrixFolder:
    """The matrices of one symbol and timeframe: ``<symbol>/<timeframe>/<key>.parquet``."""

    root: Path
    symbol: str
    timeframe: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.symbol / self.timeframe

    @contextmanager
    def writing(self, seconds: float) -> Iterator[None]:
        """Be the only one that writes here; DataError when another one still does after ``seconds``."""

        def refusal(holder: str) -> str:
            return (
                f"{self.path}: process {holder} has been building matrices here for more than "
                f"{seconds:g} s; wait for it, or give another folder with --out"
            )

        with exclusive_lock(self.path / _LOCK, time.monotonic() + seconds, refusal):
            remove_files(
                self.path / name
                for name in names_in(self.path)
                if name.startswith(TEMPORARY_PREFIX)
            )
            yield

    def matrix_path(self, rows_key: str, columns: Sequence[ColumnDefinition]) -> Path:
        """Where the matrix of these rows and columns, in this order, lies."""
        content = [rows_key, [[one.name, one.key] for one in columns]]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        return self.path / f"{digest[:KEY_DIGITS]}{SUFFIX}"

    def kept(self) -> list[Path]:
        """Every matrix in the folder, the latest first."""
        paths = [self.path / name for name in names_in(self.path) if name.endswith(SUFFIX)]
        return sorted(paths, key=lambda path: (-path.stat().st_mtime_ns, path.name))

    def find(self, keys: Sequence[str]) -> dict[str, Column]:
        """The columns with these keys that a file here holds whole; what is damaged counts as absent."""
        found: dict[str, Column] = {}
        for path in self.kept():
            lacking = {key for key in keys if key not in found}
            if not lacking:
                break
            found |= _read_columns(path, lacking)
        return found


def typed(definition: ColumnDefinition, values: Float1D) -> Column:
    """``values`` as they are stored; ContractError for a signal or state that is none."""
    if definition.dtype == "float64":
        return values
    with np.errstate(invalid="ignore"):
        stored = values.astype(definition.dtype)
    low = -1 if definition.output.kind == "signal" else 0
    wrong = np.flatnonzero((stored != values) | (values < low))
    if wrong.size:
        row = int(wrong[0])
        rule = "-1, 0 or 1" if low else f"a whole number from 0 to {np.iinfo(stored.dtype).max}"
        raise ContractError(
            f"feature {definition.name}: row {row} is {values[row]!r}, a {definition.output.kind} is {rule}"
        )
    return stored


def matrix_table(
    facts: Mapping[str, Any],
    known_at: Int1D,
    open_time: Int1D,
    columns: Sequence[tuple[ColumnDefinition, Column]],
) -> pa.Table:
    """The matrix as a table; each field carries its definition, the schema ``facts`` under ``ninefold``."""
    texts = {"time": "close of the bar, at which the row is known", "open_time": "open of the bar"}
    schema = [
        pa.field(name, TIME_TYPE, nullable=False, metadata={"name": name, "text": texts[name]})
        for name in TIMES
    ]
    arrays = [
        pa.array((moments // _NS_PER_US).astype("datetime64[us]"))
        for moments in (known_at, open_time)
    ]
    for definition, values in columns:
        kind = pa.from_numpy_dtype(values.dtype)
        schema.append(pa.field(definition.name, kind, nullable=False, metadata=definition.facts()))
        arrays.append(pa.array(values))
    whole = {FACTS_KEY: json.dumps(dict(facts), sort_keys=True).encode()}
    return pa.Table.from_arrays(arrays, schema=pa.schema(schema, metadata=whole))


def write_matrix(path: Path, table: pa.Table) -> None:
    """Write ``table`` so that every bit of it comes back, in one step that survives a crash."""
    sink = pa.BufferOutputStream()
    floats = [field.name for field in table.schema if field.type == pa.float64()]
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        # Numbers seldom repeat: with a dictionary a file is larger and takes twice as long to write.
        use_dictionary=[field.name for field in table.schema if field.name not in floats],
        write_statistics=False,
        write_page_checksum=True,
    )
    replace_file(path, memoryview(sink.getvalue()))


def read_matrix(path: Path | str) -> pa.Table:
    """A matrix with the definitions of its columns; DataError when it cannot be read or is damaged."""
    try:
        return pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: cannot be read as a matrix ({error}); build it again with `ninefold features`"
        ) from None


def is_whole(path: Path) -> bool:
    """Whether ``path`` holds a matrix of which every page is as it was written."""
    try:
        return bool(read_matrix(path).num_columns >= len(TIMES))
    except DataError:
        return False


def _read_columns(path: Path, keys: set[str]) -> dict[str, Column]:
    try:
        schema = pq.read_schema(path)
        names = {
            key.decode(): field.name
            for field in schema
            if (key := (field.metadata or {}).get(b"key")) is not None and key.decode() in keys
        }
        if not names:
            return {}
        table = pq.read_table(path, columns=list(names.values()), page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        # What a matrix cannot give is computed again.
        return {}
    return {key: table.column(name).to_numpy() for key, name in names.items()}
