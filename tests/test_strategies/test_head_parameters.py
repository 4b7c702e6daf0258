"""Parameters of every head: what is refused, and that what a search may change changes a vote."""

from dataclasses import fields
from functools import cache
from math import inf, nan

import numpy as np
import pytest

from engine import ConfigError
from experiments.checks.markets import null_market
from strategies import HEADS, Head, HeadOutput
from tests.test_strategies.head_answers import answers

NUMBERS = [
    (head, field.name, field.default)
    for head in HEADS
    for field in fields(head)
    if isinstance(field.default, (int, float)) and not isinstance(field.default, bool)
]
LENGTHS = [
    (head, name)
    for head, name, default in NUMBERS
    if isinstance(default, int) and name != "warm_up_bars"
]
CASES = [(head, name, value) for head, name, _ in NUMBERS for value in (-1, nan, inf, -inf)]


@pytest.mark.parametrize(("head", "name", "value"), CASES)
def test_a_number_out_of_range_is_refused_by_name(
    head: type[Head], name: str, value: float
) -> None:
    with pytest.raises(ConfigError, match=f"^{head.name} head: {name}="):
        head(**{name: value})


@pytest.mark.parametrize(("head", "name"), LENGTHS)
@pytest.mark.parametrize("value", [0, 2.5])
def test_a_length_is_a_whole_number_of_at_least_one(
    head: type[Head], name: str, value: float
) -> None:
    with pytest.raises(ConfigError, match=f"^{head.name} head: {name}="):
        head(**{name: value})


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (head, name)
        for head, name, _ in NUMBERS
        if name.split("_")[-1] in ("probability", "confidence", "coverage", "cap", "bonus", "share")
    ],
)
def test_a_probability_or_share_is_at_most_one(head: type[Head], name: str) -> None:
    head(**{name: 0.0})
    head(**{name: 1.0})
    with pytest.raises(ConfigError, match=f"^{head.name} head: {name}="):
        head(**{name: 1.01})


@pytest.mark.parametrize(("head", "name"), [(head, name) for head in HEADS for name in head.SPACE])
def test_both_ends_of_a_search_range_are_taken(head: type[Head], name: str) -> None:
    bounds = head.SPACE[name]
    for end in (bounds.low, bounds.high):
        head(**{name: int(end) if bounds.integer else end})


@cache
def answer(head: type[Head], market: int, name: str = "", value: float = 0.0) -> HeadOutput:
    """The head's votes with one parameter set, on a null market of a number of hours."""
    asked = head(**{name: value}) if name else head()
    return answers(asked, null_market(market, 7))


def same_vote(first: HeadOutput, second: HeadOutput) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("direction", "probability", "confidence", "score")
    )


@pytest.mark.parametrize(("head", "name"), [(head, name) for head in HEADS for name in head.SPACE])
def test_one_end_of_a_search_range_changes_a_vote(head: type[Head], name: str) -> None:
    bounds = head.SPACE[name]
    ends = [int(end) if bounds.integer else end for end in (bounds.low, bounds.high)]
    # A trend of weekly bars takes most of a year, and so may a spring.
    assert any(
        not same_vote(answer(head, hours), answer(head, hours, name, end))
        for hours in (4500, 10_000)
        for end in ends
    )
