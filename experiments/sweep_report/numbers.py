"""Numbers of a sweep's trials that its report shows and its ledger does not state."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from engine import Bool1D, Float1D, Float2D, Int1D

_FURTHEST = 7.5
"""Standard errors above which a probability is too near 1 to be turned back into them."""
_NEAREST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """``counts`` ``(B,)`` of values between ``edges`` ``(B + 1,)``; ``undefined`` were not finite."""

    edges: Float1D
    counts: Int1D
    undefined: int

    @property
    def middles(self) -> Float1D:
        """The middle of each bin."""
        return np.asarray((self.edges[:-1] + self.edges[1:]) / 2)


def histogram(values: Float1D, *, most: int = 40) -> Histogram:
    """Bins of equal width by Freedman and Diaconis's rule, from 5 to ``most`` of them.

    One bin where all values are equal.
    """
    known = np.asarray(values, dtype=np.float64)
    finite = known[np.isfinite(known)]
    undefined = len(known) - len(finite)
    if not len(finite) or finite.min() == finite.max():
        middle = float(finite[0]) if len(finite) else 0.0
        half = max(abs(middle), 1.0) / 100
        edges = np.array([middle - half, middle + half])
        return Histogram(edges=edges, counts=np.array([len(finite)]), undefined=undefined)
    spread = float(np.subtract(*np.quantile(finite, (0.75, 0.25))))
    width = 2 * spread / len(finite) ** (1 / 3)
    span = float(finite.max() - finite.min())
    bins = int(np.clip(np.ceil(span / width) if width > span / most else most, 5, most))
    counts, edges = np.histogram(finite, bins=bins)
    return Histogram(edges=edges, counts=counts.astype(np.int64), undefined=undefined)


def improvements(good: Float1D, can_win: Bool1D) -> Int1D:
    """Trials ``(M,)`` that were better than every earlier one that may win, in order.

    ``good`` ``(N,)``: more is better, minus infinity where a trial may not be chosen.
    """
    allowed = np.where(can_win, good, -np.inf)
    before = np.concatenate(([-np.inf], np.maximum.accumulate(allowed)[:-1])) if len(good) else good
    return np.flatnonzero(allowed > before)


def sharpe_intervals(
    sharpe_annual: Float1D, psr: Float1D, *, confidence: float = 0.95
) -> tuple[Float1D, Float1D]:
    """Both ends of the interval of each Sharpe ratio, from its probability of being above 0.

    The probabilistic Sharpe ratio of 2012 against 0 is Φ(SR ÷ σ̂), so that σ̂ = SR ÷ Φ⁻¹(psr) and the
    interval SR ± z·σ̂: asymptotic, of single bars as if independent, and of a configuration that nobody
    chose. NaN where either number is undefined, or too extreme to be turned back.
    """
    z = ndtri(np.asarray(psr, dtype=np.float64))
    usable = np.isfinite(z) & (np.abs(z) < _FURTHEST) & (np.abs(z) > _NEAREST)
    error = np.where(usable, sharpe_annual / np.where(usable, z, 1.0), np.nan)
    reach = float(ndtri(0.5 + confidence / 2)) * error
    return sharpe_annual - reach, sharpe_annual + reach


def middle_value(values: Float1D) -> float:
    """The median of ``values`` (one at least), of an even number the lower one of the two in the middle.

    It is one of them, so that a whole number stays whole and a choice can be told.
    """
    return float(np.sort(values)[(len(values) - 1) // 2])


def medians_by_place(values: Float1D, good: Float1D, edges: Float1D) -> tuple[Float1D, Int1D]:
    """Median of ``good`` ``(N,)`` and number of trials in each bin of ``values`` ``(N,)``; NaN if empty.

    Bins are [edge, next edge), the last one closed; trials that may not be chosen are left out.
    """
    bins = len(edges) - 1
    known = np.isfinite(good)
    at = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, bins - 1)
    return _medians(at, good[known], bins)


def medians_of_pair(
    x: Float1D, y: Float1D, good: Float1D, x_edges: Float1D, y_edges: Float1D
) -> tuple[Float2D, Int1D]:
    """Median of ``good`` in each cell, ``(rows of y, columns of x)``, NaN if empty, and trials in each."""
    known = np.isfinite(good)
    columns, rows = len(x_edges) - 1, len(y_edges) - 1
    at_x = np.clip(np.searchsorted(x_edges, x[known], side="right") - 1, 0, columns - 1)
    at_y = np.clip(np.searchsorted(y_edges, y[known], side="right") - 1, 0, rows - 1)
    medians, counts = _medians(at_y * columns + at_x, good[known], rows * columns)
    return medians.reshape(rows, columns), counts


def _medians(at: Int1D, values: Float1D, bins: int) -> tuple[Float1D, Int1D]:
    order = np.lexsort((values, at))
    ordered, counts = values[order], np.bincount(at, minlength=bins).astype(np.int64)
    ends = np.cumsum(counts)
    starts, found = ends - counts, np.full(bins, np.nan)
    filled = counts > 0
    low = ordered[(starts + (counts - 1) // 2)[filled]]
    high = ordered[(starts + counts // 2)[filled]]
    found[filled] = (low + high) / 2
    return found, counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """One reason for which trials failed: its text, how many, and the first of them."""

    error: str
    trials: int
    first: int


def failures_of(errors: Sequence[str | None]) -> tuple[Failures, ...]:
    """Reasons by number of trials; ``errors`` has one entry for each trial, None where it did not fail."""
    counted = Counter(error for error in errors if error is not None)
    first: dict[str, int] = {}
    for trial, error in enumerate(errors):
        if error is not None and error not in first:
            first[error] = trial
    return tuple(
        Failures(error=error, trials=count, first=first[error])
        for error, count in sorted(counted.items(), key=lambda item: (-item[1], first[item[0]]))
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pace:
    """When trials were written: ``hours`` since the sweep was made ``(B,)`` and ``trials`` by then.

    ``per_second`` is the median over the parts of trials a second, NaN below two parts.
    """

    hours: Float1D
    trials: Float1D
    per_second: float


def pace_of(batch_ends: Float2D, created: float) -> Pace | None:
    """The pace by the times of the parts' files ``(B, 2)``; None where those are not of the sweep.

    Files that were copied have other times, out of order or all of one moment long after the sweep was
    made: within a hundredth of the time since then. Then there is nothing to say.
    """
    if not len(batch_ends):
        return None
    trials, times = batch_ends.T
    if times[0] < created - 1.0 or (np.diff(times) < 0).any():
        return None
    if len(times) > 1 and times[-1] - times[0] < 0.01 * (times[-1] - created):
        return None
    taken = np.diff(times)
    rate = np.diff(trials)[taken > 0] / taken[taken > 0]
    return Pace(
        hours=(times - created) / 3600.0,
        trials=trials,
        per_second=float(np.median(rate)) if len(rate) else np.nan,
    )
