"""Independent random streams: one for each part of the market and of every symbol."""

from typing import Final

import numpy as np

from engine import Float1D

MARKET_PARTS: Final = ("regime", "slow", "middle", "shock", "jump", "outage")
SYMBOL_PARTS: Final = (
    "slow", "middle", "fast", "shock", "jump", "high", "low",
    "volume", "spot_volume_hour", "perp_volume_hour", "spot_volume", "perp_volume",
    "taker", "spot_taker", "perp_taker", "premium", "open_interest", "ratios", "daily",
)  # fmt: skip
"""New parts go to the end, so that old ones keep their numbers."""


def market_streams(seed: int) -> dict[str, np.random.Generator]:
    """Generators of what all symbols share, by part."""
    return _generators(np.random.SeedSequence(seed, spawn_key=(0,)), MARKET_PARTS)


def symbol_streams(seed: int, symbol: str) -> dict[str, np.random.Generator]:
    """Generators of one symbol, by part.

    Every part draws from a child of its own: more days continue each stream. The name of the symbol
    is in the key, so that a symbol is the same whatever stands beside it.
    """
    return _generators(np.random.SeedSequence(seed, spawn_key=(1, *symbol.encode())), SYMBOL_PARTS)


def _generators(
    sequence: np.random.SeedSequence, parts: tuple[str, ...]
) -> dict[str, np.random.Generator]:
    children = sequence.spawn(len(parts))
    return {part: np.random.default_rng(child) for part, child in zip(parts, children, strict=True)}


def normal_rows(generator: np.random.Generator, rows: int, columns: int) -> Float1D:
    """Noise ``(columns, rows)`` drawn row by row, so that more rows continue the same numbers."""
    return np.ascontiguousarray(generator.standard_normal((rows, columns)).T)
