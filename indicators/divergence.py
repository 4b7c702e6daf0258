"""Divergence of CVD and price at confirmed pivots of the close.

Row j is a pivot high when its close is above the ``left`` closes before it and not below the
``right`` closes after it; lows mirrored. It is known at the close of ``j + right``, and there the
pair (i, j) is judged, i being the pivot of the same type before it:

========  =======  ==============  ============
kind      pivots   price           indicator
========  =======  ==============  ============
regular   lows     lower low       higher low    1
regular   highs    higher high     lower high   -1
hidden    lows     higher low      lower low     1
hidden    highs    lower high      higher high  -1
========  =======  ==============  ============

provided that i and j are ``nearest`` to ``furthest`` rows apart, the prices differ by at least
``separation`` ATR and the indicator by ``separation`` deviations of its one-row change. Pivots are
forgotten, and none may reach across, more than three missing bars in a row.
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .rolling import rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import volume_delta
from .volatility import average_true_range, wilder_stable_rows

MOST_GAPS: Final = 3
_ATR_LENGTH: Final = 14
_DEVIATION_LENGTH: Final = 100


@kernel
def _is_high_kernel(price: Float1D, row: int, left: int, right: int, sign: float) -> bool:
    is_high = True
    for i in range(row - left, row):
        is_high = is_high and sign * price[row] > sign * price[i]
    for i in range(row + 1, row + right + 1):
        is_high = is_high and sign * price[row] >= sign * price[i]
    return is_high


@kernel
def _divergence_kernel(
    price: Float1D,
    measure: Float1D,
    price_unit: Float1D,
    measure_unit: Float1D,
    is_gap: Float1D,
    left: int,
    right: int,
    nearest: int,
    furthest: int,
    separation: float,
    most_gaps: int,
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(price)
    regular, hidden, strength = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    last_low, last_high, first_usable, gaps = -1, -1, 0, 0
    for t in range(rows):
        gaps = gaps + 1 if is_gap[t] > 0.5 else 0
        if gaps > most_gaps:
            last_low, last_high, first_usable = -1, -1, t + 1
        pivot = t - right
        if pivot - left < first_usable:
            continue
        for side in (1.0, -1.0):
            if not _is_high_kernel(price, pivot, left, right, -side):
                continue
            before = last_low if side > 0 else last_high
            if side > 0:
                last_low = pivot
            else:
                last_high = pivot
            if before < 0 or pivot - before < nearest or pivot - before > furthest:
                continue
            rise = side * (price[pivot] - price[before])
            turn = side * (measure[pivot] - measure[before])
            far = abs(rise) >= separation * price_unit[t] and price_unit[t] > 0
            apart = abs(turn) >= separation * measure_unit[t] and measure_unit[t] > 0
            if not (far and apart):
                continue
            if rise < 0 and turn > 0:
                regular[t] = side
            elif rise > 0 and turn < 0:
                hidden[t] = side
            else:
                continue
            size = 0.25 * (abs(rise) / price_unit[t] + abs(turn) / measure_unit[t])
            strength[t] = min(1.0, size)
    return regular, hidden, strength


def divergences(
    price: Float1D,
    measure: Float1D,
    price_unit: Float1D,
    measure_unit: Float1D,
    is_gap: Float1D,
    *,
    left: int = 5,
    right: int = 5,
    nearest: int = 5,
    furthest: int = 60,
    separation: float = 0.25,
) -> tuple[Float1D, Float1D, Float1D]:
    """Regular and hidden divergences of ``measure`` from ``price``, and their strength.

    Arrays ``(T,)``. ``price_unit`` is an ATR, ``measure_unit`` a deviation of the one-row change of
    ``measure``; a pair is judged only where both are known and positive. The first two results are
    -1, 0 or 1 on the row where the later pivot becomes known, ``right`` rows after it. Strength is
    ``min(1, (|rise| / 2 ATR + |turn| / 2 deviations) / 2)`` on those rows, 0 elsewhere.
    """
    regular, hidden, strength = _divergence_kernel(
        price, measure, price_unit, measure_unit, is_gap,
        left, right, nearest, furthest, separation, MOST_GAPS,
    )  # fmt: skip
    return regular, hidden, strength


def _cvd_divergence(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    delta = volume_delta(columns["taker_buy_volume"], columns["volume"])
    cvd = rolling_sum(delta, int(parameters["cvd_length"]))
    change = np.full(len(cvd), np.nan)
    change[1:] = cvd[1:] - cvd[:-1]
    regular, hidden, strength = divergences(
        columns["close"],
        cvd,
        average_true_range(columns["high"], columns["low"], columns["close"], _ATR_LENGTH),
        rolling_std(change, _DEVIATION_LENGTH),
        columns["is_gap"],
        left=int(parameters["left"]),
        right=int(parameters["right"]),
        nearest=int(parameters["nearest"]),
        furthest=int(parameters["furthest"]),
        separation=parameters["separation"],
    )
    warm_up = _lookback(parameters)
    regular[:warm_up] = 0.0
    hidden[:warm_up] = 0.0
    strength[:warm_up] = np.nan
    return regular, hidden, strength


def _lookback(parameters: Parameters) -> int:
    return int(parameters["cvd_length"]) + _DEVIATION_LENGTH - 1


def _stable(parameters: Parameters) -> int:
    oldest_pivot = parameters["right"] + parameters["furthest"] + parameters["left"]
    rows = _lookback(parameters) + int(oldest_pivot) + MOST_GAPS + 1
    return max(rows, 3 * wilder_stable_rows(_ATR_LENGTH) // 2)


CVD_DIVERGENCE = Indicator(
    name="cvd_divergence",
    text="Divergence of windowed CVD and price at confirmed pivots, four kinds, newest pair only.",
    inputs=("high", "low", "close", "volume", "taker_buy_volume", "is_gap"),
    parameters=(
        Parameter("left", 5, 2, 12),
        Parameter("right", 5, 2, 12),
        Parameter("nearest", 5, 2, 20),
        Parameter("furthest", 60, 20, 200),
        Parameter("separation", 0.25, 0.0, 1.0, integer=False),
        Parameter("cvd_length", 24, 5, 500),
    ),
    outputs=(
        Output(
            "regular",
            "signal",
            "",
            "1 lower low in price, higher low in CVD; -1 mirrored at highs",
            firing_rate=(0.005, 0.05),
        ),
        Output(
            "hidden",
            "signal",
            "",
            "1 higher low in price, lower low in CVD; -1 mirrored at highs",
            firing_rate=(0.005, 0.05),
        ),
        Output("strength", "value", "fraction", "of the row's event, 0 without one", 0.0, 1.0),
    ),
    compute=_cvd_divergence,
    lookback=_lookback,
    stable=_stable,
)

INDICATORS = (CVD_DIVERGENCE,)
