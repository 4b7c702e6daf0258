"""Numbers of a validation's object that its sections draw and it does not state."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from engine import Float1D, Float2D
from engine.timeframe import DAYS_PER_YEAR

from ..statistics.deflation import dsr_2014, luck_per_bar
from ..statistics.track_record import TrackRecord

CURVE_POINTS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeflationCurve:
    """The deflated ratio (2014) and the annual Sharpe ratio of luck by number of trials, ``(M,)`` each."""

    trials: Float1D
    dsr: Float1D
    luck_annual: Float1D


def deflation_curve(chosen: Mapping[str, Any]) -> DeflationCurve | None:
    """From 1 to all trials of the family; None where the Sharpe ratio could not be deflated."""
    deflation = chosen["deflation"]
    if deflation is None:
        return None
    record = TrackRecord(
        bars=chosen["days"],
        sharpe_per_bar=chosen["sharpe_per_day"],
        skew=chosen["skew_of_days"],
        kurtosis=chosen["kurtosis_of_days"],
        autocorrelation=chosen["autocorrelation_of_days"],
    )
    most, effective = float(deflation["raw_trials"]), float(deflation["effective_trials"])
    last = max(most, effective, 2.0)
    trials = np.unique(np.append(np.geomspace(1.0, last, CURVE_POINTS), (effective, most)))
    variance = deflation["sharpe_variance"]
    return DeflationCurve(
        trials=trials,
        dsr=np.array([dsr_2014(record, trials=one, sharpe_variance=variance) for one in trials]),
        luck_annual=np.array([luck_per_bar(one, variance) for one in trials])
        * math.sqrt(DAYS_PER_YEAR),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drift:
    """What a walk-forward of F folds chose: places ``(F, D)`` of the ``names``, in their ranges.

    ``mean_steps`` ``(D,)``: mean distance from fold to fold, as a share of the range, 0 for one fold;
    ``changes``: how often another trial was chosen than on the fold before.
    """

    names: tuple[str, ...]
    places: Float2D
    mean_steps: Float1D
    changes: int


def drift_of(folds: Sequence[Mapping[str, Any]]) -> Drift:
    """The drift of the parameters over the ``walk_forward_folds`` of a validation, one at least."""
    names = tuple(folds[0]["places"])
    places = np.array([[fold["places"][name] for name in names] for fold in folds])
    steps = np.abs(np.diff(places, axis=0))
    return Drift(
        names=names,
        places=places,
        mean_steps=steps.mean(axis=0) if len(steps) else np.zeros(len(names)),
        changes=sum(before["trial"] != after["trial"] for before, after in pairwise(folds)),
    )


def known_array(values: Any) -> Float1D:
    """A list of JSON numbers as an array, NaN where it holds null."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
