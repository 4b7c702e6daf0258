"""Volume: how unusual it was, and the flows that a bar's prices give it."""

import numpy as np

from engine import Float1D, kernel

from .rolling import previous_mean_ratio, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel(nogil=True)
def signed_volume_kernel(close: Float1D, volume: Float1D) -> Float1D:
    """The bar's volume with the sign of its change of close; row 0 is 0."""
    out = np.zeros(len(close))
    for t in range(1, len(close)):
        step = close[t] - close[t - 1]
        out[t] = volume[t] if step > 0 else -volume[t] if step < 0 else 0.0 * volume[t]
    return out


@kernel(nogil=True)
def close_location_kernel(high: Float1D, low: Float1D, close: Float1D, volume: Float1D) -> Float1D:
    """``V (2 clv - 1)`` with ``clv = (c - l) / (h - l)``; 0 when the bar has no range."""
    out = np.empty(len(close))
    for t in range(len(close)):
        width = high[t] - low[t]
        place = 0.5 if width == 0 else (close[t] - low[t]) / width
        out[t] = volume[t] * (2.0 * place - 1.0)
    return out


@kernel(nogil=True)
def _share_kernel(flow: Float1D, traded: Float1D) -> Float1D:
    out = np.empty(len(flow))
    for t in range(len(flow)):
        balance = 0.0 * flow[t] if traded[t] == 0 else flow[t] / traded[t]
        out[t] = np.nan if np.isnan(balance) else 0.5 + 0.5 * min(max(balance, -1.0), 1.0)
    return out


@kernel(nogil=True)
def _relative_volume_kernel(
    close: Float1D, ratio: Float1D, least: float
) -> tuple[Float1D, Float1D]:
    score, spike = np.full(len(close), np.nan), np.zeros(len(close))
    for t in range(len(close)):
        if np.isnan(ratio[t]):
            continue
        step = np.sign(close[t] - close[t - 1]) if t > 0 else 0.0
        rise = 1.0 / (1.0 + 1.0 / (ratio[t] * np.sqrt(ratio[t]))) if ratio[t] > 0 else 0.0
        score[t] = 50.0 + step * (100.0 * rise - 50.0)
        if ratio[t] >= least:
            spike[t] = step
    return score, spike


def signed_volume(close: Float1D, volume: Float1D) -> Float1D:
    """The bar's volume with the sign of its change of close, ``(T,)``; row 0 is 0."""
    return signed_volume_kernel(close, volume)


def close_location_flow(high: Float1D, low: Float1D, close: Float1D, volume: Float1D) -> Float1D:
    """``V (2 clv - 1)`` with ``clv = (c - l) / (h - l)``, ``(T,)``; 0 when the bar has no range."""
    return close_location_kernel(high, low, close, volume)


def delta_ratio(delta: Float1D, volume: Float1D, length: int) -> Float1D:
    """Share of buying over ``length`` rows, ``1/2 + sum(delta) / (2 sum(V))``; 0.5 without volume.

    Array ``(T,)``, 0 to 1; known at close *t*; NaN for ``length - 1`` rows.
    """
    return _share_kernel(rolling_sum(delta, length), rolling_sum(volume, length))


def _rvol(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    ratio = previous_mean_ratio(columns["volume"], int(parameters["length"]))
    return ratio, *_relative_volume_kernel(columns["close"], ratio, parameters["spike"])


RVOL = Indicator(
    name="rvol",
    text="Volume over the mean of the bars before it (0 where that is 0), and its score.",
    inputs=("close", "volume"),
    parameters=(
        Parameter("length", 20, 2, 200),
        Parameter("spike", 2.0, 1.1, 10.0, integer=False),
    ),
    outputs=(
        Output("rvol", "value", "ratio", "relative volume", low=0.0),
        Output(
            "score",
            "value",
            "0 to 100",
            "50 + sign of the return x (100 / (1 + rvol^-1.5) - 50)",
            0.0,
            100.0,
        ),
        Output(
            "spike",
            "signal",
            "side",
            "sign of the return where rvol reaches the spike ratio",
            firing_rate=(0.02, 0.20),
        ),
    ),
    compute=_rvol,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (RVOL,)
