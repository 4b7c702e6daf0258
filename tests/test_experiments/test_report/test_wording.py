"""Lengths and counts in words."""

import pytest

from engine.timeframe import DAY_NS, HOUR_NS, MINUTE_NS
from experiments.report.wording import counted, day, length, moment


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (MINUTE_NS, "1 minute"),
        (90 * MINUTE_NS, "90 minutes"),
        (HOUR_NS, "60 minutes"),
        (int(2.5 * HOUR_NS), "2.5 hours"),
        (47 * HOUR_NS, "47 hours"),
        (int(5.5 * DAY_NS), "5.5 days"),
        (729 * DAY_NS, "729 days"),
        (730 * DAY_NS, "2.0 years"),
        (2192 * DAY_NS, "6.0 years"),
    ],
)
def test_a_length_has_the_unit_that_says_it(nanoseconds: int, words: str) -> None:
    assert length(nanoseconds) == words


def test_counts_have_their_plural() -> None:
    told = [counted(number, "trade") for number in (0, 1, 2, 1_234)]
    assert told == ["no trades", "1 trade", "2 trades", "1,234 trades"]


def test_a_day_ends_at_midnight() -> None:
    midnight = 18_628 * DAY_NS
    assert day(midnight) == "2020-12-31"
    assert day(midnight + 1) == "2021-01-01"
    assert moment(midnight) == "2021-01-01 00:00"
