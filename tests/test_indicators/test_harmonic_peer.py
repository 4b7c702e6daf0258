"""pyharmonics 1.5.3 and our figures on the same bars: the same shapes, and why each other one differs.

Its answers stand in a file (`python -m benchmarks.peers.harmonic_figures` makes it); it runs in an
environment of its own. It takes a peak for D on the bar itself, which needs ``order`` later bars, so
its figures are compared with ours on the row ``order`` bars after D, where they were knowable.

Where the rules agree, so do the figures. The rest is counted below by the rule that parts them: it
steps over any number of swings where we step over one, takes peaks at the edge of its data, asks for
no proportion of durations, gives ratios of its own to some patterns (b of the Cypher, D of the
Butterfly and of the Sharks, the ABCD), and asks for an X that is the end of a swing.
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.peers.frozen_bars import figure_bars
from benchmarks.peers.harmonic_figures import FIGURES, ORDER, SEEDS, TOLERANCE, VERSION, digest
from engine import Float1D
from indicators.harmonic_events import HARMONIC_PIVOT_DETECTOR
from indicators.harmonic_pattern import PATTERN_NAMES
from indicators.pivot import alternating_pivots, confirmed_pivots
from tests.oracles.harmonic import ABCD_STOPS, ON_XA, harmonic_ratios

ANSWERS = Path(__file__).parent.parent / "oracles" / "pyharmonics_answers.json"
NAMES = {"alt bat": "alternate_bat"}
RETRACEMENT = (0.382, 0.886)
# name: AB/XA, BC/AB, CD/BC, and XD measured from the further of A and C; the peer's table as it is.
THEIRS = {
    "gartley": ((0.618, 0.618), RETRACEMENT, (1.272, 1.618), (0.786, 0.786)),
    "bat": ((0.382, 0.5), RETRACEMENT, (1.618, 2.618), (0.886, 0.886)),
    "alternate_bat": ((0.382, 0.382), RETRACEMENT, (2.0, 3.618), (1.13, 1.13)),
    "butterfly": ((0.786, 0.786), RETRACEMENT, (1.618, 2.618), (1.272, 1.414)),
    "crab": ((0.382, 0.618), RETRACEMENT, (2.618, 3.618), (1.618, 1.618)),
    "deep_crab": ((0.886, 0.886), RETRACEMENT, (2.227, 3.618), (1.618, 1.618)),
    "shark": ((0.382, 0.618), (1.13, 1.618), (1.618, 2.24), (0.886, 0.886)),
    "deep_shark": ((0.382, 0.618), (1.13, 1.618), (1.618, 2.24), (1.13, 1.13)),
    "cypher": ((0.786, 0.786), (1.272, 1.414), (1.272, 2.0), (0.786, 0.786)),
}
RECIPROCAL = {0.382: (2.24, 2.618), 0.5: (2.0,), 0.618: (1.618,), 0.707: (1.414,), 0.786: (1.272,),
              0.886: (1.13,)}  # fmt: skip
LEAST_RETRACE = 0.382
"""Smaller retracements do not exist for the peer, whatever its tolerance."""


@dataclass(frozen=True, order=True)
class Figure:
    """One figure of either side: rows of X, A, B, C, D, or of A, B, C, D for an ABCD."""

    name: str
    side: int
    rows: tuple[int, ...]


class Bars:
    """Frozen bars, their peaks, and ratios of figures in them."""

    def __init__(self, columns: dict[str, Float1D]) -> None:
        self.columns = {name: columns[name] for name in ("high", "low", "close")}
        self.high, self.low, self.rows = columns["high"], columns["low"], len(columns["close"])

    def prices(self, figure: Figure, side: int = 1) -> list[float]:
        """Prices of the points; ``side`` -1 negates those of a bearish figure."""
        first_is_low = (figure.side > 0) == (len(figure.rows) == 5)
        found = [
            float((self.low if (i % 2 == 0) == first_is_low else self.high)[row])
            for i, row in enumerate(figure.rows)
        ]
        return found if side > 0 or figure.side > 0 else [-price for price in found]

    def peaks(self, figure: Figure) -> list[tuple[int, float, bool]]:
        """(row, price, is a high) of all peaks of theirs in order, negated for a bearish figure."""
        found = []
        for values, is_high in ((self.high, True), (-self.low, False)):
            for row in range(self.rows):
                near = values[max(row - ORDER, 0) : row + ORDER + 1]
                if values[row] >= near.max():
                    found.append(
                        (row, float(self.high[row] if is_high else self.low[row]), is_high)
                    )
        found.sort(key=lambda peak: peak[0])
        return [
            (row, figure.side * price, is_high == (figure.side > 0))
            for row, price, is_high in found
        ]


@cache
def bars(seed: int) -> Bars:
    return Bars(figure_bars(seed, FIGURES))


@cache
def theirs(seed: int) -> frozenset[Figure]:
    said = json.loads(ANSWERS.read_text())
    return frozenset(
        Figure(
            NAMES.get(name, name.replace(" ", "_")) if len(rows) == 5 else "abcd", side, tuple(rows)
        )
        for name, side, *rows in said["markets"][seed]
    )


@cache
def ours(seed: int) -> frozenset[Figure]:
    columns = {**bars(seed).columns, "is_gap": np.zeros(bars(seed).rows)}
    parameters = HARMONIC_PIVOT_DETECTOR.resolved(
        {
            "left": ORDER, "right": ORDER, "tolerance": TOLERANCE, "point_tolerance": TOLERANCE,
            "minor_swings": 1, "alternate_abcd": 1,
        }
    )  # fmt: skip
    table = HARMONIC_PIVOT_DETECTOR.find(columns, parameters)
    np.testing.assert_array_equal(table.known, table.point_rows[:, 4] + ORDER)
    found = set()
    for i in range(len(table)):
        name = PATTERN_NAMES[table.type[i]]
        rows = tuple(table.point_rows[i].tolist())
        found.add(Figure(name, int(table.direction[i]), rows[1:] if name == "abcd" else rows))
    return frozenset(found)


def fits(value: float, wanted: tuple[float, float] | float) -> bool:
    low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    return low * (1 - TOLERANCE) <= value <= high * (1 + TOLERANCE)


def why_not_ours(figure: Figure, market: Bars) -> str:
    """The first of our rules that a figure of theirs breaks."""
    rows = figure.rows
    if rows[-1] + ORDER >= market.rows or rows[0] < ORDER:
        return "a peak at the edge that nothing confirms"
    if not steps_over_one_swing(figure, market):
        return "more than one minor swing, or one that leaves the leg"
    legs = [later - earlier for earlier, later in pairwise(rows)]
    if min(legs) < 3:
        return "a leg of less than 3 bars"
    if rows[-1] - rows[0] > 400:
        return "longer than 400 bars"
    if not 0.382 <= legs[-1] / legs[-3] <= 2.618:
        return "CD too short or too long beside AB"
    if figure.name == "abcd":
        a, b, c, d = market.prices(figure)
        assert not any(fits((c - d) / (a - b), ratio) for ratio in ABCD_STOPS)
        return "CD is none of 1, 1.27, 1.618 AB"
    if figure.name not in ON_XA:
        return "not one of the eleven"
    _, _, q, d = harmonic_ratios(*market.prices(figure))
    wanted_q, wanted_d = ON_XA[figure.name][2:]
    if not fits(d, wanted_d):
        return "AD/XA is another one"
    assert not fits(q, wanted_q)
    return "CD/BC is outside"


def steps_over_one_swing(figure: Figure, market: Bars) -> bool:
    """Whether the points are swings of the list that stood when D was known, at most two between."""
    high, low = confirmed_pivots(market.high, market.low, ORDER, ORDER)
    price, anchor, _ = alternating_pivots(high, low, ORDER, 40)
    known = figure.rows[-1] + ORDER
    listed = anchor[known].tolist()
    if any(row not in listed for row in figure.rows):
        return False
    at = [listed.index(row) for row in figure.rows]
    if at[-1] != 0 or at[0] > len(figure.rows) + 1:
        return False
    for older, newer in pairwise(at):
        ends = sorted((price[known, older], price[known, newer]))
        between = price[known, newer + 1 : older]
        if not ((between > ends[0]) & (between < ends[1])).all():
            return False
    return True


def has_true_anchor(peaks: list[tuple[int, float, bool]], row_x: int, move: float) -> bool:
    """Going back from X: whether a high .382 of XA above X comes before a low below X does."""
    start = next(i for i, (row, _, is_high) in enumerate(peaks) if row == row_x and not is_high)
    for _, own, is_high in reversed(peaks[:start]):
        if is_high and abs(own - peaks[start][1]) / move >= LEAST_RETRACE:
            return True
        if not is_high and own < peaks[start][1]:
            return False
    return True


def why_not_theirs(figure: Figure, market: Bars) -> str:
    """The first of their rules that a figure of ours breaks."""
    if figure.name == "five_zero":
        return "5-0 is none of theirs"
    *first, a, b, c, d = market.prices(figure, -1)
    ratio_c, q = (c - b) / (a - b), (c - d) / (c - b)
    if not first:
        assert not any(
            fits(ratio_c, own_c) and fits(q, own_q * ratio)
            for own_c, own_qs in RECIPROCAL.items()
            for own_q in own_qs
            for ratio in (1.0, 1.272, 1.618)
        )
        return "BC/AB and CD/BC are no pair of theirs"
    x, ratio_b, further = first[0], (a - b) / (a - first[0]), max(a, c)
    wanted = THEIRS[figure.name]
    if ratio_b < LEAST_RETRACE or ratio_c < LEAST_RETRACE:
        return "a retracement under .382"
    if not (fits(ratio_b, wanted[0]) and fits(ratio_c, wanted[1])):
        return "AB/XA or BC/AB is another one"
    if not fits(q, wanted[2]):
        return "CD/BC is outside"
    if not fits((further - d) / (further - x), wanted[3]):
        return "XD is measured from the further of A and C"
    assert not has_true_anchor(market.peaks(figure), figure.rows[0], a - x)
    return "a swing beyond X comes before one of .382 of XA"


def test_the_answers_are_those_of_these_bars() -> None:
    said = json.loads(ANSWERS.read_text())
    assert {name: said[name] for name in ("pyharmonics", "order", "tolerance")} == {
        "pyharmonics": VERSION, "order": ORDER, "tolerance": TOLERANCE,
    }  # fmt: skip
    assert said["bars"] == digest([figure_bars(seed, FIGURES) for seed in SEEDS])
    for seed in SEEDS:
        columns = bars(seed).columns
        # A plateau turns at its first bar with us, at its last one with the peer: there is none.
        assert all((np.diff(columns[name]) != 0).all() for name in ("high", "low"))


def test_the_same_figures_are_found_where_the_rules_agree() -> None:
    found = Counter(figure.name for seed in SEEDS for figure in ours(seed) & theirs(seed))
    assert found == {
        "abcd": 14, "deep_shark": 13, "shark": 11, "gartley": 9, "bat": 7, "deep_crab": 7,
        "alternate_bat": 6, "butterfly": 6, "crab": 5,
    }  # fmt: skip
    sides = Counter(figure.side for seed in SEEDS for figure in ours(seed) & theirs(seed))
    assert min(sides[1], sides[-1]) >= 30


def test_every_other_figure_of_theirs_breaks_a_rule_of_ours() -> None:
    reasons = Counter(
        why_not_ours(figure, bars(seed)) for seed in SEEDS for figure in theirs(seed) - ours(seed)
    )
    assert reasons == {
        "a peak at the edge that nothing confirms": 7,
        "more than one minor swing, or one that leaves the leg": 80,
        "CD too short or too long beside AB": 11,
        "CD is none of 1, 1.27, 1.618 AB": 3,
        "AD/XA is another one": 10,
        "CD/BC is outside": 1,
    }


def test_every_other_figure_of_ours_breaks_a_rule_of_theirs() -> None:
    reasons = Counter(
        why_not_theirs(figure, bars(seed)) for seed in SEEDS for figure in ours(seed) - theirs(seed)
    )
    assert reasons == {
        "5-0 is none of theirs": 19,
        "BC/AB and CD/BC are no pair of theirs": 24,
        "a retracement under .382": 5,
        "AB/XA or BC/AB is another one": 6,
        "CD/BC is outside": 3,
        "XD is measured from the further of A and C": 6,
        "a swing beyond X comes before one of .382 of XA": 14,
    }
