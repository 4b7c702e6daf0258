"""Sessions by the clock of New York: their ranges, and the Judas swings that raid them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn

QUARTER_HOURS: Final = 4
"""Bars of an hour."""
JUDAS: Final = ("asian_judas", "london_judas")
SEASONS: Final = {
    # Midnight in New York of a Monday, in UTC.
    "winter": "2024-01-08T05:00",
    "summer": "2024-07-08T04:00",
}
FRIDAY: Final = {"winter": "2024-01-11T05:00", "summer": "2024-07-11T04:00"}
"""Midnight of the Thursday before: what follows 44 hours later belongs to a Saturday."""
LEAD_HOURS: Final = 44


def session_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    drawings: list[Drawing] = []
    for season, start in SEASONS.items():
        drawings += [
            _asian_raid(f"a raid of the Asian range in {season}", start),
            _ranges(f"ranges in {season}", start),
            _london_raid(f"a raid of London's range in {season}", start),
        ]
    winter = SEASONS["winter"]
    drawings += [
        replace(_asian_raid("a raid by 0.11", winter, beyond=0.11, back=0.31), just_made=True),
        _ranges("ranges of a Saturday", FRIDAY["winter"], misses="weekends do not count"),
        _asian_raid(
            "a raid that is too shallow",
            winter,
            beyond=0.09,
            misses="0.09 beyond the range, not 0.1 ATR",
        ),
        _asian_raid(
            "a return at five o'clock", winter, raid_hour=4.75, misses="the window has ended"
        ),
        _asian_raid("a weak return", winter, back=0.28, misses="it gives back 0.28 of the range"),
        _asian_raid("a raid on a Saturday", FRIDAY["winter"], misses="weekends do not count"),
        _london_raid(
            "a return at half past ten", winter, raid_hour=10.25, misses="the window has ended"
        ),
    ]
    for drawing in drawings:
        yield from both_ways(drawing)


def evening() -> Canvas:
    """Forty-four quiet hours from midnight in New York: the next bar opens at 20:00."""
    bars = LEAD_HOURS * QUARTER_HOURS
    canvas = Canvas(100.0 - 0.01 * bars)
    canvas.drift(0.01, bars)
    return canvas


def quiet_range(canvas: Canvas, bars: int) -> tuple[float, float]:
    """``bars`` bars that rise, fall and rise to the middle of what they span; its low and high."""
    begin = len(canvas)
    middle = canvas.price
    third = bars // 3
    canvas.leg_to_close(middle + 1.2, third)
    canvas.leg_to_close(middle - 1.2, bars - 2 * third)
    canvas.leg_to_close(middle, third)
    rows = range(begin, len(canvas))
    return min(canvas.low(row) for row in rows), max(canvas.high(row) for row in rows)


def _raid(canvas: Canvas, low: float, high: float, *, beyond: float, back: float) -> int:
    """A bar to ``beyond`` above ``high`` that closes there, and one that gives back; its row.

    ``back`` is how far the second closes under the raid's top, as a share of the range.
    """
    top = high + beyond
    canvas.bar(high=top, low=canvas.price - 0.1, close=max(high + beyond / 2.0, canvas.price))
    close = min(top - back * (high - low), high - 0.05)
    return canvas.bar(high=top - beyond / 4.0, low=close - 0.1, close=close)


def _asian_raid(
    name: str,
    start: str,
    *,
    beyond: float = 0.5,
    back: float = 0.4,
    raid_hour: float = 2.0,
    misses: str = "",
) -> Drawing:
    """An Asian range from 20:00 to midnight, and a raid of its high that begins at ``raid_hour``."""
    canvas = evening()
    begins = len(canvas)
    low, high = quiet_range(canvas, 4 * QUARTER_HOURS)
    canvas.leg_to_close(high - 0.6, round(raid_hour * QUARTER_HOURS))
    returned = _raid(canvas, low, high, beyond=beyond, back=back)
    judas = Event(type="asian_judas", direction=-1, known=returned, measure=back)
    return _raided(canvas, name, judas, begins=begins, start=start, misses=misses)


def _ranges(name: str, start: str, misses: str = "") -> Drawing:
    canvas = evening()
    begins = len(canvas)
    low, high = quiet_range(canvas, 4 * QUARTER_HOURS)
    asian = Event(
        type="asian_range", direction=0, anchor=begins, known=canvas.row, top=high, bottom=low
    )
    canvas.drift(0.02, 2 * QUARTER_HOURS)
    first = len(canvas)
    low, high = quiet_range(canvas, 3 * QUARTER_HOURS)
    london = Event(
        type="london_range", direction=0, anchor=first, known=canvas.row, top=high, bottom=low
    )
    canvas.drift(0.02, 2 * QUARTER_HOURS)
    return drawn(
        canvas,
        name,
        "session",
        [] if misses else [asian, london],
        types=("asian_range", "london_range"),
        begins=begins,
        timeframe="15m",
        start=start,
        misses=misses,
    )


def _london_raid(name: str, start: str, *, raid_hour: float = 9.0, misses: str = "") -> Drawing:
    """A wide Asian range that nothing raids, London from 02:00 to 05:00, and a raid in New York."""
    canvas = evening()
    begins = len(canvas)
    canvas.leg_to_close(canvas.price + 2.0, 5)
    canvas.leg_to_close(canvas.price - 4.0, 11)
    midnight = len(canvas)
    canvas.leg_to_close(canvas.price + 1.5, 2 * QUARTER_HOURS)
    low, high = quiet_range(canvas, 3 * QUARTER_HOURS)
    canvas.leg_to_close(high - 0.6, midnight + round(raid_hour * QUARTER_HOURS) - len(canvas))
    returned = _raid(canvas, low, high, beyond=0.5, back=0.4)
    judas = Event(type="london_judas", direction=-1, known=returned, measure=0.4)
    return _raided(canvas, name, judas, begins=begins, start=start, misses=misses)


def _raided(
    canvas: Canvas, name: str, judas: Event, *, begins: int, start: str, misses: str
) -> Drawing:
    """The drawing of a raid that came back, and went on quietly."""
    canvas.drift(0.005, 10)
    return drawn(
        canvas,
        name,
        "judas_swing",
        [] if misses else [judas],
        types=JUDAS,
        begins=begins,
        timeframe="15m",
        start=start,
        misses=misses,
    )
