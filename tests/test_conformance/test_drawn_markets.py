"""Markets drawn from the definitions: the detectors find what was drawn, nothing in near misses, and less
under noise."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from experiments.studies.drawn_markets import Drawing, Event, drawings
from experiments.studies.drawn_markets.noise import noisy
from experiments.studies.drawn_markets.page import page
from experiments.studies.drawn_markets.recall import Tally, false_alarms, recall, tallies, together
from indicators import DETECTORS

DRAWN = tuple(drawings())
NAMES = [f"{drawing.detector}: {drawing.name}" for drawing in DRAWN]


@pytest.mark.parametrize("drawing", DRAWN, ids=NAMES)
def test_exactly_the_drawn_events_are_found(drawing: Drawing) -> None:
    assert drawing.differences() == []


# The text does not say how much less volume makes a wave a shrinking one.
UNDRAWN = {("weis_wave", "shrinking")}


def test_every_type_of_every_detector_is_drawn() -> None:
    drawn = {(drawing.detector, event.type) for drawing in DRAWN for event in drawing.expected}
    listed = {(detector.name, one.name) for detector in DETECTORS for one in detector.types}
    assert listed - drawn == UNDRAWN


def test_names_tell_the_drawings_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


def _one(detector: str) -> Drawing:
    return next(one for one in DRAWN if one.detector == detector and one.expected)


@pytest.mark.parametrize("detector", ["pivot", "structure", "chart_pattern", "wyckoff"])
def test_a_drawing_bites(detector: str) -> None:
    drawing = _one(detector)
    first, *others = drawing.expected
    later = replace(drawing, expected=(replace(first, known=first.known + 1), *others))
    assert len(later.differences()) == 2
    fewer = replace(drawing, expected=tuple(others))
    assert [line.split(":")[0] for line in fewer.differences()] == ["found and not expected"]
    other_side = replace(drawing, expected=(replace(first, direction=-first.direction), *others))
    assert len(other_side.differences()) == (2 if first.direction else 0)


def test_a_life_and_an_edge_are_compared() -> None:
    drawing = next(one for one in DRAWN if one.name == "the life of a gap")
    gap = drawing.expected[0]
    assert gap.changes is not None
    assert gap.top is not None
    for wrong in (replace(gap, changes=gap.changes[:-1]), replace(gap, top=gap.top + 1e-6)):
        assert len(replace(drawing, expected=(wrong,)).differences()) == 2
    left_open = replace(gap, changes=None, top=None, bottom=None, anchor=None)
    assert replace(drawing, expected=(left_open,)).differences() == []


def test_a_mirrored_drawing_is_upside_down() -> None:
    drawing = next(one for one in DRAWN if one.name == "a double top")
    mirrored = next(one for one in DRAWN if one.name == "a double top, mirrored")
    middle = 2.0 * drawing.columns["open"][0]
    np.testing.assert_array_equal(mirrored.columns["high"], middle - drawing.columns["low"])
    assert [event.type for event in mirrored.expected] == ["double_bottom"]
    assert [event.direction for event in mirrored.expected] == [1]


def test_noise_is_repeatable_and_still_makes_bars() -> None:
    drawing = _one("wyckoff")
    assert noisy(drawing, 0.0, 1) is drawing
    once, again, other = (noisy(drawing, 0.4, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once.columns["close"], again.columns["close"])
    assert (once.columns["close"] != other.columns["close"]).all()
    # Bars refuses what is no bar.
    assert len(noisy(drawing, 0.8, 1).bars()) == len(drawing.bars())


def test_an_event_answers_once_and_the_nearest_wins() -> None:
    expected = (
        Event(type="spring", direction=1, known=10),
        Event(type="spring", direction=1, known=12, changes=(("touched", 20),)),
    )
    drawing = replace(_one("wyckoff"), expected=expected)
    near = Event(type="spring", direction=1, known=11, changes=(("touched", 26),))
    assert list(tallies(drawing, [near])) == [
        ("spring", Tally(1, 1)),
        ("spring", Tally(0, 1)),
        ("spring: touched", Tally(0, 1)),
    ]
    wrong_side = replace(near, direction=-1)
    too_late = replace(near, known=18)
    assert [tally.found for _name, tally in tallies(drawing, [wrong_side, too_late])] == [0, 0, 0]


def test_recall_begins_at_all_and_falls_with_noise() -> None:
    levels = (0.0, 0.1, 0.4, 0.8)
    whole = [drawing for drawing in DRAWN if not drawing.just_made]
    curve = recall(whole, levels, seeds=(0, 1))
    assert {name for name, line in curve.items() if line[0].share < 1.0} == set()
    shares = [tally.share for tally in together(curve.values())]
    assert all(later < earlier for earlier, later in itertools.pairwise(shares))
    assert 0.85 < shares[1] < 0.98
    assert shares[3] < 0.4
    alarms = together(false_alarms(whole, levels[:2], seeds=(0, 1)).values())
    assert alarms[0].found == 0
    assert 0.0 < alarms[1].share < 0.4


def test_the_page_shows_a_line_for_each_event_and_for_each_side_of_the_border() -> None:
    text = page([one for one in DRAWN if one.detector == "fair_value_gap"])
    assert "\n| fair_value_gap | fair_value_gap: inverted | 6 | 100% |" in text
    assert "\n| fair_value_gap | inside: found | 6 | 100% |" in text
    assert "\n| fair_value_gap | outside: found | 8 | 0% |" in text
