"""Comparisons across coins: primitives for indicators that read a panel, one row a day.

A table is ``(D, S)``: D days, S coins. A coin that was not there on a day is NaN in it, and ``age``
counts the days of its present listing, so that nothing is compared across a delisting: what comes
back under the same name may be another coin.
"""

from typing import cast

import numpy as np

from engine import Float1D, Float2D, Int1D, kernel

from .spec import Columns


def coins_table(columns: Columns, name: str) -> Float2D:
    """The column ``name`` of a panel clock, one number for each day and coin, ``(D, S)``."""
    return np.ascontiguousarray(cast(Float2D, columns[name]))


@kernel(nogil=True)
def _growth_kernel(close: Float2D, age: Float2D, days: int) -> Float2D:
    out = np.full(close.shape, np.nan)
    for t in range(days, close.shape[0]):
        for coin in range(close.shape[1]):
            before = close[t - days, coin]
            # Not before 0: a price is positive, and NaN compares as neither.
            if age[t, coin] > days and before > 0 and close[t, coin] > 0:
                out[t, coin] = close[t, coin] / before
    return out


def growth(close: Float2D, age: Float2D, days: int) -> Float2D:
    """Close over the close ``days`` rows before, ``(D, S)``; NaN for a listing younger than that.

    ``age`` is 1 on the first day of a listing and 0 on days on which the coin has no bar.
    """
    return _growth_kernel(close, age, days)


@kernel(nogil=True)
def _share_above_kernel(
    values: Float2D, counted: Float2D, threshold: Float1D, least: int
) -> tuple[Float1D, Float1D]:
    share = np.full(len(values), np.nan)
    count = np.zeros(len(values))
    for t in range(len(values)):
        above, known = 0, 0
        for coin in range(values.shape[1]):
            if counted[t, coin] > 0 and not np.isnan(values[t, coin]):
                known += 1
                if values[t, coin] > threshold[t]:
                    above += 1
        if np.isnan(threshold[t]):
            known = 0
        count[t] = known
        if known >= least:
            share[t] = 100.0 * above / known
    return share, count


def share_above(
    values: Float2D, counted: Float2D, threshold: Float1D, least: int
) -> tuple[Float1D, Float1D]:
    """Percentage of coins whose value exceeds ``threshold``, and how many coins that is of.

    Shapes: ``values`` and ``counted`` ``(D, S)``, ``threshold`` and both results ``(D,)``. A coin counts
    where ``counted`` is positive and its value is known. The percentage is NaN where fewer than
    ``least`` coins count; the number is 0 where the threshold is NaN.
    """
    return _share_above_kernel(values, counted, threshold, least)


@kernel(nogil=True)
def _group_centre_kernel(values: Float2D, counted: Float2D, least: int) -> tuple[Float1D, Float1D]:
    mean, median = np.full(len(values), np.nan), np.full(len(values), np.nan)
    known = np.empty(values.shape[1])
    for t in range(len(values)):
        count, total = 0, 0.0
        for coin in range(values.shape[1]):
            if counted[t, coin] > 0 and not np.isnan(values[t, coin]):
                known[count] = values[t, coin]
                total += values[t, coin]
                count += 1
        if count >= least:
            mean[t] = total / count
            median[t] = np.median(known[:count])
    return mean, median


def group_centre(values: Float2D, counted: Float2D, least: int) -> tuple[Float1D, Float1D]:
    """Mean and median over the coins that count, ``(D,)``; NaN where there are fewer than ``least``."""
    return _group_centre_kernel(values, counted, least)


@kernel(nogil=True)
def _days_in_state_kernel(state: Float1D, most: int) -> Float1D:
    out = np.zeros(len(state))
    for t in range(len(state)):
        if state[t] > 0:
            days = out[t - 1] + 1.0 if t > 0 and state[t - 1] == state[t] else 1.0
            out[t] = min(days, float(most))
    return out


def days_in_state(state: Float1D, most: int) -> Float1D:
    """Rows since ``state`` took its present value, that row counted, at most ``most``; 0 in state 0."""
    return _days_in_state_kernel(state, most)


@kernel(nogil=True)
def _change_kernel(
    state: Float1D, side: Int1D, states: int, horizon: int, memory: int, least: int
) -> Float1D:
    """``side`` is 0, 1 or 2, or -1 where it is not known."""
    out = np.full(len(state), np.nan)
    bucket = np.full(len(state), -1, dtype=np.int64)
    has_changed = np.zeros(len(state), dtype=np.bool_)
    cases, changes = np.zeros(3 * states, dtype=np.int64), np.zeros(3 * states, dtype=np.int64)
    for t in range(len(state)):
        begin = t - horizon
        if begin >= 0 and 0 < state[begin] < states and side[begin] >= 0:
            changed, known = False, True
            for row in range(begin + 1, t + 1):
                changed = changed or state[row] != state[begin]
                known = known and state[row] > 0
            if known:
                bucket[begin] = 3 * int(state[begin]) + side[begin]
                has_changed[begin] = changed
                cases[bucket[begin]] += 1
                changes[bucket[begin]] += changed
        forgotten = begin - memory
        if forgotten >= 0 and bucket[forgotten] >= 0:
            cases[bucket[forgotten]] -= 1
            changes[bucket[forgotten]] -= has_changed[forgotten]
        if 0 < state[t] < states and side[t] >= 0:
            now = 3 * int(state[t]) + side[t]
            if cases[now] >= least:
                out[t] = changes[now] / cases[now]
    return out


def change_frequency(
    state: Float1D, level: Float1D, *, states: int, horizon: int, memory: int, least: int
) -> Float1D:
    """How often a state was left within ``horizon`` rows, in cases like this one, 0 to 1, ``(D,)``.

    Cases are alike when they have the same state and the same sign of the change of ``level`` over
    ``horizon`` rows. A case counts from the row on which its outcome is known, ``horizon`` rows later,
    for ``memory`` rows: an expanding window until then. States lie in 1 to ``states - 1``; a case
    that meets state 0 (unknown) is none. NaN where fewer than ``least`` cases are known.
    """
    before = np.full(len(level), np.nan)
    before[horizon:] = level[: max(len(level) - horizon, 0)]
    move = level - before
    side = np.where(np.isnan(move), -1, np.sign(np.nan_to_num(move)) + 1).astype(np.int64)
    return _change_kernel(state, side, states, horizon, memory, least)
