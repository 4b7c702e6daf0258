"""A story for each of Wyckoff's events, with the numbers that decide whether the event is there."""

from .wyckoff_story import (
    FALLING,
    RESISTANCE,
    RISING,
    SUPPORT,
    Story,
    accumulated,
    automatic_rally,
    climax,
    fallen,
    in_range,
    preliminary_support,
    pullback,
    secondary_test,
    spring,
    spring_test,
    strength,
    strengthened,
    swing,
)


def support_story(
    *, volume: float = 1.8, span: float = 1.35, location: float = 0.48, bars: int = 7
) -> Story:
    """Preliminary support ``bars`` before a climax."""
    story = fallen()
    row = preliminary_support(story, volume=volume, span=span, location=location, bars=bars)
    climax(story, support=row)
    automatic_rally(story)
    return story


def climax_story(
    *,
    volume: float = 3.0,
    span: float = 2.0,
    location: float = 0.45,
    top: float = 120.0,
    loud_bars: int = 0,
) -> Story:
    """A fall from ``top``, with ``loud_bars`` of more volume than the climax that ends it."""
    story = fallen(top=top, loud_bars=loud_bars)
    story.canvas.leg_to_close(min(101.7, SUPPORT + span - 0.05), 9)
    climax(story, volume=volume, span=span, location=location)
    automatic_rally(story)
    swing(story, 104.0, FALLING)
    return story


def climax_above_a_low_story() -> Story:
    """A quiet bar whose wick reaches lower than the climax, ten bars before it."""
    story = fallen()
    canvas = story.canvas
    canvas.bar(high=104.7, low=99.8, close=104.2, volume=0.5)
    canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story)
    return story


def rally_story(*, high: float = RESISTANCE, bars: int = 20) -> Story:
    """A climax, and the rally to ``high`` that takes ``bars``."""
    story = fallen()
    story.canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story, high=high, bars=bars)
    # Slowly down and nowhere near: no later high is the rally's.
    story.canvas.leg_to_close(story.canvas.price - 3.0, 30, FALLING)
    return story


def first_test_story(low: float = 101.0, *, volume: float = FALLING) -> Story:
    """The first secondary test, which ends at ``low``."""
    story = fallen()
    story.canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story)
    secondary_test(story, low, volume=volume)
    swing(story, 106.0, RISING)
    return story


def wide_test_story() -> Story:
    """The bar of the low is 1.3 points high."""
    story = fallen()
    canvas = story.canvas
    canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story)
    canvas.leg_to_close(101.9, 18, FALLING)
    canvas.bar(high=102.3, low=101.0, close=101.7, volume=FALLING)
    swing(story, 106.0, RISING)
    return story


def spring_story(*, depth: float = 0.6, later: int = 0, third_low: float = 101.0) -> Story:
    """A spring ``depth`` under S, back above it ``later`` bars after."""
    story = accumulated()
    in_range(story)
    spring(story, depth=depth, later=later, third_low=third_low)
    swing(story, 104.0, RISING)
    return story


def narrow_story(share: float) -> Story:
    """A range of five ATR, whose third is less than two ATR, and a spring of ``share`` of it."""
    story = fallen(top=112.0)
    story.canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story, high=105.0, bars=12)
    secondary_test(story)
    swing(story, 104.0, RISING)
    story.canvas.leg_to_close(100.7, 8, FALLING)
    spring(story, depth=5.0 * share)
    swing(story, 104.0, RISING)
    return story


def undercut_story() -> Story:
    """A break of S in phase B that is too deep for a spring, back in time."""
    story = spring_story(depth=2.5)
    story.tell("undercut", story.known("spring"))
    return story


def spring_test_story(low: float = 101.0, *, volume: float = 0.3, step: float = 0.3) -> Story:
    """A spring, and its test at ``low``."""
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story, low, volume=volume, step=step)
    swing(story, 105.0, RISING)
    return story


def strength_story(
    close: float = 107.6, *, span: float = 1.35, share: float = 2.5, tail: float = 0.1
) -> Story:
    """A sign of strength on ``share`` times the mean volume of twenty bars."""
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story)
    canvas = story.canvas
    # Twenty bars of one volume, up to the open of the bar itself.
    canvas.leg_to_close(close - span + tail - 0.1, 19, RISING)
    strength(story, close, span=span, volume=share * RISING, tail=tail)
    canvas.drift(0.02, 6, RISING)
    return story


def last_point_story(low: float = 105.5, *, volume: float = FALLING) -> Story:
    """A sign of strength, and the reaction to ``low`` behind it."""
    story = strengthened(107.6)
    swing(story, 108.6, RISING)
    pullback(story, "last_point_of_support", low, volume=volume)
    swing(story, low + 3.0, RISING)
    return story


def backup_story(high: float = 111.5, low: float = 109.2) -> Story:
    """A jump to ``high``, and the backup to ``low``."""
    story = strengthened(109.8)
    swing(story, high, RISING)
    pullback(story, "backup", low)
    swing(story, low + 3.0, RISING)
    return story


def two_closes_story() -> Story:
    """After the last point of support two closes above Rz, and a fall."""
    story = strengthened(107.6)
    swing(story, 108.6, RISING)
    pullback(story, "last_point_of_support", 105.5)
    canvas = story.canvas
    canvas.leg_to_close(108.3, 8, RISING)
    canvas.bar(high=109.4, low=108.25, close=109.35, volume=RISING)
    canvas.bar(high=109.9, low=109.0, close=109.4, volume=RISING)
    canvas.bar(high=109.5, low=108.4, close=108.6, volume=RISING)
    canvas.leg_to_close(106.0, 10, FALLING)
    return story


def held_story() -> Story:
    """A close 0.9 points under S, and a slow return."""
    story = accumulated()
    in_range(story)
    canvas = story.canvas
    canvas.bar(high=100.75, low=99.6, close=99.7, volume=FALLING)
    canvas.bar(high=99.75, low=99.0, close=99.1, volume=FALLING)
    for _ in range(4):
        canvas.bar(high=99.6, low=99.0, close=99.3, volume=FALLING)
    canvas.leg_to_close(SUPPORT + 2.0, 10, RISING)
    return story


def upthrust_that_stays_story() -> Story:
    """A break of Rz in phase B that closes back under it four bars later."""
    story = accumulated()
    swing(story, 108.9, RISING)
    canvas = story.canvas
    for close in (109.3, 109.4, 109.35, 109.3):
        canvas.bar(high=109.5, low=min(canvas.price, close) - 0.2, close=close, volume=RISING)
    canvas.bar(high=109.4, low=108.3, close=108.4, volume=RISING)
    canvas.leg_to_close(105.0, 12, FALLING)
    return story
