"""What the replay accepts: decisions at bar closes, and funding events."""

from dataclasses import dataclass

import numpy as np

from .arrays import Bool2D, Float1D, Float2D, Int1D
from .errors import ContractError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """What is wanted at each close; row *t* is known at close *t* and fills at a later open.

    Shapes ``(T, S)``: ``target`` float64 in [-1, 1], the signed share of ``position_fraction`` that
    is wanted; ``acts`` bool, whether the row decides at all (where False, ``target`` is not read);
    ``atr_frac`` float64, average true range / close, read where a row acts with a target other than
    0 and then finite and positive.

    Raises ContractError when a shape, a dtype or a value breaks these rules.
    """

    target: Float2D
    acts: Bool2D
    atr_frac: Float2D

    def __post_init__(self) -> None:
        for name, dtype in (("target", np.float64), ("acts", np.bool_), ("atr_frac", np.float64)):
            column = getattr(self, name)
            if not isinstance(column, np.ndarray) or column.dtype != dtype or column.ndim != 2:
                raise ContractError(
                    f"decisions: {name} must be a 2-dimensional {np.dtype(dtype)} array"
                )
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

    def _check(self, broken: Bool2D, name: str, rule: str) -> None:
        if broken.any():
            row, column = (int(index) for index in np.argwhere(broken)[0])
            raise ContractError(
                f"decisions: {name}[{row}, {column}]={getattr(self, name)[row, column]} {rule}"
            )

    def prefix(self, count: int) -> "Decisions":
        """The first ``count`` rows."""
        return Decisions(
            target=self.target[:count], acts=self.acts[:count], atr_frac=self.atr_frac[:count]
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
        count = len(self.time_ns)
        for name in ("symbol_index", "rate", "mark_price"):
            if getattr(self, name).shape != (count,):
                raise ContractError(f"funding: {name} must have shape ({count},) like time_ns")
        for name, ok in (
            ("time_ns", np.diff(self.time_ns, prepend=self.time_ns[:1]) >= 0),
            ("symbol_index", self.symbol_index >= 0),
            ("rate", np.isfinite(self.rate)),
            ("mark_price", np.isfinite(self.mark_price) & (self.mark_price >= 0)),
        ):
            if not ok.all():
                row = int(np.flatnonzero(~ok)[0])
                raise ContractError(
                    f"funding: {name}[{row}]={getattr(self, name)[row]}: times must not decrease, "
                    "numbers be finite, indices and prices not negative"
                )

    @classmethod
    def none(cls) -> "Funding":
        """No settlements at all."""
        empty = np.zeros(0)
        whole = np.zeros(0, dtype=np.int64)
        return cls(time_ns=whole, symbol_index=whole, rate=empty, mark_price=empty)
