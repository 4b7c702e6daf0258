"""Pivots, gaps, breaks and blocks against smartmoneyconcepts, harmonic patterns against pyharmonics.

Pivots are compared as the library returns them, two arrays of prices. Gaps, breaks and blocks of ours are
whole tables of events with every change of state, where the library tells of one, when a gap or block was
mitigated. ``gaps`` are those of our defaults, which leave out small ones and those without displacement,
``same_gaps`` all that the library finds. It takes swings as an input of its breaks and blocks; ours find
them on the way, so that its time for swings counts there as well.
``python -m benchmarks.pattern_peers`` prints the figures.
"""

import contextlib
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from indicators import DETECTORS_BY_NAME
from indicators.pivot import confirmed_pivots

from . import harmonic_peer
from .timing import timed_pair

BARS = 26_280
SWING_LENGTH = 5
SIDES = {"left": SWING_LENGTH - 1, "right": SWING_LENGTH}
"""The library's window of 2 L bars has L - 1 before the extreme and L behind it."""


def _library() -> Any:
    """The class ``smc``; the package prints a greeting when it is imported."""
    with contextlib.redirect_stdout(io.StringIO()):
        from smartmoneyconcepts import smc
    return smc


def _columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(0.006 * generator.standard_normal(BARS)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 0.004 * close * generator.exponential(size=(2, BARS))
    return {
        "open": open_,
        "high": np.maximum(open_, close) + reach[0],
        "low": np.minimum(open_, close) - reach[1],
        "close": close,
        "volume": 1000.0 * np.exp(0.5 * generator.standard_normal(BARS)),
        "is_gap": np.zeros(BARS),
    }


def _find(name: str, columns: Mapping[str, np.ndarray], **given: float) -> Callable[[], object]:
    detector = DETECTORS_BY_NAME[name]
    inputs = {column: columns[column] for column in detector.inputs}
    parameters = detector.resolved(given)
    return lambda: detector.find(inputs, parameters)


def smart_money_ratios() -> dict[str, float]:
    """Seconds of ours, and how many times the library's time that is faster, for each of them."""
    columns, smc = _columns(), _library()
    bars = pd.DataFrame({name: columns[name] for name in columns if name != "is_gap"})

    def swings() -> pd.DataFrame:
        return smc.swing_highs_lows(bars, SWING_LENGTH)

    work: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "pivots": (lambda: confirmed_pivots(columns["high"], columns["low"], **SIDES), swings),
        "pivot_table": (_find("pivot", columns, **SIDES), swings),
        "gaps": (_find("fair_value_gap", columns), lambda: smc.fvg(bars)),
        "same_gaps": (
            _find("fair_value_gap", columns, min_size_atr=0.0, min_displacement_atr=0.0),
            lambda: smc.fvg(bars),
        ),
        "breaks": (_find("structure", columns, **SIDES), lambda: smc.bos_choch(bars, swings())),
        "blocks": (_find("order_block", columns, **SIDES), lambda: smc.ob(bars, swings())),
    }
    figures = {}
    for name, (ours, theirs) in work.items():
        our_time, their_time = timed_pair(ours, theirs, runs=11)
        figures[f"{name}_s"] = our_time.best_s
        figures[f"{name}_smartmoneyconcepts_s"] = their_time.best_s
        figures[f"{name}_times_faster"] = their_time.best_s / our_time.best_s
    return figures


def figures() -> dict[str, float]:
    """Both libraries, on as many bars as each is timed on."""
    return {
        "smart_money_bars": float(BARS),
        **smart_money_ratios(),
        **{f"harmonic_{name}": value for name, value in harmonic_peer.figures().items()},
    }


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:45} {value:,.4g}")
