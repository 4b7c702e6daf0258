"""Every listed detector, with every set of parameters that a head uses, under every check."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from engine import Float1D
from experiments.checks.events import (
    DetectorCase,
    check_detectors,
    column_failures,
    declaration_failure,
    detector_cases,
    detector_market,
    hole_failure,
    poison_failure,
    prefix_failure,
    start_failure,
    table_difference,
    twin_of,
)
from indicators import DETECTORS
from strategies import HEADS
from tests.schematics import eventful_columns

CASES = detector_cases(
    DETECTORS, (wanted for head in HEADS for wanted in head().detections().values())
)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def walked() -> Mapping[str, dict[str, Float1D]]:
    """The columns of each case on a null market, drawn once."""
    return {case.name: case.columns(detector_market(case)) for case in CASES}


def eventful(case: DetectorCase, seed: int = 5) -> dict[str, Float1D]:
    """Bars that are rich in ranges, climaxes and breaks, as the inputs of a case."""
    columns = eventful_columns(seed, rows=2000)
    columns.setdefault("open_time", 1.6e18 + 3600e9 * np.arange(2000.0))
    return {name: columns[name] for name in case.detector.inputs}


def test_every_detector_and_every_detection_of_a_head_is_a_case() -> None:
    assert {case.detector.name for case in CASES} == {one.name for one in DETECTORS}
    names = [detector.name for detector in DETECTORS]
    assert len(names) == len(set(names))


@every_case
def test_prefixes_say_what_the_whole_said(case, walked) -> None:
    for columns in (walked[case.name], case.columns(detector_market(case, 1)), eventful(case)):
        failure, cuts = prefix_failure(case, columns)
        assert failure is None
        assert cuts > 15


@every_case
def test_a_twin_that_knows_one_bar_earlier_fails(case, walked) -> None:
    twin = twin_of(case)
    for columns in (walked[case.name], eventful(case)):
        if len(case.table(columns)):
            assert prefix_failure(twin, columns)[0] is not None
            return
    pytest.fail("no event on these markets: the check of prefixes cannot fail")


@every_case
def test_nothing_depends_on_a_poisoned_future(case, walked) -> None:
    assert poison_failure(case, walked[case.name])[0] is None
    assert poison_failure(case, eventful(case))[0] is None


@every_case
def test_does_not_remember_where_the_series_began(case, walked) -> None:
    failure, compared = start_failure(case, walked[case.name])
    assert failure is None
    assert compared >= 1000


@every_case
def test_nothing_is_carried_over_a_month_without_bars(case, walked) -> None:
    if "is_gap" not in case.detector.inputs:
        # One extreme and its neighbours: nothing that could be carried.
        assert len(case.detector.points) <= 1
        return
    for columns in (walked[case.name], eventful(case)):
        assert hole_failure(case, columns) is None


@every_case
def test_table_and_columns_say_the_same(case, walked) -> None:
    for columns in (walked[case.name], case.columns(detector_market(case, 1)), eventful(case)):
        assert list(column_failures(case, columns)) == []
        assert declaration_failure(case, columns) is None


@every_case
def test_markets_in_which_nothing_happens(case, walked) -> None:
    for rows in (0, 1, 3, 600):
        flat = {name: column[:rows].copy() for name, column in walked[case.name].items()}
        for name in ("open", "high", "low", "close"):
            if name in flat:
                flat[name][:] = 100.0
        for volume in (50.0, 0.0):
            if "volume" in flat:
                flat["volume"][:] = volume
            table = case.table(flat)
            assert table_difference(table, case.table(flat)) is None
            assert declaration_failure(case, flat) is None


def test_the_command_tells_a_leak_and_passes_what_is_sound() -> None:
    case = next(case for case in CASES if case.detector.name == "pivot")
    assert all(row.passed for row in check_detectors([case]))
    rows = check_detectors([twin_of(case)])
    assert {row.subject for row in rows if not row.passed} >= {"pivot.prefix", "pivot.columns"}


def forgetful(case: DetectorCase) -> DetectorCase:
    """The same detector, blind to missing bars: it carries what it knows over any hole."""

    def find(columns, parameters):
        seen = {**columns, "is_gap": np.zeros(len(columns["is_gap"]))}
        return case.detector.find(seen, parameters)

    return DetectorCase(replace(case.detector, find=find), case.parameters, case.clock)


# Pools and levels are older than their life when the hole ends, seen or not.
@pytest.mark.parametrize("name", ["structure", "order_block", "market_trend"])
def test_a_twin_blind_to_missing_bars_carries_over_the_hole(name: str, walked) -> None:
    case = next(case for case in CASES if case.name == name)
    failures = [
        hole_failure(forgetful(case), columns) for columns in (walked[name], eventful(case))
    ]
    assert any(failures)


def test_a_twin_that_looks_ahead_fails_the_poison_too(walked) -> None:
    case = next(case for case in CASES if case.name == "structure")
    assert poison_failure(twin_of(case), walked[case.name])[0] is not None


def test_a_twin_that_says_it_is_warm_at_once_fails_the_start(walked) -> None:
    case = next(case for case in CASES if case.name == "order_block")
    hasty = DetectorCase(
        replace(case.detector, stable=lambda parameters: 0), case.parameters, case.clock
    )
    assert start_failure(hasty, walked[case.name])[0] is not None


def test_a_table_that_lacks_an_event_differs_from_the_columns(walked) -> None:
    case = next(case for case in CASES if case.name == "structure")
    columns = walked[case.name]
    last = int(case.table(columns).known[-1])
    short = DetectorCase(
        replace(
            case.detector,
            find=lambda given, parameters: case.detector.find(given, parameters).as_known(last),
        ),
        case.parameters,
        case.clock,
    )
    assert list(column_failures(short, columns)) != []
