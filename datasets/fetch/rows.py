"""From the rows of answers to a table of the store."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from engine import HOUR_NS, Int1D

from ..keys import DatasetKey
from ..kinds import AVAILABLE_AT, KINDS
from ..store import Store
from ..tables import canonical_table, equal_values, identity_order, same_identity, times_ns
from ..timestamps import SETTLEMENT_LATENESS_NS
from .series import MS_NS, Row

_FUNDING: Final = "funding"
_METRICS: Final = "metrics"


def table_of(key: DatasetKey, columns: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    """``rows`` (time in ms, then ``columns``) as a canonical table in store order.

    Rows whose every value is empty are left out; a settlement stamped up to two seconds late is put on
    the full hour. Metrics count as known one step after their time, and at least as late as the kind
    says: not every exchange tells whether it stamps the start or the end of the period it sums up.
    """
    kind = KINDS[key.kind]
    rows = [row for row in rows if any(cell is not None for cell in row[1:])]
    time_ns: Int1D = np.array([int(row[0] or 0) for row in rows], dtype=np.int64) * MS_NS
    if key.kind == _FUNDING:
        late = time_ns % HOUR_NS
        time_ns = np.where(late <= SETTLEMENT_LATENESS_NS, time_ns - late, time_ns)
    types = {column.name: column.arrow_type for column in kind.columns}
    data = {kind.time_column: pa.array(time_ns)}
    if key.kind == _METRICS:
        known_ns = np.maximum(
            time_ns + kind.step_ns(key.step), kind.available_ns(time_ns, key.step)
        )
        data[AVAILABLE_AT] = pa.array(known_ns)
    for place, name in enumerate(columns, start=1):
        data[name] = pa.array([row[place] for row in rows], type=types[name])
    table = canonical_table(kind, key.step, pa.table(data), str(key))
    return table.take(pa.array(identity_order(kind, table)))


def joined(parts: Sequence[tuple[Sequence[str], Sequence[Row]]]) -> tuple[list[str], list[Row]]:
    """Rows of several series side by side: one row per time that any of them has, in time order."""
    columns = [name for names, _ in parts for name in names]
    if len(parts) == 1:
        return columns, list(parts[0][1])
    by_time = [{row[0]: row[1:] for row in rows} for _, rows in parts]
    empty = [(None,) * len(names) for names, _ in parts]
    times = sorted({int(time_ms or 0) for rows in by_time for time_ms in rows})
    return columns, [
        (
            time_ms,
            *(
                cell
                for rows, blank in zip(by_time, empty, strict=True)
                for cell in rows.get(time_ms, blank)
            ),
        )
        for time_ms in times
    ]


def unknown_rows(store: Store, key: DatasetKey, table: pa.Table) -> pa.Table:
    """The rows of ``table`` that the store does not already state as the last version of their value.

    Without this a value revised by an earlier fetch would be stored as revised anew by every fetch.
    """
    kind = KINDS[key.kind]
    if not len(table) or not (store.root / key.manifest).exists():
        return table
    time_ns = times_ns(kind, table)
    stored = store.read(key, int(time_ns[0]), int(time_ns[-1]) + 1)
    if not len(stored):
        return table
    both = pa.concat_tables([_last_versions(key, stored).cast(table.schema), table])
    origin = np.repeat([0, 1], [len(both) - len(table), len(table)])
    # Stable by identity only: the stored version stands before the fetched one.
    order = identity_order(kind, _without_moments(both))
    both, origin = both.take(pa.array(order)).combine_chunks(), origin[order]
    again = np.flatnonzero(same_identity(kind, both, same_moment=False) & (origin == 1))
    keep = origin == 1
    keep[again[equal_values(kind, both, again)]] = False
    return both.filter(pa.array(keep))


def _last_versions(key: DatasetKey, table: pa.Table) -> pa.Table:
    is_last = np.ones(len(table), dtype=np.bool_)
    is_last[:-1] = ~same_identity(KINDS[key.kind], table, same_moment=False)[1:]
    return table.filter(pa.array(is_last))


def _without_moments(table: pa.Table) -> pa.Table:
    same = pa.nulls(len(table), pa.int64()).fill_null(0).cast(table.schema.field(1).type)
    return table.set_column(1, table.schema.field(1), same)
