"""Was choosing worth anything? Trials on blocks of their own, chosen on some and judged on others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import Bool2D, Float1D, Float2D, Int1D, Int2D
from engine.metrics import sharpe_from_sums
from engine.return_sums import SUMS
from engine.sweep import Float3D
from engine.timeframe import bars_per_year

from ..config_validation import CpcvConfig, ValidationConfig, WalkForwardConfig
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

FEWEST_INDEPENDENT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """What choosing among the trials of the random stage was worth out of sample.

    ``overfitting`` by combinatorially symmetric cross-validation and its ``null`` band for as many
    independent trials as there effectively are; ``path_sharpes`` annual, of the paths of combinatorial
    cross-validation; ``walk_forward`` by fold, ``decay`` from its in-sample to its out-of-sample Sharpe
    ratios; ``bars_per_year`` is what annual numbers are made with.
    """

    trials: int
    effective_trials: float
    overfitting: Overfitting
    null: NullBand
    path_sharpes: Float1D
    walk_forward: "WalkForward"
    decay: Decay | None
    bars_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WalkForward:
    """The F folds of a walk-forward, each chosen on its training bars and judged on those of its test.

    ``trials`` ``(F,)`` are places in the random stage; ``edges`` ``(F, 4)`` bars: first and end of
    training, first and end of the test, ends excluded. Sharpe ratios per bar, 0 for returns that do not
    vary.
    """

    trials: Int1D
    edges: Int2D
    in_sample_sharpes_per_bar: Float1D
    out_of_sample_sharpes_per_bar: Float1D
    efficiency: WalkForwardEfficiency


@dataclass(slots=True, eq=False)
class Accounts:
    """Return sums of trials on ranges of bars, each range an account of its own that is kept.

    Flat at both edges, votes and measures warmed up before the first bar, decisions begun anew. A trial
    that failed on the ``whole`` has zeros.
    """

    evaluator: Evaluator
    values: Sequence[Values]
    whole: Evaluated
    _kept: dict[BarRange, Float2D] = field(init=False, default_factory=dict)

    def sums(self, part: BarRange) -> Float2D:
        """Return sums of each trial on the bars of ``part``, ``(K, 5)``."""
        if part not in self._kept:
            seen = self.evaluator(self.values, View(part))
            own = require_sound(seen, self.whole, f"bars {part.start} to {part.stop - 1}")
            self._kept[part] = np.nan_to_num(own.sums[:, -1], nan=0.0)
        return self._kept[part]

    def of_blocks(self, edges: Int1D, *, cut_front: int = 0, cut_end: int = 0) -> Float3D:
        """Return sums on the blocks between ``edges``, ``(K, blocks, 5)``, some of their bars cut off."""
        found = np.zeros((len(self.values), len(edges) - 1, len(SUMS)))
        for block, (start, stop) in enumerate(
            zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        ):
            found[:, block] = self.sums(BarRange(start + cut_front, stop - cut_end))
        return found


def selection_of(
    evaluator: Evaluator,
    values: Sequence[Values],
    whole: Evaluated,
    daily: Float2D,
    *,
    validation: ValidationConfig,
) -> Selection:
    """Cross-validate ``values``: ``whole`` on all bars, returns by day ``daily`` ``(days, K)``."""
    panel = evaluator.data.panel
    validation.check_bars(len(panel))
    accounts = Accounts(evaluator, values, whole)
    edges = block_edges(len(panel), validation.cscv.blocks, equal=True)
    sums, bars = accounts.of_blocks(edges), np.diff(edges)
    year = bars_per_year(panel.timeframe)
    varies = daily.std(axis=0) > 0
    effective = 1.0
    if varies.sum() > 1:
        effective = effective_rank(trial_correlation(daily[:, varies]))
    paths, path_bars = _paths_of(accounts, len(panel), validation.cpcv)
    forward = _walk_forward_of(accounts, len(panel), validation.walk_forward, year)
    inside, outside = forward.in_sample_sharpes_per_bar, forward.out_of_sample_sharpes_per_bar
    known = np.isfinite(inside) & np.isfinite(outside)
    return Selection(
        trials=len(values),
        effective_trials=effective,
        overfitting=overfitting(sums, bars),
        null=null_band(
            max(FEWEST_INDEPENDENT, round(effective)),
            bars,
            repetitions=validation.cscv.null_repetitions,
            seed=np.random.SeedSequence([validation.seed, 2]),
        ),
        path_sharpes=sharpe_from_sums(paths, path_bars, year),
        walk_forward=forward,
        decay=in_to_out_of_sample_decay(inside[known], outside[known]) if known.sum() > 2 else None,
        bars_per_year=year,
    )


def _sharpes(sums: Float2D, bars: float) -> Float1D:
    """Per bar; 0 for returns that do not vary, so that idle trials are never chosen over good ones."""
    return np.nan_to_num(sharpe_from_sums(sums, bars, 1.0), nan=0.0)


def _paths_of(accounts: Accounts, bars: int, cpcv: CpcvConfig) -> tuple[Float2D, float]:
    """Sums of the paths out of sample, and their bars."""
    edges = block_edges(bars, cpcv.blocks, equal=True)
    whole = accounts.of_blocks(edges)
    cut = accounts.of_blocks(edges, cut_front=cpcv.embargo_bars)
    lengths = np.diff(edges)
    return _paths(whole, cut, lengths, cpcv), float(lengths.sum())


def _paths(whole: Float3D, cut: Float3D, lengths: Int1D, cpcv: CpcvConfig) -> Float2D:
    """Sums of the paths ``(paths, 5)``, each block by the trial that was best on its split's training.

    ``whole`` ``(K, blocks, 5)`` of blocks of ``lengths`` bars, ``cut`` without their first
    ``embargo_bars``: so a block is trained on that follows a tested one.
    """
    splits = combinatorial_splits(
        int(lengths.sum()), blocks=cpcv.blocks, test_blocks=cpcv.test_blocks
    )
    trains = ~splits.is_tested
    is_cut = np.zeros_like(trains)
    is_cut[:, 1:] = trains[:, 1:] & splits.is_tested[:, :-1]
    train_bars = (trains * lengths).sum(axis=1) - cpcv.embargo_bars * is_cut.sum(axis=1)
    best = np.full(len(train_bars), -np.inf)
    chosen = np.zeros(len(train_bars), dtype=np.int64)
    for trial in range(len(whole)):
        found = _sharpes(_train_sums(whole[trial], cut[trial], trains, is_cut), train_bars)
        better = found > best
        best[better], chosen[better] = found[better], trial
    return splits.path_sums(whole, chosen)


def _train_sums(whole: Float2D, cut: Float2D, trains: Bool2D, is_cut: Bool2D) -> Float2D:
    """Sums ``(splits, 5)`` over the blocks trained on, added in the order of time."""
    sums = np.zeros((len(trains), whole.shape[1]))
    for block in range(len(whole)):
        of_block = np.where(is_cut[:, block, None], cut[block], whole[block])
        sums[trains[:, block]] += of_block[trains[:, block]]
    return sums


def _walk_forward_of(
    accounts: Accounts, bars: int, section: WalkForwardConfig, year: float
) -> WalkForward:
    edges = block_edges(bars, section.blocks, equal=True)
    sums, cut = accounts.of_blocks(edges), accounts.of_blocks(edges, cut_end=section.gap_bars)
    return _walk_forward(sums, cut, edges, section, year)


def _walk_forward(
    sums: Float3D, cut: Float3D, edges: Int1D, section: WalkForwardConfig, year: float
) -> WalkForward:
    """The folds of a walk-forward over the blocks between ``edges``.

    ``sums`` ``(K, blocks, 5)`` of the blocks, ``cut`` without their last ``gap_bars``: so the block
    before a test is trained on.
    """
    trials: list[int] = []
    bars: list[tuple[int, int, int, int]] = []
    folds: list[tuple[float, float, float, float]] = []
    for first in range(
        section.train_blocks, section.blocks - section.test_blocks + 1, section.test_blocks
    ):
        start = 0 if section.anchored else first - section.train_blocks
        end = first + section.test_blocks
        train = np.concatenate((sums[:, start : first - 1], cut[:, first - 1 : first]), axis=1)
        of_train, of_test = train.sum(axis=1), sums[:, first:end].sum(axis=1)
        own = (edges[start], edges[first] - section.gap_bars, edges[first], edges[end])
        sharpes = _sharpes(of_train, float(own[1] - own[0]))
        trial = int(np.argmax(sharpes))
        outside = float(_sharpes(of_test[trial][None], float(own[3] - own[2]))[0])
        trials.append(trial)
        bars.append(own)
        folds.append((float(sharpes[trial]), outside, of_train[trial, 0], of_test[trial, 0]))
    inside, out, inside_sum, outside_sum = np.array(folds).T
    table = np.array(bars, dtype=np.int64)
    return WalkForward(
        trials=np.array(trials, dtype=np.int64),
        edges=table,
        in_sample_sharpes_per_bar=inside,
        out_of_sample_sharpes_per_bar=out,
        efficiency=walk_forward_efficiency(
            inside_sum,
            outside_sum,
            table[:, 1] - table[:, 0],
            table[:, 3] - table[:, 2],
            bars_per_year=year,
        ),
    )


def low_path(selection: Selection) -> float:
    """The annual Sharpe ratio that 95 % of the paths exceed; NaN without one."""
    known = selection.path_sharpes[np.isfinite(selection.path_sharpes)]
    return float(np.quantile(known, 0.05)) if len(known) else math.nan
