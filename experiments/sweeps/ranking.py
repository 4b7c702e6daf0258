"""Which trials of a sweep may be chosen, from the best on, and why where there is none."""

import numpy as np
import pyarrow as pa

from engine import Float1D

from .batches import SEARCH
from .config import SweepConfig
from .objectives import best_trials, most_missed
from .parts import FAILED
from .trial_metrics import DIRECTIONS


def ranked_trials(config: SweepConfig, trials: pa.Table) -> pa.Table:
    """The feasible trials from the best on, or with several objectives the front of them.

    Where trials of the search were judged with their neighbours, only those are ranked: the others'
    scores are of single points.
    """
    if config.sweep.ranks_by_neighbours:
        is_judged = np.array(
            [stage == SEARCH for stage in trials["stage"].to_pylist()], dtype=np.bool_
        )
        is_judged &= np.array(
            [parent is None for parent in trials["parent"].to_pylist()], dtype=np.bool_
        )
        trials = trials.filter(pa.array(is_judged))
    if not len(trials):
        return trials
    scores = np.array(
        [[np.nan if x is None else x for x in row] for row in trials["score"].to_pylist()]
    )
    best = best_trials(config.sweep.objectives, scores, trials["state"].to_pylist())
    return trials.take(pa.array(best, pa.int64()))


def why_nothing_is_feasible(config: SweepConfig, trials: pa.Table) -> str:
    """Why no trial of a sweep may be chosen, in words."""
    if config.sweep.search.neighbours and SEARCH not in set(trials["stage"].to_pylist()):
        return "trials are judged with their neighbours in the search, which has not begun"
    states = trials["state"].to_pylist()
    if states and all(state == FAILED for state in states):
        return f"all {len(states)} trials failed; the first: {trials['error'][0].as_py()}"
    metrics: dict[str, Float1D] = {name: trials[name].to_numpy() for name in DIRECTIONS}
    found = most_missed(config.sweep.constraints, metrics)
    if found is not None and found[1]:
        return f"{found[1]} of {len(states)} trials miss the constraint {found[0]}"
    names = " and ".join(one.metric for one in config.sweep.objectives)
    return f"{names} is undefined for every trial that keeps the constraints"
