"""How many trials were really different, and how far their Sharpe ratios lie apart."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Bool1D, Float1D, Float2D
from engine.errors import ConfigError, DataError

FEWEST_RANDOM_TRIALS: Final = 10
_CONSTANT_MARGIN: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpread:
    """What the random stage of a sweep says about its search space.

    ``trials`` of the random stage with a Sharpe ratio; ``sharpe_variance`` of their per-bar ratios
    (ddof 1); ``effective_trials`` by effective rank, ``average_correlation_trials`` by the linear
    formula, both within [1, trials].
    """

    trials: int
    sharpe_variance: float
    effective_trials: float
    average_correlation_trials: float


def trial_spread(returns: Float2D, is_random: Bool1D) -> TrialSpread:
    """Spread of the trials of the random stage: bar returns ``(T, N)``, ``is_random`` ``(N,)``.

    Only trials that a Sobol or random sampler drew count. An optimiser draws where it is already good,
    so that the variance of its trials is not that of the search space and its trials resemble one
    another. Trials whose returns do not vary (they never traded) have no Sharpe ratio and are left
    out. Raises ConfigError for shapes that do not fit and for fewer than ten trials, DataError for
    returns that are not finite.
    """
    given = _matrix(returns)
    chosen = np.asarray(is_random)
    if chosen.dtype != np.bool_ or chosen.shape != (given.shape[1],):
        raise ConfigError(
            f"is_random {chosen.shape} {chosen.dtype}: give one bool for each of {given.shape[1]} trials"
        )
    drawn = given[:, chosen]
    drawn = drawn[:, _varies(drawn)]
    if drawn.shape[1] < FEWEST_RANDOM_TRIALS:
        raise ConfigError(
            f"is_random leaves {drawn.shape[1]} trials whose returns vary: the spread of a search space "
            f"needs {FEWEST_RANDOM_TRIALS} or more from the random stage"
        )
    correlation = trial_correlation(drawn)
    return TrialSpread(
        trials=drawn.shape[1],
        sharpe_variance=float(np.var(drawn.mean(axis=0) / drawn.std(axis=0, ddof=1), ddof=1)),
        effective_trials=effective_rank(correlation),
        average_correlation_trials=average_correlation_trials(correlation),
    )


def trial_correlation(returns: Float2D) -> Float2D:
    """Correlation ``(N, N)`` of trials' bar returns ``(T, N)``.

    Raises DataError when a column does not vary or a return is not finite.
    """
    given = _matrix(returns)
    varies = _varies(given)
    if not varies.all():
        raise DataError(
            f"returns of trial {int(np.flatnonzero(~varies)[0])} do not vary: leave it out"
        )
    around = given - given.mean(axis=0)
    scaled = around / np.sqrt((around**2).sum(axis=0))
    correlation: Float2D = np.clip(scaled.T @ scaled, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def effective_rank(correlation: Float2D) -> float:
    """exp of the entropy of the eigenvalues' shares (Roy and Vetterli 2007), within [1, N].

    N for uncorrelated trials, 1 for N copies of one, k for k clusters of copies of equal size; trials
    that mirror each other count as one. Never above the number of bars that the correlation was
    measured on. Raises ConfigError unless ``correlation`` is one.
    """
    values = np.linalg.eigvalsh(_correlation(correlation))
    shares = values[values > 0.0] / values[values > 0.0].sum()
    return min(max(1.0, math.exp(-float((shares * np.log(shares)).sum()))), float(len(correlation)))


def average_correlation_trials(correlation: Float2D) -> float:
    """ρ̄ + (1 − ρ̄)·N, ρ̄ the mean off the diagonal (Bailey and López de Prado 2014); within [1, N]."""
    given = _correlation(correlation)
    count = len(given)
    if count == 1:
        return 1.0
    mean = float((given.sum() - count) / (count * (count - 1)))
    return min(max(1.0, mean + (1.0 - mean) * count), float(count))


def sharpe_variance(sharpe_per_bar: Float1D, is_random: Bool1D) -> float:
    """Variance (ddof 1) of the per-bar Sharpe ratios ``(N,)`` of the random stage's trials.

    NaN stands for a trial without a Sharpe ratio and is left out. Raises ConfigError for shapes that
    do not fit and for fewer than ten trials.
    """
    given, chosen = np.asarray(sharpe_per_bar, dtype=np.float64), np.asarray(is_random)
    if given.ndim != 1 or chosen.dtype != np.bool_ or chosen.shape != given.shape:
        raise ConfigError(
            f"sharpe_per_bar {given.shape} and is_random {chosen.shape} {chosen.dtype} must be one number "
            "and one bool a trial"
        )
    drawn = given[chosen & ~np.isnan(given)]
    if len(drawn) < FEWEST_RANDOM_TRIALS:
        raise ConfigError(
            f"is_random leaves {len(drawn)} trials with a Sharpe ratio: the variance of a search space "
            f"needs {FEWEST_RANDOM_TRIALS} or more from the random stage"
        )
    return float(np.var(drawn, ddof=1))


def _matrix(returns: Float2D) -> Float2D:
    given = np.asarray(returns, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] < 2 or given.shape[1] < 1:
        raise ConfigError(
            f"returns have shape {given.shape}: give (bars, trials), two bars or more"
        )
    if not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise DataError(
            f"returns[{row}, {column}]={given[row, column]}: every return must be finite"
        )
    return given


def _varies(returns: Float2D) -> Bool1D:
    mean = returns.mean(axis=0)
    varies: Bool1D = returns.var(axis=0) > _CONSTANT_MARGIN * mean * mean
    return varies


def _correlation(correlation: Float2D) -> Float2D:
    given = np.asarray(correlation, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or len(given) == 0:
        raise ConfigError(f"correlation has shape {given.shape}: it must be square")
    if not ((np.abs(given) <= 1.0).all() and (np.diagonal(given) == 1.0).all()):
        raise ConfigError("correlation must hold ones on its diagonal and numbers within [-1, 1]")
    return given
