"""What a write will change, worked out before the first byte of it goes to disk."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pyarrow as pa

from engine import ConfigError, DataError

from ..checks import check_grid, check_rows
from ..conflicts import Conflict, OnConflict
from ..keys import DatasetKey
from ..kinds import KINDS
from ..manifest import Manifest, Part
from ..merge import CONFLICTS_LISTED, merged_rows
from ..tables import canonical_table, times_ns
from .parts import EncodedPart, by_period, encoded
from .records import Write, WriteResult

ReadPart = Callable[[Part], pa.Table]


@dataclass(frozen=True, slots=True)
class Plan:
    """The manifest after a change, the parts that it needs and those that it no longer names, and
    what to tell the caller."""

    manifest: Manifest
    new_parts: tuple[EncodedPart, ...]
    superseded: tuple[Part, ...]
    result: WriteResult


def plan_write(
    write: Write,
    current: Manifest | None,
    read: ReadPart,
    *,
    on_conflict: OnConflict,
    whole_periods: bool,
) -> Plan:
    """Join the rows of ``write`` to the stored ones.

    With ``whole_periods`` a period that gains rows becomes one part; without, only the parts that
    share times with its new rows are rewritten. Raises DataError when a row breaks a rule or, where
    ``on_conflict`` says so, contradicts a stored one.
    """
    key, table = write.key, _checked(write)
    before = current or Manifest(key, (), ())
    parts = list(before.parts)
    written: list[EncodedPart] = []
    conflicts: list[Conflict] = []
    conflicting_rows = 0
    for period, rows in by_period(KINDS[key.kind], table):
        touched = _touched(before.parts, period, rows, key, whole_periods)
        merged = merged_rows(
            key,
            _joined(key, [read(part) for part in touched]),
            rows,
            on_conflict=on_conflict,
            revised_at_ns=write.revised_at_ns,
        )
        conflicts += merged.conflicts
        conflicting_rows += merged.conflicting_rows
        if merged.changed:
            written.append(encoded(key, period, merged.table))
            parts = [part for part in parts if part not in touched] + [written[-1].part]
    entry = as_json(key, "provenance", write.provenance)
    known = entry in before.provenance
    manifest = Manifest(
        key=key,
        parts=tuple(sorted(parts, key=lambda part: part.first_ns)),
        provenance=before.provenance if known else (*before.provenance, entry),
        quality=None if written else before.quality,
    )
    result = WriteResult(
        key=key,
        added_rows=manifest.rows - before.rows,
        rows=manifest.rows,
        parts_written=len(written),
        changed=manifest != before,
        conflicts=tuple(conflicts[:CONFLICTS_LISTED]),
        conflicting_rows=conflicting_rows,
    )
    return Plan(manifest, tuple(written), _superseded(before, manifest), result)


def plan_compaction(current: Manifest, read: ReadPart) -> Plan:
    """One part per period; the rows stay what they are."""
    parts: list[Part] = []
    written: list[EncodedPart] = []
    for period, group in groupby(current.parts, key=lambda part: part.period):
        several = list(group)
        if len(several) > 1:
            rows = _joined(current.key, [read(part) for part in several])
            written.append(encoded(current.key, period, rows))
            several = [written[-1].part]
        parts += several
    manifest = replace(current, parts=tuple(parts))
    result = WriteResult(current.key, 0, current.rows, len(written), bool(written))
    return Plan(manifest, tuple(written), _superseded(current, manifest), result)


def _superseded(before: Manifest, after: Manifest) -> tuple[Part, ...]:
    named = {part.file for part in after.parts}
    return tuple(part for part in before.parts if part.file not in named)


def as_json(key: DatasetKey, what: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """``document`` as it comes back from JSON; ConfigError when it holds what JSON cannot."""
    try:
        content: Mapping[str, Any] = json.loads(json.dumps(dict(document), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: the {what} must consist of JSON values: {error}") from error
    return content


def _checked(write: Write) -> pa.Table:
    kind, key = KINDS[write.key.kind], write.key
    table = write.table
    if not write.is_checked:
        table = canonical_table(kind, key.step, table, str(key))
    if len(table) == 0:
        raise DataError(f"{key}: there are no rows to write")
    if write.is_checked:
        check_grid(kind, key.step, table, lambda row: f"{key} row {row}")
    else:
        check_rows(kind, key.step, table, lambda row: f"{key} row {row}")
    return table.cast(kind.schema)


def _touched(
    parts: tuple[Part, ...], period: str, rows: pa.Table, key: DatasetKey, whole_periods: bool
) -> list[Part]:
    ends_ns = times_ns(KINDS[key.kind], rows.take([0, len(rows) - 1]))
    first_ns, last_ns = int(ends_ns[0]), int(ends_ns[1])
    return [
        part
        for part in parts
        if part.period == period
        and (whole_periods or (part.first_ns <= last_ns and part.last_ns >= first_ns))
    ]


def _joined(key: DatasetKey, tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables([KINDS[key.kind].schema.empty_table(), *tables])
