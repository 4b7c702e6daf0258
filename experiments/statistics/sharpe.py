"""Is a Sharpe ratio above another one? Two published conventions, never mixed.

``..._2012``: Bailey and López de Prado, *The Sharpe Ratio Efficient Frontier* (2012): the variance of the
estimate at the *observed* ratio, divisor T − 1.
``..._h0``: López de Prado, Lipton and Zoonekynd, *How to use the Sharpe ratio* (SSRN 5520741): the
variance under the *null hypothesis*, divisor T, with autocorrelated returns, and that of the best of K
trials. The answer is 1 − p of a one-sided test: how often chance shows less when the true ratio is the
benchmark. It is not the probability that a strategy is good (``false_discovery``).

Every Sharpe ratio is per bar. Functions of one track record; floats in and out.
"""

import math

from scipy.special import ndtr, ndtri

from engine.errors import ConfigError

from .maximum import variance_of_maximum
from .track_record import TrackRecord, require_per_bar


def psr_2012(record: TrackRecord, benchmark_per_bar: float = 0.0) -> float:
    """Probabilistic Sharpe ratio Φ((SR − SR*) ÷ σ̂(SR)), σ̂ as ``standard_error_2012``; within [0, 1].

    Raises ConfigError for an annual benchmark and where σ̂ is 0 (returns of two values).
    """
    require_per_bar("benchmark_per_bar", benchmark_per_bar)
    error = standard_error_2012(record)
    return float(ndtr((record.sharpe_per_bar - benchmark_per_bar) / error))


def standard_error_2012(record: TrackRecord) -> float:
    """√((1 − γ₃·SR + (γ₄ − 1)/4 · SR²) ÷ (T − 1)) at the observed ratio; per bar."""
    return math.sqrt(_variance_of_one_bar(record, record.sharpe_per_bar, 0.0) / (record.bars - 1))


def minimum_track_record_2012(
    record: TrackRecord, benchmark_per_bar: float = 0.0, *, significance: float = 0.05
) -> float:
    """Bars that PSR needs to reach 1 − ``significance``: 1 + (T − 1)σ̂² · (Φ⁻¹(1 − α) ÷ (SR − SR*))².

    Infinite when the ratio is not above the benchmark. The bars of ``record`` do not enter.
    """
    require_per_bar("benchmark_per_bar", benchmark_per_bar)
    variance = _variance_of_one_bar(record, record.sharpe_per_bar, 0.0)
    return 1.0 + variance * _squared_distance(record, benchmark_per_bar, significance)


def psr_h0(record: TrackRecord, benchmark_per_bar: float = 0.0, *, trials: float = 1.0) -> float:
    """Probabilistic Sharpe ratio Φ((SR − SR₀) ÷ σ(SR₀)), σ as ``standard_error_h0``; 1 − p of the test.

    With ``trials`` above 1 the ratio is the best of so many and the benchmark is expected to be their
    expected maximum (``deflation.dsr_h0``); only the variance shrinks here.
    """
    error = standard_error_h0(record, benchmark_per_bar, trials=trials)
    return float(ndtr((record.sharpe_per_bar - benchmark_per_bar) / error))


def standard_error_h0(
    record: TrackRecord, sharpe_per_bar: float = 0.0, *, trials: float = 1.0
) -> float:
    """Standard error of the estimate when the true ratio is ``sharpe_per_bar``; per bar.

    √((a − b·γ₃·SR + c·(γ₄ − 1)/4 · SR²) ÷ T × V_K), a = 1 + 2ρ/(1−ρ), b = 1 + ρ/(1−ρ) + ρ²/(1−ρ²),
    c = 1 + 2ρ²/(1−ρ²), V_K the variance of the maximum of K standard normals, 1 for one trial.
    The observed ratio of ``record`` does not enter.
    """
    require_per_bar("sharpe_per_bar", sharpe_per_bar)
    variance = _variance_of_one_bar(record, sharpe_per_bar, record.autocorrelation)
    return math.sqrt(variance * variance_of_maximum(trials) / record.bars)


def minimum_track_record_h0(
    record: TrackRecord, benchmark_per_bar: float = 0.0, *, significance: float = 0.05
) -> float:
    """Bars the test needs to reject SR₀: Tσ(SR₀)² · (Φ⁻¹(1 − α) ÷ (SR − SR₀))²; infinite when SR ≤ SR₀."""
    require_per_bar("benchmark_per_bar", benchmark_per_bar)
    variance = _variance_of_one_bar(record, benchmark_per_bar, record.autocorrelation)
    return variance * _squared_distance(record, benchmark_per_bar, significance)


def critical_sharpe_h0(
    record: TrackRecord,
    benchmark_per_bar: float = 0.0,
    *,
    significance: float = 0.05,
    trials: float = 1.0,
) -> float:
    """Sharpe ratio per bar above which the test rejects SR₀: SR₀ + Φ⁻¹(1 − α)·σ(SR₀)."""
    _require_significance(significance)
    error = standard_error_h0(record, benchmark_per_bar, trials=trials)
    return benchmark_per_bar + float(ndtri(1.0 - significance)) * error


def power_h0(
    record: TrackRecord,
    benchmark_per_bar: float = 0.0,
    *,
    alternative_per_bar: float,
    significance: float = 0.05,
    trials: float = 1.0,
) -> float:
    """Probability that the test rejects SR₀ when the ratio is SR₁: 1 − Φ((SR_c − SR₁) ÷ σ(SR₁))."""
    if not alternative_per_bar > benchmark_per_bar:
        raise ConfigError(
            f"alternative_per_bar={alternative_per_bar} must lie above "
            f"benchmark_per_bar={benchmark_per_bar}"
        )
    critical = critical_sharpe_h0(
        record, benchmark_per_bar, significance=significance, trials=trials
    )
    error = standard_error_h0(record, alternative_per_bar, trials=trials)
    return float(ndtr((alternative_per_bar - critical) / error))


def _variance_of_one_bar(record: TrackRecord, sharpe_per_bar: float, rho: float) -> float:
    """T × the asymptotic variance of the estimate at ``sharpe_per_bar``."""
    sums = rho / (1.0 - rho)
    squares = rho * rho / (1.0 - rho * rho)
    variance = (
        (1.0 + 2.0 * sums)
        - (1.0 + sums + squares) * record.skew * sharpe_per_bar
        + (1.0 + 2.0 * squares) * (record.kurtosis - 1.0) / 4.0 * sharpe_per_bar**2
    )
    if not variance > 0.0:
        raise ConfigError(
            f"skew={record.skew}, kurtosis={record.kurtosis} and autocorrelation={rho} leave a variance of "
            f"{variance} at a Sharpe ratio of {sharpe_per_bar}: the returns have two values, and no error"
        )
    return variance


def _squared_distance(record: TrackRecord, benchmark_per_bar: float, significance: float) -> float:
    _require_significance(significance)
    above = record.sharpe_per_bar - benchmark_per_bar
    return (float(ndtri(1.0 - significance)) / above) ** 2 if above > 0.0 else math.inf


def _require_significance(significance: float) -> None:
    if not 0.0 < significance < 0.5:
        raise ConfigError(f"significance={significance} must lie within (0, 0.5), such as 0.05")
