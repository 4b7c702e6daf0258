"""Slow series that are no single kind of one instrument: contracts, second venues, events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine import Bars, DataError, Series, timeframe_ns

from ..keys import DatasetKey, Instrument
from ..store import Store
from .coin_events import (
    LISTINGS,
    UNLOCK_SCHEDULE,
    UNLOCKS,
    CoinSupply,
    load_listings,
    load_unlock_schedule,
    supply_dataset,
)
from .dated_futures import (
    DATED_FUTURES,
    INDEX_PRICE,
    contract_datasets,
    load_dated_futures,
    load_index_of,
)
from .find import bars_datasets, datasets_of, nothing_found, series_datasets, shortest_steps
from .series import load_series_with_past
from .sources import ConflictHandler
from .trade_flow import TRADE_FLOW, TRADES, load_trade_flow

SECOND_METRICS: Final = "metrics:second"
VENUE_RESERVES: Final = "exchange_reserves:venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherSources:
    """Where series come from that no instrument around the bars has by itself; None: nowhere.

    ``dated_futures`` is the underlying of dated futures (``binance/um_future/BTCUSDT``), ``index`` the spot
    instrument whose closes stand for an index price that the store lacks, ``second_metrics`` a second
    venue's contract, ``venue_reserves`` one exchange beside all, ``supply`` the float that unlocks are
    measured by, ``trades`` the instrument whose trades are added up under each bar.
    """

    dated_futures: Instrument | None = None
    index: Instrument | None = None
    second_metrics: Instrument | None = None
    venue_reserves: Instrument | None = None
    supply: CoinSupply | None = None
    trades: Instrument | None = None


NO_FURTHER: Final = FurtherSources()


def load_further(
    store: Store,
    bars: Bars,
    owners: Sequence[Instrument],
    further: FurtherSources,
    *,
    has_index: bool,
    as_of_ns: int | None,
    on_source_conflicts: ConflictHandler,
) -> dict[str, Series]:
    """The series of ``further`` and what was announced of ``owners`` around ``bars``, by name.

    ``dated_futures``, ``metrics:second``, ``exchange_reserves:venue`` and ``trade_flow`` (of ``trades``)
    where they are named,
    ``index_price`` where it is named and ``has_index`` is False (no owner has one), ``listings`` and
    ``unlock_schedule`` of the first owner that has any. What has no row in the period is absent. Raises
    DataError where the store lacks something that is named.
    """
    start_ns, end_ns = int(bars.open_time[0]), int(bars.close_time[-1]) + 1
    series: dict[str, Series | None] = {}
    for name, kind, owner in (
        (SECOND_METRICS, "metrics", further.second_metrics),
        (VENUE_RESERVES, "exchange_reserves", further.venue_reserves),
    ):
        if owner is not None:
            _named_datasets(store, owner, kind)
            found = load_series_with_past(
                store,
                owner,
                kind,
                start_ns,
                end_ns,
                as_of_ns=as_of_ns,
                on_source_conflicts=on_source_conflicts,
            )
            series[name] = None if found is None else replace(found, name=name)
    index_keys = _first_with(store, owners, INDEX_PRICE) if has_index else ()
    step_ns = timeframe_ns(index_keys[0].step) if index_keys else bars.step_ns
    shown_ns = 3 * bars.step_ns
    if further.dated_futures is not None:
        dated = load_dated_futures(
            store,
            further.dated_futures,
            bars.timeframe,
            start_ns,
            end_ns,
            index_step_ns=step_ns,
            as_of_ns=as_of_ns,
            on_source_conflicts=on_source_conflicts,
        )
        series[DATED_FUTURES] = dated
        # A basis is shown as long as its future: the index of its moment does not end sooner.
        shown_ns = shown_ns if dated is None else max(shown_ns, dated.max_age_ns)
    if further.index is not None and not has_index:
        series[INDEX_PRICE] = load_index_of(
            store,
            further.index,
            bars.timeframe,
            start_ns,
            end_ns,
            max_age_ns=shown_ns,
            as_of_ns=as_of_ns,
            on_source_conflicts=on_source_conflicts,
        )
    if further.trades is not None:
        _named_datasets(store, further.trades, TRADES)
        series[TRADE_FLOW] = load_trade_flow(store, bars, further.trades, as_of_ns=as_of_ns)
    listings = _first_events(store, owners, LISTINGS)
    if listings is not None:
        series[LISTINGS] = load_listings(store, listings, start_ns, end_ns, as_of_ns=as_of_ns)
    unlocks = _first_events(store, owners, UNLOCKS)
    if unlocks is not None:
        series[UNLOCK_SCHEDULE] = load_unlock_schedule(
            store, unlocks, further.supply, start_ns, end_ns, as_of_ns=as_of_ns
        )
    return {name: rows for name, rows in series.items() if rows is not None}


def market_series_datasets(
    store: Store,
    owners: Sequence[Instrument],
    further: FurtherSources,
    timeframe: str,
    name: str,
) -> tuple[DatasetKey, ...]:
    """The data sets that the series ``name`` of ``load_market`` was read from.

    ``owners`` are the signals' instrument and those that series are looked for in, in their order.
    Empty for a series that nothing has.
    """
    if name == DATED_FUTURES and further.dated_futures is not None:
        contracts = contract_datasets(store, further.dated_futures, timeframe)
        return tuple(key for keys in contracts for key in keys)
    if name == SECOND_METRICS and further.second_metrics is not None:
        return _named_datasets(store, further.second_metrics, "metrics")
    if name == VENUE_RESERVES and further.venue_reserves is not None:
        return _named_datasets(store, further.venue_reserves, "exchange_reserves")
    if name == TRADE_FLOW and further.trades is not None:
        return _named_datasets(store, further.trades, TRADES)
    if name == LISTINGS:
        listings = _first_events(store, owners, LISTINGS)
        return () if listings is None else (listings,)
    if name == UNLOCK_SCHEDULE:
        unlocks = _first_events(store, owners, UNLOCKS)
        lists = () if further.supply is None else (supply_dataset(store, further.supply),)
        return lists if unlocks is None else (unlocks, *lists)
    found = _first_with(store, owners, name)
    if name == INDEX_PRICE and not found and further.index is not None:
        return bars_datasets(store, further.index, timeframe)
    return found


def _named_datasets(store: Store, instrument: Instrument, kind: str) -> tuple[DatasetKey, ...]:
    keys = series_datasets(store, instrument, kind)
    if not keys:
        raise DataError(nothing_found(store, instrument, kind, None))
    return keys


def _first_with(store: Store, owners: Sequence[Instrument], kind: str) -> tuple[DatasetKey, ...]:
    return next((keys for owner in owners if (keys := series_datasets(store, owner, kind))), ())


def _first_events(store: Store, owners: Sequence[Instrument], kind: str) -> DatasetKey | None:
    """The data set of announcements of the first owner that has any; of its first named source."""
    for owner in owners:
        found = datasets_of(store, owner, kind)
        if found:
            return shortest_steps(found, owner)[0]
    return None
