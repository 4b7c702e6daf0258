"""Wyckoff's textbook paths and what just fails them; mirrored, distribution and redistribution."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .drawing import Drawing, Event, both_ways, drawn
from .swings import WAIT
from .wyckoff_story import (
    BOTH_WAYS,
    BOX_TYPES,
    FALLING,
    RESISTANCE,
    RISING,
    SUPPORT,
    TYPES,
    Story,
    accumulated,
    in_range,
    markup,
    pullback,
    rise_through,
    secondary_test,
    spring,
    spring_test,
    strength,
    strengthened,
    swing,
)

PHASES: Final = ("phase_a", "phase_b", "phase_c", "phase_d", "phase_e", "failed", "ended")

LONGEST: Final = 400
"""Bars that a range may last."""


def wyckoff_drawings() -> Iterator[Drawing]:
    """The paths, each as events and as the phases of its range."""
    for name, story in _paths():
        yield from both_ways(_events(name, story), BOTH_WAYS)
        yield from both_ways(_box(name, story), BOTH_WAYS)


def _events(name: str, story: Story) -> Drawing:
    return drawn(
        story.canvas,
        name,
        "wyckoff",
        sorted(story.events, key=lambda event: event.known),
        types=TYPES,
        begins=story.begins,
        timeframe="1h",
    )


def _box(name: str, story: Story) -> Drawing:
    box = Event(
        type="accumulation",
        direction=1,
        known=story.box_known,
        top=RESISTANCE,
        bottom=SUPPORT,
        changes=(("phase_a", story.box_known), *story.phases),
    )
    boxes = [box]
    if story.other_phases:
        # The second reading is known when it enters phase C or D.
        boxes.append(
            replace(
                box,
                type="redistribution",
                direction=-1,
                known=story.other_phases[0][1],
                changes=tuple(story.other_phases),
            )
        )
    return drawn(
        story.canvas,
        name,
        "wyckoff_range",
        boxes,
        types=BOX_TYPES,
        begins=story.begins,
        states=PHASES,
        timeframe="1h",
    )


def _paths() -> Iterator[tuple[str, Story]]:
    for number, volume in ((1, 2.0), (2, 0.9), (3, 0.45)):
        yield f"accumulation with a spring of type {number}", _with_spring(volume=volume)
    yield "accumulation with a spring of three bars", _with_spring(later=3)
    yield "accumulation without preliminary support", _with_spring(support=False)
    yield "accumulation with a backup to the creek", _with_backup()
    yield "accumulation without a spring", _without_spring()
    yield "accumulation with an upthrust in the range", _with_upthrust()
    yield "redistribution", _redistribution()
    yield "a range that is never left", _never_left()
    yield "accumulation that fails quietly", _failed(volume=FALLING)
    yield "accumulation that fails on volume", _failed(volume=3.0)


def _with_spring(*, volume: float = 0.9, later: int = 0, support: bool = True) -> Story:
    """Spring, test, SOS, LPS and markup."""
    story = accumulated(support=support)
    in_range(story)
    spring(story, volume=volume, later=later)
    spring_test(story, volume=0.3)
    strength(story, 107.6)
    _support_and_markup(story)
    return story


def _support_and_markup(story: Story) -> int:
    """The last point of support under Rz, and a slow rise through Rz; the row of the high before."""
    high = swing(story, 108.6, RISING)
    row = pullback(story, "last_point_of_support", 105.5)
    rise_through(story)
    markup(story, row + WAIT)
    return high


def _with_backup() -> Story:
    """Spring, test, a jump across the creek, the backup to it, and markup."""
    story = strengthened(109.8)
    swing(story, 111.5, RISING)
    row = pullback(story, "backup", 109.2)
    # It holds above the middle of the range on little volume: the last point of support as well.
    story.tell("last_point_of_support", row + WAIT, row)
    story.canvas.drift(0.3, WAIT, RISING)
    markup(story, row + WAIT)
    return story


def _without_spring() -> Story:
    """The range is left upwards from phase B."""
    story = accumulated()
    swing(story, 106.0, RISING)
    secondary_test(story, 101.5)
    strength(story, 107.6)
    _support_and_markup(story)
    return story


def _with_upthrust() -> Story:
    """A high above Rz in phase B that closes back below it one bar later."""
    story = accumulated()
    swing(story, 108.9, RISING)
    canvas = story.canvas
    canvas.bar(high=109.5, low=108.25, close=109.3)
    row = canvas.bar(high=109.4, low=108.3, close=108.4)
    story.tell("upthrust_action", row, direction=-1)
    secondary_test(story, 101.5)
    swing(story, 106.5, RISING)
    canvas.leg_to_close(100.7, 14, FALLING)
    spring(story)
    spring_test(story)
    strength(story, 107.6)
    _support_and_markup(story)
    return story


def _redistribution() -> Story:
    """A range after a fall that is left downwards: an upthrust, its test, SOW, LPSY and markdown.

    The range is an accumulation until it fails, so that its own rules speak as well: the same break of
    Rz is an upthrust of phase B, the low before the LPSY a secondary test, and the markdown its failure.
    """
    story = accumulated()
    story.turn_over()
    # A quiet high near Rz, which a range that is left downwards needs, and a low in the middle.
    swing(story, 101.5, FALLING)
    swing(story, 105.5, RISING)
    story.canvas.leg_to_close(100.7, 12, FALLING)
    upthrust = spring(story)
    spring_test(story)
    strength(story, 107.6)
    low = _support_and_markup(story)
    story.turn_over()
    canvas = story.canvas
    atr = canvas.atr(20)
    failed = canvas.first(low, lambda row: canvas.close(row) < SUPPORT - atr[row])
    story.tell("upthrust_action", upthrust, direction=-1)
    story.tell("secondary_test", low + WAIT, low)
    story.tell("accumulation_failure", failed, direction=-1)
    story.enter("failed", failed)
    return story


def _never_left() -> Story:
    """A range that swings about its middle: it is over when it is older than 400 bars."""
    story = accumulated()
    while len(story.canvas) <= story.known("selling_climax") + LONGEST + 10:
        swing(story, 107.0, RISING)
        swing(story, 103.5, RISING)
    story.enter("ended", story.known("selling_climax") + LONGEST + 1)
    return story


def _failed(*, volume: float) -> Story:
    """A close more than one ATR under S; on volume it is a sign of weakness as well."""
    story = accumulated()
    in_range(story)
    canvas = story.canvas
    # Narrow bars: a wide one would be a climax, and a sign of weakness by itself.
    canvas.bar(high=100.75, low=99.6, close=99.7, volume=FALLING)
    row = canvas.bar(high=99.75, low=SUPPORT - 1.35, close=SUPPORT - 1.25, volume=volume)
    story.tell("accumulation_failure", row, direction=-1)
    if volume >= 1.5:
        story.tell("sign_of_weakness", row, direction=-1)
    story.enter("failed", row)
    canvas.drift(-0.1, 4)
    return story
