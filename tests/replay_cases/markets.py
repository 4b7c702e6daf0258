"""Random panels with finer bars, mark prices, volumes, gaps, listings and delistings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import Bool2D, Float2D, MarkPrices, Panel, timeframe_ns
from tests.generators import START_NS

NAMES = (
    *("SOL", "BTC", "XRP", "ADA", "ETH", "BNB", "DOT", "LTC"),
    *(f"S{number:02d}" for number in range(64)),
)
"""Not in the order of their names: columns and names must not be confused."""
STEPS = {
    ("1h", 1): "1h", ("1h", 2): "30m", ("1h", 4): "15m", ("1h", 12): "5m", ("4h", 4): "1h",
    ("1d", 1): "1d", ("1d", 2): "12h", ("1d", 12): "2h",
}  # fmt: skip
"""Timeframe of the finer bars by timeframe and number of sub-bars."""


@dataclass(frozen=True)
class Shape:
    """Size and temper of a random market; ``unit`` is a typical quantity of its orders.

    Every fourth open is ``jump`` times the volatility away from the close before it.
    """

    bars: int
    symbols: int
    timeframe: str = "1h"
    sub_bars: int = 1
    volatility: float = 0.02
    jump: float = 1.0
    gap_share: float = 0.0
    unresolved_share: float = 0.0
    lists_late: bool = False
    relists: bool = False
    has_mark: bool = False
    common_share: float = 0.0
    is_coarse: bool = False
    unit: float = 100.0


def random_market(shape: Shape, generator: np.random.Generator) -> tuple[Panel, Panel | None]:
    """A panel and, with more than one sub-bar, the finer one that it was made of."""
    rows, count = shape.bars * shape.sub_bars, shape.symbols
    step = timeframe_ns(shape.timeframe)
    names = NAMES[:count]
    listed = _listed(shape, generator)
    is_gap = listed & (generator.random(listed.shape) < shape.gap_share)
    if not shape.is_coarse:
        is_gap[0] = False
    volume = shape.unit * np.exp(generator.normal(size=listed.shape) + 1.0)
    volume[is_gap | (generator.random(listed.shape) < 0.02)] = 0.0
    if shape.is_coarse:
        volume = np.round(volume)
    prices = _prices(shape, generator, shape.bars, is_gap)
    panel = Panel(
        symbols=names,
        timeframe=shape.timeframe,
        open_time=START_NS + step * np.arange(shape.bars),
        listed=listed,
        is_gap=is_gap,
        volume=volume,
        mark=_mark(shape, generator, prices),
        **prices,
    )
    if shape.sub_bars == 1:
        return panel, None
    fine_gap = np.repeat(is_gap, shape.sub_bars, axis=0)
    fine_gap |= generator.random((rows, count)) < shape.gap_share
    unresolved = generator.random(listed.shape) < shape.unresolved_share
    fine_gap |= np.repeat(unresolved, shape.sub_bars, axis=0)
    fine_listed = np.repeat(listed, shape.sub_bars, axis=0)
    fine_prices = _prices(shape, generator, rows, fine_gap)
    fine = Panel(
        symbols=names,
        timeframe=STEPS[shape.timeframe, shape.sub_bars],
        open_time=START_NS + step // shape.sub_bars * np.arange(rows),
        listed=fine_listed,
        is_gap=fine_gap & fine_listed,
        mark=_mark(shape, generator, fine_prices),
        **fine_prices,
    )
    return panel.rebuilt_from(fine), fine


def _listed(shape: Shape, generator: np.random.Generator) -> Bool2D:
    size = (shape.bars, shape.symbols)
    if shape.relists:
        return generator.random(size) < 0.93
    listed = np.ones(size, dtype=np.bool_)
    if shape.lists_late:
        for s in range(shape.symbols):
            if generator.random() < 0.6:
                listed[: int(generator.integers(0, 1 + shape.bars // 3)), s] = False
            if generator.random() < 0.6:
                listed[int(generator.integers(shape.bars // 2, shape.bars + 1)) :, s] = False
    return listed


def _prices(
    shape: Shape, generator: np.random.Generator, rows: int, is_gap: Bool2D
) -> dict[str, Float2D]:
    size = (rows, shape.symbols)
    if shape.is_coarse:
        return _coarse_prices(generator, size)
    volatility = shape.volatility / np.sqrt(rows / shape.bars)
    own = generator.standard_normal(size)
    common = generator.standard_normal((rows, 1))
    steps = np.sqrt(shape.common_share) * common + np.sqrt(1 - shape.common_share) * own
    close = 100.0 * np.exp(np.cumsum(volatility * np.where(is_gap, 0.0, steps), axis=0))
    before = np.concatenate((np.full((1, shape.symbols), 100.0), close[:-1]))
    jump = np.where(
        generator.random(size) < 0.25,
        shape.jump * volatility * generator.normal(size=size),
        0.0,
    )
    open_ = np.where(is_gap, close, before * np.exp(jump))
    up, down = volatility * generator.exponential(0.5, size=(2, *size)) * ~is_gap
    return {
        "open": open_,
        "high": np.maximum(open_, close) * np.exp(up),
        "low": np.minimum(open_, close) * np.exp(-down),
        "close": close,
    }


def _coarse_prices(generator: np.random.Generator, size: tuple[int, int]) -> dict[str, Float2D]:
    """Whole prices that meet each other and their levels; on missing bars too."""
    base = float(generator.choice([8, 16, 64]))
    open_, close = base + generator.integers(-2, 3, size=(2, *size)).astype(np.float64)
    if generator.random() < 0.5:
        open_[1:] = close[:-1]
    up, down = generator.integers(0, 3, size=(2, *size))
    return {
        "open": open_,
        "high": np.maximum(open_, close) + up,
        "low": np.minimum(open_, close) - down,
        "close": close,
    }


def _mark(
    shape: Shape, generator: np.random.Generator, prices: dict[str, Float2D]
) -> MarkPrices | None:
    if not shape.has_mark:
        return None
    size = prices["open"].shape
    if shape.is_coarse:
        return MarkPrices(**_coarse_prices(generator, (size[0], size[1])))
    off = np.exp(0.2 * shape.volatility * generator.standard_normal((3, *size)))
    open_, close = prices["open"] * off[0], prices["close"] * off[1]
    columns: dict[str, Any] = {
        "open": open_,
        "high": np.maximum(np.maximum(open_, close), prices["high"] * off[2]),
        "low": np.minimum(np.minimum(open_, close), prices["low"] * off[2]),
        "close": close,
    }
    return MarkPrices(**columns)


def random_panel(rows: int, symbols: int, seed: int, *, wildness: float = 1.0) -> Panel:
    """Symbols that list and delist at different bars, with missing bars; ``wildness`` scales moves."""
    shape = Shape(
        bars=rows, symbols=symbols, volatility=0.01 * wildness, gap_share=0.06, lists_late=True
    )
    panel, _fine = random_market(shape, np.random.default_rng(seed))
    return panel
