"""The rows of the votes at which any of many configurations may stand, and who votes there."""

from typing import NamedTuple

import numpy as np

from engine import Bool1D, Bool2D, Float1D, Float2D, Int1D, Int8Array1D, Int8Array2D, kernel
from engine.decision_events import WORD


class Entries(NamedTuple):
    """The entries of one symbol, filled up to whole words of the events.

    ``row`` int64 of the votes; ``side`` int8; ``is_fresh`` bool: between this entry and the one
    before lies a bar without consensus under any configuration; ``is_passed_over`` bool: the entry
    only stands for the row of the next one; ``is_second`` bool: the entry decides together with the
    one before, which has the same row and the other side; ``pattern`` int64: which heads had data,
    an index into the ``(patterns, heads)`` table ``present``. The heads that vote at entry *i* are
    ``first_vote[i]:first_vote[i + 1]`` of ``head`` int64, ``agrees`` bool (with the side),
    ``probability``, ``confidence`` and ``strength`` (towards the side). From ``used`` on entries
    only fill up.
    """

    row: Int1D
    side: Int8Array1D
    is_fresh: Bool1D
    is_passed_over: Bool1D
    is_second: Bool1D
    pattern: Int1D
    present: Bool2D
    first_vote: Int1D
    head: Int1D
    agrees: Bool1D
    probability: Float1D
    confidence: Float1D
    strength: Float1D
    used: int


@kernel
def entry_rows_kernel(
    direction: Int8Array2D,
    probability: Float2D,
    confidence: Float2D,
    is_gap: Bool1D,
    p_min: float,
    c_min: float,
    quorum: float,
    keeps_next: bool,
    keeps_all: bool,
) -> tuple[Int1D, Int8Array1D, Bool1D, Bool1D, Bool1D, int]:
    """The entries under the loosest thresholds: row, side, is_fresh, is_passed_over, is_second, and
    their number.

    ``keeps_next`` adds the first bar after a run of entries (an exit may be decided there),
    ``keeps_all`` every bar that exists.
    """
    rows, heads = direction.shape
    most = 2 * rows + WORD
    row = np.zeros(most, dtype=np.int64)
    side = np.ones(most, dtype=np.int8)
    is_fresh = np.zeros(most, dtype=np.bool_)
    is_passed_over = np.zeros(most, dtype=np.bool_)
    is_second = np.zeros(most, dtype=np.bool_)
    count = 0
    fresh, follows = True, False
    for t in range(rows):
        if is_gap[t]:
            continue
        up, down = 0, 0
        for h in range(heads):
            counts = (probability[t, h] >= p_min) & (confidence[t, h] >= c_min)
            up += (direction[t, h] > 0) & counts
            down += (direction[t, h] < 0) & counts
        may_rise, may_fall = up >= quorum, down >= quorum
        if not (may_rise or may_fall):
            if not (keeps_all or (keeps_next and follows)):
                fresh = True
                continue
            follows = False
        else:
            follows = True
        if may_rise and may_fall:
            row[count], is_fresh[count], is_passed_over[count] = t, fresh, True
            count += 1
            fresh = False
            is_second[count] = True
        row[count], is_fresh[count] = t, fresh
        side[count] = -1 if may_fall else 1
        count += 1
        fresh = False
    return row, side, is_fresh, is_passed_over, is_second, count


@kernel
def entry_votes_kernel(
    row: Int1D,
    side: Int8Array1D,
    direction: Int8Array2D,
    probability: Float2D,
    confidence: Float2D,
    p_min: float,
    c_min: float,
) -> tuple[Int1D, Int1D, Bool1D, Float1D, Float1D, Float1D]:
    """The votes at each entry that count under the loosest thresholds, in head order."""
    heads = direction.shape[1]
    first_vote = np.zeros(len(row) + 1, dtype=np.int64)
    head = np.zeros(len(row) * heads, dtype=np.int64)
    agrees = np.zeros(len(row) * heads, dtype=np.bool_)
    numbers = np.zeros((3, len(row) * heads))
    vote = 0
    for i in range(len(row)):
        t = row[i]
        for h in range(heads):
            p, c = probability[t, h], confidence[t, h]
            if direction[t, h] != 0 and p >= p_min and c >= c_min:
                towards = direction[t, h] * side[i]
                head[vote], agrees[vote] = h, towards > 0
                numbers[0, vote], numbers[1, vote] = p, c
                numbers[2, vote] = towards * ((2.0 * p - 1.0) * c)
                vote += 1
        first_vote[i + 1] = vote
    return first_vote, head, agrees, numbers[0], numbers[1], numbers[2]
