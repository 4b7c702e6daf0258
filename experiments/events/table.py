"""Events, and the changes of their states, as Arrow tables that say what their columns are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from datasets.durable import replace_file
from engine import ConfigError, Int1D

from .found import HeadEvents

TIME_TYPE: Final = pa.timestamp("us")
"""UTC, without a zone."""
POINT_TYPE: Final = pa.struct([("name", pa.string()), ("time", TIME_TYPE), ("price", pa.float64())])
LEVEL_TYPE: Final = pa.struct([("name", pa.string()), ("price", pa.float64())])
CHANGE_TYPE: Final = pa.struct([("state", pa.string()), ("time", TIME_TYPE)])
FACTS_KEY: Final = b"ninefold"
SUFFIXES: Final = (".parquet", ".csv")
_NS_PER_US: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: pa.DataType
    unit: str
    text: str


_IDENTITY: Final = (
    _Column("symbol", pa.string(), "", "traded symbol of the configuration"),
    _Column("head", pa.string(), "", "head whose parameters the detector had"),
    _Column("detection", pa.string(), "", "the head's name for the detection"),
    _Column("detector", pa.string(), "", "what found the event"),
    _Column("clock", pa.string(), "", "rows that were read: bars, or bars:4h rebuilt from them"),
    _Column("event", pa.int64(), "", "number within symbol, head and detection, from 0"),
    _Column("type", pa.string(), "", "what the event is"),
    _Column("direction", pa.int8(), "", "1 argues for a rise, -1 for a fall, 0 for neither"),
)
EVENT_COLUMNS: Final = (
    *_IDENTITY,
    _Column("anchor_time", TIME_TYPE, "UTC", "open of the bar that the event describes"),
    _Column("known_time", TIME_TYPE, "UTC", "close of the bar at which it became known"),
    _Column("delay", pa.int64(), "bars", "from the anchor's bar to the one that made it known"),
    _Column("top", pa.float64(), "quote", "upper edge of its zone, or its level; null without one"),
    _Column("bottom", pa.float64(), "quote", "lower edge of its zone, or its level"),
    _Column("measure", pa.float64(), "measure_unit", "its grade; null without one"),
    _Column("measure_unit", pa.string(), "", "what the measure grades"),
    _Column("points", pa.list_(POINT_TYPE), "UTC, quote", "turning points: bar's open, price"),
    _Column("levels", pa.list_(LEVEL_TYPE), "quote", "further prices stated when it became known"),
    _Column("state", pa.string(), "", "newest state; null while it is as it became known"),
    _Column("state_time", TIME_TYPE, "UTC", "close of the bar at which that state began"),
    _Column("is_over", pa.bool_(), "", "whether nothing can follow that state"),
    _Column("changes", pa.list_(CHANGE_TYPE), "UTC", "every state and when it began"),
)
CHANGE_COLUMNS: Final = (
    *_IDENTITY,
    _Column("known_time", TIME_TYPE, "UTC", "close of the bar at which the event became known"),
    _Column("state", pa.string(), "", "the state that began"),
    _Column("time", TIME_TYPE, "UTC", "close of the bar at which it began"),
)


def events_table(found: Sequence[HeadEvents]) -> pa.Table:
    """A row for each chosen event, in order of ``found`` and then of ``known_time``."""
    return _table(found, EVENT_COLUMNS, _events)


def changes_table(found: Sequence[HeadEvents]) -> pa.Table:
    """A row for each change of a chosen event, in order of ``found`` and then of ``time``."""
    return _table(found, CHANGE_COLUMNS, _changes)


def write_table(path: Path, table: pa.Table) -> None:
    """Write ``table`` to a ``.parquet`` or ``.csv`` file in one step, replacing it.

    CSV has times to the microsecond and lists as JSON. ConfigError for another ending.
    """
    check_name(path)
    sink = pa.BufferOutputStream()
    if path.suffix.lower() == ".parquet":
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    else:
        flat = pa.table({name: _flat(table[name]) for name in table.column_names})
        pc.write_csv(flat, sink, pc.WriteOptions(quoting_style="needed", quoting_header="none"))
    replace_file(path, memoryview(sink.getvalue()))


def check_name(path: Path) -> None:
    """ConfigError unless the name of the file says in which format to write it."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"--out {path}: the name must end in {' or '.join(SUFFIXES)}; it says the format"
        )


def _table(
    found: Sequence[HeadEvents],
    columns: Sequence[_Column],
    values_of: Callable[[HeadEvents], Mapping[str, Any]],
) -> pa.Table:
    fields = [
        pa.field(one.name, one.type, metadata={"unit": one.unit, "text": one.text})
        for one in columns
    ]
    facts = [
        {
            "symbol": one.symbol,
            "head": one.head,
            "detection": one.alias,
            "detector": one.detector.name,
            "clock": one.found.detection.clock,
            "parameters": one.detector.resolved(dict(one.found.detection.parameters)),
        }
        for one in found
    ]
    metadata = {FACTS_KEY: json.dumps({"detections": facts}, sort_keys=True).encode()}
    schema = pa.schema(fields, metadata=metadata)
    parts = [
        pa.Table.from_arrays(
            [_array(values[field.name], field.type) for field in fields], schema=schema
        )
        for values in map(values_of, found)
    ]
    return pa.concat_tables([schema.empty_table(), *parts]).combine_chunks()


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return pa.array(values, kind, from_pandas=pa.types.is_floating(kind))


def _identity(one: HeadEvents, events: Int1D) -> dict[str, Any]:
    """The columns that say which event a row is about, for the events at these positions."""
    names = pa.array([kind.name for kind in one.detector.types], pa.string())
    constant = {
        "symbol": one.symbol,
        "head": one.head,
        "detection": one.alias,
        "detector": one.detector.name,
        "clock": one.found.detection.clock,
    }
    return {
        **{name: pa.array([text] * len(events), pa.string()) for name, text in constant.items()},
        "event": events,
        "type": names.take(pa.array(one.table.type[events])),
        "direction": one.table.direction[events],
    }


def _events(one: HeadEvents) -> dict[str, Any]:
    table, clock, chosen = one.table, one.found.clock, one.chosen
    state, state_row = table.last_changes()
    changed = state[chosen] >= 0
    states = pa.array([kind.name for kind in one.detector.states], pa.string())
    ends = np.array([kind.ends for kind in one.detector.states] + [False])
    codes = pa.array(state[chosen], mask=~changed)
    return {
        **_identity(one, chosen),
        "anchor_time": _times(clock.event_time[table.anchor[chosen]]),
        "known_time": _times(clock.available_at[table.known[chosen]]),
        "delay": (table.known - table.anchor)[chosen],
        "top": table.top[chosen],
        "bottom": table.bottom[chosen],
        "measure": table.measure[chosen],
        "measure_unit": pa.array([one.detector.measure_unit] * len(chosen), pa.string()),
        "points": _points(one),
        "levels": _levels(one),
        "state": states.take(codes),
        "state_time": _times(clock.available_at[state_row[chosen]], missing=~changed),
        "is_over": ends[state[chosen]],
        "changes": _nested_changes(one),
    }


def _changes(one: HeadEvents) -> dict[str, Any]:
    table, clock = one.table, one.found.clock
    is_chosen = np.zeros(len(table), dtype=np.bool_)
    is_chosen[one.chosen] = True
    kept = np.flatnonzero(is_chosen[table.change_event])
    events = table.change_event[kept]
    return {
        **_identity(one, events),
        "known_time": _times(clock.available_at[table.known[events]]),
        "state": _state_names(one, kept),
        "time": _times(clock.available_at[table.change_row[kept]]),
    }


def _points(one: HeadEvents) -> pa.Array:
    rows, prices = one.table.point_rows[one.chosen], one.table.point_prices[one.chosen]
    is_there = rows >= 0
    names = pa.array(one.detector.points, pa.string())
    values = pa.StructArray.from_arrays(
        [
            names.take(pa.array(np.nonzero(is_there)[1])),
            _times(one.found.clock.event_time[rows[is_there]]),
            pa.array(prices[is_there], pa.float64(), from_pandas=True),
        ],
        fields=list(POINT_TYPE),
    )
    return pa.ListArray.from_arrays(_offsets(is_there.sum(axis=1)), values)


def _levels(one: HeadEvents) -> pa.Array:
    prices = one.table.levels[one.chosen]
    is_there = ~np.isnan(prices)
    names = pa.array(one.detector.levels, pa.string())
    values = pa.StructArray.from_arrays(
        [names.take(pa.array(np.nonzero(is_there)[1])), pa.array(prices[is_there])],
        fields=list(LEVEL_TYPE),
    )
    return pa.ListArray.from_arrays(_offsets(is_there.sum(axis=1)), values)


def _nested_changes(one: HeadEvents) -> pa.Array:
    table = one.table
    # Changes are in order of rows, and a stable sort keeps that order within each event.
    by_event = np.argsort(table.change_event, kind="stable")
    counts = np.bincount(table.change_event, minlength=len(table))
    is_chosen = np.zeros(len(table), dtype=np.bool_)
    is_chosen[one.chosen] = True
    kept = by_event[is_chosen[table.change_event[by_event]]]
    values = pa.StructArray.from_arrays(
        [
            _state_names(one, kept),
            _times(one.found.clock.available_at[table.change_row[kept]]),
        ],
        fields=list(CHANGE_TYPE),
    )
    return pa.ListArray.from_arrays(_offsets(counts[one.chosen]), values)


def _state_names(one: HeadEvents, changes: Int1D) -> pa.Array:
    names = pa.array([kind.name for kind in one.detector.states], pa.string())
    return names.take(pa.array(one.table.change_state[changes]))


def _offsets(counts: np.ndarray) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())


def _times(moments: Int1D, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(moments // _NS_PER_US, pa.int64(), mask=missing).cast(TIME_TYPE)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """A column as CSV can hold it: a list as the JSON of its items, times of which are text."""
    if not pa.types.is_list(column.type):
        return column
    return pa.array([plain_json(items) for items in column.to_pylist()], pa.string())


def plain_json(items: Sequence[Mapping[str, Any]]) -> str:
    """The items of a list column as one line of JSON."""
    return json.dumps([{name: plain(value) for name, value in one.items()} for one in items])


def plain(value: Any) -> Any:
    """A cell as JSON holds it: times as text in UTC, lists item by item."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") else value
