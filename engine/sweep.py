"""Many configurations on one market and one account each: totals and sums of returns, no ledgers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import numpy as np

from ._margin_kernel import tier_table
from ._replay.prepare import PreparedMarket, prepare_market
from ._sweep.run import sweep_kernel
from ._sweep.tables import (
    RULE_DTYPE,
    RULE_FIELDS,
    TOTALS_DTYPE,
    Addressed,
    decided_events,
    empty_work,
    sweep_market,
)
from .arrays import Float2D, Int1D, Records1D
from .decision_events import DecisionEvents
from .decisions import Funding
from .errors import ConfigError, ContractError
from .ledger import PAYMENT_KINDS, REASONS
from .metrics.costs import fill_notionals
from .metrics.drawdowns import max_drawdown
from .metrics.ledger_sums import running_sum, trades_by_closing
from .panel import Panel
from .replay import ReplayResult, replay
from .return_sums import SUMS, return_sums
from .rules import MarginTier, ReplayRules, SymbolRules

CHUNK: Final = 32
"""Configurations that a thread takes at a time."""

Float3D = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]

_NUMBERS: Final = attrgetter(
    "initial_cash", "costs.taker_fee_bps", "costs.maker_fee_bps", "costs.slippage_bps", "exits.stop_atr",
    "exits.stop_frac", "exits.take_profit_atr", "exits.take_profit_frac", "exits.take_profit_r",
    "exits.take_profit_is_limit", "exits.time_stop_bars", "sizing.position_fraction", "limits.max_gross",
    "margin.mode", "margin.liquidation_fee_bps",
)  # fmt: skip
_PLAIN: Final = attrgetter(
    "sizing.method", "margin.contract", "sizing.kelly", "limits.max_position", "limits.max_positions",
    "limits.max_heat", "limits.max_sector", "limits.max_correlation", "limits.drawdown_start",
    "costs.participation", "exits.trail_atr", "exits.trail_frac", "exits.break_even_r",
    "exits.time_stop_max_r", "costs.slippage_atr", "costs.impact", "costs.borrow_annual",
    "costs.fee_tiers", "exits.ladder",
)  # fmt: skip
_PLAIN_VALUES: Final = ("fraction", "linear", *(None,) * 12, 0.0, 0.0, 0.0, (), ())
_MARGIN_MODES: Final = {"none": 0.0, "cross": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepResult:
    """What happened to each of K accounts.

    ``totals`` are records ``(K,)``, in settlement currency unless named otherwise:
    ``final_equity``; ``max_drawdown`` (fraction); ``fees``, ``spread``, ``impact``, ``funding``,
    ``borrow``, ``shortfall``; ``traded_notional`` of all fills; ``gross_wins`` and
    ``gross_losses``, the sums of ``net_pnl`` above 0 and of −``net_pnl`` of the other trades;
    counts of ``trades``, ``wins``, ``bars_in_position`` (closes with a position),
    ``ambiguous_exits`` and ``liquidations`` (trades that ended so); ``ruined_bar``, -1 for none.
    ``sums`` float64 ``(K, edges, 5)``: ``SUMS`` of the returns before each of ``edges``
    (accounting, 8).
    """

    totals: Records1D
    sums: Float3D
    edges: Int1D

    @property
    def block_sums(self) -> Float3D:
        """Sums of the blocks between edges, ``(K, edges - 1, 5)``."""
        return np.diff(self.sums, axis=1)


class Sweep:
    """A market made ready for any number of configurations.

    ``atr_frac`` ``(T, S)`` as in ``Decisions``, the same for all; ``edges`` as in ``return_sums``.
    The other arguments are those of ``replay``, and so are the errors. Memory does not depend on
    how many configurations are replayed.
    """

    def __init__(
        self,
        panel: Panel,
        funding: Funding,
        atr_frac: Float2D,
        *,
        fine: Panel | None = None,
        symbol_rules: Mapping[str, SymbolRules] | None = None,
        edges: Int1D | None = None,
    ) -> None:
        self._given: tuple[Any, ...] = (panel, funding, fine, symbol_rules)
        self._prepared: PreparedMarket = prepare_market(
            panel, funding, atr_frac, fine=fine, symbol_rules=symbol_rules
        )
        self._market: Addressed = sweep_market(self._prepared)
        slots = self._prepared.slots
        self._is_unrounded = not (
            slots["tick"].any() or slots["lot"].any() or slots["min_notional"].any()
        )
        bars = len(panel)
        self.edges: Int1D = (
            np.array([0, bars]) if edges is None else np.asarray(edges, dtype=np.int64)
        )
        return_sums(np.ones(bars), 1.0, self.edges)

    def empty_result(self, configurations: int) -> SweepResult:
        """Space for the results of so many configurations."""
        return SweepResult(
            totals=np.zeros(configurations, dtype=TOTALS_DTYPE),
            sums=np.zeros((configurations, len(self.edges), len(SUMS))),
            edges=self.edges,
        )

    def space(self) -> Addressed:
        """What one thread needs to replay."""
        return empty_work(len(self._prepared.order))

    def replay(
        self,
        events: DecisionEvents,
        rules: Sequence[ReplayRules],
        result: SweepResult,
        first: int = 0,
        work: Addressed | None = None,
    ) -> None:
        """Replay ``events`` under ``rules``, one each, into ``result`` from configuration ``first``
        on.

        Releases the interpreter's lock for rules that the sweep's own kernel knows; the others are
        replayed one by one by ``engine.replay``.
        """
        if events.configurations != len(rules):
            raise ContractError(
                f"decision events of {events.configurations} configurations for {len(rules)} rules"
            )
        if events.atr_frac.shape != self._prepared.panel.open.shape:
            raise ContractError(
                f"decision events: atr_frac has shape {events.atr_frac.shape}, the panel has "
                f"{self._prepared.panel.open.shape}"
            )
        totals = result.totals[first : first + len(rules)]
        sums = result.sums[first : first + len(rules)]
        totals[:] = np.zeros((), dtype=TOTALS_DTYPE)
        tiers = rules[0].margin.tiers if rules else ()
        own = np.array([self._is_own(one, tiers) for one in rules], dtype=np.bool_)
        if own.all():
            self._run(events, events.actions, rules, tiers, totals, sums, work)
            return
        for k, one in enumerate(rules):
            if own[k]:
                part = slice(k, k + 1)
                self._run(
                    events, events.actions[part], [one], tiers, totals[part], sums[part], work
                )
            else:
                panel, funding, fine, symbol_rules = self._given
                found = replay(
                    panel, events.decisions(k), funding, one, fine=fine, symbol_rules=symbol_rules
                )
                totals[k] = run_totals(found, one)
                sums[k] = return_sums(found.equity, one.initial_cash, self.edges)

    def _is_own(self, rules: ReplayRules, tiers: tuple[MarginTier, ...]) -> bool:
        """Whether the sweep's own kernel knows the rules."""
        return (
            self._is_unrounded
            and _PLAIN(rules) == _PLAIN_VALUES
            and rules.margin.mode in _MARGIN_MODES
            and (rules.margin.tiers is tiers or rules.margin.tiers == tiers)
        )

    def _run(
        self,
        events: DecisionEvents,
        actions: Any,
        rules: Sequence[ReplayRules],
        tiers: tuple[MarginTier, ...],
        totals: Records1D,
        sums: Float3D,
        work: Addressed | None,
    ) -> None:
        decided = decided_events(self._market, self._prepared, events.rows, events.offsets, actions)
        table = tier_table(tiers)
        space = work or self.space()
        at_work = space.record
        for name, array in (("edges", self.edges), ("at_edge", sums), ("tiers", table)):
            at_work[name] = array.ctypes.data
        at_work["edge_count"], at_work["tier_count"] = len(self.edges), len(table)
        at_work["greatest_rate"] = tiers[-1].maintenance
        at_work["has_finite_tiers"] = len(tiers) > 1 or np.isfinite(tiers[0].notional_to)
        sweep_kernel(self._market.record, decided.record, _rule_records(rules), at_work, totals)


def sweep_replay(
    panel: Panel,
    decisions: DecisionEvents,
    funding: Funding,
    rules: Sequence[ReplayRules],
    *,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
    edges: Int1D | None = None,
    threads: int = 1,
) -> SweepResult:
    """Replay K configurations on one market; each result equals that of ``replay`` to the last bit.

    ``decisions`` and ``rules`` state K configurations; ``edges`` the blocks for which return sums
    are kept (None: the whole); the other arguments are those of ``replay``. Configurations are
    independent, so ``threads`` change nothing but the time. Raises what ``replay`` raises, and
    ConfigError when ``threads`` is not positive.
    """
    if threads < 1:
        raise ConfigError(f"threads={threads} must be at least 1")
    sweep = Sweep(
        panel, funding, decisions.atr_frac, fine=fine, symbol_rules=symbol_rules, edges=edges
    )
    if decisions.configurations != len(rules):
        raise ContractError(
            f"decision events of {decisions.configurations} configurations for {len(rules)} rules"
        )
    result = sweep.empty_result(len(rules))

    def run(first: int) -> None:
        part = slice(first, first + CHUNK)
        own = DecisionEvents(
            rows=decisions.rows,
            offsets=decisions.offsets,
            actions=decisions.actions[part],
            atr_frac=decisions.atr_frac,
        )
        sweep.replay(own, rules[part], result, first)

    in_parallel(run, range(0, len(rules), CHUNK), threads)
    return result


def in_parallel(run: Any, parts: Sequence[int], threads: int) -> None:
    """Call ``run`` on every part, on so many threads; an error of any is raised."""
    if threads == 1:
        for part in parts:
            run(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, parts):
            pass


def run_totals(result: ReplayResult, rules: ReplayRules) -> Any:
    """The totals of a single run under ``rules``, as a sweep states them (``SweepResult.totals``)."""
    fills, trades, payments = result.fills, result.trades, result.payments
    totals = np.zeros((), dtype=TOTALS_DTYPE)
    for column in ("fees", "spread", "impact", "shortfall"):
        totals[column] = running_sum(fills["fee" if column == "fees" else column])
    totals["traded_notional"] = running_sum(fill_notionals(fills, rules.margin.contract))
    for kind, column in enumerate(PAYMENT_KINDS):
        totals[column] = running_sum(payments["payment"][payments["kind"] == kind])
    net_pnl = trades_by_closing(result)["net_pnl"]
    totals["trades"], totals["wins"] = len(trades), np.count_nonzero(net_pnl > 0)
    totals["gross_wins"] = running_sum(net_pnl[net_pnl > 0])
    totals["gross_losses"] = running_sum(-net_pnl[~(net_pnl > 0)])
    totals["bars_in_position"] = np.count_nonzero(result.gross_exposure)
    totals["ambiguous_exits"] = result.ambiguous_exits
    totals["liquidations"] = np.count_nonzero(trades["exit_reason"] == REASONS.index("liquidation"))
    totals["ruined_bar"] = result.ruined_bar
    totals["final_equity"] = result.equity[-1]
    totals["max_drawdown"] = max_drawdown(result.equity, rules.initial_cash)
    return totals[()]


def _rule_records(rules: Sequence[ReplayRules]) -> Records1D:
    table = np.array(
        [(*row[:13], _MARGIN_MODES[row[13]], row[14]) for row in map(_NUMBERS, rules)],
        dtype=np.float64,
    )
    records = np.empty(len(rules), dtype=RULE_DTYPE)
    for column, name in enumerate(RULE_FIELDS):
        records[name] = table[:, column]
    for name in ("taker_rate", "maker_rate", "slip", "liquidation_rate"):
        records[name] /= 10_000
    records["slip"] = np.minimum(records["slip"], 0.99)
    records["time_stop_bars"] = np.nan_to_num(records["time_stop_bars"])
    return records
