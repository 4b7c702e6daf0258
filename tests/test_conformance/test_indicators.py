"""Every listed indicator, with every set of parameters that a head uses, under every check."""

import numpy as np
import pytest

from experiments.checks import CheckRow, Suite
from experiments.checks.conformance import check_indicator_conformance
from experiments.checks.inputs import check_indicator_inputs
from experiments.checks.markets import null_market
from experiments.checks.poison import check_indicator_poison, indicator_poison_failures
from experiments.checks.prefix import indicator_prefix
from experiments.checks.start import check_start
from experiments.checks.subjects import (
    CASE_ROWS,
    FIRST_SEED,
    IndicatorCase,
    case_market,
    indicator_cases,
)
from experiments.checks.twins import confirming_rows, leaked_case

SUITE = Suite()
CASES = indicator_cases(SUITE.indicators, SUITE.heads, null_market(CASE_ROWS, FIRST_SEED))
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


def test_every_listed_indicator_is_a_case() -> None:
    assert {case.indicator.name for case in CASES} == {one.name for one in SUITE.indicators}
    assert all(
        any(
            case.indicator.name == wanted.indicator
            and case.resolved == case.indicator.resolved(dict(wanted.parameters))
            for case in CASES
        )
        for head in SUITE.heads
        for wanted in head.features().values()
    )


@every_case
def test_conforms_to_its_declaration(case: IndicatorCase) -> None:
    assert failures(check_indicator_conformance([case])) == []


@every_case
def test_prefix_replay_and_its_leaked_twin(case: IndicatorCase) -> None:
    sound = indicator_prefix(case)
    assert failures([sound.row(case, output) for output in case.indicator.outputs]) == []
    twin = indicator_prefix(leaked_case(case))
    survivors = {output.name for output in case.indicator.outputs} - set(twin.failures)
    assert survivors == set(), "moved one bar earlier, these outputs still pass"


@every_case
def test_nothing_depends_on_a_poisoned_future(case: IndicatorCase) -> None:
    assert failures(check_indicator_poison([case])) == []


@every_case
def test_does_not_remember_where_the_series_began(case: IndicatorCase) -> None:
    assert failures(check_start([case])) == []


@every_case
def test_every_declared_input_is_read(case: IndicatorCase) -> None:
    assert failures(check_indicator_inputs([case])) == []


PIVOT_CASES = [case for case in CASES if confirming_rows(case)]


@pytest.mark.parametrize("case", PIVOT_CASES, ids=lambda case: case.name)
def test_centred_pivots_fail_prefix_replay(case: IndicatorCase) -> None:
    twin = indicator_prefix(leaked_case(case, confirming_rows(case)))
    survivors = {output.name for output in case.indicator.outputs} - set(twin.failures)
    assert survivors == set(), "with centred pivots these outputs still pass"


def test_there_are_pivots_to_centre() -> None:
    assert len(PIVOT_CASES) >= 5


@every_case
def test_poison_catches_the_leaked_twin(case: IndicatorCase) -> None:
    found = indicator_poison_failures(leaked_case(case), case_market(case))
    values = {output.name for output in case.indicator.outputs if output.kind == "value"}
    assert found or not values
    assert np.array_equal([name in found for name in values], [True] * len(values))
