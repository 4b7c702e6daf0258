"""Sweeps from a configuration to a ledger: what they cost beside the engine, and against vectorbt."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets import Store
from engine import Panel
from experiments.config import RunConfig
from experiments.decisions import average_true_ranges
from experiments.market_data import MarketData, load_market_data
from experiments.sweeps.config import SweepConfig, sweep_config_of
from experiments.sweeps.evaluate import Evaluator
from experiments.sweeps.executors import Workers
from experiments.sweeps.run import SweepProgress, run_sweep
from experiments.sweeps.space import Space, sobol_points, space_of
from experiments.sweeps.values import RulesOf
from experiments.sweeps.votes import MarketVotes
from strategies import ConsensusRules
from strategies.consensus_sweep import SymbolVotes, consensus_events, consensus_sweep

from .peers.vectorbt_sweep import sweep as vectorbt_sweep
from .peers.work import SweepWork

SYMBOLS = ("AAASIM", "BBBSIM", "CCCSIM")
BARS = 26_280
SCREENED, SCREEN_BATCH = 16_384, 4_096
SEARCHED, SEARCH_BATCH, SEEDS = 1_000, 64, 200
PEER_POINTS = 24
PEER_SEARCHED = 64
STOP_FRAC, TAKE_PROFIT_FRAC = 0.03, 0.06
PRICES = ("open", "high", "low", "close")

SPACE: dict[str, Any] = {
    "consensus.weights": {"kind": "weights"},
    "consensus.quorum": {"kind": "whole", "low": 3, "high": 6},
    **{
        f"consensus.{name}": {"kind": "real", "low": low, "high": high}
        for name, low, high in (
            ("p_min", 0.54, 0.62),
            ("c_min", 0.55, 0.74),
            ("consensus_p_min", 0.54, 0.66),
            ("consensus_c_min", 0.55, 0.8),
            ("score_min", -0.2, 0.1),
        )
    },
}
"""Weights of the nine heads and thresholds around the defaults: fifteen coordinates."""


def sweep_config(*, screened: int, searched: int, seeds: int = SEEDS) -> SweepConfig:
    """Three simulated years of hourly bars of three symbols, one account, stops and targets of 3 and
    6 %, one unit of gross exposure.
    """
    return sweep_config_of(
        {
            "name": "tuning",
            "data": {"simulated": {"symbols": list(SYMBOLS), "days": BARS // 24, "seed": 3}},
            "exits": {
                "stop_atr": None,
                "take_profit_atr": None,
                "stop_frac": STOP_FRAC,
                "take_profit_frac": TAKE_PROFIT_FRAC,
            },
            "sweep": {
                "space": SPACE,
                "screen": {"trials": screened, "batch": SCREEN_BATCH},
                "search": {"trials": searched, "batch": SEARCH_BATCH, "seeds": seeds},
            },
        }
    )


def seconds_of(config: SweepConfig, store: Store, threads: int, after: int) -> float:
    """Seconds of a sweep's trials from number ``after`` on, ledger written."""
    seen: list[SweepProgress] = []
    with tempfile.TemporaryDirectory() as runs:
        run_sweep(
            config,
            store=store,
            runs=runs,
            workers=Workers(threads=threads),
            watch=seen.append,
        )
    start = next(one for one in seen if one.done >= after)
    return seen[-1].seconds - start.seconds


def symbol_votes(config: RunConfig, data: MarketData) -> dict[str, SymbolVotes]:
    """What the nine heads say about each symbol."""
    return {
        symbol: SymbolVotes(votes=MarketVotes(market).cast(config), is_gap=market.bars.is_gap)
        for symbol, market in data.markets.items()
    }


def screening(store: Store, data: MarketData) -> dict[str, float]:
    """Configurations per second of the whole screen on one thread, and its time over its kernel's.

    The votes of the heads, which the first batch casts, count as start-up.
    """
    config = sweep_config(screened=SCREENED, searched=0)
    space = space_of(config)
    rules_of = RulesOf(space)
    points = sobol_points(len(space), SCREENED, config.seed)[SCREEN_BATCH:].tolist()
    rules = [rules_of(space.values(point)) for point in points]
    votes = list(symbol_votes(space.base, data).values())
    atr_frac = average_true_ranges(space.base, data)

    def alone() -> None:
        consensus_sweep(
            votes,
            data.panel,
            data.funding,
            atr_frac,
            [one.consensus for one in rules],
            [one.replay for one in rules],
        )

    alone()
    whole, kernel = [], []
    for _ in range(3):
        whole.append(seconds_of(config, store, 1, SCREEN_BATCH))
        start = time.perf_counter()
        alone()
        kernel.append(time.perf_counter() - start)
    return {
        "screened_configurations_per_s": len(points) / min(whole),
        "kernel_configurations_per_s": len(points) / min(kernel),
        "screen_over_kernel_times": min(whole) / min(kernel),
        "screen_overhead_us_per_trial": (min(whole) - min(kernel)) / len(points) * 1e6,
    }


def searching(store: Store, data: MarketData) -> dict[str, float]:
    """Milliseconds of a TPE trial in batches, with and without the evaluation of its batch."""
    config = sweep_config(screened=1024, searched=SEARCHED)
    space = space_of(config)
    evaluator = Evaluator(space, data, threads=2)
    points = sobol_points(len(space), 1024, 1)[:SEARCHED].tolist()
    values = [space.values(point) for point in points]
    evaluator(values[:SEARCH_BATCH])
    start = time.perf_counter()
    for first in range(0, SEARCHED, SEARCH_BATCH):
        evaluator(values[first : first + SEARCH_BATCH])
    engine = time.perf_counter() - start
    whole = seconds_of(config, store, 2, 1024)
    return {
        "tpe_trial_ms": whole / SEARCHED * 1e3,
        "tpe_overhead_ms_per_trial": (whole - engine) / SEARCHED * 1e3,
        "tpe_trials_per_s": SEARCHED / whole,
    }


@dataclass(frozen=True)
class PlainLoop:
    """One configuration after another through vectorbt, symbol by symbol.

    The decisions are made by our own consensus, as an array program beside vectorbt would make them.
    vectorbt knows no funding and no account that symbols share: the score is the mean of the symbols'.
    """

    space: Space
    data: MarketData
    votes: Mapping[str, SymbolVotes]
    panels: Mapping[str, Panel]

    def score(self, point: Sequence[float]) -> float:
        """The mean Sharpe ratio of the configuration at ``point``."""
        consensus = RulesOf(self.space)(self.space.values(point)).consensus
        return float(np.mean([self._sharpe(symbol, consensus) for symbol in self.votes]))

    def _sharpe(self, symbol: str, consensus: ConsensusRules) -> float:
        panel, bars = self.panels[symbol], len(self.panels[symbol])
        decided = consensus_events(
            [self.votes[symbol]], panel, np.full((bars, 1), 0.01), [consensus]
        ).decisions(0)
        last = np.maximum.accumulate(np.where(decided.acts[:, 0], np.arange(bars), 0))
        work = SweepWork(
            **{name: getattr(panel, name)[:, 0].copy() for name in PRICES},
            sides=decided.target[last].astype(np.int8),
            stop_frac=np.array([STOP_FRAC]),
            take_profit_frac=np.array([TAKE_PROFIT_FRAC]),
            step_ns=panel.step_ns,
        )
        return float(np.nan_to_num(np.asarray(vectorbt_sweep(work, "numba").sharpe)[0]))


def against_vectorbt(store: Store, data: MarketData, screened_per_s: float) -> dict[str, float]:
    """The same Sobol points in a plain loop over vectorbt; then TPE asked for one trial after another."""
    import optuna

    config = sweep_config(screened=1024, searched=PEER_SEARCHED)
    space = space_of(config)
    loop = PlainLoop(
        space,
        data,
        symbol_votes(space.base, data),
        {symbol: Panel.from_bars({symbol: market.bars}) for symbol, market in data.markets.items()},
    )
    points = sobol_points(len(space), SCREENED, config.seed)[:PEER_POINTS].tolist()
    loop.score(points[0])
    start = time.perf_counter()
    for point in points:
        loop.score(point)
    peer_per_s = len(points) / (time.perf_counter() - start)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1), direction="maximize")
    distributions = space.distributions()
    start = time.perf_counter()
    for _ in range(PEER_SEARCHED):
        trial = study.ask(distributions)
        study.tell(trial, loop.score(space.coordinates(trial.params)))
    theirs = PEER_SEARCHED / (time.perf_counter() - start)
    ours = PEER_SEARCHED / seconds_of(config, store, 2, 1024)
    return {
        "vectorbt_configurations_per_s": peer_per_s,
        "screen_faster_than_vectorbt_times": screened_per_s / peer_per_s,
        "tpe_with_vectorbt_trials_per_s": theirs,
        "tpe_faster_than_with_vectorbt_times": ours / theirs,
    }


def figures() -> dict[str, float]:
    """Screen against kernel, overhead of a TPE trial, and both against vectorbt."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        data = load_market_data(space_of(sweep_config(screened=1024, searched=0)).base, store)
        screened = screening(store, data)
        return {
            **screened,
            **searching(store, data),
            **against_vectorbt(store, data, screened["screened_configurations_per_s"]),
        }
