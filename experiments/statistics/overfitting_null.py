"""The probability of overfitting without any skill: about one half, and widely scattered."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Float1D, Int1D
from engine.errors import ConfigError
from engine.return_sums import SUMS
from engine.sweep import Float3D

from .overfitting import overfitting_probability


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullBand:
    """PBO of repetitions without skill, sorted: ``pbos`` ``(M,)``; quantiles 5, 50 and 95 %."""

    pbos: Float1D
    low: float
    median: float
    high: float

    def p_value(self, pbo: float) -> float:
        """Probability of a PBO this low without skill, (1 + #{null ≤ pbo}) ÷ (1 + M)."""
        return float((1 + int((self.pbos <= pbo).sum())) / (1 + len(self.pbos)))


def null_band(
    configurations: int,
    bars_of_block: Int1D,
    *,
    repetitions: int = 100,
    seed: int | np.random.SeedSequence,
) -> NullBand:
    """Band of independent configurations with normal returns of mean 0 on the given blocks.

    It knows N, S and T alone. Configurations that resemble one another scatter more widely: give the
    effective number of trials, or take ``sign_flip_band``.
    """
    bars = np.asarray(bars_of_block, dtype=np.int64)
    if configurations < 2 or bars.ndim != 1 or (bars < 2).any():
        raise ConfigError(
            f"configurations={configurations} and bars_of_block={bars.tolist()} must be two or more, and "
            "two or more bars a block"
        )
    random = np.random.default_rng(seed)
    pbos = np.empty(_repetitions(repetitions))
    for one in range(repetitions):
        pbos[one] = overfitting_probability(normal_block_sums(configurations, bars, random), bars)
    return _band(pbos)


def normal_block_sums(
    configurations: int, bars_of_block: Int1D, random: np.random.Generator
) -> Float3D:
    """Block sums ``(N, S, 5)`` of independent standard normal returns; only Σr and Σr² are drawn.

    Σr is normal with variance n, and Σr² − (Σr)²/n is χ² with n − 1 degrees, independent of it.
    """
    shape = (configurations, len(bars_of_block))
    sums = np.zeros((*shape, len(SUMS)))
    sums[:, :, 0] = np.sqrt(bars_of_block) * random.standard_normal(shape)
    around = random.chisquare(np.broadcast_to(bars_of_block - 1, shape))
    sums[:, :, 1] = sums[:, :, 0] ** 2 / bars_of_block + around
    return sums


def sign_flip_band(
    block_sums: Float3D,
    bars_of_block: Int1D,
    *,
    repetitions: int = 100,
    seed: int | np.random.SeedSequence,
) -> NullBand:
    """Band of the given configurations with the sign of all returns of a block drawn at random.

    Flipping a block for all configurations at once keeps how they resemble one another and how blocks
    differ in size, and takes away what is good in most blocks: without skill every sign is as likely.
    Arguments as ``overfitting``.
    """
    given = np.asarray(block_sums, dtype=np.float64)
    if given.ndim != 3:
        raise ConfigError(f"block_sums have shape {given.shape}: give (configurations, blocks, 5)")
    random = np.random.default_rng(seed)
    pbos = np.empty(_repetitions(repetitions))
    sums = given.copy()
    for one in range(repetitions):
        sums[:, :, 0] = given[:, :, 0] * random.choice([-1.0, 1.0], size=given.shape[1])
        pbos[one] = overfitting_probability(sums, bars_of_block)
    return _band(pbos)


def _repetitions(repetitions: int) -> int:
    if repetitions < 1:
        raise ConfigError(f"repetitions={repetitions} must be 1 or more")
    return repetitions


def _band(pbos: Float1D) -> NullBand:
    low, median, high = np.quantile(pbos, (0.05, 0.5, 0.95))
    return NullBand(pbos=np.sort(pbos), low=float(low), median=float(median), high=float(high))
