"""The table of harmonic patterns: which proportions each one asks for, and where it projects D.

X, A, B, C, D alternate between low and high. With b = AB/XA, c = BC/AB, q = CD/BC and d = AD/XA the
identity d = b (1 - c + c q) holds, so a pattern constrains b, c and q, and D is projected from three
points known in advance. Shapes: H. M. Gartley (1935); ratios: L. Pesavento (1997), S. Carney (1998 to
2010), D. Oglesbee (Cypher). There is no credible evidence that the patterns predict anything.
"""

from dataclasses import dataclass

import numpy as np

from engine import Float2D

from . import _harmonic_shape as shape


@dataclass(frozen=True, slots=True)
class HarmonicPattern:
    """One row of the table: ranges of b, c and q, the projection of D and where the idea is wrong.

    A range of one value is a point. ``ab`` None: X plays no part. ``cd`` None: q follows from the
    rest. ``mode`` says from which point, along which leg, ``target`` and ``stop`` are measured: from A
    along XA, from C along AB, XC or BC. In mode XC ``bc`` bounds XC/XA instead of BC/AB.
    ``ab_is_point`` gives b the tolerance of points, which is wider than that of ranges.
    """

    name: str
    mode: float
    ab: tuple[float, float] | None
    bc: tuple[float, float]
    cd: tuple[float, float] | None
    target: float
    stop: float
    ab_is_point: bool = False


_XA, _AB, _XC, _BC = shape.MODE_XA, shape.MODE_AB, shape.MODE_XC, shape.MODE_BC
_RETRACEMENT = (0.382, 0.886)

PATTERNS = (
    HarmonicPattern("gartley", _XA, (0.618, 0.618), _RETRACEMENT, (1.13, 1.618), 0.786, 1.0, True),
    HarmonicPattern("bat", _XA, (0.382, 0.5), _RETRACEMENT, (1.618, 2.618), 0.886, 1.0),
    HarmonicPattern("alternate_bat", _XA, (0.382, 0.382), _RETRACEMENT, (2.0, 3.618), 1.13, 1.27),
    HarmonicPattern(
        "butterfly", _XA, (0.786, 0.786), _RETRACEMENT, (1.618, 2.24), 1.27, 1.414, True
    ),
    HarmonicPattern("crab", _XA, (0.382, 0.618), _RETRACEMENT, (2.24, 3.618), 1.618, 1.828),
    HarmonicPattern(
        "deep_crab", _XA, (0.886, 0.886), _RETRACEMENT, (2.0, 3.618), 1.618, 1.828, True
    ),
    HarmonicPattern("abcd", _AB, None, _RETRACEMENT, None, 1.0, 1.13),
    HarmonicPattern("shark", _XA, (0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 0.886, 1.0),
    HarmonicPattern("deep_shark", _XA, (0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 1.13, 1.27),
    HarmonicPattern("cypher", _XC, (0.382, 0.618), (1.272, 1.414), (1.272, 2.0), 0.786, 1.0),
    HarmonicPattern("five_zero", _BC, (1.13, 1.618), (1.618, 2.24), None, 0.5, 0.618),
)
"""Every pattern; its code in the ``pattern`` outputs is its position + 1. ``deep_shark`` is the Shark
at the other end of its D range: between .886 and 1.13 the zone would be too wide to mean anything.
Where texts give several bounds the table has the first: the Butterfly's D is 1.27 (not up to 1.414) with
q to 2.24, the Crab's q begins at 2.24 and the Deep Crab's at 2, which their D hardly reaches anyway.
An ABCD of AB = CD has the reciprocal q = 1/c by the identity, so .5 goes with 2, .618 with 1.618, .786
with 1.27 and .886 with 1.13; Carney's 2.24 beside .382 is another figure (CD = .856 AB), left out."""

ALTERNATE_ABCD = (
    HarmonicPattern("abcd", _AB, None, _RETRACEMENT, None, 1.27, 1.414),
    HarmonicPattern("abcd", _AB, None, _RETRACEMENT, None, 1.618, 1.828),
)
"""ABCD whose CD is 1.27 or 1.618 times AB: a choice, for each adds a zone to nearly every leg."""

PATTERN_NAMES = tuple(pattern.name for pattern in PATTERNS)


def pattern_table(*, alternate_abcd: bool) -> Float2D:
    """The patterns as rows of the kernels' table, absent ranges as 0."""
    rows = [
        [PATTERN_NAMES.index(one.name) + 1.0, one.mode, *(one.ab or (0.0, 0.0)),
         float(one.ab_is_point), *one.bc, *(one.cd or (0.0, 0.0)), one.target, one.stop]
        for one in (*PATTERNS, *(ALTERNATE_ABCD if alternate_abcd else ()))
    ]  # fmt: skip
    return np.array(rows, dtype=np.float64)
