"""Where markers and their names find room, on a page of usual width."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

from .drawn import DrawnEvent
from .styles import LARGE
from .window import Window

PLOT_WIDTH: Final = 1150.0
"""Width of the plot in pixels that names are laid out for."""
PLOT_HEIGHT: Final = 500.0
"""Height of the panel of prices in pixels."""
CHARACTER: Final = 5.6
"""Mean width of a character of a name, pixels."""
LINE: Final = 13.0
"""Height of a name, pixels."""
MARK: Final = 9.0
"""Height of a marker, pixels."""
TRIES: Final = 40
"""Places away from its bar that a marker tries before it stands where it is."""


Box = tuple[float, float, float, float]
"""Left, right (bars), low, high (pixels upward) of what is taken."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an event's marker stands, the name beside it (empty where there is no room), and where.

    ``position`` is a ``textposition`` of Plotly.
    """

    event: DrawnEvent
    y: float
    name: str
    position: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An event to be placed: its name, whether the name gets room before others, and whether the
    event is hidden at first, so that it takes no room from those that are shown."""

    event: DrawnEvent
    name: str
    is_first: bool
    hidden: bool = False


def placed(wanted: Sequence[Wanted], window: Window) -> list[Placed]:
    """A place for every marker, in order.

    A marker with a price stands there; others stand under their bar (for a rise) or above it, further
    away where another name is already. A name that finds no room is left out: the event's story and
    the list under the picture tell it.
    """
    taken: list[Box] = []
    places: dict[int, Placed] = {}

    def rank(at: int) -> tuple[bool, bool, int, int]:
        one = wanted[at]
        return one.hidden, not one.is_first, one.event.known_row, at

    for at in sorted(range(len(wanted)), key=rank):
        one = wanted[at]
        place = _off_the_bar if isnan(one.event.price) else _at_its_price
        places[at] = place(one, window, taken)
    return [places[at] for at in range(len(wanted))]


def _at_its_price(one: Wanted, window: Window, taken: list[Box]) -> Placed:
    event = one.event
    low, high = window.price_range()
    sides = ("top", "bottom") if event.direction <= 0 else ("bottom", "top")
    # The name of a large zone stands inside it.
    ends = ("right", "left") if event.detector in LARGE else ("center", "right", "left")
    positions = [f"{side} {end}" for end in ends for side in sides]
    if not one.name or not low < event.price < high:
        return Placed(event, event.price, "", positions[0])
    y = (event.price - low) / (high - low) * PLOT_HEIGHT
    for position in positions:
        box = _name_box(one, window, y, position)
        if not any(_overlap(box, other) for other in taken):
            taken.append(box)
            return Placed(event, event.price, one.name, position)
    return Placed(event, event.price, "", positions[0])


def _off_the_bar(one: Wanted, window: Window, taken: list[Box]) -> Placed:
    event = one.event
    low, high = window.price_range()
    above = event.direction <= 0
    sign, side = (1.0, "top") if above else (-1.0, "bottom")
    price_a_pixel = (high - low) / PLOT_HEIGHT
    row = min(event.known_row, len(window.bars) - 1)
    edge = float((window.bars.high if above else window.bars.low)[row])
    y = edge
    for step in range(TRIES):
        y = edge + sign * (MARK + step * LINE / 2.0) * price_a_pixel
        box = _name_box(one, window, (y - low) / price_a_pixel, f"{side} center")
        if not any(_overlap(box, other) for other in taken):
            taken.append(box)
            return Placed(event, y, one.name, f"{side} center")
    return Placed(event, y, "", f"{side} center")


def _name_box(one: Wanted, window: Window, y: float, position: str) -> Box:
    """What the name takes; y in pixels above the lower edge of the panel."""
    bars_a_pixel = len(window) / PLOT_WIDTH
    side, end = position.split()
    width = max(CHARACTER * len(one.name), MARK) * bars_a_pixel
    row = float(max(one.event.known_row, window.first))
    half = MARK / 2.0 * bars_a_pixel
    left = {"center": row - width / 2.0, "right": row + half, "left": row - half - width}[end]
    low = y + MARK / 2.0 if side == "top" else y - MARK / 2.0 - LINE
    # Beside its bar a marker takes room as well: it stands where another name could have been.
    reach = MARK if isnan(one.event.price) else 0.0
    bottom = low - reach if side == "top" else low
    return left, left + width, bottom, bottom + LINE + reach


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
