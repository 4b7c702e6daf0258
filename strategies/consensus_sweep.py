"""What many consensus configurations decide, as events for the sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

import numpy as np

from engine import (
    Bool1D,
    ConfigError,
    ContractError,
    DecisionEvents,
    EntryOrders,
    Float1D,
    Float2D,
    Funding,
    Int1D,
    Panel,
    ReplayRules,
    SymbolRules,
)
from engine.decision_events import FLAT, LONG, NO_ACTION, SHORT, WORD
from engine.simd import WIDTH
from engine.sweep import Sweep, SweepResult, in_parallel

from ._consensus_blocks import (
    FIRST_WEIGHT,
    PAIR,
    QUORUM,
    Float3D,
    Gates,
    Uint8Array1D,
    Uint8Array2D,
    actions_kernel,
)
from ._consensus_entries import Entries, entry_rows_kernel, entry_votes_kernel
from .consensus import NO_VETO, TOLERANCE, ConsensusRules, head_weights
from .votes import VoteMatrix

MOST_HEADS: Final = 63
"""Heads whose presence at a row is one int64, a bit each."""
MOST_AT_A_TIME: Final = 1 << 22
"""Decisions, a byte each, that a thread keeps at a time."""
_COLUMNS: Final = (
    "p_min",
    "c_min",
    "weight_min",
    "score_min",
    "consensus_c_min",
    "consensus_p_min",
)
_thresholds: Final = attrgetter(*_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SymbolVotes:
    """The votes of one symbol of the panel and which of their bars are missing, ``(rows,)``.

    The rows of the votes may begin and end at other bars than the panel; those outside are dropped.
    """

    votes: VoteMatrix
    is_gap: Bool1D

    def __post_init__(self) -> None:
        if self.is_gap.shape != (len(self.votes),):
            raise ContractError(
                f"votes have {len(self.votes)} rows, is_gap has shape {self.is_gap.shape}"
            )
        if len(self.votes.names) > MOST_HEADS:
            raise ConfigError(
                f"votes of {len(self.votes.names)} heads: the sweep decides up to {MOST_HEADS}"
            )


def consensus_gates(
    names: Sequence[str],
    rules: Sequence[ConsensusRules],
    *,
    exit_on_flat: bool | Sequence[bool] = False,
    hold_bars: int | Sequence[int | None] | None = None,
) -> Gates:
    """The rules of K configurations as columns; exits as in ``decide``, one for all or one for
    each.

    Raises ConfigError when a head has no weight, a length is not K or ``hold_bars`` is not
    positive.
    """
    count = len(rules)
    exits = [exit_on_flat] * count if isinstance(exit_on_flat, bool) else list(exit_on_flat)
    holds = (
        [hold_bars] * count if hold_bars is None or isinstance(hold_bars, int) else list(hold_bars)
    )
    for name, given in (("exit_on_flat", exits), ("hold_bars", holds)):
        if len(given) != count:
            raise ConfigError(f"{name} has {len(given)} entries for {count} configurations")
    for k, hold in enumerate(holds):
        if hold is not None and hold < 1:
            raise ConfigError(f"hold_bars[{k}]={hold} must be at least 1, or null for no limit")
    thresholds = np.array([_thresholds(one) for one in rules]).reshape(count, len(_COLUMNS))
    thresholds -= TOLERANCE
    vetoes = [NO_VETO if one.max_opposite is None else one.max_opposite for one in rules]
    return Gates(
        weights=_weights(names, rules),
        **{name: thresholds[:, column].copy() for column, name in enumerate(_COLUMNS)},
        quorum=np.array([one.quorum for one in rules], dtype=np.float64),
        max_opposite=np.array(vetoes, dtype=np.float64),
        exits_on_flat=np.array(exits, dtype=np.bool_),
        hold_bars=np.array([hold or 0 for hold in holds], dtype=np.int64),
    )


def _weights(names: Sequence[str], rules: Sequence[ConsensusRules]) -> Float2D:
    """The weights of the heads ``names`` under each of ``rules``."""
    weights_of = itemgetter(*names)
    try:
        found = [weights_of(one.weights) for one in rules]
    except KeyError:
        found = [head_weights(names, one) for one in rules]
    return np.array(found, dtype=np.float64).reshape(len(rules), len(names))


class ConsensusEvents:
    """The rows at which some of the configurations may act, found once, and their decisions in
    parts.

    ``gates`` are those of all configurations that will be asked for: rows at which even their
    loosest thresholds cannot stand are left out.
    """

    def __init__(
        self, symbols: Sequence[SymbolVotes], panel: Panel, atr_frac: Float2D, gates: Gates
    ) -> None:
        if len(symbols) != len(panel.symbols):
            raise ContractError(
                f"votes of {len(symbols)} symbols for a panel of {len(panel.symbols)}"
            )
        self._atr_frac = atr_frac
        self._entries = [_entries(one, gates) for one in symbols]
        rows, allowed = [], []
        for column, (one, entries) in enumerate(zip(symbols, self._entries, strict=True)):
            panel_rows, permitted = _on_panel(
                one.votes, entries, panel, atr_frac[:, column], column
            )
            rows.append(panel_rows)
            allowed.append(permitted)
        self._allowed = allowed
        self.rows: Int1D = np.concatenate(rows)
        self.offsets: Int1D = np.cumsum([0, *(len(one) for one in rows)]).astype(np.int64)

    def events(self, gates: Gates, actions: Uint8Array2D | None = None) -> DecisionEvents:
        """The decisions of ``gates``, some of the configurations; ``actions`` is space to write them to."""
        count = len(gates.quorum)
        if actions is None:
            actions = np.empty((count, len(self.rows)), dtype=np.uint8)
        blocks = _blocks(gates)
        for entries, allowed, first in zip(
            self._entries, self._allowed, self.offsets[:-1], strict=True
        ):
            actions_kernel(
                entries, blocks, _present(blocks, entries), gates.exits_on_flat, gates.hold_bars,
                allowed, int(first), actions[:count],
            )  # fmt: skip
        return DecisionEvents(
            rows=self.rows, offsets=self.offsets, actions=actions[:count], atr_frac=self._atr_frac
        )


def consensus_events(
    symbols: Sequence[SymbolVotes],
    panel: Panel,
    atr_frac: Float2D,
    rules: Sequence[ConsensusRules],
    *,
    exit_on_flat: bool | Sequence[bool] = False,
    hold_bars: int | Sequence[int | None] | None = None,
    orders: EntryOrders | None = None,
) -> DecisionEvents:
    """What ``consensus`` and ``decide`` say under each of ``rules``, on the rows that act under
    any.

    A row acts only where the panel lists its symbol and, for a position, ``atr_frac`` ``(T, S)`` is
    finite and positive, and ``orders`` (None: at the market) can enter. Weights are by head name;
    every symbol's votes come from the same heads.
    """
    names = _common_names(symbols)
    gates = consensus_gates(names, rules, exit_on_flat=exit_on_flat, hold_bars=hold_bars)
    events = ConsensusEvents(symbols, panel, atr_frac, gates).events(gates)
    return events if orders is None else events.with_orders(orders)


def consensus_sweep(
    symbols: Sequence[SymbolVotes],
    panel: Panel,
    funding: Funding,
    atr_frac: Float2D,
    consensus_rules: Sequence[ConsensusRules],
    rules: Sequence[ReplayRules],
    *,
    exit_on_flat: bool | Sequence[bool] = False,
    hold_bars: int | Sequence[int | None] | None = None,
    orders: EntryOrders | None = None,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
    edges: Int1D | None = None,
    threads: int = 1,
) -> SweepResult:
    """Decide and replay K configurations, some at a time: memory holds the results of all, no
    more.

    Configuration *k* is ``consensus_rules[k]`` with ``rules[k]``; the other arguments are those of
    ``consensus_events`` and ``sweep_replay``. Configurations of one quorum go together, for they
    share the rows at which nothing can stand; the order of the results is that of the arguments.
    """
    if len(consensus_rules) != len(rules):
        raise ConfigError(
            f"{len(consensus_rules)} rules of the consensus for {len(rules)} rules of the replay"
        )
    gates = consensus_gates(
        _common_names(symbols), consensus_rules, exit_on_flat=exit_on_flat, hold_bars=hold_bars
    )
    sweep = Sweep(panel, funding, atr_frac, fine=fine, symbol_rules=symbol_rules, edges=edges)
    order = np.argsort(gates.quorum, kind="stable")
    found = sweep.empty_result(len(rules))
    parts: list[tuple[ConsensusEvents, int, Int1D]] = []
    first = 0
    for quorum in np.unique(gates.quorum):
        own = order[gates.quorum[order] == quorum]
        events = ConsensusEvents(symbols, panel, atr_frac, gates.chosen(own))
        length = _part_length(len(own), len(events.rows), threads)
        parts += [(events, first + at, own[at : at + length]) for at in range(0, len(own), length)]
        first += len(own)

    def run(part: int) -> None:
        events, start, chosen = parts[part]
        decided = events.events(gates.chosen(chosen))
        if orders is not None:
            decided = decided.with_orders(orders.chosen(chosen))
        sweep.replay(decided, [rules[int(k)] for k in chosen], found, start)

    in_parallel(run, range(len(parts)), threads)
    result = sweep.empty_result(len(rules))
    result.totals[order], result.sums[order] = found.totals, found.sums
    return result


def _part_length(configurations: int, rows: int, threads: int) -> int:
    """How many configurations a thread takes at a time: whole pairs of blocks, all that may be kept
    of ``rows`` each, but some parts for every thread where there are several.
    """
    parts = max(-(-configurations * rows // MOST_AT_A_TIME), 1 if threads == 1 else 2 * threads)
    whole = PAIR * WIDTH
    return -(-configurations // (parts * whole)) * whole


def _common_names(symbols: Sequence[SymbolVotes]) -> tuple[str, ...]:
    names = symbols[0].votes.names
    for one in symbols:
        if one.votes.names != names:
            raise ContractError(f"votes of heads {one.votes.names} and of {names}: they must agree")
    return names


def _entries(one: SymbolVotes, gates: Gates) -> Entries:
    votes = one.votes
    row, side, is_fresh, is_passed_over, is_second, count = entry_rows_kernel(
        votes.direction,
        votes.probability,
        votes.confidence,
        one.is_gap,
        float(gates.p_min.min()),
        float(gates.c_min.min()),
        float(gates.quorum.min()),
        bool(gates.exits_on_flat.any()),
        bool((gates.hold_bars > 0).any()),
    )
    length = -(-count // WORD) * WORD
    row[count:] = row[count - 1] if count else 0
    row, side = row[:length].copy(), side[:length].copy()
    votes_of_entries = entry_votes_kernel(
        row[:count], side, votes.direction, votes.probability, votes.confidence,
        float(gates.p_min.min()), float(gates.c_min.min()),
    )  # fmt: skip
    codes = (votes.coverage[row] > 0) @ (1 << np.arange(len(votes.names)))
    patterns, pattern = np.unique(codes, return_inverse=True)
    present = (patterns[:, None] >> np.arange(len(votes.names)) & 1).astype(np.bool_)
    first_vote, head, agrees, probability, confidence, strength = votes_of_entries
    return Entries(
        row=row,
        side=side,
        is_fresh=is_fresh[:length].copy(),
        is_passed_over=is_passed_over[:length].copy(),
        is_second=is_second[:length].copy(),
        pattern=pattern.reshape(length).astype(np.int64),
        present=np.ascontiguousarray(present),
        first_vote=first_vote,
        head=head,
        agrees=agrees,
        probability=probability,
        confidence=confidence,
        strength=strength,
        used=count,
    )


def _blocks(gates: Gates) -> Float3D:
    """The gates by eight configurations, ``(blocks, FIRST_WEIGHT + heads, 8)``, in pairs; what fills the
    last never stands.
    """
    count, heads = gates.weights.shape
    whole = PAIR * WIDTH
    rows = np.zeros((-(-count // whole) * whole, FIRST_WEIGHT + heads))
    for row, name in enumerate((*_COLUMNS, "quorum", "max_opposite")):
        rows[:count, row] = getattr(gates, name)
    rows[:count, FIRST_WEIGHT:] = gates.weights
    rows[count:, QUORUM] = np.inf
    return np.ascontiguousarray(rows.reshape(-1, WIDTH, FIRST_WEIGHT + heads).transpose(0, 2, 1))


def _present(blocks: Float3D, entries: Entries) -> Float3D:
    """The weight of the heads with data by pattern, ``(blocks, patterns, 8)``, summed in head order."""
    weight = np.zeros((len(blocks), len(entries.present), WIDTH))
    has_data = entries.present.astype(np.float64)
    for head in range(entries.present.shape[1]):
        weight += blocks[:, None, FIRST_WEIGHT + head] * has_data[None, :, head, None]
    return weight


def _on_panel(
    votes: VoteMatrix, entries: Entries, panel: Panel, atr_frac: Float1D, column: int
) -> tuple[Int1D, Uint8Array1D]:
    """Panel rows of the entries, and the actions that are allowed there."""
    if not len(entries.row):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    rows = (votes.open_time[entries.row] - panel.open_time[0]) // panel.step_ns
    inside = (rows >= 0) & (rows < len(panel))
    rows = np.clip(rows, 0, len(panel) - 1)
    sized = np.isfinite(atr_frac[rows]) & (atr_frac[rows] > 0)
    listed = inside & panel.listed[rows, column]
    allowed = np.where(listed, np.where(sized, LONG | SHORT | FLAT, FLAT), NO_ACTION)
    allowed[entries.used :] = NO_ACTION
    return rows.astype(np.int64), allowed.astype(np.uint8)
