"""Joining new rows to stored ones: repeats once, revisions beside each other, contradictions by rule."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from engine import Bool1D, ConfigError, DataError, Int1D

from .conflicts import Conflict, OnConflict
from .keys import DatasetKey
from .kinds import AVAILABLE_AT, KINDS, TIME_TYPE, Kind
from .tables import equal_values, identity_order, repeated_rows, same_identity, times_ns
from .timestamps import US_NS

CONFLICTS_LISTED: Final = 100
"""So many contradicting cells of one write are listed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows in store order; ``changed`` unless they are the stored ones.

    ``conflicts`` lists contradicting cells (at most ``CONFLICTS_LISTED``) of ``conflicting_rows`` rows.
    """

    table: pa.Table
    changed: bool
    conflicts: tuple[Conflict, ...] = ()
    conflicting_rows: int = 0


def merged_rows(
    key: DatasetKey,
    stored: pa.Table,
    new: pa.Table,
    *,
    on_conflict: OnConflict = "refuse",
    revised_at_ns: int | None = None,
) -> Merged:
    """The rows of both canonical tables in store order, a row that both have once.

    Rows of one identity with different ``available_at`` are revisions and all stay, so the result
    does not depend on the order of imports. Rows of one identity and one ``available_at`` with
    different values contradict each other: ``refuse`` raises DataError naming both values, ``keep``
    takes the stored row, ``replace`` the new one, ``revise`` stores the new one as known from
    ``revised_at_ns`` on, unless what is known by then says the same. Where the new rows hold several
    vintages of a value, the last one that they had by then is the revision.

    Raises ConfigError when ``revise`` lacks its moment.
    """
    kind = KINDS[key.kind]
    joined = _without_overlap(kind, stored, new)
    if joined is not None:
        return Merged(joined, changed=True)
    if new.equals(stored):
        return Merged(stored, changed=False)
    both, is_new, again = _side_by_side(kind, stored, new)
    differing = again[~equal_values(kind, both, again)]
    found = _conflicts(key, both, differing)
    if found and on_conflict == "refuse":
        raise DataError(
            f"{found[0]} ({len(differing)} rows differ); a source may not contradict itself: import "
            "the other version under its own name with --source, or say which holds with --on-conflict"
        )
    keep = np.ones(len(both), dtype=np.bool_)
    keep[again] = False
    if on_conflict == "replace":
        keep[differing] = True
        keep[differing - 1] = False
    table = both if keep.all() else both.filter(pa.array(keep))
    changed = bool((is_new & keep).any())
    if on_conflict == "revise" and differing.size:
        if revised_at_ns is None:
            raise ConfigError(f"{key}: on_conflict='revise' needs the moment of the revision")
        rows = _last_stated(kind, both, is_new, differing, revised_at_ns)
        revised = _revisions(kind, table, both.take(pa.array(rows)), revised_at_ns)
        if len(revised):
            table, changed = merged_rows(key, table, revised).table, True
    return Merged(table, changed, tuple(found), len(differing))


def _without_overlap(kind: Kind, stored: pa.Table, new: pa.Table) -> pa.Table | None:
    if not len(stored) or not len(new):
        return pa.concat_tables([stored, new]) if len(new) else None
    time = kind.time_column
    if stored[time][-1].as_py() < new[time][0].as_py():
        return pa.concat_tables([stored, new])
    if new[time][-1].as_py() < stored[time][0].as_py():
        return pa.concat_tables([new, stored])
    return None


def _side_by_side(kind: Kind, stored: pa.Table, new: pa.Table) -> tuple[pa.Table, Bool1D, Int1D]:
    """Rows of both in store order, which are new, and where one repeats the row before it."""
    both = pa.concat_tables([stored, new])
    is_new = np.arange(len(both)) >= len(stored)
    # Stable: of two equal rows the stored one comes first.
    order = identity_order(kind, both)
    both = both.take(pa.array(order)).combine_chunks()
    return both, is_new[order], np.flatnonzero(repeated_rows(kind, both))


def _last_stated(
    kind: Kind, both: pa.Table, is_new: Bool1D, differing: Int1D, moment_ns: int
) -> Int1D:
    """The new rows that become revisions, of every value of which a row differs.

    That is the last vintage that the new rows have before the moment, which need not be the one that
    differs, and every differing one from the moment on.
    """
    value = np.cumsum(~same_identity(kind, both, same_moment=False))
    known_us = np.asarray(both[AVAILABLE_AT].cast(pa.int64()))
    is_early = known_us < -(-moment_ns // US_NS)
    early = np.flatnonzero(is_new & is_early & np.isin(value, value[differing]))
    last = early[np.diff(value[early], append=-1) != 0]
    rows: Int1D = np.union1d(last, differing[~is_early[differing]])
    return rows


def _revisions(kind: Kind, table: pa.Table, rows: pa.Table, moment_ns: int) -> pa.Table:
    """``rows`` as known from the moment on, without those that state what was known by then."""
    moment_us = -(-moment_ns // US_NS)
    known_us = np.asarray(rows[AVAILABLE_AT].cast(pa.int64()))
    column = pa.array(np.maximum(known_us + 1, moment_us)).cast(TIME_TYPE)
    index = rows.column_names.index(AVAILABLE_AT)
    revised = rows.set_column(index, rows.schema.field(index), column)
    both, is_new, _ = _side_by_side(kind, table, revised)
    candidates = np.flatnonzero(is_new & same_identity(kind, both, same_moment=False))
    news = candidates[~equal_values(kind, both, candidates)]
    return both.take(pa.array(news))


def _conflicts(key: DatasetKey, both: pa.Table, rows: Int1D) -> list[Conflict]:
    time_ns = times_ns(KINDS[key.kind], both) if rows.size else rows
    found = []
    for row in map(int, rows[:CONFLICTS_LISTED]):
        for column in KINDS[key.kind].columns:
            a, b = both[column.name][row - 1].as_py(), both[column.name][row].as_py()
            if a != b:
                found.append(Conflict(key, int(time_ns[row]), column.name, a, b))
    return found[:CONFLICTS_LISTED]
