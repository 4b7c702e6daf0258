"""Consensus sweeps over the votes of the nine heads, decided and replayed, against vectorbt."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine import (
    HOUR_NS,
    Exits,
    Funding,
    Limits,
    Panel,
    ReplayRules,
    Sizing,
)
from engine.sweep import SweepResult
from strategies import HEADS, ConsensusRules, vote_matrix
from strategies.consensus_sweep import SymbolVotes, consensus_events, consensus_sweep

from .peers.memory import peak_memory
from .peers.vectorbt_sweep import sweep as vectorbt_sweep
from .peers.work import SweepWork
from .timing import timed, timed_pair

BARS = 26_280
CONFIGURATIONS = 1_000
PEER_CONFIGURATIONS = 100
ANY_RULE_CONFIGURATIONS = 128
STOP, TARGET = (0.01, 0.05), (0.02, 0.1)


@dataclass(frozen=True)
class Work:
    """One symbol's votes and market, and K configurations."""

    symbol: SymbolVotes
    panel: Panel
    atr_frac: np.ndarray
    funding: Funding
    consensus_rules: list[ConsensusRules]
    rules: list[ReplayRules]

    def run(self, threads: int = 1, count: int | None = None, *, pays: bool = True) -> SweepResult:
        """Sweep the first ``count`` configurations."""
        return consensus_sweep(
            [self.symbol],
            self.panel,
            self.funding if pays else Funding.none(),
            self.atr_frac,
            self.consensus_rules[:count],
            self.rules[:count],
            threads=threads,
        )


Market = tuple[SymbolVotes, Panel]


def simulated_market() -> Market:
    """Three simulated years of hourly bars and what the nine heads say about them."""
    from datasets import SimulationSpec, simulate

    spec = SimulationSpec(symbols=("BTCSIM",), days=BARS // 24, seed=3)
    market = simulate(spec).markets["BTCSIM"]
    votes = vote_matrix(market, [head() for head in HEADS])
    return (
        SymbolVotes(votes=votes, is_gap=market.bars.is_gap),
        Panel.from_bars({"BTCSIM": market.bars}),
    )


def work(market: Market, configurations: int) -> Work:
    """Configurations around the defaults: random weights, thresholds, stops, targets and sizes."""
    symbol, panel = market
    generator = np.random.default_rng(0)
    uniform, names = generator.uniform, symbol.votes.names
    settlements = panel.open_time[panel.open_time % (8 * HOUR_NS) == 0]
    return Work(
        symbol=symbol,
        panel=panel,
        atr_frac=np.full(panel.open.shape, 0.01),
        funding=Funding(
            time_ns=settlements,
            symbol_index=np.zeros(len(settlements), dtype=np.int64),
            rate=np.full(len(settlements), 1e-4),
            mark_price=np.zeros(len(settlements)),
        ),
        consensus_rules=[
            ConsensusRules(
                weights=dict(zip(names, generator.dirichlet(np.full(9, 6.0)), strict=True)),
                p_min=uniform(0.56, 0.63),
                c_min=uniform(0.6, 0.74),
                weight_min=uniform(0.3, 0.45),
                score_min=uniform(-0.2, 0.1),
                consensus_c_min=uniform(0.6, 0.8),
                consensus_p_min=uniform(0.55, 0.66),
                max_opposite=generator.choice([None, 3, 4]),
            )
            for _ in range(configurations)
        ],
        rules=[
            ReplayRules(
                exits=Exits(
                    stop_atr=None, stop_frac=uniform(*STOP), take_profit_frac=uniform(*TARGET)
                ),
                sizing=Sizing(position_fraction=uniform(0.1, 1.0)),
                limits=Limits(max_gross=1.0),
            )
            for _ in range(configurations)
        ],
    )


def peer_work(own: Work, configurations: int) -> SweepWork:
    """The same decisions, stops and targets for vectorbt, which knows no funding and no liquidation."""
    events = consensus_events(
        [own.symbol], own.panel, own.atr_frac, own.consensus_rules[:configurations]
    )
    bars = len(own.panel)
    sides = np.zeros((bars, configurations), dtype=np.int8)
    for k in range(configurations):
        decided = events.decisions(k)
        at = np.maximum.accumulate(np.where(decided.acts[:, 0], np.arange(bars), 0))
        sides[:, k] = decided.target[at, 0]
    columns = {
        name: getattr(own.panel, name)[:, 0].copy() for name in ("open", "high", "low", "close")
    }
    exits = [rules.exits for rules in own.rules[:configurations]]
    return SweepWork(
        **columns,
        sides=sides,
        stop_frac=np.array([one.stop_frac for one in exits]),
        take_profit_frac=np.array([one.take_profit_frac for one in exits]),
        step_ns=HOUR_NS,
    )


def _run(market: Market, configurations: int) -> None:
    work(market, configurations).run()


def _run_peer(market: Market, configurations: int) -> None:
    vectorbt_sweep(peer_work(work(market, configurations), configurations), "numba")


def figures() -> dict[str, float]:
    """Bars × configurations per second, decided and replayed; ratios; peak megabytes."""
    market = simulated_market()
    own = work(market, CONFIGURATIONS)
    cells = BARS * CONFIGURATIONS
    one, two = timed_pair(lambda: own.run(1), lambda: own.run(2), runs=7)
    quiet, paying = timed_pair(
        lambda: own.run(1, pays=False), lambda: own.run(1, pays=True), runs=7
    )
    result = own.run(2)
    theirs = peer_work(own, PEER_CONFIGURATIONS)
    peers = {
        engine: timed(lambda engine=engine: vectorbt_sweep(theirs, engine), runs=2).best_s
        for engine in ("numba", "rust")
    }
    peer_rate = BARS * PEER_CONFIGURATIONS / min(peers.values())
    ours_mb = {
        count: _above_start(_run, market, count) for count in (CONFIGURATIONS, 4 * CONFIGURATIONS)
    }
    theirs_mb = _above_start(_run_peer, market, PEER_CONFIGURATIONS)
    return {
        "trades_per_configuration": float(result.totals["trades"].mean()),
        "share_of_bars_in_position": float(result.totals["bars_in_position"].mean() / BARS),
        "one_thread_cells_per_s": cells / one.best_s,
        "two_threads_cells_per_s": cells / two.best_s,
        "two_threads_faster_times": one.best_s / two.best_s,
        "funding_on_over_off_times": paying.best_s / quiet.best_s,
        **{
            f"vectorbt_{engine}_cells_per_s": BARS * PEER_CONFIGURATIONS / seconds
            for engine, seconds in peers.items()
        },
        "one_thread_faster_than_vectorbt_times": cells / one.best_s / peer_rate,
        **{f"peak_mb_{count}_configurations": used for count, used in ours_mb.items()},
        "vectorbt_peak_mb": theirs_mb,
        **sweep_of_any_rule(market),
    }


def sweep_of_any_rule(market: Market) -> dict[str, float]:
    """Configurations per second with trailing stops, which go through the replay's own loop."""
    plain = work(market, ANY_RULE_CONFIGURATIONS)
    trailing = replace(
        plain,
        rules=[
            replace(
                rules,
                exits=Exits(
                    stop_atr=None, stop_frac=rules.exits.stop_frac, trail_frac=rules.exits.stop_frac
                ),
            )
            for rules in plain.rules
        ],
    )
    one, two = timed_pair(lambda: trailing.run(1), lambda: trailing.run(2), runs=5)
    return {
        "any_rule_configurations_per_s": ANY_RULE_CONFIGURATIONS / one.best_s,
        "any_rule_two_threads_faster_times": one.best_s / two.best_s,
    }


def _above_start(run: Callable[[Market, int], None], market: Market, count: int) -> float:
    """Megabytes that a sweep takes at its peak beyond what a sweep of 8 has left behind."""
    used = peak_memory(functools.partial(run, market, count), functools.partial(run, market, 8))
    return used.peak_mb - used.before_mb


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:45s} {value:,.4g}")
