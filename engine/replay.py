"""Replaying decisions over a panel: checks, the kernels, and the ledgers in their record types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ._replay.decided import decision_rows
from ._replay.prepare import prepare_market
from ._replay.run import run_replay
from ._replay.tables import replayed
from .argument_checks import check_type
from .arrays import Float1D, Records1D
from .decisions import Decisions, Funding
from .errors import ContractError
from .ledger import AccountColumns
from .panel import Panel
from .rules import ReplayRules, SymbolRules


@dataclass(frozen=True, kw_only=True, eq=False)
class ReplayResult:
    """What happened to the account.

    ``equity``, ``cash``, ``gross_exposure``, ``net_exposure``, ``initial_margin``,
    ``maintenance_margin`` are float64 ``(T,)`` in settlement currency at each close; ``fills``,
    ``orders``, ``trades`` and ``payments`` are record arrays with the types of ``engine.ledger``,
    read-only. ``ruined_bar`` is the bar in which equity reached zero, or -1; ``ambiguous_exits``
    counts exits at a stop in a bar that reached a target as well; ``unresolved_bars`` counts
    tradable bars of symbols for which finer bars were given and none exists.

    Trades (their excursions) and the columns besides ``equity`` follow from the ledgers and the
    prices: they are found when first asked for, by ``find_trades`` and ``find_account``, from the
    arrays of the panel, which must not change until then.
    """

    equity: Float1D
    fills: Records1D
    orders: Records1D
    payments: Records1D
    ruined_bar: int
    ambiguous_exits: int
    unresolved_bars: int
    find_trades: Callable[[], Records1D] = field(repr=False)
    find_account: Callable[[], AccountColumns] = field(repr=False)

    @cached_property
    def trades(self) -> Records1D:
        """One row for each way from flat to flat, ``TRADE_DTYPE``."""
        return self.find_trades()

    @cached_property
    def account(self) -> AccountColumns:
        """The account at each close besides its equity."""
        return self.find_account()

    @property
    def cash(self) -> Float1D:
        """Cash at each close, ``(T,)``."""
        return self.account.cash

    @property
    def gross_exposure(self) -> Float1D:
        """Notional of all positions at each close, ``(T,)``."""
        return self.account.gross_exposure

    @property
    def net_exposure(self) -> Float1D:
        """Notional of long less that of short positions at each close, ``(T,)``."""
        return self.account.net_exposure

    @property
    def initial_margin(self) -> Float1D:
        """Margin that the positions were opened with, at the marks of each close, ``(T,)``."""
        return self.account.initial_margin

    @property
    def maintenance_margin(self) -> Float1D:
        """Margin below which positions are liquidated, at the marks of each close, ``(T,)``."""
        return self.account.maintenance_margin


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
    docs/accounting.md is the norm. Raises ContractError when an argument is of another type, the
    decisions do not have the panel's shape, a funding event or a rule names a symbol that the panel
    lacks, the rules need a volume or volatility that is not given, or the panel is not what ``fine``
    adds up to; DataError when the grids of the two do not fit.
    """
    check_type("panel", panel, Panel)
    check_type("decisions", decisions, Decisions)
    check_type("funding", funding, Funding)
    check_type("rules", rules, ReplayRules)
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
    told = replayed(outcome.ledgers, outcome.account, prepared, rules)
    return ReplayResult(
        equity=outcome.equity,
        fills=told.ledgers.fills,
        orders=told.ledgers.orders,
        payments=told.ledgers.payments,
        ruined_bar=int(outcome.account["ruined_bar"][0]),
        ambiguous_exits=int(outcome.account["ambiguous_exits"][0]),
        unresolved_bars=prepared.unresolved_bars,
        find_trades=told.trades,
        find_account=told.account,
    )
