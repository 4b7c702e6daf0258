"""Ranges of bars, and a split made of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.arrays import Bool1D, Int1D
from engine.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class BarRange:
    """Bars ``start`` to ``stop`` − 1. Raises ConfigError unless 0 ≤ start < stop."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ConfigError(
                f"bars [{self.start}, {self.stop}) must hold a bar and begin at 0 or later"
            )

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Bars to choose on and bars to judge on; four lists of ranges, ascending and disjoint.

    ``train`` and ``test``; ``purged``: neither, since what is learnt there would know bars of the test
    (or lies in the gap before it); ``embargoed``: neither, since they follow a test so closely that
    their features remember it. Bars in no list are not part of the split.
    """

    train: tuple[BarRange, ...]
    test: tuple[BarRange, ...]
    purged: tuple[BarRange, ...] = ()
    embargoed: tuple[BarRange, ...] = ()


def ranges_of(mask: Bool1D) -> tuple[BarRange, ...]:
    """Ranges of the bars at which ``mask`` ``(T,)`` is true."""
    steps = np.diff(np.concatenate(([False], mask, [False])).astype(np.int8))
    starts, stops = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return tuple(BarRange(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))


def mask_of(ranges: Iterable[BarRange], bars: int) -> Bool1D:
    """True ``(bars,)`` at the bars of ``ranges``."""
    mask = np.zeros(bars, dtype=np.bool_)
    for one in ranges:
        mask[one.start : one.stop] = True
    return mask


def block_edges(bars: int, blocks: int, *, equal: bool = False) -> Int1D:
    """Edges ``(blocks + 1,)`` of consecutive blocks, for ``Sweep(edges=...)``.

    All bars are used and the first blocks are a bar longer where they do not divide; with ``equal``
    the first ``bars`` mod ``blocks`` bars are left out instead, as cross-validation for overfitting has
    it. Raises ConfigError unless every block holds a bar.
    """
    require_whole("blocks", blocks, least=1)
    require_whole("bars", bars, least=blocks)
    each, over = divmod(bars, blocks)
    if equal:
        return over + each * np.arange(blocks + 1, dtype=np.int64)
    lengths = np.full(blocks, each, dtype=np.int64)
    lengths[:over] += 1
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)))


def require_whole(name: str, value: int, *, least: int) -> None:
    """Raise ConfigError unless ``value`` is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigError(f"{name}={value!r} must be a whole number of {least} or more")
