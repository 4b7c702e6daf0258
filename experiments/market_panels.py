"""The coins that a run's features look across, out of the store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from datasets import (
    Instrument,
    LoadedPanel,
    Store,
    UniverseRule,
    load_benchmark,
    load_universe,
    with_own,
)
from engine import DataError, Market

from .config import InstrumentPair, RunConfig
from .config_data import UniverseConfig, instrument_of


def universe_of(config: RunConfig, store: Store) -> LoadedPanel | None:
    """The universe that ``config`` names, all days up to its end; None where it names none.

    Days before the start of the run belong to it: a share over ninety days is known on the first bar.
    Raises DataError where the store lacks its benchmark or every other coin.
    """
    section = config.data.universe
    if section is None:
        return None
    return load_universe(
        store,
        _instruments(section, store),
        _instrument(section, section.benchmark),
        UniverseRule(
            size=section.size,
            by=section.by,
            lookback_days=section.lookback_days,
            minimum_listed_days=section.minimum_listed_days,
            rebalance="1d",
        ),
        config.data.end_ns,
        quote=section.quote,
        coins=None if section.coins is None else instrument_of(section.coins),
        assets=section.assets,
    )


def panels_of(
    config: RunConfig, pair: InstrumentPair, store: Store, universe: LoadedPanel | None
) -> tuple[LoadedPanel, ...]:
    """The panels around one symbol: the universe, and its own bars beside those of the benchmark."""
    section = config.data.universe
    if section is None or universe is None:
        return ()
    own = instrument_of(pair.signals)
    benchmark = load_benchmark(
        store,
        own,
        _instrument(section, section.benchmark),
        config.data.timeframe,
        config.data.start_ns,
        config.data.end_ns,
    )
    seen = with_own(universe.panel, own.symbol, section.quote)
    return replace(universe, panel=seen), benchmark


def with_panels(market: Market, loaded: Sequence[LoadedPanel]) -> Market:
    """The same market with these panels."""
    return replace(market, panels={one.panel.name: one.panel for one in loaded})


def universe_notes(markets: Mapping[str, Market]) -> list[str]:
    """How many coins the features of the markets look across on a day of the run; none without panels."""
    for market in markets.values():
        panel = market.panels.get("universe")
        if panel is None:
            continue
        first_ns, last_ns = int(market.bars.open_time[0]), int(market.bars.close_time[-1])
        shown = (panel.available_at >= first_ns) & (panel.available_at <= last_ns)
        members = panel.columns["member"][shown].sum(axis=1)
        counted = f"{int(members.min())} to {int(members.max())}" if members.size else "none"
        return [
            f"universe: {len(panel.symbols) - 1} coins beside {panel.symbols[panel.benchmark]}, "
            f"{counted} of them members on a day of the run"
        ]
    return []


def _instrument(section: UniverseConfig, symbol: str) -> Instrument:
    return Instrument(section.venue, section.market, symbol, section.source)


def _instruments(section: UniverseConfig, store: Store) -> list[Instrument]:
    """Each named symbol, or every one that the store has bars of, in the order of their names."""
    symbols: Sequence[str] = section.symbols
    if section.symbols == "all":
        sources = _instrument(section, section.benchmark).sources
        stored = store.keys()
        symbols = sorted(
            {
                key.symbol
                for key in stored
                if (key.kind, key.venue, key.market) == ("ohlcv", section.venue, section.market)
                and key.symbol.endswith(section.quote)
                and (not sources or key.source in sources)
            }
        )
        if not symbols:
            raise DataError(
                f"data.universe: the store has no bars of {section.venue}/{section.market} in "
                f"{section.quote}; import some, or name another venue or market"
            )
    return [_instrument(section, symbol) for symbol in symbols]
