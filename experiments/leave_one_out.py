"""What a run would have been without each of its heads: the same votes, decided and replayed again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from engine import Decisions, Float1D, Int1D
from engine.decision_events import DecisionEvents
from engine.metrics import sharpe_from_sums
from engine.return_sums import SUMS
from engine.sweep import Float3D, Sweep
from engine.timeframe import DAY_NS, bars_per_year
from strategies import HeadOutput, VoteMatrix, consensus

from .config import RunConfig
from .decisions import from_opinions, sweep_orders
from .market_data import MarketData

FEWEST_HEADS: Final = 2
"""Heads that must vote before one can be left out."""
METRICS: Final = ("sharpe", "total_return", "max_drawdown", "trades")
"""What is stated of each run, as ``engine.metrics`` defines it."""
SUM: Final = SUMS.index("r")
SQUARES: Final = SUMS.index("r2")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeaveOneOut:
    """The run without each of the enabled ``heads``, in vote order; K of them.

    ``metrics`` float64 ``(K,)`` by name, those of ``METRICS``, NaN where undefined. Block *b* of ``sums``
    float64 ``(K, B, 2)``, the sums of bar returns and of their squares, covers the bars from
    ``edges[b]`` to ``edges[b + 1] - 1``: a day, or a bar where that is longer; the last may be shorter.
    """

    heads: tuple[str, ...]
    metrics: Mapping[str, Float1D]
    edges: Int1D
    sums: Float3D

    def of_heads(self) -> dict[str, dict[str, float]]:
        """The metrics of each run by the head that it lacks."""
        return {
            head: {name: float(self.metrics[name][k]) for name in METRICS}
            for k, head in enumerate(self.heads)
        }


def leave_one_out(
    config: RunConfig, data: MarketData, votes: Mapping[str, VoteMatrix], decisions: Decisions
) -> LeaveOneOut | None:
    """Replay ``config`` without each of its heads; None for targets and for fewer than two heads.

    ``votes`` by symbol and ``decisions`` are those of the run itself. Every number is that of the run
    with ``heads.enabled`` less the head, to the last bit: votes do not depend on each other, and the
    replay is the short way of a sweep.
    """
    heads = config.heads.enabled
    if config.targets is not None or len(heads) < FEWEST_HEADS:
        return None
    panel, rules = data.panel, config.rules()
    edges = day_edges(len(panel), panel.step_ns)
    sweep = Sweep(
        panel,
        data.funding,
        decisions.atr_frac,
        fine=data.fine,
        symbol_rules=config.rules_of_symbols(),
        edges=edges,
    )
    orders = sweep_orders([config], data)
    found = sweep.empty_result(len(heads))
    for k, head in enumerate(heads):
        opinions = {
            symbol: consensus(without_head(cast, head), config.consensus.rules())
            for symbol, cast in votes.items()
        }
        wanted, _ = from_opinions(config, data, opinions, decisions.atr_frac, decisions.volatility)
        # Orders and volatilities of entries are stated once for the sweep, not row by row.
        plain = replace(wanted, order_kind=None, order_price=None, volatility=None)
        events = DecisionEvents.from_decisions([plain])
        sweep.replay(events if orders is None else events.with_orders(orders), [rules], found, k)
    year, whole = bars_per_year(config.data.timeframe), found.sums[:, -1]
    return LeaveOneOut(
        heads=heads,
        metrics={
            "sharpe": sharpe_from_sums(whole, len(panel), year),
            "total_return": found.totals["final_equity"] / rules.initial_cash - 1.0,
            "max_drawdown": found.totals["max_drawdown"].copy(),
            "trades": found.totals["trades"].astype(np.float64),
        },
        edges=edges,
        sums=found.block_sums[:, :, [SUM, SQUARES]],
    )


def day_edges(bars: int, step_ns: int) -> Int1D:
    """First bars of blocks of a day each, or of a bar where it is longer, and ``bars`` at the end."""
    edges: Int1D = np.append(np.arange(0, bars, max(1, DAY_NS // step_ns)), bars).astype(np.int64)
    return edges


def without_head(votes: VoteMatrix, head: str) -> VoteMatrix:
    """The votes of the other heads."""
    kept = [column for column, name in enumerate(votes.names) if name != head]
    others: dict[str, Any] = {
        one.name: np.asfortranarray(getattr(votes, one.name)[:, kept]) for one in fields(HeadOutput)
    }
    return replace(votes, names=tuple(votes.names[column] for column in kept), **others)
