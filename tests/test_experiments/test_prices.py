from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, Bars, DataError
from experiments.prices import PRICE_SOURCES, priced_bars, volume_in_quote
from tests.generators import random_bars

START_NS = 1_609_459_200_000_000_000


def bars(first_hour: int, present: list[bool], level: float) -> Bars:
    """Flat bars at ``level`` plus the hour; a missing one repeats the close before it."""
    rows = len(present)
    hours = first_hour + np.arange(rows)
    close = level + hours.astype(np.float64)
    is_gap = ~np.array(present)
    for row in range(1, rows):
        if is_gap[row]:
            close[row] = close[row - 1]
    return Bars(
        symbol="X",
        timeframe="1h",
        open_time=START_NS + HOUR_NS * hours,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.where(is_gap, 0.0, 1.0),
        is_gap=is_gap,
    )


presence = st.lists(st.booleans(), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(presence, presence, st.integers(0, 8), st.integers(0, 8))
def test_every_bar_takes_the_traded_price_else_the_signals_else_repeats(
    traded_present: list[bool], signals_present: list[bool], traded_first: int, signals_first: int
):
    traded = bars(traded_first, traded_present, 1000.0)
    signals = bars(signals_first, signals_present, 5000.0)
    table: dict[int, tuple[str, float]] = {}
    for name, one in (("signals", signals), ("traded", traded)):
        for row in range(len(one)):
            if not one.is_gap[row]:
                table[int(one.open_time[row])] = (name, float(one.close[row]))
    if not table:
        with pytest.raises(DataError, match="gaps only"):
            priced_bars("X", traded, "perp", signals, "spot")
        return
    made = priced_bars("X", traded, "perp", signals, "spot")
    last = float("nan")
    expected = []
    for time in range(min(table), max(table) + HOUR_NS, HOUR_NS):
        source, close = table.get(time, ("gap", last))
        expected.append((time, source, close))
        last = close
    found = [
        (int(made.bars.open_time[row]), PRICE_SOURCES[made.source[row]], made.bars.close[row])
        for row in range(len(made.bars))
    ]
    assert found == expected
    assert (made.bars.is_gap == (made.source == PRICE_SOURCES.index("gap"))).all()
    for name in ("open", "high", "low"):
        assert (getattr(made.bars, name) == made.bars.close).all()


def test_pieces_are_the_dated_stretches_of_one_source():
    traded = bars(3, [True, True, False, True], 1000.0)
    signals = bars(0, [True] * 3 + [False] * 5 + [True] * 2, 5000.0)
    pieces = priced_bars("X", traded, "perp", signals, "spot").pieces()
    hours = [(p.source, p.instrument, p.bars) for p in pieces]
    assert hours == [("signals", "spot", 3), ("traded", "perp", 5), ("signals", "spot", 2)]
    assert pieces[0].start_ns == START_NS
    assert all(a.end_ns == b.start_ns for a, b in pairwise(pieces))
    assert pieces[-1].end_ns == START_NS + 10 * HOUR_NS


def test_without_a_fallback_missing_bars_stay_gaps_and_the_edges_are_cut():
    made = priced_bars("X", bars(0, [False, True, False, True, False], 9.0), "perp", None, None)
    assert len(made.bars) == 3
    assert made.bars.is_gap.tolist() == [False, True, False]
    assert made.bars.volume.tolist() == [1.0, 0.0, 1.0]
    assert [piece.instrument for piece in made.pieces()] == ["perp"]


def test_volume_of_inverse_contracts_is_the_quote_volume_or_that_at_the_close():
    stated, bare = random_bars(30, 2), random_bars(30, 2, with_flows=False)
    assert stated.quote_volume is not None
    np.testing.assert_array_equal(volume_in_quote(stated).volume, stated.quote_volume)
    np.testing.assert_array_equal(volume_in_quote(bare).volume, bare.volume * bare.close)
    assert (volume_in_quote(bare).high == bare.high).all()
