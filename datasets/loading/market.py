"""Bars of one instrument and every slow series around them."""

from collections.abc import Sequence

from engine import Market, Series

from ..keys import Instrument
from ..kinds import SERIES_KINDS
from ..store import Store
from .bars import load_bars
from .series import load_series
from .sources import ConflictHandler, refuse_conflicts


def load_market(
    store: Store,
    instrument: Instrument,
    timeframe: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    series_from: Sequence[Instrument] = (),
    funding_from: Instrument | None = None,
    as_of_ns: int | None = None,
    on_source_conflicts: ConflictHandler = refuse_conflicts,
) -> Market:
    """Bars of ``instrument`` and every slow series found for it; the key of a series is its kind.

    Each kind of series is taken from the first that has it: ``funding_from`` (funding only),
    ``instrument``, then ``series_from`` in order. A kind that nobody has is absent. Raises
    DataError as ``load_bars`` and ``load_series`` do.
    """
    bars = load_bars(
        store,
        instrument,
        timeframe,
        start_ns,
        end_ns,
        as_of_ns=as_of_ns,
        on_source_conflicts=on_source_conflicts,
    )
    series: dict[str, Series] = {}
    for kind in SERIES_KINDS:
        owners = [instrument, *series_from]
        if kind == "funding" and funding_from is not None:
            owners.insert(0, funding_from)
        for owner in owners:
            rows = load_series(
                store,
                owner,
                kind,
                int(bars.open_time[0]),
                int(bars.close_time[-1]) + 1,
                as_of_ns=as_of_ns,
                on_source_conflicts=on_source_conflicts,
            )
            if rows is not None:
                series[kind] = rows
                break
    return Market(bars=bars, series=series)
