"""Our tables against smartmoneyconcepts 0.0.27 on the same bars, its events where they were knowable.

A gap is moved one bar on, a swing by the bars of its right side, a break and a block to the row of the
close that breaks. Whatever is left is counted by its reason; an event without a reason is a failure.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from indicators import DETECTORS_BY_NAME
from tests.smart_money import (
    SWING_LENGTH,
    Crossing,
    FourSwings,
    Peer,
    Swing,
    crossings_of,
    four_swings,
    kept_patterns,
    library,
    peer_of,
    swings_of,
)
from tests.smart_money_counts import BLOCKS, BREAKS, GAPS, LABELS, SHOWN, SWINGS, TOUCHES
from tests.smart_money_ours import (
    RIGHT,
    Break,
    Case,
    breaks_of,
    pivots_of,
    plateaus_of,
    real_bars,
    simulated,
)

NOT_THEIRS = "ours, of a swing that they do not have"
"""Why they do not is counted with the swings."""
FIRST_ROW = 2 * SWING_LENGTH - 1
"""Its rolling window must be full before it is moved back."""
ATR_ROWS = 14


@pytest.fixture(
    scope="module",
    params=["simulated 1", "simulated 2", pytest.param("BTCUSDT 2021", marks=pytest.mark.real)],
)
def case(request: pytest.FixtureRequest) -> tuple[str, Case]:
    name = request.param
    if name.startswith("simulated"):
        columns = simulated(int(name.split()[1]))
    else:
        columns = real_bars(request.getfixturevalue("real_data"))
    return name, Case(columns, peer_of(columns))


def test_the_library_greets_nobody_and_is_the_version_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert library().__version__ == "0.0.27"
    assert capsys.readouterr().out == ""


def gap_reason(case: Case, row: int, side: int, ours: bool) -> str:
    """Why a gap whose third bar is ``row`` is one side's only."""
    middle = case.columns["close"][row - 1] - case.columns["open"][row - 1]
    if ours and side * middle <= 0:
        return "ours, the middle candle does not close on the gap's side"
    if not ours and row < ATR_ROWS:
        return "theirs, before the ATR is known"
    return "unexplained"


def test_gaps_one_bar_on(case: tuple[str, Case]) -> None:
    name, one = case
    table = one.table("fair_value_gap", min_size_atr=0.0, min_displacement_atr=0.0, expiry_bars=500)
    ours = {
        (int(table.known[i]), int(table.direction[i])): (table.top[i], table.bottom[i])
        for i in range(len(table))
    }
    gaps = one.peer.gaps
    rows = np.flatnonzero(gaps["FVG"].notna())
    theirs = {
        (int(row) + 1, int(gaps["FVG"][row])): (gaps["Top"][row], gaps["Bottom"][row])
        for row in rows
    }
    both = ours.keys() & theirs.keys()
    assert all(ours[key] == theirs[key] for key in both)
    counts = Counter({"both": len(both)})
    counts.update(gap_reason(one, *key, True) for key in ours.keys() - theirs.keys())
    counts.update(gap_reason(one, *key, False) for key in theirs.keys() - ours.keys())
    assert dict(counts) == GAPS[name]


def test_the_first_touch_of_a_gap(case: tuple[str, Case]) -> None:
    name, one = case
    table = one.table("fair_value_gap", min_size_atr=0.0, min_displacement_atr=0.0, expiry_bars=500)
    states = [state.name for state in DETECTORS_BY_NAME["fair_value_gap"].states]
    touched = {
        (int(table.known[event]), int(table.direction[event])): int(row)
        for event, state, row in zip(
            table.change_event, table.change_state, table.change_row, strict=True
        )
        if states[state] == "touched"
    }
    gaps, counts = one.peer.gaps, Counter[str]()
    for known, direction in zip(table.known.tolist(), table.direction.tolist(), strict=True):
        # 0 stands for never.
        theirs = gaps["MitigatedIndex"][known - 1]
        if np.isnan(theirs):
            continue
        ours = touched.get((known, direction), 0)
        if ours == theirs:
            counts["the same row" if ours else "never"] += 1
        elif not ours and theirs > known + 500:
            counts["theirs, after our gap expired"] += 1
        else:
            counts["unexplained"] += 1
    assert dict(counts) == TOUCHES[name]


def test_swings_by_the_bars_of_their_right_side(case: tuple[str, Case]) -> None:
    name, one = case
    made_up, *theirs, last = swings_of(one.peer)
    assert (made_up.row, last.row) == (0, len(one.peer.bars) - 1)
    counts = Counter({"theirs, made up on the first and last bar": 2})
    ours = pivots_of(one)
    candidates = []
    plateaus = plateaus_of(one)
    highs = {swing.row for swing in [*ours, *plateaus] if swing.side > 0}
    for swing in sorted([*ours, *plateaus], key=lambda swing: (swing.row, -swing.side)):
        if swing.row < FIRST_ROW:
            counts["ours, before their first whole window"] += 1
        elif swing.side < 0 and swing.row in highs:
            counts["ours, a low on a bar that is a high as well"] += 1
        else:
            candidates.append(swing)
    # Of a run on one side they keep the most extreme, of equals the first: what comes later decides.
    kept: list[Swing] = []
    for swing in candidates:
        if not kept or kept[-1].side != swing.side:
            kept.append(swing)
        elif swing.side * swing.price > kept[-1].side * kept[-1].price:
            kept[-1] = swing
    assert kept == theirs
    mine = set(ours)
    counts["both"] = len(mine & set(kept))
    counts["ours, deleted by them for a more extreme neighbour"] = len(
        (mine & set(candidates)) - set(kept)
    )
    counts["theirs, an equal extreme stands before it"] = len(set(kept) - mine)
    assert {reason: count for reason, count in counts.items() if count} == SWINGS[name]


def newer_pivot(pivots: list[Swing], swing: int, side: int, row: int) -> bool:
    """Whether a pivot of the same side behind ``swing`` is confirmed by ``row``."""
    return any(one.side == side and swing < one.row <= row - RIGHT for one in pivots)


def their_break_reason(pivots: list[Swing], one: FourSwings) -> str:
    swing = one.swing
    if (swing.row, swing.side) not in {(pivot.row, pivot.side) for pivot in pivots}:
        return "theirs, of a swing that is made up or has an equal before it"
    if newer_pivot(pivots, swing.row, swing.side, one.broken):
        return "theirs, a newer swing of that side was known"
    return "unexplained"


def our_break_reason(peer: Peer, patterns: list[FourSwings], one: Break) -> str:
    if (one.swing, one.side) not in {(swing.row, swing.side) for swing in swings_of(peer)}:
        return NOT_THEIRS
    if (one.swing, one.side) not in {(p.swing.row, p.swing.side) for p in patterns}:
        return "ours, the four swings are in another order"
    return "unexplained"


def test_breaks_on_the_row_of_the_close(case: tuple[str, Case]) -> None:
    name, one = case
    patterns = four_swings(one.peer)
    shown = kept_patterns(patterns)
    table = one.peer.breaks
    stamped = np.flatnonzero(table["Level"].notna())
    assert [
        (row, bool(pd.notna(table["CHOCH"][row])), int(table["BrokenIndex"][row]))
        for row in stamped
    ] == [(p.swing.row, p.change, p.broken) for p in shown]
    ours = {(b.row, b.side, b.swing): b for b in breaks_of(one)}
    theirs = {(p.broken, p.swing.side, p.swing.row): p for p in shown}
    pivots = pivots_of(one)
    counts, labels = Counter[str](), Counter[str]()
    for key in ours.keys() & theirs.keys():
        counts["both"] += 1
        late = theirs[key].fourth.row + RIGHT > ours[key].row
        assert late, "the fourth swing is confirmed behind the break"
        mine, other = ("CHoCH" if b.change else "BOS" for b in (ours[key], theirs[key]))
        labels[f"ours {mine}, theirs {other}"] += 1
    counts.update(their_break_reason(pivots, theirs[k]) for k in theirs.keys() - ours.keys())
    counts.update(
        our_break_reason(one.peer, patterns, ours[k]) for k in ours.keys() - theirs.keys()
    )
    assert dict(counts) == BREAKS[name]
    # Theirs is told by the order of the four swings, ours by the side of the break before.
    told = sorted(ours)
    assert all(ours[later].change == (later[1] == -earlier[1]) for earlier, later in pairwise(told))
    assert dict(labels) == LABELS[name]


def zeroed(case: Case, one: Crossing) -> bool:
    """Whether prices have since gone through the block and back over it."""
    low, high = case.columns["low"], case.columns["high"]
    near, far = (high, low) if one.swing.side > 0 else (-low, -high)
    through = np.flatnonzero(far[one.row + 1 :] < far[one.candle])
    if not len(through):
        return False
    back = near[one.row + 1 + int(through[0]) + 1 :] > near[one.candle]
    return bool(back.any())


def test_most_of_their_blocks_are_zeroed_by_later_bars(case: tuple[str, Case]) -> None:
    name, one = case
    side = one.peer.blocks["OB"].to_numpy()
    crossings = crossings_of(one.peer)
    shared = Counter(crossing.candle for crossing in crossings)
    counts = Counter[str]()
    for crossing in crossings:
        if side[crossing.candle] == crossing.swing.side:
            counts["shown"] += 1
        elif zeroed(one, crossing):
            counts["zeroed, price went through it and back"] += 1
        elif shared[crossing.candle] > 1:
            counts["lost, the block of another break has the same candle"] += 1
        else:
            counts["unexplained"] += 1
    assert {int(row) for row in np.flatnonzero(~np.isnan(side))} <= set(shared)
    assert dict(counts) == SHOWN[name]


def their_block_reason(pivots: list[Swing], one: Crossing) -> str:
    if (one.swing.row, one.swing.side) not in {(pivot.row, pivot.side) for pivot in pivots}:
        return "theirs, of a swing that is made up or has an equal before it"
    if newer_pivot(pivots, one.swing.row, one.swing.side, one.row):
        return "theirs, a newer swing of that side was known"
    return "unexplained"


def our_block_reason(peer: Peer, one: Break) -> str:
    rows = [swing.row for swing in swings_of(peer) if swing.side == one.side]
    if one.swing not in rows:
        return NOT_THEIRS
    if any(max(one.swing, one.row - RIGHT) < row < one.row for row in rows):
        return "ours, they look at a newer swing that is not confirmed yet"
    return "unexplained"


def candle_reason(case: Case, broken: Break, origin: int, candle: int, theirs: Crossing) -> str:
    """Which candle each takes on a break that both see: ours the last against it, theirs the lowest."""
    side, body = broken.side, case.columns["close"] - case.columns["open"]
    against = [i for i in range(origin, broken.row) if side * body[i] < 0]
    far = side * (case.columns["low"] if side > 0 else case.columns["high"])
    leg = far[theirs.swing.row + 1 : theirs.row]
    if against[-1] != candle or far[theirs.candle] != leg.min():
        return "unexplained"
    if candle == theirs.candle:
        return "both, the same candle"
    return "both, ours the last candle against the leg, theirs its extreme"


def test_blocks_on_the_row_of_the_break(case: tuple[str, Case]) -> None:
    name, one = case
    pivots = pivots_of(one)
    breaks = {(b.row, b.side, b.swing): b for b in breaks_of(one)}
    crossings = {(c.row, c.swing.side, c.swing.row): c for c in crossings_of(one.peer)}
    structure = one.table("structure", left=RIGHT - 1, right=RIGHT)
    origins = {
        (int(row), int(side)): int(points[0])
        for row, side, points in zip(
            structure.known, structure.direction, structure.point_rows, strict=True
        )
    }
    shifts = {
        (int(row), int(side))
        for row, side, code in zip(
            structure.anchor, structure.direction, structure.type, strict=True
        )
        if DETECTORS_BY_NAME["structure"].types[code].name == "mss"
    }
    blocks = one.table("order_block", left=RIGHT - 1, right=RIGHT)
    candles = {
        (int(points[1]), int(side)): int(points[0])
        for points, side in zip(blocks.point_rows, blocks.direction, strict=True)
    }
    counts = Counter[str]()
    for key in breaks.keys() & crossings.keys():
        broken, origin = breaks[key], origins[key[:2]]
        if key[:2] in candles:
            reason = candle_reason(one, broken, origin, candles[key[:2]], crossings[key])
        elif broken.change and key[:2] not in shifts:
            reason = "theirs, a CHoCH without displacement"
        elif origin < 0:
            reason = "theirs, no swing on the other side before"
        else:
            body = one.columns["close"] - one.columns["open"]
            against = broken.side * body[origin : broken.row] < 0
            reason = "unexplained" if against.any() else "theirs, no candle against the leg"
        counts[reason] += 1
    counts.update(
        their_block_reason(pivots, crossings[k]) for k in crossings.keys() - breaks.keys()
    )
    counts.update(our_block_reason(one.peer, breaks[k]) for k in breaks.keys() - crossings.keys())
    assert dict(counts) == BLOCKS[name]
