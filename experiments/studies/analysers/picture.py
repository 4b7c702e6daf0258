"""One analyser over time as a small SVG file: its line, its levels, and where it takes a side."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from engine import DAY_NS, Bool1D, DataError, Float1D, Int1D

from ...config import midnight_ns
from .axis import ticks_of
from .reading import Found, Reading

WIDTH: Final = 1000
HEIGHT: Final = 320
LEFT: Final = 62
RIGHT: Final = 986
TOP: Final = 34
BOTTOM: Final = 238
STRIP: Final = 252
"""Top of the lane of long; that of short is one step below."""
LANE: Final = 10
LANE_STEP: Final = 14
LAST_TICK: Final = 98.0
"""Percent of the axis; a label further right would leave the picture."""
COLUMN: Final = 2
"""Pixels in which the line is drawn from its lowest to its highest value."""
MOST_LEVELS: Final = 6
MOST_LARGE_DOTS: Final = 100
SMALL_DOT: Final = 2
LARGE_DOT: Final = 6
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_STYLE: Final = """
.paper{fill:#fff}.ink{fill:#1f2937}.muted{fill:#64748b}.grid{stroke:#e2e8f0}
.line{stroke:#2563eb;fill:none;stroke-width:1.2}.level{stroke:#94a3b8;stroke-dasharray:4 3}
.dot{fill:none;stroke:#d97706;stroke-linecap:round}
.long{fill:#2a9d78}.short{fill:#d9480f}.mark{stroke:#9333ea;stroke-dasharray:2 2}.tag{fill:#9333ea}
text{font:12px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.paper{fill:#0f1623}.ink{fill:#e5e7eb}.muted{fill:#94a3b8}
.grid{stroke:#273244}.line{stroke:#7aa7f7}.level{stroke:#64748b}.dot{stroke:#f2b134}.long{fill:#35b58b}.short{fill:#f2713a}
.mark{stroke:#c792ea}.tag{fill:#c792ea}}
"""


def picture(reading: Reading, episodes: Sequence[Found]) -> str:
    """The SVG of the bars from the first to the last known one, or of the days that the subject names.

    Raises DataError where nothing is known on them.
    """
    part = _part(reading)
    time, line = reading.known_at[part], reading.line[part]
    low, high = _range(line, reading.subject.levels)
    first, last = int(time[0]), max(int(time[-1]), int(time[0]) + 1)

    def x_of(moment: int) -> float:
        return LEFT + (RIGHT - LEFT) * (moment - first) / (last - first)

    def y_of(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low)

    columns = ((time - first) * ((RIGHT - LEFT) / (last - first)) / COLUMN).astype(np.int64)
    title = f"{reading.subject.title}, {reading.subject.unit}"
    body = [
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="ink" x="{LEFT}" y="20" font-weight="600">{escape(title)}</text>',
        *(
            f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y_of(level):.1f}" y2="{y_of(level):.1f}"/>'
            f'<text class="muted" x="{LEFT - 6}" y="{y_of(level) + 4:.1f}" text-anchor="end">'
            f"{level:g}</text>"
            for level in _even_levels(low, high)
        ),
        *(
            f'<text class="muted" x="{LEFT + (RIGHT - LEFT) * tick.x / 100:.1f}" y="{HEIGHT - 12}" '
            f'text-anchor="middle">{escape(tick.label)}</text>'
            for tick in ticks_of(first, last)
            if tick.x < LAST_TICK
        ),
        *(
            f'<line class="level" x1="{LEFT}" x2="{RIGHT}" y1="{y_of(level):.1f}" y2="{y_of(level):.1f}"/>'
            for level in reading.subject.levels
        ),
        *(
            f'<line class="mark" x1="{x_of(one.known_at):.1f}" x2="{x_of(one.known_at):.1f}" '
            f'y1="{TOP}" y2="{BOTTOM}"/>'
            f'<text class="tag" x="{x_of(one.known_at) + 3:.1f}" y="{TOP + 9}">{number}</text>'
            for number, one in enumerate(episodes, start=1)
            if first <= one.known_at <= last
        ),
        f'<path class="line" d="{_line_path(columns, line, low, high)}"/>',
        f'<path class="dot" stroke-width="{_dot_width(reading)}" d="'
        + "".join(
            f"M{x_of(moment):.0f} {y_of(value):.0f}h0"
            for moment, value in _dots(reading, first, last)
        )
        + '"/>',
    ]
    side = reading.side[part]
    if side.any():
        body += [
            line
            for word, taken, top in (
                ("long", side > 0, STRIP),
                ("short", side < 0, STRIP + LANE_STEP),
            )
            for line in (
                f'<text class="muted" x="{LEFT - 6}" y="{top + LANE - 1}" text-anchor="end">{word}</text>',
                f'<path class="{word}" d="{_strip_path(columns, taken, top)}"/>',
            )
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _part(reading: Reading) -> slice:
    spoken = reading.known | ~np.isnan(reading.line)
    if reading.subject.drawn is not None:
        first, last = reading.subject.drawn
        spoken &= (reading.known_at > midnight_ns(first)) & (
            reading.known_at <= midnight_ns(last) + DAY_NS
        )
    rows = np.flatnonzero(spoken)
    if not len(rows):
        raise DataError(f"{reading.subject.name}: nothing is known on the days that are drawn")
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _dot_width(reading: Reading) -> int:
    many = reading.second is not None and len(reading.second.value) > MOST_LARGE_DOTS
    return SMALL_DOT if many else LARGE_DOT


def _dots(reading: Reading, first: int, last: int) -> list[tuple[int, float]]:
    second = reading.second
    if second is None:
        return []
    rows = zip(second.time_ns.tolist(), second.value.tolist(), strict=True)
    return [(moment, value) for moment, value in rows if first <= moment <= last]


def _range(line: Float1D, levels: Sequence[float]) -> tuple[float, float]:
    low = min(float(np.nanmin(line)), *levels) if levels else float(np.nanmin(line))
    high = max(float(np.nanmax(line)), *levels) if levels else float(np.nanmax(line))
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def _even_levels(low: float, high: float) -> list[float]:
    rough = (high - low) / MOST_LEVELS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough)
    return [round(k * step, 10) for k in range(int(np.ceil(low / step)), int(high / step) + 1)]


def _line_path(columns: Int1D, line: Float1D, low: float, high: float) -> str:
    """From the lowest to the highest value of each column of pixels, broken where nothing is known."""
    scale = (BOTTOM - TOP) / (high - low)
    parts: list[str] = []
    before = -2
    known = ~np.isnan(line)
    for column in np.unique(columns[known]):
        inside = line[known & (columns == column)]
        x = LEFT + COLUMN * int(column)
        y_first, y_last = BOTTOM - (inside[0] - low) * scale, BOTTOM - (inside[-1] - low) * scale
        y_high, y_low = BOTTOM - (inside.max() - low) * scale, BOTTOM - (inside.min() - low) * scale
        is_whole = before >= 0 and not _bars_between(columns, before, int(column))
        parts.append(f"{'L' if is_whole else 'M'}{x} {y_first:.0f}")
        if round(y_high) != round(y_low):
            parts.append(f"V{y_low:.0f}V{y_high:.0f}V{y_last:.0f}")
        before = int(column)
    return "".join(parts)


def _bars_between(columns: Int1D, before: int, column: int) -> bool:
    """Whether a bar lies in the columns of pixels between two; none of those has a value."""
    first = int(np.searchsorted(columns, before, side="right"))
    return int(np.searchsorted(columns, column, side="left")) > first


def _strip_path(columns: Int1D, speaks: Bool1D, top: int) -> str:
    """A box over each run of columns in which one bar at least ``speaks``, until the next one closes."""
    is_lit = np.zeros(int(columns[-1]) + 1, dtype=np.bool_)
    until = np.append(columns[1:], columns[-1] + 1)
    for row in np.flatnonzero(speaks):
        is_lit[columns[row] : max(until[row], columns[row] + 1)] = True
    lit = np.flatnonzero(is_lit)
    if not len(lit):
        return ""
    edges = np.flatnonzero(np.diff(lit) > 1)
    starts = lit[np.concatenate(([0], edges + 1))]
    stops = lit[np.concatenate((edges, [len(lit) - 1]))]
    return "".join(
        f"M{LEFT + COLUMN * start} {top}h{COLUMN * (stop - start + 1)}v{LANE}"
        f"H{LEFT + COLUMN * start}z"
        for start, stop in zip(starts, stops, strict=True)
    )
