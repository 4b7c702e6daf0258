"""Near misses of Wyckoff's events: one rule of an event just fails, and the event is not there.

Each story is also drawn as it should be, and then holds the event.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .drawing import Drawing, Event, both_ways, drawn
from .wyckoff_story import (
    BOTH_WAYS,
    BOXES,
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
    swing,
)


@dataclass(frozen=True, slots=True)
class Miss:
    """An event that is not there: its type, the rule that fails, and the story that fails it."""

    type: str
    misses: str
    story: Callable[[], Story]


def wyckoff_misses() -> Iterator[Drawing]:
    """All of them, and the same without a slip, both ways."""
    for type, story in WHOLE.items():
        yield from both_ways(_one_type(story(), type, "nothing amiss"), BOTH_WAYS)
    for type, what, story in JUST_MADE:
        made = replace(_one_type(story(), type, what), just_made=True)
        yield from both_ways(made, BOTH_WAYS)
    for type, story in (("accumulation", _rally), ("", lambda: _rally(high=107.0, bars=16))):
        yield from both_ways(_box(story(), type), BOTH_WAYS)
    for miss in MISSES:
        yield from both_ways(
            _one_type(miss.story(), miss.type, miss.misses, missed=True), BOTH_WAYS
        )


def _one_type(story: Story, type: str, what: str, *, missed: bool = False) -> Drawing:
    return drawn(
        story.canvas,
        f"{type}: {what}",
        "wyckoff",
        [] if missed else [event for event in story.events if event.type == type],
        types=(type,),
        begins=story.begins,
        timeframe="1h",
        misses=what if missed else "",
    )


def _box(story: Story, type: str) -> Drawing:
    """The box that a rally makes, or none where the rally is too small."""
    misses = "" if type else "the rally is 0.35 of the leg before"
    box = Event(
        type=type, direction=1, known=story.box_known, top=RESISTANCE, bottom=SUPPORT, changes=None
    )
    return drawn(
        story.canvas,
        "a range of climax and rally" if type else "a climax without a rally",
        "wyckoff_range",
        [box] if type else [],
        types=tuple({*BOXES, *BOXES.values()}),
        begins=story.begins,
        timeframe="1h",
        misses=misses,
    )


def _support(
    *, volume: float = 1.8, span: float = 1.35, location: float = 0.48, bars: int = 7
) -> Story:
    story = fallen()
    row = preliminary_support(story, volume=volume, span=span, location=location, bars=bars)
    climax(story, support=row)
    automatic_rally(story)
    return story


def _climax(
    *,
    volume: float = 3.0,
    span: float = 2.0,
    location: float = 0.45,
    top: float = 120.0,
    loud_bars: int = 0,
) -> Story:
    story = fallen(top=top, loud_bars=loud_bars)
    story.canvas.leg_to_close(min(101.7, SUPPORT + span - 0.05), 9)
    climax(story, volume=volume, span=span, location=location)
    automatic_rally(story)
    swing(story, 104.0, FALLING)
    return story


def _climax_above_a_low() -> Story:
    """A quiet bar whose wick reaches lower than the climax, ten bars before it."""
    story = fallen()
    canvas = story.canvas
    canvas.bar(high=104.7, low=99.8, close=104.2, volume=0.5)
    canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story)
    return story


def _rally(*, high: float = RESISTANCE, bars: int = 20) -> Story:
    story = fallen()
    story.canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story, high=high, bars=bars)
    # Slowly down and nowhere near: no later high is the rally's.
    story.canvas.leg_to_close(story.canvas.price - 3.0, 30, FALLING)
    return story


def _first_test(low: float = 101.0, *, volume: float = FALLING) -> Story:
    story = fallen()
    story.canvas.leg_to_close(101.7, 9)
    climax(story)
    automatic_rally(story)
    secondary_test(story, low, volume=volume)
    swing(story, 106.0, RISING)
    return story


def _wide_test() -> Story:
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


def _spring(*, depth: float = 0.6, later: int = 0, third_low: float = 101.0) -> Story:
    story = accumulated()
    in_range(story)
    spring(story, depth=depth, later=later, third_low=third_low)
    swing(story, 104.0, RISING)
    return story


def _narrow(share: float) -> Story:
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


def _undercut() -> Story:
    """A break of S in phase B that is too deep for a spring, back in time."""
    story = _spring(depth=2.5)
    story.tell("undercut", story.known("spring"))
    return story


def _test(low: float = 101.0, *, volume: float = 0.3, step: float = 0.3) -> Story:
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story, low, volume=volume, step=step)
    swing(story, 105.0, RISING)
    return story


def _strength(
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


def _last_point(low: float = 105.5, *, volume: float = FALLING) -> Story:
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story)
    strength(story, 107.6)
    swing(story, 108.6, RISING)
    pullback(story, "last_point_of_support", low, volume=volume)
    swing(story, low + 3.0, RISING)
    return story


def _backup(high: float = 111.5, low: float = 109.2) -> Story:
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story)
    strength(story, 109.8)
    swing(story, high, RISING)
    pullback(story, "backup", low)
    swing(story, low + 3.0, RISING)
    return story


def _two_closes() -> Story:
    """After the last point of support two closes above Rz, and a fall."""
    story = accumulated()
    in_range(story)
    spring(story)
    spring_test(story)
    strength(story, 107.6)
    swing(story, 108.6, RISING)
    pullback(story, "last_point_of_support", 105.5)
    canvas = story.canvas
    canvas.leg_to_close(108.3, 8, RISING)
    canvas.bar(high=109.4, low=108.25, close=109.35, volume=RISING)
    canvas.bar(high=109.9, low=109.0, close=109.4, volume=RISING)
    canvas.bar(high=109.5, low=108.4, close=108.6, volume=RISING)
    canvas.leg_to_close(106.0, 10, FALLING)
    return story


def _held() -> Story:
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


def _upthrust_that_stays() -> Story:
    """A break of Rz in phase B that closes back under it four bars later."""
    story = accumulated()
    swing(story, 108.9, RISING)
    canvas = story.canvas
    for close in (109.3, 109.4, 109.35, 109.3):
        canvas.bar(high=109.5, low=min(canvas.price, close) - 0.2, close=close, volume=RISING)
    canvas.bar(high=109.4, low=108.3, close=108.4, volume=RISING)
    canvas.leg_to_close(105.0, 12, FALLING)
    return story


WHOLE: Final[Mapping[str, Callable[[], Story]]] = {
    "preliminary_support": _support,
    "selling_climax": _climax,
    "automatic_rally": _rally,
    "secondary_test": _first_test,
    "spring": _spring,
    "spring_confirmed": _spring,
    "undercut": _undercut,
    "spring_test": _test,
    "sign_of_strength": _strength,
    "jump_across_creek": lambda: _strength(109.8),
    "last_point_of_support": _last_point,
    "backup": _backup,
}
JUST_MADE: Final[tuple[tuple[str, str, Callable[[], Story]], ...]] = (
    (
        "selling_climax",
        "its volume is 2.1 times the mean, four of a hundred are larger",
        lambda: _climax(volume=2.1, loud_bars=4),
    ),
    (
        "selling_climax",
        "its volume is 1.9 times the mean, none of a hundred is larger",
        lambda: _climax(volume=1.9),
    ),
    ("selling_climax", "the fall before it is 8.2 ATR", lambda: _climax(top=108.7)),
    ("spring", "it is 0.28 of the range deep", lambda: _narrow(0.28)),
)
MISSES: Final = (
    Miss("spring", "it is 0.31 of the range deep", lambda: _narrow(0.31)),
    Miss("preliminary_support", "its volume is 1.45 times the mean", lambda: _support(volume=1.45)),
    Miss("preliminary_support", "its range is 1.15 ATR", lambda: _support(span=1.15)),
    Miss("preliminary_support", "it closes low, at 0.35", lambda: _support(location=0.35)),
    Miss("preliminary_support", "the climax comes 45 bars later", lambda: _support(bars=42)),
    Miss(
        "selling_climax",
        "its volume is 1.9 times the mean, and four of a hundred are larger",
        lambda: _climax(volume=1.9, loud_bars=4),
    ),
    Miss("selling_climax", "the fall before it is 7.8 ATR", lambda: _climax(top=108.2)),
    Miss("selling_climax", "its range is 1.4 ATR", lambda: _climax(span=1.45)),
    Miss("selling_climax", "it rises and closes high", lambda: _climax(span=2.4, location=0.8)),
    Miss("selling_climax", "a lower low lies ten bars back", _climax_above_a_low),
    Miss("selling_climax", "the fall before it is 7.2 ATR", lambda: _climax(top=107.6)),
    Miss("automatic_rally", "it is 0.35 of the leg before", lambda: _rally(high=107.0, bars=16)),
    Miss("automatic_rally", "its high comes 33 bars later", lambda: _rally(bars=33)),
    Miss(
        "secondary_test", "its swing has 0.73 of the volume", lambda: _first_test(101.0, volume=2.2)
    ),
    Miss("secondary_test", "its low is too high", lambda: _first_test(103.2)),
    Miss("secondary_test", "its low is 0.7 ATR under S", lambda: _first_test(99.3)),
    Miss("secondary_test", "its bar is 1.3 ATR high", _wide_test),
    Miss("spring", "it is 2.5 ATR deep", lambda: _spring(depth=2.5)),
    Miss("spring", "it is 0.03 ATR deep", lambda: _spring(depth=0.03)),
    Miss("spring", "it returns on the fourth bar after", lambda: _spring(later=4)),
    Miss("spring_confirmed", "the third low is S", lambda: _spring(third_low=SUPPORT)),
    Miss("undercut", "it returns on the fourth bar after", lambda: _spring(later=4)),
    Miss("spring_test", "it has 0.83 of the spring's volume", lambda: _test(volume=0.75)),
    Miss("spring_test", "its low is too high", lambda: _test(102.6)),
    Miss("spring_test", "its low is under the spring's", lambda: _test(99.3)),
    Miss("spring_test", "it comes more than 25 bars later", lambda: _test(step=0.12)),
    Miss("sign_of_strength", "its volume is 1.15 times the mean", lambda: _strength(share=1.15)),
    Miss("sign_of_strength", "its range is 1.15 ATR", lambda: _strength(span=1.15)),
    Miss("sign_of_strength", "it closes at 0.52 of its range", lambda: _strength(tail=0.65)),
    Miss("sign_of_strength", "it closes under three quarters", lambda: _strength(106.7)),
    Miss("jump_across_creek", "it closes under Rz", lambda: _strength(108.9)),
    Miss("last_point_of_support", "its low is under the middle", lambda: _last_point(104.3)),
    Miss(
        "last_point_of_support", "it has 0.73 of the volume", lambda: _last_point(105.5, volume=1.6)
    ),
    Miss("backup", "its low is one ATR above Rz", lambda: _backup(112.0, 110.0)),
    Miss("backup", "its low is 0.9 ATR under Rz", lambda: _backup(110.8, 108.1)),
    Miss("markup", "there are two closes above Rz", _two_closes),
    Miss("accumulation_failure", "the close is 0.9 ATR under S", _held),
    Miss("upthrust_action", "it returns on the fourth bar after", _upthrust_that_stays),
)
