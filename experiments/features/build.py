"""``ninefold features``: every matrix that a configuration asks for, only what changed computed anew."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Store
from datasets.durable import remove_files
from engine import ConfigError, DataError, Market
from indicators import Feature, Indicator, build_features, resampled
from indicators.feature_name import known_feature

from ..config import RunConfig
from ..config_data import InstrumentPair
from ..market_data import signal_markets
from ..simulation import ensure_simulated
from .definitions import Absence, ColumnDefinition, MarketDefinitions
from .keeping import Column, MatrixFolder, is_whole, matrix_table, typed, write_matrix
from .own_indicators import indicators_of

PATIENCE_SECONDS: Final = 600.0
"""How long a matrix that another process is building is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltMatrix:
    """One matrix on the disk: ``rows`` bars, ``columns`` in their order, and what it took.

    ``computed`` columns were calculated, ``reused`` ones were there; ``absent`` are features whose data
    the market lacks; ``pruned`` counts older matrices that were removed.
    """

    symbol: str
    timeframe: str
    path: Path
    rows: int
    columns: tuple[ColumnDefinition, ...]
    absent: tuple[Absence, ...]
    computed: int
    reused: int
    pruned: int
    seconds: float

    @property
    def warming_up(self) -> tuple[ColumnDefinition, ...]:
        """Columns that need more rows than there are before they no longer depend on the first one."""
        return tuple(one for one in self.columns if one.stable is None or one.stable >= self.rows)


def wanted_features(config: RunConfig, indicators: Mapping[str, Indicator]) -> tuple[Feature, ...]:
    """The features of the heads that vote, then those of ``features.columns``, each once.

    Raises ConfigError that names the entry and the word that is wrong.
    """
    wanted: list[Feature] = []
    if config.features.of_heads:
        for head in config.heads.instances(indicators):
            if head.name in config.heads.enabled:
                wanted += head.features().values()
    for index, text in enumerate(config.features.columns):
        try:
            wanted.append(known_feature(text, indicators))
        except ConfigError as error:
            raise ConfigError(f"features.columns.{index}: {error}") from None
    if not wanted:
        raise ConfigError(
            "features: no column is asked for; name some in features.columns, or set features.of_heads "
            "to true"
        )
    return tuple(dict.fromkeys(wanted))


def build_matrices(
    config: RunConfig,
    *,
    store: Store | Path | str = "data",
    out: Path | str = "features",
    symbols: Sequence[str] = (),
    timeframes: Sequence[str] = (),
    prune: bool = False,
    progress: Callable[[str], None] = lambda _text: None,
) -> Iterator[BuiltMatrix]:
    """Build the matrix of each symbol and timeframe under ``out``, one after the other.

    ``symbols`` and ``timeframes`` narrow what ``config`` says. A matrix is on the disk when it is
    yielded, so that what was finished stays when the rest is not. ``prune`` removes the other matrices
    of the symbols and timeframes that are built. Raises ConfigError for a symbol, a step or a column
    that does not fit, DataError when the store lacks bars, ContractError when an indicator breaks its
    contract.
    """
    indicators = indicators_of(config)
    features = wanted_features(config, indicators)
    pairs = _chosen(config, symbols)
    steps = _steps(config, timeframes)
    held = store if isinstance(store, Store) else Store(store)
    ensure_simulated(config, held)
    for pair, market in zip(pairs, signal_markets(config, pairs, held), strict=True):
        progress(f"{pair.symbol}: {len(features)} columns at {', '.join(steps)}")
        for step in steps:
            folder = MatrixFolder(Path(out), pair.symbol, step)
            yield _built(folder, at_step(market, step), features, indicators, prune=prune)


def at_step(market: Market, timeframe: str) -> Market:
    """``market`` with bars of ``timeframe`` rebuilt from its own; only those that are over.

    Raises DataError when no such bar begins and ends within the data.
    """
    base = market.bars
    if timeframe == base.timeframe:
        return market
    longer = resampled(base, timeframe)
    count = 0
    if longer is not None:
        count = int(np.searchsorted(longer.close_time, base.close_time[-1], side="right"))
    if longer is None or not count:
        raise DataError(
            f"{base.symbol}: no whole {timeframe} bar lies in its {len(base)} bars of {base.timeframe}; "
            "leave this timeframe out, or load more data"
        )
    return replace(market, bars=longer.prefix(count))


def _built(
    folder: MatrixFolder,
    market: Market,
    features: Sequence[Feature],
    indicators: Mapping[str, Indicator],
    *,
    prune: bool,
) -> BuiltMatrix:
    started = time.perf_counter()
    definitions = MarketDefinitions(market, indicators)
    columns: list[ColumnDefinition] = []
    absent: list[Absence] = []
    for feature in features:
        found = definitions.of(feature)
        columns.append(found) if isinstance(found, ColumnDefinition) else absent.append(found)
    path = folder.matrix_path(definitions.rows_key(), columns)
    computed = 0
    with folder.writing(PATIENCE_SECONDS):
        if not is_whole(path):
            kept = folder.find([one.key for one in columns])
            fresh = _computed(market, columns, kept, indicators)
            computed = len(fresh)
            values = {**kept, **fresh}
            facts = {
                "symbol": market.bars.symbol,
                "traded_symbol": folder.symbol,
                "timeframe": folder.timeframe,
                "rows": definitions.rows_key(),
            }
            write_matrix(
                path,
                matrix_table(
                    facts,
                    market.bars.close_time,
                    market.bars.open_time,
                    [(one, values[one.key]) for one in columns],
                ),
            )
        old = [other for other in folder.kept() if other != path] if prune else []
        remove_files(old)
    return BuiltMatrix(
        symbol=folder.symbol,
        timeframe=folder.timeframe,
        path=path,
        rows=len(market.bars),
        columns=tuple(columns),
        absent=tuple(absent),
        computed=computed,
        reused=len(columns) - computed,
        pruned=len(old),
        seconds=time.perf_counter() - started,
    )


def _computed(
    market: Market,
    columns: Sequence[ColumnDefinition],
    kept: Mapping[str, Column],
    indicators: Mapping[str, Indicator],
) -> dict[str, Column]:
    """The columns that are not ``kept``, by key, as they are stored."""
    lacking = {one.key: one for one in columns if one.key not in kept}
    matrix = build_features(
        market, [one.feature for one in lacking.values()], indicators=indicators
    )
    found: dict[str, Column] = {}
    for key, one in lacking.items():
        values = matrix.get(one.feature)
        assert values is not None
        found[key] = typed(one, values)
    return found


def _chosen(config: RunConfig, symbols: Sequence[str]) -> list[InstrumentPair]:
    pairs = {pair.symbol: pair for pair in config.instruments}
    for symbol in symbols:
        if symbol not in pairs:
            raise ConfigError(
                f"--symbol {symbol}: the configuration has no such symbol; it has {', '.join(pairs)}"
            )
    return [pair for symbol, pair in pairs.items() if not symbols or symbol in symbols]


def _steps(config: RunConfig, timeframes: Sequence[str]) -> tuple[str, ...]:
    if not timeframes:
        return config.features.timeframes or (config.data.timeframe,)
    steps = tuple(dict.fromkeys(timeframes))
    config.features.model_copy(update={"timeframes": steps}).check_steps(config.data.timeframe)
    return steps
