"""The calls of TA-Lib that give the outputs of one of our indicators, at its default parameters.

A line for each indicator: a function of the columns. Where ours has more outputs than TA-Lib's function
of that name, the further calls that they take stand beside it; what TA-Lib has no call for (a score,
the row on which a side changes) is left out and counts against us. ``candlestick`` has no line: it
calls TA-Lib.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import talib

Bars: TypeAlias = Mapping[str, np.ndarray]
ta: Any = talib


def _hlc(bars: Bars) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return bars["high"], bars["low"], bars["close"]


def _with_distance(bars: Bars, line: np.ndarray) -> object:
    """An average and the distance of the close from it."""
    return line, ta.SUB(bars["close"], line)


def _away(average: Callable[..., np.ndarray], *parameters: float) -> Callable[[Bars], object]:
    """An average of the close, and the distance of the close from it."""
    return lambda bars: _with_distance(bars, average(bars["close"], *parameters))


def _of_close(function: Callable[..., object], *parameters: float) -> Callable[[Bars], object]:
    return lambda bars: function(bars["close"], *parameters)


def _of_range(function: Callable[..., object], *parameters: float) -> Callable[[Bars], object]:
    return lambda bars: function(bars["high"], bars["low"], *parameters)


def _of_hlc(function: Callable[..., object], *parameters: float) -> Callable[[Bars], object]:
    return lambda bars: function(*_hlc(bars), *parameters)


def _over_atr(bars: Bars, *lines: np.ndarray) -> tuple[np.ndarray, ...]:
    atr = ta.ATR(*_hlc(bars), 14)
    return (*lines, *(ta.DIV(line, atr) for line in lines))


def _spread(pair: tuple[np.ndarray, ...]) -> object:
    return pair, ta.SUB(pair[0], pair[1])


def _place(bars: Bars, bands: tuple[np.ndarray, np.ndarray, np.ndarray]) -> object:
    """Bands and the place of the close between them."""
    upper, _, lower = bands
    return bands, ta.DIV(ta.SUB(bars["close"], lower), ta.SUB(upper, lower))


def _bollinger(bars: Bars) -> object:
    bands = ta.BBANDS(bars["close"], 20)
    return _place(bars, bands), ta.DIV(ta.SUB(bands[0], bands[2]), bands[1])


def _slope(bars: Bars) -> object:
    return _over_atr(bars, ta.LINEARREG_SLOPE(bars["close"], 20))


def _angle(bars: Bars) -> object:
    _, per_atr = _over_atr(bars, ta.LINEARREG_SLOPE(bars["close"], 14))
    return ta.LINEARREG_ANGLE(bars["close"], 14), ta.ATAN(per_atr)


def _slope_of_hull_mean(bars: Bars) -> object:
    return ta.MOM(ta.HMA(bars["close"], 20), 1)


def _stack(bars: Bars) -> object:
    close = bars["close"]
    fast, middle, slow = (ta.SMA(close, length) for length in (20, 50, 200))
    return ta.SUB(close, fast), ta.SUB(fast, middle), ta.SUB(middle, slow)


def _middle(bars: Bars, length: int) -> np.ndarray:
    line: np.ndarray = ta.MIDPRICE(bars["high"], bars["low"], length)
    return line


def _ichimoku(bars: Bars) -> object:
    fast, slow, ahead = _middle(bars, 9), _middle(bars, 26), _middle(bars, 52)
    between = ta.ADD(fast, slow)
    compared = ta.MOM(bars["close"], 26), ta.SUB(bars["close"], slow), ta.SUB(fast, slow)
    return between, compared, ta.SUB(between, ahead), ta.MAX(ahead, 2), ta.MIN(ahead, 2)


def _chandelier(bars: Bars) -> object:
    reach = ta.ATR(*_hlc(bars), 22)
    return ta.SUB(ta.MAX(bars["high"], 22), reach), ta.ADD(ta.MIN(bars["low"], 22), reach)


def _rvol_of(bars: Bars) -> object:
    return ta.RVOL(bars["volume"], 20), ta.LN(bars["volume"])


def _z(line: np.ndarray, length: int) -> np.ndarray:
    score: np.ndarray = ta.DIV(ta.SUB(line, ta.SMA(line, length)), ta.STDDEV(line, length))
    return score


def _flows(bars: Bars) -> tuple[np.ndarray, ...]:
    return (*_hlc(bars), bars["volume"])


def _adl(bars: Bars) -> object:
    line = ta.AD(*_flows(bars))
    return _scored(ta.DIV(ta.SUB(line, ta.EMA(line, 20)), ta.STDDEV(line, 100)))


def _scored(line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return line, ta.TANH(line)


def _money_flow(bars: Bars) -> object:
    flow = ta.CMF(*_flows(bars), 20)
    return flow, _scored(ta.EMA(flow, 3))


def _chaikin(bars: Bars) -> object:
    line = ta.ADOSC(*_flows(bars), 3, 10)
    return line, ta.DIV(line, ta.SMA(bars["volume"], 10))


def _volume_oscillator(bars: Bars) -> object:
    line = ta.PVO(bars["volume"], 12, 26, 1)
    smooth = ta.EMA(line, 9)
    return line, smooth, ta.SUB(line, smooth)


PEERS: dict[str, Callable[[Bars], object]] = {
    "sma": _away(ta.SMA, 20),
    "ema": _away(ta.EMA, 20),
    "wma": _away(ta.WMA, 20),
    "rma": _away(ta.RMA, 14),
    "vwma": lambda bars: _with_distance(bars, ta.VWMA(bars["close"], bars["volume"], 20)),
    "ma_stack": _stack,
    "dema": _away(ta.DEMA, 20),
    "tema": _away(ta.TEMA, 20),
    "t3": _away(ta.T3, 5, 0.7),
    "trima": _away(ta.TRIMA, 20),
    "zlema": _away(ta.ZLEMA, 20),
    "hma": _away(ta.HMA, 20),
    "hma_slope": _slope_of_hull_mean,
    "er": _of_close(ta.ER, 10),
    "kama": _away(ta.KAMA, 10),
    "mama": lambda bars: _spread(ta.MAMA(bars["close"], 0.5, 0.05)),
    "linreg": _away(ta.LINEARREG, 20),
    "linreg_slope": _slope,
    "linreg_angle": _angle,
    "macd": lambda bars: _over_atr(bars, *ta.MACD(bars["close"])),
    "ema_cross": _of_close(ta.APO, 12, 26, 1),
    "dpo": lambda bars: _over_atr(bars, ta.DPO(bars["close"], 20)),
    "vhf": _of_close(ta.VHF, 28),
    "adx": lambda bars: [one(*_hlc(bars), 14) for one in (ta.ADX, ta.PLUS_DI, ta.MINUS_DI)],
    "aroon": lambda bars: [one(*_hlc(bars)[:2], 25) for one in (ta.AROON, ta.AROONOSC)],
    "vortex": lambda bars: _spread(ta.VORTEX(*_hlc(bars), 14)),
    "supertrend": _of_hlc(ta.SUPERTREND, 10, 3.0),
    "sar": _of_range(ta.SAR, 0.02, 0.2),
    "ichimoku": _ichimoku,
    "ha_trend": lambda bars: ta.HA(bars["open"], *_hlc(bars)),
    "rsi": _of_close(ta.RSI, 14),
    "cmo": lambda bars: (ta.CMO(bars["close"], 14), ta.CMOU(bars["close"], 14)),
    "tsi": _of_close(ta.TSI, 25, 13),
    "ppo": _of_close(ta.PPO, 12, 26, 1),
    "fosc": _of_close(ta.FOSC, 5),
    "momentum": _of_close(ta.MOM, 10),
    "roc": _of_close(ta.ROC, 10),
    "trix": _of_close(ta.TRIX, 15),
    "coppock": _of_close(ta.COPPOCK, 10, 11, 14),
    "stochastic": _of_hlc(ta.STOCH, 14, 3, 0, 3, 0),
    "williams_r": _of_hlc(ta.WILLR, 14),
    "stochastic_rsi": _of_close(ta.STOCHRSI, 14, 14, 3, 0),
    "kdj": _of_hlc(ta.KDJ, 9, 3, 13, 3, 13),
    "smi": _of_hlc(ta.SMI, 13, 2, 25, 9),
    "cci": _of_hlc(ta.CCI, 20),
    "ultimate_oscillator": _of_hlc(ta.ULTOSC, 7, 14, 28),
    "ao": lambda bars: _over_atr(bars, ta.AO(bars["high"], bars["low"], 5, 34)),
    "ac": _of_range(ta.AC, 5, 34, 5),
    "eri": _of_hlc(ta.ERI, 13),
    "bop": lambda bars: ta.BOP(bars["open"], *_hlc(bars)),
    "imi": lambda bars: ta.IMI(bars["open"], bars["close"], 14),
    "qstick": lambda bars: ta.QSTICK(bars["open"], bars["close"], 10),
    "true_range": _of_hlc(ta.TRANGE),
    "atr": lambda bars: (ta.ATR(*_hlc(bars), 14), ta.NATR(*_hlc(bars), 14)),
    "natr": _of_hlc(ta.NATR, 14),
    "atr_rank": lambda bars: ta.PERCENTRANK(ta.NATR(*_hlc(bars), 14), 200),
    "adr": _of_range(ta.ADR, 14),
    "standard_deviation": _of_close(ta.STDDEV, 20),
    "chandelier": _chandelier,
    "bollinger": _bollinger,
    "keltner": lambda bars: _place(bars, ta.KC(*_hlc(bars), 20, 10, 2.0)),
    "donchian": lambda bars: _place(bars, ta.DONCHIAN(*_hlc(bars)[:2], 20)),
    "acceleration_bands": lambda bars: _place(bars, ta.ACCBANDS(*_hlc(bars), 20)),
    "mass_index": _of_range(ta.MASSI, 9, 25),
    "cvi": _of_range(ta.CVI, 10, 10),
    "rvi": _of_close(ta.RVI, 14, 10),
    "percent_rank": _of_close(ta.PERCENTRANK, 100),
    "z_score": lambda bars: _z(bars["close"], 20),
    "dominant_cycle": _of_close(ta.HT_DCPERIOD),
    "trend_mode": _of_close(ta.HT_TRENDMODE),
    "pivot": _of_range(ta.FRACTAL, 5, 5),
    "rvol": _rvol_of,
    "cmf": _money_flow,
    "force": lambda bars: ta.EFI(bars["close"], bars["volume"], 13),
    "mfi": lambda bars: ta.MFI(*_flows(bars), 14),
    "market_facilitation": lambda bars: ta.MARKETFI(bars["high"], bars["low"], bars["volume"]),
    "obv": lambda bars: _scored(_z(ta.OBV(bars["close"], bars["volume"]), 100)),
    "adl": _adl,
    "pvt": lambda bars: _z(ta.PVT(bars["close"], bars["volume"]), 100),
    "nvi": lambda bars: _z(ta.NVI(bars["close"], bars["volume"]), 100),
    "pvi": lambda bars: _z(ta.PVI(bars["close"], bars["volume"]), 100),
    "pvo": _volume_oscillator,
    "adosc": _chaikin,
}


def _three_of(bars: Bars, length: int) -> object:
    return [one(*_hlc(bars), length) for one in (ta.ADX, ta.PLUS_DI, ta.MINUS_DI)]


def _aroon(bars: Bars, length: int) -> object:
    return [one(bars["high"], bars["low"], length) for one in (ta.AROON, ta.AROONOSC)]


GRID_PEERS: dict[str, Callable[[Bars, int], object]] = {
    "ema": lambda bars, length: _with_distance(bars, ta.EMA(bars["close"], length)),
    "rma": lambda bars, length: _with_distance(bars, ta.RMA(bars["close"], length)),
    "atr": lambda bars, length: (ta.ATR(*_hlc(bars), length), ta.NATR(*_hlc(bars), length)),
    "rsi": lambda bars, length: ta.RSI(bars["close"], length),
    "adx": _three_of,
    "aroon": _aroon,
    "vortex": lambda bars, length: _spread(ta.VORTEX(*_hlc(bars), length)),
    "vhf": lambda bars, length: ta.VHF(bars["close"], length),
    "cci": lambda bars, length: ta.CCI(*_hlc(bars), length),
    "bollinger": lambda bars, length: _place(bars, ta.BBANDS(bars["close"], length)),
    "donchian": lambda bars, length: _place(bars, ta.DONCHIAN(*_hlc(bars)[:2], length)),
    "percent_rank": lambda bars, length: ta.PERCENTRANK(bars["close"], length),
    "linreg": lambda bars, length: _with_distance(bars, ta.LINEARREG(bars["close"], length)),
}
"""The same for one length out of many."""
