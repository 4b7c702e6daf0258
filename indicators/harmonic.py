"""Harmonic patterns: five turning points in fixed proportions, and the zone where the last may come.

A zone (PRZ) is the D that ``harmonic_pattern.py`` projects with its tolerance, at most .1 XA wide
(.1 AB for ABCD), cut to what the pattern's q values can reach; a pattern whose zone is empty does not
exist. It is published when C becomes known, unless prices have been there already; it is entered by
the first bar that touches it and confirmed by the first close back out of it at most 5 bars later.

It fails by a close 1 ATR beyond it. Where D lies inside X (Gartley, Bat, Shark, Cypher) it also fails
by a close 1 % beyond X and, once entered, by a low beyond X: the lowest low since the entry is D. It
expires, which says nothing against it, when C is exceeded first, when it is touched sooner than .382
or not within 2.618 times AB's duration after C, after ``max_open_bars``, and when no close confirms it
in time. A confirmed pattern stays active for ``validity_bars``, then expires, or until it fails.

The seed keeps it active while prices are within 2 % of D: that is three hourly bars on one market and
a month on another, and it counts a return to D long after as the same pattern; an age means the same
everywhere.

Figures are made of consecutive swings of the alternating list; with ``minor_swings`` 1 one leg of a
figure may step over a minor swing, two pivots that stay strictly between the ends of the leg. CD needs
no such leave: until D, prices may move as they like below C.
"""

from typing import NamedTuple

import numpy as np

from engine import Float1D, Float2D

from . import _harmonic_zone as zones
from ._harmonic_figure import LEVEL_CONFLUENCE
from ._harmonic_pivot import completed_kernel
from ._harmonic_shape import ERROR_AB, ERROR_AD, ERROR_BC, ERROR_CD
from .event_table import (
    EVENT_FIELDS,
    LOG_BOTTOM,
    LOG_DIRECTION,
    LOG_KNOWN,
    LOG_TOP,
)
from .harmonic_pattern import PATTERNS, pattern_table
from .pivot import held_level, long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .swing import swing_stable_rows, swings_of
from .volatility import average_true_range, wilder_stable_rows

LOOKBACK = 100
"""Rows before which no value is given: about the time that five alternations take."""

ATR_LENGTH = 14
CONFIRM_BARS = 5
ZONE_POINTS, PIVOT_POINTS = ("X", "A", "B", "C"), ("X", "A", "B", "C", "D")


class ZoneSides(NamedTuple):
    """Zones of both sides: rows known on every bar (bearish prices negated), and the logs of both."""

    bullish: Float2D
    bearish: Float2D
    events: Float2D
    changes: Float2D


class CompletedSides(NamedTuple):
    """Figures whose D is a pivot: direction, code and precision ``(T,)``, and the log of events."""

    direction: Float1D
    code: Float1D
    precision: Float1D
    events: Float2D


def _unmirrored(log: Float2D, points: int) -> Float2D:
    """The log of bearish events, which kernels write in negated prices, in prices."""
    out = log.copy()
    prices = slice(EVENT_FIELDS + points, EVENT_FIELDS + 2 * points + LEVEL_CONFLUENCE)
    out[:, LOG_DIRECTION] = -1.0
    out[:, LOG_TOP], out[:, LOG_BOTTOM] = -log[:, LOG_BOTTOM], -log[:, LOG_TOP]
    out[:, prices] = -log[:, prices]
    return out


def _capacity(parameters: Parameters, figures: int) -> int:
    """Zones that can be open at once: ``figures`` on every swing of a zone's longest life.

    Two pivots of a kind lie more than ``min(left, right)`` rows apart, two turns more than one.
    """
    life = int(parameters["max_open_bars"]) + CONFIRM_BARS + int(parameters["validity_bars"]) + 3
    spacing = 2 if parameters["by_turns"] else int(min(parameters["left"], parameters["right"])) + 1
    return figures * (life // spacing + 2)


@shared
def harmonic_zones(columns: Columns, parameters: Parameters) -> ZoneSides:
    """Every zone of both sides, as the votes' columns and the table of events read it."""
    wide_legs = 3 * int(parameters["minor_swings"])
    price, anchor, kind = swings_of(columns, parameters).alternating(
        6 if wide_legs else 4, columns["is_gap"]
    )
    table = pattern_table(alternate_abcd=bool(parameters["alternate_abcd"]))
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, ATR_LENGTH)
    resets = long_gaps(columns["is_gap"], len(close))

    def side(
        high: Float1D, low: Float1D, close: Float1D, sign: float
    ) -> tuple[Float2D, Float2D, Float2D]:
        return zones.zones_kernel(
            table,
            np.ascontiguousarray(high),
            np.ascontiguousarray(low),
            np.ascontiguousarray(close),
            atr,
            sign * price,
            anchor,
            sign * kind,
            resets,
            parameters["tolerance"],
            parameters["point_tolerance"],
            int(parameters["max_span_bars"]),
            int(parameters["max_open_bars"]),
            int(parameters["validity_bars"]),
            wide_legs,
            _capacity(parameters, len(table) * (wide_legs + 1)),
        )

    bullish, events, changes = side(high, low, close, 1.0)
    bearish, bearish_events, bearish_changes = side(-low, -high, -close, -1.0)
    bearish_changes[:, 0] += len(events)
    return ZoneSides(
        bullish,
        bearish,
        np.concatenate((events, _unmirrored(bearish_events, len(ZONE_POINTS)))),
        np.concatenate((changes, bearish_changes)),
    )


@shared
def completed_figures(columns: Columns, parameters: Parameters) -> CompletedSides:
    """Every figure of both sides whose D has become known as a swing."""
    wide_legs = 4 * int(parameters["minor_swings"])
    price, anchor, kind = swings_of(columns, parameters).alternating(
        7 if wide_legs else 5, columns["is_gap"]
    )
    table = pattern_table(alternate_abcd=bool(parameters["alternate_abcd"]))
    limits = (
        parameters["tolerance"],
        parameters["point_tolerance"],
        int(parameters["max_span_bars"]),
        wide_legs,
    )
    bullish, bullish_precision, events = completed_kernel(table, price, anchor, kind, *limits)
    bearish, bearish_precision, mirrored = completed_kernel(table, -price, anchor, -kind, *limits)
    return CompletedSides(
        np.sign(bullish) - np.sign(bearish),
        bullish + bearish,
        bullish_precision + bearish_precision,
        np.concatenate((events, _unmirrored(mirrored, len(PIVOT_POINTS)))),
    )


def _net(sides: ZoneSides, row: int) -> Float1D:
    difference: Float1D = np.sign(sides.bullish[row] - sides.bearish[row])
    return difference


def _either(sides: ZoneSides, row: int) -> Float1D:
    own: Float1D = sides.bullish[row]
    return np.where(own > 0, own, sides.bearish[row])


def _newest(sides: ZoneSides, row: int, sign: float = -1.0) -> Float1D:
    """The newest number of either side, bullish first when both have one on a row."""
    own = sides.bullish[row]
    newest: Float1D = np.where(np.isnan(own), sign * sides.bearish[row], own)
    return held_level(newest)


def _published(events: Float2D, rows: int) -> tuple[Float1D, ...]:
    """Direction of the zones published on each row, and edges and confluence of the newest one."""
    known = events[:, LOG_KNOWN].astype(np.int64)
    direction = np.zeros(rows)
    np.add.at(direction, known, events[:, LOG_DIRECTION])
    held = []
    for field in (LOG_BOTTOM, LOG_TOP, EVENT_FIELDS + 8 + LEVEL_CONFLUENCE):
        column = np.full(rows, np.nan)
        # Of several zones published on one row the last of the table stays.
        column[known] = events[:, field]
        held.append(held_level(column))
    return np.sign(direction), *held


def _harmonic(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    sides = harmonic_zones(columns, parameters)
    direction, zone_low, zone_high, confluence = _published(sides.events, len(columns["close"]))
    values = [
        side[row].copy()
        for row in (zones.ACTIVE_COUNT, zones.ACTIVE_PRECISION)
        for side in (sides.bullish, sides.bearish)
    ]
    for value in values:
        value[:LOOKBACK] = np.nan
    return (
        direction,
        _net(sides, zones.ENTERED),
        _net(sides, zones.CONFIRMED),
        -_net(sides, zones.FAILED),
        _either(sides, zones.CONFIRMED_CODE),
        *values,
        zone_low,
        zone_high,
        *(
            _newest(sides, row)
            for row in (zones.TARGET_NEAR, zones.TARGET_FAR, zones.STOP, zones.TARGET_C)
        ),
        confluence,
        *(
            _newest(sides, zones.ERROR_ROW + error, 1.0)
            for error in (ERROR_AB, ERROR_BC, ERROR_CD, ERROR_AD)
        ),
        sides.bullish[zones.ACTIVE_PATTERNS],
        sides.bearish[zones.ACTIVE_PATTERNS],
    )


def _harmonic_pivot(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    found = completed_figures(columns, parameters)
    found.precision[:LOOKBACK] = np.nan
    entry = np.where(found.direction != 0, columns["close"], np.nan)
    return found.direction, found.code, found.precision, entry


_SIDES = (Parameter("left", 5, 2, 30), Parameter("right", 5, 2, 30))
_FIGURES = (
    Parameter("tolerance", 0.03, 0.01, 0.08, integer=False),
    Parameter("point_tolerance", 0.05, 0.01, 0.08, integer=False),
    Parameter("max_span_bars", 400, 50, 2000),
    Parameter("minor_swings", 0, 0, 1),
    Parameter("alternate_abcd", 0, 0, 1),
    Parameter("by_turns", 0, 0, 1),
    Parameter("turn_atr", 2.5, 1.0, 6.0, integer=False),
)


def _list_stable_rows(parameters: Parameters) -> int:
    return swing_stable_rows(parameters) + int(parameters["max_span_bars"])


def _zone_stable_rows(parameters: Parameters) -> int:
    life = int(parameters["max_open_bars"]) + CONFIRM_BARS + int(parameters["validity_bars"])
    return _list_stable_rows(parameters) + wilder_stable_rows(ATR_LENGTH) + 2 * life


HARMONIC = Indicator(
    name="harmonic",
    text="Harmonic patterns by their zone: published at C, entered, confirmed, failed.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(
        *_SIDES,
        *_FIGURES,
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
        Output("stop", "level", "price", "X, or 1.13 (butterfly 1.414) of the projection"),
        Output("target_c", "level", "price", "C of the newest confirmed pattern"),
        Output("confluence", "level", "XA", "distance of the newest zone's ideal D from AB = CD",
               low=0.0),
        Output("ab_error", "level", "tolerances", "error of AB/XA, newest confirmed pattern",
               low=0.0, high=1.0),
        Output("bc_error", "level", "tolerances", "error of BC/AB (XC/XA for the cypher)",
               low=0.0, high=1.0),
        Output("cd_error", "level", "tolerances", "error of CD/BC, at most 1", low=0.0, high=1.0),
        Output("ad_error", "level", "tolerances", "distance of D from its ideal, at most 1",
               low=0.0, high=1.0),
        Output("bullish_patterns", "state", "bits", "sum of 2 ** position in PATTERNS, valid ones",
               high=2.0 ** len(PATTERNS) - 1),
        Output("bearish_patterns", "state", "bits", "the same for bearish patterns",
               high=2.0 ** len(PATTERNS) - 1),
    ),
    compute=_harmonic,
    lookback=lambda parameters: LOOKBACK,
    stable=_zone_stable_rows,
)  # fmt: skip

HARMONIC_PIVOT = Indicator(
    name="harmonic_pivot",
    text="Harmonic patterns whose D is itself a confirmed pivot, known right bars after it.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(*_SIDES, *_FIGURES),
    outputs=(
        Output("completed", "signal", "direction", "1 bullish pattern, -1 bearish",
               firing_rate=(0.0005, 0.02)),
        Output("pattern", "state", "code", "position + 1 in PATTERNS",
               high=float(len(PATTERNS))),
        Output("precision", "value", "score", "1 - mean error in tolerances, 0 for none",
               low=0.0, high=1.0),
        Output("entry", "sparse", "price", "close of the row on which it became known, never D",
               low=0.0),
    ),
    compute=_harmonic_pivot,
    lookback=lambda parameters: LOOKBACK,
    stable=_list_stable_rows,
)  # fmt: skip

INDICATORS = (HARMONIC, HARMONIC_PIVOT)
