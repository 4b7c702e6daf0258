"""Where two tables first differ: row, column and both values."""

from typing import Any

import numpy as np
import pyarrow as pa

from engine import Bool1D


def first_difference(first: pa.Table, second: pa.Table) -> str:
    """The first row, and in it the first column, in which two tables differ; empty where none does.

    Floats are equal when their bits are, so that NaN equals NaN and 0.0 is not −0.0.
    """
    if first.schema != second.schema:
        before, now = (
            {f"{field.name} ({field.type})": None for field in table.schema}
            for table in (first, second)
        )
        gone = [name for name in before if name not in now]
        added = [name for name in now if name not in before]
        if not gone and not added:
            return "the columns stand in another order"
        return f"columns only in the record: {_listed(gone)}; only now: {_listed(added)}"
    rows = min(len(first), len(second))
    found: tuple[int, str] | None = None
    for name in first.column_names:
        differs = _differing_rows(first[name].slice(0, rows), second[name].slice(0, rows))
        if differs.any():
            row = int(np.argmax(differs))
            if found is None or row < found[0]:
                found = (row, name)
    if found is not None:
        row, name = found
        values = [value_text(table[name][row].as_py()) for table in (first, second)]
        return f"row {row}, column {name}: {values[0]} in the record, {values[1]} now"
    if len(first) != len(second):
        return f"{len(first)} rows in the record, {len(second)} now; row {rows} is the first of the rest"
    return ""


def _differing_rows(first: pa.ChunkedArray, second: pa.ChunkedArray) -> Bool1D:
    nulls = [column.is_null().to_numpy() for column in (first, second)]
    differs = np.asarray(nulls[0] != nulls[1])
    if pa.types.is_floating(first.type):
        bits = [
            np.ascontiguousarray(column.fill_null(0.0).to_numpy()).view(np.int64)
            for column in (first, second)
        ]
        return np.asarray(differs | (bits[0] != bits[1]))
    import pyarrow.compute as pc

    unequal = pc.fill_null(pc.not_equal(first, second), False).to_numpy()
    return np.asarray(differs | unequal)


def value_text(value: Any) -> str:
    """A value of a table or of run.json with every digit that sets it apart."""
    return "null" if value is None else repr(value) if isinstance(value, float) else str(value)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
