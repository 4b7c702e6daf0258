"""Fair value gaps, what price does with them, and the balanced ranges of two opposite gaps."""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, kernel

from .pivot import long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows
from .zone import ZoneTrack, tracked_zones

ATR_LENGTH = 14
MIN_SIZE_ATR, MIN_DISPLACEMENT_ATR = 0.1, 1.0
"""What a gap needs to count as the displacement of a break (SPEC H5.3)."""
FARTHEST_ATR = 10.0
"""Distances to a zone are told up to this many ATR; a zone that does not exist is that far away."""


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Zones on the rows where they become known, and what became of them; arrays are ``(T,)``.

    ``direction`` is 1 or -1 where one becomes known, ``top`` and ``bottom`` its edges there and
    ``anchor`` the first row of its shape, which means something only there.
    """

    direction: Float1D
    top: Float1D
    bottom: Float1D
    anchor: Float1D
    track: ZoneTrack


@kernel(nogil=True)
def _balanced_kernel(
    direction: Float1D, top: Float1D, bottom: Float1D, resets: Bool1D, window_bars: int
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    rows = len(direction)
    event, upper, lower = np.zeros(rows), np.full(rows, np.nan), np.full(rows, np.nan)
    earlier = np.full(rows, -1.0)
    start = 0
    for t in range(rows):
        if resets[t]:
            start = t + 1
        if direction[t] == 0:
            continue
        for s in range(t - 1, max(t - window_bars, start) - 1, -1):
            if direction[s] * direction[t] >= 0:
                continue
            overlap_top, overlap_bottom = min(top[s], top[t]), max(bottom[s], bottom[t])
            if overlap_top > overlap_bottom:
                event[t], upper[t], lower[t] = direction[t], overlap_top, overlap_bottom
                earlier[t] = float(s)
                break
    return event, upper, lower, earlier


def _before(values: Float1D, bars: int) -> Float1D:
    shifted = np.full(len(values), np.nan)
    shifted[bars:] = values[: max(len(values) - bars, 0)]
    return shifted


def fair_value_gaps(
    columns: Columns, min_size_atr: float, min_displacement_atr: float
) -> tuple[Float1D, Float1D, Float1D]:
    """Three-bar gaps, on the row of their third bar, where they become known.

    Bullish when ``low[t] > high[t - 2]`` and the gap is at least ``min_size_atr * ATR14[t]``; the
    zone is [high[t - 2], low[t]]. With ``min_displacement_atr`` above 0 the middle bar also needs a
    body of half its range or more and a range of ``min_displacement_atr * ATR14[t - 1]``. Bearish
    gaps are mirrored; three bars of which one is missing make no gap.

    ``columns`` needs open, high, low, close and is_gap, each ``(T,)``. Returns direction (1, -1, 0),
    top and bottom (NaN without a gap), each ``(T,)``; nothing before the ATR is known.
    """
    open_, high, low, close = (columns[name] for name in ("open", "high", "low", "close"))
    atr = average_true_range(high, low, close, ATR_LENGTH)
    body_before, range_before = _before(np.abs(close - open_), 1), _before(high - low, 1)
    atr_before = _before(atr, 1)
    real = (columns["is_gap"] == 0) & (_before(columns["is_gap"], 1) == 0)
    real &= _before(columns["is_gap"], 2) == 0
    if min_displacement_atr > 0:
        real &= body_before >= 0.5 * range_before
        real &= range_before >= min_displacement_atr * atr_before
    bullish_size, bearish_size = low - _before(high, 2), _before(low, 2) - high
    smallest = min_size_atr * atr
    bullish = real & (bullish_size > 0) & (bullish_size >= smallest)
    bearish = real & (bearish_size > 0) & (bearish_size >= smallest)
    top = np.where(bullish, low, np.where(bearish, _before(low, 2), np.nan))
    bottom = np.where(bullish, _before(high, 2), np.where(bearish, high, np.nan))
    return bullish.astype(np.float64) - bearish, top, bottom


def balanced_price_ranges(
    direction: Float1D,
    top: Float1D,
    bottom: Float1D,
    window_bars: int,
    is_gap: Float1D | None = None,
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    """Overlap of a gap with the newest opposite gap of the ``window_bars`` rows before it.

    Arrays ``(T,)`` from ``fair_value_gaps``. Known on the later gap's row, with the later gap's
    direction; never across a long run of missing bars. Returns direction, top and bottom, as
    ``fair_value_gaps`` does, and the earlier gap's row (-1 elsewhere).
    """
    return _balanced_kernel(
        np.ascontiguousarray(direction),
        np.ascontiguousarray(top),
        np.ascontiguousarray(bottom),
        long_gaps(is_gap, len(direction)),
        window_bars,
    )


def distance_atr(distance: Float1D, atr: Float1D) -> Float1D:
    """``distance / atr``, at most ``FARTHEST_ATR`` and that where there is no zone; NaN without ATR."""
    ratio = np.where(np.isnan(distance), np.inf, distance) / np.where(atr > 0, atr, np.nan)
    capped = np.minimum(np.where(np.isnan(ratio), FARTHEST_ATR, ratio), FARTHEST_ATR)
    return np.where(np.isnan(atr), np.nan, capped)


@shared
def found_gaps(columns: Columns, parameters: Parameters) -> Zones:
    """The fair value gaps that ``FAIR_VALUE_GAP``'s parameters ask for, anchored on their first bar."""
    close = columns["close"]
    direction, top, bottom = fair_value_gaps(
        columns, parameters["min_size_atr"], parameters["min_displacement_atr"]
    )
    track = tracked_zones(
        (columns["high"], columns["low"], close),
        direction,
        (top, bottom),
        long_gaps(columns["is_gap"], len(close)),
        expiry_bars=int(parameters["expiry_bars"]),
    )
    anchor = np.arange(len(close), dtype=np.float64) - 2.0
    return Zones(direction, top, bottom, anchor, track)


@shared
def found_balanced_ranges(columns: Columns, parameters: Parameters) -> Zones:
    """The balanced ranges that ``BALANCED_PRICE_RANGE``'s parameters ask for.

    Anchored on the first bar of the earlier gap. A close beyond the far edge ends a range.
    """
    close = columns["close"]
    gaps = fair_value_gaps(columns, parameters["min_size_atr"], parameters["min_displacement_atr"])
    direction, top, bottom, earlier = balanced_price_ranges(
        *gaps, int(parameters["window_bars"]), columns["is_gap"]
    )
    track = tracked_zones(
        (columns["high"], columns["low"], close),
        direction,
        (top, bottom),
        long_gaps(columns["is_gap"], len(close)),
        expiry_bars=int(parameters["expiry_bars"]),
        flips=False,
    )
    return Zones(direction, top, bottom, earlier - 2.0, track)


def zone_distances(columns: Columns, track: ZoneTrack) -> tuple[Float1D, ...]:
    """From the close to the nearest bullish and bearish zone and to the nearest flipped ones, in ATR."""
    atr = average_true_range(columns["high"], columns["low"], columns["close"], ATR_LENGTH)
    return (
        distance_atr(track.distance_bullish, atr),
        distance_atr(track.distance_bearish, atr),
        distance_atr(track.flipped_distance_bullish, atr),
        distance_atr(track.flipped_distance_bearish, atr),
    )


def distance_output(name: str, zone: str) -> Output:
    """The column ``<name>_distance_atr``: how far the nearest ``zone`` is."""
    text = f"from the close to the nearest {zone}, {FARTHEST_ATR:g} when farther or none"
    return Output(f"{name}_distance_atr", "value", "ATR", text, low=0.0, high=FARTHEST_ATR)


def _fair_value_gap(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    found = found_gaps(columns, parameters)
    track = found.track
    return (
        found.direction,
        track.reaction,
        track.flip,
        track.inside,
        track.open_bullish,
        track.open_bearish,
        *zone_distances(columns, track),
    )


def _balanced(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    found = found_balanced_ranges(columns, parameters)
    track = found.track
    return (
        found.direction,
        track.touch,
        track.fresh_bullish,
        track.fresh_bearish,
        *zone_distances(columns, track)[:2],
    )


def _zone_stable_rows(parameters: Parameters) -> int:
    # Half as long again as a Wilder average needs for 1e-6: a threshold on the ATR is then decided
    # the same way except within 1e-9 of a tie.
    return int(parameters["expiry_bars"]) + 3 * wilder_stable_rows(ATR_LENGTH) // 2


_MIN_SIZE = Parameter("min_size_atr", MIN_SIZE_ATR, 0.0, 1.0, integer=False)
_EXPIRY = Parameter("expiry_bars", 200, 10, 500)

FAIR_VALUE_GAP = Indicator(
    name="fair_value_gap",
    text="Three-bar gaps (ICT fair value gaps): known on the third bar, followed until they expire.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        _MIN_SIZE,
        Parameter("min_displacement_atr", MIN_DISPLACEMENT_ATR, 0.0, 2.0, integer=False),
        _EXPIRY,
    ),
    outputs=(
        Output(
            "event",
            "signal",
            "direction",
            "a gap becomes known",
            firing_rate=(0.02, 0.20),
        ),
        Output(
            "reaction",
            "signal",
            "direction",
            "price reaches the middle of a gap for the first time and closes back on its side",
            firing_rate=(0.01, 0.08),
        ),
        Output(
            "inversion",
            "signal",
            "direction",
            "a close beyond the far edge turns a gap to this side",
            firing_rate=(0.01, 0.16),
        ),
        Output(
            "inside",
            "signal",
            "direction",
            "the close lies in an unfilled gap of this side",
            firing_rate=(0.02, 0.30),
        ),
        Output("bullish_count", "state", "count", "unfilled bullish gaps", low=0.0),
        Output("bearish_count", "state", "count", "unfilled bearish gaps", low=0.0),
        distance_output("bullish", "unfilled bullish gap"),
        distance_output("bearish", "unfilled bearish gap"),
        distance_output("bullish_inverted", "inverted gap that supports"),
        distance_output("bearish_inverted", "inverted gap that resists"),
    ),
    compute=_fair_value_gap,
    lookback=lambda parameters: ATR_LENGTH,
    stable=_zone_stable_rows,
)

BALANCED_PRICE_RANGE = Indicator(
    name="balanced_price_range",
    text="Overlap of two opposite gaps of any displacement; takes the direction of the later one.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        _MIN_SIZE,
        # SPEC H5.4 asks for two gaps that overlap and names no displacement, an option of H5.3.
        Parameter("min_displacement_atr", 0.0, 0.0, 2.0, integer=False),
        Parameter("window_bars", 20, 5, 60),
        _EXPIRY,
    ),
    outputs=(
        Output(
            "event",
            "signal",
            "direction",
            "a balanced range becomes known",
            firing_rate=(0.001, 0.12),
        ),
        Output(
            "touch",
            "signal",
            "direction",
            "price comes back into a balanced range for the first time and holds it",
            firing_rate=(0.0005, 0.08),
        ),
        Output("bullish_count", "state", "count", "untouched bullish ranges", low=0.0),
        Output("bearish_count", "state", "count", "untouched bearish ranges", low=0.0),
        distance_output("bullish", "bullish range not run through"),
        distance_output("bearish", "bearish range not run through"),
    ),
    compute=_balanced,
    lookback=lambda parameters: ATR_LENGTH,
    stable=_zone_stable_rows,
)

INDICATORS = (FAIR_VALUE_GAP, BALANCED_PRICE_RANGE)
