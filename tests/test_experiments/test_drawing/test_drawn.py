"""What stands where: markers at the bar that made them known, zones that change and end."""

import numpy as np
import pytest

from engine import ConfigError, Market
from experiments.drawing.drawn import DrawnEvent, drawn_events
from experiments.drawing.labels import LINE, PLOT_HEIGHT, Wanted, _name_box, placed
from experiments.drawing.shapes import highs, ratio_lines
from experiments.drawing.window import DEFAULT_BARS, MAX_BARS, Window, window_of
from experiments.drawing.words import event_lines
from experiments.events.found import HeadEvents, as_known_at, events_on
from strategies import Head

from .conftest import HOUR_NS, START_NS, market_of

HOUR_MS = HOUR_NS / 1e6
START_MS = START_NS / 1e6


def at(row: float) -> float:
    """Where a row stands."""
    return START_MS + row * HOUR_MS


def whole(market: Market) -> Window:
    return window_of(market.bars, None, None)


@pytest.fixture(scope="module")
def drawn(market: Market, found: list[HeadEvents]) -> list[DrawnEvent]:
    return drawn_events(found[0], whole(market), "toy")


def test_every_event_stands_at_the_bar_that_made_it_known(drawn: list[DrawnEvent]):
    assert [one.known_x for one in drawn] == [at(row) for row in (8, 15, 22, 30, 42, 59)]
    assert [one.anchor_x for one in drawn] == [at(row) for row in (5, 12, 20, 18, 40, 58)]
    assert all(one.is_marked for one in drawn)
    prices = [103.0, 110.0, np.nan, 100.0, 106.0, np.nan]
    assert np.array_equal([one.price for one in drawn], prices, equal_nan=True)


def test_a_zone_changes_its_look_with_its_state_and_ends(drawn: list[DrawnEvent]):
    first, later = drawn[0], drawn[4]
    assert [(one.start, one.end, one.look) for one in first.life] == [
        (at(8), at(14), "fresh"),
        (at(14), at(20), "touched"),
        (at(20), at(26), "spent"),
        (at(26), at(34), "flipped"),
    ]
    assert [one.x for one in first.changes] == [at(row) for row in (14, 20, 26, 34)]
    assert [(one.start, one.end, one.look) for one in later.life] == [
        (at(42), at(50), "fresh"),
        (at(50), at(59.5), "touched"),
    ]


def test_the_window_limits_what_is_drawn_and_nothing_from_behind_it_is(market: Market, head: Head):
    window = window_of(market.bars, START_NS + 16 * HOUR_NS, START_NS + 30 * HOUR_NS)
    assert (window.first, window.stop, len(window)) == (16, 30, 14)
    [found] = events_on(market, "TOY", [head], end_ns=window.end_ns)
    drawn = drawn_events(found, window, "toy")
    # The level of row 15 has no end, the zone of row 8 is open; the shape of row 30 is not known yet.
    assert [(one.type_name, one.is_marked) for one in drawn] == [
        ("zone", False),
        ("level", False),
        ("bare", True),
    ]
    assert [(one.start, one.end, one.look) for one in drawn[0].life] == [
        (at(15.5), at(20), "touched"),
        (at(20), at(26), "spent"),
        (at(26), at(29.5), "flipped"),
    ]
    assert "removed" not in drawn[0].text
    assert "turned 2021-03-02 03:00" in drawn[0].text


def test_the_end_of_the_data_and_the_end_of_the_window_show_the_same(market: Market, head: Head):
    """A page that ends at a bar is the page of a market that ends there."""
    for rows in range(9, 60, 7):
        short = market_of(60).prefix(rows)
        window = window_of(market.bars, None, int(market.bars.close_time[rows - 1]))
        [found] = events_on(market, "TOY", [head], end_ns=window.end_ns)
        [cut] = events_on(short, "TOY", [head])
        expected = drawn_events(cut, window_of(short.bars, None, None), "toy")
        assert repr(drawn_events(found, window, "toy")) == repr(expected)


def test_the_story_of_an_event_says_when_it_was_known_and_what_became_of_it(
    drawn: list[DrawnEvent],
):
    assert drawn[0].text.split("\n") == [
        "zone (toy)",
        "a zone",
        "argues for a rise",
        "bar of 2021-03-01 05:00",
        "known 2021-03-01 09:00, 3 bars later",
        "zone 102 to 104",
        "0.5 marks",
        "touched 2021-03-01 15:00",
        "filled 2021-03-01 21:00",
        "turned 2021-03-02 03:00",
        "removed 2021-03-02 11:00",
    ]
    assert "level 110\nfirst 110, 2021-03-01 12:00\ntarget 95" in drawn[1].text


def test_a_story_tells_the_newest_changes():
    lines = event_lines(
        type_name="<b>",
        text="</script><img src=x> & more",
        detection="a",
        direction=0,
        anchor_ns=0,
        known_ns=0,
        delay_bars=1,
        top=np.nan,
        bottom=np.nan,
        measure=np.nan,
        measure_unit="",
        points=(),
        levels=(),
        changes=[("state", 0)] * 11,
    )
    assert lines[1] == "</script><img src=x> & more"
    assert "3 earlier changes of its state" in lines
    assert lines.count("state 1970-01-01 00:00") == 8
    assert "known 1970-01-01 00:00, 1 bar later" in lines


def test_a_window_is_chosen_by_opens_and_closes(market: Market):
    window = window_of(market.bars, START_NS + HOUR_NS // 2, START_NS + 5 * HOUR_NS // 2)
    assert (window.first, window.stop) == (1, 2)
    long = market_of(MAX_BARS + 1).bars
    assert window_of(long, None, None).first == len(long) - DEFAULT_BARS
    assert len(window_of(long, int(long.open_time[1]), None)) == MAX_BARS
    with pytest.raises(ConfigError, match=r"2,001 bars of 1h .* 2,000 at most"):
        window_of(long, START_NS, None)
    for start, end in ((START_NS + 100 * HOUR_NS, None), (None, START_NS), (START_NS, START_NS)):
        with pytest.raises(ConfigError, match="no 1h bar of TOY lies between them"):
            window_of(market.bars, start, end)


def test_moments_of_longer_bars_stand_at_the_bar_that_closed_them(market: Market):
    window = whole(market)
    # A bar of four hours from 04:00 is known at 08:00, with the close of the bar of 07:00.
    assert window.rows_at(np.array([START_NS + 8 * HOUR_NS])).tolist() == [7]
    assert window.rows_at(np.array([START_NS + 8 * HOUR_NS + 1])).tolist() == [8]
    assert window.rows_holding(np.array([START_NS + 4 * HOUR_NS])).tolist() == [4]


def test_the_ratios_of_a_figure_are_those_of_its_legs():
    prices = {"X": 100.0, "A": 200.0, "B": 138.2, "C": 176.4, "D": 121.4}
    points = [(name, 4.0 * at, price) for at, (name, price) in enumerate(prices.items())]
    found = ratio_lines(points)
    assert [round(one.ratio, 3) for one in found] == [0.618, 0.618, 1.44]
    assert found[0].line == ((0.0, 100.0), (8.0, 138.2))
    assert found[1].middle == pytest.approx((8.0, 188.2))
    assert [round(one.ratio, 3) for one in ratio_lines(points[1:4])] == [0.618]
    assert ratio_lines(points[:2]) == []
    assert highs(points) == [False, True, False, True, False]


def test_events_seen_again_on_a_later_day_are_where_they_were(found: list[HeadEvents]):
    cut = as_known_at(found[0].found, START_NS + 23 * HOUR_NS)
    assert len(cut.table) == 3
    assert len(cut.table.change_row) == 2


def test_names_do_not_cover_each_other(market: Market, drawn: list[DrawnEvent]):
    """Twenty events on two bars: those at a price lose their names, those beside it move away."""
    window = whole(market)
    level, bare = drawn[1], drawn[2]
    wanted = [Wanted(level, "level", is_first=False)] * 15 + [
        Wanted(bare, "bare", is_first=False)
    ] * 5
    places = placed(wanted, window)
    assert [place.event for place in places] == [one.event for one in wanted]
    named = [place for place in places if place.name]
    assert 1 < sum(place.event is level for place in named) < 15
    low, high = window.price_range()
    boxes = [
        _name_box(
            Wanted(place.event, place.name, is_first=False),
            window,
            (place.y - low) / (high - low) * PLOT_HEIGHT,
            place.position,
        )
        for place in named
    ]
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            across = min(one[1], other[1]) - max(one[0], other[0])
            upward = min(one[3], other[3]) - max(one[2], other[2])
            # A millionth of a pixel: boxes that touch, after two ways of rounding.
            assert min(across, upward) < 1e-6
    heights = sorted(place.y for place in places if place.event is bare)
    assert np.diff(heights).min() >= LINE * (high - low) / PLOT_HEIGHT
    both = placed(
        [Wanted(level, "late", is_first=False), Wanted(level, "level", is_first=True)] * 8, window
    )
    named = [place.name for place in both if place.name]
    assert len(named) < 16
    assert set(named) == {"level"}
