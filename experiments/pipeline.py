"""One run: configuration and store in, votes, decisions, ledgers and metrics out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets import Store, time_text
from engine import (
    DAY_NS,
    Bars,
    DataError,
    Decisions,
    Float1D,
    Float2D,
    Funding,
    Market,
    Panel,
    ReplayResult,
    buy_and_hold,
    metrics,
    replay,
)
from indicators import INDICATORS_BY_NAME, on_existing_bars
from strategies import (
    Consensus,
    Head,
    HeadOutput,
    VoteMatrix,
    consensus,
    decide,
    vote_matrix,
)

from .alignment import panel_rows
from .config import RunConfig
from .config_file import config_hash
from .firing import firing_table
from .market_data import MarketData, load_market_data
from .prices import FROM_NOTHING, FROM_SIGNALS, PRICE_SOURCES, PricePiece
from .record import check_runs_folder, new_run_id, write_run
from .targets import load_targets

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]
PIECES_TOLD = 5
"""Changes of the price source that a note dates; run.json has all of them."""
LONGEST_SETTLEMENT_NS = DAY_NS
"""Longer than this without a settlement is a hole in the funding history."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """Everything that a run computed.

    ``votes``, ``consensus`` and ``data.markets`` are keyed by traded symbol and live on the bars of
    the signals; ``panel``, ``decisions``, ``replay`` and ``benchmark`` (equity of buy and hold) on the
    union grid of the traded prices. ``metrics`` and ``benchmark_metrics`` are NaN where undefined.
    ``run_dir`` is None when nothing was written.
    """

    run_id: str
    run_dir: Path | None
    created_at: datetime
    config: RunConfig
    config_hash: str
    overrides: tuple[str, ...]
    data: MarketData
    votes: Mapping[str, VoteMatrix]
    consensus: Mapping[str, Consensus]
    panel: Panel
    decisions: Decisions
    replay: ReplayResult
    metrics: Mapping[str, float]
    benchmark: Float1D
    benchmark_metrics: Mapping[str, float]
    firing: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    duration_seconds: float

    def market(self, symbol: str) -> Market:
        """Bars and slow series that the signals of ``symbol`` were computed from."""
        return self.data.markets[symbol]

    @property
    def n_trades(self) -> int:
        """Round trips."""
        return len(self.replay.trades)

    def frame(self, name: str) -> "pd.DataFrame":
        """An artefact (``equity``, ``fills``, ``trades``, ``funding``, ``votes``, ``prices``) as pandas.

        The same columns and units as the Parquet file of that name; see docs/run-folder.md.
        """
        from .artefacts import artefact

        frame: pd.DataFrame = artefact(self, name).to_pandas()
        return frame


def run(
    config: RunConfig,
    *,
    store: Store | Path | str = "data",
    runs: Path | str | None = "runs",
    overrides: tuple[str, ...] = (),
    progress: Progress = lambda _text: None,
) -> RunResult:
    """Replay ``config`` on the data of ``store``; write a run folder under ``runs`` unless it is None.

    ``overrides`` are only recorded: apply them with load_config. ``progress`` hears what happens.
    Raises DataError when the store lacks data, ContractError when a head breaks its contract.
    """
    started, created_at = time.perf_counter(), datetime.now(UTC)
    store = store if isinstance(store, Store) else Store(store)
    if runs is not None:
        check_runs_folder(Path(runs))
    progress("loading data")
    data = load_market_data(config, store)
    votes, opinions = _opinions(config, data, progress)
    panel = Panel.from_bars({symbol: priced.bars for symbol, priced in data.prices.items()})
    decisions, notes = _decisions(config, data, panel, opinions)
    progress(f"replaying {len(panel)} bars of {len(panel.symbols)} symbols")
    rules = config.rules()
    result = replay(panel, decisions, data.funding, rules)
    benchmark = buy_and_hold(panel, rules.initial_cash)
    whole_hash = config_hash(config)
    outcome = RunResult(
        run_id=new_run_id(created_at, config.name, whole_hash),
        run_dir=None,
        created_at=created_at,
        config=config,
        config_hash=whole_hash,
        overrides=tuple(overrides),
        data=data,
        votes=votes,
        consensus=opinions,
        panel=panel,
        decisions=decisions,
        replay=result,
        metrics=metrics(result, panel, rules),
        benchmark=benchmark,
        benchmark_metrics=_benchmark_metrics(config, panel, benchmark, result),
        firing=_firing(config, votes, opinions, panel, decisions),
        notes=(*period_notes(config, data), *data_notes(data), *notes),
        duration_seconds=time.perf_counter() - started,
    )
    if runs is None:
        return outcome
    progress("writing the run folder")
    run_dir = write_run(outcome, Path(runs))
    return replace(outcome, run_id=run_dir.name, run_dir=run_dir)


def votes_of(config: RunConfig, market: Market) -> VoteMatrix:
    """The votes of the nine heads; one that is not enabled is absent (coverage 0) on every bar."""
    heads = config.heads.instances()
    enabled = [head for head in heads if head.name in config.heads.enabled]
    cast = vote_matrix(market, enabled, indicators=INDICATORS_BY_NAME)
    return cast if len(enabled) == len(heads) else _with_absent(heads, cast)


def _with_absent(heads: tuple[Head, ...], cast: VoteMatrix) -> VoteMatrix:
    absent = HeadOutput.absent(len(cast))

    def widened(name: str) -> Any:
        columns = [
            getattr(cast, name)[:, cast.names.index(head.name)]
            if head.name in cast.names
            else getattr(absent, name)
            for head in heads
        ]
        return np.asfortranarray(np.column_stack(columns))

    return VoteMatrix(
        names=tuple(head.name for head in heads),
        open_time=cast.open_time,
        known_at=cast.known_at,
        direction=widened("direction"),
        probability=widened("probability"),
        confidence=widened("confidence"),
        score=widened("score"),
        coverage=widened("coverage"),
        reasons=widened("reasons"),
    )


def _opinions(
    config: RunConfig, data: MarketData, progress: Progress
) -> tuple[dict[str, VoteMatrix], dict[str, Consensus]]:
    votes: dict[str, VoteMatrix] = {}
    opinions: dict[str, Consensus] = {}
    for symbol, market in data.markets.items():
        progress(f"{symbol}: {len(config.heads.enabled)} heads vote on {len(market.bars)} bars")
        votes[symbol] = votes_of(config, market)
        opinions[symbol] = consensus(votes[symbol], config.consensus.rules())
    return votes, opinions


def _decisions(
    config: RunConfig, data: MarketData, panel: Panel, opinions: Mapping[str, Consensus]
) -> tuple[Decisions, tuple[str, ...]]:
    """Decisions on the panel's grid; a row acts only where the symbol is listed and sized."""
    shape = panel.open.shape
    target, acts = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    atr_frac = _atr_fractions(config, data, panel)
    notes: list[str] = []
    if config.targets is not None:
        given = load_targets(config.targets, panel)
        target, acts = given.target, given.acts
        if given.outside:
            notes.append(
                f"{given.outside} rows of {config.targets} lie outside the bars of the run"
            )
        atr_frac = _required_atr(config, panel, target, acts, atr_frac)
    else:
        for column, symbol in enumerate(panel.symbols):
            opinion, bars = opinions[symbol], data.markets[symbol].bars
            wanted, turns = decide(
                opinion.direction,
                bars.is_gap,
                exit_on_flat=config.consensus.exit_on_flat,
                hold_bars=config.consensus.hold_bars,
            )
            rows, inside = panel_rows(panel, bars.open_time)
            target[rows, column] = wanted[inside]
            acts[rows, column] = turns[inside]
        sized = np.isfinite(atr_frac) & (atr_frac > 0)
        unusable = acts & ~(panel.listed & (sized | (target == 0)))
        if unusable.any():
            notes.append(
                f"{int(unusable.sum())} decisions dropped: the traded symbol was not listed or its "
                "average true range was not known"
            )
        acts &= ~unusable
    return Decisions(target=np.where(acts, target, 0.0), acts=acts, atr_frac=atr_frac), tuple(notes)


def _atr_fractions(config: RunConfig, data: MarketData, panel: Panel) -> Float2D:
    """Average true range / close of the signals' existing bars, ``(T, S)``; NaN where unknown."""
    parameters = {"length": config.execution.atr_length}
    fractions = np.full(panel.open.shape, np.nan)
    for column, symbol in enumerate(panel.symbols):
        bars = data.markets[symbol].bars
        known = on_existing_bars(bars, INDICATORS_BY_NAME["atr"], "atr_frac", parameters)
        rows, inside = panel_rows(panel, bars.open_time)
        fractions[rows, column] = known[inside]
    return fractions


def _required_atr(
    config: RunConfig, panel: Panel, target: Float2D, acts: Any, atr_frac: Float2D
) -> Float2D:
    """``atr_frac`` for a user's targets: needed for stops only, and then for every entry."""
    unknown = ~(np.isfinite(atr_frac) & (atr_frac > 0))
    if config.execution.stop_atr is None and config.execution.take_profit_atr is None:
        return np.where(unknown, 1.0, atr_frac)
    broken = acts & (target != 0) & unknown
    if broken.any():
        row, column = (int(index) for index in np.argwhere(broken)[0])
        raise DataError(
            f"{config.targets}: the target of {panel.symbols[column]} at "
            f"{np.datetime64(int(panel.close_time[row]), 's')} comes before the average true range is "
            "known, so it has no stop; start later, or set execution.stop_atr and "
            "execution.take_profit_atr to null"
        )
    return atr_frac


def _benchmark_metrics(
    config: RunConfig, panel: Panel, equity: Float1D, result: ReplayResult
) -> dict[str, float]:
    held = ReplayResult(
        equity=equity,
        cash=np.zeros_like(equity),
        gross_exposure=equity,
        net_exposure=equity,
        fills=result.fills[:0],
        trades=result.trades[:0],
        funding_payments=result.funding_payments[:0],
        ruined_bar=-1,
        ambiguous_exits=0,
    )
    return metrics(held, panel, config.rules())


def _firing(
    config: RunConfig,
    votes: Mapping[str, VoteMatrix],
    opinions: Mapping[str, Consensus],
    panel: Panel,
    decisions: Decisions,
) -> tuple[dict[str, Any], ...]:
    return tuple(
        firing_table(
            symbol,
            votes[symbol],
            opinions[symbol],
            config.consensus.rules(),
            enabled=config.heads.enabled,
            decisions=int(decisions.acts[:, column].sum()),
        )
        for column, symbol in enumerate(panel.symbols)
    )


def period_notes(config: RunConfig, data: MarketData) -> list[str]:
    """Where the period asked for has no data: the run is shorter than its configuration says."""
    notes = []
    for symbol, market in data.markets.items():
        first, last = int(market.bars.open_time[0]), int(market.bars.close_time[-1])
        if config.data.start_ns is not None and first - config.data.start_ns >= DAY_NS:
            notes.append(
                f"{symbol}: data begin at {time_text(first)}, later than the start asked for"
            )
        if config.data.end_ns is not None and config.data.end_ns - last >= DAY_NS:
            notes.append(f"{symbol}: data end at {time_text(last)}, before the end asked for")
    return notes


def data_notes(data: MarketData) -> tuple[str, ...]:
    """One sentence for each thing about the data that a reader of the result must know."""
    notes = [f"sources disagree: {conflicts}" for conflicts in data.source_conflicts]
    notes += [f"`data check` found {defect}" for defect in data.defects]
    for column, (symbol, market) in enumerate(data.markets.items()):
        gaps, priced = int(market.bars.is_gap.sum()), data.prices[symbol]
        if gaps:
            notes.append(f"{symbol}: {gaps} of {len(market.bars)} signal bars are missing (gaps)")
        untraded = int((priced.source == FROM_NOTHING).sum())
        if untraded:
            notes.append(
                f"{symbol}: {untraded} of {len(priced.bars)} traded bars are gaps; nothing fills there"
            )
        pieces = priced.pieces()
        if len(pieces) == 1 and pieces[0].source == PRICE_SOURCES[FROM_SIGNALS]:
            notes.append(
                f"{symbol}: the store has no bars of {priced.traded_name} in this period; every fill "
                f"is priced by {pieces[0].instrument}"
            )
        notes += funding_notes(symbol, column, priced.bars, data.funding)
        if len(pieces) > 1:
            notes.append(
                f"{symbol}: prices come from two instruments, and step by the basis between them at "
                f"each of the {len(pieces) - 1} changes: {_dated(pieces)}"
            )
    return tuple(notes)


def funding_notes(symbol: str, column: int, bars: Bars, funding: Funding) -> list[str]:
    """What the settlements of one symbol do not cover: positions there pay and receive none."""
    times = funding.time_ns[funding.symbol_index == column]
    if not len(times):
        return []
    first, last = int(bars.open_time[0]), int(bars.close_time[-1])
    edges = np.concatenate(([first], times, [last]))
    holes = np.flatnonzero(np.diff(edges) > LONGEST_SETTLEMENT_NS)
    shown = [
        f"{time_text(int(edges[hole]))} to {time_text(int(edges[hole + 1]))}"
        for hole in holes[:PIECES_TOLD]
    ]
    more = [f"and {len(holes) - PIECES_TOLD} more"] if len(holes) > PIECES_TOLD else []
    if not shown:
        return []
    return [f"{symbol}: no settlements from {', '.join([*shown, *more])}; positions there pay none"]


def _dated(pieces: Sequence[PricePiece]) -> str:
    shown = [
        f"{piece.instrument} from {time_text(piece.start_ns)}" for piece in pieces[:PIECES_TOLD]
    ]
    more = [f"and {len(pieces) - PIECES_TOLD} more"] if len(pieces) > PIECES_TOLD else []
    return ", ".join([*shown, *more])
