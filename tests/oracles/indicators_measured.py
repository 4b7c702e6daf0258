"""Slow, plain-Python answers for indicators that TA-Lib lacks, and the series they are tried on.

Every function walks one window at a time with lists and ``math.fsum``; nothing is carried from row
to row. NaN stands for rows before the first full window.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

NAN = math.nan
DAY_NS = 86_400_000_000_000
START_NS = 1_609_459_200_000_000_000

Columns = dict[str, np.ndarray]


def _columns(
    close: np.ndarray, reach: np.ndarray | float = 0.0, volume: np.ndarray | float = 3.3
) -> Columns:
    rows = len(close)
    open_ = np.concatenate((close[:1], close[:-1]))
    traded = np.full(rows, 1.0) * volume
    return {
        "open_time": START_NS + 3_600e9 * np.arange(rows),
        "open": open_,
        "high": np.maximum(open_, close) + reach,
        "low": np.minimum(open_, close) - reach,
        "close": close,
        "volume": traded,
        "taker_buy_volume": traded * np.linspace(0.2, 0.8, rows),
        "is_gap": np.zeros(rows),
    }


def _walk(rows: int) -> Columns:
    generator = np.random.default_rng(20)
    close = 100.0 * np.exp(np.cumsum(0.01 * generator.standard_normal(rows)))
    reach = 0.3 * generator.exponential(size=rows)
    return _columns(close, reach, 1000.0 * generator.random(rows) + 1.0)


def parity_series(rows: int = 500) -> dict[str, Columns]:
    """The six series of SPEC H1.1: walk, constant, monotone, alternating, zero volume, one tick."""
    step = np.full(rows, 100.1)
    step[rows // 2 :] += 0.01
    flat = _columns(np.full(rows, 100.1))
    tick = _columns(step)
    for bars in (flat, tick):
        bars["open"] = bars["high"] = bars["low"] = bars["close"]
    silent = _walk(rows)
    silent["volume"][rows // 3 : rows // 2] = 0.0
    silent["taker_buy_volume"][rows // 3 : rows // 2] = 0.0
    return {
        "walk": _walk(rows),
        "constant": flat,
        "monotone": _columns(100.0 + 0.5 * np.arange(rows), 0.3),
        "alternating": _columns(100.0 + np.arange(rows) % 2),
        "zero_volume": silent,
        "one_tick": tick,
    }


def windowed(
    values: Sequence[float], length: int, answer: Callable[[Sequence[float]], float]
) -> list[float]:
    """``answer`` of every full window of ``length`` rows, NaN before the first."""
    return [
        NAN if t < length - 1 else answer(values[t - length + 1 : t + 1])
        for t in range(len(values))
    ]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / len(values))


def ema_line(values: Sequence[float], length: int) -> list[float]:
    """EMA seeded with the mean of its first ``length`` values."""
    line = [NAN] * len(values)
    if len(values) >= length:
        line[length - 1] = mean(values[:length])
        for t in range(length, len(values)):
            line[t] = line[t - 1] + 2.0 / (length + 1) * (values[t] - line[t - 1])
    return line


def cutler(close: Sequence[float], length: int) -> list[float]:
    answers = [NAN] * len(close)
    for t in range(length, len(close)):
        steps = [close[i] - close[i - 1] for i in range(t - length + 1, t + 1)]
        gain = math.fsum(step for step in steps if step > 0)
        loss = math.fsum(-step for step in steps if step < 0)
        answers[t] = 50.0 if gain + loss == 0 else 100.0 * gain / (gain + loss)
    return answers


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def ma_stack(close: Sequence[float], fast: int, middle: int, slow: int) -> list[float]:
    answers = [NAN] * len(close)
    for t in range(slow - 1, len(close)):
        chain = [close[t], *(mean(close[t - n + 1 : t + 1]) for n in (fast, middle, slow))]
        answers[t] = sum(_sign(a - b) for a, b in pairwise(chain)) / 3.0
    return answers


def ichimoku(
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    conversion: int,
    base: int,
    span: int,
    shift: int,
) -> list[tuple[float, ...]]:
    """Conversion, base, cloud A and B, future A and B, lagging sign and score, row by row."""

    def middle(t: int, n: int) -> float:
        return (max(high[t - n + 1 : t + 1]) + min(low[t - n + 1 : t + 1])) / 2.0

    rows: list[tuple[float, ...]] = [(NAN,) * 8] * len(close)
    for t in range(max(conversion, base, span) - 1 + shift, len(close)):
        fast, slow, ahead = middle(t, conversion), middle(t, base), middle(t, span)
        then = t - shift
        cloud = ((middle(then, conversion) + middle(then, base)) / 2.0, middle(then, span))
        place = 1 if close[t] > max(cloud) else -1 if close[t] < min(cloud) else 0
        lagging = _sign(close[t] - close[then])
        signs = place + _sign(fast - slow) + _sign(close[t] - slow) + lagging
        score = 50.0 + 10.0 * (signs + _sign((fast + slow) / 2.0 - ahead))
        rows[t] = (fast, slow, *cloud, (fast + slow) / 2.0, ahead, lagging, score)
    return list(zip(*rows, strict=True))


def bulges(index: Sequence[float], is_gap: Sequence[float], arm: float, fire: float) -> list[float]:
    """1 where the index is below ``fire`` for the first time since it was above ``arm``."""
    answers = []
    for t in range(len(index)):
        back, fired = t - 1, False
        in_long_gap = t >= 3 and all(is_gap[t - 3 : t + 1])
        if index[t] < fire and not in_long_gap:
            while back >= 0 and not index[back] > arm:
                if index[back] < fire or (back >= 3 and all(is_gap[back - 3 : back + 1])):
                    break
                back -= 1
            long_gap = back >= 3 and all(is_gap[back - 3 : back + 1])
            fired = back >= 0 and index[back] > arm and not long_gap
        answers.append(1.0 if fired else 0.0)
    return answers


def obv_score(close: Sequence[float], volume: Sequence[float], length: int) -> list[float]:
    line = [0.0]
    for t in range(1, len(close)):
        line.append(line[-1] + _sign(close[t] - close[t - 1]) * volume[t])

    def score(window: Sequence[float]) -> float:
        if len(set(window)) == 1:
            return 0.0
        return (window[-1] - mean(window)) / deviation(window)

    return windowed(line, length, score)


def location_flow(columns: Columns) -> list[float]:
    answers = []
    for high, low, close, volume in zip(
        *(columns[name] for name in ("high", "low", "close", "volume")), strict=True
    ):
        place = 0.5 if high == low else (close - low) / (high - low)
        answers.append(volume * (2.0 * place - 1.0))
    return answers


def adl_score(columns: Columns, length: int, window: int) -> list[float]:
    flow = location_flow(columns)
    line = [math.fsum(flow[: t + 1]) for t in range(len(flow))]
    trend = ema_line(line, length)
    spread = windowed(flow, window, deviation)
    return [
        NAN
        if math.isnan(s) or math.isnan(e)
        else 0.0
        if s == 0
        else (a - e) / (s * math.sqrt(length))
        for a, e, s in zip(line, trend, spread, strict=True)
    ]


def buy_share(delta: Sequence[float], volume: Sequence[float], length: int) -> list[float]:
    answers = [NAN] * len(delta)
    for t in range(length - 1, len(delta)):
        traded = math.fsum(volume[t - length + 1 : t + 1])
        bought = math.fsum(delta[t - length + 1 : t + 1])
        answers[t] = 0.5 if traded == 0 else 0.5 + 0.5 * bought / traded
    return answers


def ease_of_movement(columns: Columns, length: int) -> tuple[list[float], list[float]]:
    high, low, volume = columns["high"], columns["low"], columns["volume"]
    raw = [NAN]
    for t in range(1, len(high)):
        move = (high[t] + low[t]) / 2.0 - (high[t - 1] + low[t - 1]) / 2.0
        box = 0.0 if volume[t] == 0 else (high[t] - low[t]) / (volume[t] / 1e8)
        raw.append(move * box)
    average = [NAN, *windowed(raw[1:], length, mean)]
    total = [NAN, *windowed(raw[1:], length, math.fsum)]
    size = [NAN, *windowed([abs(value) for value in raw[1:]], length, math.fsum)]
    balance = [
        NAN if math.isnan(s) else 0.0 if s == 0 else t / s for t, s in zip(total, size, strict=True)
    ]
    return average, balance


def day_vwap(columns: Columns) -> tuple[list[float], list[float]]:
    """VWAP of the UTC day so far, and close less VWAP in deviations; NaN before the first midnight."""
    vwap, away = [], []
    days = [int(time) // DAY_NS for time in columns["open_time"]]
    at_midnight = [int(time) % DAY_NS == 0 for time in columns["open_time"]]
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3.0
    for t, day in enumerate(days):
        first = t
        while first > 0 and days[first - 1] == day:
            first -= 1
        if first == 0 and not at_midnight[0]:
            vwap.append(NAN)
            away.append(NAN)
            continue
        rows = range(first, t + 1)
        traded = math.fsum(columns["volume"][i] for i in rows)
        if traded == 0:
            vwap.append(typical[first])
            away.append(0.0)
            continue
        centre = math.fsum(columns["volume"][i] * typical[i] for i in rows) / traded
        spread = math.sqrt(
            math.fsum(columns["volume"][i] * (typical[i] - centre) ** 2 for i in rows) / traded
        )
        one_price = len({typical[i] for i in rows if columns["volume"][i] > 0}) == 1
        vwap.append(centre)
        away.append(0.0 if one_price else (columns["close"][t] - centre) / spread)
    return vwap, away


def usual_volume(
    volume: Sequence[float],
    rows_a_day: int,
    days: int,
    reach: int = 1,
    weekdays: Sequence[int] | None = None,
) -> tuple[list[float], list[float]]:
    """Volume over the median of its slot and ``reach`` slots beside it, and robust z of its log.

    With ``weekdays`` (0 is Monday) Saturdays and Sundays are compared among themselves.
    """
    ratio, score = [NAN] * len(volume), [NAN] * len(volume)
    for t in range(days * rows_a_day + reach, len(volume)):
        slots = [t - day * rows_a_day for day in range(1, days + 1)]
        if weekdays is not None:
            slots = [
                slot for slot in slots if (weekdays[slot] in (5, 6)) == (weekdays[t] in (5, 6))
            ]
        around = [slot + beside for slot in slots for beside in range(-reach, reach + 1)]
        sample = [volume[row] for row in around if volume[row] > 0]
        ratio[t] = score[t] = 0.0
        if not sample or len(sample) < len(slots) or volume[t] == 0:
            continue
        ratio[t] = volume[t] / median(sample)
        logs = [math.log(value) for value in sample]
        spread = median(abs(value - median(logs)) for value in logs)
        if spread > 0:
            score[t] = (math.log(volume[t]) - median(logs)) / (1.4826 * spread)
    return ratio, score


def assert_equal_lines(
    found: np.ndarray, expected: Sequence[float] | np.ndarray, *, atol: float = 1e-10
) -> None:
    """Same NaN rows, and values within 1e-9 relative.

    ``atol`` is for differences of prices near 100 that cancel to about 0: 1e-10 of them is rounding.
    """
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-9, atol=atol)
