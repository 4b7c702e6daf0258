"""Decisions of many configurations at once: rows that may act, and what each does there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from .argument_checks import check_array
from .arrays import Float2D, Int1D
from .decisions import Decisions
from .entry_orders import EntryOrders
from .errors import ContractError
from .jit import kernel

UInt8Array2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

NO_ACTION: Final = 0
LONG: Final = 1
SHORT: Final = 2
FLAT: Final = 4
"""Actions are bits, so that a search for several of them is one mask."""
WORD: Final = 8
"""Actions searched at a time; the rows of a symbol fill whole words."""

TARGETS: Final = np.array([0.0, 1.0, -1.0, 0.0, 0.0])
"""The target of each action."""


@kernel
def _are_actions_kernel(actions: UInt8Array2D) -> bool:
    """Whether every element is an action: one bit of three at most."""
    one, others = np.uint8(1), np.uint8(255 - (LONG | SHORT | FLAT))
    surplus = np.uint8(0)
    for action in actions.ravel():
        surplus = np.uint8(surplus | (action & (action - one)) | (action & others))
    return bool(surplus == 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionEvents:
    """What K configurations decide at the rows at which any of them may act.

    The rows of symbol *s* are ``rows[offsets[s]:offsets[s + 1]]``, int64 bars of the panel that do
    not decrease; of equal rows the last that acts counts. ``actions`` uint8 ``(K, len(rows))``:
    ``NO_ACTION``, ``LONG``, ``SHORT`` (full targets 1 and -1) or ``FLAT`` (target 0). ``atr_frac``
    float64 ``(T, S)`` as in ``Decisions``, the same for every configuration. A symbol's rows come
    in whole ``WORD``s; what fills up repeats the last row and never acts. ``orders`` says how each
    configuration enters (None: at the market, sized without a volatility). Raises ContractError
    otherwise.
    """

    rows: Int1D
    offsets: Int1D
    actions: UInt8Array2D
    atr_frac: Float2D
    orders: EntryOrders | None = None

    def __post_init__(self) -> None:
        for name, dtype, dimensions in (
            ("rows", np.int64, 1),
            ("offsets", np.int64, 1),
            ("actions", np.uint8, 2),
            ("atr_frac", np.float64, 2),
        ):
            check_array("decision events", name, getattr(self, name), dtype, dimensions)
        self._check_rows()
        self._check_actions()
        if self.orders is not None:
            self._check_orders(self.orders)

    def _check_rows(self) -> None:
        bars, symbols = self.atr_frac.shape
        if self.offsets.shape != (symbols + 1,) or self.offsets[0] != 0:
            raise ContractError(
                f"decision events: offsets must start at 0 and have shape ({symbols + 1},)"
            )
        if (np.diff(self.offsets) % WORD).any() or (np.diff(self.offsets) < 0).any():
            raise ContractError(
                f"decision events: offsets={self.offsets.tolist()} must rise in steps of {WORD}"
            )
        if self.rows.shape != (self.offsets[-1],):
            raise ContractError(
                f"decision events: rows have shape {self.rows.shape}, offsets say "
                f"({self.offsets[-1]},)"
            )
        inside = (self.rows >= 0) & (self.rows < bars)
        rises = np.diff(self.rows, prepend=self.rows[:1]) >= 0
        rises[self.offsets[:-1][self.offsets[:-1] < len(rises)]] = True
        for ok, rule in (
            (inside, f"must lie in [0, {bars}), the bars of atr_frac"),
            (rises, "lies before the row above; sort the rows of each symbol"),
        ):
            if not ok.all():
                at = int(np.argmin(ok))
                symbol = int(np.searchsorted(self.offsets, at, side="right")) - 1
                raise ContractError(
                    f"decision events: rows[{at}]={self.rows[at]} of symbol {symbol} {rule}"
                )

    def _check_actions(self) -> None:
        actions = self.actions
        if not actions.flags.c_contiguous:
            raise ContractError("decision events: actions must be in C order")
        if actions.shape[1] != len(self.rows):
            raise ContractError(
                f"decision events: actions have shape {actions.shape}, expected one column for "
                f"each of {len(self.rows)} rows"
            )
        if not _are_actions_kernel(actions):
            k, at = (int(i) for i in np.argwhere((actions > FLAT) | (actions == (LONG | SHORT)))[0])
            raise ContractError(
                f"decision events: actions[{k}, {at}]={actions[k, at]} (bar {self.rows[at]}) must "
                f"be {NO_ACTION}, {LONG}, {SHORT} or {FLAT}"
            )
        atr_frac = self.atr_frac[self.rows, self.columns]
        unknown = np.flatnonzero(~(np.isfinite(atr_frac) & (atr_frac > 0)))
        entering = (actions[:, unknown] & (LONG | SHORT)) != 0
        if entering.any():
            k, place = (int(i) for i in np.argwhere(entering)[0])
            at = int(unknown[place])
            raise ContractError(
                f"decision events: atr_frac[{self.rows[at]}, {self.columns[at]}]={atr_frac[at]} "
                f"must be finite and positive where a row asks for a position, as actions[{k}, "
                f"{at}] does; wait for its warm-up"
            )

    def _check_orders(self, orders: EntryOrders) -> None:
        if len(orders) != self.configurations:
            raise ContractError(
                f"decision events: orders of {len(orders)} configurations, actions of "
                f"{self.configurations}"
            )
        if orders.close.shape != self.atr_frac.shape:
            raise ContractError(
                f"decision events: orders.close has shape {orders.close.shape}, atr_frac has "
                f"{self.atr_frac.shape}"
            )

    @property
    def configurations(self) -> int:
        """K."""
        return len(self.actions)

    @property
    def columns(self) -> Int1D:
        """The symbol of each row, as a column of the panel."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @classmethod
    def from_decisions(cls, decisions: Sequence[Decisions]) -> "DecisionEvents":
        """Events of ready decisions, one element a configuration, all with one ``atr_frac``.

        Raises ContractError where a target is not -1, 0 or 1, or a style, kind or volatility is
        given (``with_orders`` adds the last two).
        """
        atr_frac = decisions[0].atr_frac
        bars, symbols = atr_frac.shape
        for k, one in enumerate(decisions):
            for name in ("style", "order_kind", "order_price", "volatility"):
                if getattr(one, name) is not None:
                    raise ContractError(f"decision events: configuration {k} states {name}")
            if one.atr_frac.shape != (bars, symbols) or not np.array_equal(
                one.atr_frac, atr_frac, equal_nan=True
            ):
                raise ContractError(f"decision events: configuration {k} has its own atr_frac")
            unfit = one.acts & ~np.isin(one.target, (-1.0, 0.0, 1.0))
            if unfit.any():
                row, column = (int(index) for index in np.argwhere(unfit)[0])
                raise ContractError(
                    f"decision events: configuration {k}: target[{row}, {column}]="
                    f"{one.target[row, column]} must be -1, 0 or 1"
                )
        rows, columns = [], []
        for s in range(symbols):
            acting = np.any([one.acts[:, s] for one in decisions], axis=0)
            own = np.flatnonzero(acting)
            filling = -len(own) % WORD
            rows.append(np.concatenate((own, np.full(filling, own[-1] if len(own) else 0))))
            actions = np.zeros((len(decisions), len(own) + filling), dtype=np.uint8)
            for k, one in enumerate(decisions):
                target, acts = one.target[own, s], one.acts[own, s]
                action = np.where(target > 0, LONG, np.where(target < 0, SHORT, FLAT))
                actions[k, : len(own)] = np.where(acts, action, NO_ACTION)
            columns.append(actions)
        return cls(
            rows=np.concatenate(rows).astype(np.int64),
            offsets=np.concatenate(([0], np.cumsum([len(own) for own in rows]))).astype(np.int64),
            actions=np.concatenate(columns, axis=1),
            atr_frac=atr_frac,
        )

    def with_orders(self, orders: EntryOrders) -> "DecisionEvents":
        """The same decisions entered by ``orders``, without those that cannot be: where a
        configuration's volatility is not known, or the price of its order is not above 0.
        """
        self._check_orders(orders)
        actions = self.actions.copy()
        columns = self.columns
        for k in range(len(actions)):
            acting = np.flatnonzero(actions[k])
            rows, own = self.rows[acting], columns[acting]
            can = orders.can_enter(
                k, rows, own, TARGETS[actions[k, acting]], self.atr_frac[rows, own]
            )
            actions[k, acting[~can]] = NO_ACTION
        return replace(self, actions=actions, orders=orders)

    def part(self, configurations: slice) -> "DecisionEvents":
        """The decisions of some configurations."""
        orders = None if self.orders is None else self.orders.chosen(configurations)
        return replace(self, actions=self.actions[configurations], orders=orders)

    def decisions(self, configuration: int) -> Decisions:
        """The decisions of one configuration in full, as a single replay takes them."""
        shape = self.atr_frac.shape
        target, acts = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        acting = np.flatnonzero(self.actions[configuration])
        rows, columns = self.rows[acting], self.columns[acting]
        wanted = TARGETS[self.actions[configuration, acting]]
        target[rows, columns], acts[rows, columns] = wanted, True
        if self.orders is None:
            return Decisions(target=target, acts=acts, atr_frac=self.atr_frac)
        kind, price = np.zeros(shape, dtype=np.int8), np.zeros(shape)
        kind[rows, columns] = self.orders.kinds(configuration, wanted)
        price[rows, columns] = self.orders.prices(
            configuration, rows, columns, wanted, self.atr_frac[rows, columns]
        )
        is_sized = self.orders.is_sized_by_volatility[configuration]
        return Decisions(
            target=target,
            acts=acts,
            atr_frac=self.atr_frac,
            order_kind=kind,
            order_price=price,
            volatility=self.orders.volatility if is_sized else None,
        )
