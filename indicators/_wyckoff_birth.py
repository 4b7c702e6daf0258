"""How one of Wyckoff's ranges comes to be: the preliminary bar, the climax, the rally that answers it.

Written for accumulation; distribution runs the same code on negated prices.
"""

import numpy as np

from engine import Bool1D, Float1D, Int1D, kernel

_PRELIMINARY_WINDOW = 40
_RALLY_WINDOW = 30


@kernel(nogil=True)
def preliminary_kernel(candidate: Bool1D, climax: Bool1D, resets: Bool1D) -> Int1D:
    """On a climax row the newest candidate of the 40 rows before it, -1 elsewhere, int64 ``(T,)``."""
    out = np.full(len(climax), -1)
    newest = -1
    for t in range(len(climax)):
        if resets[t]:
            newest = -1
        if climax[t] and newest >= 0 and t - newest <= _PRELIMINARY_WINDOW:
            out[t] = newest
        if candidate[t]:
            newest = t
    return out


@kernel(nogil=True)
def birth_kernel(
    climax: Bool1D,
    low: Float1D,
    atr: Float1D,
    leg_high: Float1D,
    rally_high: Float1D,
    rally_right: int,
    resets: Bool1D,
) -> tuple[Int1D, Int1D]:
    """Row of the climax that an automatic rally confirms on row *t*, and of the one given up there.

    Both int64 ``(T,)``, -1 elsewhere. ``rally_high`` holds pivot highs on the row ``rally_right`` after
    them. The climax must be the lowest row since it happened, and each starts one range only. One that
    has started none is given up on a lower low, on a further climax, in a long gap, or where the last
    rally that were in time would be known.
    """
    rows = len(low)
    born_of, given_up = np.full(rows, -1), np.full(rows, -1)
    waiting = -1
    for t in range(rows):
        if waiting >= 0 and (resets[t] or climax[t] or not low[t] >= low[waiting]):
            given_up[t], waiting = waiting, -1
        if climax[t] and not resets[t]:
            waiting = t
        if waiting < 0:
            continue
        top = t - rally_right
        if waiting < top and not np.isnan(rally_high[t]):
            rally, leg = rally_high[t] - low[waiting], leg_high[waiting] - low[waiting]
            if leg > 0 and rally >= 3.0 * atr[top] and rally >= 0.382 * leg:
                born_of[t], waiting = waiting, -1
        if waiting >= 0 and top == waiting + _RALLY_WINDOW:
            given_up[t], waiting = waiting, -1
    return born_of, given_up
