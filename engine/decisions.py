"""What the replay accepts: decisions at bar closes, and funding events."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .argument_checks import check_array
from .arrays import Bool2D, Float1D, Float2D, Int1D, Int8Array2D
from .errors import ContractError
from .ledger import ORDER_KINDS

STYLES: Final = ("target", "add", "exit_long", "exit_short")
"""How a row's target is meant, by code: it replaces what is held, adds to it, or ends one side."""

COLUMNS: Final = {
    "target": np.float64,
    "acts": np.bool_,
    "atr_frac": np.float64,
    "style": np.int8,
    "order_kind": np.int8,
    "order_price": np.float64,
    "volatility": np.float64,
}
REQUIRED: Final = ("target", "acts", "atr_frac")
FUNDING_COLUMNS: Final = {
    "time_ns": np.int64,
    "symbol_index": np.int64,
    "rate": np.float64,
    "mark_price": np.float64,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """What is wanted at each close; row *t* is known at close *t* and fills at a later open.

    Shapes ``(T, S)``: ``target`` float64 in [-1, 1], the signed share of a full position that is
    wanted; ``acts`` bool, whether the row decides at all (where False, nothing else is read but
    ``atr_frac``); ``atr_frac`` float64, average true range / close, finite and positive where a row acts
    with a target other than 0, elsewhere also NaN (a trailing stop then stays where it is).

    Optional, ``(T, S)``: ``style`` int8, codes of ``STYLES``, all ``target`` where None; ``order_kind``
    int8, codes of ``ORDER_KINDS``, all ``market`` where None; ``order_price`` float64 in quote currency,
    positive where the kind is ``limit`` or ``stop``; ``volatility`` float64, annual, positive where a
    row asks for a position (needed for sizing by volatility only).

    Raises ContractError when a shape, a dtype or a value breaks these rules.
    """

    target: Float2D
    acts: Bool2D
    atr_frac: Float2D
    style: Int8Array2D | None = None
    order_kind: Int8Array2D | None = None
    order_price: Float2D | None = None
    volatility: Float2D | None = None

    def __post_init__(self) -> None:
        for name, dtype in COLUMNS.items():
            column = getattr(self, name)
            if column is None and name not in REQUIRED:
                continue
            check_array("decisions", name, column, dtype, 2)
            if column.shape != self.target.shape:
                raise ContractError(
                    f"decisions: {name} has shape {column.shape}, target has {self.target.shape}"
                )
        self._check(self.acts & ~(np.abs(self.target) <= 1), "target", "must lie in [-1, 1]")
        entering = self.acts & (self.target != 0)
        known = np.isfinite(self.atr_frac) & (self.atr_frac > 0)
        self._check(
            entering & ~known,
            "atr_frac",
            "must be finite and positive where a row asks for a position; wait for its warm-up",
        )
        self._check_orders(entering)

    def _check_orders(self, entering: Bool2D) -> None:
        for name, names in (("style", STYLES), ("order_kind", ORDER_KINDS)):
            codes = getattr(self, name)
            if codes is not None:
                known = (codes >= 0) & (codes < len(names))
                self._check(self.acts & ~known, name, f"must be a code of {', '.join(names)}")
        if self.order_kind is not None:
            priced = self.acts & (self.order_kind > 0)
            if self.order_price is None and priced.any():
                raise ContractError(
                    "decisions: order_price is needed where order_kind is limit or stop"
                )
            if self.order_price is not None:
                stated = np.isfinite(self.order_price) & (self.order_price > 0)
                self._check(priced & ~stated, "order_price", "must be finite and positive")
        if self.volatility is not None:
            stated = np.isfinite(self.volatility) & (self.volatility > 0)
            self._check(
                entering & ~stated,
                "volatility",
                "must be finite and positive where a row asks for a position",
            )

    def _check(self, broken: Bool2D, name: str, rule: str) -> None:
        if broken.any():
            row, column = (int(index) for index in np.argwhere(broken)[0])
            raise ContractError(
                f"decisions: {name}[{row}, {column}]={getattr(self, name)[row, column]} {rule}"
            )

    def prefix(self, count: int) -> "Decisions":
        """The first ``count`` rows."""
        return Decisions(
            target=self.target[:count],
            acts=self.acts[:count],
            atr_frac=self.atr_frac[:count],
            style=None if self.style is None else self.style[:count],
            order_kind=None if self.order_kind is None else self.order_kind[:count],
            order_price=None if self.order_price is None else self.order_price[:count],
            volatility=None if self.volatility is None else self.volatility[:count],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Funding:
    """Settlements of the traded perpetuals, sorted by time.

    Shapes ``(E,)``: ``time_ns`` int64 ns UTC, not decreasing; ``symbol_index`` int64, a column of the
    panel; ``rate`` float64, fraction of the notional that a long pays for this settlement;
    ``mark_price`` float64 in quote currency, 0 where the source gives none (the open of the bar is
    used). Raises ContractError otherwise.
    """

    time_ns: Int1D
    symbol_index: Int1D
    rate: Float1D
    mark_price: Float1D

    def __post_init__(self) -> None:
        for name, dtype in FUNDING_COLUMNS.items():
            column = getattr(self, name)
            check_array("funding", name, column, dtype, 1)
            if column.shape != self.time_ns.shape:
                raise ContractError(
                    f"funding: {name} has shape {column.shape}, time_ns has {self.time_ns.shape}"
                )
        for name, ok, rule in (
            (
                "time_ns",
                np.diff(self.time_ns, prepend=self.time_ns[:1]) >= 0,
                "lies before the row above; sort the events by time",
            ),
            ("symbol_index", self.symbol_index >= 0, "must be a column of the panel"),
            ("rate", np.isfinite(self.rate), "must be finite"),
            (
                "mark_price",
                np.isfinite(self.mark_price) & (self.mark_price >= 0),
                "must be finite and not negative, 0 where the source gives none",
            ),
        ):
            if not ok.all():
                row = int(np.flatnonzero(~ok)[0])
                raise ContractError(f"funding: {name}[{row}]={getattr(self, name)[row]} {rule}")

    @classmethod
    def none(cls) -> "Funding":
        """No settlements at all."""
        empty = np.zeros(0)
        whole = np.zeros(0, dtype=np.int64)
        return cls(time_ns=whole, symbol_index=whole, rate=empty, mark_price=empty)
