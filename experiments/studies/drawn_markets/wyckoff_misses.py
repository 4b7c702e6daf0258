"""Near misses of Wyckoff's events: one rule of an event just fails, and the event is not there.

Each story is also drawn as it should be, and then holds the event.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .drawing import Drawing, Event, both_ways, drawn
from .wyckoff_story import BOTH_WAYS, BOX_TYPES, RESISTANCE, SUPPORT, Story
from .wyckoff_variants import (
    backup_story,
    climax_above_a_low_story,
    climax_story,
    first_test_story,
    held_story,
    last_point_story,
    narrow_story,
    rally_story,
    spring_story,
    spring_test_story,
    strength_story,
    support_story,
    two_closes_story,
    undercut_story,
    upthrust_that_stays_story,
    wide_test_story,
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
    for type, story in (
        ("accumulation", rally_story),
        ("", lambda: rally_story(high=107.0, bars=16)),
    ):
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
        types=BOX_TYPES,
        begins=story.begins,
        timeframe="1h",
        misses=misses,
    )


WHOLE: Final[Mapping[str, Callable[[], Story]]] = {
    "preliminary_support": support_story,
    "selling_climax": climax_story,
    "automatic_rally": rally_story,
    "secondary_test": first_test_story,
    "spring": spring_story,
    "spring_confirmed": spring_story,
    "undercut": undercut_story,
    "spring_test": spring_test_story,
    "sign_of_strength": strength_story,
    "jump_across_creek": lambda: strength_story(109.8),
    "last_point_of_support": last_point_story,
    "backup": backup_story,
}

JUST_MADE: Final[tuple[tuple[str, str, Callable[[], Story]], ...]] = (
    (
        "selling_climax",
        "its volume is 2.1 times the mean, four of a hundred are larger",
        lambda: climax_story(volume=2.1, loud_bars=4),
    ),
    (
        "selling_climax",
        "its volume is 1.9 times the mean, none of a hundred is larger",
        lambda: climax_story(volume=1.9),
    ),
    ("selling_climax", "the fall before it is 8.2 ATR", lambda: climax_story(top=108.7)),
    ("spring", "it is 0.28 of the range deep", lambda: narrow_story(0.28)),
)

MISSES: Final = (
    Miss("spring", "it is 0.31 of the range deep", lambda: narrow_story(0.31)),
    Miss(
        "preliminary_support",
        "its volume is 1.45 times the mean",
        lambda: support_story(volume=1.45),
    ),
    Miss("preliminary_support", "its range is 1.15 ATR", lambda: support_story(span=1.15)),
    Miss("preliminary_support", "it closes low, at 0.35", lambda: support_story(location=0.35)),
    Miss("preliminary_support", "the climax comes 45 bars later", lambda: support_story(bars=42)),
    Miss(
        "selling_climax",
        "its volume is 1.9 times the mean, and four of a hundred are larger",
        lambda: climax_story(volume=1.9, loud_bars=4),
    ),
    Miss("selling_climax", "the fall before it is 7.8 ATR", lambda: climax_story(top=108.2)),
    Miss("selling_climax", "its range is 1.4 ATR", lambda: climax_story(span=1.45)),
    Miss(
        "selling_climax", "it rises and closes high", lambda: climax_story(span=2.4, location=0.8)
    ),
    Miss("selling_climax", "a lower low lies ten bars back", climax_above_a_low_story),
    Miss("selling_climax", "the fall before it is 7.2 ATR", lambda: climax_story(top=107.6)),
    Miss(
        "automatic_rally", "it is 0.35 of the leg before", lambda: rally_story(high=107.0, bars=16)
    ),
    Miss("automatic_rally", "its high comes 33 bars later", lambda: rally_story(bars=33)),
    Miss(
        "secondary_test",
        "its swing has 0.73 of the volume",
        lambda: first_test_story(101.0, volume=2.2),
    ),
    Miss("secondary_test", "its low is too high", lambda: first_test_story(103.2)),
    Miss("secondary_test", "its low is 0.7 ATR under S", lambda: first_test_story(99.3)),
    Miss("secondary_test", "its bar is 1.3 ATR high", wide_test_story),
    Miss("spring", "it is 2.5 ATR deep", lambda: spring_story(depth=2.5)),
    Miss("spring", "it is 0.03 ATR deep", lambda: spring_story(depth=0.03)),
    Miss("spring", "it returns on the fourth bar after", lambda: spring_story(later=4)),
    Miss("spring_confirmed", "the third low is S", lambda: spring_story(third_low=SUPPORT)),
    Miss("undercut", "it returns on the fourth bar after", lambda: spring_story(later=4)),
    Miss(
        "spring_test", "it has 0.83 of the spring's volume", lambda: spring_test_story(volume=0.75)
    ),
    Miss("spring_test", "its low is too high", lambda: spring_test_story(102.6)),
    Miss("spring_test", "its low is under the spring's", lambda: spring_test_story(99.3)),
    Miss("spring_test", "it comes more than 25 bars later", lambda: spring_test_story(step=0.12)),
    Miss(
        "sign_of_strength", "its volume is 1.15 times the mean", lambda: strength_story(share=1.15)
    ),
    Miss("sign_of_strength", "its range is 1.15 ATR", lambda: strength_story(span=1.15)),
    Miss("sign_of_strength", "it closes at 0.52 of its range", lambda: strength_story(tail=0.65)),
    Miss("sign_of_strength", "it closes under three quarters", lambda: strength_story(106.7)),
    Miss("jump_across_creek", "it closes under Rz", lambda: strength_story(108.9)),
    Miss("last_point_of_support", "its low is under the middle", lambda: last_point_story(104.3)),
    Miss(
        "last_point_of_support",
        "it has 0.73 of the volume",
        lambda: last_point_story(105.5, volume=1.6),
    ),
    Miss("backup", "its low is one ATR above Rz", lambda: backup_story(112.0, 110.0)),
    Miss("backup", "its low is 0.9 ATR under Rz", lambda: backup_story(110.8, 108.1)),
    Miss("markup", "there are two closes above Rz", two_closes_story),
    Miss("accumulation_failure", "the close is 0.9 ATR under S", held_story),
    Miss("upthrust_action", "it returns on the fourth bar after", upthrust_that_stays_story),
)
