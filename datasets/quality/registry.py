"""Every check, in the order in which documentation and reports list them."""

from typing import Final

from . import holes, lifetime, names, numbers, periods, prices, stamps, vintages, volume
from .check import GroupCheck, SeriesCheck

SERIES_CHECKS: Final[tuple[SeriesCheck, ...]] = (
    *stamps.CHECKS,
    *numbers.CHECKS,
    *prices.CHECKS,
    *volume.CHECKS,
    *holes.CHECKS,
    *lifetime.CHECKS,
    *vintages.CHECKS,
    *names.CHECKS,
)
GROUP_CHECKS: Final[tuple[GroupCheck, ...]] = periods.CHECKS
