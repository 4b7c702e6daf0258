"""Planted edges: a drift that a published column announces.

``drift(hour t + 1) = edge * sum over k < horizon of z(t - k)``, in basis points of log return, where
``z(t)`` is the column as it was known at the end of hour *t*, less its centre and divided by its
scale, clipped to three. The columns themselves are made from returns without the drift, so the
drift does not feed back on them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D

from .derivatives import ACCOUNT_RATIO_NOISE, LOG_ACCOUNT_RATIO

LIMIT: Final = 3.0


@dataclass(frozen=True, slots=True)
class PlantedColumn:
    """A column that can carry an edge: where it is published and how it is standardised."""

    series: str
    column: str
    text: str
    centre: float
    scale: float
    logarithm: bool = False

    def standardised(self, value: Float1D) -> Float1D:
        """``value`` (its logarithm where stated) less centre over scale, clipped to three."""
        raw = np.log(value) if self.logarithm else value
        z: Float1D = np.clip((raw - self.centre) / self.scale, -LIMIT, LIMIT)
        return z


PLANTED_COLUMNS: Final = {
    "taker_flow": PlantedColumn(
        "bars",
        "taker_buy_volume / volume",
        "taker-buy share of the hour's spot volume",
        0.493,
        0.046,
    ),
    "funding": PlantedColumn("funding", "rate", "latest settled funding rate", 1.3e-4, 2.5e-4),
    "long_short_ratio": PlantedColumn(
        "metrics",
        "count_long_short_ratio",
        "logarithm of the latest published ratio of long to short accounts",
        LOG_ACCOUNT_RATIO,
        ACCOUNT_RATIO_NOISE + 0.03,
        logarithm=True,
    ),
}
"""Columns that ``planted_column`` may name."""


def planted_drift(z: Float1D, edge_bps: float, horizon_hours: int) -> Float1D:
    """Log drift of each hour, ``(H,)``, from the standardised column known at each hour's end."""
    drift = np.zeros(len(z))
    for lag in range(1, min(horizon_hours, len(z) - 1) + 1):
        drift[lag:] += z[:-lag]
    drift *= edge_bps * 1e-4
    return drift
