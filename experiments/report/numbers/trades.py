"""Trades by what they have in common, and over time."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from engine import REASONS, Float1D, Int1D
from engine.metrics import TradeGroup, trade_group

Trades: TypeAlias = np.ndarray[Any, Any]
"""Rows of ``TRADE_DTYPE``."""
SIDES: Final = ((1, "long"), (-1, "short"))


def by_symbol(trades: Trades, symbols: tuple[str, ...]) -> tuple[TradeGroup, ...]:
    """A group for each symbol, in their order, those without trades too."""
    return tuple(
        trade_group(name, trades[trades["symbol"] == code]) for code, name in enumerate(symbols)
    )


def by_side(trades: Trades) -> tuple[TradeGroup, ...]:
    """The groups ``long`` and ``short``."""
    return tuple(trade_group(name, trades[trades["side"] == code]) for code, name in SIDES)


def by_exit_reason(trades: Trades) -> tuple[TradeGroup, ...]:
    """A group for each reason that ended a trade, the most frequent first."""
    codes, counts = np.unique(trades["exit_reason"], return_counts=True)
    ordered = codes[np.argsort(-counts, kind="stable")]
    return tuple(
        trade_group(REASONS[code], trades[trades["exit_reason"] == code])
        for code in ordered.tolist()
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SideCurve:
    """Net results of the trades of one side, added up in the order of exits, from 0 on.

    ``time_ns`` ``(N + 2,)`` begins with ``start`` and ends with ``end``.
    """

    time_ns: Int1D
    net_pnl: Float1D


def side_curve(trades: Trades, side: int, start: int, end: int) -> SideCurve:
    """What trades with this ``side`` had made by each of their exits; times int64 ns."""
    chosen = trades[trades["side"] == side]
    chosen = chosen[np.argsort(chosen["exit_time_ns"], kind="stable")]
    total = np.concatenate(([0.0], np.cumsum(chosen["net_pnl"])))
    time = np.concatenate(([start], chosen["exit_time_ns"], [end])).astype(np.int64)
    return SideCurve(time_ns=time, net_pnl=np.append(total, total[-1]))


def largest_results(trades: Trades, count: int) -> Int1D:
    """Rows of the ``count`` largest net results by size, gains and losses alike, in ascending order."""
    order = np.argsort(-np.abs(trades["net_pnl"]), kind="stable")[:count]
    return np.sort(order).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """How few trades make the result: the net profit without the best winner, and without the best five.

    ``best_share`` is the share of all gains that the best tenth of the winning trades brought. NaN where
    fewer won than are taken away.
    """

    without_best: float
    without_best_five: float
    best_share: float


def concentration(trades: Trades) -> Concentration:
    """From the net results of one trade or more."""
    net = trades["net_pnl"]
    gains = np.sort(net[net > 0])[::-1]
    tenth = -(-len(gains) // 10)

    def without(count: int) -> float:
        return float(net.sum() - gains[:count].sum()) if len(gains) >= count else float("nan")

    return Concentration(
        without_best=without(1),
        without_best_five=without(5),
        best_share=float(gains[:tenth].sum() / gains.sum()) if len(gains) else float("nan"),
    )
