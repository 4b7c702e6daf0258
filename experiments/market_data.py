"""From a configuration and a store to everything that a run reads: markets, prices, funding."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets import (
    KINDS,
    DatasetKey,
    Instrument,
    Store,
    find_dataset,
    load_bars,
    load_funding,
    load_market,
)
from engine import DataError, Funding, Market, timeframe_ns

from .config import InstrumentConfig, InstrumentPair, RunConfig
from .prices import PricedBars, priced_bars
from .simulation import ensure_simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketData:
    """What a run reads, by traded symbol in the order of the configuration.

    ``markets`` hold the bars that signals come from and the slow series around them; ``prices`` the
    bars that orders fill on and where each came from; ``funding`` the settlements of the traded
    perpetuals. ``datasets`` are the data sets read, ``fingerprint`` identifies their content on the
    used range.
    """

    markets: Mapping[str, Market]
    prices: Mapping[str, PricedBars]
    funding: Funding
    datasets: tuple[DatasetKey, ...]
    fingerprint: str


def load_market_data(config: RunConfig, store: Store) -> MarketData:
    """Load everything ``config`` names; a simulated market that is missing is created first.

    Raises DataError when the store lacks an instrument or its bars break a rule.
    """
    ensure_simulated(config, store)
    markets: dict[str, Market] = {}
    prices: dict[str, PricedBars] = {}
    keys: list[DatasetKey] = []
    for pair in config.instruments:
        market = _market(config, pair, store)
        markets[pair.symbol] = market
        prices[pair.symbol] = _prices(config, pair, market, store)
        keys += _dataset_keys(config, pair, market, store)
    return MarketData(
        markets=markets,
        prices=prices,
        funding=_funding(config, store, prices),
        datasets=tuple(sorted(set(keys))),
        fingerprint=_fingerprint(config, store, sorted(set(keys))),
    )


def instrument_of(config: InstrumentConfig) -> Instrument:
    """The store's name of a configured instrument."""
    return Instrument(config.venue, config.market, config.symbol, config.source)


def _market(config: RunConfig, pair: InstrumentPair, store: Store) -> Market:
    return load_market(
        store,
        instrument_of(pair.signals),
        config.data.timeframe,
        config.data.start_ns,
        config.data.end_ns,
        series_from=tuple(instrument_of(source) for source in pair.series_from),
    )


def _prices(config: RunConfig, pair: InstrumentPair, market: Market, store: Store) -> PricedBars:
    signals = market.bars
    if pair.traded is None:
        return priced_bars(pair.symbol, signals, str(pair.signals), None, None)
    start_ns, end_ns = int(signals.open_time[0]), int(signals.close_time[-1])
    info = store.dataset(_bars_key(config, pair.traded, store))
    traded = None
    if info.first_ns < end_ns and info.last_ns >= start_ns:
        # Beyond the signals' bars nobody has an opinion, so nothing is priced there.
        traded = load_bars(
            store,
            instrument_of(pair.traded),
            config.data.timeframe,
            start_ns,
            end_ns,
            with_flows=False,
        )
    if pair.traded_price_fallback == "none":
        return priced_bars(pair.symbol, traded, str(pair.traded), None, None)
    return priced_bars(pair.symbol, traded, str(pair.traded), signals, str(pair.signals))


def _funding(config: RunConfig, store: Store, prices: Mapping[str, PricedBars]) -> Funding:
    times, symbols, rates, marks = [], [], [], []
    for index, pair in enumerate(config.instruments):
        if pair.funding is None:
            continue
        bars = prices[pair.symbol].bars
        first, last = int(bars.open_time[0]), int(bars.close_time[-1])
        history = load_funding(store, instrument_of(pair.funding), first, last)
        if history is None:
            raise DataError(
                f"{pair.funding}: the store has no funding for it; import it, or set "
                f"data.instruments.{index}.funding to null to pay none"
            )
        times.append(history.time_ns)
        symbols.append(np.full(len(history.time_ns), index, dtype=np.int64))
        rates.append(history.rate)
        marks.append(np.nan_to_num(history.mark_price, nan=0.0))
    if not times:
        return Funding.none()
    order = np.argsort(np.concatenate(times), kind="stable")
    return Funding(
        time_ns=np.concatenate(times)[order],
        symbol_index=np.concatenate(symbols)[order],
        rate=np.concatenate(rates)[order],
        mark_price=np.concatenate(marks)[order],
    )


def _dataset_keys(
    config: RunConfig, pair: InstrumentPair, market: Market, store: Store
) -> list[DatasetKey]:
    keys = [_bars_key(config, one, store) for one in (pair.signals, pair.traded) if one is not None]
    series_of = [pair.signals, *pair.series_from]
    for info in store.datasets():
        key = info.key
        paid = key.kind == "funding" and pair.funding and _names_any([pair.funding], key)
        if paid or (key.kind in market.series and _names_any(series_of, key)):
            keys.append(key)
    return keys


def _bars_key(config: RunConfig, one: InstrumentConfig, store: Store) -> DatasetKey:
    """The data set that load_bars answers from: the step itself, or the longest that divides it."""
    step_ns = timeframe_ns(config.data.timeframe)
    steps = {info.key.step for info in store.datasets() if info.key.kind == "ohlcv"}
    for step in sorted(steps, key=timeframe_ns, reverse=True):
        if step_ns % timeframe_ns(step) == 0:
            try:
                return find_dataset(store, instrument_of(one), "ohlcv", step)
            except DataError:
                continue
    return find_dataset(store, instrument_of(one), "ohlcv", config.data.timeframe)


def _names_any(instruments: Sequence[InstrumentConfig], key: DatasetKey) -> bool:
    return any(
        (key.venue, key.market, key.symbol) == (one.venue, one.market, one.symbol)
        and one.source in (None, key.source)
        for one in instruments
    )


def _fingerprint(config: RunConfig, store: Store, keys: Sequence[DatasetKey]) -> str:
    start_ns = config.data.start_ns
    reach_ns = max(kind.max_age_ns for kind in KINDS.values())
    first_ns = None if start_ns is None else start_ns - reach_ns
    stored = store.fingerprint(keys, first_ns, config.data.end_ns)
    if config.targets is None:
        return stored
    try:
        content = Path(config.targets).read_bytes()
    except OSError as error:
        raise DataError(f"{config.targets}: cannot be read ({error.strerror})") from None
    return hashlib.sha256(stored.encode() + hashlib.sha256(content).digest()).hexdigest()
