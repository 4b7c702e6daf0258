"""One replay: rules and decisions on a prepared market, with ledgers that grow as they fill."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from .._limit_tables import limit_numbers
from .._margin_kernel import tier_table
from ..arrays import Float1D, Records1D
from ..errors import ContractError
from ..ledger import FILL_DTYPE, ORDER_DTYPE, PAYMENT_DTYPE, TRADE_DTYPE
from ..rules import ReplayRules
from ..timeframe import HOUR_NS
from .loop import FILLS_PER_BAR, ORDERS_PER_BAR, replay_kernel
from .memory import lent
from .prepare import (
    PreparedMarket,
    account_record,
    day_table,
    fee_table,
    rules_record,
    with_trail_extremes,
)
from .state import (
    BOOKS_DTYPE,
    DECIDED_DTYPE,
    MARKET_DTYPE,
    MARKET_TABLES,
    NEUTRAL_BOUNDS,
    DecisionRows,
    Ledgers,
    Market,
)

_ROOMS: Final = ("fill_room", "order_room", "trade_room", "payment_room")


class Outcome(NamedTuple):
    """Equity at each close, the account (with the sums of everything), the ledgers."""

    equity: Float1D
    account: Records1D
    ledgers: Ledgers


def run_replay(
    prepared: PreparedMarket,
    decisions: DecisionRows,
    rules: ReplayRules,
    *,
    keeps_rows: bool = True,
    walk_all: bool = False,
) -> Outcome:
    """Replay ``decisions``; without ``keeps_rows`` the ledgers stay empty.

    ``walk_all`` walks every sub-bar of every bar; it changes nothing but the time. Runs without the
    interpreter's lock. Raises ContractError when the rules need volumes that the panel lacks.
    """
    check_volumes(prepared, rules)
    market = with_trail_extremes(prepared.market, rules)
    symbols = len(prepared.slots)
    per_bar = prepared.payments_per_bar
    if rules.costs.borrow_annual:
        per_bar += symbols * (market.step // HOUR_NS + 1)
    bars = len(market.open_time)
    tables = {
        "equity": staggered(bars),
        "rules": rules_record(rules),
        "account": account_record(rules, market, keeps_rows=keeps_rows),
        "slots": prepared.slots.copy(),
        **{name: np.full(symbols, number) for name, number in NEUTRAL_BOUNDS.items()},
        "parts": np.zeros(symbols),
        "opens": np.ones(symbols),
        "tiers": tier_table(rules.margin.tiers),
        "limits": limit_numbers(rules),
        "fee_tiers": fee_table(rules),
        "day_notional": day_table(rules, market),
        **{
            name: np.zeros(symbols, dtype=np.int64)
            for name in ("held_symbols", "pending_symbols", "batch", "active", "work")
        },
    }
    ledgers = _empty_ledgers(
        len(decisions.cell) if keeps_rows else 0, symbols, len(market.events), per_bar
    )
    records = addresses(BOOKS_DTYPE, tables)
    records["symbols"], records["payments_per_bar"] = symbols, per_bar
    records["tier_count"], records["fee_tier_count"] = (
        len(tables["tiers"]),
        len(tables["fee_tiers"]),
    )
    markets = market_record(market)
    events = addresses(DECIDED_DTYPE, decisions._asdict())
    events["row_count"] = len(decisions.cell)
    bar = 0
    while True:
        for name, room in zip(Ledgers._fields, _ROOMS, strict=True):
            records[name] = getattr(ledgers, name).ctypes.data
            records[room] = len(getattr(ledgers, name))
        bar = replay_kernel(records, markets, events, bar, walk_all)
        if bar == bars:
            return Outcome(tables["equity"], tables["account"], ledgers)
        written = tables["account"]
        ledgers = Ledgers(
            *(_enlarged(getattr(ledgers, name), int(written[name][0])) for name in Ledgers._fields)
        )


def check_volumes(prepared: PreparedMarket, rules: ReplayRules) -> None:
    """Refuse rules that need volumes of a panel without. Raises ContractError."""
    costs = rules.costs
    for name, number in (("impact", costs.impact), ("participation", costs.participation)):
        if number and not prepared.has_volume:
            raise ContractError(
                f"rules.costs.{name}={number} needs volumes: the panel has volume=None"
            )


def staggered(bars: int) -> Float1D:
    """Space for a column. Large arrays start alike within a page: read and written side by side
    they would all contend for the same lines of the cache, so this one begins a little later.
    """
    shift = 72
    return lent(bars + shift, np.float64)[shift:]


def addresses(dtype: Any, tables: Mapping[str, np.ndarray[Any, Any]]) -> Records1D:
    """A record with the addresses of ``tables``, which the caller keeps; 0 for those that are empty."""
    record = np.zeros(1, dtype=dtype)
    for name, table in tables.items():
        record[name] = table.ctypes.data if table.size else 0
    return record


def market_record(market: Market) -> Records1D:
    """The addresses of ``market``, which the caller keeps."""
    tables: dict[str, np.ndarray[Any, Any]] = {
        name: getattr(market, name)
        for name in (
            "reach_low", "reach_high", "listed", "is_gap", "volume", "atr_frac", "top",
            "bottom", "sub_is_gap", "is_unresolved", "leaving", "events",
        )
    }  # fmt: skip
    for prefix, prices in (
        ("", market.bars),
        ("mark_", market.marks),
        ("sub_", market.sub),
        ("sub_mark_", market.sub_marks),
    ):
        tables |= {
            f"{prefix}{name}": table
            for name, table in prices._asdict().items()
            if f"{prefix}{name}" in MARKET_TABLES
        }
    record = addresses(MARKET_DTYPE, tables)
    record["start"] = market.open_time[0]
    record["bars"], record["symbols"] = market.bars.open.shape
    record["sub_count"] = len(market.sub.open) // len(market.open_time)
    record["step"], record["sub_step"] = market.step, market.sub_step
    record["leaving_count"], record["event_count"] = len(market.leaving), len(market.events)
    return record


def _empty_ledgers(decided: int, symbols: int, events: int, payments_per_bar: int) -> Ledgers:
    """Room for the rows of usual rules, and for two bars at least."""
    return Ledgers(
        fills=lent(2 * FILLS_PER_BAR * symbols + 3 * decided, FILL_DTYPE),
        orders=lent(2 * ORDERS_PER_BAR * symbols + 2 * decided, ORDER_DTYPE),
        trades=lent(2 * symbols + decided, TRADE_DTYPE),
        payments=lent(2 * payments_per_bar + events, PAYMENT_DTYPE),
    )


def _enlarged(ledger: Records1D, used: int) -> Records1D:
    """Twice the room where half of it is used, as bytes: numpy copies records field by field."""
    if 2 * used < len(ledger):
        return ledger
    larger = lent(2 * len(ledger), ledger.dtype)
    size = used * ledger.dtype.itemsize
    larger.view(np.uint8)[:size] = ledger.view(np.uint8)[:size]
    return larger
