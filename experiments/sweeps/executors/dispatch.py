"""Handing out chunks to a crew of workers that may die."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import numpy as np

from engine import ConfigError, DataError
from engine.return_sums import SUMS
from engine.simd import WIDTH

from ..evaluate import Evaluated
from ..trial_metrics import DIRECTIONS
from .protocol import Values

MOST_IN_A_CHUNK: Final = 256
"""Trials that are lost with a worker, at the most."""
MOST_RETRIES: Final = 3
"""How often a chunk is evaluated anew before its trials count as failed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker at ``place`` has loaded its market."""

    place: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What became of the chunk that the worker at ``place`` was given."""

    place: int
    evaluated: Evaluated


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker at ``place`` cannot take part in this sweep, nor could another."""

    place: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker at ``place`` is no more."""

    place: int
    reason: str


Report: TypeAlias = Ready | Answer | Refused | Lost


class Crew(Protocol):
    """Workers at places from 0 to ``size`` - 1, each of which takes one chunk at a time."""

    @property
    def size(self) -> int:
        """How many places there are."""
        ...

    def begin(self, place: int) -> None:
        """Start a worker at ``place``, where there is none or a lost one; it says when it is ready."""
        ...

    def give(self, place: int, chunk: Values) -> None:
        """Give a chunk to a worker that is ready and has none."""
        ...

    def hear(self) -> Sequence[Report]:
        """Wait until some worker has something to say."""
        ...

    def end(self) -> None:
        """End every worker, whatever it is doing."""
        ...


@dataclass(slots=True, eq=False)
class Dispatcher:
    """An executor over a crew, whose workers begin with the first chunk.

    A lost worker is replaced, and its chunk goes to the next that is free. A chunk that has lost
    ``1 + MOST_RETRIES`` workers is given up: its trials are failed ones.
    """

    crew: Crew
    retries: int = 0
    _given: dict[int, int] = field(default_factory=dict, repr=False)
    """Task by place; tasks are the chunks of every call, counted on."""
    _free: set[int] = field(default_factory=set, repr=False)
    _tasks: int = 0
    _lost_at_start: int = 0
    _has_begun: bool = False

    def chunk_length(self, trials: int) -> int:
        """An even share for each worker, in blocks of the sweep's kernel, ``MOST_IN_A_CHUNK`` at most."""
        share = -(-trials // self.crew.size)
        return min(-(-share // WIDTH) * WIDTH, MOST_IN_A_CHUNK)

    def map_chunks(self, chunks: Sequence[Values]) -> Iterator[Evaluated]:
        """What became of each chunk, in the order of the chunks.

        Raises DataError when a worker finds other data than the driver, ConfigError when workers die
        one after the other before they are ready.
        """
        if not self._has_begun:
            self._has_begun = True
            for place in range(self.crew.size):
                self.crew.begin(place)
        first = self._tasks
        self._tasks += len(chunks)
        open_chunks = dict(zip(range(first, self._tasks), chunks, strict=True))
        waiting, losses = deque(open_chunks), Counter[int]()
        done: dict[int, Evaluated] = {}
        for task in range(first, self._tasks):
            while task not in done:
                self._hand_out(waiting, open_chunks)
                for report in self.crew.hear():
                    self._hear(report, waiting, losses, open_chunks, done)
            yield done.pop(task)

    def close(self) -> None:
        """End every worker."""
        self.crew.end()
        self._given, self._free, self._has_begun = {}, set(), False

    def _hand_out(self, waiting: deque[int], open_chunks: dict[int, Values]) -> None:
        while waiting and self._free:
            place, task = self._free.pop(), waiting.popleft()
            self._given[place] = task
            self.crew.give(place, open_chunks[task])

    def _hear(
        self,
        report: Report,
        waiting: deque[int],
        losses: Counter[int],
        open_chunks: dict[int, Values],
        done: dict[int, Evaluated],
    ) -> None:
        match report:
            case Ready(place):
                self._lost_at_start = 0
                self._free.add(place)
            case Answer(place, evaluated):
                # A chunk of a call that was given up is answered too, and nobody asks for it.
                done[self._given.pop(place)] = evaluated
                self._free.add(place)
            case Refused(_, reason):
                raise DataError(reason)
            case Lost(place, reason):
                lost = self._given.pop(place, None)
                if lost is None and place not in self._free:
                    self._lost_at_start += 1
                    if self._lost_at_start > MOST_RETRIES:
                        raise ConfigError(
                            f"workers: {self._lost_at_start} in a row ended before they were ready "
                            f"(the last: {reason}); run the sweep with --workers 1 to see why"
                        )
                self._free.discard(place)
                if lost in open_chunks:
                    losses[lost] += 1
                    if losses[lost] > MOST_RETRIES:
                        done[lost] = _given_up(len(open_chunks[lost]), losses[lost], reason)
                    else:
                        self.retries += 1
                        waiting.appendleft(lost)
                self.crew.begin(place)


def _given_up(trials: int, losses: int, reason: str) -> Evaluated:
    """The results of trials that cost every worker its life."""
    return Evaluated(
        metrics={name: np.full(trials, np.nan) for name in DIRECTIONS},
        sums=np.full((trials, 2, len(SUMS)), np.nan),
        errors=(f"{losses} workers were lost over its chunk; the last: {reason}",) * trials,
    )
