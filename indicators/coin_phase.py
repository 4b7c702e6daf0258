"""Phases of a market of coins: how long the present one has lasted, and how often it was left from here."""

from typing import Final

import numpy as np

from engine import Float1D

from .coins import change_frequency, days_in_state
from .spec import Parameters

HORIZON_DAYS: Final = 7
LEAST_CASES: Final = 30
LONGEST_PHASE_DAYS: Final = 365


def phase_age_and_change(
    phase: Float1D, level: Float1D, *, phases: int, window_days: int, memory_days: int
) -> tuple[Float1D, Float1D]:
    """Days in the present phase, at most 365, and the share of cases like it that were left in a week.

    ``phase`` lies in 1 to ``phases``, 0 unknown, and follows from ``level``, which has a window of
    ``window_days`` behind it: before that the days are NaN. Cases as in ``change_frequency``.
    """
    days = days_in_state(phase, LONGEST_PHASE_DAYS)
    days[:window_days] = np.nan
    changes = change_frequency(
        phase,
        level,
        states=phases + 1,
        horizon=HORIZON_DAYS,
        memory=memory_days,
        least=LEAST_CASES,
    )
    return days, changes


def phase_stable_rows(parameters: Parameters) -> int:
    """Rows that decide both, with ``window_days`` and ``memory_days`` among the parameters."""
    longest = max(int(parameters["memory_days"]) + 2 * HORIZON_DAYS, LONGEST_PHASE_DAYS)
    return int(parameters["window_days"]) + longest + 1
