"""The objective over the searched space: along each axis, over pairs of axes, and its plateau."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import DataError, Float1D, Float2D, Int1D

from ..statistics.plateau import find_plateau, neighbourhoods
from ..sweeps.config import Choice, RealRange, Weights, WholeRange
from ..sweeps.space import Axis
from .numbers import medians_by_place, medians_of_pair
from .reading import SweepReading

BINS: Final = 12
MOST_STEPS: Final = 24
"""Whole numbers and choices up to so many have a bin each."""
MOST_JUDGED: Final = 4096
FEWEST_JUDGED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """One axis: edges of its bins ``(B + 1,)``, the median of the objective ``(B,)``, trials in each."""

    edges: Float1D
    medians: Float1D
    counts: Int1D


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two axes: the median of the objective in each cell ``(rows of y, columns of x)``, NaN if empty."""

    x_edges: Float1D
    y_edges: Float1D
    medians: Float2D
    counts: Int1D


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flat:
    """The plateau of the first objective (``statistics.plateau``), by numbers of trials.

    ``members`` ``(M,)``; ``middle`` is its medoid, ``best`` the best feasible trial. ``threshold``: the
    lower quartile of the neighbourhood that every member reaches, in the objective's unit and direction.
    ``judged`` trials were looked at of ``of``.
    """

    members: Int1D
    middle: int
    best: int
    best_is_member: bool
    threshold: float
    judged: int
    of: int


def edges_of(axis: Axis) -> Float1D:
    """Edges of the bins of an axis, in its own values, on the scale that it is searched on."""
    match axis.parameter:
        case RealRange(low=low, high=high, log=log):
            edges = np.geomspace if log else np.linspace
            return np.asarray(edges(low, high, BINS + 1))
        case WholeRange(low=low, high=high, step=step):
            steps = (high - low) // step + 1
            if steps <= MOST_STEPS:
                return np.asarray(low + step * (np.arange(steps + 1) - 0.5))
            return np.linspace(low - step / 2, high + step / 2, BINS + 1)
        case Choice(values=values):
            return np.asarray(np.arange(len(values) + 1) - 0.5)
        case Weights():
            return np.linspace(0.0, 1.0, BINS + 1)


def middles_of(axis: Axis, edges: Float1D) -> Float1D:
    """The middle of each bin between ``edges``, on the scale that the axis is searched on."""
    if isinstance(axis.parameter, RealRange) and axis.parameter.log:
        return np.sqrt(edges[:-1] * edges[1:])
    return (edges[:-1] + edges[1:]) / 2


def slice_of(reading: SweepReading, axis: int, objective: int = 0) -> Slice:
    """The objective along one axis, of the feasible trials, in its own direction."""
    edges = edges_of(reading.space.axes[axis])
    if isinstance(reading.space.axes[axis].parameter, Weights):
        edges = _up_to(reading.values[:, axis])
    medians, counts = medians_by_place(reading.values[:, axis], _own(reading, objective), edges)
    return Slice(edges=edges, medians=medians, counts=counts)


def pair_of(reading: SweepReading, x: int, y: int, objective: int = 0) -> Pair:
    """The objective over two axes, of the feasible trials, in its own direction."""
    edges = [slice_of(reading, axis, objective).edges for axis in (x, y)]
    medians, counts = medians_of_pair(
        reading.values[:, x], reading.values[:, y], _own(reading, objective), edges[0], edges[1]
    )
    return Pair(x_edges=edges[0], y_edges=edges[1], medians=medians, counts=counts)


def plateau_of(reading: SweepReading) -> Flat | str:
    """The plateau of the first objective over places, or why there is none.

    Of very many trials the best one and every so many are judged.
    """
    good = reading.good[:, 0]
    if int(np.isfinite(good).sum()) < FEWEST_JUDGED:
        return f"needs {FEWEST_JUDGED} feasible trials, there are {int(np.isfinite(good).sum())}"
    every = -(-len(good) // MOST_JUDGED)
    rows = np.unique(np.append(np.arange(0, len(good), every), int(np.argmax(good))))
    places, judged = reading.places[rows], good[rows]
    around = neighbourhoods(places, judged)
    try:
        found = find_plateau(places, judged, around)
    except DataError:
        return "no trial has enough feasible neighbours"
    sign = 1.0 if reading.config.sweep.objectives[0].direction == "maximize" else -1.0
    return Flat(
        members=rows[found.members],
        middle=int(rows[found.chosen]),
        best=int(rows[found.best]),
        best_is_member=found.best_is_member,
        threshold=sign * found.threshold,
        judged=len(rows),
        of=len(good),
    )


def _own(reading: SweepReading, objective: int) -> Float1D:
    feasible = np.isfinite(reading.good[:, objective])
    return np.where(feasible, reading.own[:, objective], np.nan)


def _up_to(shares: Float1D) -> Float1D:
    """Edges from 0 to the largest share: weights of many heads are rarely large."""
    top = float(shares.max()) if len(shares) else 1.0
    return np.linspace(0.0, top if top > 0 else 1.0, BINS + 1)
