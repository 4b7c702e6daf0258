"""From a configuration and a store to the events of its heads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from datasets import Store
from engine import ConfigError, Int1D, Market
from indicators import DETECTORS_BY_NAME, Computed, Detector, EventTable, FoundEvents, find_events
from strategies import Head

from ..config import RunConfig
from ..market_data import signal_markets
from ..simulation import ensure_simulated
from .chosen import chosen_heads, chosen_pairs, chosen_types


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadEvents:
    """What one detection of one head found on one symbol.

    ``alias`` is the head's own name for the detection. ``found`` holds the whole table as it was known
    at the end of the period; ``chosen`` int64 are the positions in it of the events that are meant.
    """

    symbol: str
    head: str
    alias: str
    found: FoundEvents
    chosen: Int1D

    @property
    def detector(self) -> Detector:
        """The detector that found them."""
        return self.found.detector

    @property
    def table(self) -> EventTable:
        """Every event of the detection, chosen or not."""
        return self.found.table

    def types(self) -> list[str]:
        """The type of each chosen event, in order."""
        names = [one.name for one in self.detector.types]
        return [names[code] for code in self.table.type[self.chosen]]


def found_events(
    config: RunConfig,
    *,
    store: Store | Path | str = "data",
    heads: Sequence[str] = (),
    symbols: Sequence[str] = (),
    types: Sequence[str] = (),
    start_ns: int | None = None,
    end_ns: int | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> list[HeadEvents]:
    """The events that the heads of ``config`` look at, on the bars that a run of it would read.

    ``heads``, ``symbols`` and ``types`` (of events, or a detector's name for all of its) narrow what is
    meant. Chosen are events that became known in [``start_ns``, ``end_ns``], int64 ns UTC; nothing that
    became known later is in the tables, no state either. Order: symbols, then heads as they vote, then
    the head's own. A detection whose data the market lacks is absent. Raises ConfigError for a name
    that is none, DataError when the store lacks bars.
    """
    if start_ns is not None and end_ns is not None and start_ns > end_ns:
        raise ConfigError("--from lies after --to; no event becomes known in between")
    instances = chosen_heads(config, heads)
    wanted_types = chosen_types(
        {head.name: tuple(head.detections().values()) for head in instances}, types
    )
    pairs = chosen_pairs(config, symbols)
    held = store if isinstance(store, Store) else Store(store)
    ensure_simulated(config, held)
    every: list[HeadEvents] = []
    for pair, market in zip(pairs, signal_markets(config, pairs, held), strict=True):
        counted = "1 head" if len(instances) == 1 else f"{len(instances)} heads"
        progress(f"{pair.symbol}: events of {counted} on {len(market.bars)} bars")
        for one in events_on(market, pair.symbol, instances, end_ns=end_ns):
            of_type = of_types(one, wanted_types)
            if start_ns is not None:
                is_late = one.found.known_times()[of_type.chosen] >= start_ns
                of_type = replace(of_type, chosen=of_type.chosen[is_late])
            every.append(of_type)
    return every


def of_types(events: HeadEvents, types: frozenset[str]) -> HeadEvents:
    """``events`` of which only those of ``types`` are chosen; no types, no choice."""
    if not types:
        return events
    is_meant = np.array([kind.name in types for kind in events.detector.types])
    return replace(events, chosen=events.chosen[is_meant[events.table.type[events.chosen]]])


def events_on(
    market: Market,
    symbol: str,
    heads: Sequence[Head],
    *,
    end_ns: int | None = None,
    computed: Computed | None = None,
) -> Iterator[HeadEvents]:
    """Every event of ``heads`` on ``market`` as known at ``end_ns``; all of them are chosen.

    ``computed`` gets what the heads' votes read of the same work, as ``build_features`` takes it.
    """
    found = find_events(
        market,
        [one for head in heads for one in head.detections().values()],
        detectors=DETECTORS_BY_NAME,
        features=[one for head in heads for one in head.features().values()],
        computed=computed,
    )
    for head in heads:
        for alias, wanted in head.detections().items():
            if wanted in found:
                events = as_known_at(found[wanted], end_ns)
                yield HeadEvents(
                    symbol=symbol,
                    head=head.name,
                    alias=alias,
                    found=events,
                    chosen=np.arange(len(events.table), dtype=np.int64),
                )


def as_known_at(found: FoundEvents, end_ns: int | None) -> FoundEvents:
    """``found`` without anything that became known after ``end_ns``; None: as it is."""
    if end_ns is None:
        return found
    rows = int(np.searchsorted(found.clock.available_at, end_ns, side="right"))
    return FoundEvents(found.detection, found.detector, found.clock, found.table.as_known(rows))
