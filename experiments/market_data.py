"""From a configuration and a store to everything that a run reads: markets, prices, funding."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets import DatasetKey, Instrument, Store, load_bars, load_market, load_series
from engine import DataError, Funding, Market

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
        funding=_funding(config, store, markets),
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


def _prices(
    config: RunConfig, pair: InstrumentPair, market: Market, store: Store
) -> PricedBars:
    signals = market.bars
    if pair.traded is None:
        return priced_bars(pair.symbol, signals, str(pair.signals), None, None)
    traded = load_bars(
        store,
        instrument_of(pair.traded),
        config.data.timeframe,
        config.data.start_ns,
        config.data.end_ns,
    )
    fallback = pair.traded_price_fallback == "signals"
    return priced_bars(
        pair.symbol, traded, str(pair.traded), signals if fallback else None, str(pair.signals)
    )


def _funding(config: RunConfig, store: Store, markets: Mapping[str, Market]) -> Funding:
    times, symbols, rates, marks = [], [], [], []
    for index, pair in enumerate(config.instruments):
        if pair.funding is None:
            continue
        bars = markets[pair.symbol].bars
        first, last = int(bars.open_time[0]), int(bars.close_time[-1])
        series = load_series(store, instrument_of(pair.funding), "funding", first, last)
        if series is None:
            raise DataError(
                f"{pair.funding}: the store has no funding for it; import it, or set "
                f"data.instruments.{index}.funding to null to pay none"
            )
        inside = (series.event_time >= first) & (series.event_time < last)
        count = int(inside.sum())
        times.append(series.event_time[inside])
        symbols.append(np.full(count, index, dtype=np.int64))
        rates.append(series.columns["rate"][inside])
        mark = series.columns.get("mark_price")
        marks.append(np.zeros(count) if mark is None else mark[inside])
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
    bars_of = [pair.signals, *((pair.traded,) if pair.traded else ())]
    series_of = [pair.signals, *pair.series_from]
    keys = []
    for info in store.datasets():
        key = info.key
        if key.kind == "ohlcv":
            used = key.step == config.data.timeframe and _names_any(bars_of, key)
        else:
            used = key.kind in market.series and _names_any(series_of, key)
            if key.kind == "funding" and pair.funding is not None:
                used = used or _names_any([pair.funding], key)
        if used:
            keys.append(key)
    return keys


def _names_any(instruments: Sequence[InstrumentConfig], key: DatasetKey) -> bool:
    return any(
        (key.venue, key.market, key.symbol) == (one.venue, one.market, one.symbol)
        and one.source in (None, key.source)
        for one in instruments
    )


def _fingerprint(config: RunConfig, store: Store, keys: Sequence[DatasetKey]) -> str:
    stored = store.fingerprint(keys, config.data.start_ns, config.data.end_ns)
    if config.targets is None:
        return stored
    try:
        content = Path(config.targets).read_bytes()
    except OSError as error:
        raise DataError(f"{config.targets}: cannot be read ({error.strerror})") from None
    return hashlib.sha256(stored.encode() + hashlib.sha256(content).digest()).hexdigest()
