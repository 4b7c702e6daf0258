"""Statistics of bar returns from their power sums: what a sweep keeps of a configuration (accounting, 8).

``sums`` are those of ``engine.return_sums``, ``(5,)`` for a run or ``(K, 5)`` for K configurations or
blocks; ``n`` is the number of bars behind them, a number or ``(K,)``. Answers are ``()`` or ``(K,)``.
Every formula is made of +, −, ×, ÷ and square roots in a fixed order, so one row and a thousand give
the same bits. Undefined values are NaN.
"""

from typing import Any, Final, TypeAlias

import numpy as np

FloatND: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

CONSTANT_MARGIN: Final = 1e-12
"""Returns vary when n · Σr² exceeds (Σr)² by more than this part of it."""
CARRIED_MARGIN: Final = 1e-4
"""Third and fourth moments are carried by the power sums above this ratio of variance to mean²."""


def mean_from_sums(sums: FloatND, n: FloatND | float) -> FloatND:
    """Mean return of a bar; NaN without bars."""
    count = np.asarray(n, dtype=np.float64)
    return _quotient(sums[..., 0], count, count > 0)


def deviation_from_sums(sums: FloatND, n: FloatND | float) -> FloatND:
    """Standard deviation of bar returns, ddof 1; 0 when they are all alike, NaN below two bars."""
    count = np.asarray(n, dtype=np.float64)
    r, r2 = sums[..., 0], sums[..., 1]
    varies = (count > 1) & (count * r2 > r * r * (1.0 + CONSTANT_MARGIN))
    squares = r2 - _quotient(r * r, count, varies)
    variance = np.where(varies, _quotient(squares, count - 1.0, varies), 0.0)
    return np.asarray(np.where(count > 1, np.sqrt(variance), np.nan))


def volatility_from_sums(sums: FloatND, n: FloatND | float, periods: float) -> FloatND:
    """Deviation × √periods, ``periods`` bars a year."""
    return _annual(deviation_from_sums(sums, n), periods)


def sharpe_from_sums(sums: FloatND, n: FloatND | float, periods: float) -> FloatND:
    """Mean ÷ deviation × √periods, risk-free rate 0; NaN when returns do not vary."""
    deviation = deviation_from_sums(sums, n)
    return _annual(_quotient(mean_from_sums(sums, n), deviation, deviation > 0), periods)


def sortino_from_sums(sums: FloatND, n: FloatND | float, periods: float) -> FloatND:
    """Mean ÷ √(Σ min(r, 0)² ÷ n) × √periods; NaN without a negative return."""
    count = np.asarray(n, dtype=np.float64)
    downside = np.sqrt(_quotient(sums[..., 4], count, (count > 0) & (sums[..., 4] > 0)))
    return _annual(_quotient(mean_from_sums(sums, n), downside, downside > 0), periods)


def skew_from_sums(sums: FloatND, n: FloatND | float) -> FloatND:
    """Population skewness m3 ÷ m2^1.5; NaN when the deviation is below 1 % of the mean."""
    mean, second, carried = _second_moment(sums, n)
    r2 = _quotient(sums[..., 1], n, carried)
    r3 = _quotient(sums[..., 2], n, carried)
    third = r3 - 3.0 * mean * r2 + 2.0 * (mean * mean * mean)
    scale = second * np.sqrt(np.where(carried, second, 0.0))
    return _quotient(third, scale, scale > 0)


def kurtosis_from_sums(sums: FloatND, n: FloatND | float) -> FloatND:
    """Population kurtosis m4 ÷ m2², 3 for a normal; NaN when the deviation is below 1 % of the mean."""
    mean, second, carried = _second_moment(sums, n)
    r2 = _quotient(sums[..., 1], n, carried)
    r3 = _quotient(sums[..., 2], n, carried)
    r4 = _quotient(sums[..., 3], n, carried)
    squared = mean * mean
    fourth = r4 - 4.0 * mean * r3 + 6.0 * squared * r2 - 3.0 * (squared * squared)
    scale = np.where(carried, second * second, 0.0)
    return _quotient(fourth, scale, scale > 0)


def _second_moment(sums: FloatND, n: FloatND | float) -> tuple[FloatND, FloatND, Any]:
    """Mean, population variance, and where the sums carry higher moments."""
    mean = mean_from_sums(sums, n)
    second = _quotient(sums[..., 1], n, ~np.isnan(mean)) - mean * mean
    return mean, second, (second > 0) & (second > CARRIED_MARGIN * mean * mean)


def _annual(of_a_bar: FloatND, periods: float) -> FloatND:
    annual: FloatND = of_a_bar * np.sqrt(periods)
    return annual


def _quotient(above: FloatND, below: FloatND | float, defined: Any) -> FloatND:
    """``above / below`` where ``defined``, NaN elsewhere."""
    out = np.full(np.broadcast(above, below, defined).shape, np.nan)
    np.divide(above, below, out=out, where=defined)
    return out
