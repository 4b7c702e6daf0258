"""What the limits of docs/accounting.md §3.1 are computed from and into."""

from typing import Final, NamedTuple

import numpy as np

from .arrays import Int1D, Records1D
from .rules import ReplayRules

METHODS: Final = ("fraction", "risk", "volatility")
"""Sizing methods by code."""

CLAIM_FIELDS: Final = (
    *(
        (name, np.float64)
        for name in (
            "position",
            "stop",
            "entry_price",
            "target",
            "reference",
            "stop_distance",
            "volatility",
            "wanted",
            "granted",
        )
    ),
    *((name, np.int64) for name in ("sector", "limit", "is_outside")),
)
"""Fields of a symbol's record that the limits read and write.

Held: signed ``position`` (0: none), level ``stop`` (NaN: none), average ``entry_price``, number of the
``sector``. Ordered, read for symbols of the batch only: ``target`` is the g of the order, ``reference``
its reference price; ``stop_distance`` (a fraction of the price, NaN without a stop) and ``volatility``
are those of the deciding row. Written for symbols of the batch: ``wanted`` is w before the limits,
``granted`` after limit 10, ``limit`` the code of the last one of ``LIMITS`` that lowered it.
``is_outside`` is scratch.
"""


LIMIT_NUMBERS_DTYPE: Final = np.dtype(
    [
        *(
            (name, np.float64)
            for name in (
                "size",
                "kelly",
                "kelly_max",
                "drawdown_start",
                "drawdown_halt",
                "max_position",
                "max_correlation",
                "max_positions",
                "max_sector",
                "max_heat",
                "max_gross",
                "leverage",
            )
        ),
        *(
            (name, np.int64)
            for name in (
                "method",
                "correlation_bars",
                "is_margined",
                "is_isolated",
                "is_inverse",
                "only_gross",
            )
        ),
    ],
    align=True,
)
"""Sizing and limits as numbers; ``inf`` for a limit that is off, NaN for ``kelly`` that is off.

``method`` is an index of ``METHODS`` and ``size`` its number. ``only_gross``: nothing but the tier and
the gross limit can cut an order. ``is_margined`` is 0 for margin mode none.
"""


class ClosedTrades(NamedTuple):
    """Trades that ended in bars before the batch's: how many, how many won, and what they returned.

    ``win_return`` sums ``return_frac`` of the wins, ``loss_return`` that of the others times −1.
    """

    closed: int
    wins: int
    win_return: float
    loss_return: float


def limit_numbers(rules: ReplayRules) -> Records1D:
    """The rules' sizing and limits for ``grant_kernel``: one record of ``LIMIT_NUMBERS_DTYPE``."""
    sizing, limits, margin = rules.sizing, rules.limits, rules.margin
    sizes = (sizing.position_fraction, sizing.risk_frac, sizing.volatility_target)
    method = METHODS.index(sizing.method)
    optional = {
        "drawdown_start": limits.drawdown_start,
        "drawdown_halt": limits.drawdown_halt,
        "max_position": limits.max_position,
        "max_correlation": limits.max_correlation,
        "max_positions": limits.max_positions,
        "max_sector": limits.max_sector,
        "max_heat": limits.max_heat,
    }
    numbers = {
        "method": method,
        "size": sizes[method],
        "kelly": np.nan if sizing.kelly is None else sizing.kelly,
        "kelly_max": sizing.kelly_max,
        "correlation_bars": limits.correlation_bars,
        "max_gross": limits.max_gross,
        "is_margined": margin.mode != "none",
        "is_isolated": margin.mode == "isolated",
        "leverage": margin.leverage,
        "is_inverse": margin.contract == "inverse",
        "only_gross": sizing.kelly is None and all(limit is None for limit in optional.values()),
        **{name: np.inf if limit is None else limit for name, limit in optional.items()},
    }
    table = np.zeros(1, dtype=LIMIT_NUMBERS_DTYPE)
    for name, number in numbers.items():
        table[name] = number
    return table


def sector_numbers(sectors: list[str | None]) -> Int1D:
    """A number in 0 … S−1 for each symbol's sector, a number of its own for None; ``(S,)``."""
    first: dict[str, int] = {}
    numbers = [
        s if sector is None else first.setdefault(sector, s) for s, sector in enumerate(sectors)
    ]
    return np.array(numbers, dtype=np.int64)
