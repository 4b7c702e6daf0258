"""From a configuration and a store to everything that a run reads: markets, prices, funding."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from datasets import (
    DatasetKey,
    SourceConflicts,
    Store,
    bars_datasets,
    load_bars,
    load_funding,
    load_market,
    market_series_datasets,
    series_datasets,
    time_text,
)
from datasets.loading.trade_flow import TRADES, TRADES_BESIDE_NS
from datasets.quality import recorded_quality
from engine import DataError, Funding, Market, Panel

from .config import InstrumentPair, RunConfig
from .config_data import instrument_of
from .fine_bars import ResolvedPrices, resolved_prices
from .mark_prices import StoredMarks, stored_marks, with_marks
from .market_panels import panels_of, universe_of, with_panels
from .prices import PricedBars, priced_bars, volume_in_quote
from .simulation import ensure_simulated

_MISLEADING: Final = ("symbol_reuse", "price_spike", "stale_tail", "after_expiry")
"""Defects that a backtest trades on as if they were prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketData:
    """What a run reads, by traded symbol in the order of the configuration.

    ``markets`` hold the bars that signals come from, the slow series around them and the coins that
    features look across; ``prices`` the
    bars that orders fill on (volume in quote units for inverse contracts) and where each came from;
    ``panel`` the same on one grid, with mark prices; ``fine`` the finer bars inside them or None;
    ``funding`` the settlements of the traded perpetuals. ``datasets`` are the data sets read,
    ``fingerprint`` identifies their content on the used range. ``price_notes`` say what finer bars and
    mark prices could not tell.
    ``source_conflicts`` say where named sources contradict each other; the one that is named first
    was believed. ``defects`` are sentences about rows in the period that ``data check`` has found
    wrong.
    """

    markets: Mapping[str, Market]
    prices: Mapping[str, PricedBars]
    panel: Panel
    fine: Panel | None
    funding: Funding
    datasets: tuple[DatasetKey, ...]
    fingerprint: str
    price_notes: tuple[str, ...] = ()
    source_conflicts: tuple[SourceConflicts, ...] = ()
    defects: tuple[str, ...] = ()


def load_market_data(config: RunConfig, store: Store) -> MarketData:
    """Load everything ``config`` names; a simulated market that is missing is created first.

    Raises DataError when the store lacks an instrument or its bars break a rule.
    """
    ensure_simulated(config, store)
    markets: dict[str, Market] = {}
    prices: dict[str, PricedBars] = {}
    keys: list[DatasetKey] = []
    conflicts: list[SourceConflicts] = []
    universe = universe_of(config, store)
    for pair in config.instruments:
        market = _market(config, pair, store, conflicts)
        prices[pair.symbol] = _prices(config, pair, market, store, conflicts)
        keys += _dataset_keys(config, pair, market, store)
        loaded = panels_of(config, pair, store, universe)
        keys += [key for one in loaded for key in one.datasets]
        conflicts += [found for one in loaded for found in one.source_conflicts]
        markets[pair.symbol] = with_panels(market, loaded)
    resolved = _resolved(config, store, prices, conflicts)
    panel, fine, mark_keys, mark_notes = _panels(config, store, resolved, conflicts)
    keys += [*resolved.datasets, *mark_keys]
    return MarketData(
        markets=markets,
        prices=resolved.prices,
        panel=panel,
        fine=fine,
        funding=_funding(config, store, prices, conflicts),
        datasets=tuple(sorted(set(keys))),
        fingerprint=_fingerprint(config, store, sorted(set(keys))),
        price_notes=(*resolved.notes, *mark_notes),
        source_conflicts=tuple(dict.fromkeys(conflicts)),
        defects=_known_defects(store, sorted(set(keys)), markets),
    )


def signal_markets(
    config: RunConfig, pairs: Sequence[InstrumentPair], store: Store
) -> Iterator[Market]:
    """Bars, slow series and panels that the signals of each pair are computed from, as a run loads them.

    A simulated market must be there; DataError when the store lacks an instrument.
    """
    universe = universe_of(config, store)
    for pair in pairs:
        loaded = panels_of(config, pair, store, universe)
        yield with_panels(_market(config, pair, store, []), loaded)


def _market(
    config: RunConfig, pair: InstrumentPair, store: Store, conflicts: list[SourceConflicts]
) -> Market:
    try:
        return load_market(
            store,
            instrument_of(pair.signals),
            config.data.timeframe,
            config.data.start_ns,
            config.data.end_ns,
            series_from=tuple(instrument_of(source) for source in pair.series_from),
            further=pair.further,
            on_source_conflicts=conflicts.append,
        )
    except DataError as error:
        if not config.data.instruments:
            raise
        at = config.data.instruments.index(pair)
        raise DataError(f"data.instruments.{at}: {error}") from None


def _prices(
    config: RunConfig,
    pair: InstrumentPair,
    market: Market,
    store: Store,
    conflicts: list[SourceConflicts],
) -> PricedBars:
    is_inverse = config.margin.rules().contract == "inverse"
    signals = volume_in_quote(market.bars) if is_inverse else market.bars
    if pair.traded is None:
        return priced_bars(pair.symbol, signals, str(pair.signals), None, None)
    start_ns, end_ns = int(signals.open_time[0]), int(signals.close_time[-1])
    infos = [
        store.dataset(key)
        for key in bars_datasets(store, instrument_of(pair.traded), config.data.timeframe)
    ]
    traded = None
    if any(info.first_ns < end_ns and info.last_ns >= start_ns for info in infos):
        # Beyond the signals' bars nobody has an opinion, so nothing is priced there.
        traded = load_bars(
            store,
            instrument_of(pair.traded),
            config.data.timeframe,
            start_ns,
            end_ns,
            with_flows=is_inverse,
            on_source_conflicts=conflicts.append,
        )
        traded = volume_in_quote(traded) if is_inverse else traded
    if pair.traded_price_fallback == "none":
        return priced_bars(pair.symbol, traded, str(pair.traded), None, None)
    return priced_bars(pair.symbol, traded, str(pair.traded), signals, str(pair.signals))


def _resolved(
    config: RunConfig,
    store: Store,
    prices: Mapping[str, PricedBars],
    conflicts: list[SourceConflicts],
) -> ResolvedPrices:
    if config.data.fine_timeframe is None:
        return ResolvedPrices(prices=prices, fine=None, datasets=(), notes=())
    owners = {
        pair.symbol: instrument_of(pair.fine or pair.traded or pair.signals)
        for pair in config.instruments
    }
    return resolved_prices(
        store,
        prices,
        owners,
        config.data.fine_timeframe,
        conflicts.append,
        is_inverse=config.margin.rules().contract == "inverse",
    )


def _panels(
    config: RunConfig, store: Store, resolved: ResolvedPrices, conflicts: list[SourceConflicts]
) -> tuple[Panel, Panel | None, list[DatasetKey], list[str]]:
    """The panel and the finer one, both with mark prices or neither, their data sets, and notes."""
    panel = Panel.from_bars({symbol: priced.bars for symbol, priced in resolved.prices.items()})
    fine = resolved.fine
    if config.data.mark_prices == "traded":
        return panel, fine, [], []
    finest = panel if fine is None else fine
    keys: list[DatasetKey] = []
    notes: list[str] = []
    marks: dict[str, StoredMarks] = {}
    for pair in config.instruments:
        owner = instrument_of(pair.mark or pair.traded or pair.signals)
        found, read, reason = stored_marks(
            store, owner, finest, conflicts.append, (panel.timeframe,)
        )
        if found is not None:
            keys += read
            marks[pair.symbol] = found
        elif config.data.mark_prices == "stored":
            raise DataError(
                f"{reason}; import it, name another instrument with mark, or set data.mark_prices to "
                "auto or traded"
            )
        elif read:
            notes.append(f"{pair.symbol}: {reason}; it is marked at its traded prices")
    if not marks:
        return panel, fine, [], notes
    panel, coverage = with_marks(panel, marks)
    if fine is not None:
        fine, coverage = with_marks(fine, marks)
        panel = panel.rebuilt_from(fine)
    for symbol, covered in coverage.items():
        notes.append(
            f"{symbol}: mark prices are {marks[symbol].name}; {covered.lacking} of "
            f"{int(finest.listed[:, finest.symbols.index(symbol)].sum())} {finest.timeframe} bars have "
            "none and are marked at their traded prices"
        )
        if covered.partial:
            notes.append(
                f"{symbol}: {covered.partial} {finest.timeframe} bars are marked by a part of the mark "
                "prices inside them; what the missing ones reached is not known"
            )
    return panel, fine, keys, notes


def _funding(
    config: RunConfig,
    store: Store,
    prices: Mapping[str, PricedBars],
    conflicts: list[SourceConflicts],
) -> Funding:
    times, symbols, rates, marks = [], [], [], []
    for index, pair in enumerate(config.instruments):
        if pair.funding is None:
            continue
        bars = prices[pair.symbol].bars
        first, last = int(bars.open_time[0]), int(bars.close_time[-1])
        history = load_funding(
            store,
            instrument_of(pair.funding),
            first,
            last,
            on_source_conflicts=conflicts.append,
        )
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
    keys: list[DatasetKey] = []
    for one in (pair.signals, pair.traded):
        if one is not None:
            keys += bars_datasets(store, instrument_of(one), config.data.timeframe)
    owners = [instrument_of(one) for one in (pair.signals, *pair.series_from)]
    for name in market.series:
        keys += market_series_datasets(store, owners, pair.further, config.data.timeframe, name)
    if pair.funding is not None:
        keys += series_datasets(store, instrument_of(pair.funding), "funding")
    return keys


def _known_defects(
    store: Store, keys: Sequence[DatasetKey], markets: Mapping[str, Market]
) -> tuple[str, ...]:
    """What the last check of each data set found wrong with rows between the first and the last bar."""
    first_ns = min(int(market.bars.open_time[0]) for market in markets.values())
    last_ns = max(int(market.bars.close_time[-1]) for market in markets.values())
    return tuple(
        f"{key}: {finding.defect} at {time_text(finding.first_ns)}: {finding.message}"
        for key in keys
        if (quality := recorded_quality(store, key)) is not None
        for finding in quality.findings
        if finding.defect in _MISLEADING
        and finding.first_ns is not None
        and finding.last_ns is not None
        and finding.first_ns < last_ns
        and finding.last_ns >= first_ns
    )


def _fingerprint(config: RunConfig, store: Store, keys: Sequence[DatasetKey]) -> str:
    # Slow series and universes are read from their beginning on, whenever the run starts.
    rows = [key for key in keys if key.kind != TRADES]
    stored = store.fingerprint(rows, None, config.data.end_ns)
    trades = [key for key in keys if key.kind == TRADES]
    if trades:
        # Trades around the period are read too: they prove that none is missing inside.
        start_ns, end_ns = config.data.start_ns, config.data.end_ns
        around = store.fingerprint(
            trades,
            None if start_ns is None else start_ns - TRADES_BESIDE_NS,
            None if end_ns is None else end_ns + TRADES_BESIDE_NS,
        )
        stored = hashlib.sha256((stored + around).encode()).hexdigest()
    if config.targets is None:
        return stored
    try:
        content = Path(config.targets).read_bytes()
    except OSError as error:
        raise DataError(f"{config.targets}: cannot be read ({error.strerror})") from None
    return hashlib.sha256(stored.encode() + hashlib.sha256(content).digest()).hexdigest()
