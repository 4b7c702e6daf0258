"""The parts that every Wyckoff path is drawn from: fall, climax, rally, tests, spring, strength, backup."""

from dataclasses import dataclass, field, replace
from typing import Final

from .canvas import Canvas
from .drawing import Event
from .swings import WAIT

TOP, SUPPORT, RESISTANCE = 120.0, 100.0, 109.0
HEIGHT: Final = RESISTANCE - SUPPORT
AR_WAIT: Final = 3
"""Bars after which the high of the automatic rally is known."""
FALLING, RISING, QUIET = 0.6, 1.0, 0.3
"""Volume of ordinary swings down and up, and of a test that nobody sells into."""
MIRROR: Final = {
    "preliminary_support": "preliminary_supply",
    "selling_climax": "buying_climax",
    "automatic_rally": "automatic_reaction",
    "secondary_test": "secondary_test_of_supply",
    "upthrust_action": "minor_sign_of_weakness",
    "undercut": "upthrust",
    "spring": "upthrust_after_distribution",
    "spring_confirmed": "upthrust_confirmed",
    "spring_test": "upthrust_test",
    "sign_of_strength": "sign_of_weakness",
    "jump_across_creek": "fall_through_ice",
    "last_point_of_support": "last_point_of_supply",
    "backup": "backup_to_ice",
    "markup": "markdown",
    "accumulation_failure": "distribution_failure",
}
BOXES: Final = {
    "accumulation": "distribution",
    "reaccumulation": "redistribution",
}
BOTH_WAYS: Final = {
    **MIRROR,
    **{down: up for up, down in MIRROR.items()},
    **BOXES,
    **{down: up for up, down in BOXES.items()},
}
BOX_TYPES: Final = (*BOXES, *BOXES.values())
TYPES: Final = tuple(name for name in BOTH_WAYS if name not in BOX_TYPES)


@dataclass(slots=True)
class Story:
    """A canvas, the events told so far, and the rows on which phases begin in the range.

    ``other_phases`` are those of its second reading: a range after a fall that is left downwards.
    """

    canvas: Canvas
    events: list[Event] = field(default_factory=list)
    phases: list[tuple[str, int]] = field(default_factory=list)
    other_phases: list[tuple[str, int]] = field(default_factory=list)
    box_known: int = -1
    begins: int = 0
    turned: bool = False

    def tell(
        self,
        type: str,
        known: int,
        anchor: int | None = None,
        direction: int = 1,
        measure: float | None = None,
    ) -> None:
        """Expect an event of ``type``, or its mirror image while the range is upside down."""
        self.events.append(
            Event(
                type=BOTH_WAYS[type] if self.turned else type,
                direction=-direction if self.turned else direction,
                known=known,
                anchor=anchor,
                measure=measure,
                changes=None,
            )
        )

    def enter(self, state: str, row: int) -> None:
        """Expect the range to enter a phase; upside down, its second reading."""
        (self.other_phases if self.turned else self.phases).append((state, row))

    def turn_over(self) -> None:
        """Go on with the range upside down: Rz takes the place of S."""
        self.canvas.turn_over((SUPPORT + RESISTANCE) / 2.0)
        self.turned = not self.turned

    def known(self, type: str) -> int:
        """The row on which the last event of ``type`` became known."""
        return next(event.known for event in reversed(self.events) if event.type == type)


def fallen(*, top: float = TOP, loud_bars: int = 0) -> Story:
    """A slow rise to ``top`` and a fall to 104.5 on even volume; ``loud_bars`` before the top."""
    canvas = Canvas(top - 8.0)
    canvas.drift(0.02, 150)
    for _ in range(loud_bars):
        canvas.drift(0.02, 1, volume=2.5)
    canvas.leg(top, 14)
    bars = round((canvas.price - 104.5) / 0.35)
    canvas.leg_to_close(104.5, bars)
    return Story(canvas, begins=len(canvas))


def preliminary_support(
    story: Story, *, volume: float = 1.8, span: float = 1.35, location: float = 0.48, bars: int = 7
) -> int:
    """A bar of volume at a new low that holds, a pause of two bars and ``bars`` of the rest of the fall.

    ``location`` is where it closes within its range.
    """
    canvas = story.canvas
    low = 104.6 - span
    row = canvas.bar(high=104.6, low=low, close=low + location * span, volume=volume)
    canvas.drift(0.1, 2)
    canvas.leg_to_close(101.7, bars)
    return row


def climax(
    story: Story,
    *,
    volume: float = 3.0,
    span: float = 2.0,
    location: float = 0.45,
    support: int | None = None,
) -> int:
    """The selling climax: a wide bar of ``volume`` down to S, closing off its low; its row."""
    canvas = story.canvas
    high = max(canvas.price, SUPPORT + span)
    row = canvas.bar(high=high, low=SUPPORT, close=SUPPORT + location * span, volume=volume)
    if support is not None:
        story.tell("preliminary_support", row, support)
    story.tell("selling_climax", row, row)
    return row


def automatic_rally(story: Story, *, high: float = RESISTANCE, bars: int = 20) -> int:
    """The rally to Rz, known three bars after its high: the climax is confirmed, the box known with it."""
    row = story.canvas.leg(high, bars, RISING)
    known = row + AR_WAIT
    story.events = [
        replace(event, changes=(("confirmed", known),)) if event.type == "selling_climax" else event
        for event in story.events
    ]
    story.tell("automatic_rally", known, row)
    story.box_known = known
    return row


def secondary_test(story: Story, low: float = 101.0, *, volume: float = FALLING) -> int:
    """A quiet low near S, known five bars later; the first one ends phase A."""
    row = swing(story, low, volume)
    story.tell("secondary_test", row + WAIT, row)
    if not story.phases:
        story.enter("phase_b", row + WAIT)
    return row


def swing(story: Story, extreme: float, volume: float, step: float = 0.4) -> int:
    """A leg to ``extreme``; the row of its end."""
    far = abs(extreme - story.canvas.price)
    return story.canvas.leg(extreme, max(7, round(far / step)), volume)


def accumulated(*, support: bool = True) -> Story:
    """Everything of phase A: (PS), SC, AR and ST."""
    story = fallen()
    row = preliminary_support(story) if support else None
    if row is None:
        story.canvas.leg_to_close(101.7, 9)
    climax(story, support=row)
    automatic_rally(story)
    secondary_test(story)
    return story


def in_range(story: Story) -> None:
    """Phase B inside the range: up, a second test, up, and down to just above S."""
    swing(story, 107.0, RISING)
    secondary_test(story, 101.5)
    swing(story, 106.5, RISING)
    story.canvas.leg_to_close(100.7, 14, FALLING)


def spring(
    story: Story,
    *,
    depth: float = 0.6,
    later: int = 0,
    volume: float = 0.9,
    third_low: float = 101.0,
    told: bool = True,
) -> int:
    """A break of S by ``depth`` and the first close back above it ``later`` bars after; its row.

    The bar is 1.35 points high: 1.5 ATR would make another climax of it.
    """
    canvas = story.canvas
    low = SUPPORT - depth
    if later == 0:
        row = canvas.bar(high=100.75, low=low, close=100.4, volume=volume)
    else:
        canvas.bar(high=100.75, low=low, close=SUPPORT - depth / 2.0, volume=FALLING)
        for _ in range(later - 1):
            canvas.bar(high=100.4, low=low + 0.1, close=SUPPORT - depth / 2.0, volume=FALLING)
        row = canvas.bar(high=100.75, low=low + 0.2, close=100.4, volume=FALLING)
    for close, bottom in ((100.7, 100.2), (101.1, 100.6), (101.5, third_low)):
        canvas.bar(high=close + 0.5, low=bottom, close=close, volume=RISING)
    if told:
        # Of what type it is follows from its volume, over the mean of the twenty bars before.
        before = sum(canvas.volume(one) for one in range(row - 20, row)) / 20.0
        story.tell("spring", row, measure=None if later else volume / before)
        story.tell("spring_confirmed", row + 3)
        story.enter("phase_c", row)
    return row


def spring_test(
    story: Story, low: float = 101.0, *, volume: float = QUIET, step: float = 0.3, told: bool = True
) -> int:
    """A rise, and a low above the spring's on less than three quarters of its volume."""
    swing(story, 104.0, RISING)
    row = swing(story, low, volume, step)
    if told:
        story.tell("spring_test", row + WAIT, row)
    return row


def strength(
    story: Story,
    close: float,
    *,
    span: float = 1.35,
    volume: float = 2.2,
    tail: float = 0.1,
    phase: bool = True,
    told: bool = True,
) -> int:
    """A sign of strength that ends at ``close``: a wide bar of volume that closes near its high.

    It is 1.35 ATR high: 1.5 would make a buying climax of it.
    """
    canvas = story.canvas
    begin = close - span + tail + 0.1
    canvas.leg_to_close(begin, max(1, round((begin - canvas.price) / 0.4)), RISING)
    row = canvas.bar(high=close + tail, low=close + tail - span, close=close, volume=volume)
    if told:
        story.tell("sign_of_strength", row, row)
        if close > RESISTANCE:
            story.tell("jump_across_creek", row, row)
        if phase:
            story.enter("phase_d", row)
    return row


def strengthened(close: float) -> Story:
    """An accumulation as far as its sign of strength, which ends at ``close``."""
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story)
    strength(story, close)
    return story


def pullback(story: Story, type: str, low: float, *, volume: float = FALLING) -> int:
    """A quiet reaction that ends at ``low``: the last point of support or the backup."""
    row = swing(story, low, volume, step=0.3)
    story.tell(type, row + WAIT, row)
    return row


def rise_through(story: Story) -> None:
    """A rise under Rz, and one bar through it: none passes Rz and closes back below."""
    canvas = story.canvas
    canvas.leg_to_close(108.3, max(1, round((108.3 - canvas.price) / 0.3)), RISING)
    canvas.bar(high=109.4, low=108.25, close=109.35, volume=RISING)


def markup(story: Story, from_row: int) -> int:
    """A slow rise until the third close above Rz counted from ``from_row``; its row."""
    canvas = story.canvas
    while sum(canvas.close(row) > RESISTANCE for row in range(from_row, len(canvas))) < 3:
        canvas.drift(0.3, 1, RISING)
    closes = [row for row in range(from_row, len(canvas)) if canvas.close(row) > RESISTANCE]
    story.tell("markup", closes[2])
    story.enter("phase_e", closes[2])
    canvas.drift(0.2, 4, RISING)
    return closes[2]
