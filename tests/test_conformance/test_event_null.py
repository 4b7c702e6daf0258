"""Every type and state of every detector on driftless walks: nothing earned, nothing silent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from experiments.checks.events import DetectorCase, detector_cases, event_columns
from experiments.checks.markets import null_market
from experiments.checks.null import (
    FIRST_SEED,
    MIN_FIRINGS,
    ROWS,
    WALKS,
    Tally,
    clustered_t,
    threshold_t,
)
from indicators import DETECTORS
from strategies import HEADS
from tests.schematics import eventful_columns

RARE = {"harmonic_pivot:alternate_bat"}
"""Its B must lie within 3 % of .382 and its D within 3 % of 1.13: drawn in ``test_drawn_markets``."""
CASES = detector_cases(
    DETECTORS, (wanted for head in HEADS for wanted in head().detections().values())
)


@dataclass
class Sample:
    """Signed returns and counts of every type and state, and of the leaked twins of the pivots."""

    tally: Tally = field(default_factory=Tally)
    leaked: Tally = field(default_factory=Tally)
    events: dict[tuple[str, str], int] = field(default_factory=dict)


def pooled(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns, and for each detector the sum of them: rare types are judged together."""
    out = dict(columns)
    for case in CASES:
        own = [column for name, column in columns.items() if name.startswith(f"{case.name}:")]
        out[f"{case.name} together"] = np.sign(np.sum(own, axis=0))
    return out


def anchored(case: DetectorCase) -> DetectorCase:
    """The same events, written on the row that they describe: what a chart shows, and a leak."""

    def find(columns, parameters):
        table = case.detector.find(columns, parameters)
        order = np.argsort(table.anchor, kind="stable")
        return replace(
            table.as_known(0),
            **{
                name: getattr(table, name)[order]
                for name in (
                    "type", "direction", "anchor", "top", "bottom", "measure", "point_prices", "levels"
                )
            },
            known=table.anchor[order],
            point_rows=np.full_like(table.point_rows, -1),
        )  # fmt: skip

    return DetectorCase(replace(case.detector, find=find), case.parameters, case.clock)


@pytest.fixture(scope="module")
def sample() -> Sample:
    made = Sample()
    twins = [anchored(case) for case in CASES if case.detector.name in ("pivot", "order_block")]
    for seed in range(FIRST_SEED, FIRST_SEED + WALKS):
        market = null_market(ROWS, seed)
        columns: dict[str, np.ndarray] = {}
        for case in CASES:
            table = case.table(case.columns(market))
            columns |= event_columns(case, table, ROWS)
            counts = np.bincount(table.type, minlength=len(case.detector.types))
            for kind, count in zip(case.detector.types, counts, strict=True):
                key = case.name, kind.name
                made.events[key] = made.events.get(key, 0) + int(count)
        made.tally.add(market, pooled(columns))
        for twin in twins:
            leaked = event_columns(twin, twin.table(twin.columns(market)), ROWS)
            made.leaked.add(market, leaked)
    return made


def test_no_event_earns_anything_where_nothing_can_be_known(sample: Sample) -> None:
    judged = [name for name in sample.tally.firings if sample.tally.total(name) >= MIN_FIRINGS]
    assert len(judged) > 90
    bound = threshold_t(WALKS, len(judged))
    sizes = {name: clustered_t(sample.tally.sums[name]) for name in judged}
    assert {name: t for name, t in sizes.items() if abs(t) > bound} == {}


def test_events_written_where_they_are_drawn_earn_a_lot(sample: Sample) -> None:
    bound = threshold_t(WALKS, len(sample.leaked.firings))
    for name in ("pivot:pivot_high", "pivot:pivot_low", "order_block:order_block"):
        assert clustered_t(sample.leaked.sums[name]) > 3 * bound


def test_types_without_a_column_come_as_often_as_they_say(sample: Sample) -> None:
    rows = WALKS * ROWS
    wrong = {}
    for case in CASES:
        for kind in case.detector.types:
            if kind.firing_rate is None or case.parameters:
                continue
            rate = sample.events[case.name, kind.name] / rows
            low, high = kind.firing_rate
            if not low <= rate <= high:
                wrong[case.name, kind.name] = rate
    assert wrong == {}


def test_every_type_is_met_somewhere(sample: Sample) -> None:
    """On walks, or where bars are drawn to be rich in ranges and their ends."""
    rich = [eventful_columns(seed, rows=6_000) for seed in range(8)]
    missing = set()
    for case in CASES:
        for code, kind in enumerate(case.detector.types):
            if sample.events[case.name, kind.name]:
                continue
            met = False
            for columns in rich:
                if not set(case.detector.inputs) <= set(columns):
                    continue
                own = {name: columns[name] for name in case.detector.inputs}
                met |= bool((case.table(own).type == code).any())
            if not met:
                missing.add(f"{case.name}:{kind.name}")
    assert missing <= RARE
