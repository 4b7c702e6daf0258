"""The prices that orders fill on: the traded instrument's own bars, and what stands in for them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import PRICE_COLUMNS, Bars, DataError, Int8Array1D

FROM_TRADED: Final = 0
FROM_SIGNALS: Final = 1
FROM_NOTHING: Final = 2
PRICE_SOURCES: Final = ("traded", "signals", "gap")
"""Where the prices of a bar come from, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePiece:
    """Consecutive bars priced by one source; times are int64 ns UTC, ``end_ns`` a close time."""

    symbol: str
    source: str
    instrument: str
    start_ns: int
    end_ns: int
    bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedBars:
    """Traded bars, and for each of them a code of ``PRICE_SOURCES``, ``(T,)`` int8."""

    bars: Bars
    source: Int8Array1D
    traded_name: str
    signals_name: str | None

    def pieces(self) -> tuple[PricePiece, ...]:
        """The runs of equal source in time order; gaps belong to the piece around them."""
        filled = self.source.copy()
        for row in range(1, len(filled)):
            if filled[row] == FROM_NOTHING:
                filled[row] = filled[row - 1]
        starts = np.flatnonzero(np.diff(filled, prepend=filled[0] + 1))
        stops = np.append(starts[1:], len(filled))
        return tuple(
            PricePiece(
                symbol=self.bars.symbol,
                source=PRICE_SOURCES[filled[start]],
                instrument=(
                    self.traded_name
                    if filled[start] == FROM_TRADED
                    else self.signals_name or self.traded_name
                ),
                start_ns=int(self.bars.open_time[start]),
                end_ns=int(self.bars.close_time[stop - 1]),
                bars=int(stop - start),
            )
            for start, stop in zip(starts, stops, strict=True)
        )


def volume_in_quote(bars: Bars) -> Bars:
    """``bars`` with ``volume`` in quote units, as inverse contracts are counted.

    The stored quote volume where there is one, else volume times the close of its bar.
    """
    if bars.quote_volume is not None:
        return replace(bars, volume=bars.quote_volume)
    return replace(bars, volume=bars.volume * bars.close)


def priced_bars(
    symbol: str,
    traded: Bars | None,
    traded_name: str,
    fallback: Bars | None,
    fallback_name: str | None,
) -> PricedBars:
    """Bars of ``traded`` where it has them, of ``fallback`` elsewhere, and gaps where neither has.

    ``traded`` is None where the store has no bar of it in the period. The grid runs from the first
    to the last bar that either source has. A gap repeats the close of the bar before it. Raises
    DataError when neither source has a single bar.
    """
    sources = [
        (code, bars)
        for code, bars in ((FROM_TRADED, traded), (FROM_SIGNALS, fallback))
        if bars is not None
    ]
    if not sources:
        raise DataError(f"{symbol}: no bars of {traded_name} and nothing that stands in for them")
    step, timeframe = sources[0][1].step_ns, sources[0][1].timeframe
    first = min(int(bars.open_time[0]) for _, bars in sources)
    last = max(int(bars.open_time[-1]) for _, bars in sources)
    open_time = np.arange(first, last + step, step, dtype=np.int64)
    table = np.full((len(open_time), len(PRICE_COLUMNS)), np.nan)
    volume = np.zeros(len(open_time))
    origin = np.full(len(open_time), FROM_NOTHING, dtype=np.int8)
    for code, bars in reversed(sources):
        real = np.flatnonzero(~bars.is_gap)
        rows = real + (int(bars.open_time[0]) - first) // step
        table[rows] = np.column_stack([getattr(bars, name)[real] for name in PRICE_COLUMNS])
        volume[rows] = bars.volume[real]
        origin[rows] = code
    real = np.flatnonzero(origin != FROM_NOTHING)
    if real.size == 0:
        raise DataError(f"{symbol}: {traded_name} has gaps only, no bar to trade on")
    kept = slice(int(real[0]), int(real[-1]) + 1)
    table, volume, origin, open_time = table[kept], volume[kept], origin[kept], open_time[kept]
    close = PRICE_COLUMNS.index("close")
    for row in np.flatnonzero(origin == FROM_NOTHING):
        table[row] = table[row - 1, close]
    bars = Bars(
        symbol=symbol,
        timeframe=timeframe,
        open_time=open_time,
        volume=volume,
        is_gap=origin == FROM_NOTHING,
        **{name: table[:, index].copy() for index, name in enumerate(PRICE_COLUMNS)},
    )
    return PricedBars(bars=bars, source=origin, traded_name=traded_name, signals_name=fallback_name)
