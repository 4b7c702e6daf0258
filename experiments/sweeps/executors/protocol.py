"""What every executor does, and what of it the results must not show."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..evaluate import Evaluated

Values: TypeAlias = Sequence[Mapping[str, Any]]
"""Trials, each by what its configuration holds, by path."""


class Executor(Protocol):
    """Evaluates trials on one market.

    The results are those of one ``Evaluator`` in this process, to the last bit, whatever the executor,
    its workers and the chunks; only a trial whose worker dies again and again comes out otherwise.
    """

    @property
    def retries(self) -> int:
        """How often a chunk was evaluated anew because its worker was lost."""
        ...

    def chunk_length(self, trials: int) -> int:
        """How many of so many trials a chunk had best have."""
        ...

    def map_chunks(self, chunks: Sequence[Values]) -> Iterator[Evaluated]:
        """What became of each chunk, in the order of the chunks."""
        ...

    def close(self) -> None:
        """Let go of every worker; a chunk that is being evaluated is given up."""
        ...


def evaluated_by(executor: Executor, values: Values) -> Evaluated:
    """Evaluate trials in chunks and put the results together, in the order of the trials."""
    length = max(executor.chunk_length(len(values)), 1)
    chunks = [values[first : first + length] for first in range(0, len(values), length)]
    return _joined(list(executor.map_chunks(chunks)))


def _joined(parts: Sequence[Evaluated]) -> Evaluated:
    if len(parts) == 1:
        return parts[0]
    return Evaluated(
        metrics={
            name: np.concatenate([part.metrics[name] for part in parts])
            for name in parts[0].metrics
        },
        sums=np.concatenate([part.sums for part in parts]),
        errors=tuple(error for part in parts for error in part.errors),
    )
