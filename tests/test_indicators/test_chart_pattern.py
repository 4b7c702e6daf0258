"""Chart patterns: shapes drawn by hand, their near misses, and the whole table against the oracle."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Bars, Float1D
from indicators.chart_pattern import CHART_PATTERN
from indicators.chart_pattern_events import CHART_PATTERN_DETECTOR
from indicators.event_table import EventTable
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import chart_patterns as oracle
from tests.oracles.structure import Pivot, directional_changes, pivots

SAMPLES = [(1, 0.0), (2, 0.3), (7, 0.3)]
TYPES = [one.name for one in CHART_PATTERN_DETECTOR.types]


def table_of(columns: dict[str, Float1D], **parameters: float) -> EventTable:
    detector = CHART_PATTERN_DETECTOR
    return detector.find(columns, detector.resolved(parameters))


def zigzag_columns(
    turns: list[float],
    steps: tuple[int, ...] = (8, 8, 8, 8, 8, 8),
    tail: tuple[float, ...] = (),
    wick: float = 0.1,
) -> dict[str, Float1D]:
    """Straight legs of so many bars between the turns, after a quiet start; ``tail`` follows."""
    legs = [
        np.linspace(a, b, step + 1)[1:]
        for (a, b), step in zip(pairwise(turns), steps, strict=False)
    ]
    close = np.concatenate([np.full(20, turns[0]), *legs, tail])
    open_ = np.concatenate((close[:1], close[:-1]))
    return {
        "open": open_,
        "high": np.maximum(open_, close) + wick,
        "low": np.minimum(open_, close) - wick,
        "close": close,
        "is_gap": np.zeros(len(close)),
    }


def mirrored(columns: dict[str, Float1D]) -> dict[str, Float1D]:
    turned = {name: -column for name, column in columns.items()}
    return turned | {
        "high": -columns["low"],
        "low": -columns["high"],
        "is_gap": columns["is_gap"],
    }


def found(
    columns: dict[str, Float1D], kinds: str = "", **parameters: float
) -> list[tuple[int, str]]:
    """Row and type of every event whose type has ``kinds`` in its name."""
    table = table_of(columns, **{"left": 3, "right": 3, **parameters})
    named = [(int(row), TYPES[code]) for row, code in zip(table.known, table.type, strict=True)]
    return [one for one in named if kinds in one[1]]


def test_double_bottom_fires_at_the_close_over_the_peak() -> None:
    columns = zigzag_columns([110, 100, 106, 100.1, 112])
    first = next(t for t in range(44, len(columns["close"])) if columns["close"][t] > 106.1)
    assert found(columns, "double") == [(first, "double_bottom")]
    assert found(mirrored(columns), "double") == [(first, "double_top")]
    assert found(zigzag_columns([110, 100, 106, 102.5, 112]), "double") == []
    assert found(zigzag_columns([110, 100, 101, 100.1, 112]), "double") == []
    back = (102, 103, 104, 104, 101, 104, 107)
    held = zigzag_columns([110, 100, 106, 100.1], tail=back)
    assert found(held, "double") == [(len(held["close"]) - 1, "double_bottom")]
    lost = zigzag_columns([110, 100, 106, 100.1], tail=(*back[:4], 99, *back[5:]))
    assert found(lost, "double") == []


def test_what_a_double_tells() -> None:
    table = table_of(zigzag_columns([110, 100, 106, 100.1, 112]), left=3, right=3)
    (double,) = np.flatnonzero(table.type == TYPES.index("double_bottom"))
    assert table.anchor[double] == 27
    assert table.point_rows[double].tolist() == [27, 35, 43, -1, -1]
    assert table.point_prices[double, :3] == pytest.approx([99.9, 106.1, 100.0])
    assert np.isnan(table.point_prices[double, 3:]).all()
    assert (table.top[double], table.bottom[double]) == pytest.approx((106.1, 99.9))
    # The line that was broken, and the height of the pattern above it.
    assert table.levels[double] == pytest.approx([106.1, 106.1 + 6.2])


def test_tolerances_in_percent_take_the_place_of_those_in_atr() -> None:
    uneven = zigzag_columns([110, 100, 106, 101.5, 112])
    assert found(uneven, "double") == []
    seed = {"max_difference_percent": 2.0, "min_depth_percent": 4.0}
    assert [name for _, name in found(uneven, "double", **seed)] == ["double_bottom"]
    assert found(uneven, "double", **(seed | {"max_difference_percent": 1.0})) == []
    assert found(uneven, "double", **(seed | {"min_depth_percent": 5.0})) == []


def test_a_pattern_expires_after_its_own_span() -> None:
    # The second low of row 43 is known on row 46, the shape is 16 bars long: it waits until row 62.
    for waits, expected in ((62, ["double_bottom"]), (63, [])):
        rest = np.full(waits - 50, 103.0)
        columns = zigzag_columns([110, 100, 106, 100.1, 103], (8, 8, 8, 6), tail=(*rest, 107.0))
        assert len(columns["close"]) == waits + 1
        assert [name for _, name in found(columns, "double")] == expected


def test_head_and_shoulders() -> None:
    top = [90, 100, 96, 104, 96, 100.2, 88]
    columns = zigzag_columns(top)
    fired = found(columns, "shoulders")
    assert [name for _, name in fired] == ["head_and_shoulders"]
    row = fired[0][0]
    assert columns["close"][row] < 95.9 <= columns["close"][row - 1]
    assert found(zigzag_columns([90, 100, 96, 100.3, 96, 100.2, 88]), "shoulders") == []
    assert found(zigzag_columns([90, 95, 92, 104, 96, 100.2, 88]), "shoulders") == []
    assert len(found(zigzag_columns(top, (8, 4, 4, 9, 9, 8)), "shoulders")) == 1
    assert found(zigzag_columns(top, (8, 4, 4, 11, 11, 8)), "shoulders") == []
    bottom = [-turn + 200 for turn in top]
    assert [name for _, name in found(zigzag_columns(bottom), "shoulders")] == [
        "inverse_head_and_shoulders"
    ]


def test_the_target_of_a_head_is_as_far_as_the_head_from_a_sloping_neckline() -> None:
    columns = zigzag_columns([90, 100, 95, 105, 97, 100.2, 88])
    table = table_of(columns, left=3, right=3)
    (head,) = np.flatnonzero(table.type == TYPES.index("head_and_shoulders"))
    rows, prices = table.point_rows[head], table.point_prices[head]
    slope = (prices[3] - prices[1]) / (rows[3] - rows[1])
    line = prices[1] + slope * (table.known[head] - rows[1])
    height = prices[2] - (prices[1] + slope * (rows[2] - rows[1]))
    assert table.levels[head] == pytest.approx([line, line - height])
    assert (table.top[head], table.bottom[head]) == pytest.approx((prices[2], line))


@pytest.mark.parametrize(
    ("turns", "name", "side"),
    [
        ([90, 100, 94, 100, 97, 104], "ascending_triangle", 1),
        ([90, 100, 94, 100, 97, 100, 90], "ascending_triangle", -1),
        ([110, 100, 106, 100, 103, 94], "descending_triangle", -1),
        ([90, 101, 94, 99, 96, 103], "symmetric_triangle", 1),
    ],
)
def test_triangles(turns: list[float], name: str, side: int) -> None:
    columns = zigzag_columns(turns)
    table = table_of(columns, left=3, right=3)
    one = next(k for k in range(len(table)) if "triangle" in TYPES[table.type[k]])
    assert (TYPES[table.type[one]], table.direction[one]) == (name, side)
    first, apart = table.point_rows[one, 0], table.levels[one, 1] - table.levels[one, 0]
    assert table.anchor[one] == first
    # At its first point the triangle is as high as its target is far.
    assert abs(apart) > table.top[one] - table.bottom[one]


@pytest.mark.parametrize(
    ("turns", "kind"),
    [
        ([110, 100, 106, 100.1, 112], "double"),
        ([90, 100, 96, 104, 96, 100.2, 88], "shoulders"),
        ([90, 100, 94, 100, 97, 104], "triangle"),
    ],
)
def test_a_hole_of_four_bars_ends_what_waits_for_its_trigger(turns: list[float], kind: str) -> None:
    # The last leg is slow, so that the shape is complete before the hole.
    columns = zigzag_columns(turns, (*[8] * (len(turns) - 2), 24))
    ((row, name),) = found(columns, kind)
    for missing, expected in ((3, [(row, name)]), (4, [])):
        columns["is_gap"][:] = 0.0
        columns["is_gap"][row - missing : row] = 1.0
        assert found(columns, kind) == expected


def test_lines_that_part_are_no_triangle() -> None:
    assert found(zigzag_columns([90, 100, 94, 102, 91, 104]), "triangle") == []


def flag_columns() -> dict[str, Float1D]:
    pole = np.concatenate([np.full(30, 100.0), np.linspace(101, 108, 8)])
    pause = np.array([107.8, 107.7, 107.6, 107.7, 107.5, 107.4, 107.5, 107.6])
    close = np.concatenate([pole, pause, [109.0, 109.5]])
    open_ = np.concatenate((close[:1], close[:-1]))
    return {
        "high": np.maximum(open_, close) + 0.1,
        "low": np.minimum(open_, close) - 0.1,
        "close": close,
        "is_gap": np.zeros(len(close)),
    }


def test_flag() -> None:
    columns = flag_columns()
    assert found(columns, "flag") == [(46, "flag")]
    table = table_of(columns)
    assert table.direction.tolist() == [1]
    assert table.point_rows[0].tolist() == [34, 40, 45, -1, -1]
    edge = columns["high"][41:46].max()
    pole = columns["close"][40] - columns["close"][34]
    assert table.levels[0] == pytest.approx([edge, edge + pole])
    wide = {**columns, "low": columns["low"].copy()}
    wide["low"][41] = 102.0
    assert found(wide, "flag") == []
    columns["is_gap"][40:44] = 1.0
    assert found(columns, "flag") == []


def told(table: EventTable) -> list[oracle.Pattern]:
    return [
        oracle.Pattern(
            TYPES[table.type[k]],
            int(table.direction[k]),
            int(table.known[k]),
            tuple(
                (int(row), float(price))
                for row, price in zip(table.point_rows[k], table.point_prices[k], strict=True)
                if row >= 0
            ),
            float(table.levels[k, 0]),
            float(table.bottom[k] if table.levels[k, 0] == table.top[k] else table.top[k]),
            float(table.levels[k, 1]),
        )
        for k in range(len(table))
    ]


def turning_points(bars: Bars, atr: Float1D, by_turns: bool) -> list[Pivot]:
    high, low, close = bars.high.tolist(), bars.low.tolist(), bars.close.tolist()
    is_gap = bars.is_gap.tolist()
    if by_turns:
        return directional_changes(high, low, close, (2.5 * atr).tolist(), is_gap)
    return pivots(high, low, 2, 2, is_gap)


@pytest.mark.parametrize("by_turns", [False, True])
@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_the_table_is_that_of_the_oracle(seed: int, gap_share: float, by_turns: bool) -> None:
    bars = random_bars(2500, seed, gap_share=gap_share)
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    is_gap = bars.is_gap.tolist()
    lists = oracle.lists_of_rows(turning_points(bars, atr, by_turns), is_gap)
    prices = (bars.high.tolist(), bars.low.tolist(), bars.close.tolist())
    width, depth = (0.5 * atr).tolist(), (2.0 * atr).tolist()
    expected = oracle.patterns(lists, prices[2], atr.tolist(), width, depth, is_gap)
    expected += oracle.flags(prices, atr.tolist(), is_gap)
    table = table_of(dict(bars.columns()), left=2, right=2, by_turns=by_turns)
    got = sorted(told(table), key=lambda one: (one.type, one.known))
    expected = sorted(expected, key=lambda one: (one.type, one.known))
    assert [(p.type, p.side, p.known, p.points) for p in got] == [
        (p.type, p.side, p.known, p.points) for p in expected
    ]
    for name in ("line", "other", "target"):
        # Lines are worked out from another of their points.
        np.testing.assert_allclose(
            [getattr(p, name) for p in got], [getattr(p, name) for p in expected], rtol=1e-9
        )
    assert len(got) >= 20


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), sides=st.integers(1, 6), by_turns=st.booleans())
def test_identities(seed: int, sides: int, by_turns: bool) -> None:
    columns = dict(random_bars(700, seed, gap_share=0.1).columns())
    table = table_of(columns, left=sides, right=sides, by_turns=by_turns)
    close = columns["close"]
    for k in range(len(table)):
        side, known = table.direction[k], table.known[k]
        rows = table.point_rows[k][table.point_rows[k] >= 0]
        line, target = table.levels[k]
        assert (np.diff(rows) >= 0).all()
        assert table.anchor[k] == rows[0]
        assert rows[-1] < known
        assert line in (table.top[k], table.bottom[k])
        assert side * (close[known] - line) > 0
        assert side * (target - line) > 0


def test_the_columns_are_the_signs_of_the_table() -> None:
    columns = dict(random_bars(4000, 3).columns())
    computed = CHART_PATTERN.compute(columns, CHART_PATTERN.resolved({}))
    table = table_of(columns)
    for output, column in zip(CHART_PATTERN.outputs, computed, strict=True):
        types = [
            k for k, one in enumerate(CHART_PATTERN_DETECTOR.types) if one.column == output.name
        ]
        rows = table.known[np.isin(table.type, types)]
        assert set(np.flatnonzero(column)) <= set(rows)
        assert len(rows) > 5
