"""The events of ``order_block.py``: blocks from the break that makes them to their end."""

import numpy as np

from .detector import Detector, EventState, EventType
from .event_table import EventTable
from .fair_value_gap_events import EXPIRED_STATE, zone_table
from .order_block import ORDER_BLOCK, block_strength, found_blocks
from .spec import Columns, Parameters
from .zone import CONSUMED, EXPIRED, FLIP_TOUCHED, FLIPPED, REMOVED, TOUCHED

_STATES = (TOUCHED, CONSUMED, FLIPPED, FLIP_TOUCHED, REMOVED, EXPIRED)


def _block_events(columns: Columns, parameters: Parameters) -> EventTable:
    zones, blocks = found_blocks(columns, parameters)
    broke_at = np.maximum(blocks.broke_at, 0.0).astype(np.int64)
    near = np.where(zones.direction > 0, zones.top, zones.bottom)
    return zone_table(
        zones,
        _STATES,
        measure=block_strength(columns, blocks),
        points=((blocks.block, near), (blocks.broke_at, columns["close"][broke_at])),
    )


ORDER_BLOCK_DETECTOR = Detector(
    name="order_block",
    text="The last candle against a break of structure, and the breaker it becomes when it fails.",
    inputs=(*ORDER_BLOCK.inputs, "volume"),
    parameters=ORDER_BLOCK.parameters,
    types=(EventType("order_block", "a BOS or MSS leaves a block behind", "event"),),
    states=(
        EventState("touched", "a visit that still counts; the first one mitigates the block"),
        EventState("consumed", "the last such visit, or the mean threshold (50 %) is reached"),
        EventState("breaker", "a close beyond the far edge turns it round", "breaker", sign=-1),
        EventState("breaker_touched", "price comes back to the breaker; a visit that still counts"),
        EventState("removed", "a close crosses back over the breaker", ends=True),
        EXPIRED_STATE,
    ),
    points=("block", "break"),
    measure_unit="strength, 0 to 100: 60 % volume of the leg, 40 % distance of the break",
    find=_block_events,
    stable=ORDER_BLOCK.stable,
    indicator=ORDER_BLOCK,
)

DETECTORS = (ORDER_BLOCK_DETECTOR,)
