"""The heads of a run as numbers: one pass over the votes, symbol by symbol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from engine import Float1D, Float2D, Int1D
from engine.sweep import Float3D
from engine.timeframe import DAY_NS

from ...statistics.vote_agreement import VoteAgreement, VoteSums
from ..reading import RunReading, floats, nanoseconds
from .calibration import CalibrationSums, HeadCalibration
from .entries import EntryGroups, entry_groups, entry_orders_of
from .forward import cluster_ns, clusters, forward_returns
from .left_out import HeadChanges, head_changes
from .levels import (
    LevelReturns,
    LevelSums,
    agreement_levels,
    agreement_positions,
    score_levels,
    score_positions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadNumbers:
    """Everything that the page says of the heads.

    ``sides`` ``(2, H + 1)`` counts bars of all symbols on which so many heads were valid on the side
    that had more of them, long in row 0 and short in row 1; ``against`` the mean number of valid heads
    against them (NaN without such a bar); ``undecided`` bars had none, or as many on either side.
    ``calibrations`` are by enabled head. ``changes`` is None where no head can be left out.
    ``cluster_days`` is the length of the clusters of every interval but that of ``changes``.
    """

    heads: tuple[str, ...]
    enabled: tuple[str, ...]
    bars: int
    sides: np.ndarray[Any, Any]
    against: np.ndarray[Any, Any]
    undecided: int
    by_score: LevelReturns
    by_agreement: LevelReturns
    votes: VoteAgreement
    calibrations: Mapping[str, HeadCalibration]
    entries: EntryGroups
    changes: HeadChanges | None
    cluster_days: int


def head_numbers(reading: RunReading) -> HeadNumbers:
    """The numbers of a run that votes decided; DataError when a table of it cannot be read."""
    described = reading.content["firing"][0]["heads"]
    heads = tuple(str(head["name"]) for head in described)
    enabled = tuple(str(head["name"]) for head in described if head["enabled"])
    # Signals may begin before the first traded bar; a cluster never has a negative number.
    length, first = cluster_ns(reading.step_ns), _first_vote(reading)
    last = max(int(reading.close_time[-1]), _last_vote(reading))
    sums = _Sums(heads, enabled, int(clusters(np.array([last]), first, length)[0]) + 1)
    for symbol in reading.symbols:
        table, prices = reading.table_of("votes", symbol), reading.table_of("prices", symbol)
        known_at = nanoseconds(table["time"])
        forward = forward_returns(
            known_at,
            nanoseconds(prices["open_time"]),
            floats(prices["open"]),
            np.asarray(prices["is_gap"], dtype=np.bool_),
            reading.step_ns,
        )
        sums.add(table, forward, clusters(known_at, first, length))
    with np.errstate(divide="ignore", invalid="ignore"):
        opposing = sums.against / sums.sides
    seed = int(reading.content["seed"])
    return HeadNumbers(
        heads=heads,
        enabled=enabled,
        bars=sums.bars,
        sides=sums.sides.astype(np.int64),
        against=opposing,
        undecided=sums.bars - int(sums.sides.sum()),
        by_score=sums.by_score.returns(seed),
        by_agreement=sums.by_agreement.returns(seed),
        votes=sums.votes.agreement(),
        calibrations={head: one.calibration() for head, one in sums.calibrations.items()},
        entries=_entries(reading, first, length, seed),
        changes=_changes(reading, seed),
        cluster_days=length // DAY_NS,
    )


class _Sums:
    """Everything that is summed over the bars of one symbol after another."""

    def __init__(self, heads: tuple[str, ...], enabled: tuple[str, ...], weeks: int) -> None:
        self.heads, self.bars = heads, 0
        self.by_score = LevelSums(score_levels(), weeks)
        self.by_agreement = LevelSums(agreement_levels(len(heads)), weeks)
        self.votes = VoteSums(len(heads))
        self.calibrations = {head: CalibrationSums(weeks) for head in enabled}
        self.sides, self.against = np.zeros((2, len(heads) + 1)), np.zeros((2, len(heads) + 1))

    def add(self, table: pa.Table, forward: Float2D, week: Int1D) -> None:
        """Add one symbol: its votes, the returns after each, and the cluster of each."""
        self.bars += len(table)
        self._add_consensus(table, forward, week)
        self._add_heads(table, forward, week)

    def _add_consensus(self, table: pa.Table, forward: Float2D, week: Int1D) -> None:
        side = floats(table["consensus_side"]).astype(np.int64)
        agreeing = floats(table["consensus_votes_for"]).astype(np.int64)
        opposed, count = floats(table["consensus_votes_against"]), len(self.heads)
        self.by_score.add(score_positions(floats(table["consensus_signed_score"])), forward, week)
        self.by_agreement.add(agreement_positions(side, agreeing, count), forward, week)
        for row, sign in enumerate((1, -1)):
            own = agreeing[side == sign]
            self.sides[row] += np.bincount(own, minlength=count + 1)
            self.against[row] += np.bincount(own, opposed[side == sign], minlength=count + 1)

    def _add_heads(self, table: pa.Table, forward: Float2D, week: Int1D) -> None:
        direction = np.empty((len(table), len(self.heads)), dtype=np.int8)
        has_data = np.empty(direction.shape, dtype=np.bool_)
        for column, head in enumerate(self.heads):
            direction[:, column] = np.asarray(table[f"{head}_direction"])
            has_data[:, column] = floats(table[f"{head}_coverage"]) > 0
            if head in self.calibrations:
                self.calibrations[head].add(
                    direction[:, column],
                    floats(table[f"{head}_probability"]),
                    floats(table[f"{head}_confidence"]),
                    has_data[:, column],
                    forward,
                    week,
                )
        self.votes.add(direction, has_data)


def _first_vote(reading: RunReading) -> int:
    return min(
        int(nanoseconds(reading.table_of("votes", one)["time"][:1])[0]) for one in reading.symbols
    )


def _last_vote(reading: RunReading) -> int:
    return max(
        int(nanoseconds(reading.table_of("votes", one)["time"][-1:])[0]) for one in reading.symbols
    )


def _entries(reading: RunReading, first: int, length: int, seed: int) -> EntryGroups:
    trades, fills, orders = reading.trades, reading.table("fills"), reading.table("orders")
    opened = entry_orders_of(
        floats(fills["trade"]).astype(np.int64),
        floats(fills["order"]).astype(np.int64),
        len(trades),
    )
    decided_bar = floats(orders["decided_bar"]).astype(np.int64)
    agreeing = np.full(len(trades), -1, dtype=np.int64)
    for place, symbol in enumerate(reading.symbols):
        own = np.flatnonzero((trades["symbol"] == place) & (opened >= 0))
        votes = reading.table_of("votes", symbol)
        known_at = nanoseconds(votes["time"])
        decided_at = reading.close_time[decided_bar[opened[own]]]
        row = np.minimum(np.searchsorted(known_at, decided_at), len(known_at) - 1)
        found = known_at[row] == decided_at
        votes_for: Float1D = floats(votes["consensus_votes_for"])
        agreeing[own[found]] = votes_for[row[found]].astype(np.int64)
    return entry_groups(
        agreeing,
        trades["net_pnl"],
        trades["return_frac"],
        clusters(trades["entry_time_ns"], first, length),
        seed=seed,
    )


def _changes(reading: RunReading, seed: int) -> HeadChanges | None:
    without = reading.content["leave_one_out"]
    if without is None:
        return None
    table = reading.table("leave_one_out")
    shape = (len(without), len(table) // len(without))
    day_bars: Int1D = floats(table["bars"]).astype(np.int64)[: shape[1]]
    day_sums: Float3D = np.stack(
        [floats(table[name]).reshape(shape) for name in ("return_sum", "square_sum")], axis=2
    )
    starts = np.concatenate(([0], np.cumsum(day_bars)[:-1]))
    returns = reading.returns
    run_sums = np.column_stack(
        [np.add.reduceat(values, starts) for values in (returns, returns * returns)]
    )
    return head_changes(
        reading.content["metrics"],
        without,
        day_sums,
        run_sums,
        day_bars,
        bars_a_year=reading.bars_a_year,
        seed=seed,
    )
