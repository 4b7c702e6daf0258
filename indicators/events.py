"""From a market to the events of its detectors, each with the times of its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine import ConfigError, Int1D, Market

from .clock import Clock, clock_of
from .detector import Detection, Detector
from .event_table import EventTable
from .features import ClockBuilder, Computation, Computed, computation_of, outputs_of
from .shared_work import SharedColumns
from .spec import Feature, Indicator


@dataclass(frozen=True, slots=True, eq=False)
class FoundEvents:
    """The table of one detection on one market, and its clock: row *i* of the table's row numbers
    began at ``clock.event_time[i]`` and was known at ``clock.available_at[i]``, int64 ns UTC."""

    detection: Detection
    detector: Detector
    clock: Clock
    table: EventTable

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
    features: Iterable[Feature] = (),
    computed: Computed | None = None,
) -> dict[Detection, FoundEvents]:
    """The events of every detection, in its order; one whose inputs the market lacks is left out.

    Of ``features``, which are built on this market next, those that share their work with a detection
    are computed in passing: ``computed`` gets them as ``build_features`` takes them.

    Raises ConfigError for an unknown detector, parameter or timeframe.
    """
    clocks: dict[str, Clock | None] = {}
    found: dict[Detection, FoundEvents] = {}
    wanted = _of_partners(features, detectors)
    columns = SharedColumns({})
    before: tuple[object, ...] = ()
    for asked in dict.fromkeys(detections):
        if asked.detector not in detectors:
            raise ConfigError(
                f"there is no detector {asked.detector!r}; there are {sorted(detectors)}"
            )
        detector = detectors[asked.detector]
        parameters = detector.resolved(dict(asked.parameters))
        if asked.clock not in clocks:
            clocks[asked.clock] = clock_builder(market, asked.clock)
        clock = clocks[asked.clock]
        clock = None if clock is None else clock.stating(detector.inputs)
        if clock is None:
            continue
        together = (detector.inputs, tuple(sorted(parameters.items())), asked.clock)
        if together != before:
            # What was worked out for the detection before is let go.
            columns = SharedColumns({name: clock.columns[name] for name in detector.inputs})
            before = together
        found[asked] = FoundEvents(asked, detector, clock, detector.find(columns, parameters))
        indicator = _partner(detector)
        if computed is not None and indicator is not None:
            identity = (indicator.name, together[1], asked.clock)
            if identity in wanted and identity not in computed:
                rows = len(clock.event_time)
                computed[identity] = outputs_of(indicator, columns, parameters, rows)
    return found


def _partner(detector: Detector) -> Indicator | None:
    """The indicator that works on exactly the rows and columns of ``detector``, if there is one."""
    indicator = detector.indicator
    if indicator is None or indicator.inputs != detector.inputs or indicator.may_lack:
        return None
    return indicator


def _of_partners(
    features: Iterable[Feature], detectors: Mapping[str, Detector]
) -> frozenset[Computation]:
    """What is to be computed for those of ``features`` that a detector's partner makes."""
    partners = {one.name: one for one in map(_partner, detectors.values()) if one is not None}
    return frozenset(
        computation_of(feature, partners[feature.indicator])
        for feature in features
        if feature.indicator in partners
    )
