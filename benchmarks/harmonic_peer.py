"""Harmonic figures against pyharmonics on the same bars, which runs in an environment of its own.

Its search grows with the cube of the number of peaks, so the bars are few.
"""

from functools import partial
from subprocess import CalledProcessError, TimeoutExpired
from typing import Final

import numpy as np

from indicators.harmonic_events import DETECTORS

from .peers.harmonic_figures import found_by_pyharmonics
from .timing import timed

DAYS: Final = 125
ORDER, TOLERANCE = 10, 0.03
"""Its defaults."""


def figures() -> dict[str, float]:
    """Seconds of both for all figures of one symbol, and how many times ours are faster.

    Ours are the zones with their lives and the figures whose D is a pivot; stepping over a minor swing
    and all ABCD included. Without the peer where it does not install.
    """
    from datasets import SimulationSpec, simulate

    spec = SimulationSpec(symbols=("BTCSIM",), days=DAYS, seed=3)
    columns = simulate(spec).markets["BTCSIM"].bars.columns()
    wanted = {
        "left": ORDER, "right": ORDER, "tolerance": TOLERANCE, "point_tolerance": TOLERANCE,
        "minor_swings": 1, "alternate_abcd": 1,
    }  # fmt: skip
    works = [partial(one.find, columns, one.resolved(wanted)) for one in DETECTORS]
    ours = timed(lambda: [work() for work in works]).best_s
    found = {"bars": float(24 * DAYS), "ours_s": ours}
    prices = {name: np.asarray(columns[name]) for name in ("open", "high", "low", "close")}
    try:
        answers = found_by_pyharmonics([prices, prices], ORDER, TOLERANCE)
    except (CalledProcessError, OSError, TimeoutExpired) as error:
        print(f"pyharmonics skipped: {error}")
        return found
    # The first of two runs pays for what a process does once.
    theirs = answers[1]["seconds"]
    return {**found, "pyharmonics_s": theirs, "pyharmonics_ratio": theirs / ours}


if __name__ == "__main__":
    for figure, value in figures().items():
        print(f"{figure:20} {value:,.6g}")
