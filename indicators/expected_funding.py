"""Funding as the venue's formula gives it before it settles (SPEC H9.4).

``F = P + clamp(I - P, +-0.05 %)`` for eight hours, with the interest I = 0.01 % and P the mean of the
premium index since the last settlement, later rows weighing more (1, 2, 3, ...). A shorter interval
pays its share of eight hours.
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .funding import BASELINE
from .spec import Columns, Indicator, Output, Parameters

CLAMP: Final = 5e-4
_INTERVAL_HOURS: Final = 8.0
_STABLE_ROWS: Final = 26
"""Rows of hourly premiums in the longest time that one settlement is shown, a day, and one more."""


@kernel(nogil=True)
def _weighted_premium_kernel(event_time: Float1D, premium: Float1D, settled: Float1D) -> Float1D:
    """Mean of the premium since the settlement that a row's time follows, weights 1, 2, 3, ..."""
    out = np.empty(len(premium))
    total, weights, count, begun = 0.0, 0.0, 0.0, -np.inf
    for t in range(len(premium)):
        # A row that closes at a settlement sees it, yet belongs to the interval before.
        last = settled[t] if settled[t] <= event_time[t] or t == 0 else settled[t - 1]
        if event_time[t] >= last and last != begun:
            total, weights, count, begun = 0.0, 0.0, 0.0, last
        count += 1.0
        weights += count
        total += count * premium[t]
        out[t] = total / weights
    return out


def funding_of_premium(premium: Float1D) -> Float1D:
    """Funding for eight hours, a fraction, of a mean premium, a fraction; ``(T,)``."""
    return premium + np.clip(BASELINE - premium, -CLAMP, CLAMP)


def _expected_funding(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    mean = _weighted_premium_kernel(
        columns["event_time"], columns["close"], columns["funding.event_time"]
    )
    f8 = funding_of_premium(mean)
    hours = np.maximum(columns["funding.interval_hours"], 0.0)
    return f8, f8 * hours / _INTERVAL_HOURS, mean


EXPECTED_FUNDING = Indicator(
    name="expected_funding",
    text="Funding that the premium since the last settlement gives, on the venue's formula.",
    inputs=("event_time", "close", "funding.event_time", "funding.interval_hours"),
    only_clock="premium_index+funding",
    parameters=(),
    outputs=(
        Output("f8", "value", "fraction per 8 hours", "P + clamp(I - P)"),
        Output("rate", "value", "fraction per interval", "f8 * interval / 8 hours"),
        Output("premium", "value", "fraction", "weighted mean since the settlement"),
    ),
    compute=_expected_funding,
    lookback=lambda parameters: 0,
    stable=lambda parameters: _STABLE_ROWS,
)

INDICATORS = (EXPECTED_FUNDING,)
