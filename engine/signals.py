"""Decisions from entry and exit signals."""

import numpy as np

from .arrays import Bool2D, Float2D, Int8Array2D
from .decisions import STYLES, Decisions
from .errors import ConfigError, ContractError

_TARGET = STYLES.index("target")
_ADD = STYLES.index("add")
_EXIT_LONG = STYLES.index("exit_long")
_EXIT_SHORT = STYLES.index("exit_short")


def signals(
    entries_long: Bool2D,
    exits_long: Bool2D,
    entries_short: Bool2D,
    exits_short: Bool2D,
    atr_frac: Float2D,
    *,
    unit: float = 1.0,
    pyramiding: bool = False,
    order_kind: Int8Array2D | None = None,
    order_price: Float2D | None = None,
    volatility: Float2D | None = None,
) -> Decisions:
    """Decisions in which a signal acts and everything else leaves the position as it is.

    Signals are bool ``(T, S)``, known at the close of their row. A long entry asks for a target of
    ``unit`` in (0, 1], a short one for ``−unit``; with ``pyramiding`` it adds that to a position of its
    own side, up to a full one. An exit ends a position of its side and does nothing without one.
    ``atr_frac`` and the optional columns are those of :class:`Decisions`; order kinds and prices hold
    for the exits of their row too.

    What counts when one row has several signals of a symbol:

    ====================================  ========================================================
    entry and exit of the other side      the entry, which ends a position of the other side anyway
    both exits                            no position, whatever its side, and no pending order
    both entries; entry and exit of a     refused: a ContractError names the row and the symbol's
    side                                  column
    ====================================  ========================================================

    Raises ContractError also for arrays of the wrong dtype or shape, ConfigError for ``unit``.
    """
    if not 0.0 < unit <= 1.0:
        raise ConfigError(f"signals: unit={unit} must lie in (0, 1], a share of a full position")
    named = {
        "entries_long": entries_long,
        "exits_long": exits_long,
        "entries_short": entries_short,
        "exits_short": exits_short,
    }
    for name, signal in named.items():
        if not isinstance(signal, np.ndarray) or signal.dtype != np.bool_ or signal.ndim != 2:
            raise ContractError(f"signals: {name} must be a 2-dimensional bool array, (T, S)")
        if signal.shape != entries_long.shape:
            raise ContractError(
                f"signals: {name} has shape {signal.shape}, entries_long has {entries_long.shape}"
            )
    for one, other in (
        ("entries_long", "entries_short"),
        ("entries_long", "exits_long"),
        ("entries_short", "exits_short"),
    ):
        _refuse_both(one, named[one], other, named[other])
    exits = exits_long | exits_short
    entries = entries_long | entries_short
    style = np.full(entries_long.shape, _TARGET, dtype=np.int8)
    style[exits_long & ~exits_short & ~entries] = _EXIT_LONG
    style[exits_short & ~exits_long & ~entries] = _EXIT_SHORT
    if pyramiding:
        style[entries] = _ADD
    return Decisions(
        target=np.where(entries_long, unit, np.where(entries_short, -unit, 0.0)),
        acts=entries | exits,
        atr_frac=atr_frac,
        style=style,
        order_kind=order_kind,
        order_price=order_price,
        volatility=volatility,
    )


def _refuse_both(one: str, first: Bool2D, other: str, second: Bool2D) -> None:
    """Refuse a row in which two signals of a symbol contradict each other."""
    both = first & second
    if both.any():
        row, column = (int(index) for index in np.argwhere(both)[0])
        raise ContractError(
            f"signals: {one}[{row}, {column}] and {other}[{row}, {column}] are both True: they "
            "contradict each other; clear one of them"
        )
