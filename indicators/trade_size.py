"""Who trades, as far as bars tell: leading digits and the mean size of trades (SPEC H9.11).

Market makers show in the book; bars hold only a shadow of them. Volumes of natural origin follow
Benford's law in their first digits, sizes that a program repeats do not (Cong et al. on wash trading).
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .rolling import quotient, rolling_z_score
from .spec import Columns, Indicator, Output, Parameter, Parameters

BENFORD: Final = np.log10(1.0 + 1.0 / np.arange(1.0, 10.0))
"""Expected shares of the first digits 1 to 9."""


@kernel(nogil=True)
def _leading_digits_kernel(values: Float1D) -> np.ndarray:
    """The first two digits, 10 to 99; 0 where the value is not positive and finite."""
    digits = np.zeros(len(values), dtype=np.int64)
    for t in range(len(values)):
        value = values[t]
        if not (value > 0 and value < np.inf):
            continue
        while value >= 100.0:
            value /= 10.0
        while value < 10.0:
            value *= 10.0
        digits[t] = min(int(value), 99)
    return digits


@kernel(nogil=True)
def _digits_kernel(digits: np.ndarray, expected: Float1D, length: int) -> tuple[Float1D, Float1D]:
    """Mean distance of the shares of first digits from ``expected``, and the largest share of a pair.

    Both 0 where nothing traded.
    """
    deviation, clustering = np.full(len(digits), np.nan), np.full(len(digits), np.nan)
    pairs, firsts = np.zeros(100, dtype=np.int64), np.zeros(10, dtype=np.int64)
    for t in range(len(digits)):
        pairs[digits[t]] += 1
        firsts[digits[t] // 10] += 1
        if t >= length:
            pairs[digits[t - length]] -= 1
            firsts[digits[t - length] // 10] -= 1
        if t < length - 1:
            continue
        traded = length - firsts[0]
        total = 0.0
        for digit in range(1, 10):
            if traded > 0:
                total += abs(firsts[digit] / traded - expected[digit - 1])
        deviation[t] = total / 9.0
        clustering[t] = pairs[10:].max() / traded if traded > 0 else 0.0
    return deviation, clustering


def _first_digits(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    digits = _leading_digits_kernel(columns["volume"])
    deviation, clustering = _digits_kernel(digits, BENFORD, length)
    suspect = deviation > parameters["suspect"]
    return deviation, clustering, np.where(np.isnan(deviation), 0.0, 1.0 + suspect)


def _trade_size(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    size = quotient(columns["volume"], columns["trades"], 0.0)
    return (rolling_z_score(np.log(np.where(size > 0, size, 1.0)), length),)


_LENGTH: Final = Parameter("length", 500, 100, 2000)

FIRST_DIGITS = Indicator(
    name="first_digits",
    text=(
        "Distance of the first digits of the bars' volumes from Benford's law, and how much the "
        "volumes cluster on one pair of leading digits. Volumes of one coin seldom span decades, so "
        "the law is a rough yardstick: hours of BTCUSDT lie 0.045 from it."
    ),
    inputs=("volume",),
    parameters=(_LENGTH, Parameter("suspect", 0.05, 0.01, 0.15, integer=False)),
    outputs=(
        Output("deviation", "value", "fraction", "mean |share - Benford's|", 0.0, 0.25),
        Output("clustering", "value", "fraction", "largest share of one pair of digits", 0.0, 1.0),
        Output("band", "state", "", "1 natural, 2 further off than `suspect`"),
    ),
    compute=_first_digits,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)

TRADE_SIZE = Indicator(
    name="trade_size",
    text="Mean size of the trades of a bar against its own past.",
    inputs=("volume", "trades"),
    parameters=(_LENGTH,),
    outputs=(Output("size_z", "value", "deviations", "z-score of ln(volume / trades)"),),
    compute=_trade_size,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)

INDICATORS = (FIRST_DIGITS, TRADE_SIZE)
