"""Weighted signals in [0, 1]: their mean, the side it takes and the confidence in it.

A signal is ``(T,)`` float64 with 0.5 for neutral and NaN where it is not known. Used by the heads
that average indicators (SPEC H1.5 and H1.6).
"""

from collections.abc import Iterable, Mapping

import numpy as np

from engine import Float1D, Int8Array1D

from .base import HeadInputs

TOLERANCE = 1e-12


def column_or_nan(inputs: HeadInputs, alias: str) -> Float1D:
    """The column, NaN on every row when the market lacks it."""
    column = inputs.get(alias)
    return np.full(inputs.rows, np.nan) if column is None else column


def column_or_zero(inputs: HeadInputs, alias: str) -> Float1D:
    """The column of events, without any event when the market lacks it."""
    column = inputs.get(alias)
    return np.zeros(inputs.rows) if column is None else column


def bounded(values: Float1D, scale: float | Float1D = 1.0) -> Float1D:
    """``1/2 + tanh(x / scale) / 2``: 0 to 1, 0.5 at 0."""
    return 0.5 + 0.5 * np.tanh(values / scale)


def quotient_or_zero(part: Float1D, whole: Float1D) -> Float1D:
    """``part / whole``; 0 where the whole is 0, as in a market that does not move."""
    return np.where(whole == 0, 0.0 * part, part / np.where(whole == 0, 1.0, whole))


def weighted_mean(
    signals: Mapping[str, Float1D], weights: Mapping[str, float], rows: int
) -> tuple[Float1D, Float1D]:
    """Mean of the known signals by weight, 0.5 where none is, and the share of the weight known.

    A signal that is not known drops out and the weights of the others are scaled up. Both results
    are ``(T,)`` in [0, 1].
    """
    total, known = np.zeros(rows), np.zeros(rows)
    for name, weight in weights.items():
        missing = np.isnan(signals[name])
        total += np.where(missing, 0.0, weight * np.where(missing, 0.0, signals[name]))
        known += np.where(missing, 0.0, weight)
    mean = np.where(known > 0, total / np.where(known > 0, known, 1.0), 0.5)
    coverage = known / sum(weights.values())
    return np.clip(mean, 0.0, 1.0), np.clip(coverage, 0.0, 1.0)


def side_of(score: Float1D, threshold: float) -> Int8Array1D:
    """1 where the score is at least ``threshold``, -1 where ``1 - score`` is, else 0.

    Within 1e-12, so that a threshold such as 0.55 binds alike on both sides.
    """
    up = score >= threshold - TOLERANCE
    down = 1.0 - score >= threshold - TOLERANCE
    sides: Int8Array1D = up.astype(np.int8) - down.astype(np.int8)
    return sides


def agreement_confidence(score: Float1D, side: Int8Array1D, signals: Iterable[Float1D]) -> Float1D:
    """``0.5 + 0.25 (2 share - 1) + 0.25 min(1, 4 |score - 1/2|)`` (SPEC H1.6), 0.25 to 1.

    ``share`` is the part of the known ``signals`` that lie on the vote's side of 0.5.
    """
    agreeing, known = np.zeros(len(score)), np.zeros(len(score))
    for signal in signals:
        agreeing += (signal - 0.5) * side > 0
        known += ~np.isnan(signal)
    share = agreeing / np.maximum(known, 1.0)
    strength = np.minimum(1.0, 4.0 * np.abs(score - 0.5))
    return 0.5 + 0.25 * (2.0 * share - 1.0) + 0.25 * strength
