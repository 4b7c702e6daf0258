"""The odds of a liquidation cascade, fitted on training rows (SPEC H9.5, step 6).

The label of a bar is a burst of presumed liquidations within the hours after it, so the last rows of a
training range have no label yet and are left out: nothing after the range is looked at.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine import HOUR_NS, Bool1D, ConfigError, Float1D, Int1D
from indicators import Feature, feature

from .logistic import fit_logistic

CASCADE_REGRESSORS: Final[Mapping[str, tuple[str, float]]] = {
    "mass_weight": ("relative_mass", 1.0),
    "distance_weight": ("relative_distance", -1.0),
    "funding_weight": ("funding_size", 1.0),
    "crowding_weight": ("crowding", 1.0),
}
"""Parameter of ``liquidation_map``, the output that it weighs, and the sign with which it enters."""
HORIZON_HOURS: Final = 24
_LARGEST: Final = 20.0
"""Bound of the coefficients in the indicator's own declaration."""


def cascade_features() -> Mapping[str, Feature]:
    """What a fit reads, by alias: the four regressors, and ``burst`` for the labels."""
    clock = "bars+metrics+funding"
    wanted = {
        output: feature("liquidation_map", output, clock=clock)
        for output, _ in CASCADE_REGRESSORS.values()
    }
    return {**wanted, "burst": feature("liquidation_proxy", "burst", clock="metrics")}


def cascade_labels(
    known_at: Int1D, burst: Float1D, hours: float = HORIZON_HOURS
) -> tuple[Bool1D, Bool1D]:
    """Whether a burst follows within ``hours`` of each row, and where that is known; ``(T,)`` each.

    ``known_at`` int64 ns UTC, increasing; ``burst`` not 0 where one shows. A burst of the row itself is
    past, not future. The label of a row is known once its last row is.
    """
    last = np.searchsorted(known_at, known_at + int(hours * HOUR_NS), side="right") - 1
    total = np.concatenate(([0], np.cumsum(burst != 0)))
    rows = np.arange(len(known_at))
    follows: Bool1D = total[last + 1] - total[rows + 1] > 0
    whole: Bool1D = known_at + int(hours * HOUR_NS) <= known_at[-1:]
    return follows, whole


def fit_cascade(
    known_at: Int1D,
    columns: Mapping[str, Float1D],
    training: Bool1D,
    *,
    hours: float = HORIZON_HOURS,
    ridge: float = 1.0,
) -> dict[str, float]:
    """Parameters of ``liquidation_map`` fitted on the rows of ``training``, one unbroken range.

    ``columns`` are those of ``cascade_features``, ``(T,)``. Rows without data, and those whose label
    reaches beyond the range, are left out. Raises ConfigError where the range is broken or empty, or
    ``fit_logistic`` does.
    """
    rows = np.flatnonzero(training)
    if not len(rows) or rows[-1] - rows[0] + 1 != len(rows):
        raise ConfigError(f"fit_cascade: training={len(rows)} rows must be one unbroken range")
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    labels, whole = cascade_labels(known_at[part], columns["burst"][part], hours)
    signed = [sign * columns[output][part] for output, sign in CASCADE_REGRESSORS.values()]
    regressors = np.column_stack(signed)
    usable = whole & np.isfinite(regressors).all(axis=1)
    weights = np.clip(fit_logistic(regressors[usable], labels[usable], ridge), -_LARGEST, _LARGEST)
    names = ("intercept", *CASCADE_REGRESSORS)
    return {"fitted": 1.0, **dict(zip(names, map(float, weights), strict=True))}
