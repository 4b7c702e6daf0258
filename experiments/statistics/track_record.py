"""A track record: how long, how good, how far from normal; all per bar, never annualised."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.arrays import Float1D
from engine.errors import ConfigError, DataError
from engine.metrics import kurtosis_from_sums, sharpe_from_sums, skew_from_sums

HIGHEST_SHARPE_PER_BAR: Final = 1.0
"""Above it a Sharpe ratio is taken for an annual one: daily bars would give 19 a year, monthly 3.5."""
_KURTOSIS_MARGIN: Final = 1e-9
_CONSTANT_MARGIN: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """Moments of T bar returns, as the inference on Sharpe ratios needs them.

    ``bars`` T; ``sharpe_per_bar`` mean ÷ deviation (ddof 1), not annualised; ``skew`` third central
    moment ÷ second^1.5; ``kurtosis`` fourth central moment ÷ second², 3 for a normal distribution
    (non-excess); ``autocorrelation`` of neighbouring returns, 0 for independent ones, read by the
    conventions that have a ρ. Raises ConfigError for fewer than two bars, for a number that is not
    finite, for a Sharpe ratio that can only be annual (above ``HIGHEST_SHARPE_PER_BAR``), and for a
    kurtosis below 1 + skew², which no distribution has: that is an excess kurtosis.
    """

    bars: int
    sharpe_per_bar: float
    skew: float
    kurtosis: float
    autocorrelation: float = 0.0

    def __post_init__(self) -> None:
        if self.bars < 2:
            raise ConfigError(f"bars={self.bars}: a track record needs two bars or more")
        for name in ("skew", "kurtosis"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"{name}={getattr(self, name)} must be finite")
        require_per_bar("sharpe_per_bar", self.sharpe_per_bar)
        least = 1.0 + self.skew * self.skew
        if self.kurtosis < least * (1.0 - _KURTOSIS_MARGIN):
            raise ConfigError(
                f"kurtosis={self.kurtosis} is below 1 + skew² = {least}, which no distribution is: "
                "give the kurtosis that is 3 for a normal distribution, not the excess over it"
            )
        if not -1.0 < self.autocorrelation < 1.0:
            raise ConfigError(f"autocorrelation={self.autocorrelation} must lie within (-1, 1)")


def require_per_bar(name: str, sharpe: float) -> None:
    """Raise ConfigError unless ``sharpe`` is finite and can be a Sharpe ratio of one bar."""
    if not abs(sharpe) <= HIGHEST_SHARPE_PER_BAR:
        raise ConfigError(
            f"{name}={sharpe} is no Sharpe ratio of one bar (they lie within "
            f"±{HIGHEST_SHARPE_PER_BAR:g}): divide an annual one by √(bars a year)"
        )


def track_record(returns: Float1D) -> TrackRecord:
    """Track record of bar returns ``(T,)``, simple and net, as fractions.

    Moments are taken around the mean (population skew and kurtosis, deviation with ddof 1); the
    autocorrelation is Σ (r[t] − m)(r[t−1] − m) ÷ Σ (r[t] − m)², within (−1, 1) by construction.
    Raises DataError when a return is not finite, and when all returns are alike.
    """
    given = np.asarray(returns, dtype=np.float64)
    if given.ndim != 1:
        raise ConfigError(f"returns have shape {given.shape}: give one series (T,)")
    if len(given) < 2:
        raise ConfigError(f"returns have {len(given)} bars: a track record needs two or more")
    if not np.isfinite(given).all():
        row = int(np.flatnonzero(~np.isfinite(given))[0])
        raise DataError(f"returns[{row}]={given[row]}: every return must be finite")
    mean = float(given.mean())
    around = given - mean
    second = float((around**2).mean())
    if second <= _CONSTANT_MARGIN * mean * mean:
        raise DataError(
            f"returns are all alike ({mean} on each of {len(given)} bars): no Sharpe ratio is defined; "
            "leave out configurations that never trade"
        )
    return TrackRecord(
        bars=len(given),
        sharpe_per_bar=mean / math.sqrt(second * len(given) / (len(given) - 1)),
        skew=float((around**3).mean()) / second**1.5,
        kurtosis=float((around**4).mean()) / second**2,
        autocorrelation=float((around[1:] * around[:-1]).sum()) / (second * len(given)),
    )


def track_record_from_sums(sums: Float1D, bars: int, *, autocorrelation: float) -> TrackRecord:
    """Track record of one run or block from its power sums ``(5,)`` (``engine.return_sums``).

    Sums do not carry the order of returns: the autocorrelation is given, 0 where bars are taken for
    independent. Raises DataError when the Sharpe ratio or a moment is undefined.
    """
    given: Any = np.asarray(sums, dtype=np.float64)
    if given.shape != (5,):
        raise ConfigError(f"sums have shape {given.shape}: give the five sums of one configuration")
    sharpe = float(sharpe_from_sums(given, bars, 1.0))
    skew, kurtosis = float(skew_from_sums(given, bars)), float(kurtosis_from_sums(given, bars))
    if not all(map(math.isfinite, (sharpe, skew, kurtosis))):
        raise DataError(
            f"sums={given.tolist()} of {bars} bars define no Sharpe ratio, skew or kurtosis: returns do "
            "not vary, or too little for their mean; leave out configurations that never trade"
        )
    return TrackRecord(
        bars=bars,
        sharpe_per_bar=sharpe,
        skew=skew,
        kurtosis=kurtosis,
        autocorrelation=autocorrelation,
    )
