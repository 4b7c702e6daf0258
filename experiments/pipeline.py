"""One run: configuration and store in, votes, decisions, ledgers and metrics out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets import Store
from engine import (
    AccountColumns,
    Decisions,
    Float1D,
    Market,
    Panel,
    ReplayResult,
    buy_and_hold,
    metrics,
    replay,
)
from indicators import Computed
from strategies import (
    Consensus,
    Head,
    HeadOutput,
    VoteMatrix,
    consensus,
    vote_matrix,
)

from .config import RunConfig
from .config_file import config_hash
from .decisions import decisions_of
from .features.own_indicators import indicators_of
from .firing import firing_table
from .formats import counted
from .leave_one_out import LeaveOneOut, leave_one_out
from .market_data import MarketData, load_market_data
from .notes import (
    consensus_notes,
    data_notes,
    head_notes,
    period_notes,
    replay_notes,
    rule_notes,
)
from .record import check_runs_folder, new_run_id, write_run
from .searched import searched_fingerprint
from .zones import zones_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """Everything that a run computed.

    ``votes``, ``consensus`` and ``data.markets`` are keyed by traded symbol and live on the bars of
    the signals; ``panel``, ``decisions``, ``replay`` and ``benchmark`` (equity of buy and hold; of
    inverse contracts, of the coin) on the union grid of the traded prices; ``data.fine`` on the finer
    bars inside it. ``metrics`` and ``benchmark_metrics`` are NaN where undefined. ``leave_one_out`` is
    the run without each of its heads, None where none can be left out. ``zones`` by symbol are the
    table of that name, None where nothing was written: ``frame`` finds them then. ``run_dir`` is None
    when nothing was written. ``searched_fingerprint`` identifies what the store holds of the rows that the
    sweep of ``config.origin`` searched, None where that is not known.
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
    leave_one_out: LeaveOneOut | None
    zones: "Mapping[str, pa.Table] | None"
    notes: tuple[str, ...]
    duration_seconds: float
    searched_fingerprint: str | None = None

    def market(self, symbol: str) -> Market:
        """Bars and slow series that the signals of ``symbol`` were computed from."""
        return self.data.markets[symbol]

    @property
    def n_trades(self) -> int:
        """Round trips."""
        return len(self.replay.trades)

    def frame(self, name: str) -> "pd.DataFrame":
        """A table (``equity``, ``fills``, ``orders``, ``trades``, ``payments``, ``votes``, ``prices``,
        ``zones``, ``leave_one_out``).

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
    votes, opinions, zones = _opinions(
        config, data, progress, finds_zones=runs is not None and config.targets is None
    )
    panel = data.panel
    decisions, notes = decisions_of(config, data, opinions)
    progress(f"replaying {counted(len(panel), 'bar')} of {counted(len(panel.symbols), 'symbol')}")
    rules = config.rules()
    result = replay(
        panel,
        decisions,
        data.funding,
        rules,
        fine=data.fine,
        symbol_rules=config.rules_of_symbols(),
    )
    benchmark = buy_and_hold(panel, rules.initial_cash, contract=rules.margin.contract)
    firing = _firing(config, votes, opinions, panel, decisions)
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
        metrics=metrics(result, panel, rules, benchmark),
        benchmark=benchmark,
        benchmark_metrics=_benchmark_metrics(config, panel, benchmark, result),
        firing=firing,
        leave_one_out=leave_one_out(config, data, votes, decisions),
        zones=zones,
        notes=(
            *consensus_notes(config),
            *(head_notes(firing, config.consensus.quorum) if config.targets is None else ()),
            *(rule_notes(config, data) if config.targets is None else ()),
            *period_notes(config, data),
            *data_notes(config, data),
            *notes,
            *replay_notes(data, result),
        ),
        duration_seconds=time.perf_counter() - started,
    )
    if runs is None:
        return outcome
    searched = searched_fingerprint(config, data, store, Path(runs))
    outcome = replace(outcome, searched_fingerprint=searched)
    progress("writing the run folder")
    run_dir = write_run(outcome, Path(runs))
    return replace(outcome, run_id=run_dir.name, run_dir=run_dir)


def votes_of(config: RunConfig, market: Market, *, computed: Computed | None = None) -> VoteMatrix:
    """The votes of the heads, the user's own last; one that is off is absent (coverage 0) everywhere.

    ``computed`` as in ``build_features``.
    """
    indicators = indicators_of(config)
    heads = config.heads.instances(indicators)
    enabled = [head for head in heads if head.name in config.heads.enabled]
    cast = vote_matrix(market, enabled, indicators=indicators, computed=computed)
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
    config: RunConfig, data: MarketData, progress: Progress, *, finds_zones: bool
) -> tuple[dict[str, VoteMatrix], dict[str, Consensus], "dict[str, pa.Table] | None"]:
    votes: dict[str, VoteMatrix] = {}
    opinions: dict[str, Consensus] = {}
    zones: dict[str, pa.Table] = {}
    for symbol, market in data.markets.items():
        progress(f"{symbol}: {len(config.heads.enabled)} heads vote on {len(market.bars):,} bars")
        # Zones first: the votes take over what both follow from.
        computed: Computed = {}
        if finds_zones:
            zones[symbol] = zones_of(config, symbol, market, computed=computed)
        votes[symbol] = votes_of(config, market, computed=computed)
        opinions[symbol] = consensus(votes[symbol], config.consensus.rules())
    return votes, opinions, zones if finds_zones else None


def _benchmark_metrics(
    config: RunConfig, panel: Panel, equity: Float1D, result: ReplayResult
) -> dict[str, float]:
    nothing = np.zeros_like(equity)
    # Coins that are held are the currency of an inverse account, no position in it.
    invested = nothing if config.margin.rules().contract == "inverse" else equity
    held = replace(
        result,
        equity=equity,
        fills=result.fills[:0],
        orders=result.orders[:0],
        payments=result.payments[:0],
        ruined_bar=-1,
        ambiguous_exits=0,
        unresolved_bars=0,
        find_trades=lambda: result.trades[:0],
        find_account=lambda: AccountColumns(
            cash=nothing,
            gross_exposure=invested,
            net_exposure=invested,
            initial_margin=nothing,
            maintenance_margin=nothing,
        ),
    )
    return metrics(held, panel, config.rules())


def _firing(
    config: RunConfig,
    votes: Mapping[str, VoteMatrix],
    opinions: Mapping[str, Consensus],
    panel: Panel,
    decisions: Decisions,
) -> tuple[dict[str, Any], ...]:
    heads = config.heads.instances(indicators_of(config))
    return tuple(
        firing_table(
            symbol,
            votes[symbol],
            opinions[symbol],
            config.consensus.rules(),
            heads=heads,
            enabled=config.heads.enabled,
            decisions=int(decisions.acts[:, column].sum()),
        )
        for column, symbol in enumerate(panel.symbols)
    )
