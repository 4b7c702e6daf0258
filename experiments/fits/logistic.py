"""Logistic regression by Newton's method, with a ridge that keeps separable data finite."""

from typing import Final

import numpy as np

from engine import Bool1D, ConfigError, Float1D, Float2D

MOST_STEPS: Final = 100
_TOLERANCE: Final = 1e-10
_STEEPEST: Final = 35.0
"""Scores beyond it have odds that float64 cannot tell from certainty."""


def fit_logistic(regressors: Float2D, labels: Bool1D, ridge: float = 1.0) -> Float1D:
    """Intercept and weights ``(K + 1,)`` that maximise the likelihood of ``labels``.

    ``regressors`` ``(N, K)`` finite, ``labels`` ``(N,)``. The penalty ``ridge / 2 * sum(weights^2)``
    leaves the intercept alone; it is in units of the log-likelihood, so it fades as rows grow. Raises
    ConfigError where labels are all alike, a number is not finite, or no optimum is reached.
    """
    if not np.isfinite(regressors).all():
        raise ConfigError(
            "fit_logistic: a regressor is not finite; leave out the rows without data"
        )
    if labels.all() or not labels.any():
        raise ConfigError(
            f"fit_logistic: all {len(labels)} labels are alike; train on rows that hold both outcomes"
        )
    design = np.column_stack((np.ones(len(labels)), regressors))
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    weights: Float1D = np.zeros(design.shape[1])
    objective = _objective(design, labels, weights, penalty)
    for _ in range(MOST_STEPS):
        odds = _odds(design @ weights)
        slope = design.T @ (labels - odds) - penalty * weights
        spread = np.maximum(odds * (1.0 - odds), 1e-12)
        curvature = (design * spread[:, np.newaxis]).T @ design + np.diag(penalty)
        step = np.linalg.lstsq(curvature, slope, rcond=None)[0]
        scale = 1.0
        while scale > 1e-6:
            tried = _objective(design, labels, weights + scale * step, penalty)
            if tried >= objective:
                break
            scale /= 2.0
        weights = weights + scale * step
        objective = _objective(design, labels, weights, penalty)
        if np.abs(scale * step).max() <= _TOLERANCE * (1.0 + np.abs(weights).max()):
            return weights
    raise ConfigError(f"fit_logistic: no optimum after {MOST_STEPS} steps; raise ridge={ridge:g}")


def _odds(score: Float1D) -> Float1D:
    odds: Float1D = 1.0 / (1.0 + np.exp(-np.clip(score, -_STEEPEST, _STEEPEST)))
    return odds


def _objective(design: Float2D, labels: Bool1D, weights: Float1D, penalty: Float1D) -> float:
    score = np.where(labels, 1.0, -1.0) * (design @ weights)
    return float(-np.logaddexp(0.0, -score).sum() - 0.5 * (penalty * weights**2).sum())
