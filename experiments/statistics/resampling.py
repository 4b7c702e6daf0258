"""Resampled rows of dependent observations: block bootstraps and their block length."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from engine.arrays import Float1D, Float2D, Int2D
from engine.errors import ConfigError, DataError
from engine.jit import kernel

Seed: TypeAlias = int | np.random.SeedSequence
Scheme: TypeAlias = Literal["stationary", "circular"]

_DRAWS_AT_ONCE: Final = 128
_INSIGNIFICANT_LAGS: Final = 5
FEWEST_OBSERVATIONS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLengths:
    """Automatic block lengths in observations, before any rounding; below 1 for white noise."""

    stationary: float
    circular: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How rows are drawn again.

    ``stationary`` (Politis and Romano 1994): blocks of geometric length with mean ``block_length``, at
    random starts, wrapping around the end. ``circular`` (Politis and Romano 1992): blocks of exactly
    ``block_length`` rows, rounded up, the last one cut. Raises ConfigError when the scheme is unknown or
    the length is below 1.
    """

    block_length: float
    scheme: Scheme = "stationary"

    def __post_init__(self) -> None:
        if self.scheme not in {"stationary", "circular"}:
            raise ConfigError(f"scheme={self.scheme!r}: it is 'stationary' or 'circular'")
        if not (math.isfinite(self.block_length) and self.block_length >= 1.0):
            raise ConfigError(
                f"block_length={self.block_length}: a block has 1 observation or more; "
                "optimal_block_length(values) proposes one"
            )


def checked_values(name: str, values: Float1D, fewest: int = 2) -> Float1D:
    """``values`` as float64 ``(T,)``; raises DataError when they are too few or one is not finite."""
    found = np.ascontiguousarray(values, dtype=np.float64)
    if found.ndim != 1 or len(found) < fewest:
        raise DataError(
            f"{name} has shape {found.shape}: expected (T,) with at least {fewest} observations"
        )
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found))[0])
        raise DataError(
            f"{name}[{row}]={found[row]} is not finite: cut the rows before the first known one"
        )
    return found


def checked_draws(draws: int) -> int:
    """The number of draws; raises ConfigError below 1."""
    if draws < 1:
        raise ConfigError(f"draws={draws}: at least 1 is needed")
    return draws


def optimal_block_length(values: Float1D) -> BlockLengths:
    """Block lengths that minimise the error of the bootstrap variance of the mean of ``values`` ``(T,)``.

    Politis and White 2004 with the correction of Patton, Politis and White 2009. The spectrum at zero is
    estimated with a flat-top window of width 2m, m the first lag that opens a run of five
    autocorrelations (more above 10^5 observations) below 2·√(log10 T / T), and never above
    √T + the run. Lengths are at most min(3√T, T/3), rounded up. Raises DataError below 10 observations
    or when a value is not finite; constant values give 1 and 1.
    """
    centred = checked_values("values", values, FEWEST_OBSERVATIONS)
    centred = centred - centred.mean()
    count = len(centred)
    run = max(_INSIGNIFICANT_LAGS, int(math.log10(count)))
    last_lag = min(math.ceil(math.sqrt(count)) + run, count - 2)
    squares = np.concatenate(([0.0], np.cumsum(centred * centred)))
    covariance = np.empty(last_lag + 1)
    correlation = np.empty(last_lag + 1)
    for lag in range(last_lag + 1):
        late, early = centred[lag:], centred[: count - lag]
        covariance[lag] = (late * early).sum() / count
        scale = math.sqrt(squares[count] - squares[lag + 1]) * math.sqrt(squares[count - lag - 1])
        if scale <= 0.0:
            return BlockLengths(stationary=1.0, circular=1.0)
        correlation[lag] = abs(covariance[lag]) * count / scale
    band = 2.0 * math.sqrt(math.log10(count) / count)
    width = last_lag
    for lag in range(1, last_lag - run + 1):
        if (correlation[lag : lag + run] < band).all():
            width = min(2 * lag, last_lag)
            break
    lags = np.arange(1, width + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / width))
    weighted = 2.0 * window * covariance[1 : width + 1]
    slope = float((weighted * lags).sum())
    spectrum = float(covariance[0] + weighted.sum())
    longest = math.ceil(min(3.0 * math.sqrt(count), count / 3.0))

    def length(constant: float) -> float:
        if spectrum == 0.0:
            return float(longest)
        squared = 2.0 * slope**2 / (constant * spectrum**2) * count
        return min(math.cbrt(squared), float(longest))

    return BlockLengths(stationary=length(2.0), circular=length(4.0 / 3.0))


def automatic_resampling(values: Float1D, scheme: Scheme = "stationary") -> Resampling:
    """The scheme with its ``optimal_block_length`` for ``values`` ``(T,)``, at least 1."""
    lengths = optimal_block_length(values)
    raw = lengths.stationary if scheme == "stationary" else lengths.circular
    return Resampling(block_length=max(1.0, raw), scheme=scheme)


def automatic_table_resampling(table: Float2D, scheme: Scheme = "stationary") -> Resampling:
    """The scheme with the median automatic length of the columns of ``table`` ``(T, K)``, at least 1.

    Of more than 100 columns that are not all zeros, 100 at equal distances are looked at; without any
    the length is 1. Raises DataError below 10 rows or when one of those looked at is not finite.
    """
    columns = np.flatnonzero((np.asarray(table) != 0.0).any(axis=0))
    if len(columns) == 0:
        return Resampling(block_length=1.0, scheme=scheme)
    looked_at = columns[np.unique(np.linspace(0, len(columns) - 1, 100).astype(np.int64))]
    lengths = [automatic_resampling(table[:, column], scheme).block_length for column in looked_at]
    return Resampling(block_length=float(np.median(lengths)), scheme=scheme)


@kernel
def _stationary_kernel(uniforms: Float2D, new_block_chance: float) -> Int2D:
    """Rows of stationary draws; one uniform decides on a new block and, scaled up, where it starts."""
    draws, count = uniforms.shape
    rows = np.empty((draws, count), np.int64)
    for draw in range(draws):
        row = 0
        for step in range(count):
            u = uniforms[draw, step]
            if step == 0:
                row = min(int(u * count), count - 1)
            elif u < new_block_chance:
                row = min(int(u / new_block_chance * count), count - 1)
            else:
                row += 1
                if row == count:
                    row = 0
            rows[draw, step] = row
    return rows


@kernel
def _counts_kernel(rows: Int2D) -> Float2D:
    """How often each row was drawn, as float64 for a product with a table of values."""
    draws, count = rows.shape
    counts = np.zeros((draws, count))
    for draw in range(draws):
        for step in range(count):
            counts[draw, rows[draw, step]] += 1.0
    return counts


@kernel
def _count_sums_kernel(counts: Float2D, table: Float2D) -> Float2D:
    """``counts @ table``, each sum in the order of the rows, four draws and 32 columns at a time.

    A BLAS adds in an order that depends on its number of threads.
    """
    draws, rows = counts.shape
    columns = table.shape[1]
    sums = np.empty((draws, columns))
    partial = np.empty((4, 32))
    for first in range(0, columns, 32):
        width = min(32, columns - first)
        for draw in range(0, draws, 4):
            last = draws - 1
            d1, d2, d3 = min(draw + 1, last), min(draw + 2, last), min(draw + 3, last)
            partial[:] = 0.0
            for t in range(rows):
                c0, c1, c2, c3 = counts[draw, t], counts[d1, t], counts[d2, t], counts[d3, t]
                values = table[t, first : first + width]
                for k in range(width):
                    value = values[k]
                    partial[0, k] += c0 * value
                    partial[1, k] += c1 * value
                    partial[2, k] += c2 * value
                    partial[3, k] += c3 * value
            for d in range(min(4, draws - draw)):
                sums[draw + d, first : first + width] = partial[d, :width]
    return sums


def _drawn_rows(
    resampling: Resampling, observations: int, draws: int, generator: np.random.Generator
) -> Int2D:
    if resampling.scheme == "stationary":
        return _stationary_kernel(
            generator.random((draws, observations)), 1.0 / resampling.block_length
        )
    length = min(math.ceil(resampling.block_length), observations)
    blocks = -(-observations // length)
    starts = (generator.random((draws, blocks)) * observations).astype(np.int64)
    rows = (starts[:, :, None] + np.arange(length)) % observations
    return np.ascontiguousarray(rows.reshape(draws, -1)[:, :observations])


def resampled_rows(
    resampling: Resampling, observations: int, draws: int, seed: Seed
) -> Iterator[Int2D]:
    """Row indices of ``draws`` resamples of ``(T,)`` observations, in pieces of shape ``(n, T)``.

    The pieces together are the same for a seed, whatever their size. Raises ConfigError below 1 draw.
    """
    generator = np.random.default_rng(seed)
    for done in range(0, checked_draws(draws), _DRAWS_AT_ONCE):
        yield _drawn_rows(resampling, observations, min(_DRAWS_AT_ONCE, draws - done), generator)


def resampled_sums(
    resampling: Resampling, table: Float2D, draws: int, seed: Seed
) -> Iterator[Float2D]:
    """Column sums of ``table`` ``(T, K)`` over the rows of each resample, ``(n, K)`` a piece.

    The rows are those of ``resampled_rows``; the sums are the same on every machine and number of
    threads.
    """
    ordered = np.ascontiguousarray(table, dtype=np.float64)
    for rows in resampled_rows(resampling, len(ordered), draws, seed):
        yield _count_sums_kernel(_counts_kernel(rows), ordered)
