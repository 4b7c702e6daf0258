"""Parts of a ledger: the columns and the name of one batch of trials, and what makes it sound."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datasets.durable import names_in
from engine import ContractError, DataError
from engine.return_sums import SUMS

from .identity import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

STAGES: Final = ("screen", "search")
COMPLETE: Final = "complete"
INFEASIBLE: Final = "infeasible"
FAILED: Final = "failed"
STATES: Final = (COMPLETE, INFEASIBLE, FAILED)
TRIAL_FIELDS: Final[Mapping[str, str]] = {
    "trial": "whole",
    "batch": "whole",
    "stage": "text",
    "parent": "whole or null",
    "state": "text",
    "error": "text or null",
    "values": "text",
    "coordinates": "reals",
    "score": "reals",
}
"""Columns before those of the metrics; ``sums`` comes after them."""
LAST_FIELD: Final = "sums"
PREFIX: Final = "trials-"
_PART: Final = re.compile(PREFIX + r"(\d{6,})-([0-9a-f]{16})\.parquet")
_METRIC: Final = re.compile(r"[a-z][a-z0-9_]*")
_RESTORE: Final = (
    "put the part back as it was, or move it and every later part out of the folder and resume the "
    "sweep, which evaluates them again"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part by its name: its number from 1, and the first 16 digits of its SHA-256."""

    path: Path
    number: int
    digest: str


def values_json(values: Mapping[str, Any]) -> str:
    """The column ``values`` of a trial: what its configuration holds by path, as JSON, keys sorted."""
    return canonical_json(values)


def trial_schema(metrics: Sequence[str]) -> "pa.Schema":
    """Columns of a part whose trials state ``metrics``, in order.

    ContractError when a metric's name is not in lower case or is that of another column.
    """
    import pyarrow as pa

    reals = pa.list_(pa.field("element", pa.float64()))
    types = {
        "whole": pa.int64(),
        "whole or null": pa.int64(),
        "text": pa.string(),
        "text or null": pa.string(),
        "reals": reals,
    }
    for metric in metrics:
        if _METRIC.fullmatch(metric) is None or metric in (*TRIAL_FIELDS, LAST_FIELD):
            raise ContractError(
                f"metrics: {metric!r} must be lower case, digits and underscores, and not the name "
                "of another column"
            )
    if len(set(metrics)) < len(metrics):
        raise ContractError(f"metrics: {', '.join(metrics)} name one metric twice")
    return pa.schema(
        [
            *(
                pa.field(name, types[kind], nullable=kind.endswith("null"))
                for name, kind in TRIAL_FIELDS.items()
            ),
            *(pa.field(metric, pa.float64(), nullable=False) for metric in metrics),
            pa.field(LAST_FIELD, reals, nullable=False),
        ]
    )


def part_files(folder: Path) -> tuple[Part, ...]:
    """The parts in ``folder`` by number; DataError for a gap, a number twice or a foreign name.

    Parts that another process adds meanwhile may be left out, but only from the end.
    """
    parts = _listed(folder)
    if _first_missing(parts) is not None:
        # One reading of a folder can miss a file that another process made before a file it shows.
        newest = parts[-1].number
        parts = [part for part in _listed(folder) if part.number <= newest]
    for part, follower in pairwise(parts):
        if part.number == follower.number:
            raise DataError(
                f"{follower.path}: there is another part {part.number}, {part.path.name}; move the "
                "one that does not belong to this sweep away"
            )
    missing = _first_missing(parts)
    if missing is not None:
        raise DataError(
            f"{folder}: part {missing} ({PREFIX}{missing:06d}-*.parquet) is missing before "
            f"{parts[-1].path.name}; {_RESTORE}"
        )
    return tuple(parts)


def encoded(table: "pa.Table", number: int) -> tuple[str, memoryview]:
    """Name and content of part ``number``; equal tables give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=3,
        use_dictionary=["stage", "state"],
        store_schema=False,
    )
    data = memoryview(sink.getvalue())
    return f"{PREFIX}{number:06d}-{_digest(data)}.parquet", data


def read_part(
    part: Part, schema: "pa.Schema", columns: Sequence[str], first_trial: int
) -> "pa.Table":
    """``columns`` of a part; DataError when it was changed or does not begin with ``first_trial``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = part.path.read_bytes()
    except OSError as error:
        raise DataError(f"{part.path}: cannot be read: {error.strerror}; {_RESTORE}") from None
    if _digest(data) != part.digest:
        raise DataError(
            f"{part.path}: its SHA-256 does not begin with {part.digest} as its name says: it was "
            f"changed, cut off or renamed; {_RESTORE}"
        )
    read = list(dict.fromkeys(("trial", "batch", *columns)))
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        if file.schema_arrow != schema:
            raise DataError(
                f"{part.path}: its columns are not those that sweep.json states "
                f"({_other_columns(file.schema_arrow, schema)}); {_RESTORE}"
            )
        table = file.read(columns=read, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{part.path}: is not a Parquet file ({error}); {_RESTORE}") from None
    problem = _numbering(table, first_trial)
    if problem is not None:
        raise DataError(f"{part.path}: {problem}; {_RESTORE}")
    return table.select(list(columns))


def checked_rows(
    table: "pa.Table", schema: "pa.Schema", objectives: int, first_trial: int
) -> "pa.Table":
    """``table`` as the part that begins with ``first_trial``; ContractError naming the column."""
    import pyarrow as pa

    if sorted(table.column_names) != sorted(schema.names):
        raise ContractError(f"trials: columns differ ({_other_columns(table.schema, schema)})")
    try:
        rows = table.select(schema.names).cast(schema).combine_chunks()
    except (pa.ArrowException, ValueError) as error:
        raise ContractError(f"trials: {error}") from None
    problem = (
        _numbering(rows, first_trial)
        or _unknown(rows, "stage", STAGES)
        or _unknown(rows, "state", STATES)
        or _outcomes(rows, objectives)
    )
    if problem is not None:
        raise ContractError(f"trials: {problem}")
    return rows


def _listed(folder: Path) -> list[Part]:
    parts = []
    for name in names_in(folder):
        if not name.startswith(PREFIX):
            continue
        found = _PART.fullmatch(name)
        if found is None or f"{int(found[1]):06d}" != found[1] or int(found[1]) == 0:
            raise DataError(
                f"{folder / name}: is not the name of a part "
                f"({PREFIX}<number>-<16 digits of its SHA-256>.parquet); it was renamed or is a "
                "copy: give it its name back or move it away"
            )
        parts.append(Part(folder / name, int(found[1]), found[2]))
    return sorted(parts, key=lambda part: (part.number, part.digest))


def _first_missing(parts: Iterable[Part]) -> int | None:
    numbers = {part.number for part in parts}
    return next((number for number in range(1, len(numbers) + 1) if number not in numbers), None)


def _digest(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _other_columns(found: "pa.Schema", wanted: "pa.Schema") -> str:
    missing = [name for name in wanted.names if name not in found.names]
    unknown = [name for name in found.names if name not in wanted.names]
    if missing or unknown:
        return f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
    if found.names != wanted.names:
        return "their order differs"
    name = next(name for name in wanted.names if found.field(name) != wanted.field(name))
    return f"{found.field(name)} instead of {wanted.field(name)}"


def _numbering(rows: "pa.Table", first_trial: int) -> str | None:
    trials = rows["trial"].to_numpy()
    if not len(trials):
        return "there is no row"
    wrong = np.flatnonzero(trials != np.arange(first_trial, first_trial + len(trials)))
    if len(wrong):
        row = int(wrong[0])
        return f"trial={trials[row]} in row {row}, where trial {first_trial + row} must stand"
    batches = rows["batch"].unique().to_pylist()
    return None if len(batches) == 1 else f"batch: {batches} stand in one part; a part is one batch"


def _unknown(rows: "pa.Table", column: str, known: Sequence[str]) -> str | None:
    others = [value for value in rows[column].unique().to_pylist() if value not in known]
    return f"{column}={others[0]!r} is none of {', '.join(known)}" if others else None


def _outcomes(rows: "pa.Table", objectives: int) -> str | None:
    """What each trial came to: its parent, its error, its numbers."""
    import pyarrow.compute as pc

    trials = rows["trial"].to_numpy()
    parents = rows["parent"].fill_null(-1).to_numpy()
    failed = pc.equal(rows["state"], FAILED).to_numpy()
    for column, has_wrong in (
        ("parent", (parents > trials[-1]) | (parents == trials)),
        ("parent", (parents < 0) & rows["parent"].is_valid().to_numpy()),
        ("error", rows["error"].is_valid().to_numpy() != failed),
        ("score", pc.list_value_length(rows["score"]).to_numpy() != objectives),
        (LAST_FIELD, pc.list_value_length(rows[LAST_FIELD]).to_numpy() != len(SUMS)),
    ):
        if has_wrong.any():
            row = int(np.flatnonzero(has_wrong)[0])
            return f"{column}={rows[column][row].as_py()!r} in row {row}: {_RULES[column]}"
    if pc.any(pc.is_nan(pc.list_flatten(rows["score"]))).as_py():
        return "score is NaN; it must be null where an objective is undefined"
    coordinates = pc.list_flatten(rows["coordinates"])
    if coordinates.null_count or not np.isfinite(coordinates.to_numpy()).all():
        return "coordinates must be finite numbers"
    return None


_RULES: Final = {
    "parent": "must be another trial up to the last of this part, or null",
    "error": "must be stated for a failed trial and for no other",
    "score": "must have one entry for each objective",
    LAST_FIELD: f"must have {len(SUMS)} numbers",
}
