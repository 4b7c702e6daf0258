"""Fewer points for long pictures, without hiding an extreme."""

from itertools import pairwise

import numpy as np

from engine import Float1D, Float2D, Int1D

MAX_BUCKETS = 1200
"""About one bucket a pixel of a wide page."""


def bucket_rows(rows: int, buckets: int = MAX_BUCKETS) -> int:
    """Rows that share a bucket, so that there are at most ``buckets`` of them."""
    return max(1, -(-rows // buckets))


def bucket_of(rows: int, buckets: int = MAX_BUCKETS) -> Int1D:
    """The bucket of every row, ``(rows,)`` int64: equal numbers of rows, in order."""
    return np.arange(rows, dtype=np.int64) // bucket_rows(rows, buckets)


def extreme_rows(values: Float1D, buckets: int = MAX_BUCKETS) -> Int1D:
    """Rows that draw the same line: first, lowest, highest and last of every bucket, in order.

    Every row is kept when there are no more than four in a bucket, and where a line ends or begins
    again at NaN.
    """
    rows = len(values)
    if rows <= 4 * buckets:
        return np.arange(rows, dtype=np.int64)
    edges = np.flatnonzero(np.diff(bucket_of(rows, buckets), prepend=-1, append=buckets))
    missing = np.isnan(values)
    low, high = np.where(missing, np.inf, values), np.where(missing, -np.inf, values)
    breaks = np.flatnonzero(missing[1:] != missing[:-1])
    kept = [
        row
        for start, stop in pairwise(edges)
        for row in (
            start,
            start + int(np.argmin(low[start:stop])),
            start + int(np.argmax(high[start:stop])),
            stop - 1,
        )
    ]
    rows_kept: Int1D = np.unique(
        np.concatenate((np.array(kept, dtype=np.int64), breaks, breaks + 1))
    )
    return rows_kept


def bucket_means(values: Float2D, buckets: int = MAX_BUCKETS) -> tuple[Int1D, Float2D]:
    """First row and column means of every bucket; NaN rows are left out, all NaN stays NaN.

    ``values`` is ``(T, K)``; the answers are ``(B,)`` and ``(B, K)``.
    """
    bucket = bucket_of(len(values), buckets)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    counts = np.add.reduceat(known.astype(np.float64), starts, axis=0)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return starts.astype(np.int64), means
