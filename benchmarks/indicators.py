"""Our indicators against TA-Lib's functions on the same 100,000 bars, one by one and as a grid."""

import statistics

import numpy as np

from indicators import INDICATORS_BY_NAME, indicator_grid

from .indicator_peers import GRID_PEERS, PEERS
from .timing import timed_pair

BARS = 100_000
GRID_LENGTHS = tuple(range(5, 205, 2))


def _columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(2)
    close = 100.0 * np.exp(np.cumsum(0.004 * generator.standard_normal(BARS)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + 0.002 * generator.exponential(size=BARS)
    return {
        "open_time": 1_609_459_200_000_000_000 + 3_600_000_000_000.0 * np.arange(BARS),
        "open": open_,
        "high": np.maximum(open_, close) * reach,
        "low": np.minimum(open_, close) / reach,
        "close": close,
        "volume": 1000.0 * np.exp(0.5 * generator.standard_normal(BARS)),
        "is_gap": np.zeros(BARS),
    }


def time_ratios(names: tuple[str, ...] = tuple(PEERS)) -> dict[str, float]:
    """Time of each indicator over that of the TA-Lib calls for the same outputs; below 1 is faster."""
    bars = _columns()
    ratios = {}
    for name in names:
        indicator = INDICATORS_BY_NAME[name]
        parameters = indicator.resolved({})
        inputs = {column: bars[column] for column in indicator.inputs}
        ours, peer = timed_pair(
            lambda indicator=indicator, inputs=inputs, parameters=parameters: indicator.compute(
                inputs, parameters
            ),
            lambda name=name: PEERS[name](bars),
            runs=11,
        )
        ratios[name] = ours.best_s / peer.best_s
    return ratios


def grid_speedups(threads: int = 2) -> dict[str, float]:
    """How many times faster a grid of 100 lengths is than as many TA-Lib calls, all results kept."""
    bars = _columns()
    speedups = {}
    for name, calls in GRID_PEERS.items():
        indicator = INDICATORS_BY_NAME[name]
        inputs = {column: bars[column] for column in indicator.inputs}
        allowed = next(one for one in indicator.parameters if one.name == "length")
        lengths = [length for length in GRID_LENGTHS if length <= allowed.high]
        sets = [{"length": float(length)} for length in lengths]
        ours, peer = timed_pair(
            lambda indicator=indicator, inputs=inputs, sets=sets: indicator_grid(
                indicator, inputs, sets, threads=threads
            ),
            lambda calls=calls, lengths=lengths: [calls(bars, length) for length in lengths],
            runs=3,
        )
        speedups[name] = peer.best_s / ours.best_s
    return speedups


def figures() -> dict[str, float]:
    """The ratio of every indicator that both have, the median and the worst of them, and the grids."""
    ratios, speedups = time_ratios(), grid_speedups()
    return {
        **{f"{name}_time_over_talib_times": ratio for name, ratio in ratios.items()},
        "median_time_over_talib_times": statistics.median(ratios.values()),
        "worst_time_over_talib_times": max(ratios.values()),
        **{f"{name}_grid_of_100_over_talib_times": ratio for name, ratio in speedups.items()},
        "median_grid_of_100_over_talib_times": statistics.median(speedups.values()),
    }
