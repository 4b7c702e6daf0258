"""The replay under prefix and timing checks, and the twins that must fail them."""

import pytest

from engine import ReplayRules
from experiments.checks import CheckRow
from experiments.checks.replay import (
    REPLAY_TWINS,
    ReplayCase,
    check_replay_prefix,
    check_replay_timing,
    random_replay_case,
)

RULES = {
    "stops": ReplayRules(stop_atr=2.0),
    "everything": ReplayRules(
        stop_atr=1.5, take_profit_atr=2.0, time_stop_bars=20, time_stop_max_r=0.25
    ),
    "no stops": ReplayRules(stop_atr=None),
}


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


@pytest.fixture(params=RULES)
def case(request: pytest.FixtureRequest) -> ReplayCase:
    return random_replay_case(1_500, 11, RULES[request.param])


def test_prefix_of_the_replay_is_the_replay_of_the_prefix(case: ReplayCase) -> None:
    rows = check_replay_prefix(case, count=120)
    assert failures(rows) == []
    assert "0 fills" not in rows[0].detail


def test_no_fill_knows_its_own_bar(case: ReplayCase) -> None:
    assert failures(check_replay_timing(case, count=120)) == []


@pytest.mark.parametrize("twin", REPLAY_TWINS)
def test_replays_that_fill_too_early_fail(case: ReplayCase, twin: str) -> None:
    assert failures(check_replay_timing(case, replay_function=REPLAY_TWINS[twin])) != []
