"""The components that the technical head can average: what each reads, and its score (SPEC H1.4)."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from engine import Float1D

from .scoring import bounded, quotient_or_zero

Column: TypeAlias = Callable[[str], Float1D]
"""Gives the column of an alias, NaN on every row where the market lacks it."""
Signal: TypeAlias = Callable[[Column], Float1D]

Weights: TypeAlias = Mapping[str, tuple[float, Mapping[str, float]]]
"""Group: its factor and the weights of its components (SPEC H1.4)."""

ALPHAPULSE: Final[Weights] = {
    "trend": (
        0.40,
        {
            "ema_cross": 0.15,
            "ma_stack": 0.10,
            "macd": 0.15,
            "adx": 0.12,
            "supertrend": 0.12,
            "hma": 0.10,
            "aroon": 0.10,
            "dema_tema": 0.08,
            "ichimoku": 0.08,
        },
    ),
    "momentum": (
        0.35,
        {
            "rsi": 0.15,
            "stochastic": 0.12,
            "tsi": 0.12,
            "williams_r": 0.08,
            "cci": 0.08,
            "cmo": 0.10,
            "ppo": 0.10,
            "trix": 0.10,
            "ultimate_oscillator": 0.08,
            "ao": 0.07,
        },
    ),
    "volatility": (
        0.25,
        {
            "bollinger": 0.25,
            "atr": 0.20,
            "donchian": 0.15,
            "keltner": 0.15,
            "mass_index": 0.12,
            "chandelier": 0.13,
        },
    ),
}
VIRTUOSO: Final[Weights] = {
    "trend": (1.0, {"macd": 0.15}),
    "momentum": (1.0, {"ao": 0.20, "rsi": 0.20, "williams_r": 0.15, "cci": 0.15}),
    "volatility": (1.0, {"atr": 0.15}),
}

NEUTRAL_COMPONENTS: Final = frozenset({"atr", "mass_index"})
"""Components of AlphaPulse without a direction: always 0.5, they only hold the score back."""


def _in_atr(column: Column, alias: str) -> Float1D:
    return quotient_or_zero(column(alias), column("atr"))


def _percent_in_atr(column: Column, alias: str) -> Float1D:
    return quotient_or_zero(column(alias), 100.0 * column("atr_frac"))


def _directional_movement(column: Column) -> Float1D:
    plus, minus = column("plus_di"), column("minus_di")
    strength = np.clip(column("adx") / 25.0, 0.0, 1.0)
    return 0.5 + 0.5 * strength * quotient_or_zero(plus - minus, plus + minus)


def _dema_tema(column: Column) -> Float1D:
    both = bounded(_in_atr(column, "dema_distance")) + bounded(_in_atr(column, "tema_distance"))
    return both / 2.0


SIGNALS: Final[Mapping[str, Signal]] = {
    "ema_cross": lambda column: bounded(_in_atr(column, "ema_spread"), 0.5),
    "ma_stack": lambda column: 0.5 + 0.5 * column("ma_stack"),
    "macd": lambda column: bounded(_in_atr(column, "macd"), 0.15),
    "adx": _directional_movement,
    "supertrend": lambda column: 0.5 + 0.5 * column("supertrend"),
    "hma": lambda column: bounded(_in_atr(column, "hma_slope"), 0.15),
    "aroon": lambda column: 0.5 + column("aroon") / 200.0,
    "dema_tema": _dema_tema,
    "ichimoku": lambda column: column("ichimoku") / 100.0,
    "rsi": lambda column: column("rsi") / 100.0,
    "stochastic": lambda column: (column("stochastic_k") + column("stochastic_d")) / 200.0,
    "tsi": lambda column: bounded(column("tsi"), 25.0),
    "williams_r": lambda column: 1.0 + column("williams_r") / 100.0,
    "cci": lambda column: bounded(column("cci"), 150.0),
    "cmo": lambda column: 0.5 + column("cmo") / 200.0,
    "ppo": lambda column: bounded(_percent_in_atr(column, "ppo"), 0.5),
    "trix": lambda column: bounded(_percent_in_atr(column, "trix"), 0.1),
    "ultimate_oscillator": lambda column: column("ultimate_oscillator") / 100.0,
    "ao": lambda column: column("ao_score") / 100.0,
    "bollinger": lambda column: np.clip(column("percent_b"), 0.0, 1.0),
    "atr": lambda column: 0.5 + 0.0 * column("atr"),
    "donchian": lambda column: np.clip(column("donchian"), 0.0, 1.0),
    "keltner": lambda column: np.clip(column("keltner"), 0.0, 1.0),
    "mass_index": lambda column: 0.5 + 0.0 * column("mass_index"),
    "chandelier": lambda column: 0.5 + 0.5 * column("chandelier"),
}
"""Each component as a signal in [0, 1], 0.5 neutral: an oscillator over its range, or
``1/2 + tanh(x / k) / 2`` where x is a price difference in ATR and k its usual size. CMO enters unsmoothed:
in the smoothed form it is the RSI again."""


def faded(signal: Float1D) -> Float1D:
    """An oscillator read against itself beyond 0.3 and 0.7, as it is between them."""
    beyond = (signal < 0.3) | (signal > 0.7)
    return np.where(beyond, 1.0 - signal, signal)


def volatility_behind(distance: Float1D, rank: Float1D) -> Float1D:
    """Expanding volatility for the side of the mean on which the price is, 0.25 to 0.75.

    ``1/2 + sign(close - mean) max(0, rank - 50) / 200`` with the percent rank of ATR over close.
    """
    return 0.5 + np.sign(distance) * np.maximum(0.0, rank - 50.0) / 200.0


def timeframe_adjustment(lower: Float1D, middle: Float1D, higher: Float1D, adx: Float1D) -> Float1D:
    """Points by which longer timeframes move a score of the decision bars (SPEC 11.4), -10 to 10.

    ``D = 0.4 higher + 0.35 middle + 0.25 lower - lower`` on scores of 0 to 100, a timeframe without data
    left out and the others scaled up; ``clip(0.2 D min(1, ADX / 25), -10, 10)``, 0 where ``|D| < 10`` or
    ADX is not known.
    """
    parts = ((0.40, higher), (0.35, middle), (0.25, lower))
    total, weight = np.zeros(len(lower)), np.zeros(len(lower))
    for share, score in parts:
        known = ~np.isnan(score)
        total += np.where(known, share * score, 0.0)
        weight += np.where(known, share, 0.0)
    mean = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)
    difference = mean - lower
    moved = np.clip(0.2 * difference * np.minimum(1.0, adx / 25.0), -10.0, 10.0)
    # NaN compares false: an unknown score or ADX adjusts nothing.
    return np.where((np.abs(difference) >= 10.0) & ~np.isnan(moved), moved, 0.0)
