"""Pivots: turning points of price, written on the row where they become known.

A confirmed pivot ``P(left, right)`` is an extreme of its neighbourhood, known ``right`` rows late. The
alternating list keeps the newest of them with highs and lows taking turns, as the list stood on each row.
Turns that are known by their distance instead are those of ``directional_change``.
"""

import numpy as np

from engine import Bool1D, ConfigError, Float1D, Float2D, kernel

from ._pivot_kernel import confirmed_pivot_kernel, held_turns_kernel
from .spec import Columns, Indicator, Output, Parameter, Parameters

MAX_GAP_RUN = 3
"""Pattern state survives this many missing bars in a row; one more forgets it (SPEC 0.3)."""


@kernel(nogil=True)
def _long_gap_kernel(is_gap: Float1D, limit: int) -> Bool1D:
    out = np.zeros(len(is_gap), dtype=np.bool_)
    run = 0
    for t in range(len(is_gap)):
        run = run + 1 if is_gap[t] > 0.5 else 0
        out[t] = run > limit
    return out


@kernel(nogil=True)
def _alternating_kernel(
    pivot_high: Float1D,
    pivot_low: Float1D,
    high_anchor: Float1D,
    low_anchor: Float1D,
    depth: int,
    resets: Bool1D,
) -> tuple[Float2D, Float2D, Float2D]:
    rows = len(pivot_high)
    price = np.full((rows, depth), np.nan)
    anchor = np.full((rows, depth), -1.0)
    kind = np.zeros((rows, depth))
    first_valid_anchor = 0
    for t in range(rows):
        if t > 0:
            price[t], anchor[t], kind[t] = price[t - 1], anchor[t - 1], kind[t - 1]
        if resets[t]:
            price[t], anchor[t], kind[t] = np.nan, -1.0, 0.0
            first_valid_anchor = t + 1
        has_high = not np.isnan(pivot_high[t]) and high_anchor[t] >= first_valid_anchor
        has_low = not np.isnan(pivot_low[t]) and low_anchor[t] >= first_valid_anchor
        if not (has_high or has_low):
            continue
        newest = kind[t, 0]
        if has_high and has_low and newest == 0:
            continue
        for turn in range(2):
            # A row that confirms both takes first the one that alternates with the newest.
            high_first = newest != 1
            side = 1.0 if (turn == 0) == high_first else -1.0
            if (side == 1 and not has_high) or (side == -1 and not has_low):
                continue
            level = pivot_high[t] if side == 1 else pivot_low[t]
            if kind[t, 0] == side:
                if side * level <= side * price[t, 0]:
                    continue
            else:
                for slot in range(depth - 1, 0, -1):
                    price[t, slot] = price[t, slot - 1]
                    anchor[t, slot] = anchor[t, slot - 1]
                    kind[t, slot] = kind[t, slot - 1]
            price[t, 0], kind[t, 0] = level, side
            anchor[t, 0] = high_anchor[t] if side == 1 else low_anchor[t]
    return price, anchor, kind


@kernel(nogil=True)
def _held_level_kernel(events: Float1D) -> Float1D:
    out = np.full(len(events), np.nan)
    level = np.nan
    for t in range(len(events)):
        if not np.isnan(events[t]):
            level = events[t]
        out[t] = level
    return out


def _contiguous(values: np.ndarray) -> Float1D:
    return np.ascontiguousarray(values, dtype=np.float64)


def _checked_length(name: str, value: int, low: int = 1) -> int:
    if value < low:
        raise ConfigError(f"{name}={value} must be at least {low}")
    return value


def long_gaps(is_gap: Float1D | None, rows: int) -> Bool1D:
    """Rows that lie in a run of missing bars longer than ``MAX_GAP_RUN``, from its fourth bar on.

    ``is_gap`` ``(T,)`` with 0 or 1, or None for a series without gaps; the result bool ``(T,)``. On
    these rows every pattern state machine starts again.
    """
    if is_gap is None:
        return np.zeros(rows, dtype=np.bool_)
    return _long_gap_kernel(_contiguous(is_gap), MAX_GAP_RUN)


def held_level(events: Float1D) -> Float1D:
    """The newest value that is not NaN, ``(T,)``; NaN before the first."""
    return _held_level_kernel(_contiguous(events))


def confirmed_pivots(
    high: Float1D, low: Float1D, left: int, right: int, *, strict: bool = False
) -> tuple[Float1D, Float1D]:
    """Pivot highs and lows ``P(left, right)``, written on the row where they are known.

    Row *j* is a pivot high when its high is above the ``left`` highs before it and not below the
    ``right`` highs after it, so that a plateau turns at its first bar; lows are mirrored.
    ``strict`` asks for above on both sides, as TA-Lib's FRACTAL does. Arrays ``(T,)`` in price
    units; row *t* holds the price of the pivot at row ``t - right``, NaN where there is none.
    Raises ConfigError for a side shorter than one bar.
    """
    _checked_length("left", left)
    _checked_length("right", right)
    return (
        confirmed_pivot_kernel(_contiguous(high), left, right, strict, 1.0),
        confirmed_pivot_kernel(_contiguous(low), left, right, strict, -1.0),
    )


def alternating_pivots(
    pivot_high: Float1D,
    pivot_low: Float1D,
    right: int,
    depth: int,
    is_gap: Float1D | None = None,
) -> tuple[Float2D, Float2D, Float2D]:
    """The last ``depth`` pivots as known on each row, newest first, highs and lows taking turns.

    ``pivot_high`` and ``pivot_low`` ``(T,)`` are those of ``confirmed_pivots`` with this ``right``.
    Of two pivots of one type in a row the more extreme stays (the earlier of equals), as of row
    *t*: a later one changes later rows only. A bar that is both takes first the one that
    alternates; when nothing came before, its order is unknowable and it is left out. After more than
    ``MAX_GAP_RUN`` missing bars the list starts again with pivots anchored behind the gap.

    Returns ``price``, ``anchor`` (row of the extreme) and ``kind`` (1 high, -1 low), each
    ``(T, depth)`` float64; NaN, -1 and 0 where there are fewer pivots.
    """
    anchor = np.arange(len(pivot_high), dtype=np.float64) - right
    return alternating_swings((pivot_high, pivot_low), (anchor, anchor), depth, is_gap)


def alternating_swings(
    swings: tuple[Float1D, Float1D],
    anchors: tuple[Float1D, Float1D],
    depth: int,
    is_gap: Float1D | None = None,
) -> tuple[Float2D, Float2D, Float2D]:
    """``alternating_pivots`` of highs and lows that each state the row of their extreme.

    ``swings`` and ``anchors`` are (high, low), ``(T,)`` each; an anchor is read where its price is not
    NaN.
    """
    _checked_length("depth", depth)
    return _alternating_kernel(
        _contiguous(swings[0]),
        _contiguous(swings[1]),
        _contiguous(anchors[0]),
        _contiguous(anchors[1]),
        depth,
        long_gaps(is_gap, len(swings[0])),
    )


def pivot_stable_rows(left: int, right: int) -> int:
    """Rows until the pivot list no longer depends on where the series starts.

    Two lists agree once both have seen a few turns; a turn of ``P(left, right)`` comes about every
    ``left + right + 1`` bars, so forty such spans leave no doubt on prices that move.
    """
    return 40 * (left + right + 1)


def _pivot(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    pivot_high, pivot_low = confirmed_pivots(columns["high"], columns["low"], left, right)
    turns = held_turns_kernel(pivot_high, pivot_low)
    return pivot_high, pivot_low, turns


def _zigzag(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    pivot_high, pivot_low = confirmed_pivots(columns["high"], columns["low"], left, right)
    price, _, kind = alternating_pivots(pivot_high, pivot_low, right, 4, columns["is_gap"])
    newest_is_high = kind[:, 0] > 0
    complete = kind[:, 1] != 0
    high_now = np.where(newest_is_high, price[:, 0], price[:, 1])
    low_now = np.where(newest_is_high, price[:, 1], price[:, 0])
    high_before = np.where(newest_is_high, price[:, 2], price[:, 3])
    low_before = np.where(newest_is_high, price[:, 3], price[:, 2])
    leg = np.where(complete, np.where(newest_is_high, 2.0, 1.0), 0.0)
    levels = (high_now, low_now, high_before, low_before)
    return *(held_level(np.where(complete, level, np.nan)) for level in levels), leg


_SIDES = (Parameter("left", 5, 1, 100), Parameter("right", 5, 1, 100))


def _sides_stable_rows(parameters: Parameters) -> int:
    return pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))


PIVOT = Indicator(
    name="pivot",
    text="Confirmed pivots P(left, right): the newest high and low, known right bars late.",
    inputs=("high", "low"),
    parameters=_SIDES,
    outputs=(
        Output("high", "level", "price", "newest confirmed pivot high", low=0.0),
        Output("low", "level", "price", "newest confirmed pivot low", low=0.0),
        Output(
            "turn",
            "signal",
            "direction",
            "1 where a pivot low is confirmed, -1 where a pivot high is, 0 for neither or both",
            firing_rate=(0.05, 0.15),
        ),
    ),
    compute=_pivot,
    lookback=lambda parameters: 0,
    stable=_sides_stable_rows,
)

ZIGZAG = Indicator(
    name="zigzag",
    text="Alternating pivots: the last two highs and lows of the list as it stood on each row.",
    inputs=("high", "low", "is_gap"),
    parameters=_SIDES,
    outputs=(
        Output("high", "level", "price", "newest alternating pivot high", low=0.0),
        Output("low", "level", "price", "newest alternating pivot low", low=0.0),
        Output("previous_high", "level", "price", "the pivot high before it", low=0.0),
        Output("previous_low", "level", "price", "the pivot low before it", low=0.0),
        Output("leg", "state", "code", "0 unknown, 1 up from a low, 2 down from a high", high=2.0),
    ),
    compute=_zigzag,
    lookback=lambda parameters: 0,
    stable=_sides_stable_rows,
)

INDICATORS = (PIVOT, ZIGZAG)
