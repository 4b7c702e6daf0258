"""Persistent noise, of which null bars and null series are made."""

import numpy as np
from scipy.signal import lfilter

from engine import Float1D


def persistent_noise(
    generator: np.random.Generator,
    rows: int,
    memory: float,
    spread: float,
    *,
    heavy_tails: bool = False,
) -> Float1D:
    """A stationary first-order autoregression with standard deviation ``spread``.

    With ``heavy_tails`` its innovations follow Student's t with 3 degrees of freedom.
    """
    if heavy_tails:
        noise = generator.standard_t(3.0, rows) / np.sqrt(3.0)
    else:
        noise = generator.standard_normal(rows)
    noise *= spread * np.sqrt(1.0 - memory * memory)
    noise[0] = generator.standard_normal() * spread
    result: Float1D = lfilter([1.0], [1.0, -memory], noise)
    return result
