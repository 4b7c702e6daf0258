"""Independent random streams: one for each part of the market and of every symbol."""

from collections.abc import Sequence
from typing import Final

import numpy as np

MARKET_PARTS: Final = ("regime", "slow", "middle", "shock", "jump", "outage")
SYMBOL_PARTS: Final = (
    "slow", "middle", "fast", "shock", "jump", "high", "low",
    "volume", "spot_volume_hour", "perp_volume_hour", "spot_volume", "perp_volume",
    "taker", "spot_taker", "perp_taker", "premium", "open_interest", "ratios", "daily",
)  # fmt: skip
"""New parts go to the end, so that old ones keep their numbers."""


def streams(
    seed: int, symbols: Sequence[str]
) -> tuple[dict[str, np.random.Generator], tuple[dict[str, np.random.Generator], ...]]:
    """Generators of the market and of each symbol, by part.

    Every part draws from its own child of ``SeedSequence(seed)``: more days continue each stream,
    one more symbol at the end leaves the others as they were.
    """
    market, *own = np.random.SeedSequence(seed).spawn(1 + len(symbols))
    return (
        _generators(market, MARKET_PARTS),
        tuple(_generators(sequence, SYMBOL_PARTS) for sequence in own),
    )


def _generators(
    sequence: np.random.SeedSequence, parts: tuple[str, ...]
) -> dict[str, np.random.Generator]:
    children = sequence.spawn(len(parts))
    return {part: np.random.default_rng(child) for part, child in zip(parts, children, strict=True)}
