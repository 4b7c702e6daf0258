"""Was choosing worth anything? Trials on blocks of their own, chosen on some and judged on others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, Float2D, Int1D
from engine.metrics import sharpe_from_sums
from engine.return_sums import SUMS
from engine.timeframe import bars_per_year

from ..splits.combinatorial import combinatorial_splits
from ..splits.ranges import BarRange, block_edges
from ..statistics.effective_trials import effective_rank, trial_correlation
from ..statistics.overfitting import Overfitting, overfitting
from ..statistics.overfitting_null import NullBand, null_band
from ..statistics.walk_forward import (
    Decay,
    WalkForwardEfficiency,
    in_to_out_of_sample_decay,
    walk_forward_efficiency,
)
from ..sweeps.evaluate import Evaluated, Evaluator, View
from .trials import Values, require_sound

BLOCKS: Final = 16
TEST_BLOCKS: Final = 2
TRAIN_BLOCKS: Final = 4
"""Blocks before each test of the walk-forward."""
NULL_REPETITIONS: Final = 100
FEWEST_INDEPENDENT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """What choosing among the trials of the random stage was worth out of sample.

    ``overfitting`` by combinatorially symmetric cross-validation and its ``null`` band for as many
    independent trials as there effectively are; ``path_sharpes`` annual, of the paths of combinatorial
    cross-validation; ``efficiency`` of the walk-forward, ``decay`` from its in-sample to its out-of-sample
    Sharpe ratios.
    """

    trials: int
    effective_trials: float
    overfitting: Overfitting
    null: NullBand
    path_sharpes: Float1D
    efficiency: WalkForwardEfficiency
    decay: Decay | None


def block_sums(
    evaluator: Evaluator, values: Sequence[Values], whole: Evaluated, edges: Int1D
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Return sums of each trial on each block between ``edges``, ``(K, blocks, 5)``.

    Every block is an account of its own: flat at both edges, votes and measures warmed up before it,
    decisions begun anew. A trial that failed on the ``whole`` has zeros.
    """
    found = np.zeros((len(values), len(edges) - 1, len(SUMS)))
    for block, (start, stop) in enumerate(
        zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ):
        seen = evaluator(values, View(BarRange(start, stop)))
        own = require_sound(seen, whole, f"bars {start} to {stop - 1}")
        found[:, block] = np.nan_to_num(own.sums[:, -1], nan=0.0)
    return found


def selection_of(
    evaluator: Evaluator, values: Sequence[Values], whole: Evaluated, daily: Float2D, *, seed: int
) -> Selection:
    """Cross-validate ``values``: ``whole`` on all bars, returns by day ``daily`` ``(days, K)``."""
    panel = evaluator.data.panel
    edges = block_edges(len(panel), BLOCKS, equal=True)
    sums, bars = block_sums(evaluator, values, whole, edges), np.diff(edges)
    year = bars_per_year(panel.timeframe)
    varies = daily.std(axis=0) > 0
    effective = 1.0
    if varies.sum() > 1:
        effective = effective_rank(trial_correlation(daily[:, varies]))
    paths = _paths(sums, bars)
    inside, outside, efficiency = _walk_forward(sums, bars, year)
    known = np.isfinite(inside) & np.isfinite(outside)
    return Selection(
        trials=len(values),
        effective_trials=effective,
        overfitting=overfitting(sums, bars),
        null=null_band(
            max(FEWEST_INDEPENDENT, round(effective)),
            bars,
            repetitions=NULL_REPETITIONS,
            seed=np.random.SeedSequence([seed, 2]),
        ),
        path_sharpes=sharpe_from_sums(paths, float(bars.sum()), year),
        efficiency=efficiency,
        decay=in_to_out_of_sample_decay(inside[known], outside[known]) if known.sum() > 2 else None,
    )


def _sharpes(sums: Float2D, bars: float) -> Float1D:
    """Per bar; 0 for returns that do not vary, so that idle trials are never chosen over good ones."""
    return np.nan_to_num(sharpe_from_sums(sums, bars, 1.0), nan=0.0)


def _paths(sums: np.ndarray[tuple[int, int, int], np.dtype[np.float64]], bars: Int1D) -> Float2D:
    """Sums of the paths out of sample, each block by the trial that was best on its split's training."""
    splits = combinatorial_splits(int(bars.sum()), blocks=len(bars), test_blocks=TEST_BLOCKS)
    train_bars = (~splits.is_tested * bars).sum(axis=1)
    best = np.full(len(train_bars), -np.inf)
    chosen = np.zeros(len(train_bars), dtype=np.int64)
    for trial, own in enumerate(sums):
        found = _sharpes(splits.train_sums(own), train_bars)
        better = found > best
        best[better], chosen[better] = found[better], trial
    return splits.path_sums(sums, chosen)


def _walk_forward(
    sums: np.ndarray[tuple[int, int, int], np.dtype[np.float64]], bars: Int1D, year: float
) -> tuple[Float1D, Float1D, WalkForwardEfficiency]:
    """In-sample and out-of-sample Sharpe ratios per bar of each fold, and the efficiency of all."""
    inside, outside = [], []
    inside_sum, outside_sum, inside_bars, outside_bars = [], [], [], []
    for test in range(TRAIN_BLOCKS, len(bars)):
        train = slice(test - TRAIN_BLOCKS, test)
        of_train, train_bars = sums[:, train].sum(axis=1), float(bars[train].sum())
        sharpes = _sharpes(of_train, train_bars)
        trial = int(np.argmax(sharpes))
        inside.append(float(sharpes[trial]))
        outside.append(float(_sharpes(sums[trial, test][None], float(bars[test]))[0]))
        inside_sum.append(of_train[trial, 0])
        outside_sum.append(sums[trial, test, 0])
        inside_bars.append(train_bars)
        outside_bars.append(bars[test])
    efficiency = walk_forward_efficiency(
        np.array(inside_sum),
        np.array(outside_sum),
        np.array(inside_bars, dtype=np.int64),
        np.array(outside_bars, dtype=np.int64),
        bars_per_year=year,
    )
    return np.array(inside), np.array(outside), efficiency


def low_path(selection: Selection) -> float:
    """The annual Sharpe ratio that 95 % of the paths exceed; NaN without one."""
    known = selection.path_sharpes[np.isfinite(selection.path_sharpes)]
    return float(np.quantile(known, 0.05)) if len(known) else math.nan
