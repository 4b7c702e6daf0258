"""Shifted votes with the choice made anew: what the same search finds in opinions of another time.

Votes are rolled against prices by a random number of bars, every trial of the random stage is evaluated
again, and the best is kept. Market, costs, exposure, holding times and the search are those of the sweep;
what is broken is timing alone. Under the hypothesis that votes know nothing of later prices, the true
alignment is one of many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import ConfigError, Float1D
from engine.timeframe import DAY_NS

from ..sweeps.config import SweepSection
from ..sweeps.evaluate import Evaluated, Evaluator, View
from .trials import Values, good_of, require_sound


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShiftTest:
    """The best of the random stage where the votes were, beside the best where they were not.

    ``best`` is the first objective with more being better, ``null`` ``(M,)`` that of each shift in the
    order of drawing, minus infinity where no trial could be chosen. ``p_value`` = (1 + #{null ≥ best}) ÷
    (1 + M).
    """

    trials: int
    best: float
    null: Float1D
    p_value: float


def shift_test(
    section: SweepSection,
    evaluator: Evaluator,
    values: Sequence[Values],
    whole: Evaluated,
    *,
    shifts: int,
    least_days: int,
    seed: int,
) -> ShiftTest:
    """Test the best of ``values`` against ``shifts`` random shifts of the votes.

    Shifts keep ``least_days`` from 0 and from the whole length, beyond the memory of most votes.
    ``whole`` is what became of ``values`` without a shift. Raises ConfigError without a shift or when
    the market is too short for any, DataError when a trial fails under a shift alone.
    """
    panel = evaluator.data.panel
    bars, shortest = max(evaluator.lengths), min(evaluator.lengths)
    least = least_days * DAY_NS // panel.step_ns
    if shifts < 1:
        raise ConfigError(f"shifts={shifts} must be at least 1")
    if shortest <= 2 * least:
        raise ConfigError(
            f"a symbol has {shortest} bars of {panel.timeframe}: shifting votes by {least_days} days "
            f"or more (validation.least_shift_days) needs above {2 * least}; leave it out"
        )
    best = float(good_of(section, whole).max())
    low = -(-least * bars // shortest)
    drawn = np.random.default_rng(np.random.SeedSequence([seed, 1])).integers(
        low, bars - low + 1, size=shifts
    )
    null = np.empty(shifts)
    for number, shift in enumerate(drawn.tolist()):
        view = View(evaluator.whole.part, shift_bars=shift)
        found = require_sound(evaluator(values, view), whole, f"votes shifted by {shift} bars")
        null[number] = good_of(section, found).max()
    reached = int((null >= best).sum())
    return ShiftTest(trials=len(values), best=best, null=null, p_value=(1 + reached) / (1 + shifts))
