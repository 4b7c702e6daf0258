"""Evaluating in this process, on threads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..evaluate import Evaluated, Evaluator
from .protocol import Values


@dataclass(frozen=True, slots=True, eq=False)
class InProcess:
    """An executor without workers: what is given at once shares what it has in common."""

    evaluator: Evaluator
    retries: int = 0

    def chunk_length(self, trials: int) -> int:
        """All of them."""
        return trials

    def map_chunks(self, chunks: Sequence[Values]) -> Iterator[Evaluated]:
        """What became of each chunk, in order."""
        return map(self.evaluator, chunks)

    def close(self) -> None:
        """There is nothing to let go of."""
