"""Bars from minutes: outages marked as gaps, minutes gathered into longer bars."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine import FLOW_COLUMNS, MINUTE_NS, Bars, Bool1D, Float1D, timeframe_ns


@dataclass(frozen=True, slots=True)
class Minutes:
    """Columns of one symbol on one market in one-minute steps, each ``(M,)``, outages unmarked."""

    open: Float1D
    high: Float1D
    low: Float1D
    close: Float1D
    volume: Float1D
    taker_share: Float1D
    quote_per_trade: float


def minute_bars(symbol: str, start_ns: int, minutes: Minutes, down: Bool1D) -> Bars:
    """One-minute bars; a minute in which the venue is down carries the last close and no volume."""
    count = len(minutes.close)
    last_up = np.maximum.accumulate(np.where(down, -1, np.arange(count)))
    carried = minutes.close[last_up]
    price = 0.5 * (minutes.open + minutes.close)
    volume = np.where(down, 0.0, minutes.volume)
    quote = volume * price
    return Bars(
        symbol=symbol,
        timeframe="1m",
        open_time=start_ns + MINUTE_NS * np.arange(count, dtype=np.int64),
        open=np.where(down, carried, minutes.open),
        high=np.where(down, carried, minutes.high),
        low=np.where(down, carried, minutes.low),
        close=carried,
        volume=volume,
        is_gap=down,
        quote_volume=quote,
        trades=np.ceil(quote / minutes.quote_per_trade),
        taker_buy_volume=volume * minutes.taker_share,
        taker_buy_quote=quote * minutes.taker_share,
    )


def gathered_bars(bars: Bars, timeframe: str) -> Bars:
    """Minute bars gathered into bars of ``timeframe``.

    A bar is a gap when all of its minutes are; otherwise it is made of the minutes that are not.
    """
    size = timeframe_ns(timeframe) // MINUTE_NS
    if size == 1:
        return bars
    rows = len(bars) // size
    gap = bars.is_gap.reshape(rows, size)
    is_gap: Bool1D = np.asarray(gap.all(axis=1))
    close = bars.close.reshape(rows, size)[:, -1]
    first = gap.argmin(axis=1)
    prices: Mapping[str, Float1D] = {
        "open": bars.open.reshape(rows, size)[np.arange(rows), first],
        "high": np.where(gap, -np.inf, bars.high.reshape(rows, size)).max(axis=1),
        "low": np.where(gap, np.inf, bars.low.reshape(rows, size)).min(axis=1),
    }
    columns = bars.columns()
    sums: Mapping[str, Float1D] = {
        name: columns[name].reshape(rows, size).sum(axis=1) for name in ("volume", *FLOW_COLUMNS)
    }
    return Bars(
        symbol=bars.symbol,
        timeframe=timeframe,
        open_time=bars.open_time[::size],
        close=close,
        is_gap=is_gap,
        **{name: np.where(is_gap, close, column) for name, column in prices.items()},
        **sums,
    )
