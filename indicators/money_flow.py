"""Money flow: where volume went in its bars, and how far it moved price."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import exponential_stable_rows, forgetting_rows
from .rolling import quotient, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volume import close_location_flow, delta_ratio


@kernel(nogil=True)
def _smoothed_balance_kernel(share: Float1D, alpha: float) -> tuple[Float1D, Float1D]:
    balance, smooth = np.empty(len(share)), np.empty(len(share))
    mean = np.nan
    for t in range(len(share)):
        value = 2.0 * share[t] - 1.0
        mean = value if np.isnan(mean) else mean + alpha * (value - mean)
        balance[t], smooth[t] = value, mean
    return balance, smooth


@kernel(nogil=True)
def _force_kernel(close: Float1D, volume: Float1D, length: int) -> tuple[Float1D, Float1D]:
    force, balance = np.full(len(close), np.nan), np.full(len(close), np.nan)
    alpha = 2.0 / (length + 1.0)
    mean, size = 0.0, 0.0
    for t in range(1, len(close)):
        raw = (close[t] - close[t - 1]) * volume[t]
        if t <= length:
            mean += raw / length
            size += abs(raw) / length
        else:
            mean += alpha * (raw - mean)
            size += alpha * (abs(raw) - size)
        if t >= length:
            force[t] = mean
            balance[t] = min(max(mean / size, -1.0), 1.0) if size != 0 else 0.0
    return force, balance


@kernel(nogil=True)
def _ease_kernel(high: Float1D, low: Float1D, volume: Float1D) -> Float1D:
    out = np.full(len(high), np.nan)
    for t in range(1, len(high)):
        move = (high[t] + low[t]) / 2.0 - (high[t - 1] + low[t - 1]) / 2.0
        out[t] = move * (0.0 if volume[t] == 0 else (high[t] - low[t]) / (volume[t] / 1e8))
    return out


@kernel(nogil=True)
def _balance_kernel(total: Float1D, size: Float1D) -> Float1D:
    out = np.full(len(total), np.nan)
    for t in range(len(total)):
        if not np.isnan(total[t]):
            out[t] = min(max(total[t] / size[t], -1.0), 1.0) if size[t] != 0 else 0.0
    return out


@kernel(nogil=True)
def _money_kernel(
    high: Float1D, low: Float1D, close: Float1D, volume: Float1D
) -> tuple[Float1D, Float1D]:
    bought, moved = np.full(len(close), np.nan), np.full(len(close), np.nan)
    before = np.nan
    for t in range(len(close)):
        typical = (high[t] + low[t] + close[t]) / 3.0
        if t > 0:
            money = typical * volume[t]
            bought[t] = money if typical > before else 0.0 * money
            moved[t] = money if typical != before else 0.0 * money
        before = typical
    return bought, moved


@kernel(nogil=True)
def _facilitation_kernel(high: Float1D, low: Float1D, volume: Float1D) -> tuple[Float1D, Float1D]:
    index, code = np.empty(len(volume)), np.zeros(len(volume))
    for t in range(len(volume)):
        traded = volume[t]
        index[t] = 0.0 if traded == 0 else (high[t] - low[t]) / traded
    for t in range(1, len(volume)):
        easier, busier = index[t] - index[t - 1], volume[t] - volume[t - 1]
        moved = (1.0 if easier > 0 else 0.0) - (1.0 if easier < 0 else 0.0)
        alike = moved * ((1.0 if busier > 0 else 0.0) - (1.0 if busier < 0 else 0.0))
        # 1 and 2 where index and volume went the same way, 3 and 4 where not; the lower one for up.
        code[t] = alike * alike * (2.5 - alike - 0.5 * moved)
    return index, code


def _cmf(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    flow = close_location_flow(columns["high"], columns["low"], columns["close"], volume)
    share = delta_ratio(flow, volume, length)
    cmf, smooth = _smoothed_balance_kernel(share, parameters["smoothing"])
    return cmf, smooth, 50.0 + 50.0 * np.tanh(smooth / 0.15)


def _force(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return _force_kernel(columns["close"], columns["volume"], int(parameters["length"]))


def _emv(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    raw = _ease_kernel(columns["high"], columns["low"], columns["volume"])
    total = rolling_sum(raw, length)
    return total / length, _balance_kernel(total, rolling_sum(np.abs(raw), length))


def _mfi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    bought, moved = _money_kernel(*(columns[name] for name in ("high", "low", "close", "volume")))
    return (100.0 * quotient(rolling_sum(bought, length), rolling_sum(moved, length), 0.5),)


def _market_facilitation(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return _facilitation_kernel(columns["high"], columns["low"], columns["volume"])


def _window_lookback(parameters: Parameters) -> int:
    return int(parameters["length"]) - 1


CMF = Indicator(
    name="cmf",
    text="Chaikin money flow: sum of close-location flow over sum of volume; 0 without volume.",
    inputs=("high", "low", "close", "volume"),
    parameters=(
        Parameter("length", 20, 2, 200),
        Parameter("smoothing", 0.5, 0.1, 1.0, integer=False),
    ),
    outputs=(
        Output("cmf", "value", "-1 to 1", "money flow", -1.0, 1.0),
        Output("smooth", "value", "-1 to 1", "its EMA, alpha = smoothing", -1.0, 1.0),
        Output("score", "value", "0 to 100", "50 + 50 tanh(smooth / 0.15)", 0.0, 100.0),
    ),
    compute=_cmf,
    lookback=_window_lookback,
    stable=lambda parameters: (
        int(parameters["length"]) + forgetting_rows(parameters["smoothing"], 1, 1e-8)
    ),
)
FORCE = Indicator(
    name="force",
    text="Force index (Elder): EMA of price change x volume, and the same over its absolute flow.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 13, 2, 100),),
    outputs=(
        Output("force", "value", "price x base units", "force index"),
        Output("balance", "value", "-1 to 1", "force over absolute force, 0 when flat", -1.0, 1.0),
    ),
    compute=_force,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 1, 1e-8) + 1,
)
EMV = Indicator(
    name="emv",
    text="Ease of movement (Arms): move of the middle x range per 1e8 volume; 0 without volume.",
    inputs=("high", "low", "volume"),
    parameters=(Parameter("length", 14, 2, 100),),
    outputs=(
        Output("emv", "value", "price^2 per 1e8 base units", "mean ease of movement"),
        Output("balance", "value", "-1 to 1", "sum over absolute sum, 0 when flat", -1.0, 1.0),
    ),
    compute=_emv,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
MFI = Indicator(
    name="mfi",
    text="Money flow index: the RSI of typical price x volume, of plain sums; 50 when flat.",
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("length", 14, 2, 100),),
    outputs=(Output("mfi", "value", "0 to 100", "money flow index", 0.0, 100.0),),
    compute=_mfi,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
MARKET_FACILITATION = Indicator(
    name="market_facilitation",
    text=(
        "Market facilitation index (B. Williams): range per unit of volume, 0 without volume, and "
        "what it and the volume did since the bar before."
    ),
    inputs=("high", "low", "volume"),
    parameters=(),
    outputs=(
        Output("range_per_volume", "value", "price per base unit", "(high - low) / volume", 0.0),
        Output(
            "code",
            "state",
            "code",
            "1 green: both up, 2 fade: both down, 3 fake: index up on less volume, 4 squat: index "
            "down on more, 0 where either stood still",
            high=4.0,
        ),
    ),
    compute=_market_facilitation,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 1,
)

INDICATORS = (CMF, FORCE, EMV, MFI, MARKET_FACILITATION)
