"""What the store can hold: one table of kinds, with their columns and the time a row is known.

The table :data:`KINDS` is the only place that knows a kind. The Parquet schema, the checks, the SQL
views, ``ninefold data kinds`` and the time at which a row may be used all follow from it; a new kind
is one more entry in the file of its family.
"""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine import DataError

from .alternative import ALTERNATIVE
from .bars import BARS
from .derivatives import DERIVATIVES
from .kind import AVAILABLE_AT, BAR_KINDS, EVENT_STEP, TIME_TYPE, Column, Kind
from .order_flow import ORDER_FLOW
from .reference import REFERENCE

__all__ = [
    "AVAILABLE_AT",
    "BAR_KINDS",
    "EVENT_STEP",
    "KINDS",
    "SERIES_KINDS",
    "TIME_TYPE",
    "Column",
    "Kind",
    "kind_named",
]

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.name: kind for kind in (*BARS, *DERIVATIVES, *ORDER_FLOW, *ALTERNATIVE, *REFERENCE)}
)
"""Every kind by name, in the order in which documentation lists them."""

SERIES_KINDS: Final = tuple(name for name, kind in KINDS.items() if kind.is_series)
"""Kinds that stand beside the bars as slow series."""


def kind_named(name: str) -> Kind:
    """The kind called ``name``; DataError naming those that are spelled most like it otherwise."""
    kind = KINDS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, list(KINDS), n=3, cutoff=0.7)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise DataError(
            f"kind={name!r} is unknown; {meant}`ninefold data kinds` lists all {len(KINDS)}"
        )
    return kind
