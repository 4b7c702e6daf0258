"""Rotation between layer-1 chains and layer-2 networks: whose coins gained more in thirty days.

Computed on the clock ``universe``, one row a day, known when the day has ended. Members of both layers
are those that were listed then with a whole window behind them; a coin that was renamed goes on
under its new name. The ratio of the two returns is not used: it changes sign near 0.
"""

from typing import Final

import numpy as np

from engine import Float1D

from .coin_phase import phase_age_and_change, phase_stable_rows
from .coins import coins_table, group_centre, growth
from .spec import Columns, Indicator, Output, Parameter, Parameters

DOMINANCE_PERCENT: Final = 10.0
ROTATION_PERCENT: Final = 3.0

_LAYER_1_DOMINATES, _LAYER_2_DOMINATES = 1.0, 5.0


def rotation_phase(difference: Float1D) -> Float1D:
    """1 layer 1 dominates, 2 towards it, 3 balanced, 4 towards layer 2, 5 it dominates; 0 unknown.

    ``difference`` is layer 1 less layer 2 in percent: beyond 10 is dominance, 3 to 10 (both included)
    rotation, less than 3 balance.
    """
    size, up = np.abs(difference), difference > 0
    phase = np.where(size < ROTATION_PERCENT, 3.0, np.where(up, 2.0, 4.0))
    phase = np.where(
        size > DOMINANCE_PERCENT, np.where(up, _LAYER_1_DOMINATES, _LAYER_2_DOMINATES), phase
    )
    return np.where(np.isnan(difference), 0.0, phase)


def _layer_rotation(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    window_days, least = int(parameters["window_days"]), int(parameters["least_coins"])
    gained = growth(coins_table(columns, "close"), coins_table(columns, "age"), window_days)
    returns = 100.0 * (gained - 1.0)
    # 0 the mean, 1 the median
    centre = int(parameters["use_median"])
    first = group_centre(returns, coins_table(columns, "in_layer_1"), least)[centre]
    second = group_centre(returns, coins_table(columns, "in_layer_2"), least)[centre]
    difference = first - second
    phase = rotation_phase(difference)
    days, changes = phase_age_and_change(
        phase,
        difference,
        phases=5,
        window_days=window_days,
        memory_days=int(parameters["memory_days"]),
    )
    dominates = (phase == _LAYER_1_DOMINATES).astype(np.float64) - (phase == _LAYER_2_DOMINATES)
    belongs = (columns["own_in_layer_1"] > 0).astype(np.float64) - (columns["own_in_layer_2"] > 0)
    strength = np.minimum(np.abs(difference) / 100.0, 1.0)
    # + 0: no negative zero where neither holds
    side = dominates * belongs + 0.0
    return first, second, difference, phase, strength, days, changes, side


LAYER_ROTATION = Indicator(
    name="layer_rotation",
    text=(
        "Mean return (the median with `use_median`) over `window_days` of layer-1 coins less that of "
        "layer-2 coins, the phase that makes, and how often that phase was left within seven days in "
        "the last `memory_days`. NaN where either layer has fewer than `least_coins` to compare."
    ),
    inputs=("close", "age", "in_layer_1", "in_layer_2", "own_in_layer_1", "own_in_layer_2"),
    parameters=(
        Parameter("window_days", 30, 7, 90),
        Parameter("least_coins", 2, 1, 5),
        Parameter("use_median", 0, 0, 1),
        Parameter("memory_days", 1460, 365, 1825),
    ),
    outputs=(
        Output("layer_1", "sparse", "percent", "return of layer-1 coins"),
        Output("layer_2", "sparse", "percent", "return of layer-2 coins"),
        Output("difference", "sparse", "percent", "layer 1 less layer 2"),
        Output(
            "phase",
            "state",
            "",
            "1 layer 1 dominates, 2 towards it, 3 balanced, 4 towards layer 2, 5 it dominates, 0 unknown",
            high=5.0,
        ),
        Output("strength", "sparse", "share", "size of the difference over 100 %", 0.0, 1.0),
        Output("phase_days", "value", "days", "days in the present phase, 365 at most", 0.0, 365.0),
        Output("change_probability", "sparse", "share", "another phase within 7 days", 0.0, 1.0),
        Output(
            "side",
            "signal",
            "",
            "1 where the own coin's layer dominates, -1 where the other one does",
            firing_rate=(0.0, 0.80),
        ),
    ),
    compute=_layer_rotation,
    lookback=lambda parameters: int(parameters["window_days"]),
    stable=phase_stable_rows,
    only_clock="universe",
)

INDICATORS = (LAYER_ROTATION,)
