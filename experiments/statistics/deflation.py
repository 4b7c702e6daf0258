"""Sharpe ratios deflated by the number of trials they were chosen from.

Bailey and López de Prado, *The Deflated Sharpe Ratio* (2014); Bailey, Borwein, López de Prado and Zhu,
*Pseudo-mathematics and financial charlatanism*, Notices of the AMS 61(5) (2014).
"""

import math
from dataclasses import dataclass
from typing import Final

from engine.errors import ConfigError

from .effective_trials import TrialSpread
from .maximum import expected_maximum, require_trials
from .sharpe import psr_2012, psr_h0
from .track_record import TrackRecord

HIGHEST_VARIANCE_PER_BAR: Final = 0.25
"""Above it a variance of trials' Sharpe ratios is taken for that of annual ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflation:
    """One chosen track record against the luck of the trials it was chosen from.

    For the raw and for the effective number of trials: the number, the Sharpe ratio per bar that the
    best of so many trials without skill is expected to show, and the deflated ratios in both
    conventions, within [0, 1]. ``sharpe_variance`` is that of the random stage's trials, per bar.
    """

    sharpe_variance: float
    raw_trials: int
    raw_benchmark_per_bar: float
    raw_dsr_2014: float
    raw_dsr_h0: float
    effective_trials: float
    effective_benchmark_per_bar: float
    effective_dsr_2014: float
    effective_dsr_h0: float


def deflate(record: TrackRecord, spread: TrialSpread, *, raw_trials: int) -> Deflation:
    """Deflate by every trial ever run in the family (``raw_trials``) and by the effective number.

    ``spread`` is measured on the random stage (``effective_trials.trial_spread``). Raises ConfigError
    when fewer trials were run than the spread was measured on.
    """
    if raw_trials < spread.trials:
        raise ConfigError(
            f"raw_trials={raw_trials} is less than the {spread.trials} trials of the random stage: count "
            "every trial that was ever run in the family, pruned ones too"
        )
    variance, effective = spread.sharpe_variance, spread.effective_trials
    return Deflation(
        sharpe_variance=variance,
        raw_trials=raw_trials,
        raw_benchmark_per_bar=luck_per_bar(raw_trials, variance),
        raw_dsr_2014=dsr_2014(record, trials=raw_trials, sharpe_variance=variance),
        raw_dsr_h0=dsr_h0(record, trials=raw_trials, sharpe_variance=variance),
        effective_trials=effective,
        effective_benchmark_per_bar=luck_per_bar(effective, variance),
        effective_dsr_2014=dsr_2014(record, trials=effective, sharpe_variance=variance),
        effective_dsr_h0=dsr_h0(record, trials=effective, sharpe_variance=variance),
    )


def luck_per_bar(trials: float, sharpe_variance: float) -> float:
    """Sharpe ratio per bar to expect of the best of ``trials`` without skill, √V · E[max_N].

    ``sharpe_variance`` V is the variance of per-bar Sharpe ratios across trials. 0 for one trial.
    Raises ConfigError for a variance that is negative, not finite, or can only be of annual ratios.
    """
    if not 0.0 <= sharpe_variance <= HIGHEST_VARIANCE_PER_BAR:
        raise ConfigError(
            f"sharpe_variance={sharpe_variance} is no variance of Sharpe ratios of one bar (they lie "
            f"within [0, {HIGHEST_VARIANCE_PER_BAR}]): divide that of annual ones by the bars a year"
        )
    return math.sqrt(sharpe_variance) * expected_maximum(trials)


def dsr_2014(record: TrackRecord, *, trials: float, sharpe_variance: float) -> float:
    """Deflated Sharpe ratio, ``psr_2012`` against ``luck_per_bar``; within [0, 1]."""
    return psr_2012(record, luck_per_bar(trials, sharpe_variance))


def dsr_h0(record: TrackRecord, *, trials: float, sharpe_variance: float) -> float:
    """Deflated Sharpe ratio of 2025: ``psr_h0`` against ``luck_per_bar`` with the best trial's variance."""
    return psr_h0(record, luck_per_bar(trials, sharpe_variance), trials=trials)


def minimum_backtest_years(trials: float, sharpe_annual: float = 1.0) -> float:
    """Years below which the best of ``trials`` without skill is expected to show ``sharpe_annual``.

    (E[max_N] ÷ SR)², below 2 ln N ÷ SR². The one function here that takes an annual ratio, since the
    answer is in years. 0 for one trial. Raises ConfigError unless the ratio is positive and finite.
    """
    require_trials("trials", trials)
    if not 0.0 < sharpe_annual < math.inf:
        raise ConfigError(f"sharpe_annual={sharpe_annual} must be positive and finite")
    return (expected_maximum(trials) / sharpe_annual) ** 2
