"""Volume spikes against the volume usual at that time of day."""

import numpy as np

from engine import DAY_NS, Float1D, kernel

from .spec import Columns, Indicator, Output, Parameter, Parameters

MAD_TO_DEVIATION = 1.4826
"""Median absolute deviation times this is the standard deviation of a normal sample."""
ROWS_OF_A_DAY = 96
"""Bars in a day at the shortest decision step, 15 minutes."""


@kernel
def _seasonal_volume_kernel(
    volume: Float1D, rows_a_day: int, days: int, reach: int
) -> tuple[Float1D, Float1D]:
    ratio = np.full(len(volume), np.nan)
    score = np.full(len(volume), np.nan)
    if rows_a_day < 1:
        return ratio, score
    sample = np.empty(days * (2 * reach + 1))
    for t in range(days * rows_a_day + reach, len(volume)):
        ratio[t], score[t] = 0.0, 0.0
        count = 0
        for day in range(1, days + 1):
            for row in range(t - day * rows_a_day - reach, t - day * rows_a_day + reach + 1):
                if volume[row] > 0:
                    sample[count] = volume[row]
                    count += 1
        if count < days or not volume[t] > 0:
            continue
        ratio[t] = volume[t] / np.median(sample[:count])
        logs = np.log(sample[:count])
        middle = np.median(logs)
        spread = np.median(np.abs(logs - middle))
        if spread > 0:
            score[t] = (np.log(volume[t]) - middle) / (MAD_TO_DEVIATION * spread)
    return ratio, score


def seasonal_volume(open_time: Float1D, volume: Float1D, days: int) -> tuple[Float1D, Float1D]:
    """Volume over its usual size at this time of day, as a ratio and as a robust z score.

    Shapes ``(T,)``; ``open_time`` in ns. The sample is the same time of day, and the bars beside it,
    on each of the last ``days`` days, bars without volume left out; ratio is V / median, z is
    ``(ln V - median ln) / (1.4826 MAD)``. Both are 0 for a bar without volume and where less than
    one bar a day has any; z is 0 where the sample does not vary. Known at close *t*; NaN until the
    sample is full, and for ever when a day is not a whole number of bars.
    """
    rows_a_day = 0
    if len(open_time) > 1:
        step = open_time[1] - open_time[0]
        if step > 0 and DAY_NS % step == 0:
            rows_a_day = int(DAY_NS // step)
    return _seasonal_volume_kernel(volume, rows_a_day, days, 1 if rows_a_day > 2 else 0)


def _volume_spike(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    ratio, score = seasonal_volume(columns["open_time"], columns["volume"], int(parameters["days"]))
    shown = ratio - parameters["as_increase"]
    unusual = score >= parameters["least_z"]
    tier = (shown >= 2.0).astype(np.float64) + (shown >= 3.0) + (shown >= 5.0)
    tier = np.where(unusual, tier, 0.0)
    step = np.zeros(len(close))
    step[1:] = np.sign(close[1:] - close[:-1])
    return ratio, score, tier, np.where(tier > 0, step, 0.0)


VOLUME_SPIKE = Indicator(
    name="volume_spike",
    text="Volume against the same time of day on the days before; 200 % means a ratio of 2.",
    inputs=("open_time", "close", "volume"),
    parameters=(
        Parameter("days", 20, 10, 60),
        Parameter("least_z", 3.0, 2.0, 5.0, integer=False),
        Parameter("as_increase", 0, 0, 1),
    ),
    outputs=(
        Output("ratio", "level", "ratio", "volume over its usual size at this time", low=0.0),
        Output("z", "level", "deviations", "robust z score of the log volume"),
        Output("tier", "state", "tier", "1, 2, 3 from ratios of 2, 3, 5 where z is high enough"),
        Output(
            "spike",
            "signal",
            "side",
            "sign of the return on a row with a tier",
            firing_rate=(0.0005, 0.08),
        ),
    ),
    compute=_volume_spike,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["days"]) * ROWS_OF_A_DAY + 1,
)

INDICATORS = (VOLUME_SPIKE,)
