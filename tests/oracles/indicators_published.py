"""Plain-Python answers for indicators that TA-Lib lacks, each written from its published formula.

Every function walks one window at a time; nothing is carried from row to row where the formula does
not ask for it. NaN stands for rows before the first full window.
"""

import math
from collections.abc import Sequence

import numpy as np

from tests.oracles.indicators_measured import NAN, deviation, mean, windowed

Line = list[float]

PANDAS_TA_ROWS = (120, 300, 499)
PANDAS_TA_CLASSIC = {
    "kst.kst": (-10.36157196246973, -53.47387074424589, -5.059098105446477),
    "kst.signal": (-8.807002918905332, -48.8096740045289, 17.782614818779898),
    "rvgi.rvgi": (-0.08624296288597269, -0.23444529193552843, -0.25077707764748597),
    "rvgi.signal": (-0.16588103123690948, -0.17447885815594696, -0.16120439118475138),
    "fisher.fisher": (-0.6947969710119528, -2.297351687488562, -3.14709424192002),
    "squeeze.momentum": (-1.7762131972118873, -2.1285661452742914, -2.54300741941255),
    "ulcer.ulcer": (2.749608229540668, 4.001487522954025, 4.41184306368534),
}
"""pandas-ta-classic 0.8.32 on rows 120, 300 and 499 of the walk of ``parity_series(500)``, at its
defaults (squeeze with ``lazybear=True``); its KST is 100 times as large and divided by 100 here."""
PANDAS_TA_SQUEEZE_FLIPS = (
    58, 63, 139, 150, 192, 199, 200, 208, 252, 264, 322,
    327, 337, 341, 389, 392, 413, 429, 459, 477, 492, 495,
)  # fmt: skip
"""Rows from 40 on at which its SQZ_ON differs from the row before."""


def kst(
    close: Sequence[float], rocs: Sequence[int], means: Sequence[int], signal: int
) -> tuple[Line, Line]:
    line = [NAN] * len(close)
    for t in range(max(r + m for r, m in zip(rocs, means, strict=True)) - 1, len(close)):
        line[t] = sum(
            (place + 1) * mean([100.0 * (close[i] / close[i - r] - 1.0) for i in range(t - m + 1, t + 1)])
            for place, (r, m) in enumerate(zip(rocs, means, strict=True))
        )  # fmt: skip
    smooth = [
        NAN if t < signal - 1 or math.isnan(line[t - signal + 1]) else mean(line[t - signal + 1 : t + 1])
        for t in range(len(line))
    ]  # fmt: skip
    return line, smooth


def symmetric(values: Sequence[float], t: int) -> float:
    return (values[t] + 2.0 * values[t - 1] + 2.0 * values[t - 2] + values[t - 3]) / 6.0


def rvgi(
    open_: Sequence[float],
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    length: int,
) -> tuple[Line, Line]:
    body = [c - o for c, o in zip(close, open_, strict=True)]
    spread = [h - l for h, l in zip(high, low, strict=True)]
    line = [NAN] * len(close)
    for t in range(length + 2, len(close)):
        top = math.fsum(symmetric(body, i) for i in range(t - length + 1, t + 1))
        bottom = math.fsum(symmetric(spread, i) for i in range(t - length + 1, t + 1))
        line[t] = top / bottom if bottom else 0.0
    return line, [NAN if t < 3 else symmetric(line, t) for t in range(len(line))]


def fisher(high: Sequence[float], low: Sequence[float], length: int) -> Line:
    middle = [(h + l) / 2.0 for h, l in zip(high, low, strict=True)]
    line, value, last = [NAN] * len(middle), 0.0, 0.0
    for t in range(length - 1, len(middle)):
        window = middle[t - length + 1 : t + 1]
        top, bottom = max(window), min(window)
        place = (middle[t] - bottom) / (top - bottom) if top > bottom else 0.5
        value = 0.33 * 2.0 * (place - 0.5) + 0.67 * value
        if abs(value) > 0.99:
            value = math.copysign(0.999, value)
        last = math.atanh(value) + 0.5 * last
        line[t] = last
    return line


def squeeze(
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    length: int,
    deviations: float,
    multiple: float,
) -> tuple[Line, Line]:
    spread = [NAN] + [
        max(high[t], close[t - 1]) - min(low[t], close[t - 1]) for t in range(1, len(close))
    ]
    on, momentum, distance = [NAN] * len(close), [NAN] * len(close), [NAN] * len(close)
    for t in range(length - 1, len(close)):
        rows = slice(t - length + 1, t + 1)
        middle = (max(high[rows]) + min(low[rows])) / 2.0
        distance[t] = close[t] - (middle + mean(close[rows])) / 2.0
        if t >= length:
            on[t] = float(deviations * deviation(close[rows]) < multiple * mean(spread[rows]))
        if t >= 2 * (length - 1):
            slope, start = np.polyfit(range(length), distance[rows], 1)
            momentum[t] = start + slope * (length - 1)
    return on, momentum


def ulcer(close: Sequence[float], length: int) -> Line:
    fall = [NAN] * len(close)
    for t in range(length - 1, len(close)):
        top = max(close[t - length + 1 : t + 1])
        fall[t] = 100.0 * (close[t] - top) / top
    return [
        NAN
        if t < 2 * (length - 1)
        else math.sqrt(math.fsum(f * f for f in fall[t - length + 1 : t + 1]) / length)
        for t in range(len(close))
    ]


def bar_variances(
    open_: Sequence[float],
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    length: int,
) -> dict[str, Line]:
    """The four estimates of the variance of one row, by name."""
    logs = [
        (math.log(h / o), math.log(l / o), math.log(c / o))
        for o, h, l, c in zip(open_, high, low, close, strict=True)
    ]
    parkinson = [(u - d) ** 2 / (4.0 * math.log(2.0)) for u, d, _ in logs]
    garman = [0.5 * (u - d) ** 2 - (2.0 * math.log(2.0) - 1.0) * c * c for u, d, c in logs]
    rogers = [u * (u - c) + d * (d - c) for u, d, c in logs]
    jump = [NAN] + [math.log(open_[t] / close[t - 1]) for t in range(1, len(close))]
    k = 0.34 / (1.34 + (length + 1) / (length - 1))
    yang = [NAN] * len(close)
    for t in range(length, len(close)):
        rows = slice(t - length + 1, t + 1)
        unbiased = length / (length - 1)
        yang[t] = (
            unbiased * deviation(jump[rows]) ** 2
            + k * unbiased * deviation([c for _, _, c in logs[rows]]) ** 2
            + (1.0 - k) * mean(rogers[rows])
        )
    return {
        "parkinson": windowed(parkinson, length, mean),
        "garman_klass": windowed(garman, length, mean),
        "rogers_satchell": windowed(rogers, length, mean),
        "yang_zhang": yang,
    }


def rescaled_range(values: Sequence[float]) -> float:
    """Range of the running sum of deviations from the mean over their deviation; NaN when flat."""
    centre = mean(values)
    path = [math.fsum(value - centre for value in values[:n]) for n in range(len(values) + 1)]
    spread = deviation(values)
    return (max(path) - min(path)) / spread if spread else NAN


def hurst(close: Sequence[float], length: int, expected: dict[int, float]) -> Line:
    """1/2 plus the slope of ln(mean R/S / expected) on ln(size) through halvings down to 6 rows."""
    line = [NAN] * len(close)
    for t in range(length, len(close)):
        steps = [math.log(close[i] / close[i - 1]) for i in range(t - length + 1, t + 1)]
        points, size = [], length
        while size >= 6:
            count = length // size
            found = [
                rescaled_range(steps[length - (n + 1) * size : length - n * size])
                for n in range(count)
            ]
            known = [expected[size] if math.isnan(one) else one for one in found]
            points.append((math.log(size), math.log(mean(known) / expected[size])))
            size //= 2
        slope = float(np.polyfit(*zip(*points, strict=True), 1)[0])
        line[t] = min(max(0.5 + slope, 0.0), 1.0)
    return line
