"""How many configurations enter: at the market or at a price beside the close, sized by what."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .argument_checks import check_array
from .arrays import Bool1D, Float1D, Float2D, Int1D, Int8Array1D
from .errors import ContractError
from .ledger import ORDER_KINDS
from .ticks import ROUNDING, on_ticks

MARKET: Final = ORDER_KINDS.index("market")
LIMIT: Final = ORDER_KINDS.index("limit")


def entry_prices(
    close: np.ndarray, atr_frac: np.ndarray, side: np.ndarray, kind: int, offset_atr: float,
    tick: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Prices of resting entries, ``offset_atr`` average true ranges from the close that decided.

    The arrays have one shape, or shapes that broadcast to one: ``close`` in quote currency,
    ``atr_frac`` average true range / close, ``side`` the sign of the position that is wanted,
    ``tick`` the symbol's price step (0: none). A ``limit`` to buy lies below the close and a ``stop``
    above it, mirrored to sell; both are on the tick away from the close. The price of no position is
    the close itself, on a tick below it. NaN where ``atr_frac`` is.
    """
    away = np.sign(side) * (-1.0 if kind == LIMIT else 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        price: np.ndarray = close * (1.0 + away * offset_atr * atr_frac)
        steps = price / tick
        up, down = np.ceil(steps - ROUNDING), np.floor(steps + ROUNDING)
        rounded = on_ticks(np.where(away > 0, up, down), np.asarray(tick))
    return np.where((tick > 0) & (price >= tick), rounded, price)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntryOrders:
    """The entry orders of K configurations.

    ``kind`` int8 ``(K,)``, codes of ``ORDER_KINDS``; ``offset_atr`` float64 ``(K,)``, not negative, how
    many average true ranges a limit or stop lies from the close that decides (``entry_prices``); what
    ends a position without entering another is always a market order. ``close`` float64 ``(T, S)``, the
    panel's; ``tick`` float64 ``(S,)``, price steps, 0 for none. ``is_sized_by_volatility`` bool ``(K,)``
    says which configurations state ``volatility`` float64 ``(T, S)``, annual, as in ``Decisions``; None
    where no configuration does. Raises ContractError otherwise.
    """

    kind: Int8Array1D
    offset_atr: Float1D
    close: Float2D
    tick: Float1D
    is_sized_by_volatility: Bool1D
    volatility: Float2D | None = None

    def __post_init__(self) -> None:
        for name, dtype, dimensions in (
            ("kind", np.int8, 1),
            ("offset_atr", np.float64, 1),
            ("close", np.float64, 2),
            ("tick", np.float64, 1),
            ("is_sized_by_volatility", np.bool_, 1),
        ):
            check_array("entry orders", name, getattr(self, name), dtype, dimensions)
        count, shape = len(self.kind), self.close.shape
        if self.volatility is not None:
            check_array("entry orders", "volatility", self.volatility, np.float64, 2)
        elif self.is_sized_by_volatility.any():
            k = int(np.argmax(self.is_sized_by_volatility))
            raise ContractError(
                f"entry orders: is_sized_by_volatility[{k}]=True needs volatility, which is None"
            )
        for name, expected in (
            ("offset_atr", (count,)),
            ("is_sized_by_volatility", (count,)),
            ("tick", shape[1:]),
            ("volatility", shape),
        ):
            column = getattr(self, name)
            if column is not None and column.shape != expected:
                raise ContractError(
                    f"entry orders: {name} has shape {column.shape}, expected {expected}"
                )
        for name, ok, rule in (
            ("kind", (self.kind >= 0) & (self.kind < len(ORDER_KINDS)), "must be a code of "
             + ", ".join(ORDER_KINDS)),
            ("offset_atr", np.isfinite(self.offset_atr) & (self.offset_atr >= 0),
             "must be finite and not negative"),
            ("tick", np.isfinite(self.tick) & (self.tick >= 0), "must be finite and not negative"),
        ):  # fmt: skip
            if not ok.all():
                row = int(np.argmin(ok))
                raise ContractError(
                    f"entry orders: {name}[{row}]={getattr(self, name)[row]} {rule}"
                )

    def __len__(self) -> int:
        return len(self.kind)

    def chosen(self, configurations: Int1D | slice) -> "EntryOrders":
        """Those of some configurations."""
        return EntryOrders(
            kind=self.kind[configurations],
            offset_atr=self.offset_atr[configurations],
            close=self.close,
            tick=self.tick,
            is_sized_by_volatility=self.is_sized_by_volatility[configurations],
            volatility=self.volatility,
        )

    def kinds(self, configuration: int, target: Float1D) -> Int8Array1D:
        """The kind of the order for each target."""
        return np.where(target != 0, self.kind[configuration], np.int8(MARKET)).astype(np.int8)

    def prices(
        self, configuration: int, rows: Int1D, columns: Int1D, target: Float1D, atr_frac: Float1D
    ) -> Float1D:
        """The price of the order for each target; 0 where the configuration enters at the market."""
        kind = int(self.kind[configuration])
        if kind == MARKET:
            return np.zeros(len(target))
        return entry_prices(
            self.close[rows, columns], atr_frac, target, kind,
            float(self.offset_atr[configuration]), self.tick[columns],
        )  # fmt: skip

    def can_enter(
        self, configuration: int, rows: Int1D, columns: Int1D, target: Float1D, atr_frac: Float1D
    ) -> Bool1D:
        """Whether each order can be sized and has a price above 0; an exit always can."""
        can = np.ones(len(target), dtype=np.bool_)
        if self.kind[configuration] != MARKET:
            price = self.prices(configuration, rows, columns, target, atr_frac)
            can &= np.isfinite(price) & (price > 0)
        if self.volatility is not None and self.is_sized_by_volatility[configuration]:
            volatility = self.volatility[rows, columns]
            can &= np.isfinite(volatility) & (volatility > 0)
        can |= target == 0
        return can
