"""The searchable form of a market."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .._replay.prepare import PreparedMarket
from .._replay.state import Market
from ..arrays import Bool2D, Float1D, Float2D, Int2D
from ..jit import kernel
from .tables import (
    CELL_DTYPE,
    GROUP,
    MARKET_DTYPE,
    PRICE_DTYPE,
    WINDOW_BARS,
    WINDOW_STEP,
    Addressed,
    addressed,
)


def sweep_market(prepared: PreparedMarket) -> Addressed:
    """The searchable form of a prepared market."""
    market = prepared.market
    bars, symbols = market.listed.shape
    tradable = market.listed & ~market.is_gap
    count = len(market.sub.open) // bars
    first_sub, fills_at, last_bar = _when_kernel(
        market.listed, tradable, market.sub_is_gap, market.is_unresolved, count
    )
    low = _padded(np.where(tradable, market.bars.low, np.inf), np.inf)
    high = _padded(np.where(tradable, market.bars.high, -np.inf), -np.inf)
    mark_low = _padded(market.reach_low, np.inf)
    mark_high = _padded(market.reach_high, -np.inf)
    prices = _prices(market, tradable, count)
    fill_open = np.take_along_axis(prices["open"], first_sub, axis=1)
    sub_low = _searched_sub_bars(prices, "low", np.inf, count)
    sub_high = _searched_sub_bars(prices, "high", -np.inf, count)
    events = market.events
    offset = events["time_ns"] - market.open_time[0]
    sub, rest = np.divmod(offset, market.sub_step)
    bar = offset // market.step
    payable = np.zeros((symbols, bars + 1))
    np.add.at(payable, (events["symbol"], bar + 1), np.abs(events["rate"] * events["mark_price"]))
    cells = np.zeros((symbols, bars + 1), dtype=CELL_DTYPE)
    cells["payable"] = np.cumsum(payable, axis=1)
    event_key = 2 * sub + (rest > 0)
    payments = np.bincount(bar, minlength=bars)
    cells["event_start"][:, 1:] = np.cumsum(payments)
    cells["payments"][:, :bars] = payments
    cells["last_bar"][:, :bars] = last_bar
    at_open = np.bincount(bar[event_key == 2 * count * bar], minlength=bars)
    cells["is_plain"][:, :bars] = (cells["payments"][:, :bars] == at_open) & (
        np.arange(bars) < last_bar
    )
    for name in ("open", "high", "low", "close"):
        cells[name][:, :bars] = getattr(market.bars, name).T
    cells["mark_close"][:, :bars] = market.marks.close.T
    width = low.shape[1]
    tables = {
        "cells": cells,
        "prices": prices,
        "fills_at": fills_at,
        "first_sub": first_sub,
        "bounds": np.stack(
            (cells["payable"][:, -1], market.reach_low.min(axis=0), market.reach_high.max(axis=0)),
            axis=1,
        ),
        "windows": _windows(cells["payable"][0], mark_low[0], mark_high[0]),
        "mark_close": _padded(market.marks.close, 1.0),
        "low": low,
        "high": high,
        "mark_low": mark_low,
        "mark_high": mark_high,
        "group_low": _by_groups(np.minimum, low),
        "group_high": _by_groups(np.maximum, high),
        "group_mark_low": _by_groups(np.minimum, mark_low),
        "group_mark_high": _by_groups(np.maximum, mark_high),
        "sub_low": sub_low,
        "sub_high": sub_high,
        "sub_group_low": _by_groups(np.minimum, sub_low),
        "sub_group_high": _by_groups(np.maximum, sub_high),
        "fill_open": fill_open,
        "event_bar": np.append(bar, 2 * bars).astype(np.int64),
        "event_key": np.append(event_key, 4 * bars * count).astype(np.int64),
        "event_symbol": events["symbol"].astype(np.int64),
        "event_rate": events["rate"],
        "event_mark": events["mark_price"],
    }
    found = addressed(
        MARKET_DTYPE, tables, bars=bars, width=width, groups=width // GROUP, sub_count=count
    )
    return replace(
        found, arrays=(*found.arrays, fills_at, fill_open, last_bar, market.atr_frac.T.copy())
    )


def _prices(market: Market, tradable: Bool2D, count: int) -> np.ndarray[Any, Any]:
    """The sub-bars; the first of a bar without any has its prices, the others its close."""
    bars, symbols = tradable.shape
    prices = np.zeros((symbols, bars * count), dtype=PRICE_DTYPE)
    prices["is_tradable"] = (np.repeat(market.listed, count, axis=0) & ~market.sub_is_gap).T
    for name in ("open", "high", "low"):
        prices[name] = getattr(market.sub, name).T
        prices[f"mark_{name}"] = getattr(market.sub_marks, name).T
    if len(market.is_unresolved):
        for bar, s in np.argwhere(market.is_unresolved):
            own = prices[s, bar * count : (bar + 1) * count]
            for kind, source in (("", market.bars), ("mark_", market.marks)):
                for name in ("open", "high", "low"):
                    own[f"{kind}{name}"] = source.close[bar, s]
                    own[f"{kind}{name}"][0] = getattr(source, name)[bar, s]
            own["is_tradable"] = 0
            own["is_tradable"][0] = 1
    return prices


def _windows(payable: Float1D, mark_low: Float1D, mark_high: Float1D) -> Float2D:
    """What is payable before the end of each window, and the extremes of its marks."""
    bars = len(payable) - 1
    firsts = np.arange(0, bars, WINDOW_STEP)
    low = np.minimum.reduceat(mark_low[:bars], firsts)
    high = np.maximum.reduceat(mark_high[:bars], firsts)
    count = WINDOW_BARS // WINDOW_STEP
    rest = np.full(count - 1, np.nan)
    return np.stack(
        (
            payable[np.minimum(firsts + WINDOW_BARS, bars)],
            np.fmin.reduce(sliding_window_view(np.append(low, rest), count), axis=1),
            np.fmax.reduce(sliding_window_view(np.append(high, rest), count), axis=1),
        ),
        axis=1,
    )


def _searched_sub_bars(
    prices: np.ndarray[Any, Any], name: str, filling: float, count: int
) -> Float2D:
    """An extreme of the only symbol's sub-bars that are tradable, whole groups for each bar, as one
    row; nothing where there are none.
    """
    symbols, sub_bars = prices.shape
    if count == 1 or symbols > 1:
        return np.zeros((1, 0))
    searched = np.full((sub_bars // count, -(-count // GROUP) * GROUP), filling)
    kept = np.where(prices["is_tradable"] == 1, prices[name], filling)
    searched[:, :count] = kept.reshape(-1, count)
    return _padded(searched.reshape(-1, 1), filling)


def _padded(table: Float2D, filling: float) -> Float2D:
    """``(T, S)`` as ``(S, T)`` in whole groups, and more for reads of as many groups."""
    bars, symbols = table.shape
    padded = np.full((symbols, (-(-bars // GROUP) + GROUP + 2) * GROUP), filling)
    padded[:, :bars] = table.T
    return padded


def _by_groups(extreme: np.ufunc, table: Float2D) -> Float2D:
    """An extreme of every ``GROUP`` columns: of pairs, and of pairs of those, which numpy does fast."""
    for _ in range(GROUP.bit_length() - 1):
        table = extreme(table[:, ::2], table[:, 1::2])
    return table


@kernel
def _when_kernel(
    listed: Bool2D, tradable: Bool2D, sub_is_gap: Bool2D, is_unresolved: Bool2D, count: int
) -> tuple[Int2D, Int2D, Int2D]:
    """First tradable sub-bars, bars in which orders fill, ends of listings; ``(S, T)``."""
    bars, symbols = listed.shape
    first_sub = np.zeros((symbols, bars), dtype=np.int64)
    fills_at = np.full((symbols, bars), bars, dtype=np.int64)
    last_bar = np.full((symbols, bars), bars - 1, dtype=np.int64)
    for s in range(symbols):
        fill, last = bars, bars - 1
        for t in range(bars - 1, -1, -1):
            fills_at[s, t] = fill
            if not listed[t, s]:
                fill = bars
            elif tradable[t, s]:
                fill = t
            if t == bars - 1 or not listed[t + 1, s]:
                last = t
            last_bar[s, t] = last
            first_sub[s, t] = t * count
            if count > 1 and not is_unresolved[t, s]:
                for k in range(count):
                    if not sub_is_gap[t * count + k, s]:
                        first_sub[s, t] = t * count + k
                        break
    return first_sub, fills_at, last_bar
