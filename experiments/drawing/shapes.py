"""Shapes of several turning points, and the ratios of a harmonic figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

SHAPED: Final = frozenset(
    {
        "chart_pattern",
        "harmonic",
        "harmonic_pivot",
        "optimal_trade_entry",
        "market_trend",
        "weis_wave",
    }
)
"""Detectors whose points are the corners of a figure; those of others are told when pointed at."""
LETTERED: Final = frozenset({"harmonic", "harmonic_pivot"})
"""Detectors whose figures have a letter at each corner and ratios between them."""

Point = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class RatioLine:
    """A line between two corners, and how long the second leg between them is against the first."""

    line: tuple[tuple[float, float], tuple[float, float]]
    ratio: float

    @property
    def middle(self) -> tuple[float, float]:
        """Where the ratio is written."""
        (x, y), (end_x, end_y) = self.line
        return (x + end_x) / 2.0, (y + end_y) / 2.0


_COMPARED: Final = (("X", "A", "B"), ("A", "B", "C"), ("B", "C", "D"))


def ratio_lines(points: Sequence[Point]) -> list[RatioLine]:
    """AB over XA on the line XB, BC over AB on AC, CD over BC on BD; only where the corners are there."""
    by_name = {name: (x, price) for name, x, price in points}
    lines = []
    for first, middle, last in _COMPARED:
        if first in by_name and middle in by_name and last in by_name:
            before = abs(by_name[middle][1] - by_name[first][1])
            after = abs(by_name[last][1] - by_name[middle][1])
            if before > 0:
                lines.append(RatioLine((by_name[first], by_name[last]), after / before))
    return lines


def highs(points: Sequence[Point]) -> list[bool]:
    """Whether each corner is higher than the one before it, the first one than the one after it."""
    prices = [price for _, _, price in points]
    after = [later > earlier for earlier, later in pairwise(prices)]
    return [not after[0], *after] if after else [True] * len(prices)
