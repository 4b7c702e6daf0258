"""The panels around the events: the bars, volume, kill zones, and the head's votes underneath."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from engine import Float1D, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import Head, Reason, VoteMatrix

from .layers import Path, Trace
from .window import Window
from .words import vote_lines

KILL_ZONES: Final = {
    1: ("Asian kill zone", "A", "@hue4"),
    2: ("London kill zone", "L", "@hue0"),
    3: ("New York morning kill zone", "N", "@hue2"),
    4: ("London close kill zone", "C", "@hue5"),
}
"""Name, letter and colour of each code of ``kill_zone.zone``."""
MOST_LETTERS: Final = 60
"""Kill zones that have their letter above them: more of them would stand in each other's way."""


@dataclass(frozen=True, slots=True)
class Band:
    """A kill zone: its code, and where it begins and ends on the axis."""

    code: int
    left: float
    right: float


def bar_values(window: Window) -> Mapping[str, Float1D]:
    """Where each bar stands (``x``), its prices and volume, each ``(rows,)``; NaN where one is missing."""
    bars, rows = window.bars, window.rows
    missing = bars.is_gap[rows]
    values = {
        name: np.where(missing, np.nan, getattr(bars, name)[rows])
        for name in ("open", "high", "low", "close", "volume")
    }
    return {"x": window.x(), **values}


def _edged(values: Float1D) -> Float1D:
    """With a zero on either side of the window, so that the area of its first and last bar is whole."""
    return np.concatenate([[0.0], values, [0.0]])


def _edged_x(window: Window) -> Float1D:
    x = window.x()
    return np.concatenate([[x[0] - window.step], x, [x[-1] + window.step]])


def volume_trace(window: Window) -> Trace:
    """Volume of each bar as one area: thousands of bars are drawn as fast as ten."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _edged_x(window),
        "y": _edged(
            np.where(window.bars.is_gap[window.rows], 0.0, window.bars.volume[window.rows])
        ),
        "yaxis": "y2",
        "line": {"shape": "hvh", "width": 0.6, "color": "@muted"},
        "fill": "tozeroy",
        "fillcolor": "@muted/0.4",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def vote_strength(window: Window, votes: VoteMatrix) -> Float1D:
    """Direction x probability x confidence of one head on each bar, ``(rows,)``: 0 without a vote,
    NaN without data."""
    rows = window.rows
    strength = votes.direction[rows, 0] * votes.probability[rows, 0] * votes.confidence[rows, 0]
    return np.where(votes.coverage[rows, 0] > 0, strength, np.nan).astype(np.float64)


def vote_texts(window: Window, votes: VoteMatrix, reasons: Sequence[Reason]) -> list[str]:
    """The vote of each bar in words, with the reasons that were on."""
    return [
        "\n".join(
            vote_lines(
                direction=int(votes.direction[row, 0]),
                probability=float(votes.probability[row, 0]),
                confidence=float(votes.confidence[row, 0]),
                coverage=float(votes.coverage[row, 0]),
                reasons=[
                    reason
                    for bit, reason in enumerate(reasons)
                    if int(votes.reasons[row, 0]) >> bit & 1
                ],
            )
        )
        for row in range(window.first, window.stop)
    ]


def vote_traces(window: Window, strength: Float1D) -> list[Trace]:
    """Votes for long and for short as an area each, and a line where there were data."""
    common: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": _edged_x(window),
        "yaxis": "y3",
        "hoverinfo": "skip",
        "showlegend": False,
    }
    areas = [
        common
        | {
            "y": _edged(side),
            "line": {"shape": "hvh", "width": 0.6, "color": colour},
            "fill": "tozeroy",
            "fillcolor": f"{colour}/0.75",
            # The hatch tells short from long where the colours do not.
            "fillpattern": {"shape": hatch, "size": 5, "solidity": 0.5},
        }
        for side, colour, hatch in (
            (np.fmax(strength, 0.0), "@up", ""),
            (np.fmin(strength, 0.0), "@down", "/"),
        )
    ]
    silent = np.where(np.isnan(strength), np.nan, 0.0)
    return [
        *areas,
        common | {"y": _edged(silent), "line": {"width": 1.5, "color": "@muted", "dash": "dot"}},
    ]


def kill_zone_bands(market: Market, head: Head, window: Window) -> list[Band]:
    """The kill zones that ``head`` looks at, by the New York clock, in order; else none."""
    wanted = [
        one
        for one in head.features().values()
        if (one.indicator, one.output) == ("kill_zone", "zone")
    ]
    if not wanted:
        return []
    column = build_features(market, wanted[:1], indicators=INDICATORS_BY_NAME).get(wanted[0])
    if column is None:
        return []
    zone = np.nan_to_num(column[window.rows]).astype(np.int64)
    edges = [0, *(np.flatnonzero(np.diff(zone)) + 1).tolist(), len(zone)]
    x, half = window.x(), window.step / 2.0
    return [
        Band(int(zone[start]), float(x[start]) - half, float(x[stop - 1]) + half)
        for start, stop in pairwise(edges)
        if int(zone[start]) in KILL_ZONES
    ]


def band_path(bands: Sequence[Band], colour: str) -> Path:
    """Faint areas over the whole height of the prices."""
    x: list[float | None] = []
    for one in bands:
        x += [one.left, one.right, one.right, one.left, one.left, None]
    return {
        "x": x,
        "y": [0, 0, 1, 1, 0, None] * len(bands),
        "yref": "y domain",
        "line": {"color": colour, "width": 0, "dash": "solid"},
        "fillcolor": f"{colour}/0.1",
        "visible": True,
    }


def band_letters(bands: Sequence[Band], letter: str, colour: str) -> Trace:
    """The letter of a kill zone at the top of each of its bands."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [(one.left + one.right) / 2.0 for one in bands],
        "y": [1.0] * len(bands),
        "yaxis": "y4",
        "text": [letter] * len(bands),
        "textposition": "bottom center",
        "textfont": {"size": 10, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
        "visible": True,
    }
