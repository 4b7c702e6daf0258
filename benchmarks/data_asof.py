"""Joining slow series onto the bars of many symbols, against pandas.merge_asof."""

import numpy as np
import pandas as pd

from engine import DAY_NS, HOUR_NS, MINUTE_NS, Float1D, Float2D, Int1D
from indicators.asof import as_of_rows, taken_rows

from .timing import timed, timed_pair

SYMBOLS = 50
BARS = 26_280
START_NS = 1_609_459_200_000_000_000
STEPS = (5 * MINUTE_NS, HOUR_NS, 8 * HOUR_NS, DAY_NS, DAY_NS)
SERIES = 30
MAX_AGE_NS = 3 * DAY_NS
Rows = tuple[Int1D, Int1D, Float1D]


def slow_series(seed: int) -> Rows:
    """Event times, availability and values of one series; one row of twenty is revised an hour later."""
    generator = np.random.default_rng(seed)
    step = STEPS[seed % len(STEPS)]
    event = START_NS + step * np.arange(BARS * HOUR_NS // step)
    available = event + 5 * MINUTE_NS
    revised = np.flatnonzero(generator.random(len(event)) < 0.05)
    event = np.concatenate([event, event[revised]])
    available = np.concatenate([available, available[revised] + HOUR_NS])
    order = np.lexsort((available, event))
    return event[order], available[order], generator.standard_normal(len(event))


def joined(known_at: Int1D, series: list[Rows]) -> list[Float2D]:
    """One array ``(T, S)`` for each series; every symbol has rows of its own."""
    arrays = []
    for event, available, values in series:
        out = np.empty((len(known_at), SYMBOLS), order="F")
        for symbol in range(SYMBOLS):
            rows = as_of_rows(known_at, event, available, MAX_AGE_NS)
            taken_rows(values, rows, out[:, symbol])
        arrays.append(out)
    return arrays


def merged(known_at: Int1D, rows: Rows) -> Float1D:
    """The same join of one series onto one symbol with pandas, on availability."""
    _, available, values = rows
    order = np.argsort(available, kind="stable")
    right = pd.DataFrame({"known_at": available[order], "value": values[order]})
    left = pd.DataFrame({"known_at": known_at})
    # A revision of an older event hides the newer one here; pandas has no rule for that.
    result: Float1D = pd.merge_asof(left, right, on="known_at")["value"].to_numpy()
    return result


def figures() -> dict[str, float]:
    """Seconds for all series and symbols, and how many times as long pandas takes for one pair."""
    known_at = START_NS + HOUR_NS * np.arange(1, BARS + 1)
    series = [slow_series(seed) for seed in range(SERIES)]
    out = np.empty(BARS)

    def ours() -> None:
        for event, available, values in series:
            taken_rows(values, as_of_rows(known_at, event, available, MAX_AGE_NS), out)

    whole = timed(lambda: joined(known_at, series), runs=3)
    one, peer = timed_pair(ours, lambda: [merged(known_at, rows) for rows in series], runs=5)
    return {
        "thirty_series_fifty_symbols_s": whole.best_s,
        "cells_per_s": SERIES * SYMBOLS * BARS / whole.best_s,
        "pandas_over_join": peer.best_s / one.best_s,
    }
