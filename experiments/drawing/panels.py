"""The panels around the events: candles, volume, kill zones, and the head's votes underneath."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from engine import Float1D, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import Head, Reason, VoteMatrix

from .layers import Trace
from .window import Window
from .words import markup, price_text, vote_lines

KILL_ZONES: Final = {
    1: ("Asian kill zone", "A", "@hue4"),
    2: ("London kill zone", "L", "@hue0"),
    3: ("New York morning kill zone", "N", "@hue2"),
    4: ("London close kill zone", "C", "@hue5"),
}
"""Name, letter and colour of each code of ``kill_zone.zone``."""
_NS_PER_MS: Final = 1_000_000


def candles(window: Window) -> Trace:
    """Hollow where the close is above the open, full where it is below; missing bars are left out."""
    bars, rows = window.bars, window.rows
    there = ~bars.is_gap[rows]
    columns = {name: getattr(bars, name)[rows][there] for name in ("open", "high", "low", "close")}
    volume = bars.volume[rows][there]
    return {
        "type": "candlestick",
        "x": window.x()[there].tolist(),
        "yaxis": "y4",
        **{name: _numbers(values) for name, values in columns.items()},
        "increasing": {"line": {"color": "@up", "width": 1}, "fillcolor": "@paper"},
        "decreasing": {"line": {"color": "@down", "width": 1}, "fillcolor": "@down"},
        "whiskerwidth": 0,
        "name": "",
        "showlegend": False,
        "hoverinfo": "text+x",
        "hovertext": [
            "<br>".join(
                f"{name} {price_text(float(value))}"
                for name, value in (*((n, columns[n][row]) for n in columns), ("volume", amount))
            )
            for row, amount in enumerate(volume)
        ],
    }


def volumes(window: Window) -> Trace:
    """Volume of each bar, coloured as its candle."""
    bars, rows = window.bars, window.rows
    rises = bars.close[rows] >= bars.open[rows]
    return {
        "type": "bar",
        "x": window.x().tolist(),
        "y": _numbers(bars.volume[rows]),
        "yaxis": "y2",
        "marker": {"color": ["@up/0.55" if one else "@down/0.55" for one in rises]},
        "showlegend": False,
        "hovertemplate": "%{x}<br>volume %{y:,.6g}<extra></extra>",
    }


def votes_strip(window: Window, votes: VoteMatrix, reasons: Sequence[Reason]) -> list[Trace]:
    """Direction x probability x confidence of one head on each bar, with its reasons in words.

    Bars without a vote have a point on the line, so that what was on can be read there too; bars on
    which the head had no data have none.
    """
    rows = window.rows
    direction = votes.direction[rows, 0].astype(np.float64)
    strength = direction * votes.probability[rows, 0] * votes.confidence[rows, 0]
    coverage = votes.coverage[rows, 0]
    texts = [
        markup(
            vote_lines(
                known_ns=int(votes.known_at[row]),
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
    x = window.x()
    spoke, silent = direction != 0, (direction == 0) & (coverage > 0)
    return [
        {
            "type": "bar",
            "x": x[spoke].tolist(),
            "y": _numbers(strength[spoke]),
            "yaxis": "y3",
            "marker": {
                "color": ["@up" if one > 0 else "@down" for one in direction[spoke]],
                # The hatch tells short from long where the colours do not.
                "pattern": {
                    "shape": ["" if one > 0 else "/" for one in direction[spoke]],
                    "size": 4,
                    "solidity": 0.35,
                },
            },
            "showlegend": False,
            "hoverinfo": "text",
            "hovertext": [text for text, one in zip(texts, spoke, strict=True) if one],
            "textposition": "none",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": x[silent].tolist(),
            "y": [0.0] * int(silent.sum()),
            "yaxis": "y3",
            "marker": {"symbol": "circle", "size": 2, "color": "@muted/0.5"},
            "showlegend": False,
            "hoverinfo": "text",
            "hovertext": [text for text, one in zip(texts, silent, strict=True) if one],
        },
    ]


def kill_zone_bands(market: Market, head: Head, window: Window) -> list[dict[str, Any]]:
    """Faint vertical bands of the kill zones that ``head`` looks at, by the New York clock; else none."""
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
    x = window.x()
    bands = []
    for start, stop in pairwise(edges):
        if int(zone[start]) not in KILL_ZONES:
            continue
        _, letter, colour = KILL_ZONES[int(zone[start])]
        bands.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y domain",
                "x0": x[start] - window.step / 2.0,
                "x1": x[stop - 1] + window.step / 2.0,
                "y0": 0,
                "y1": 1,
                "fillcolor": f"{colour}/0.09",
                "line": {"width": 0},
                "layer": "below",
                "label": {
                    "text": letter,
                    "textposition": "top center",
                    "font": {"size": 9, "color": f"{colour}/0.9"},
                },
            }
        )
    return bands


def _numbers(values: Float1D) -> list[float]:
    return [float(f"{value:.10g}") for value in values]
