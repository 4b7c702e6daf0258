"""Replays that keep the account and its equity and nothing else, one after another in one space."""

from typing import Final

import numpy as np

from .._limit_tables import limit_numbers
from .._margin_kernel import tier_table
from ..arrays import Float1D, Records1D
from ..rules import ReplayRules
from .loop import replay_kernel
from .prepare import (
    PreparedMarket,
    account_record,
    day_table,
    fee_table,
    rules_record,
    with_trail_extremes,
)
from .run import addresses, check_volumes, market_record, staggered
from .state import BOOKS_DTYPE, DECIDED_DTYPE, NEUTRAL_BOUNDS, DecisionRows, Market

MOST_MARKETS: Final = 4
"""Markets kept for rules whose trailing stops look back over other numbers of bars."""


class BareReplay:
    """Space for replays on one prepared market, for one thread."""

    def __init__(self, prepared: PreparedMarket) -> None:
        self._prepared = prepared
        self._markets: dict[int | None, tuple[Market, Records1D]] = {}
        bars, symbols = prepared.panel.open.shape
        self._equity = staggered(bars)
        self._tables = {
            "equity": self._equity,
            "slots": prepared.slots.copy(),
            **{name: np.full(symbols, number) for name, number in NEUTRAL_BOUNDS.items()},
            "parts": np.zeros(symbols),
            "opens": np.ones(symbols),
            **{
                name: np.zeros(symbols, dtype=np.int64)
                for name in ("held_symbols", "pending_symbols", "batch", "active", "work")
            },
        }
        self._books = addresses(BOOKS_DTYPE, self._tables)
        self._books["symbols"] = symbols

    def run(self, decisions: DecisionRows, rules: ReplayRules) -> tuple[Records1D, Float1D]:
        """The account after the last bar, and equity ``(T,)``, which the next replay overwrites.

        Runs without the interpreter's lock. Raises ContractError when the rules need volumes that the
        panel lacks.
        """
        check_volumes(self._prepared, rules)
        market, markets = self._market(rules)
        self._tables["slots"][:] = self._prepared.slots
        for name, number in NEUTRAL_BOUNDS.items():
            self._tables[name][:] = number
        own = {
            "rules": rules_record(rules),
            "account": account_record(rules, market, keeps_rows=False),
            "tiers": tier_table(rules.margin.tiers),
            "limits": limit_numbers(rules),
            "fee_tiers": fee_table(rules),
            "day_notional": day_table(rules, market),
        }
        books = self._books
        for name, table in own.items():
            books[name] = table.ctypes.data if table.size else 0
        books["tier_count"], books["fee_tier_count"] = len(own["tiers"]), len(own["fee_tiers"])
        events = addresses(DECIDED_DTYPE, decisions._asdict())
        events["row_count"] = len(decisions.cell)
        replay_kernel(books, markets, events, 0, False)
        return own["account"], self._equity

    def _market(self, rules: ReplayRules) -> tuple[Market, Records1D]:
        """The market with what the trailing stop looks back on."""
        found = self._markets.get(rules.exits.trail_bars)
        if found is None:
            if len(self._markets) == MOST_MARKETS:
                self._markets.pop(next(iter(self._markets)))
            market = with_trail_extremes(self._prepared.market, rules)
            found = market, market_record(market)
            self._markets[rules.exits.trail_bars] = found
        return found
