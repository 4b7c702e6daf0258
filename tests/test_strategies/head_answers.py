"""What tests ask of any head: its inputs, its answers, what the two of them say of one another."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from engine import PRICE_COLUMNS, Bars, Float1D, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import Head, HeadInputs, HeadOutput, head_inputs
from tests.generators import random_bars


def inputs_of(head: Head, market: Market) -> HeadInputs:
    features = head.features().values()
    return head_inputs(head, build_features(market, features, indicators=INDICATORS_BY_NAME))


def answers(head: Head, market: Market) -> HeadOutput:
    return head.vote(inputs_of(head, market))


def quiet_inputs(
    head: Head, rows: int, events: Mapping[str, Mapping[int, float]], **usual: float
) -> HeadInputs:
    """Zeros but for the columns ``usual`` and for ``events`` (alias: value by row)."""
    columns = {alias: np.full(rows, usual.get(alias, 0.0)) for alias in head.features()}
    for alias, values in events.items():
        for row, value in values.items():
            columns[alias][row] = value
    return HeadInputs(rows, columns)


def same(one: HeadOutput, other: HeadOutput, rows: int) -> bool:
    names = ("direction", "probability", "confidence", "score", "coverage", "reasons")
    return all(
        np.array_equal(getattr(one, name)[:rows], getattr(other, name)[:rows]) for name in names
    )


def reasons_on(head: Head | type[Head], output: HeadOutput, row: int) -> set[str]:
    bits = int(output.reasons[row])
    return {reason.name for bit, reason in enumerate(head.REASONS) if bits >> bit & 1}


def numbers(output: HeadOutput, row: int) -> tuple[float, float, float]:
    return (
        float(output.direction[row]),
        float(output.probability[row]),
        float(output.confidence[row]),
    )


def assert_prefixes_answer_alike(head: Head, market: Market) -> HeadOutput:
    """The answer to ``market``, of both sides, and that of every prefix its beginning."""
    whole = answers(head, market)
    assert (whole.direction > 0).sum() > 50
    assert (whole.direction < 0).sum() > 50
    assert whole.coverage[0] == 0.0
    fired = np.flatnonzero(np.diff(whole.reasons))
    for cut in {1, 150, 3333, *(fired[:: max(len(fired) // 12, 1)] + 2).tolist()}:
        part = answers(head, Market(bars=market.bars.prefix(cut), series={}))
        assert same(whole, part, cut), cut
    return whole


def idle_inputs(
    head: Head, inputs: HeadInputs, replaced: Callable[[str, Float1D], Float1D | float]
) -> set[str]:
    """Inputs that the answer does not depend on.

    The rows of each from 200 on are put in another order, and then are what ``replaced`` makes of them.
    An input that the head has not declared must be one of these, and is left out.
    """
    before = head.vote(inputs)
    generator = np.random.default_rng(1)
    idle = set()
    for alias, column in inputs.columns.items():
        shuffled = column.copy()
        shuffled[200:] = replaced(alias, generator.permutation(shuffled[200:]))
        changed = HeadInputs(inputs.rows, {**inputs.columns, alias: shuffled})
        if same(before, head.vote(changed), inputs.rows):
            idle.add(alias)
    stranger = HeadInputs(inputs.rows, {**inputs.columns, "stranger": np.full(inputs.rows, np.nan)})
    assert same(before, head.vote(stranger), inputs.rows)
    return idle


def assert_abstains_without_its_data(head: Head) -> None:
    absent = head.vote(HeadInputs(20, {}))
    assert not absent.coverage.any()
    assert not absent.direction.any()
    short = answers(head, Market(bars=random_bars(10, 1), series={}))
    assert not short.coverage.any()


def reason_shares(head: Head, output: HeadOutput) -> dict[str, float]:
    """The share of bars on which each reason is told."""
    return {
        reason.name: float(np.mean(output.reasons >> np.uint64(bit) & np.uint64(1)))
        for bit, reason in enumerate(head.REASONS)
    }


def assert_fires_as_often_as_expected(head: Head, output: HeadOutput) -> None:
    low, high = head.FIRING_RATE
    rate = np.mean(output.direction != 0)
    assert low <= rate <= high, rate
    shares = reason_shares(head, output)
    for reason in head.REASONS:
        low, high = reason.firing_rate
        assert low <= shares[reason.name] <= high, (reason.name, shares[reason.name])


def assert_takes_its_search_ranges(head: Head, market: Market) -> None:
    """The value of every parameter lies in its range, and both ends of the range give an answer."""
    for name, space in head.SPACE.items():
        assert space.low <= getattr(head, name) <= space.high, name
        for value in (space.low, space.high):
            changed = replace(head, **{name: int(value) if space.integer else value})
            assert answers(changed, market).direction.shape == (len(market.bars),), name


def mirrored_bars(bars: Bars, top: float) -> Bars:
    """Prices ``top - p``."""
    return replace(
        bars, open=top - bars.open, high=top - bars.low, low=top - bars.high, close=top - bars.close
    )


def with_prices_times(bars: Bars, factor: float) -> Bars:
    """``bars`` in another unit of price; a power of two scales floats without rounding."""
    return replace(bars, **{name: factor * getattr(bars, name) for name in PRICE_COLUMNS})


def assert_row_is(
    output: HeadOutput, row: int, expected: tuple[float, float, float, float, float]
) -> None:
    """Direction, probability, confidence, score and coverage; sums were added in another order."""
    direction, probability, confidence, score, coverage = expected
    assert output.direction[row] == direction
    assert output.probability[row] == pytest.approx(probability, abs=1e-12)
    assert output.confidence[row] == pytest.approx(confidence, abs=1e-12)
    assert output.score[row] == pytest.approx(score, abs=1e-10)
    assert output.coverage[row] == pytest.approx(coverage, abs=1e-12)
