"""Traces and layouts that charts are made of, in the page's palette."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine import Float1D

PALETTE: Final = (
    "ink", "muted", "line", "grid", "soft", "paper", "accent", "up", "down", "won", "lost",
    "hue0", "hue1", "hue2", "hue3", "hue4", "hue5", "hue6", "hue7", "hue8",
)  # fmt: skip
"""Words that a colour may be, each with a light and a dark value in pages/style.css. ``up`` and ``down``
are blue-green and orange, which every common colour blindness tells apart; ``hue0`` to ``hue8`` are
for categories (the nine heads) and are never the only thing that tells two lines apart."""
DIVERGING: Final = ((0.0, "@down"), (0.5, "@soft"), (1.0, "@up"))
"""Colour scale from bad to good, for values that are centred on 0."""
RISING: Final = ((0.0, "@soft"), (1.0, "@accent"))
"""Colour scale from nothing to much."""


def line(
    x: Float1D | Sequence[Any],
    y: Float1D,
    name: str,
    *,
    colour: str = "@accent",
    width: float = 1.5,
    dash: str = "solid",
    hover: str = "%{y:,.4~g}",
    **more: Any,
) -> Mapping[str, Any]:
    """A line; ``hover`` is Plotly's template of one point, ``dash`` tells it from others without colour."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": hover,
        **more,
    }


def bars(
    x: Float1D | Sequence[Any],
    y: Float1D | Sequence[float | None],
    name: str,
    *,
    colour: Any = "@accent",
    hover: str = "%{x}: %{y:,.4~g}<extra></extra>",
    **more: Any,
) -> Mapping[str, Any]:
    """Upright bars; ``colour`` is one word or one for each bar."""
    return {
        "type": "bar",
        "x": x,
        "y": y,
        "name": name,
        "marker": {"color": colour},
        "hovertemplate": hover,
        **more,
    }


def points(
    x: Float1D | Sequence[Any],
    y: Float1D | Sequence[Any],
    name: str,
    *,
    colour: Any = "@accent",
    size: float = 6,
    hover: str = "%{x:,.4~g}, %{y:,.4~g}",
    **more: Any,
) -> Mapping[str, Any]:
    """Markers without lines."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": name,
        "marker": {"color": colour, "size": size},
        "hovertemplate": hover,
        **more,
    }


def heatmap(
    x: Sequence[Any],
    y: Sequence[Any],
    z: Any,
    *,
    scale: Sequence[tuple[float, str]] = DIVERGING,
    hover: str = "%{y} %{x}: %{z:.4~g}<extra></extra>",
    **more: Any,
) -> Mapping[str, Any]:
    """Cells of colour; ``z`` has a row for each of ``y``, NaN where there is nothing."""
    return {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": z,
        "colorscale": [list(stop) for stop in scale],
        "hovertemplate": hover,
        "xgap": 1,
        "ygap": 1,
        **more,
    }


def time_axis(**more: Any) -> Mapping[str, Any]:
    """An axis of times given in milliseconds since the epoch; a hover states the minute, UTC."""
    return {"type": "date", "hoverformat": "%Y-%m-%d %H:%M", **more}


def category_axis(title: str = "", **more: Any) -> Mapping[str, Any]:
    """An axis of words, also of words that look like numbers (years, hours)."""
    return {"type": "category", "title": {"text": title}, **more}


def percent_axis(title: str, **more: Any) -> Mapping[str, Any]:
    """An axis of fractions that is written in percent."""
    return {"title": {"text": title}, "tickformat": ".3~%", **more}


def axis(title: str, **more: Any) -> Mapping[str, Any]:
    """An axis with a title; state the unit in it."""
    return {"title": {"text": title}, **more}
