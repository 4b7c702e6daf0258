"""Many configurations on one market and one account each: totals and sums of returns, no ledgers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias

import numpy as np

from ._margin_kernel import tier_table
from ._replay.bare import BareReplay
from ._replay.event_rows import EventRows
from ._replay.prepare import PreparedMarket, prepare_market
from ._sweep.decided import DecidedRows, decided_events, decided_rows
from ._sweep.market import sweep_market
from ._sweep.run import sweep_kernel
from ._sweep.tables import (
    RULE_DTYPE,
    RULE_FIELDS,
    TOTALS_DTYPE,
    Addressed,
    empty_work,
)
from .argument_checks import check_array, check_type
from .arrays import Float2D, Int1D, Records1D
from .decision_events import DecisionEvents
from .decisions import Funding
from .entry_orders import MARKET
from .errors import ConfigError, ContractError
from .panel import Panel
from .return_sums import SUMS, checked_edges, return_sums
from .rules import MarginTier, ReplayRules, SymbolRules
from .totals import account_totals

CHUNK: Final = 32
"""Configurations that a thread takes at a time."""

Float3D = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]

_FIELDS: Final = attrgetter(
    "initial_cash", "costs.taker_fee_bps", "costs.maker_fee_bps", "costs.slippage_bps", "exits.stop_atr",
    "exits.stop_frac", "exits.take_profit_atr", "exits.take_profit_frac", "exits.take_profit_r",
    "exits.take_profit_is_limit", "exits.time_stop_bars", "sizing.position_fraction", "limits.max_gross",
    "margin.liquidation_fee_bps",
    "margin.mode", "margin.tiers",
    "sizing.method", "margin.contract", "sizing.kelly", "limits.max_position", "limits.max_positions",
    "limits.max_heat", "limits.max_sector", "limits.max_correlation", "limits.drawdown_start",
    "costs.participation", "exits.trail_atr", "exits.trail_frac", "exits.break_even_r",
    "exits.time_stop_max_r", "costs.slippage_atr", "costs.impact", "costs.borrow_annual",
    "costs.fee_tiers", "exits.ladder",
)  # fmt: skip
_NUMBERS: Final = slice(0, 14)
_MODE: Final = 14
_TIERS: Final = 15
_PLAIN: Final = slice(16, None)
_PLAIN_VALUES: Final = ("fraction", "linear", *(None,) * 12, 0.0, 0.0, 0.0, (), ())
_Fields: TypeAlias = tuple[Any, ...]
"""What ``_FIELDS`` finds in the rules of one configuration."""
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
        check_type("panel", panel, Panel)
        check_type("funding", funding, Funding)
        check_array("sweep", "atr_frac", atr_frac, np.float64, 2)
        self._prepared: PreparedMarket = prepare_market(
            panel, funding, atr_frac, fine=fine, symbol_rules=symbol_rules
        )
        self._atr_frac = atr_frac
        self._market: Addressed = sweep_market(self._prepared)
        self._known_rows: DecidedRows | None = None
        slots = self._prepared.slots
        self._is_unrounded = not (
            slots["tick"].any() or slots["lot"].any() or slots["min_notional"].any()
        )
        self.edges: Int1D = checked_edges(edges, len(panel))

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

        Most of the time is spent without the interpreter's lock. What the sweep's own kernel does not
        know (other rules, resting entries) goes through the loop of ``engine.replay``, without its
        ledgers. Raises ContractError where the events are of another market or number, or sizing by
        volatility lacks one.
        """
        self._check_events(events, rules)
        totals = result.totals[first : first + len(rules)]
        sums = result.sums[first : first + len(rules)]
        totals[:] = np.zeros((), dtype=TOTALS_DTYPE)
        fields: list[_Fields] = list(map(_FIELDS, rules))
        tiers = fields[0][_TIERS] if rules else ()
        if all(self._is_own(events, k, one, tiers) for k, one in enumerate(fields)):
            self._run(events, events.actions, fields, tiers, totals, sums, work)
            return
        others = list(range(len(rules)))
        for tiers in {one[_TIERS]: None for one in fields}:
            own = [k for k in others if self._is_own(events, k, fields[k], tiers)]
            if own:
                others = [k for k in others if k not in own]
                found, found_sums, theirs = totals[own], sums[own], [fields[k] for k in own]
                self._run(events, events.actions[own], theirs, tiers, found, found_sums, work)
                totals[own], sums[own] = found, found_sums
        self._run_any(events, rules, others, totals, sums)

    def _check_events(self, events: DecisionEvents, rules: Sequence[ReplayRules]) -> None:
        check_type("decision events", events, DecisionEvents)
        for k, one in enumerate(rules):
            check_type(f"rules[{k}]", one, ReplayRules)
        if events.configurations != len(rules):
            raise ContractError(
                f"decision events of {events.configurations} configurations for {len(rules)} rules"
            )
        if events.atr_frac is not self._atr_frac:
            shape = self._prepared.panel.open.shape
            if events.atr_frac.shape != shape:
                raise ContractError(
                    f"decision events: atr_frac has shape {events.atr_frac.shape}, the panel has {shape}"
                )
            if not np.array_equal(events.atr_frac, self._atr_frac, equal_nan=True):
                raise ContractError(
                    "decision events: atr_frac is not that of the sweep; give it one"
                )
        for k, one in enumerate(rules):
            if one.sizing.method == "volatility" and not (
                events.orders is not None and events.orders.is_sized_by_volatility[k]
            ):
                raise ContractError(
                    f"rules[{k}].sizing.method=volatility needs decision events with orders that are "
                    "sized by volatility"
                )

    def _is_own(
        self,
        events: DecisionEvents,
        configuration: int,
        fields: _Fields,
        tiers: tuple[MarginTier, ...],
    ) -> bool:
        """Whether the sweep's own kernel knows the rules and orders; ``tiers`` are one call's."""
        return (
            self._is_unrounded
            and fields[_PLAIN] == _PLAIN_VALUES
            and fields[_MODE] in _MARGIN_MODES
            and (fields[_TIERS] is tiers or fields[_TIERS] == tiers)
            and (len(tiers) == 1 or len(self._prepared.order) == 1)
            and (events.orders is None or events.orders.kind[configuration] == MARKET)
        )

    def _run_any(
        self,
        events: DecisionEvents,
        rules: Sequence[ReplayRules],
        chosen: Sequence[int],
        totals: Records1D,
        sums: Float3D,
    ) -> None:
        space = BareReplay(self._prepared)
        of_events = EventRows.of(events, self._prepared.order)
        for k in chosen:
            account, equity = space.run(of_events.rows_of(k), rules[k])
            totals[k] = account_totals(account, equity, rules[k])
            sums[k] = return_sums(equity, rules[k].initial_cash, self.edges)

    def _decided_rows(self, events: DecisionEvents) -> DecidedRows:
        """The rows of ``events`` for the kernels; parts of a sweep mostly have the same."""
        known = self._known_rows
        if known is None or not known.are(events.rows, events.offsets):
            known = decided_rows(self._market, self._prepared, events.rows, events.offsets)
            self._known_rows = known
        return known

    def _run(
        self,
        events: DecisionEvents,
        actions: Any,
        fields: Sequence[_Fields],
        tiers: tuple[MarginTier, ...],
        totals: Records1D,
        sums: Float3D,
        work: Addressed | None,
    ) -> None:
        decided = decided_events(self._decided_rows(events), actions)
        table = tier_table(tiers)
        space = work or self.space()
        at_work = space.record
        for name, array in (("edges", self.edges), ("at_edge", sums), ("tiers", table)):
            at_work[name] = array.ctypes.data
        at_work["edge_count"], at_work["tier_count"] = len(self.edges), len(table)
        at_work["greatest_rate"] = tiers[-1].maintenance
        at_work["has_finite_tiers"] = len(tiers) > 1 or np.isfinite(tiers[0].notional_to)
        sweep_kernel(self._market.record, decided.record, _rule_records(fields), at_work, totals)


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
    check_type("decisions", decisions, DecisionEvents)
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
        sweep.replay(decisions.part(part), rules[part], result, first)

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


def _rule_records(fields: Sequence[_Fields]) -> Records1D:
    numbers = chain.from_iterable([one[_NUMBERS] for one in fields])
    table = np.fromiter(numbers, np.float64, len(fields) * _NUMBERS.stop)
    records = np.empty(len(fields), dtype=RULE_DTYPE)
    names = [name for name in RULE_FIELDS if name != "has_margin"]
    for name, column in zip(names, table.reshape(len(fields), _NUMBERS.stop).T, strict=True):
        records[name] = column
    records["has_margin"] = [_MARGIN_MODES[one[_MODE]] for one in fields]
    for name in ("taker_rate", "maker_rate", "slip", "liquidation_rate"):
        records[name] /= 10_000
    records["slip"] = np.minimum(records["slip"], 0.99)
    records["time_stop_bars"] = np.nan_to_num(records["time_stop_bars"])
    return records
