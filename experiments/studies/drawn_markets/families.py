"""Every drawing there is."""

from collections.abc import Iterator

from .blocks import block_drawings
from .drawing import Drawing
from .effort import effort_drawings
from .entries import entry_drawings
from .gaps import gap_drawings
from .harmonics import harmonic_drawings
from .patterns import pattern_drawings
from .period_pools import period_pool_drawings
from .pools import pool_drawings
from .sessions import session_drawings
from .structure import structure_drawings
from .swings import swing_drawings
from .wyckoff import wyckoff_drawings
from .wyckoff_misses import wyckoff_misses

FAMILIES = (
    swing_drawings,
    structure_drawings,
    gap_drawings,
    block_drawings,
    pool_drawings,
    period_pool_drawings,
    session_drawings,
    entry_drawings,
    pattern_drawings,
    wyckoff_drawings,
    wyckoff_misses,
    effort_drawings,
    harmonic_drawings,
)


def drawings() -> Iterator[Drawing]:
    """All of them, family by family, each drawing followed by the same upside down."""
    for family in FAMILIES:
        yield from family()
