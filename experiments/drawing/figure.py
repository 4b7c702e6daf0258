"""One picture: candles, events in layers, volume, votes; as JSON values for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from engine import ConfigError, Market
from strategies import Head, VoteMatrix

from ..events.found import HeadEvents
from .drawn import DrawnEvent, drawn_events
from .labels import LINE, PLOT_HEIGHT, Wanted, placed
from .layers import Layer, layer_traces, target_trace
from .panels import KILL_ZONES, candles, kill_zone_bands, volumes, votes_strip
from .styles import (
    ALWAYS_NAMED,
    HIDDEN_AT_FIRST,
    HUE_BY_TYPE,
    LARGE,
    legend_name,
    short_name,
    words,
)
from .window import Window

MAX_EVENTS: Final = 5_000
"""Events that one page draws: more of them make it slow to move."""
NAMED_EVENTS: Final = 25
"""Events of one layer up to which each is named beside its marker, where there is room."""
TARGET_BARS: Final = 24
"""How far the line of a target reaches where its event has no zone."""
PANELS: Final = {"yaxis": (0.33, 1.0), "yaxis2": (0.19, 0.3), "yaxis3": (0.0, 0.15)}
"""Which part of the height prices, volume and votes have."""
OVER: Final = "yaxis4"
"""The axis of prices for what lies over the areas: candles, markers, names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the legend: what it is, how much of it there is, and which parts it switches."""

    key: str
    label: str
    detection: str
    hue: str
    glyphs: tuple[int, ...]
    count: int
    shown: bool
    traces: tuple[int, ...]
    shapes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Traces and layout of Plotly, the legend, and the events drawn, in order of ``known``."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    legend: list[Entry]
    events: list[DrawnEvent]


def picture(
    market: Market,
    head: Head,
    found: Sequence[HeadEvents],
    votes: VoteMatrix,
    window: Window,
) -> Picture:
    """Everything that ``head`` saw and said in ``window``.

    ``found`` are its detections as known at the end of the window, ``votes`` its own on all bars.
    Raises ConfigError where more events than MAX_EVENTS would be drawn.
    """
    layers = _layers(found, window)
    count = sum(len(layer.places) for layer in layers)
    if count > MAX_EVENTS:
        raise ConfigError(
            f"{count:,} events of {head.name} lie in these {len(window):,} bars, a page draws "
            f"{MAX_EVENTS:,} at most; choose some with --type, or fewer bars with --from and --to"
        )
    data = [candles(window), volumes(window), *votes_strip(window, votes, head.REASONS)]
    legend = []
    for layer in layers:
        traces = layer_traces(layer)
        numbers = tuple(range(len(data), len(data) + len(traces)))
        data += traces
        legend.append(_entry(layer, numbers))
    length = TARGET_BARS * window.step
    targets = [
        one for one in (target_trace(layer, window.right, length) for layer in layers) if one
    ]
    if targets:
        numbers = tuple(range(len(data), len(data) + len(targets)))
        data += targets
        legend.append(_extra("levels", "targets and stops", "@muted", numbers, ()))
    bands = kill_zone_bands(market, head, window)
    for code, (name, letter, hue) in KILL_ZONES.items():
        shapes = tuple(at for at, band in enumerate(bands) if band["label"]["text"] == letter)
        if shapes:
            legend.append(_extra(f"zone{code}", f"{name} ({letter})", hue, (), shapes))
    events = sorted(
        (one for layer in layers for one in layer.events), key=lambda one: one.known_row
    )
    prices = _prices_shown(window, layers)
    return Picture(data=data, layout=_layout(window, prices, bands), legend=legend, events=events)


def _layers(found: Sequence[HeadEvents], window: Window) -> list[Layer]:
    """One for each type of each detection that has an event to draw, with places for the markers."""
    names = detection_names(found)
    groups: list[tuple[int, str, list[DrawnEvent]]] = []
    for number, one in enumerate(found):
        events = drawn_events(one, window, names[number])
        for kind in one.detector.types:
            of_kind = [event for event in events if event.type_name == kind.name]
            if of_kind:
                groups.append((number, kind.name, of_kind))
    detectors = [one.detector.name for one in found]
    is_bare = all(detectors[number] in HIDDEN_AT_FIRST for number, _, _ in groups)
    wanted = []
    for number, kind_name, of_kind in groups:
        must = detectors[number] in ALWAYS_NAMED
        hidden = not is_bare and detectors[number] in HIDDEN_AT_FIRST
        marked = sum(event.is_marked for event in of_kind)
        name = short_name(kind_name) if must or marked <= NAMED_EVENTS else ""
        wanted += [
            Wanted(
                event, name if event.is_marked or detectors[number] in LARGE else "", must, hidden
            )
            for event in of_kind
        ]
    places = iter(placed(wanted, window))
    return [
        Layer(
            key=f"{number}-{kind_name}",
            label=legend_name(kind_name),
            detection=names[number],
            number=number,
            hue_number=at if detectors[number] in HUE_BY_TYPE else number,
            left=window.left,
            shown=is_bare or detectors[number] not in HIDDEN_AT_FIRST,
            places=tuple(next(places) for _ in of_kind),
        )
        for at, (number, kind_name, of_kind) in enumerate(groups)
    ]


def detection_names(found: Sequence[HeadEvents]) -> list[str]:
    """The detector of each detection, its longer bars, and where these are shared the head's own name."""
    names = []
    for one in found:
        longer = one.found.detection.clock.partition(":")[2]
        name = words(one.detector.name)
        names.append(f"{name}, {longer}" if longer else name)
    return [
        f"{name}: {words(one.alias)}" if names.count(name) > 1 else name
        for name, one in zip(names, found, strict=True)
    ]


def _entry(layer: Layer, traces: tuple[int, ...]) -> Entry:
    directions = {event.direction for event in layer.events}
    return Entry(
        key=layer.key,
        label=layer.label,
        detection=layer.detection,
        hue=layer.hue,
        glyphs=tuple(one for one in (1, -1, 0) if one in directions),
        count=len(layer.places),
        shown=layer.shown,
        traces=traces,
        shapes=(),
    )


def _extra(
    key: str, label: str, hue: str, traces: tuple[int, ...], shapes: tuple[int, ...]
) -> Entry:
    return Entry(
        key=key,
        label=label,
        detection="also",
        hue=hue,
        glyphs=(),
        count=0,
        shown=bool(shapes),
        traces=traces,
        shapes=shapes,
    )


def _prices_shown(window: Window, layers: Sequence[Layer]) -> tuple[float, float]:
    """The window's prices, and the markers beside their bars that are shown from the first."""
    low, high = window.price_range()
    room = 2.0 * LINE / PLOT_HEIGHT * (high - low)
    beside = [
        place.y
        for layer in layers
        if layer.shown
        for place in layer.places
        if place.event.is_marked and isnan(place.event.price)
    ]
    return min([low, *(y - room for y in beside)]), max([high, *(y + room for y in beside)])


def _layout(
    window: Window, prices: tuple[float, float], bands: list[dict[str, Any]]
) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "gridcolor": "@grid",
        "linecolor": "@line",
        "zeroline": False,
        "title": {"standoff": 6, "font": {"size": 11, "color": "@muted"}},
        "tickfont": {"size": 11, "color": "@muted"},
    }
    y_axes = {name: {**axis, "domain": list(span)} for name, span in PANELS.items()}
    y_axes["yaxis"] |= {"range": list(prices), "side": "right"}
    # Plotly draws lines and areas over candles; what must lie behind them is on the axis underneath.
    y_axes[OVER] = {
        "overlaying": "y",
        "range": list(prices),
        "visible": False,
        "matches": "y",
    }
    y_axes["yaxis2"] |= {
        "side": "right",
        "nticks": 3,
        "rangemode": "tozero",
        "title": {**axis["title"], "text": "volume"},
    }
    y_axes["yaxis3"] |= {
        "side": "right",
        "range": [-1.05, 1.05],
        "tickvals": [-1, 0, 1],
        "ticktext": ["short", "0", "long"],
        "zeroline": True,
        "zerolinecolor": "@line",
        "title": {**axis["title"], "text": "vote"},
    }
    return {
        "template": {},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "@ink"},
        "margin": {"l": 12, "r": 70, "t": 26, "b": 34},
        "paper_bgcolor": "@paper",
        "plot_bgcolor": "@paper",
        "hovermode": "closest",
        "hoverdistance": 14,
        "hoverlabel": {
            "align": "left",
            "bgcolor": "@soft",
            "bordercolor": "@line",
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": "@ink"},
            "namelength": 0,
        },
        "showlegend": False,
        "bargap": 0.15,
        "dragmode": "pan",
        "xaxis": {
            **axis,
            "type": "date",
            "anchor": "y3",
            # Room for the names beside the last bars.
            "range": [window.left, window.right + 0.03 * (window.right - window.left)],
            "rangeslider": {"visible": False},
            "hoverformat": "%Y-%m-%d %H:%M",
        },
        **y_axes,
        "shapes": bands,
    }
