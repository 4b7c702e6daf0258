"""Replaying decisions over a panel: checks, the kernels, and the ledgers in their record types."""

from collections.abc import Mapping
from dataclasses import dataclass

from ._replay.prepare import decision_rows, prepare_market
from ._replay.run import run_replay
from ._replay.tables import finished_ledgers
from .arrays import Float1D, Records1D
from .decisions import Decisions, Funding
from .errors import ContractError
from .panel import Panel
from .rules import ReplayRules, SymbolRules


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayResult:
    """What happened to the account.

    ``equity``, ``cash``, ``gross_exposure``, ``net_exposure``, ``initial_margin``,
    ``maintenance_margin`` are float64 ``(T,)`` in settlement currency at each close; ``fills``,
    ``orders``, ``trades`` and ``payments`` are record arrays with the types of ``engine.ledger``.
    ``ruined_bar`` is the bar in which equity reached zero, or -1; ``ambiguous_exits`` counts exits
    at a stop in a bar that reached a target as well; ``unresolved_bars`` counts tradable bars of
    symbols for which finer bars were given and none exists.
    """

    equity: Float1D
    cash: Float1D
    gross_exposure: Float1D
    net_exposure: Float1D
    initial_margin: Float1D
    maintenance_margin: Float1D
    fills: Records1D
    orders: Records1D
    trades: Records1D
    payments: Records1D
    ruined_bar: int
    ambiguous_exits: int
    unresolved_bars: int


def replay(
    panel: Panel,
    decisions: Decisions,
    funding: Funding,
    rules: ReplayRules,
    *,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
) -> ReplayResult:
    """Replay ``decisions`` on the prices of ``panel``; a decision of row *t* fills after close *t*.

    ``fine`` holds shorter bars of the same symbols over the same time, in which orders, exits and
    margin are resolved; ``symbol_rules`` ticks, lots, least notionals and sectors by symbol.
    docs/accounting.md is the norm. Raises ContractError when the decisions do not have the panel's
    shape, a funding event or a rule names a symbol that the panel lacks, the rules need a volume or
    volatility that is not given, or the panel is not what ``fine`` adds up to; DataError when the
    grids of the two do not fit.
    """
    shape = panel.open.shape
    if decisions.target.shape != shape:
        raise ContractError(
            f"decisions have shape {decisions.target.shape}, the panel has {shape}: one row for each "
            "bar and one column for each symbol"
        )
    if rules.sizing.method == "volatility" and decisions.volatility is None:
        raise ContractError("rules.sizing.method=volatility needs decisions.volatility")
    prepared = prepare_market(
        panel, funding, decisions.atr_frac, fine=fine, symbol_rules=symbol_rules
    )
    outcome = run_replay(prepared, decision_rows(decisions, prepared.order), rules)
    ledgers = finished_ledgers(outcome.ledgers, outcome.account, prepared)
    return ReplayResult(
        **outcome.columns,
        fills=ledgers.fills,
        orders=ledgers.orders,
        trades=ledgers.trades,
        payments=ledgers.payments,
        ruined_bar=int(outcome.account["ruined_bar"][0]),
        ambiguous_exits=int(outcome.account["ambiguous_exits"][0]),
        unresolved_bars=prepared.unresolved_bars,
    )
