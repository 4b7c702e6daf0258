"""Volume spikes: against the volume usual at that time of day, and against the bars before."""

from typing import Final

import numpy as np

from engine import DAY_NS, Bool1D, Float1D, kernel

from .bar_step import ROWS_OF_A_DAY, rows_of_a_day
from .rolling import previous_mean_ratio
from .spec import Columns, Indicator, Output, Parameter, Parameters

MAD_TO_DEVIATION: Final = 1.4826
"""Median absolute deviation times this is the standard deviation of a normal sample."""
TIERS: Final = (2.0, 3.0, 5.0)
"""Ratios from which a spike is of tier 1, 2 and 3: 200, 300 and 500 %."""


@kernel(nogil=True)
def _middle_values_kernel(values: Float1D, count: int) -> tuple[float, float]:
    """The two middle ones of the first ``count`` values by size, one twice if odd; they are reordered.

    Hoare's selection: the part that holds the middle is split until nothing is left of it.
    """
    wanted = count // 2
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if right < wanted:
            low = left
        if wanted < left:
            high = right
    above = values[wanted]
    if count % 2:
        return above, above
    below = values[0]
    for i in range(1, wanted):
        below = max(below, values[i])
    return below, above


@kernel(nogil=True)
def _seasonal_volume_kernel(
    volume: Float1D, weekend: Bool1D, rows_a_day: int, days: int, reach: int
) -> tuple[Float1D, Float1D]:
    ratio = np.full(len(volume), np.nan)
    score = np.full(len(volume), np.nan)
    if rows_a_day < 1:
        return ratio, score
    all_logs = np.full(len(volume), np.nan)
    for t in range(len(volume)):
        if volume[t] > 0:
            all_logs[t] = np.log(volume[t])
    sample, logs = np.empty(days * (2 * reach + 1)), np.empty(days * (2 * reach + 1))
    for t in range(days * rows_a_day + reach, len(volume)):
        ratio[t], score[t] = 0.0, 0.0
        count, alike = 0, 0
        for day in range(1, days + 1):
            slot = t - day * rows_a_day
            if weekend[slot] != weekend[t]:
                continue
            alike += 1
            for row in range(slot - reach, slot + reach + 1):
                if volume[row] > 0:
                    sample[count], logs[count] = volume[row], all_logs[row]
                    count += 1
        if count < alike or count == 0 or not volume[t] > 0:
            continue
        below, above = _middle_values_kernel(sample, count)
        ratio[t] = volume[t] / (0.5 * (below + above))
        middle = 0.5 * (np.log(below) + np.log(above))
        for i in range(count):
            logs[i] = abs(logs[i] - middle)
        below, above = _middle_values_kernel(logs, count)
        spread = 0.5 * (below + above)
        if spread > 0:
            score[t] = (all_logs[t] - middle) / (MAD_TO_DEVIATION * spread)
    return ratio, score


def is_weekend(open_time: Float1D) -> Bool1D:
    """Whether a bar opens on a Saturday or a Sunday, UTC, ``(T,)``."""
    # Day 0 of the epoch was a Thursday.
    weekend: Bool1D = (np.floor(open_time / DAY_NS) + 3.0) % 7.0 >= 5.0
    return weekend


def seasonal_volume(
    open_time: Float1D, volume: Float1D, days: int, *, by_weekend: bool = True
) -> tuple[Float1D, Float1D]:
    """Volume over its usual size at this time of day, as a ratio and as a robust z score.

    Shapes ``(T,)``; ``open_time`` in ns. The sample is the same time of day, and the bars beside it,
    on those of the last ``days`` days that are weekend days as this one is, or are none as this one;
    on all of them without ``by_weekend``. Bars without volume are left out. The ratio is V / median, z
    is ``(ln V - median ln) / (1.4826 MAD)``. Both are 0 for a bar without volume and where less than
    one bar a day has any; z is 0 where the sample does not vary. Known at close *t*; NaN until
    ``days`` days are over, and for ever when a day is not a whole number of bars.
    """
    rows_a_day = rows_of_a_day(open_time)
    weekend = is_weekend(open_time) & by_weekend
    ratio, score = _seasonal_volume_kernel(
        volume, weekend, rows_a_day, days, 1 if rows_a_day > 2 else 0
    )
    return ratio, score


def spike_tier(ratio: Float1D, *, as_increase: bool) -> Float1D:
    """0 to 3: how many of ``TIERS`` the ratio reaches, or the increase, which is the ratio less 1."""
    shown = ratio - 1.0 if as_increase else ratio
    return sum((shown >= least).astype(np.float64) for least in TIERS) + np.zeros(len(ratio))


def _side(close: Float1D, tier: Float1D) -> Float1D:
    step = np.zeros(len(close))
    step[1:] = np.sign(close[1:] - close[:-1])
    return np.where(tier > 0, step, 0.0)


def _volume_spike(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    ratio, score = seasonal_volume(
        columns["open_time"],
        columns["volume"],
        int(parameters["days"]),
        by_weekend=parameters["by_weekend"] != 0,
    )
    tier = spike_tier(ratio, as_increase=parameters["as_increase"] != 0)
    tier = np.where(score >= parameters["least_z"], tier, 0.0)
    return ratio, score, tier, _side(columns["close"], tier)


def _plain_volume_spike(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    ratio = previous_mean_ratio(columns["volume"], int(parameters["length"]))
    tier = spike_tier(ratio, as_increase=parameters["as_increase"] != 0)
    return ratio, tier, _side(columns["close"], tier)


_AS_INCREASE: Final = Parameter("as_increase", 0, 0, 1)

VOLUME_SPIKE = Indicator(
    name="volume_spike",
    text=(
        "Volume against the same time of day on the days before, weekends against weekends; 200 % "
        "means a ratio of 2, or of 3 as an increase."
    ),
    inputs=("open_time", "close", "volume"),
    parameters=(
        Parameter("days", 20, 10, 60),
        Parameter("least_z", 3.0, 2.0, 5.0, integer=False),
        _AS_INCREASE,
        Parameter("by_weekend", 1, 0, 1),
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
PLAIN_VOLUME_SPIKE = Indicator(
    name="plain_volume_spike",
    text="Volume against the mean of the bars before, whatever the time of day.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 96, 10, 500), _AS_INCREASE),
    outputs=(
        Output("ratio", "value", "ratio", "volume over the mean of the bars before", low=0.0),
        Output("tier", "state", "tier", "1, 2, 3 from ratios of 2, 3, 5"),
        Output(
            "spike",
            "signal",
            "side",
            "sign of the return on a row with a tier",
            firing_rate=(0.02, 0.20),
        ),
    ),
    compute=_plain_volume_spike,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (VOLUME_SPIKE, PLAIN_VOLUME_SPIKE)
