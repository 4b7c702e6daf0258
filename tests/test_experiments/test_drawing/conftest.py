"""A market of 60 bars, and a toy detector whose events are written down by hand."""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from engine import Bars, Market
from experiments.events.found import HeadEvents, events_on
from indicators import DETECTORS_BY_NAME, Detection, Detector, EventState, EventType, detection
from indicators.event_table import table_of_logs
from strategies import HEADS_BY_NAME, Head

HOUR_NS = 3_600_000_000_000
START_NS = 1_614_556_800_000_000_000
"""2021-03-01 00:00 UTC."""
ROWS = 60
ZONE, LEVEL, BARE, SHAPE = range(4)
TOUCHED, FILLED, TURNED, GONE = range(4)

nan = np.nan
# type, direction, anchor, known, top, bottom, measure, two points' rows, their prices, a target
EVENTS = [
    [ZONE, 1, 5, 8, 104.0, 102.0, 0.5, -1, -1, nan, nan, nan],
    [LEVEL, -1, 12, 15, 110.0, 110.0, nan, 12, -1, 110.0, nan, 95.0],
    [BARE, 0, 20, 22, nan, nan, nan, -1, -1, nan, nan, 97.0],
    [SHAPE, 1, 18, 30, 101.0, 99.0, nan, 18, 25, 108.0, 101.0, nan],
    [ZONE, -1, 40, 42, 107.0, 105.0, nan, -1, -1, nan, nan, nan],
    [BARE, 1, 58, 59, nan, nan, nan, -1, -1, nan, nan, nan],
]
# event, state, row
CHANGES = [
    [0, TOUCHED, 14],
    [0, FILLED, 20],
    [0, TURNED, 26],
    [0, GONE, 34],
    [4, TOUCHED, 50],
]


def toy_detector() -> Detector:
    return Detector(
        name="toy",
        text="Events written by hand.",
        inputs=("close",),
        parameters=(),
        types=tuple(
            EventType(name, f"a {name}", firing_rate=(0.0, 1.0))
            for name in ("zone", "level", "bare", "shape")
        ),
        states=(
            EventState("touched", "touched"),
            EventState("filled", "filled"),
            EventState("turned", "turned round", sign=-1),
            EventState("removed", "removed", ends=True),
        ),
        points=("first", "second"),
        levels=("target",),
        measure_unit="marks",
        find=lambda columns, parameters: table_of_logs(
            np.array(EVENTS), np.array(CHANGES, dtype=np.float64), points=2
        ).as_known(len(columns["close"])),
        stable=lambda parameters: ROWS,
    )


def market_of(rows: int = ROWS) -> Market:
    """A wave of two periods around 105; bar 33 is missing."""
    close = 105.0 + 4.0 * np.sin(np.arange(rows) / rows * 4.0 * np.pi)
    opened = np.concatenate([[105.0], close[:-1]])
    is_gap = np.zeros(rows, dtype=np.bool_)
    if rows > 33:
        is_gap[33] = True
        close[33] = opened[33] = close[32]
        opened[34] = close[33]
    high, low = np.maximum(opened, close) + 0.5, np.minimum(opened, close) - 0.5
    volume = np.full(rows, 10.0)
    high[is_gap] = low[is_gap] = close[is_gap]
    volume[is_gap] = 0.0
    return Market(
        bars=Bars(
            symbol="TOY",
            timeframe="1h",
            open_time=START_NS + HOUR_NS * np.arange(rows),
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            is_gap=is_gap,
        )
    )


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    """The ICT head looks for the toy's events alone, the harmonic head for pivots."""
    looked_for: Mapping[str, Mapping[str, Detection]] = {
        "ict": {"toys": detection("toy")},
        "harmonic": {"swings": detection("pivot")},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DETECTORS_BY_NAME, "toy", toy_detector())
        for name, head in HEADS_BY_NAME.items():
            of_head = looked_for.get(name, {})
            patch.setattr(head, "detections", lambda self, of_head=of_head: of_head)
        yield


@pytest.fixture(scope="module")
def market() -> Market:
    return market_of()


@pytest.fixture(scope="module")
def head() -> Head:
    return HEADS_BY_NAME["ict"]()


@pytest.fixture(scope="module")
def found(market: Market, head: Head) -> list[HeadEvents]:
    return list(events_on(market, "TOY", [head]))
