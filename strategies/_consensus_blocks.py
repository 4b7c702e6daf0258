"""The consensus of many configurations over the rows that may matter, eight configurations at a
time.

An entry (``_consensus_entries``) is a row of the votes together with the side that it may stand for,
and the heads that vote there. A *block* is eight configurations, one for each element of a SIMD
register: one pass over the votes of an entry decides a pair of blocks. The sums have the order of
``strategies.consensus``: by head, and a head that does not count adds 0.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, Int8Array1D, kernel
from engine.decision_events import LONG, SHORT
from engine.jit import inner_kernel
from engine.simd import WIDTH, choose, load, mask_bits, spread

from ._consensus_entries import Entries
from .consensus import (
    BONUS_OF_A_HEAD,
    HIGH_P,
    HIGH_P_BONUS,
    LOW_P,
    LOW_P_BONUS,
    MIDDLE_P,
    MIDDLE_P_BONUS,
    MOST_OF_BONUS,
)

(
    P_MIN, C_MIN, WEIGHT_MIN, SCORE_MIN, CONSENSUS_C_MIN, CONSENSUS_P_MIN, QUORUM, MAX_OPPOSITE,
    FIRST_WEIGHT,
) = range(9)  # fmt: skip
"""Rows of a block; from ``FIRST_WEIGHT`` on the weights of the heads, however many they are."""
PAIR: Final = 2
"""Blocks decided together."""

Float3D = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
Uint8Array1D = np.ndarray[tuple[int], np.dtype[np.uint8]]
Uint8Array2D = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
Uint16Array1D = np.ndarray[tuple[int], np.dtype[np.uint16]]


class Gates(NamedTuple):
    """Thresholds of K configurations: weights ``(K, heads)``, the others ``(K,)``; less 1e-12 each."""

    weights: Float2D
    p_min: Float1D
    c_min: Float1D
    weight_min: Float1D
    score_min: Float1D
    consensus_c_min: Float1D
    consensus_p_min: Float1D
    quorum: Float1D
    max_opposite: Float1D
    exits_on_flat: Bool1D
    hold_bars: Int1D

    def chosen(self, configurations: Int1D) -> "Gates":
        """Those of some configurations."""
        chosen: list[Any] = [column[configurations] for column in self]
        return Gates(*chosen)


@kernel(nogil=True)
def actions_kernel(
    entries: Entries,
    blocks: Float3D,
    present: Float3D,
    exits_on_flat: Bool1D,
    hold_bars: Int1D,
    allowed: Uint8Array1D,
    first: int,
    actions: Uint8Array2D,
) -> None:
    """Write what each configuration does at each entry into ``actions[:, first:]``.

    ``blocks`` and ``present``, of as many whole pairs of blocks as there are, have the weights and
    thresholds and the weight of the heads with data by pattern; ``allowed`` uint8 by entry: the
    actions (``engine.decision_events``) that the row permits.
    """
    length = len(entries.row)
    rises = np.zeros(length, dtype=np.uint16)
    falls = np.zeros(length, dtype=np.uint16)
    for block in range(0, len(blocks), PAIR):
        start = block * WIDTH
        stop = min(start + PAIR * WIDTH, len(actions))
        stand_kernel(
            entries.side, entries.pattern, entries.first_vote, entries.head, entries.agrees,
            entries.probability, entries.confidence, entries.strength, blocks[block : block + PAIR],
            present[block : block + PAIR], entries.used, rises, falls,
        )  # fmt: skip
        for i in range(entries.used):
            if entries.is_second[i]:
                rises[i] |= rises[i - 1]
                falls[i] |= falls[i - 1]
        for k in range(start, stop):
            if exits_on_flat[k] or hold_bars[k] > 0:
                for i in range(length):
                    actions[k, first + i] = (rises[i] >> (k - start) & 1) | (
                        (falls[i] >> (k - start) & 1) << 1
                    )
                _exits_kernel(entries, exits_on_flat[k], hold_bars[k], allowed, actions[k, first:])
        _turns_kernel(entries.is_fresh, entries.is_passed_over, entries.used, rises, falls)
        for k in range(start, stop):
            if not (exits_on_flat[k] or hold_bars[k] > 0):
                _spread_kernel(
                    rises,
                    falls,
                    np.uint16(1 << (k - start)),
                    allowed,
                    actions[k, first : first + length],
                )


class Sums(NamedTuple):
    """What the votes of an entry add up to under each configuration of a block: eight numbers each."""

    agreeing: Any
    opposing: Any
    weight: Any
    p: Any
    c: Any
    score: Any


@kernel
def stand_kernel(
    side: Int8Array1D,
    pattern: Int1D,
    first_vote: Int1D,
    head: Int1D,
    agrees: Bool1D,
    probability: Float1D,
    confidence: Float1D,
    strength: Float1D,
    blocks: Float3D,
    present: Float3D,
    count: int,
    rises: Uint16Array1D,
    falls: Uint16Array1D,
) -> None:
    """For each entry the configurations of a pair of blocks, as bits, under which a consensus stands.

    How many heads vote and whether they agree is what the processor cannot predict: two blocks
    share the cost of that.
    """
    gates, weighed = blocks.ctypes.data, present.ctypes.data
    next_gates = gates + 8 * WIDTH * blocks.shape[1]
    next_weighed = weighed + 8 * WIDTH * present.shape[1]
    zero = spread(0.0)
    nothing = Sums(zero, zero, zero, zero, zero, zero)
    for i in range(count):
        one, other = nothing, nothing
        for vote in range(first_vote[i], first_vote[i + 1]):
            p, c, s = spread(probability[vote]), spread(confidence[vote]), spread(strength[vote])
            if agrees[vote]:
                one = agreeing_kernel(one, gates, head[vote], p, c, s)
                other = agreeing_kernel(other, next_gates, head[vote], p, c, s)
            else:
                one = opposing_kernel(one, gates, head[vote], p, c, s)
                other = opposing_kernel(other, next_gates, head[vote], p, c, s)
        found = np.uint16(
            standing_kernel(one, gates, load(weighed, WIDTH * pattern[i]))
            | standing_kernel(other, next_gates, load(next_weighed, WIDTH * pattern[i])) << WIDTH
        )
        rises[i] = found if side[i] > 0 else 0
        falls[i] = found if side[i] < 0 else 0


@inner_kernel(inlined=True)
def agreeing_kernel(sums: Sums, gates: int, head: int, p: Any, c: Any, strength: Any) -> Sums:
    """``sums`` with the vote of a head that agrees with the side."""
    zero = spread(0.0)
    counts = (p >= load(gates, WIDTH * P_MIN)) & (c >= load(gates, WIDTH * C_MIN))
    weight = choose(counts, load(gates, WIDTH * (FIRST_WEIGHT + head)), zero)
    return Sums(
        sums.agreeing + choose(counts, spread(1.0), zero),
        sums.opposing,
        sums.weight + weight,
        sums.p + weight * p,
        sums.c + weight * c,
        sums.score + weight * strength,
    )


@inner_kernel(inlined=True)
def opposing_kernel(sums: Sums, gates: int, head: int, p: Any, c: Any, strength: Any) -> Sums:
    """``sums`` with the vote of a head for the other side."""
    zero = spread(0.0)
    counts = (p >= load(gates, WIDTH * P_MIN)) & (c >= load(gates, WIDTH * C_MIN))
    weight = choose(counts, load(gates, WIDTH * (FIRST_WEIGHT + head)), zero)
    return Sums(
        sums.agreeing,
        sums.opposing + choose(counts, spread(1.0), zero),
        sums.weight,
        sums.p,
        sums.c,
        sums.score + weight * strength,
    )


@inner_kernel(inlined=True)
def standing_kernel(sums: Sums, gates: int, data: Any) -> int:
    """The configurations of a block, as bits, under which ``sums`` are a consensus; ``data``: the weight
    of the heads with data.
    """
    zero, four, most = spread(0.0), spread(4.0), spread(float(MOST_OF_BONUS))
    agreeing = sums.agreeing
    stands = (
        (agreeing > sums.opposing)
        & (agreeing >= load(gates, WIDTH * QUORUM))
        & (sums.opposing <= load(gates, WIDTH * MAX_OPPOSITE))
    )
    if not mask_bits(stands):
        return 0
    counted = choose(agreeing > most, most, agreeing)
    bonus = choose(counted > four, spread(BONUS_OF_A_HEAD) * (counted - four), zero)
    extra = choose(sums.p >= spread(LOW_P) * sums.weight, spread(LOW_P_BONUS), zero)
    extra = choose(sums.p >= spread(MIDDLE_P) * sums.weight, spread(MIDDLE_P_BONUS), extra)
    extra = choose(sums.p >= spread(HIGH_P) * sums.weight, spread(HIGH_P_BONUS), extra)
    c_min = load(gates, WIDTH * CONSENSUS_C_MIN) - (bonus + extra)
    stands = (
        stands
        & (sums.weight > zero)
        & (sums.weight >= load(gates, WIDTH * WEIGHT_MIN) * data)
        & (sums.score >= load(gates, WIDTH * SCORE_MIN) * data)
        & (sums.c >= c_min * sums.weight)
        & (sums.p >= load(gates, WIDTH * CONSENSUS_P_MIN) * sums.weight)
    )
    return int(mask_bits(stands))


@kernel
def _turns_kernel(
    is_fresh: Bool1D, is_passed_over: Bool1D, count: int, rises: Uint16Array1D, falls: Uint16Array1D
) -> None:
    """Leave of the sides only those that the row before did not have."""
    rose, fell = np.uint16(0), np.uint16(0)
    for i in range(count):
        if is_fresh[i]:
            rose, fell = np.uint16(0), np.uint16(0)
        if is_passed_over[i]:
            rises[i], falls[i] = 0, 0
            continue
        rises_now, falls_now = rises[i], falls[i]
        rises[i], falls[i] = rises_now & ~rose, falls_now & ~fell
        rose, fell = rises_now, falls_now


@kernel
def _spread_kernel(
    rises: Uint16Array1D,
    falls: Uint16Array1D,
    bit: np.uint16,
    allowed: Uint8Array1D,
    out: Uint8Array1D,
) -> None:
    """The actions of the configuration of one bit."""
    for i in range(len(out)):
        up, down = (rises[i] & bit) != 0, (falls[i] & bit) != 0
        out[i] = np.uint8((LONG if up else 0) | (SHORT if down else 0)) & allowed[i]


@kernel
def _exits_kernel(
    entries: Entries, exits_on_flat: bool, hold_bars: int, allowed: Uint8Array1D, out: Uint8Array1D
) -> None:
    """Sides (1, and 2 for -1) of all entries into actions, with exits (``strategies.decide``)."""
    before, wanted, turned_at = 0, 0, 0
    for index in range(len(entries.row)):
        code = out[index]
        out[index] = 0
        if entries.is_passed_over[index]:
            continue
        if entries.is_fresh[index]:
            before = 0
        side = 0 if code == 0 else (1 if code == 1 else -1)
        t = entries.row[index]
        if side != 0 and side != before:
            out[index] = allowed[index] & np.uint8(1 if side > 0 else 2)
            wanted, turned_at = side, t
        elif (side == 0 and before != 0 and exits_on_flat) or (
            wanted != 0 and 0 < hold_bars <= t - turned_at
        ):
            out[index] = allowed[index] & np.uint8(4)
            wanted = 0
        before = side
