"""Parameters fitted on training rows: numbers in, parameters of an indicator out."""

from .cascade import CASCADE_REGRESSORS, cascade_features, cascade_labels, fit_cascade
from .logistic import fit_logistic

__all__ = [
    "CASCADE_REGRESSORS",
    "cascade_features",
    "cascade_labels",
    "fit_cascade",
    "fit_logistic",
]
