"""Rows of a data set block by block, so that loading holds one copy of the data and no more."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import Bool1D, DataError, Float1D, Int1D

from ..keys import DatasetKey
from ..kinds import AVAILABLE_AT, KINDS
from ..manifest import Part
from ..store import DatasetInfo, PartGoneError, Store
from ..tables import available_at_ns, floats_of, times_ns
from ..timestamps import time_text

_Result = TypeVar("_Result")
_CELL_BYTES: Final = 8
_WHOLE_BYTES: Final = 2 * 2**20
"""A block of at most so many bytes is decoded at once, a larger one column by column."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a data set in store order; all vintages of a time lie in one block.

    ``time_ns`` and ``known_ns`` (``available_at``) are int64 ns UTC ``(N,)``. ``column`` gives a number
    column as float64 ``(N,)``, NaN where a cell is empty, or None where every cell is.
    """

    time_ns: Int1D
    known_ns: Int1D
    column: Callable[[str], Float1D | None]


def following_writers(
    store: Store, info: DatasetInfo, act: Callable[[DatasetInfo], _Result]
) -> _Result:
    """``act`` on the parts that ``info`` lists, again on the next ones when a writer superseded them."""
    while True:
        try:
            return act(info)
        except PartGoneError:
            latest = store.dataset(info.key)
            if latest.parts == info.parts:
                raise
            info = latest


def blocks_of(
    store: Store,
    info: DatasetInfo,
    start_ns: int | None,
    end_ns: int | None,
    columns: Sequence[str],
) -> Iterator[Block]:
    """Blocks with ``start_ns <= time < end_ns`` in time order; ``columns`` are those to be asked for.

    Raises DataError when a part is damaged, PartGoneError when a writer superseded it.
    """
    for part, path in zip(info.parts, store.part_paths(info), strict=True):
        if (end_ns is None or part.first_ns < end_ns) and (
            start_ns is None or part.last_ns >= start_ns
        ):
            file = _PartFile(path, part, info.key)
            yield from _joined(_row_groups(file, start_ns, end_ns, columns))


class _PartFile:
    """One Parquet part that is read in pieces."""

    def __init__(self, path: Path, part: Part, key: DatasetKey) -> None:
        self.part, self.kind = part, KINDS[key.kind]
        self._path, self._key = path, key
        self._file = self._opened()
        if not self._file.schema_arrow.equals(self.kind.schema):
            raise self.problem("its columns are others")
        self.row_groups: int = self._file.num_row_groups

    def rows(self, group: int) -> int:
        """Number of rows of a row group."""
        return int(self._file.metadata.row_group(group).num_rows)

    def read(self, group: int, names: Sequence[str]) -> pa.Table:
        """Some columns of a row group, their checksums verified."""
        try:
            # Threads of Arrow keep more memory than it takes to decode a column.
            return self._file.read_row_group(group, columns=names, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self.problem(str(error).splitlines()[0]) from error

    def problem(self, what: str) -> DataError:
        """The error that says what is wrong with the part."""
        return DataError(
            f"{self._path}: {what}; it is not the part that the manifest describes: remove the data "
            f"set (`ninefold data rm {self._key}`) and import the data again"
        )

    def _opened(self) -> pq.ParquetFile:
        try:
            source = pa.OSFile(str(self._path))
            if source.size() != self.part.bytes:
                raise self.problem(f"it has {source.size()} bytes")
            return pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=False)
        except FileNotFoundError as error:
            raise PartGoneError(str(self.problem("it is gone"))) from error
        except (pa.ArrowException, OSError) as error:
            raise self.problem(str(error).splitlines()[0]) from error


def _row_groups(
    file: _PartFile, start_ns: int | None, end_ns: int | None, columns: Sequence[str]
) -> Iterator[Block]:
    rows, last_ns = 0, file.part.first_ns
    for group in range(file.row_groups):
        block = _block(file, group, columns)
        if rows == 0 and block.time_ns[0] != file.part.first_ns:
            raise file.problem(f"it begins at {time_text(int(block.time_ns[0]))}")
        rows, last_ns = rows + len(block.time_ns), int(block.time_ns[-1])
        inside = _inside(block, start_ns, end_ns)
        if inside is not None:
            yield inside
        if file.rows(group) * _CELL_BYTES * len(columns) > _WHOLE_BYTES:
            # The memory pool would keep several times what decoding a block takes.
            pa.default_memory_pool().release_unused()
    if (rows, last_ns) != (file.part.rows, file.part.last_ns):
        raise file.problem(f"it has {rows} rows to {time_text(last_ns)}")


def _block(file: _PartFile, group: int, columns: Sequence[str]) -> Block:
    times = [file.kind.time_column, AVAILABLE_AT]
    large = file.rows(group) * _CELL_BYTES * (2 + len(columns)) > _WHOLE_BYTES
    table = file.read(group, times if large else [*times, *columns])

    def column(name: str) -> Float1D | None:
        read = file.read(group, [name]) if large else table
        return None if read[name].null_count == len(read) else floats_of(read, name)

    return Block(times_ns(file.kind, table), available_at_ns(table), column)


def _inside(block: Block, start_ns: int | None, end_ns: int | None) -> Block | None:
    first = 0 if start_ns is None else int(np.searchsorted(block.time_ns, start_ns))
    last = len(block.time_ns) if end_ns is None else int(np.searchsorted(block.time_ns, end_ns))
    if first >= last:
        return None
    return block if (first, last) == (0, len(block.time_ns)) else _rows(block, slice(first, last))


def _rows(block: Block, rows: slice) -> Block:
    def column(name: str) -> Float1D | None:
        values = block.column(name)
        return None if values is None else values[rows]

    return Block(block.time_ns[rows], block.known_ns[rows], column)


def _joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same rows, with blocks between whose rows a time is divided put together."""
    held: Block | None = None
    for block in blocks:
        if held is None:
            held = block
        elif held.time_ns[-1] == block.time_ns[0]:
            held = one_block([held, block])
        else:
            yield held
            held = block
    if held is not None:
        yield held


def one_block(blocks: Sequence[Block]) -> Block:
    """The rows of several blocks, one block after the other."""

    def column(name: str) -> Float1D | None:
        parts = [block.column(name) for block in blocks]
        if all(values is None for values in parts):
            return None
        return np.concatenate(
            [
                np.full(len(block.time_ns), np.nan) if values is None else values
                for block, values in zip(blocks, parts, strict=True)
            ]
        )

    return Block(
        np.concatenate([block.time_ns for block in blocks]),
        np.concatenate([block.known_ns for block in blocks]),
        column,
    )


def first_vintages(block: Block) -> Bool1D:
    """True for the row of each time that was known first, ``(N,)``."""
    first = np.ones(len(block.time_ns), dtype=np.bool_)
    first[1:] = block.time_ns[1:] != block.time_ns[:-1]
    return first


def last_vintages(block: Block, as_of_ns: int) -> Bool1D:
    """True for the row of each time that was known last at a moment, ``(N,)``."""
    known = block.known_ns <= as_of_ns
    last = known.copy()
    last[:-1] &= (block.time_ns[1:] != block.time_ns[:-1]) | ~known[1:]
    return last
