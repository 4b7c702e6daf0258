"""``ninefold check parity``: a sweep's numbers for a configuration are those of its single run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from datasets import Store
from engine import ConfigError, Decisions, ReplayResult, metrics, replay, return_sums
from engine.decision_events import DecisionEvents
from engine.metrics import sharpe_from_sums, sortino_from_sums, volatility_from_sums
from engine.sweep import SweepResult, sweep_replay
from engine.timeframe import bars_per_year
from engine.totals import run_totals
from strategies import VoteMatrix, consensus
from strategies.consensus_sweep import SymbolVotes, consensus_events

from ..config import RunConfig
from ..decisions import average_true_ranges, decisions_of, sweep_orders
from ..market_data import MarketData, load_market_data
from ..pipeline import votes_of
from .parity_samples import sampled_configs

SAMPLES: Final = 40
SEED: Final = 7
BLOCKS: Final = 6
"""Blocks of bars for which sums of returns are compared, as cross-validation would ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityRow:
    """One configuration: what leads to it from the given one, and the first number that differs.

    ``difference`` is None where all ``compared`` numbers are equal to the last bit. ``trades`` and
    ``final_equity`` are those of the single run.
    """

    configuration: int
    overrides: tuple[str, ...]
    compared: int
    trades: int
    final_equity: float
    difference: str | None


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The rows in the order of sampling."""

    rows: tuple[ParityRow, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return self.first_difference is None

    @property
    def first_difference(self) -> ParityRow | None:
        """The first configuration with a difference."""
        return next((row for row in self.rows if row.difference is not None), None)


def check_parity(
    config: RunConfig,
    store: Store,
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
    threads: int = 2,
) -> ParityReport:
    """Compute ``samples`` configurations around ``config`` by one sweep and by single runs.

    The single run is the consensus, its decisions, the replay and the metrics; the sweep fills chunks of
    decisions and keeps totals and sums. Compared to the last bit are the decisions, every total, the
    sums of returns in ``BLOCKS`` blocks, and the metrics that follow from them. Raises ConfigError
    where ``config`` asks for what a sweep does not decide.
    """
    _refuse_what_no_sweep_decides(config)
    if samples < 1:
        raise ConfigError(f"samples={samples} must be at least 1")
    drawn = sampled_configs(config, samples, seed)
    data = load_market_data(config, store)
    votes = {symbol: votes_of(config, market) for symbol, market in data.markets.items()}
    configs = [one for one, _ in drawn]
    edges = np.linspace(0, len(data.panel), BLOCKS + 1).astype(np.int64)
    events = sweep_events(configs, data, votes)
    swept = sweep_replay(
        data.panel,
        events,
        data.funding,
        [one.rules() for one in configs],
        fine=data.fine,
        symbol_rules=config.rules_of_symbols(),
        edges=edges,
        threads=threads,
    )
    rows = []
    for number, (one, overrides) in enumerate(drawn):
        decisions, result = single_run(one, data, votes)
        found = _compared(one, data, result, edges)
        difference = _decisions_differ(events.decisions(number), decisions)
        for name, value in found.items():
            if difference is not None:
                break
            difference = _differs(name, _of_sweep(name, swept, number, one, data), value)
        rows.append(
            ParityRow(
                configuration=number,
                overrides=tuple(overrides),
                compared=sum(np.size(value) for value in found.values()),
                trades=len(result.trades),
                final_equity=float(result.equity[-1]),
                difference=difference,
            )
        )
    return ParityReport(tuple(rows))


def _refuse_what_no_sweep_decides(config: RunConfig) -> None:
    if config.targets is not None:
        raise ConfigError("targets: parity compares sweeps of the consensus; leave targets out")


def sweep_events(
    configs: list[RunConfig], data: MarketData, votes: Mapping[str, VoteMatrix]
) -> DecisionEvents:
    """The decisions of all ``configs``, as the sweep takes them."""
    return consensus_events(
        [
            SymbolVotes(votes=votes[symbol], is_gap=data.markets[symbol].bars.is_gap)
            for symbol in data.panel.symbols
        ],
        data.panel,
        average_true_ranges(configs[0], data),
        [one.consensus.rules() for one in configs],
        exit_on_flat=[one.consensus.exit_on_flat for one in configs],
        hold_bars=[one.consensus.hold_bars for one in configs],
        orders=sweep_orders(configs, data),
    )


def single_run(
    config: RunConfig, data: MarketData, votes: Mapping[str, VoteMatrix]
) -> tuple[Decisions, ReplayResult]:
    """The decisions and the replay of one configuration, as ``ninefold run`` makes them."""
    opinions = {symbol: consensus(cast, config.consensus.rules()) for symbol, cast in votes.items()}
    decisions, _ = decisions_of(config, data, opinions)
    result = replay(
        data.panel,
        decisions,
        data.funding,
        config.rules(),
        fine=data.fine,
        symbol_rules=config.rules_of_symbols(),
    )
    return decisions, result


def _compared(
    config: RunConfig, data: MarketData, result: ReplayResult, edges: np.ndarray
) -> dict[str, Any]:
    """Every number of a single run that the sweep states too."""
    totals = run_totals(result, config.rules())
    of_run = metrics(result, data.panel, config.rules())
    return {
        **{f"totals.{name}": totals[name] for name in totals.dtype.names or ()},
        "sums": return_sums(result.equity, config.initial_cash, edges),
        **{f"metrics.{name}": np.float64(of_run[name]) for name in METRICS_OF_SWEEP},
    }


METRICS_OF_SWEEP: Final = (
    "total_return",
    "max_drawdown",
    "annual_volatility",
    "sharpe",
    "sortino",
    "trades",
    "ambiguous_exits",
    "ruined",
)
"""Metrics of the report that follow from what a sweep keeps."""


def _of_sweep(
    name: str, swept: SweepResult, number: int, config: RunConfig, data: MarketData
) -> Any:
    totals, sums = swept.totals[number], swept.sums[number]
    group, _, key = name.partition(".")
    if group == "totals":
        return totals[key]
    if group == "sums":
        return sums
    bars, year = len(data.panel), bars_per_year(data.panel.timeframe)
    found = {
        "total_return": totals["final_equity"] / config.initial_cash - 1.0,
        "max_drawdown": totals["max_drawdown"],
        "annual_volatility": volatility_from_sums(sums[-1], bars, year),
        "sharpe": sharpe_from_sums(sums[-1], bars, year),
        "sortino": sortino_from_sums(sums[-1], bars, year),
        "trades": totals["trades"],
        "ambiguous_exits": totals["ambiguous_exits"],
        "ruined": totals["ruined_bar"] >= 0,
    }
    return np.float64(found[key])


def _differs(name: str, swept: Any, alone: Any) -> str | None:
    """How the numbers called ``name`` differ, or None; floats are compared bit by bit, NaN by being."""
    one, two = np.atleast_1d(np.asarray(swept)), np.atleast_1d(np.asarray(alone))
    if one.dtype == np.float64 and two.dtype == np.float64:
        same = (one.view(np.int64) == two.view(np.int64)) | (np.isnan(one) & np.isnan(two))
    else:
        same = one == two
    if same.all():
        return None
    at = np.unravel_index(int(np.argmin(same)), same.shape)
    where = f"[{', '.join(map(str, at))}]" if same.size > 1 else ""
    return f"{name}{where}: the sweep says {one[at]!r}, the run {two[at]!r}"


def _decisions_differ(swept: Decisions, alone: Decisions) -> str | None:
    different = (swept.acts != alone.acts) | (alone.acts & (swept.target != alone.target))
    if different.any():
        row, column = (int(index) for index in np.argwhere(different)[0])
        said = [
            f"{one.target[row, column]:g}" if one.acts[row, column] else "nothing"
            for one in (swept, alone)
        ]
        return (
            f"decisions[{row}, {column}]: the sweep decides {said[0]}, the run {said[1]} "
            f"({int(different.sum())} rows differ)"
        )
    entering = alone.acts & (alone.target != 0)
    at = np.nonzero(entering)
    for name in ("order_kind", "order_price", "volatility"):
        one, two = (_stated(decisions, name)[at] for decisions in (swept, alone))
        if name == "order_price":
            one, two = (np.where(_stated(alone, "order_kind")[at] > 0, x, 0.0) for x in (one, two))
        found = _differs(f"decisions.{name} of the entries", one, two)
        if found is not None:
            return found
    return None


def _stated(decisions: Decisions, name: str) -> np.ndarray:
    """An optional column of the decisions, zeros where it is not given."""
    column = getattr(decisions, name)
    return np.zeros(decisions.target.shape) if column is None else column
