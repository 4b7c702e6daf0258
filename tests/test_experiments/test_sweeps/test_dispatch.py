"""Chunks, orders and deaths of workers, with a crew that is none: what is asked comes back, or is lost."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ConfigError, DataError
from experiments.sweeps.evaluate import Evaluated
from experiments.sweeps.executors import Values, evaluated_by
from experiments.sweeps.executors.dispatch import (
    MOST_IN_A_CHUNK,
    MOST_RETRIES,
    Answer,
    Dispatcher,
    Lost,
    Ready,
    Refused,
    Report,
)
from experiments.sweeps.trial_metrics import DIRECTIONS


def found_of(values: Values) -> Evaluated:
    """Every metric of a trial is its number."""
    numbers = np.array([one["number"] for one in values], dtype=np.float64)
    return Evaluated(
        metrics=dict.fromkeys(DIRECTIONS, numbers),
        sums=np.multiply.outer(numbers, np.ones((2, 5))),
        errors=(None,) * len(values),
    )


def trials(count: int) -> list[Mapping[str, Any]]:
    return [{"number": number} for number in range(count)]


@dataclass
class FateCrew:
    """Workers of which each, in its turn, answers or dies as ``fate`` decides; idle ones die, too."""

    size: int
    fate: random.Random
    death_rate: float = 0.0
    deadly: frozenset[int] = frozenset()
    """Trials that nobody survives."""
    starting: set[int] = field(default_factory=set)
    idle: set[int] = field(default_factory=set)
    busy: dict[int, Values] = field(default_factory=dict)
    lost: Counter[int] = field(default_factory=Counter)
    """Chunks that were lost, by their first trial."""
    ended: bool = False

    def begin(self, place: int) -> None:
        assert place not in self.starting
        assert place not in self.busy
        self.starting.add(place)

    def give(self, place: int, chunk: Values) -> None:
        assert place in self.idle
        self.idle.remove(place)
        self.busy[place] = chunk

    def hear(self) -> Sequence[Report]:
        if self.idle and self.fate.random() < self.death_rate:
            return [Lost(self.idle.pop(), "boredom")]
        place = self.fate.choice(sorted(self.starting | set(self.busy)))
        if place in self.starting:
            self.starting.discard(place)
            self.idle.add(place)
            return [Ready(place)]
        chunk = self.busy.pop(place)
        numbers = {one["number"] for one in chunk}
        if numbers & self.deadly or self.fate.random() < self.death_rate:
            self.lost[chunk[0]["number"]] += 1
            return [Lost(place, "lightning")]
        self.idle.add(place)
        return [Answer(place, found_of(chunk))]

    def end(self) -> None:
        self.ended = True


@given(
    st.integers(1, 6),
    st.integers(1, 90),
    st.integers(1, 20),
    st.sampled_from([0.0, 0.1, 0.6]),
    st.integers(0, 2**32),
)
def test_results_come_in_order_whoever_dies(
    size: int, count: int, length: int, death_rate: float, seed: int
) -> None:
    crew = FateCrew(size, random.Random(seed), death_rate)
    dispatcher = Dispatcher(crew)
    values = trials(count)
    chunks = [values[first : first + length] for first in range(0, count, length)]
    for _ in range(2):
        crew.lost.clear()
        before = dispatcher.retries
        for chunk, found in zip(chunks, dispatcher.map_chunks(chunks), strict=True):
            wanted = found_of(chunk)
            if crew.lost[chunk[0]["number"]] > MOST_RETRIES:
                assert all("4 workers were lost" in str(error) for error in found.errors)
                assert np.isnan(found.sums).all()
                assert found.sums.shape == wanted.sums.shape
                continue
            assert found.errors == wanted.errors
            np.testing.assert_array_equal(found.metrics["sharpe"], wanted.metrics["sharpe"])
            np.testing.assert_array_equal(found.sums, wanted.sums)
        given_again = sum(min(losses, MOST_RETRIES) for losses in crew.lost.values())
        assert dispatcher.retries - before == given_again
    dispatcher.close()
    assert crew.ended


def test_a_deadly_trial_costs_its_chunk_and_no_other() -> None:
    crew = FateCrew(3, random.Random(1), deadly=frozenset({11}))
    found = evaluated_by(Dispatcher(crew), trials(48))
    failed = [number for number, error in enumerate(found.errors) if error is not None]
    assert failed == list(range(16))  # a third of the trials: the chunk of one worker
    assert found.errors[11] == "4 workers were lost over its chunk; the last: lightning"
    assert crew.lost == {0: 1 + MOST_RETRIES}
    np.testing.assert_array_equal(found.metrics["sharpe"][16:], np.arange(16.0, 48.0))


@pytest.mark.parametrize(
    ("size", "count", "length"), [(2, 64, 32), (4, 10, 8), (1, 9, 16), (2, 10_000, MOST_IN_A_CHUNK)]
)
def test_every_worker_gets_a_share_in_whole_blocks(size: int, count: int, length: int) -> None:
    assert Dispatcher(FateCrew(size, random.Random(0))).chunk_length(count) == length


def test_a_call_that_was_given_up_leaves_nothing_to_the_next() -> None:
    crew = FateCrew(2, random.Random(5))
    dispatcher = Dispatcher(crew)
    values = trials(40)
    evaluated_by(dispatcher, values)
    begun = dispatcher.map_chunks([values[first : first + 4] for first in range(0, 40, 4)])
    next(begun)
    begun.close()
    assert crew.busy, "the case needs a chunk in flight"
    other = [{"number": number} for number in range(100, 108)]
    np.testing.assert_array_equal(
        evaluated_by(dispatcher, other).metrics["sharpe"], np.arange(100.0, 108.0)
    )


@dataclass
class SpeechlessCrew(FateCrew):
    """Workers that say one thing when they begin."""

    said: type[Refused] | type[Lost] = Refused
    begun: int = 0

    def begin(self, place: int) -> None:
        self.begun += 1

    def hear(self) -> Sequence[Report]:
        return [self.said(0, "no luck")]


def test_a_worker_with_other_data_ends_the_sweep() -> None:
    with pytest.raises(DataError, match="no luck"):
        evaluated_by(Dispatcher(SpeechlessCrew(2, random.Random(0))), trials(8))


def test_workers_that_never_begin_are_not_tried_for_ever() -> None:
    crew = SpeechlessCrew(1, random.Random(0), said=Lost)
    with pytest.raises(ConfigError, match=r"4 in a row ended before they were ready.*no luck"):
        evaluated_by(Dispatcher(crew), trials(8))
    assert crew.begun == 1 + MOST_RETRIES
