"""Data snooping, overfitting, permutations and random entries at the sizes of a sweep."""

import numpy as np
from arch.bootstrap import SPA

from engine import Bars
from experiments.statistics.overfitting import overfitting_of_returns
from experiments.statistics.permutation import permuted
from experiments.statistics.random_entries import HeldTrades, random_entries_test
from experiments.statistics.resampling import Resampling
from experiments.statistics.snooping import stepwise_superiority, superior_predictive_ability

from .timing import timed, timed_pair

ROWS, CANDIDATES, DRAWS, BLOCK = 1000, 2000, 500, 10
HOURS = 3 * 8760


def _snooping() -> dict[str, float]:
    excess = 0.01 * np.random.default_rng(1).standard_normal((ROWS, CANDIDATES))
    blocks = Resampling(block_length=BLOCK)

    def theirs() -> None:
        SPA(np.zeros(ROWS), -excess, block_size=BLOCK, reps=DRAWS, seed=1).compute()

    ours, peer = timed_pair(
        lambda: superior_predictive_ability(excess, blocks, seed=1, draws=DRAWS), theirs, runs=5
    )
    stepwise = timed(lambda: stepwise_superiority(excess, blocks, seed=1, draws=DRAWS))
    return {
        "spa_s": ours.best_s,
        "spa_over_arch_times": peer.best_s / ours.best_s,
        "stepm_s": stepwise.best_s,
    }


def _overfitting() -> dict[str, float]:
    returns = 0.01 * np.random.default_rng(2).standard_normal((2000, 500))
    return {"pbo_16_blocks_s": timed(lambda: overfitting_of_returns(returns, 16)).best_s}


def _hours() -> Bars:
    generator = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(0.005 * generator.standard_normal(HOURS)))
    open_ = np.concatenate(([100.0], close[:-1]))
    return Bars(
        symbol="BTCUSDT",
        timeframe="1h",
        open_time=np.arange(HOURS, dtype=np.int64) * 3_600_000_000_000,
        open=open_,
        high=np.maximum(open_, close) * 1.002,
        low=np.minimum(open_, close) / 1.002,
        close=close,
        volume=generator.exponential(size=HOURS),
        is_gap=np.zeros(HOURS, dtype=np.bool_),
    )


def _markets() -> dict[str, float]:
    bars = _hours()
    generator = np.random.default_rng(4)
    entries = np.arange(0, HOURS - 60, 100)
    trades = HeldTrades(
        symbol=np.zeros(len(entries), dtype=np.int64),
        entry_row=entries,
        exit_row=entries + generator.integers(2, 60, len(entries)),
        exposure_frac=generator.choice([-0.5, 0.5], len(entries)),
        cost_frac=np.full(len(entries), 0.001),
    )
    prices = bars.open[:, None]
    return {
        "permuted_market_ms": 1e3 * timed(lambda: permuted(bars, 1), runs=20).best_s,
        "random_entries_10k_draws_s": timed(
            lambda: random_entries_test(prices, trades, seed=1), runs=3
        ).best_s,
    }


def figures() -> dict[str, float]:
    """SPA of 1,000 rows, 2,000 candidates and 500 draws beside arch's; PBO; null markets."""
    return _snooping() | _overfitting() | _markets()
