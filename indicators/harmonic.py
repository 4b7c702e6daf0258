"""Harmonic patterns: five turning points in fixed proportions, and the zone where the last may come.

X, A, B, C, D alternate between low and high. With b = AB/XA, c = BC/AB, q = CD/BC and d = AD/XA the
identity d = b (1 - c + c q) holds, so a pattern constrains b, c and q, and D is projected from three
points known in advance. Shapes: H. M. Gartley (1935); ratios: L. Pesavento (1997), S. Carney (1998 to
2010), D. Oglesbee (Cypher). There is no credible evidence that the patterns predict anything.

A zone (PRZ) is the projected D with its tolerance, at most .1 XA wide (.1 AB for ABCD), cut to what
the pattern's q values can reach; a pattern whose zone is empty does not exist. It is published when
C is confirmed, ``right`` bars late, unless prices have been there already; it dies when C is
exceeded, when it is touched sooner than .382 or later than 2.618 times AB's duration after C, after
``max_open_bars``, or by a close 1 ATR beyond it. Where D lies inside X (Gartley, Bat, Shark) it also
dies by a close 1 % beyond X and, once entered, by a low beyond X: the lowest low since the entry is
D. It is entered by the first bar that touches it and confirmed by the first close back out of it at
most 5 bars later. Death between entry and confirmation is the event ``failed``, as is a break before.

A confirmed pattern stays active for ``validity_bars`` or until it breaks. The seed keeps it active
while prices are within 2 % of D: that is three hourly bars on one market and a month on another, and
it counts a return to D long after as the same pattern; an age means the same everywhere.
"""

from dataclasses import dataclass

import numpy as np

from engine import Float1D, Float2D

from . import _harmonic_zone as zone_kernels
from .pivot import (
    alternating_pivots,
    confirmed_pivots,
    held_level,
    long_gaps,
    pivot_stable_rows,
)
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

LOOKBACK = 100
"""Rows before which no value is given: about the time that five alternations take."""

ATR_LENGTH = 14
CONFIRM_BARS = 5


@dataclass(frozen=True, slots=True)
class HarmonicPattern:
    """One row of the table: ranges of b, c and q, the projection of D and where the idea is wrong.

    A range of one value is a point. ``ab`` None: X plays no part. ``cd`` None: q follows from the
    rest. ``mode`` says from which point, along which leg, ``target`` and ``stop`` are measured: from A
    along XA, from C along AB, XC or BC. In mode XC ``bc`` bounds XC/XA instead of BC/AB.
    """

    name: str
    mode: float
    ab: tuple[float, float] | None
    bc: tuple[float, float]
    cd: tuple[float, float] | None
    target: float
    stop: float

    def row(self) -> list[float]:
        """The pattern as one row of the kernels' table, absent ranges as 0."""
        return [self.mode, *(self.ab or (0.0, 0.0)), *self.bc, *(self.cd or (0.0, 0.0)),
                self.target, self.stop]  # fmt: skip


_XA, _AB = zone_kernels.MODE_XA, zone_kernels.MODE_AB
_XC, _BC = zone_kernels.MODE_XC, zone_kernels.MODE_BC
_RETRACEMENT = (0.382, 0.886)

PATTERNS = (
    HarmonicPattern("gartley", _XA, (0.618, 0.618), _RETRACEMENT, (1.13, 1.618), 0.786, 1.0),
    HarmonicPattern("bat", _XA, (0.382, 0.5), _RETRACEMENT, (1.618, 2.618), 0.886, 1.0),
    HarmonicPattern("alternate_bat", _XA, (0.382, 0.382), _RETRACEMENT, (2.0, 3.618), 1.13, 1.27),
    HarmonicPattern("butterfly", _XA, (0.786, 0.786), _RETRACEMENT, (1.618, 2.24), 1.27, 1.414),
    HarmonicPattern("crab", _XA, (0.382, 0.618), _RETRACEMENT, (2.24, 3.618), 1.618, 1.828),
    HarmonicPattern("deep_crab", _XA, (0.886, 0.886), _RETRACEMENT, (2.0, 3.618), 1.618, 1.828),
    HarmonicPattern("abcd", _AB, None, _RETRACEMENT, None, 1.0, 1.13),
    HarmonicPattern("shark", _XA, (0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 0.886, 1.0),
    HarmonicPattern("deep_shark", _XA, (0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 1.13, 1.27),
    HarmonicPattern("cypher", _XC, (0.382, 0.618), (1.272, 1.414), (1.272, 2.0), 0.786, 1.0),
    HarmonicPattern("five_zero", _BC, (1.13, 1.618), (1.618, 2.24), None, 0.5, 0.618),
)
"""Every pattern; its code in the ``pattern`` outputs is its position + 1. ``deep_shark`` is the Shark
at the other end of its D range: between .886 and 1.13 the zone would be too wide to mean anything."""


def harmonic_ratios(
    x: float, a: float, b: float, c: float, d: float
) -> tuple[float, float, float, float]:
    """AB/XA, BC/AB, CD/BC and AD/XA of five prices; each signed, so that d = b (1 - c + c q) holds."""
    return (a - b) / (a - x), (c - b) / (a - b), (c - d) / (c - b), (a - d) / (a - x)


def _table() -> Float2D:
    table: Float2D = np.array([pattern.row() for pattern in PATTERNS], dtype=np.float64)
    return table


def _pivot_list(
    columns: Columns, parameters: Parameters, depth: int
) -> tuple[Float2D, Float2D, Float2D]:
    left, right = int(parameters["left"]), int(parameters["right"])
    pivot_high, pivot_low = confirmed_pivots(columns["high"], columns["low"], left, right)
    return alternating_pivots(pivot_high, pivot_low, right, depth, is_gap=columns["is_gap"])


def _capacity(parameters: Parameters) -> int:
    """Zones that can be open at once: all patterns on every pivot of a zone's longest life.

    Two pivots of a kind lie more than ``min(left, right)`` rows apart.
    """
    life = int(parameters["max_open_bars"]) + CONFIRM_BARS + int(parameters["validity_bars"]) + 3
    spacing = int(min(parameters["left"], parameters["right"])) + 1
    return len(PATTERNS) * (life // spacing + 2)


def _side_events(columns: Columns, parameters: Parameters, sign: float) -> Float2D:
    """Bullish zones for ``sign`` 1; for -1 bearish ones, as bullish ones of the negated prices."""
    price, anchor, kind = _pivot_list(columns, parameters, 4)
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, ATR_LENGTH)
    if sign < 0:
        high, low, close = -low, -high, -close
    return zone_kernels.zones_kernel(
        _table(),
        np.ascontiguousarray(high),
        np.ascontiguousarray(low),
        np.ascontiguousarray(close),
        atr,
        sign * price,
        anchor,
        sign * kind,
        long_gaps(columns["is_gap"], len(close)),
        parameters["tolerance"],
        parameters["point_tolerance"],
        int(parameters["max_span_bars"]),
        int(parameters["max_open_bars"]),
        int(parameters["validity_bars"]),
        _capacity(parameters),
    )


def _net(bullish: Float2D, bearish: Float2D, row: int) -> Float1D:
    difference: Float1D = np.sign(bullish[row]) - np.sign(bearish[row])
    return difference


def _either(bullish: Float2D, bearish: Float2D, row: int) -> Float1D:
    own: Float1D = bullish[row]
    return np.where(own > 0, own, bearish[row])


def _level(bullish: Float2D, bearish: Float2D, row: int, mirrored_row: int) -> Float1D:
    """The newest level of either side, bullish first when both have one on a row."""
    own = bullish[row]
    newest: Float1D = np.where(np.isnan(own), -bearish[mirrored_row], own)
    return held_level(newest)


def _harmonic(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    bullish = _side_events(columns, parameters, 1.0)
    bearish = _side_events(columns, parameters, -1.0)
    z = zone_kernels
    values = [
        side[row].copy()
        for row in (z.ACTIVE_COUNT, z.ACTIVE_PRECISION)
        for side in (bullish, bearish)
    ]
    for value in values:
        value[:LOOKBACK] = np.nan
    return (
        _net(bullish, bearish, z.PUBLISHED),
        _net(bullish, bearish, z.ENTERED),
        _net(bullish, bearish, z.CONFIRMED),
        _net(bearish, bullish, z.FAILED),
        _either(bullish, bearish, z.CONFIRMED),
        *values,
        _level(bullish, bearish, z.ZONE_LOW, z.ZONE_HIGH),
        _level(bullish, bearish, z.ZONE_HIGH, z.ZONE_LOW),
        _level(bullish, bearish, z.TARGET_NEAR, z.TARGET_NEAR),
        _level(bullish, bearish, z.TARGET_FAR, z.TARGET_FAR),
        _level(bullish, bearish, z.STOP, z.STOP),
    )


def _harmonic_pivot(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    price, anchor, kind = _pivot_list(columns, parameters, 5)
    arguments = (
        parameters["tolerance"],
        parameters["point_tolerance"],
        int(parameters["max_span_bars"]),
    )
    table = _table()
    bullish, bullish_precision = zone_kernels.completed_kernel(
        table, price, anchor, kind, *arguments
    )
    bearish, bearish_precision = zone_kernels.completed_kernel(
        table, -price, anchor, -kind, *arguments
    )
    precision = bullish_precision + bearish_precision
    precision[:LOOKBACK] = np.nan
    return np.sign(bullish) - np.sign(bearish), bullish + bearish, precision


_SIDES = (Parameter("left", 5, 2, 30), Parameter("right", 5, 2, 30))
_TOLERANCES = (
    Parameter("tolerance", 0.03, 0.01, 0.08, integer=False),
    Parameter("point_tolerance", 0.05, 0.01, 0.08, integer=False),
    Parameter("max_span_bars", 400, 50, 2000),
)


def _list_stable_rows(parameters: Parameters) -> int:
    settled = pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
    return settled + int(parameters["max_span_bars"])


def _zone_stable_rows(parameters: Parameters) -> int:
    life = int(parameters["max_open_bars"]) + CONFIRM_BARS + int(parameters["validity_bars"])
    return _list_stable_rows(parameters) + wilder_stable_rows(ATR_LENGTH) + 2 * life


HARMONIC = Indicator(
    name="harmonic",
    text="Harmonic patterns by their zone: published at C, entered, confirmed, failed.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(
        *_SIDES,
        *_TOLERANCES,
        Parameter("max_open_bars", 200, 20, 1000),
        Parameter("validity_bars", 10, 1, 60),
    ),
    outputs=(
        Output("published", "signal", "direction", "1 bullish zone published, -1 bearish",
               firing_rate=(0.003, 0.06)),
        Output("entered", "signal", "direction", "1 bullish zone touched, -1 bearish",
               firing_rate=(0.002, 0.04)),
        Output("confirmed", "signal", "direction", "1 close back above a bullish zone, -1 mirrored",
               firing_rate=(0.001, 0.03)),
        Output("failed", "signal", "direction", "-1 prices broke a bullish zone, 1 mirrored",
               firing_rate=(0.0005, 0.02)),
        Output("pattern", "state", "code", "position + 1 in PATTERNS of the zone just confirmed",
               high=float(len(PATTERNS))),
        Output("bullish_count", "value", "count", "confirmed bullish patterns still valid", low=0.0),
        Output("bearish_count", "value", "count", "confirmed bearish patterns still valid", low=0.0),
        Output("bullish_precision", "value", "score", "sum of their precision", low=0.0),
        Output("bearish_precision", "value", "score", "sum of their precision", low=0.0),
        Output("zone_low", "level", "price", "lower edge of the newest zone published"),
        Output("zone_high", "level", "price", "upper edge of that zone"),
        Output("target_near", "level", "price", ".382 of AD from D, newest confirmed pattern"),
        Output("target_far", "level", "price", ".618 of AD from D"),
        Output("stop", "level", "price", "beyond X, or 1.13 (butterfly 1.414) of the projection"),
    ),
    compute=_harmonic,
    lookback=lambda parameters: LOOKBACK,
    stable=_zone_stable_rows,
)  # fmt: skip

HARMONIC_PIVOT = Indicator(
    name="harmonic_pivot",
    text="Harmonic patterns whose D is itself a confirmed pivot, known right bars after it.",
    inputs=("high", "low", "is_gap"),
    parameters=(*_SIDES, *_TOLERANCES),
    outputs=(
        Output("completed", "signal", "direction", "1 bullish pattern, -1 bearish",
               firing_rate=(0.0005, 0.02)),
        Output("pattern", "state", "code", "position + 1 in PATTERNS",
               high=float(len(PATTERNS))),
        Output("precision", "value", "score", "1 - mean error in tolerances, 0 for none",
               low=0.0, high=1.0),
    ),
    compute=_harmonic_pivot,
    lookback=lambda parameters: LOOKBACK,
    stable=_list_stable_rows,
)  # fmt: skip

INDICATORS = (HARMONIC, HARMONIC_PIVOT)
