"""Configurations whose neighbours are good too: scores over neighbourhoods, plateaus, ablation."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from engine.arrays import Float1D, Float2D, Int1D, Int2D
from engine.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbourhoods:
    """For each of N configurations the low quantile of the objective around it.

    ``scores`` ``(N,)`` in the unit of the objective. ``neighbours`` ``(N, k + 1)``: the configuration
    itself, then its k nearest, nearest first. ``radius`` ``(N,)``: distance to the farthest of them in
    the normalised space, where every parameter runs from 0 to 1.
    """

    scores: Float1D
    neighbours: Int2D
    radius: Float1D


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plateau:
    """A connected region of configurations with good neighbourhoods.

    ``chosen``: the medoid, the member with the smallest sum of distances to the others. ``members``:
    row numbers, ascending. ``best``: the row of the greatest objective, for comparison, and whether it
    belongs to the plateau. ``threshold``: the score that every member reaches.
    """

    chosen: int
    members: Int1D
    threshold: float
    best: int
    best_is_member: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AblationPoints:
    """Copies of one configuration, each with one parameter moved.

    ``points`` ``(M, D)``; ``parameter`` ``(M,)`` the column that was moved; ``step_frac`` ``(M,)`` the
    move over the width of its range, after the range has cut it.
    """

    points: Float2D
    parameter: Int1D
    step_frac: Float1D


def normalised(points: Float2D, low: Float1D, high: Float1D) -> Float2D:
    """``points`` ``(N, D)`` with ``low`` at 0 and ``high`` at 1; a parameter without width becomes 0.

    A parameter that is searched on a logarithmic scale comes as its logarithm. Raises ConfigError when
    ranges are the wrong way round, DataError when a value is not finite or lies outside.
    """
    table = np.asarray(points, dtype=np.float64)
    bottom, top = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or {bottom.shape, top.shape} != {table.shape[1:]}:
        raise ConfigError(
            f"points {table.shape}, low {bottom.shape}, high {top.shape}: expected (N, D), (D,), (D,)"
        )
    width = top - bottom
    if not (np.isfinite(width) & (width >= 0.0)).all():
        column = int(np.flatnonzero(~(np.isfinite(width) & (width >= 0.0)))[0])
        raise ConfigError(
            f"parameter {column}: range {bottom[column]} to {top[column]} must be finite and ascend"
        )
    slack = 1e-9 * width
    wrong = ~((table >= bottom - slack) & (table <= top + slack))
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        raise DataError(
            f"points[{row}, {column}]={table[row, column]} lies outside its range "
            f"{bottom[column]} to {top[column]}"
        )
    scaled: Float2D = np.clip((table - bottom) / np.where(width > 0.0, width, 1.0), 0.0, 1.0)
    return scaled


def neighbourhoods(
    points: Float2D, objective: Float1D, *, neighbours: int | None = None, quantile: float = 0.25
) -> Neighbourhoods:
    """Score each configuration by a low quantile of the objective over itself and its nearest ones.

    ``points`` ``(N, D)`` ``normalised``; ``objective`` ``(N,)``, larger is better, −inf for an
    inadmissible configuration. ``neighbours`` None takes 2 D of them (at least 4, at most N − 1), as many
    as a grid has around a point. The score of a configuration beside a cliff is low, however good it is
    itself. Raises DataError when the objective is NaN or +inf, ConfigError when an argument is out of
    range.
    """
    table = np.asarray(points, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or np.shape(objective) != (len(table),):
        raise ConfigError(
            f"points {table.shape}, objective {np.shape(objective)}: expected (N, D) and (N,), N from 2"
        )
    values = np.asarray(objective, dtype=np.float64)
    wrong = np.isnan(values) | (values == np.inf)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"objective[{row}]={values[row]}: a number, or −inf where inadmissible")
    wanted = max(4, 2 * table.shape[1]) if neighbours is None else neighbours
    if wanted < 1 or (neighbours is not None and wanted >= len(table)):
        raise ConfigError(f"neighbours={neighbours}: between 1 and {len(table) - 1}")
    if not 0.0 <= quantile <= 1.0:
        raise ConfigError(f"quantile={quantile}: between 0 and 1")
    wanted = min(wanted, len(table) - 1)
    distance, index = cKDTree(table).query(table, k=wanted + 1)
    found = np.asarray(index, dtype=np.int64)
    # Of configurations at one place any may come first: the row itself is put in front.
    for shared in np.flatnonzero(found[:, 0] != np.arange(len(table))):
        place = np.flatnonzero(found[shared] == shared)
        found[shared, place[0] if place.size else wanted] = found[shared, 0]
        found[shared, 0] = shared
    ordered = np.sort(values[found], axis=1)
    # A quantile by the lower order statistic: −inf cannot be interpolated.
    scores = ordered[:, math.floor(quantile * wanted)]
    return Neighbourhoods(scores=scores, neighbours=found, radius=distance[:, -1])


def find_plateau(
    points: Float2D, objective: Float1D, around: Neighbourhoods, *, top_share: float = 0.05
) -> Plateau:
    """The region around the best neighbourhood, and its middle.

    Candidates are the ``top_share`` of configurations by score (one at least); members are those that a
    chain of neighbours, all of them candidates, connects with the best. The choice is the medoid, not
    the best member: the best of many noisy numbers is the luckiest. Raises DataError when no configuration
    has an admissible neighbourhood.
    """
    if not 0.0 < top_share <= 1.0:
        raise ConfigError(f"top_share={top_share}: above 0, at most 1")
    table, scores = np.asarray(points, dtype=np.float64), around.scores
    start = int(scores.argmax())
    if scores[start] == -np.inf:
        raise DataError(
            "objective: no configuration has an admissible neighbourhood; loosen the constraints, widen "
            "the search, or take fewer neighbours"
        )
    count = max(1, math.floor(top_share * len(scores)))
    threshold = max(
        float(np.sort(scores)[len(scores) - count]), float(scores[scores > -np.inf].min())
    )
    candidate = scores >= threshold
    linked: list[set[int]] = [set() for _ in scores]
    for row in np.flatnonzero(candidate):
        for other in around.neighbours[row, 1:]:
            if candidate[other]:
                linked[row].add(int(other))
                linked[other].add(int(row))
    seen, waiting = {start}, [start]
    while waiting:
        for other in linked[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    members = np.array(sorted(seen), dtype=np.int64)
    distances = [
        float(np.linalg.norm(table[members] - table[one], axis=1).sum()) for one in members
    ]
    best = int(np.argmax(objective))
    return Plateau(
        chosen=int(members[int(np.argmin(distances))]),
        members=members,
        threshold=threshold,
        best=best,
        best_is_member=best in seen,
    )


def ablation_points(
    point: Float1D,
    low: Float1D,
    high: Float1D,
    *,
    steps_frac: tuple[float, ...] = (-0.2, -0.1, 0.1, 0.2),
) -> AblationPoints:
    """The configuration with each parameter moved by each step, one at a time.

    ``point``, ``low``, ``high`` ``(D,)`` in the parameters' own units. A step is a fraction of the width
    of the range: a fraction of the value would leave a parameter of 0 where it is, and mean
    something else for 14 than for −2. Steps are cut at the ends of the range, and left out where nothing
    remains of them. Rounding to whole numbers is the caller's.
    """
    middle = normalised(np.asarray(point, dtype=np.float64)[None, :], low, high)[0]
    bottom, width = np.asarray(low, dtype=np.float64), np.asarray(high) - np.asarray(low)
    points, parameters, steps = [], [], []
    for column in np.flatnonzero(width > 0.0):
        for step in steps_frac:
            place = min(1.0, max(0.0, middle[column] + step))
            if place == middle[column]:
                continue
            moved = np.array(point, dtype=np.float64)
            moved[column] = bottom[column] + place * width[column]
            points.append(moved)
            parameters.append(int(column))
            steps.append(float(place - middle[column]))
    return AblationPoints(
        points=np.array(points).reshape(len(points), len(bottom)),
        parameter=np.array(parameters, dtype=np.int64),
        step_frac=np.array(steps),
    )


def ablation_losses(ablation: AblationPoints, objective_at: Float1D, objective: float) -> Float1D:
    """Largest loss of the objective for each parameter, ``(D,)``, ≥ 0; NaN for one that was not moved.

    ``objective_at`` ``(M,)`` belongs to ``ablation.points``, ``objective`` to the unmoved one. A parameter
    with a large loss stands on a ridge; one with none may be dead.
    """
    if np.shape(objective_at) != ablation.parameter.shape:
        raise ConfigError(
            f"objective_at has shape {np.shape(objective_at)}, there are {len(ablation.parameter)} points"
        )
    losses = np.full(ablation.points.shape[1], np.nan)
    for parameter, value in zip(ablation.parameter, objective_at, strict=True):
        losses[parameter] = np.fmax(losses[parameter], max(0.0, objective - float(value)))
    return losses
