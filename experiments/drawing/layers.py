"""Layers of a picture: all events of one type of one detection, as traces of Plotly and as paths.

A path is any number of lines or areas that are drawn as one element, which keeps a page of thousands of
zones quick: ``x`` and ``y`` are corners, None between one figure and the next; the page turns it into
a shape. Colours are words of the page's palette: ``@hue0`` to ``@hue7``, ``@up``, ``@down``, ``@ink``,
``@muted``, each with an opacity behind a slash where it is not whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final, TypeAlias

from .drawn import Change, DrawnEvent
from .labels import Placed
from .shapes import SHAPED, RatioLine, highs, ratio_lines
from .styles import DASHES, FLIPPED, FRESH, HUES, LARGE, SPENT, TOUCHED

Trace: TypeAlias = dict[str, Any]
Path: TypeAlias = dict[str, Any]
GLYPHS: Final = {1: "triangle-up", -1: "triangle-down", 0: "diamond"}
"""A marker's shape says its direction, whatever its colour."""
_FILLS: Final = {FRESH: 0.24, TOUCHED: 0.13, SPENT: 0.0, FLIPPED: 0.10}
_EDGES: Final = {FRESH: "solid", TOUCHED: "solid", SPENT: "dot", FLIPPED: "dash"}
_DIGITS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What the legend switches on and off together; ``number`` is the detection's, for its lines, and
    ``hue_number`` that of its colour. Figures that were known from row ``lettered_from`` on carry
    letters and ratios."""

    key: str
    label: str
    detection: str
    number: int
    hue_number: int
    left: float
    shown: bool
    lettered_from: int
    places: tuple[Placed, ...]

    @property
    def hue(self) -> str:
        """Its colour."""
        return f"@hue{self.hue_number % HUES}"

    @property
    def dash(self) -> str:
        """The line of its detection, for those who do not see the colour."""
        return DASHES[self.number % len(DASHES)]

    @property
    def events(self) -> list[DrawnEvent]:
        """Its events."""
        return [place.event for place in self.places]


def layer_paths(layer: Layer) -> list[Path]:
    """Zones, levels and lines of a layer, what lies behind first."""
    is_figure = any(len(event.points) > 2 for event in layer.events)
    paths = [
        *_zones(layer),
        _path(_backs(layer), f"{layer.hue}/0.7", "dot", 1.0),
        _path(_levels_back(layer), layer.hue, layer.dash, 1.1),
        _path(_shapes(layer), layer.hue, "solid", 1.6 if is_figure else 0.7),
        _ratio_path(layer),
        _phase_path(layer),
    ]
    return [path | {"visible": layer.shown} for path in paths if path is not None]


def layer_traces(layer: Layer) -> list[Trace]:
    """Markers, marks of change and names of a layer, what lies behind first."""
    traces = [*_ratio_texts(layer), _phase_texts(layer), _changes(layer), _markers(layer)]
    kept = [trace for trace in traces if trace is not None and len(trace["x"])]
    return [trace | {"visible": layer.shown, "showlegend": False} for trace in kept]


def target_parts(layer: Layer, right: float, length: float) -> tuple[Path, Trace] | None:
    """The further prices of the events that are marked, from where they became known to the end of
    their zone, or ``length`` far where they have none; not beyond ``right``. None without any."""
    segments = []
    texts: list[str] = []
    for event in layer.events:
        end = event.life[-1].end if event.life else event.known_x + length
        for name, price in event.levels if event.is_marked else ():
            segments.append([(event.known_x, price), (min(end, right), price)])
            texts.append(f"{name.replace('_', ' ')} {price:,.6g} · {layer.label}")
    path = _path(segments, layer.hue, "dot", 0.8)
    if path is None:
        return None
    begins = {
        "type": "scatter",
        "mode": "markers",
        "x": [line[0][0] for line in segments],
        "y": [_short(line[0][1]) for line in segments],
        "marker": {"symbol": "line-ew-open", "size": 7, "color": layer.hue, "line": {"width": 1.4}},
        "hoverinfo": "text",
        "hovertext": texts,
        "visible": False,
        "showlegend": False,
    }
    return path | {"visible": False}, begins


def _zones(layer: Layer) -> list[Path | None]:
    paths = []
    for look, opacity in _FILLS.items():
        corners = []
        for event in layer.events:
            for one in event.life:
                if one.look == look:
                    corners.append(_rectangle(one.start, one.end, event.bottom, event.top))
        width = 1.1 if layer.places and all(e.top == e.bottom for e in layer.events) else 0.8
        path = _path(corners, f"{layer.hue}/0.75", _EDGES[look], width)
        if path is not None and opacity:
            faint = 0.4 if any(event.detector in LARGE for event in layer.events) else 1.0
            path |= {"fillcolor": f"{layer.hue}/{faint * opacity:.3g}"}
        paths.append(path)
    return paths


def _rectangle(left: float, right: float, low: float, high: float) -> list[tuple[float, float]]:
    if low == high:
        return [(left, low), (right, low)]
    return [(left, low), (right, low), (right, high), (left, high), (left, low)]


def _backs(layer: Layer) -> list[list[tuple[float, float]]]:
    """From the marker to what the event describes: the outline of a zone, or one thin line."""
    lines = []
    for place in layer.places:
        event = place.event
        if not event.is_marked or event.top == event.bottom:
            continue
        if event.detector in SHAPED and event.points:
            _, x, price = event.points[-1]
            lines.append([(event.known_x, place.y), (x, price)])
        elif isnan(event.top):
            lines.append([(event.known_x, place.y), (event.anchor_x, event.anchor_price)])
        else:
            lines.append(_rectangle(event.anchor_x, event.known_x, event.bottom, event.top))
    return lines


def _levels_back(layer: Layer) -> list[list[tuple[float, float]]]:
    """A level, from the turning point that made it (else from the anchor) to where it was known."""
    lines = []
    for event in layer.events:
        if event.is_marked and event.top == event.bottom:
            at_level = [x for _, x, price in event.points if price == event.top]
            lines.append(
                [(min([event.anchor_x, *at_level]), event.top), (event.known_x, event.top)]
            )
    return lines


def _shapes(layer: Layer) -> list[list[tuple[float, float]]]:
    return [
        [(x, price) for _, x, price in event.points]
        for event in layer.events
        if event.is_marked and event.detector in SHAPED
    ]


def _ratios(layer: Layer) -> list[RatioLine]:
    """The lines that compare legs of figures; figures of one type often share one, written once."""
    return list(dict.fromkeys(one for points in _figures(layer) for one in ratio_lines(points)))


def _figures(layer: Layer) -> list[tuple[tuple[str, float, float], ...]]:
    """The points of figures that carry letters."""
    return [
        event.points
        for event in layer.events
        if event.is_marked and event.detector in SHAPED and event.known_row >= layer.lettered_from
    ]


def _ratio_path(layer: Layer) -> Path | None:
    return _path([one.line for one in _ratios(layer)], f"{layer.hue}/0.6", "dot", 0.9)


def _ratio_texts(layer: Layer) -> list[Trace | None]:
    """The letters of a shape's points, and its ratios on the lines that they compare."""
    letters = {True: [], False: []}  # type: dict[bool, list[tuple[float, float, str]]]
    for points in _figures(layer):
        for (name, x, price), is_high in zip(points, highs(points), strict=True):
            if len(name) <= 2:
                letters[is_high].append((x, price, name))
    middles = [(*one.middle, f"{one.ratio:.3f}") for one in _ratios(layer)]
    return [
        _texts(letters[True], layer.hue, 11, "top center"),
        _texts(letters[False], layer.hue, 11, "bottom center"),
        _texts(middles, layer.hue, 9, "middle center"),
    ]


def _phases(layer: Layer) -> list[tuple[DrawnEvent, Change]]:
    return [
        (event, change)
        for event in layer.events
        for change in event.changes
        if change.phase and event.life
    ]


def _phase_path(layer: Layer) -> Path | None:
    """A line through the zone where a phase begins."""
    lines = [[(one.x, event.bottom), (one.x, event.top)] for event, one in _phases(layer)]
    return _path(lines, f"{layer.hue}/0.8", "dash", 0.9)


def _phase_texts(layer: Layer) -> Trace | None:
    """The letter of a phase at the top of its zone."""
    letters = [(one.x, event.top, one.phase) for event, one in _phases(layer)]
    return _texts(letters, layer.hue, 12, "bottom right")


def _changes(layer: Layer) -> Trace | None:
    """A small mark at each change of a zone's state that begins no phase."""
    marks = [
        (change.x, event.price, change.text)
        for event in layer.events
        if event.life
        for change in event.changes
        if not change.phase
    ]
    if not marks:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _, _ in marks],
        "y": [_short(y) for _, y, _ in marks],
        "marker": {"symbol": "line-ns-open", "size": 7, "color": layer.hue, "line": {"width": 1.4}},
        "hoverinfo": "text",
        "hovertext": [text for _, _, text in marks],
    }


def _markers(layer: Layer) -> Trace:
    places = [
        place
        for place in layer.places
        if place.event.is_marked or (place.event.life and not isnan(place.event.price))
    ]
    # A zone from before the window has an open marker at its edge, where its story can be read.
    open_ = ["" if place.event.is_marked else "-open" for place in places]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [max(place.event.known_x, layer.left) for place in places],
        "y": [_short(place.y) for place in places],
        "text": [place.name for place in places],
        "textposition": [place.position for place in places],
        "textfont": {"size": 10, "color": layer.hue},
        "marker": {
            "symbol": [
                GLYPHS[place.event.direction] + end
                for place, end in zip(places, open_, strict=True)
            ],
            "size": [8 if place.event.is_marked else 6 for place in places],
            "color": layer.hue,
            "opacity": 1,
            "line": {"width": 1 if any(open_) else 0, "color": layer.hue},
        },
        "hoverinfo": "text",
        "hovertext": [place.event.text for place in places],
    }


def _path(
    lines: Iterable[Sequence[tuple[float, float]]], colour: str, dash: str, width: float
) -> Path | None:
    x: list[float | None] = []
    y: list[float | None] = []
    for line in lines:
        x += [*(point[0] for point in line), None]
        y += [*(_short(point[1]) for point in line), None]
    if not x:
        return None
    return {"x": x, "y": y, "line": {"color": colour, "width": width, "dash": dash}}


def _texts(
    texts: Sequence[tuple[float, float, str]], colour: str, size: int, position: str
) -> Trace | None:
    if not texts:
        return None
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for x, _, _ in texts],
        "y": [_short(y) for _, y, _ in texts],
        "text": [text for _, _, text in texts],
        "textposition": position,
        "textfont": {"size": size, "color": colour},
        "hoverinfo": "skip",
    }


def _short(value: float) -> float:
    """A price with the digits that a picture can show, so that the page stays small."""
    return float(f"{value:.{_DIGITS}g}")
