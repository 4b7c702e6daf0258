"""From opinions, or a user's targets, to the decisions that a replay accepts."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from datasets import time_text
from engine import (
    ORDER_KINDS,
    Bool2D,
    DataError,
    Decisions,
    EntryOrders,
    Float1D,
    Float2D,
    Int8Array2D,
    Panel,
    ReplayRules,
    bars_per_year,
)
from engine.entry_orders import entry_prices
from indicators import INDICATORS_BY_NAME, on_existing_bars
from strategies import Consensus, decide

from .alignment import panel_rows
from .config import RunConfig
from .market_data import MarketData
from .targets import load_targets

MARKET: Final = ORDER_KINDS.index("market")


def decisions_of(
    config: RunConfig, data: MarketData, opinions: Mapping[str, Consensus]
) -> tuple[Decisions, tuple[str, ...]]:
    """Decisions on the grid of ``data.panel``, and what a reader must know of them.

    Raises DataError when a row of the user's targets cannot be decided on.
    """
    atr_frac = average_true_ranges(config, data)
    volatility = None
    if config.rules().sizing.method == "volatility":
        volatility = annual_volatility(config, data)
    if config.targets is not None:
        return _from_targets(config, data.panel, atr_frac, volatility)
    return from_opinions(config, data, opinions, atr_frac, volatility)


def average_true_ranges(config: RunConfig, data: MarketData) -> Float2D:
    """Average true range / close of the signals' existing bars, ``(T, S)``; NaN where unknown."""
    return _of_signals(data, "atr", "atr_frac", {"length": config.measures.atr_length})


def annual_volatility(config: RunConfig, data: MarketData) -> Float2D:
    """Realised volatility of the signals' existing bars, 365 days a year, ``(T, S)``; NaN unknown."""
    length = {"length": config.measures.volatility_bars}
    deviation = _of_signals(data, "realised_volatility", "deviation", length)
    annual: Float2D = deviation * math.sqrt(bars_per_year(config.data.timeframe))
    return annual


def _of_signals(
    data: MarketData, indicator: str, output: str, parameters: Mapping[str, float]
) -> Float2D:
    """An indicator of the signals' existing bars on the panel's grid, ``(T, S)``; NaN where unknown."""
    panel = data.panel
    values = np.full(panel.open.shape, np.nan)
    for column, symbol in enumerate(panel.symbols):
        bars = data.markets[symbol].bars
        known = on_existing_bars(bars, INDICATORS_BY_NAME[indicator], output, parameters)
        rows, inside = panel_rows(panel, bars.open_time)
        values[rows, column] = known[inside]
    return values


def _is_positive(values: Float2D) -> Bool2D:
    positive: Bool2D = np.isfinite(values) & (values > 0)
    return positive


def from_opinions(
    config: RunConfig,
    data: MarketData,
    opinions: Mapping[str, Consensus],
    atr_frac: Float2D,
    volatility: Float2D | None,
) -> tuple[Decisions, tuple[str, ...]]:
    """What ``decide`` makes of each symbol's consensus; a row acts only where it can be sized."""
    panel = data.panel
    target, acts = np.zeros(panel.open.shape), np.zeros(panel.open.shape, dtype=np.bool_)
    for column, symbol in enumerate(panel.symbols):
        bars = data.markets[symbol].bars
        wanted, turns = decide(
            opinions[symbol].direction,
            bars.is_gap,
            exit_on_flat=config.consensus.exit_on_flat,
            hold_bars=config.consensus.hold_bars,
        )
        rows, inside = panel_rows(panel, bars.open_time)
        target[rows, column] = wanted[inside]
        acts[rows, column] = turns[inside]
    kind, price = entry_orders(config, panel, target, atr_frac)
    sized = _is_positive(atr_frac)
    if volatility is not None:
        sized &= _is_positive(volatility)
    if price is not None:
        sized &= _is_positive(price)
    unusable = acts & ~(panel.listed & (sized | (target == 0)))
    acts &= ~unusable
    notes = []
    if unusable.any():
        notes.append(
            f"{int(unusable.sum())} decisions dropped: the traded symbol was not listed, or its "
            "average true range, its volatility or the price of its order was not known"
        )
    decisions = Decisions(
        target=np.where(acts, target, 0.0),
        acts=acts,
        atr_frac=atr_frac,
        order_kind=None if kind is None else np.where(acts, kind, np.int8(MARKET)).astype(np.int8),
        order_price=price,
        volatility=volatility,
    )
    return decisions, tuple(notes)


def entry_orders(
    config: RunConfig, panel: Panel, target: Float2D, atr_frac: Float2D
) -> tuple[Int8Array2D | None, Float2D | None]:
    """Order kinds and prices of ``config.entry``, ``(T, S)``; None for market orders.

    The price lies ``offset_atr`` average true ranges from the traded close that decided, to the tick
    away from it.
    """
    entry = config.entry
    if entry.kind == "market":
        return None, None
    code = ORDER_KINDS.index(entry.kind)
    ticks = tick_sizes(config, panel)
    price = entry_prices(panel.close, atr_frac, target, code, entry.offset_atr, ticks)
    kind = np.where(target != 0, code, MARKET).astype(np.int8)
    return kind, price


def sweep_orders(configs: Sequence[RunConfig], data: MarketData) -> EntryOrders | None:
    """How each of ``configs`` enters, as a sweep takes it; None where all enter at the market and none
    is sized by volatility. The configurations differ in neither measures nor symbol rules.
    """
    kind = [ORDER_KINDS.index(one.entry.kind) for one in configs]
    is_sized = [one.rules().sizing.method == "volatility" for one in configs]
    if not any(kind) and not any(is_sized):
        return None
    return EntryOrders(
        kind=np.array(kind, dtype=np.int8),
        offset_atr=np.array([one.entry.offset_atr for one in configs], dtype=np.float64),
        close=data.panel.close,
        tick=tick_sizes(configs[0], data.panel),
        is_sized_by_volatility=np.array(is_sized),
        volatility=annual_volatility(configs[0], data) if any(is_sized) else None,
    )


def tick_sizes(config: RunConfig, panel: Panel) -> Float1D:
    """The price step of each symbol, ``(S,)``; 0 for none."""
    rules = config.rules_of_symbols()
    return np.array([rules[name].tick_size if name in rules else 0.0 for name in panel.symbols])


def _from_targets(
    config: RunConfig, panel: Panel, atr_frac: Float2D, volatility: Float2D | None
) -> tuple[Decisions, tuple[str, ...]]:
    assert config.targets is not None
    given = load_targets(config.targets, panel)
    entering = given.acts & (given.target != 0)
    unsized = entering & ~_is_positive(atr_frac)
    if needs_atr(config.rules()):
        _refuse(config, panel, unsized, "average true range", "exits.stop_frac needs none")
    if volatility is not None:
        _refuse(config, panel, entering & ~_is_positive(volatility), "volatility", "size otherwise")
    notes = []
    if given.outside:
        notes.append(f"{given.outside} rows of {config.targets} lie outside the bars of the run")
    # An entry must state a range; where nothing is measured in it, any number stands for the unknown.
    return given.decisions(np.where(unsized, 1.0, atr_frac), volatility), tuple(notes)


def needs_atr(rules: ReplayRules) -> bool:
    """Whether anything is measured in average true ranges."""
    exits, costs = rules.exits, rules.costs
    levels = (exits.stop_atr, exits.take_profit_atr, exits.trail_atr)
    return any(level is not None for level in levels) or costs.slippage_atr > 0 or costs.impact > 0


def _refuse(config: RunConfig, panel: Panel, broken: Bool2D, name: str, hint: str) -> None:
    if broken.any():
        row, column = (int(index) for index in np.argwhere(broken)[0])
        raise DataError(
            f"{config.targets}: the target of {panel.symbols[column]} at "
            f"{time_text(int(panel.close_time[row]))} comes before the {name} is known, which "
            f"the rules of this run need; start later ({hint})"
        )
