"""The preset ``broad`` of the technical head: every directional indicator of SPEC H1.1, each alike.

Left out, because they have no direction: ER, VHF, mass index, ATR, NATR, true range, deviations, the
range volatilities, CVI, ulcer index, ADR, percent rank, Hurst, dominant cycle, trend mode, correlation and
beta. Left out, because they are another component in other units: CMO as smoothed (RSI), linreg_angle
(linreg_slope), z_score (Bollinger's %b), Cutler's RSI (CMO unsmoothed), AO scored (AO), lines beside their
difference (AC, MACD).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from engine import Float1D
from indicators import Feature, feature

from .scoring import bounded, quotient_or_zero
from .technical_components import SIGNALS

Reading: TypeAlias = Literal["share", "percent", "signed_percent", "side", "soft", "atr", "change"]
"""How a column becomes a signal in [0, 1]: as it is; over 100; ``1/2 + x / 200``; ``1/2 + x / 2``;
``1/2 + tanh(x / scale) / 2``; the same of x in ATR; the same of a percentage over ATR in percent."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """One output of one indicator, its reading, and the usual size of what is squashed."""

    indicator: str
    output: str
    reading: Reading
    scale: float = 1.0

    def signal(self, values: Float1D, atr: Float1D, atr_frac: Float1D) -> Float1D:
        """The column as a signal, ``(T,)`` in [0, 1], NaN where it is not known."""
        if self.reading == "share":
            raw = values
        elif self.reading == "percent":
            raw = values / 100.0
        elif self.reading == "signed_percent":
            raw = 0.5 + values / 200.0
        elif self.reading == "side":
            raw = 0.5 + values / 2.0
        elif self.reading == "atr":
            raw = bounded(quotient_or_zero(values, atr), self.scale)
        elif self.reading == "change":
            raw = bounded(quotient_or_zero(values, 100.0 * atr_frac), self.scale)
        else:
            raw = bounded(values, self.scale)
        return np.clip(raw, 0.0, 1.0)


_SLOW_MEAN: Final = 1.5
"""ATR by which a price is usually away from a mean of twenty bars."""
_FAST_MEAN: Final = 0.75
"""The same for means without lag."""

ADDED: Final[Mapping[str, Scaled]] = {
    "sma": Scaled("sma", "distance", "atr", _SLOW_MEAN),
    "ema": Scaled("ema", "distance", "atr", _SLOW_MEAN),
    "wma": Scaled("wma", "distance", "atr", _SLOW_MEAN),
    "rma": Scaled("rma", "distance", "atr", _SLOW_MEAN),
    "vwma": Scaled("vwma", "distance", "atr", _SLOW_MEAN),
    "trima": Scaled("trima", "distance", "atr", _SLOW_MEAN),
    "kama": Scaled("kama", "distance", "atr", _SLOW_MEAN),
    "dema": Scaled("dema", "distance", "atr", _FAST_MEAN),
    "tema": Scaled("tema", "distance", "atr", _FAST_MEAN),
    "t3": Scaled("t3", "distance", "atr", _FAST_MEAN),
    "zlema": Scaled("zlema", "distance", "atr", _FAST_MEAN),
    "hma_distance": Scaled("hma", "distance", "atr", _FAST_MEAN),
    "mama": Scaled("mama", "spread", "atr", 0.5),
    "linreg": Scaled("linreg", "distance", "atr", _FAST_MEAN),
    "linreg_slope": Scaled("linreg_slope", "slope_atr", "soft", 0.10),
    "sar": Scaled("sar", "side", "side"),
    "vortex": Scaled("vortex", "spread", "soft", 0.25),
    "dpo": Scaled("dpo", "dpo_atr", "soft", 1.5),
    "ha_trend": Scaled("ha_trend", "side", "side"),
    "stochastic_rsi": Scaled("stochastic_rsi", "d", "percent"),
    "kdj": Scaled("kdj", "j", "percent"),
    "ao_atr": Scaled("ao", "ao_atr", "soft", 1.0),
    "ac": Scaled("ac", "ac", "atr", 0.25),
    "momentum": Scaled("momentum", "momentum", "atr", 2.0),
    "roc": Scaled("roc", "roc", "change", 2.0),
    "smi": Scaled("smi", "smi", "signed_percent"),
    "coppock": Scaled("coppock", "coppock", "change", 4.0),
    "bop": Scaled("bop", "bop", "side"),
    "imi": Scaled("imi", "imi", "percent"),
    "eri_bull": Scaled("eri", "bull", "atr", 1.5),
    "eri_bear": Scaled("eri", "bear", "atr", 1.5),
    "fosc": Scaled("fosc", "fosc", "change", 0.75),
    "qstick": Scaled("qstick", "qstick", "atr", 0.25),
    "kst": Scaled("kst", "kst", "change", 15.0),
    "rvgi": Scaled("rvgi", "rvgi", "soft", 0.25),
    "fisher": Scaled("fisher", "fisher", "soft", 1.5),
    "acceleration_bands": Scaled("acceleration_bands", "position", "share"),
    "squeeze": Scaled("squeeze", "momentum", "atr", 1.0),
    "rvi": Scaled("rvi", "rvi", "percent"),
    "mfi": Scaled("mfi", "mfi", "percent"),
    "close_location_delta": Scaled("close_location_delta", "score", "percent"),
    "cmf": Scaled("cmf", "score", "percent"),
    "obv": Scaled("obv", "score", "percent"),
    "adl": Scaled("adl", "score", "percent"),
    "rvol": Scaled("rvol", "score", "percent"),
    "force": Scaled("force", "balance", "soft", 0.5),
    "emv": Scaled("emv", "balance", "soft", 0.5),
    "pvt": Scaled("pvt", "z", "soft", 2.0),
    "adosc": Scaled("adosc", "share", "soft", 1.0),
    "session_vwap": Scaled("session_vwap", "deviation", "soft", 1.0),
}
"""Components beyond those of AlphaPulse, at the defaults of their indicators."""

MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "trend": (
        "sma", "ema", "wma", "rma", "vwma", "trima", "kama", "dema", "tema", "t3", "zlema",
        "hma_distance", "hma", "mama", "linreg", "linreg_slope", "macd", "ppo", "adx", "aroon", "sar",
        "supertrend", "ichimoku", "vortex", "dpo", "ema_cross", "ma_stack", "ha_trend",
    ),
    "momentum": (
        "rsi", "stochastic", "stochastic_rsi", "kdj", "williams_r", "cci", "ao_atr", "ac", "momentum",
        "roc", "cmo", "tsi", "smi", "trix", "ultimate_oscillator", "coppock", "bop", "imi", "eri_bull",
        "eri_bear", "fosc", "qstick", "kst", "rvgi", "fisher",
    ),
    "volatility": (
        "bollinger", "keltner", "donchian", "acceleration_bands", "chandelier", "squeeze", "rvi",
    ),
    "volume": (
        "close_location_delta", "cmf", "mfi", "obv", "adl", "rvol", "force", "emv", "pvt", "adosc",
        "session_vwap",
    ),
}  # fmt: skip
FACTORS: Final[Mapping[str, float]] = {
    "trend": 0.30,
    "momentum": 0.25,
    "volatility": 0.25,
    "volume": 0.20,
}
BROAD: Final[Mapping[str, tuple[float, Mapping[str, float]]]] = {
    group: (FACTORS[group], dict.fromkeys(names, 1.0 / len(names)))
    for group, names in MEMBERS.items()
}
"""Group: its factor and the equal weights of its components."""


def broad_features() -> dict[str, Feature]:
    """The columns of ``ADDED`` by the names of their components."""
    return {name: feature(one.indicator, one.output) for name, one in ADDED.items()}


def broad_signal(name: str, column: Callable[[str], Float1D]) -> Float1D:
    """A component of ``broad``: AlphaPulse's where it has one of that name, else of ``ADDED``."""
    if name in ADDED:
        return ADDED[name].signal(column(name), column("atr"), column("atr_frac"))
    return SIGNALS[name](column)
