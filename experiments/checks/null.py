"""Random-walk null: on prices that nothing predicts, no detector may earn anything.

Every detector (a signal of an indicator, a reason or the direction of a head, the consensus) is
followed by its mean signed forward return: in at the next open, out 20 bars later. Prices are
martingales, so the expectation is 0 for everything that uses the past only. Sums of one walk count
as one observation, because firings of one walk overlap; the statistic is Student's t of these sums
against 0, two-sided, with the family-wise level divided by the number of detectors tested.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from scipy import stats

from engine import Float1D, Market

from .report import CheckRow

Detectors: TypeAlias = Mapping[str, np.ndarray]
"""Signed firings by name, ``(T,)`` with -1, 0 or 1 on each bar."""
DetectorSubject: TypeAlias = Callable[[Market], Detectors]

HOLD_BARS = 20
WALKS = 40
ROWS = 4_000
MIN_FIRINGS = 200
FAMILY_LEVEL = 0.05
FIRST_SEED = 5_000


def forward_returns(opens: Float1D, hold_bars: int = HOLD_BARS) -> Float1D:
    """Return from the next open to the open ``hold_bars`` later; 0 for the rows that lack it."""
    result = np.zeros(len(opens))
    reach = len(opens) - hold_bars - 1
    if reach > 0:
        result[:reach] = opens[1 + hold_bars :] / opens[1:-hold_bars] - 1.0
    return result


@dataclass(slots=True)
class Tally:
    """Firings and summed signed returns of every detector, one entry for each walk."""

    firings: dict[str, list[int]] = field(default_factory=dict)
    sums: dict[str, list[float]] = field(default_factory=dict)

    def add(self, market: Market, detectors: Detectors, hold_bars: int = HOLD_BARS) -> None:
        """Count one more walk."""
        returns = forward_returns(market.bars.open, hold_bars)
        reach = max(len(returns) - hold_bars - 1, 0)
        for name, column in detectors.items():
            fired = np.flatnonzero(column[:reach])
            self.firings.setdefault(name, []).append(len(fired))
            self.sums.setdefault(name, []).append(float((column[fired] * returns[fired]).sum()))

    def add_sum(self, name: str, firings: int, total: float) -> None:
        """Count one more walk of something whose return was summed elsewhere."""
        self.firings.setdefault(name, []).append(firings)
        self.sums.setdefault(name, []).append(total)

    def total(self, name: str) -> int:
        """Firings of one detector on all walks."""
        return sum(self.firings[name])


def clustered_t(sums: Sequence[float]) -> float:
    """Student's t of the walks' sums against 0; 0 when nothing varies."""
    values = np.asarray(sums)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if spread == 0.0:
        return 0.0
    return float(values.mean() / (spread / np.sqrt(len(values))))


def threshold_t(walks: int, tested: int, level: float = FAMILY_LEVEL) -> float:
    """The two-sided bound on \\|t\\| that ``tested`` sound detectors exceed with chance ``level``."""
    return float(stats.t.ppf(1.0 - level / (2.0 * max(tested, 1)), max(walks - 1, 1)))


def null_rows(tally: Tally, *, min_firings: int = MIN_FIRINGS) -> list[CheckRow]:
    """One row for every detector of a tally."""
    tested = [name for name in tally.firings if tally.total(name) >= min_firings]
    rows = []
    for name in tally.firings:
        total, walks = tally.total(name), len(tally.sums[name])
        if total < min_firings:
            text = f"too few firings: {total} on {walks} walks, {min_firings} are needed"
            rows.append(CheckRow("null", name, False, text, "warning"))
            continue
        statistic, bound = clustered_t(tally.sums[name]), threshold_t(walks, len(tested))
        mean = sum(tally.sums[name]) / total
        rows.append(
            CheckRow(
                "null",
                name,
                abs(statistic) <= bound,
                f"{total} firings on {walks} walks, mean {10_000 * mean:+.1f} bp, "
                f"t={statistic:+.2f}, bound {bound:.2f}",
            )
        )
    return rows


def check_null(
    detectors: DetectorSubject,
    market_of: Callable[[int], Market],
    *,
    seeds: Iterable[int] = range(FIRST_SEED, FIRST_SEED + WALKS),
    more_seeds: Iterable[int] = (),
    min_firings: int = MIN_FIRINGS,
) -> list[CheckRow]:
    """One row for every detector, on one walk for each of ``seeds``, fixed in advance.

    Walks of ``more_seeds`` are added one by one while some detector has fewer than ``min_firings``;
    they count for those detectors only, so that the others keep their sample.
    """
    tally = Tally()
    for seed in seeds:
        market = market_of(seed)
        tally.add(market, detectors(market))
    for seed in more_seeds:
        rare = [name for name in tally.firings if 0 < tally.total(name) < min_firings]
        if not rare:
            break
        market = market_of(seed)
        found = detectors(market)
        tally.add(market, {name: found[name] for name in rare})
    return null_rows(tally, min_firings=min_firings)
