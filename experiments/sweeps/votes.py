"""Votes of many head parameters on one market: only what a change reaches is computed again."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import fields, replace
from typing import Any, Final, Generic, TypeVar

import numpy as np

from engine import Float1D, Market
from indicators import INDICATORS_BY_NAME, Indicator
from indicators.features import Computation
from strategies import Head, HeadOutput, VoteMatrix, stacked_votes, vote_matrix

from ..config import RunConfig

MOST_COMPUTATIONS: Final = 384
"""Indicators of one market whose outputs are kept: nine heads need about a hundred."""
MOST_OUTPUTS: Final = 64
"""Answers of heads on one market that are kept."""

VOTED: Final = tuple(column.name for column in fields(HeadOutput))

K = TypeVar("K")
V = TypeVar("V")


class RecentlyUsed(MutableMapping[K, V], Generic[K, V]):
    """A mapping that forgets what was used longest ago when it holds more than ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __getitem__(self, key: K) -> V:
        self._kept.move_to_end(key)
        return self._kept[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __delitem__(self, key: K) -> None:
        del self._kept[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class MarketVotes:
    """The votes on one market under any parameters of the heads; ``indicators`` by name."""

    def __init__(
        self, market: Market, indicators: Mapping[str, Indicator] = INDICATORS_BY_NAME
    ) -> None:
        self.market, self.indicators = market, indicators
        self._computed: RecentlyUsed[Computation, tuple[Float1D, ...]] = RecentlyUsed(
            MOST_COMPUTATIONS
        )
        self._outputs: RecentlyUsed[Head, HeadOutput] = RecentlyUsed(MOST_OUTPUTS)
        self._last: RecentlyUsed[tuple[Head | str, ...], VoteMatrix] = RecentlyUsed(1)

    def cast(self, config: RunConfig) -> VoteMatrix:
        """The votes of the heads of ``config``; one that is not enabled is absent on every bar.

        A head whose parameters were asked for before is not asked again, and an indicator that two
        heads or two sets of parameters share is computed once.
        """
        bars, enabled = self.market.bars, config.heads.enabled
        heads = config.heads.instances(self.indicators)
        asked = tuple(head if head.name in enabled else head.name for head in heads)
        found = self._last.get(asked)
        if found is None:
            outputs = {
                head.name: self._output(head)
                if head.name in enabled
                else HeadOutput.absent(len(bars))
                for head in heads
            }
            found = self._last[asked] = stacked_votes(bars.open_time, bars.close_time, outputs)
        return found

    def _output(self, head: Head) -> HeadOutput:
        found = self._outputs.get(head)
        if found is None:
            votes = vote_matrix(
                self.market, [head], indicators=self.indicators, computed=self._computed
            )
            found = HeadOutput(**{name: getattr(votes, name)[:, 0] for name in VOTED})
            self._outputs[head] = found
        return found


def votes_between(votes: VoteMatrix, start_ns: int, stop_ns: int) -> VoteMatrix:
    """The votes on bars that open from ``start_ns`` on and before ``stop_ns``."""
    first, last = np.searchsorted(votes.open_time, (start_ns, stop_ns))
    rows = slice(int(first), int(last))
    cast: dict[str, Any] = {name: np.asfortranarray(getattr(votes, name)[rows]) for name in VOTED}
    return replace(votes, open_time=votes.open_time[rows], known_at=votes.known_at[rows], **cast)


def shifted_votes(votes: VoteMatrix, bars: int) -> VoteMatrix:
    """The votes ``bars`` later, those of the end at the beginning: opinions of another time."""
    moved = {name: np.roll(getattr(votes, name), bars, axis=0) for name in VOTED}
    cast: dict[str, Any] = {name: np.asfortranarray(column) for name, column in moved.items()}
    return replace(votes, **cast)
