"""Zones and levels that the heads of a run looked at: where they lay and how long they lived."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from engine import Market
from indicators import Computed

from .config import RunConfig
from .events.found import HeadEvents, events_on
from .features.own_indicators import indicators_of

if TYPE_CHECKING:
    from .pipeline import RunResult

TIME: Final = pa.timestamp("us")
SCHEMA: Final = pa.schema(
    [
        ("symbol", pa.string()),
        ("head", pa.string()),
        ("detection", pa.string()),
        ("detector", pa.string()),
        ("clock", pa.string()),
        ("type", pa.string()),
        ("direction", pa.int8()),
        ("anchor_time", TIME),
        ("known_time", TIME),
        ("end_time", TIME),
        ("end_state", pa.string()),
        ("bottom", pa.float64()),
        ("top", pa.float64()),
    ]
)


def zones_table(result: "RunResult") -> pa.Table:
    """One row for each event with a price that a head of the run had on its bars.

    Order: symbols, heads as they vote, their detections, the moment of knowledge. Targets have none.
    """
    symbols = () if result.config.targets is not None else result.panel.symbols
    found = result.zones
    parts = [
        zones_of(result.config, symbol, result.market(symbol)) if found is None else found[symbol]
        for symbol in symbols
    ]
    return _together(parts)


def zones_of(
    config: RunConfig, symbol: str, market: Market, *, computed: Computed | None = None
) -> pa.Table:
    """The rows of one symbol, their words as codes; ``computed`` as in ``events_on``."""
    heads = [
        head
        for head in config.heads.instances(indicators_of(config))
        if head.name in config.heads.enabled
    ]
    parts = [_zones(found) for found in events_on(market, symbol, heads, computed=computed)]
    return _with_codes(_together(parts))


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(
        [SCHEMA.empty_table(), *(part.cast(SCHEMA) for part in parts)]
    ).combine_chunks()


def _with_codes(table: pa.Table) -> pa.Table:
    """``table`` in less than half of the memory: a run holds those of all symbols until it is written."""
    for place, name in enumerate(table.schema.names):
        if table.schema.types[place] == pa.string():
            coded = table[name].dictionary_encode().cast(pa.dictionary(pa.int16(), pa.string()))
            table = table.set_column(place, name, coded)
    return table


def _zones(found: HeadEvents) -> pa.Table:
    table, clock, detector = found.table, found.found.clock, found.detector
    shown = np.flatnonzero(np.isfinite(table.top) & np.isfinite(table.bottom))
    state, row = (column[shown] for column in table.last_changes())
    # -1 stands for an event that never changed: the last of ``ends``.
    ends = np.array([*(one.ends for one in detector.states), False])[state]
    types = pa.array([one.name for one in detector.types], pa.string())
    states = pa.array([one.name for one in detector.states], pa.string())
    texts = (found.symbol, found.head, found.alias, detector.name, found.found.detection.clock)
    return pa.Table.from_arrays(
        [
            *(
                pa.array([text], pa.string()).take(np.zeros(len(shown), dtype=np.int64))
                for text in texts
            ),
            types.take(pa.array(table.type[shown])),
            pa.array(table.direction[shown]),
            _times(clock.event_time[table.anchor[shown]]),
            _times(clock.available_at[table.known[shown]]),
            _times(clock.available_at[row], missing=~ends),
            states.take(pa.array(state, mask=~ends)),
            pa.array(table.bottom[shown]),
            pa.array(table.top[shown]),
        ],
        schema=SCHEMA,
    )


def _times(moments: np.ndarray[Any, Any], missing: np.ndarray[Any, Any] | None = None) -> pa.Array:
    return pa.array(moments // 1_000, pa.int64(), mask=missing).cast(TIME)
