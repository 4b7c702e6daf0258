"""smartmoneyconcepts 0.0.27, silenced, and what its functions say, in the words of our tables.

Its events are stamped on bars of the past. Here each stands on the row of its break or of its third bar,
and the swings keep what the library adds or takes away with knowledge of the future; the tests count it.
"""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SWING_LENGTH = 5


def library() -> Any:
    """The class ``smc``; the greeting that the package prints when it is imported is swallowed."""
    with contextlib.redirect_stdout(io.StringIO()):
        from smartmoneyconcepts import smc
    return smc


@dataclass(frozen=True)
class Peer:
    """Bars and the four tables of the library, all ``(T,)``."""

    bars: pd.DataFrame
    gaps: pd.DataFrame
    swings: pd.DataFrame
    breaks: pd.DataFrame
    blocks: pd.DataFrame


def peer_of(columns: Mapping[str, np.ndarray], swing_length: int = SWING_LENGTH) -> Peer:
    """What the library says about ``columns``: open, high, low, close and volume."""
    smc = library()
    names = ("open", "high", "low", "close", "volume")
    bars = pd.DataFrame({name: columns[name] for name in names})
    swings = smc.swing_highs_lows(bars, swing_length)
    return Peer(
        bars=bars,
        gaps=smc.fvg(bars),
        swings=swings,
        breaks=smc.bos_choch(bars, swings),
        blocks=smc.ob(bars, swings),
    )


@dataclass(frozen=True)
class Swing:
    """A swing of the library: its row, 1 for a high and -1 for a low, its price."""

    row: int
    side: int
    price: float


def swings_of(peer: Peer) -> list[Swing]:
    """Its swings in order of rows, the made-up first and last bar among them."""
    marks = peer.swings["HighLow"].to_numpy()
    levels = peer.swings["Level"].to_numpy()
    return [
        Swing(int(row), int(marks[row]), float(levels[row]))
        for row in np.flatnonzero(~np.isnan(marks))
    ]


@dataclass(frozen=True)
class FourSwings:
    """Four alternating swings that the library reads as a break of the second, before any is deleted."""

    swing: Swing
    change: bool
    broken: int
    fourth: Swing


def four_swings(peer: Peer) -> list[FourSwings]:
    """Every pattern of four swings and the first close beyond the second, which the library rounds."""
    close = peer.bars["close"].to_numpy()
    swings, found = swings_of(peer), []
    for first, swing, third, fourth in zip(
        swings, swings[1:], swings[2:], swings[3:], strict=False
    ):
        if not first.side == -swing.side == third.side == -fourth.side:
            continue
        low, high, middle, last = (swing.side * one.price for one in (first, swing, third, fourth))
        goes_on, turns = low < middle < high < last, last > high > low > middle
        if not (goes_on or turns):
            continue
        level = swing.side * float(np.float32(swing.price))
        beyond = np.flatnonzero(swing.side * close[swing.row + 2 :] > level)
        broken = int(beyond[0]) + swing.row + 2 if len(beyond) else -1
        found.append(FourSwings(swing, bool(turns), broken, fourth))
    return found


def kept_patterns(found: list[FourSwings]) -> list[FourSwings]:
    """Those that the library still shows: one that is never broken goes, and so does one during which a
    later one breaks."""
    return [
        one
        for position, one in enumerate(found)
        if one.broken > 0
        and not any(0 < later.broken <= one.broken for later in found[position + 1 :])
    ]


@dataclass(frozen=True)
class Crossing:
    """A close beyond the last swing, on which the library makes a block of the candle ``candle``."""

    row: int
    swing: Swing
    candle: int


def crossings_of(peer: Peer) -> list[Crossing]:
    """Every crossing, those whose blocks the library has since zeroed among them."""
    high, low, close = (peer.bars[name].to_numpy() for name in ("high", "low", "close"))
    found = []
    for side, extreme, other in ((1, high, low), (-1, -low, -high)):
        swings = [one for one in swings_of(peer) if one.side == side]
        for one, following in zip(swings, [*swings[1:], None], strict=True):
            end = len(close) if following is None else following.row + 1
            beyond = np.flatnonzero(side * close[one.row + 1 : end] > extreme[one.row])
            if not len(beyond):
                continue
            row = int(beyond[0]) + one.row + 1
            leg = other[one.row + 1 : row]
            candle = (
                one.row + 1 + int(np.flatnonzero(leg == leg.min())[-1]) if len(leg) else row - 1
            )
            found.append(Crossing(row, one, candle))
    return sorted(found, key=lambda crossing: crossing.row)
