"""Bars of one instrument and every slow series around them."""

from collections.abc import Sequence

from engine import Market, Series

from ..keys import Instrument
from ..kinds import SERIES_KINDS
from ..store import Store
from .bars import load_bars
from .further import NO_FURTHER, FurtherSources, load_further
from .series import load_series_with_past
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
    further: FurtherSources = NO_FURTHER,
    as_of_ns: int | None = None,
    on_source_conflicts: ConflictHandler = refuse_conflicts,
) -> Market:
    """Bars of ``instrument`` and every slow series found for it; the key of a series is its kind.

    Each kind of series is taken from the first that has it: ``funding_from`` (funding only),
    ``instrument``, then ``series_from`` in order, with what came before the first bar
    (``load_series_with_past``). A kind that nobody has is absent. What was announced of these
    and what ``further`` names are added as ``load_further`` says. Raises DataError as ``load_bars``,
    ``load_series`` and ``load_further`` do.
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
            rows = load_series_with_past(
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
    series |= load_further(
        store,
        bars,
        (instrument, *series_from),
        further,
        has_index="index_price" in series,
        as_of_ns=as_of_ns,
        on_source_conflicts=on_source_conflicts,
    )
    return Market(bars=bars, series=series)
