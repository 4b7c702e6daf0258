"""A curve in one line of text."""

from typing import Final

import numpy as np

from engine import ConfigError, Float1D

BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""Eight heights."""
ASCII_LEVELS: Final = ".:-=+*#@"
"""The same eight for a terminal that cannot show blocks, by their ink."""


def sparkline(values: Float1D, width: int = 60, *, ascii_only: bool = False) -> str:
    """``values``, float64 ``(T,)``, as at most ``width`` characters of eight heights.

    Each character stands for equally many values, up to one, and shows the lowest of them: a fall that
    lasted a single bar is there. Heights are linear from the lowest shown to the highest; a flat line
    has the middle one. Empty where there are no values. ConfigError for a ``width`` below 1.
    """
    if width < 1:
        raise ConfigError(f"width={width} must be at least 1")
    count = len(values)
    if not count:
        return ""
    levels = ASCII_LEVELS if ascii_only else BLOCKS
    columns = min(width, count)
    firsts = np.arange(columns) * count // columns
    # Halves cannot overflow where the difference of two floats would.
    halves = np.minimum.reduceat(values, firsts) / 2.0
    low, high = halves.min(), halves.max()
    if low == high:
        return levels[len(levels) // 2 - 1] * columns
    shares = (halves - low) / (high - low)
    heights = np.rint(shares * (len(levels) - 1)).astype(np.int64)
    return "".join(levels[height] for height in heights)
