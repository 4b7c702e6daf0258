"""Settled funding of one perpetual, for the account."""

from dataclasses import dataclass

import numpy as np

from engine import Float1D, Int1D

from ..keys import Instrument
from ..store import Store
from .slow_rows import series_datasets, slow_rows
from .sources import ConflictHandler, refuse_conflicts


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settled funding of one perpetual, arrays ``(E,)``.

    ``time_ns`` is the settlement (int64 ns UTC, strictly increasing), ``rate`` a fraction of
    notional for the ``interval_hours`` before it, ``mark_price`` in quote currency, NaN where the
    source states none.
    """

    time_ns: Int1D
    rate: Float1D
    interval_hours: Float1D
    mark_price: Float1D


def load_funding(
    store: Store,
    instrument: Instrument,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    as_of_ns: int | None = None,
    on_source_conflicts: ConflictHandler = refuse_conflicts,
) -> FundingHistory | None:
    """Settlements with ``start_ns <= time < end_ns``, or None when the store has none at all.

    ``interval_hours`` is what the source states; where it states nothing, the hours since the
    settlement before, or the step of the data set for the first row and after a missing settlement.
    It never looks at a later row. Of a settlement that was revised the last vintage counts (the
    last one known at ``as_of_ns``): it is what was paid. Raises DataError when several sources fit.
    """
    keys = series_datasets(store, instrument, "funding")
    if not keys:
        return None
    rows = slow_rows(store, keys, start_ns, end_ns, as_of_ns, on_source_conflicts)
    last = np.diff(rows.event_time, append=rows.event_time[-1:] + 1) != 0
    rows = rows.chosen(last)
    nothing = np.full(len(rows.event_time), np.nan)
    return FundingHistory(
        time_ns=rows.event_time,
        rate=rows.columns.get("rate", nothing),
        interval_hours=rows.columns.get("interval_hours", nothing),
        mark_price=rows.columns.get("mark_price", nothing),
    )
