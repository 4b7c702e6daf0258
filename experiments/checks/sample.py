"""One pass over many null walks, from which the null test and the vacuity table are both read."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from engine import Funding
from indicators import Indicator
from strategies import Head

from .markets import null_market
from .null import FIRST_SEED, MIN_FIRINGS, ROWS, WALKS, Tally, null_rows
from .report import CheckRow
from .suite import FREE, Suite
from .vacuity import FiringCount, expected_rates, vacuity_rows

MORE_WALKS = 160
"""Further walks at most, for detectors that fire too rarely on the first ones."""


@dataclass(slots=True)
class NullSample:
    """Signed returns and firing counts of everything a suite lists, on null walks."""

    suite: Suite
    tally: Tally = field(default_factory=Tally)
    count: FiringCount = field(default_factory=FiringCount)

    def add(self, seed: int, rows: int = ROWS) -> None:
        """One more walk, for everything."""
        market = null_market(rows, seed)
        signals = self.suite.signal_rows(market)
        self.count.add_signals(signals, self.suite.indicators)
        if not self.suite.heads:
            self.tally.add(market, signals)
            return
        votes = self.suite.votes(market)
        self.count.add_votes(votes, self.suite.heads)
        agreed = self.suite.consensus_rows(market, votes)
        self.tally.add(market, self.suite.detectors(signals, votes, agreed))
        case = replace(self.suite.replay_case(market, agreed), funding=Funding.none(), rules=FREE)
        result = case.result(self.suite.replay_function)
        profit = float(result.equity[-1] / case.rules.initial_cash - 1.0)
        self.tally.add_sum("replay", len(result.trades), profit)

    def add_rare(self, seeds: Iterable[int], rows: int = ROWS) -> int:
        """More walks for the detectors that fired, but too rarely; the walks it took.

        Only the indicators and heads that own them are computed, and only they are counted.
        """
        walks = 0
        for seed in seeds:
            rare = {
                name
                for name in self.tally.firings
                if 0 < self.tally.total(name) < MIN_FIRINGS and name not in ("consensus", "replay")
            }
            if not rare:
                break
            walks += 1
            part = replace(
                self.suite,
                heads=tuple(head for head in self.suite.heads if _owns_head(head, rare)),
            )
            market = null_market(rows, seed)
            signalling = [one for one in self.suite.indicators if _owns_signal(one, rare)]
            signals = part.signal_rows(market, signalling)
            found = part.detectors(signals, part.votes(market) if part.heads else None, {})
            self.tally.add(market, {name: found[name] for name in rare if name in found})
        return walks

    def null_rows(self) -> list[CheckRow]:
        """The null test of every detector."""
        return null_rows(self.tally)

    def vacuity_rows(self) -> list[CheckRow]:
        """The firing table."""
        return vacuity_rows(self.count, expected_rates(self.suite.indicators, self.suite.heads))


def _owns_head(head: Head, rare: set[str]) -> bool:
    return head.name in rare or any(name.startswith(f"{head.name}:") for name in rare)


def _owns_signal(indicator: Indicator, rare: set[str]) -> bool:
    return any(f"{indicator.name}.{output.name}" in rare for output in indicator.outputs)


def null_sample(
    suite: Suite, *, walks: int = WALKS, more_walks: int = MORE_WALKS, rows: int = ROWS
) -> NullSample:
    """The sample of a suite on ``walks`` walks with seeds fixed in advance, and more for rare ones."""
    sample = NullSample(suite)
    for seed in range(FIRST_SEED, FIRST_SEED + walks):
        sample.add(seed, rows)
    first = FIRST_SEED + walks
    sample.add_rare(range(first, first + more_walks), rows)
    return sample
