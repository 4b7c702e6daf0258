"""One picture: bars, events in layers, volume, votes; as values that the page's script draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from engine import ConfigError, Float1D, Market
from strategies import Head, VoteMatrix

from ..events.found import HeadEvents
from .drawn import DrawnEvent, drawn_events
from .labels import LINE, PLOT_HEIGHT, Wanted, placed
from .layers import Layer, Path, Trace, layer_paths, layer_traces, target_parts
from .panels import (
    KILL_ZONES,
    MOST_LETTERS,
    Band,
    band_letters,
    band_path,
    bar_values,
    kill_zone_bands,
    volume_trace,
    vote_strength,
    vote_texts,
    vote_traces,
)
from .shapes import LETTERED
from .styles import (
    ALWAYS_NAMED,
    HIDDEN_AT_FIRST,
    HUE_BY_TYPE,
    LARGE,
    legend_name,
    short_name,
    whole_name,
    words,
)
from .window import Window

MAX_EVENTS: Final = 5_000
"""Events that one page draws: more of them make it slow to move."""
MARKERS_AT_FIRST: Final = 2_000
"""Markers of events and of their changes that are shown when the page opens, more when asked for."""
LETTERED_FIGURES: Final = 6
"""Harmonic figures, the last ones, that carry letters and ratios: those of more cover each other."""
NAMED_EVENTS: Final = 60
"""Events of a picture up to which each is named beside its marker, where there is room."""
TARGET_BARS: Final = 24
"""How far the line of a target reaches where its event has no zone."""
PANELS: Final = {"yaxis": (0.33, 1.0), "yaxis2": (0.19, 0.3), "yaxis3": (0.0, 0.15)}
"""Which part of the height prices, volume and votes have."""
LETTERS: Final = "yaxis4"
"""From 0 to 1 over the height of the prices, for what moves with the time alone."""


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
    paths: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Traces and layout of Plotly, paths under them, the legend, the events in order of ``known``.

    ``bars`` are the columns of ``bar_values``, ``said`` the vote of each of them in words, ``bands``
    the kill zones, ``held_back`` the types that are hidden at first for there are too many markers.
    """

    data: list[Trace]
    paths: list[Path]
    layout: dict[str, Any]
    bars: Mapping[str, Float1D]
    said: list[str]
    bands: list[Band]
    legend: list[Entry]
    held_back: list[str]
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
    strength = vote_strength(window, votes)
    data: list[Trace] = [volume_trace(window), *vote_traces(window, strength)]
    paths: list[Path] = []

    def added(new_paths: Sequence[Path], new_traces: Sequence[Trace]) -> dict[str, tuple[int, ...]]:
        """Their places in the picture."""
        places = {
            "paths": tuple(range(len(paths), len(paths) + len(new_paths))),
            "traces": tuple(range(len(data), len(data) + len(new_traces))),
        }
        paths.extend(new_paths)
        data.extend(new_traces)
        return places

    legend, zones = [], []
    bands = kill_zone_bands(market, head, window)
    for code, (name, letter, hue) in KILL_ZONES.items():
        of_zone = [band for band in bands if band.code == code]
        if of_zone:
            letters = [band_letters(of_zone, letter, hue)] if len(bands) <= MOST_LETTERS else []
            places = added([band_path(of_zone, hue)], letters)
            zones.append(_extra(f"zone{code}", f"{name} ({letter})", hue, shown=True, **places))
    for layer in layers:
        legend.append(_entry(layer, **added(layer_paths(layer), layer_traces(layer))))
    length = TARGET_BARS * window.step
    targets = [one for layer in layers if (one := target_parts(layer, window.right, length))]
    if targets:
        places = added([path for path, _ in targets], [trace for _, trace in targets])
        legend.append(_extra("levels", "targets and stops", "@muted", shown=False, **places))
    events = sorted(
        (one for layer in layers for one in layer.events), key=lambda one: one.known_row
    )
    return Picture(
        data=data,
        paths=paths,
        layout=_layout(window, _prices_shown(window, layers)),
        bars=bar_values(window),
        said=vote_texts(window, votes, head.REASONS),
        bands=bands,
        legend=[*legend, *zones],
        held_back=_held_back(layers),
        events=events,
    )


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
    is_hidden = _hidden_at_first(
        [not is_bare and detectors[number] in HIDDEN_AT_FIRST for number, _, _ in groups],
        [sum(1 + len(one.changes) for one in of_kind) for _, _, of_kind in groups],
    )
    marked = sum(event.is_marked for _, _, of_kind in groups for event in of_kind)
    wanted = []
    for (number, kind_name, of_kind), hidden in zip(groups, is_hidden, strict=True):
        is_first = detectors[number] in ALWAYS_NAMED
        name = short_name(kind_name) if is_first or marked <= NAMED_EVENTS else ""
        wanted += [
            Wanted(
                event,
                name if event.is_marked or detectors[number] in LARGE else "",
                is_first,
                hidden,
            )
            for event in of_kind
        ]
    lettered_from = _lettered_from([event for _, _, of_kind in groups for event in of_kind])
    places = iter(placed(wanted, window))
    return [
        Layer(
            key=f"{number}-{kind_name}",
            label=whole_name(kind_name),
            detection=names[number],
            number=number,
            hue_number=at if detectors[number] in HUE_BY_TYPE else number,
            left=window.left,
            shown=not is_hidden[at],
            lettered_from=lettered_from,
            places=tuple(next(places) for _ in of_kind),
        )
        for at, (number, kind_name, of_kind) in enumerate(groups)
    ]


def _hidden_at_first(is_hidden: Sequence[bool], counts: Sequence[int]) -> list[bool]:
    """``is_hidden``, and the largest of the others until MARKERS_AT_FIRST are left."""
    hidden = list(is_hidden)
    shown = sorted((at for at, one in enumerate(hidden) if not one), key=lambda at: counts[at])
    while len(shown) > 1 and sum(counts[at] for at in shown) > MARKERS_AT_FIRST:
        hidden[shown.pop()] = True
    return hidden


def _held_back(layers: Sequence[Layer]) -> list[str]:
    kinds = [layer.events[0] for layer in layers if not layer.shown]
    names = [legend_name(one.type_name) for one in kinds if one.detector not in HIDDEN_AT_FIRST]
    return list(dict.fromkeys(names))


def _lettered_from(events: Sequence[DrawnEvent]) -> int:
    """The row from which harmonic figures carry letters and ratios."""
    rows = sorted(one.known_row for one in events if one.is_marked and one.detector in LETTERED)
    return rows[-LETTERED_FIGURES] if len(rows) >= LETTERED_FIGURES else 0


def detection_names(found: Sequence[HeadEvents]) -> list[str]:
    """The detector of each detection, its longer bars, and where these are shared the head's own name."""
    names = []
    for one in found:
        longer = one.found.detection.clock.partition(":")[2]
        name = words(one.detector.name)
        names.append(f"{name}, {longer}" if longer else name)
    return [
        f"{name}: {words(one.alias)}"
        if names.count(name) > 1 and words(one.alias) != name
        else name
        for name, one in zip(names, found, strict=True)
    ]


def _entry(layer: Layer, *, traces: tuple[int, ...], paths: tuple[int, ...]) -> Entry:
    directions = {event.direction for event in layer.events}
    return Entry(
        key=layer.key,
        label=legend_name(layer.events[0].type_name),
        detection=layer.detection,
        hue=layer.hue,
        glyphs=tuple(one for one in (1, -1, 0) if one in directions),
        count=len(layer.places),
        shown=layer.shown,
        traces=traces,
        paths=paths,
    )


def _extra(
    key: str,
    label: str,
    hue: str,
    *,
    shown: bool,
    traces: tuple[int, ...],
    paths: tuple[int, ...],
) -> Entry:
    return Entry(
        key=key,
        label=label,
        detection="also",
        hue=hue,
        glyphs=(),
        count=0,
        shown=shown,
        traces=traces,
        paths=paths,
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


def _layout(window: Window, prices: tuple[float, float]) -> dict[str, Any]:
    title: dict[str, Any] = {"standoff": 6, "font": {"size": 11, "color": "@muted"}}
    axis: dict[str, Any] = {
        "zeroline": False,
        "side": "right",
        "tickfont": {"size": 11, "color": "@muted"},
    }
    y_axes = {name: {**axis, "domain": list(span)} for name, span in PANELS.items()}
    y_axes["yaxis"] |= {"range": list(prices), "title": {**title, "text": "price"}}
    y_axes["yaxis2"] |= {
        "nticks": 3,
        "rangemode": "tozero",
        "title": {**title, "text": "volume"},
    }
    y_axes["yaxis3"] |= {
        "range": [-1.05, 1.05],
        "tickvals": [-1, 0, 1],
        "ticktext": ["short", "0", "long"],
        "zeroline": True,
        "title": {**title, "text": "vote"},
    }
    y_axes[LETTERS] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    return {
        "margin": {"l": 12, "r": 70, "t": 14, "b": 34},
        "hovermode": "closest",
        "hoverdistance": 14,
        "hoverlabel": {"namelength": 0},
        "showlegend": False,
        "dragmode": "pan",
        "xaxis": {
            **axis,
            "side": "bottom",
            "type": "date",
            "anchor": "y3",
            # Room for the names beside the last bars.
            "range": [window.left, window.right + 0.03 * (window.right - window.left)],
        },
        **y_axes,
    }
