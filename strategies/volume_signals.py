"""Components of the volume head as signals in [0, 1], 0.5 neutral, NaN where they are not known.

Which columns they read, and from which indicators these come, stands in ``heads/volume.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from engine import Bool1D, Float1D
from indicators.volume_delta import TAKER_COLUMNS, TRADES

from .base import HeadInputs
from .events import at_event
from .scoring import bounded, column_or_nan, column_or_zero, weighted_mean

COMPONENT_WEIGHTS: Final = {
    "alpha_pulse": {
        "delta": 0.20,
        "obv": 0.15,
        "vwap": 0.15,
        "volume_profile": 0.12,
        "cmf": 0.10,
        "adl": 0.10,
        "force": 0.08,
        "emv": 0.05,
        "taker": 0.05,
    },
    "prism": {
        "delta": 0.20,
        "adl": 0.15,
        "cmf": 0.15,
        "rvol": 0.20,
        "obv": 0.15,
        "divergence": 0.15,
    },
}
"""Weights of the presets of SPEC H3: B is ``alpha_pulse``, A is ``prism``; each sums to 1."""
MEASURED: Final = (TRADES, TAKER_COLUMNS)
"""Sources of the delta that saw the takers; the others estimate."""
ESTIMATE_TRUST: Final = 0.5
"""What part of its weight an estimated delta counts for in coverage."""
HORIZON_WEIGHTS: Final = (0.40, 0.35, 0.25)
"""Weights of the long, the middle and the short horizon; one that is not known drops out."""
VWAPS: Final = ("vwap_7d", "vwap_24h", "vwap")


def best_delta(inputs: HeadInputs) -> tuple[Float1D, Float1D]:
    """Share of buying from the best source of each row, and how far that source is trusted."""
    ratio = column_or_nan(inputs, "delta")
    trust = np.where(measured(inputs, "delta_source"), 1.0, ESTIMATE_TRUST)
    return ratio, np.where(np.isnan(ratio), 0.0, trust)


def measured(inputs: HeadInputs, alias: str) -> Bool1D:
    """Where the source in the column ``alias`` saw the takers, ``(T,)``."""
    found: Bool1D = np.isin(column_or_nan(inputs, alias), MEASURED)
    return found


def alpha_pulse_signals(inputs: HeadInputs, delta: Float1D) -> Mapping[str, Float1D]:
    """Components of preset B; ``delta`` is the signal of the volume delta, ``(T,)``."""

    def column(alias: str) -> Float1D:
        return column_or_nan(inputs, alias)

    return {
        "delta": delta,
        "obv": bounded(column("obv"), 2.0),
        "vwap": _over_horizons([_beside_vwap(column(alias)) for alias in VWAPS]),
        "volume_profile": column("profile") / 100.0,
        "cmf": bounded(column("cmf"), 0.15),
        "adl": bounded(column("adl")),
        "force": bounded(column("force"), 0.5),
        "emv": bounded(column("emv"), 0.5),
        "taker": np.where(
            measured(inputs, "taker_source"), bounded(2.0 * column("taker") - 1.0, 0.2), np.nan
        ),
    }


def prism_signals(inputs: HeadInputs, ratio: Float1D, validity_bars: int) -> Mapping[str, Float1D]:
    """Components of preset A; ``ratio`` is the share of buying, CVD divergences of the decision bars
    count for ``validity_bars``.
    """

    def column(alias: str) -> Float1D:
        return column_or_nan(inputs, alias)

    strength = np.minimum(column("adx") / 25.0, 1.0)
    event = np.sign(column_or_zero(inputs, "cvd_divergence") + column_or_zero(inputs, "cvd_hidden"))
    size = column_or_zero(inputs, "cvd_strength")
    cvd = at_event(event * np.where(np.isnan(size), 0.0, size), event, validity_bars)
    horizons = (column("divergence_1d"), column("divergence_4h"), column("divergence") + cvd)
    divergence = _over_horizons([bounded(net, 2.0) for net in horizons])
    return {
        "delta": 0.5 + strength * (2.0 * ratio - 1.0),
        "obv": bounded(column("obv"), 2.0),
        "adl": bounded(column("adl")),
        "cmf": column("cmf_score") / 100.0,
        "rvol": column("rvol") / 100.0,
        "divergence": 0.5 + strength * (divergence - 0.5),
    }


def _beside_vwap(deviation: Float1D) -> Float1D:
    """With the trend near the VWAP, back to neutral two deviations away."""
    away = np.clip(deviation / 2.0, -1.0, 1.0)
    return 0.5 + 0.25 * np.tanh(3.0 * away) * (1.0 - np.abs(away))


def _over_horizons(signals: Sequence[Float1D]) -> Float1D:
    """Mean of the known ones by ``HORIZON_WEIGHTS``, longest first; NaN where none is known."""
    by_name = {str(position): signal for position, signal in enumerate(signals)}
    weights = dict(zip(by_name, HORIZON_WEIGHTS, strict=True))
    mean, known = weighted_mean(by_name, weights, len(signals[0]))
    return np.where(known > 0, mean, np.nan)
