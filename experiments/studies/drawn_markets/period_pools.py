"""Pools at the highs and lows of days, weeks and sessions, breached and won back in time or not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .pools import RETURNS, Return, breach
from .sessions import QUARTER_HOURS, SEASONS, evening, quiet_range

STATES: Final = ("swept", "broken", "replaced")
MONDAY: Final = "2024-01-01T00:00"
TUESDAY: Final = "2024-01-09T00:00"


def period_pool_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for back in RETURNS:
        yield from both_ways(_pools_of_days(back))
        yield from both_ways(_pools_of_a_week(back))
        for season in SEASONS:
            yield from both_ways(_pools_of_an_asian_range(season, back))
            yield from both_ways(_pools_of_london(season, back))


def _pools(
    canvas: Canvas,
    name: str,
    expected: list[Event],
    begins: int,
    *,
    timeframe: str,
    start: str,
    back: Return,
) -> Drawing:
    drawing = drawn(
        canvas,
        f"{name}, {back.name}",
        "liquidity_pool",
        expected,
        types=(expected[0].type,),
        begins=begins,
        states=STATES,
        timeframe=timeframe,
        start=start,
        misses=back.misses,
    )
    return replace(drawing, just_made=back.just_made)


def _high_and_low(canvas: Canvas, begin: int, type: str) -> tuple[Event, Event]:
    """The pools of the rows from ``begin`` to the last one drawn, with which they become known."""
    rows = range(begin, len(canvas))
    high = max(canvas.high(row) for row in rows)
    low = min(canvas.low(row) for row in rows)
    return (
        Event(type=type, direction=-1, known=canvas.row, top=high, bottom=high),
        Event(type=type, direction=1, known=canvas.row, top=low, bottom=low),
    )


def _breached(canvas: Canvas, begin: int, low: Event, back: Return) -> Event:
    """A fall to ``low``, the pool of the rows from ``begin``, and the breach of it."""
    level = min(canvas.low(row) for row in range(begin, low.known + 1))
    canvas.leg_to_close(level + 0.7, 14)
    return replace(low, changes=back.life(*breach(canvas, level, back)))


def _pools_of_days(back: Return) -> Drawing:
    """A quiet day and two drawn ones, of 96 bars each; the low of the second is breached on the third."""
    canvas = Canvas(100.0)
    begins = canvas.drift(0.002, 96) + 1
    canvas.drift(0.05, 40)
    canvas.leg_to_close(97.0, 40)
    canvas.leg_to_close(99.0, 16)
    high, low = _high_and_low(canvas, begins, "day_pool")
    begin = len(canvas)
    low = _breached(canvas, begins, low, back)
    canvas.leg_to_close(99.0, 30)
    canvas.drift(0.02, begin + 96 - len(canvas))
    later = _high_and_low(canvas, begin, "day_pool")
    # What the day left alone gives way to the pools of the next one.
    replaced = (("replaced", canvas.row),)
    high = replace(high, changes=replaced)
    low = replace(low, changes=low.changes or replaced)
    canvas.drift(-0.02, 8)
    return _pools(
        canvas,
        "pools of days",
        [high, low, *later],
        begins,
        timeframe="15m",
        start=TUESDAY,
        back=back,
    )


def _pools_of_a_week(back: Return) -> Drawing:
    """A quiet week and a drawn one, of 168 bars each; its low is breached in the week after."""
    canvas = Canvas(100.0)
    begins = canvas.drift(0.002, 168) + 1
    canvas.drift(0.05, 80)
    canvas.leg_to_close(97.0, 60)
    canvas.leg_to_close(99.0, 28)
    high, low = _high_and_low(canvas, begins, "week_pool")
    low = _breached(canvas, begins, low, back)
    canvas.drift(0.02, 20)
    return _pools(
        canvas, "pools of a week", [high, low], begins, timeframe="1h", start=MONDAY, back=back
    )


def _pools_of_london(season: str, back: Return) -> Drawing:
    """London's range in winter or summer, its low breached in the hours after."""
    canvas = evening()
    canvas.drift(0.02, 6 * QUARTER_HOURS)
    return _pools_of_a_range(canvas, "London", 3, "london_pool", season, back)


def _pools_of_an_asian_range(season: str, back: Return) -> Drawing:
    """The Asian range in winter or summer, its low breached before the next range is over."""
    return _pools_of_a_range(evening(), "an Asian range", 4, "asian_pool", season, back)


def _pools_of_a_range(
    canvas: Canvas, name: str, hours: int, pool: str, season: str, back: Return
) -> Drawing:
    """A quiet range of ``hours`` on 15m bars, and its low breached behind it."""
    begins = len(canvas)
    quiet_range(canvas, hours * QUARTER_HOURS)
    high, low = _high_and_low(canvas, begins, pool)
    low = _breached(canvas, begins, low, back)
    canvas.drift(0.02, 10)
    return _pools(
        canvas,
        f"pools of {name} in {season}",
        [high, low],
        begins,
        timeframe="15m",
        start=SEASONS[season],
        back=back,
    )
