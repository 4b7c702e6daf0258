"""The rows of one configuration out of decision events, without tables of every bar."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Bool1D, Float1D, Int1D
from ..decision_events import TARGETS, DecisionEvents
from ..errors import ContractError
from .state import DecisionRows


@dataclass(frozen=True, slots=True, eq=False)
class EventRows:
    """Decision events in the order of their cells ``t · S + s``, symbols by name.

    ``place`` are the events' columns in that order, ``row`` and ``column`` the bar and the panel's
    column of each, ``atr_frac`` what is known there.
    """

    events: DecisionEvents
    place: Int1D
    cell: Int1D
    row: Int1D
    column: Int1D
    atr_frac: Float1D

    @classmethod
    def of(cls, events: DecisionEvents, order: Int1D) -> "EventRows":
        """``order`` gives the panel's column for each symbol in name order."""
        symbols = len(order)
        rank = np.empty(symbols, dtype=np.int64)
        rank[order] = np.arange(symbols)
        cell = events.rows * symbols + rank[events.columns]
        place = np.argsort(cell, kind="stable")
        row, column = events.rows[place], events.columns[place]
        return cls(events, place, cell[place], row, column, events.atr_frac[row, column])

    def rows_of(self, configuration: int) -> DecisionRows:
        """What the replay takes of ``configuration``: of equal rows, the last that acts."""
        actions = self.events.actions[configuration][self.place]
        at = np.flatnonzero(actions)
        cell = self.cell[at]
        is_last = np.ones(len(at), dtype=np.bool_)
        np.not_equal(cell[1:], cell[:-1], out=is_last[:-1])
        at = at[is_last]
        target, atr_frac = TARGETS[actions[at]], self.atr_frac[at]
        row, column = self.row[at], self.column[at]
        kind, price = np.zeros(len(at), dtype=np.int8), np.zeros(len(at))
        volatility = np.zeros(len(at))
        orders = self.events.orders
        if orders is not None:
            kind = orders.kinds(configuration, target)
            price = orders.prices(configuration, row, column, target, atr_frac)
            self._check(configuration, at, "order price", price, kind > 0)
            if orders.volatility is not None and orders.is_sized_by_volatility[configuration]:
                volatility = orders.volatility[row, column]
                self._check(configuration, at, "volatility", volatility, target != 0)
        return DecisionRows(
            cell=self.cell[at],
            target=target,
            style=np.zeros(len(at), dtype=np.int8),
            order_kind=kind,
            order_price=price,
            atr_frac=atr_frac,
            volatility=volatility,
        )

    def _check(
        self, configuration: int, at: Int1D, name: str, numbers: Float1D, needed: Bool1D
    ) -> None:
        broken = needed & ~(np.isfinite(numbers) & (numbers > 0))
        if broken.any():
            event = int(np.argmax(broken))
            raise ContractError(
                f"decision events: configuration {configuration}: the {name} of the entry at "
                f"[{self.row[at[event]]}, {self.column[at[event]]}] is {numbers[event]}, it must be "
                "finite and positive; with_orders leaves such entries out"
            )
