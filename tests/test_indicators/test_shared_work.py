"""An indicator and a detector that share their work give what each gives alone."""

import numpy as np
import pytest

from engine import Market
from experiments.checks.events import detector_cases, table_difference
from experiments.checks.markets import null_market
from indicators import (
    DETECTORS,
    DETECTORS_BY_NAME,
    INDICATORS_BY_NAME,
    Computed,
    build_features,
    find_events,
)
from indicators.shared_work import SharedColumns, shared
from strategies import HEADS, Head
from tests.schematics import eventful_columns

ROWS = 2_000
CASES = [
    case
    for case in detector_cases(
        DETECTORS, (wanted for head in HEADS for wanted in head().detections().values())
    )
    if case.detector.indicator is not None
]


@pytest.fixture(scope="module")
def market() -> Market:
    return null_market(ROWS, seed=3)


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    return [kind(**variant) for kind in HEADS for variant in ({}, *kind.VARIANTS)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whoever_comes_first_both_get_what_they_get_alone(case) -> None:
    detector, indicator = case.detector, case.detector.indicator
    parameters = detector.resolved(dict(case.parameters))
    found = {**eventful_columns(5, rows=ROWS), "open_time": 1.6e18 + 3600e9 * np.arange(2000.0)}
    given = {name: found[name] for name in {*detector.inputs, *indicator.inputs}}
    table = detector.find(given, parameters)
    outputs = indicator.compute(given, parameters)
    for order in ("table first", "outputs first"):
        columns = SharedColumns(given)
        if order == "outputs first":
            indicator.compute(columns, parameters)
        assert table_difference(table, detector.find(columns, parameters)) is None, order
        again = indicator.compute(columns, parameters)
        assert all(map(lambda a, b: np.array_equal(a, b, equal_nan=True), again, outputs)), order
        # Twice, so that what was shared was not changed by either.
        assert table_difference(table, detector.find(columns, parameters)) is None, order


def test_events_leave_for_the_votes_what_the_votes_would_compute(
    market: Market, heads: list[Head]
) -> None:
    features = [one for head in heads for one in head.features().values()]
    detections = [one for head in heads for one in head.detections().values()]
    computed: Computed = {}
    found = find_events(
        market, detections, detectors=DETECTORS_BY_NAME, features=features, computed=computed
    )
    plain = find_events(market, detections, detectors=DETECTORS_BY_NAME)
    assert list(found) == list(plain)
    assert all(table_difference(plain[one].table, found[one].table) is None for one in plain)
    names = {name for name, _, _ in computed}
    assert {"wyckoff", "harmonic", "support_resistance", "fair_value_gap", "structure"} <= names
    left = len(computed)
    alone = build_features(market, features, indicators=INDICATORS_BY_NAME)
    after = build_features(market, features, indicators=INDICATORS_BY_NAME, computed=computed)
    assert after.features == alone.features
    assert np.array_equal(after.values, alone.values, equal_nan=True)
    assert len(computed) > left


def test_nothing_is_computed_that_no_vote_reads(market: Market, heads: list[Head]) -> None:
    detections = [one for head in heads for one in head.detections().values()]
    computed: Computed = {}
    find_events(market, detections, detectors=DETECTORS_BY_NAME, computed=computed)
    assert computed == {}


def test_work_is_done_once_for_each_set_of_parameters_of_shared_columns() -> None:
    calls = []

    @shared
    def work(columns, parameters) -> float:
        calls.append(parameters["length"])
        return columns["close"].sum() * parameters["length"]

    plain = {"close": np.ones(3)}
    columns = SharedColumns(plain)
    assert [work(columns, {"length": n}) for n in (1, 2, 1, 2)] == [3.0, 6.0, 3.0, 6.0]
    assert calls == [1, 2]
    assert [work(plain, {"length": 1}) for _ in range(2)] == [3.0, 3.0]
    assert calls == [1, 2, 1, 1]
