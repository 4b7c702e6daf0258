"""From a market to the events of its detectors, each with the times of its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine import ConfigError, Int1D, Market

from .clock import Clock, clock_of
from .detector import Detection, Detector
from .event_table import EventTable
from .features import ClockBuilder


@dataclass(frozen=True, slots=True, eq=False)
class FoundEvents:
    """The table of one detection on one market, and its clock: row *i* of the table's row numbers
    began at ``clock.event_time[i]`` and was known at ``clock.available_at[i]``, int64 ns UTC."""

    detection: Detection
    detector: Detector
    clock: Clock
    table: EventTable

    def anchor_times(self) -> Int1D:
        """When the bar that each event describes opened, int64 ns ``(N,)``."""
        times: Int1D = self.clock.event_time[self.table.anchor]
        return times

    def known_times(self) -> Int1D:
        """When each event could first be known, int64 ns ``(N,)``."""
        times: Int1D = self.clock.available_at[self.table.known]
        return times


def find_events(
    market: Market,
    detections: Iterable[Detection],
    *,
    detectors: Mapping[str, Detector],
    clock_builder: ClockBuilder = clock_of,
) -> dict[Detection, FoundEvents]:
    """The events of every detection, in its order; one whose inputs the market lacks is left out.

    Raises ConfigError for an unknown detector, parameter or timeframe.
    """
    clocks: dict[str, Clock | None] = {}
    found: dict[Detection, FoundEvents] = {}
    for wanted in dict.fromkeys(detections):
        if wanted.detector not in detectors:
            raise ConfigError(
                f"there is no detector {wanted.detector!r}; there are {sorted(detectors)}"
            )
        detector = detectors[wanted.detector]
        parameters = detector.resolved(dict(wanted.parameters))
        if wanted.clock not in clocks:
            clocks[wanted.clock] = clock_builder(market, wanted.clock)
        clock = clocks[wanted.clock]
        clock = None if clock is None else clock.stating(detector.inputs)
        if clock is None:
            continue
        columns = {name: clock.columns[name] for name in detector.inputs}
        found[wanted] = FoundEvents(wanted, detector, clock, detector.find(columns, parameters))
    return found
