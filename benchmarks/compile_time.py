"""Seconds until the engine's first results: kernels compiled, and loaded from the cache.

Everything is measured in processes of their own, the first with an empty numba cache. Import, replay
and sweep are timed one after the other, so that what replay and sweep share counts for the replay.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Decisions, Funding, Panel

BARS = 300
CONFIGURATIONS = 4
WARM_RUNS = 3


def figures() -> dict[str, float]:
    """Seconds of import, replay, sweep and all of them, cold and (the best of three) warm.

    ``all_cpu_s`` counts only the processor's time: a busy machine lengthens the others.
    """
    with tempfile.TemporaryDirectory() as cache:
        cold = _in_new_process(cache)
        warm = [_in_new_process(cache) for _ in range(WARM_RUNS)]
    best = min(warm, key=lambda seconds: seconds["all_s"])
    return {
        **{f"cold_{name}": value for name, value in cold.items()},
        **{f"warm_{name}": value for name, value in best.items()},
    }


def _in_new_process(cache: str) -> dict[str, float]:
    code = "from benchmarks.compile_time import first_results; first_results()"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
    ).stdout
    found: dict[str, float] = json.loads(printed)
    return found


def first_results() -> None:
    """Import the engine, replay and sweep a few bars once; print the seconds of each as JSON."""
    cpu = time.process_time()
    times = [time.perf_counter()]
    import engine
    from engine.sweep import sweep_replay

    times.append(time.perf_counter())
    panel, decisions, funding = _example()
    rules = engine.ReplayRules(exits=engine.Exits(stop_atr=3.0, take_profit_atr=6.0))
    times.append(time.perf_counter())
    engine.replay(panel, decisions, funding, rules)
    times.append(time.perf_counter())
    events = engine.DecisionEvents.from_decisions([decisions] * CONFIGURATIONS)
    sweep_replay(panel, events, funding, [rules] * CONFIGURATIONS)
    times.append(time.perf_counter())
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    named = {"import_s": steps[0], "replay_s": steps[2], "sweep_s": steps[3]}
    named |= {"all_s": sum(named.values()), "all_cpu_s": time.process_time() - cpu}
    print(json.dumps(named))


def _example() -> "tuple[Panel, Decisions, Funding]":
    """Two symbols, a target that changes every few bars, funding every eight hours."""
    import numpy as np

    import engine

    from .peers.work import random_bars

    each = [random_bars(BARS, 0.006, seed) for seed in range(2)]
    prices = {name: np.column_stack([one[name] for one in each]) for name in each[0]}
    shape = prices["close"].shape
    panel = engine.Panel(
        symbols=("A", "B"),
        timeframe="1h",
        open_time=engine.HOUR_NS * (450_000 + np.arange(BARS)),
        listed=np.ones(shape, dtype=np.bool_),
        is_gap=np.zeros(shape, dtype=np.bool_),
        **prices,
    )
    rows = np.arange(BARS)
    decisions = engine.Decisions(
        target=np.column_stack([rows // 7 % 3 - 1.0, rows // 5 % 3 - 1.0]),
        acts=np.column_stack([rows % 7 == 0, rows % 5 == 0]),
        atr_frac=np.full(shape, 0.01),
    )
    settled = panel.open_time[::8]
    funding = engine.Funding(
        time_ns=settled,
        symbol_index=np.zeros(len(settled), dtype=np.int64),
        rate=np.full(len(settled), 1e-4),
        mark_price=np.zeros(len(settled)),
    )
    return panel, decisions, funding


if __name__ == "__main__":
    for label, number in figures().items():
        print(f"{label}: {number:.3f}")
