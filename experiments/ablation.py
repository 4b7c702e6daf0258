"""What each head is worth: one configuration without it, and with it alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Store
from engine import ConfigError, buy_and_hold, metrics, replay
from strategies import VoteMatrix, consensus

from .config import RunConfig
from .config_file import config_hash, config_of, resolved
from .decisions import decisions_of
from .features.own_indicators import indicators_of
from .market_data import MarketData, load_market_data
from .sweeps.votes import MarketVotes

ALL: Final = "all"
WITHOUT: Final = "without"
ALONE: Final = "alone"
FEWEST_HEADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AblatedRun:
    """One run of an ablation: ``kind`` is ``all``, ``without`` the head or the head ``alone``.

    ``overrides`` are the ``-s`` options under which `ninefold run` gives the same ``metrics`` (NaN:
    undefined).
    """

    kind: str
    head: str | None
    overrides: tuple[str, ...]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """The runs of an ablation: all heads first, then without each, then each alone, in head order.

    ``present`` is the share of all bars on which each head had data.
    """

    config: RunConfig
    config_hash: str
    data_fingerprint: str
    present: Mapping[str, float]
    runs: tuple[AblatedRun, ...]

    def run(self, kind: str, head: str | None = None) -> AblatedRun:
        """The run of one kind; ConfigError when the head does not vote in the configuration."""
        for one in self.runs:
            if (one.kind, one.head) == (kind, head):
                return one
        raise ConfigError(f"there is no run {kind!r} of the head {head!r} in this ablation")


def ablate(
    config: RunConfig,
    *,
    store: Store | Path | str = "data",
    progress: Callable[[str], None] = lambda _text: None,
) -> Ablation:
    """Run ``config`` with all of its heads, without each one, and with each one alone.

    A head alone has a quorum of 1, as no other could join it; everything else stays. Nothing is
    written. Raises ConfigError for fewer than two heads and for targets, DataError when the store
    lacks data.
    """
    heads = config.heads.enabled
    if config.targets is not None:
        raise ConfigError(
            "targets are decisions already: an ablation takes heads from the consensus"
        )
    if len(heads) < FEWEST_HEADS:
        raise ConfigError(
            f"heads.enabled={list(heads)}: an ablation needs at least {FEWEST_HEADS} heads"
        )
    progress("loading data")
    data = load_market_data(config, store if isinstance(store, Store) else Store(store))
    indicators = indicators_of(config)
    votes = {symbol: MarketVotes(market, indicators) for symbol, market in data.markets.items()}
    progress(f"{len(heads)} heads vote on {len(votes)} markets")
    cast = [votes[symbol].cast(config) for symbol in votes]
    plan: list[tuple[str, str | None, tuple[str, ...]]] = [(ALL, None, ())]
    for head in heads:
        others = ", ".join(other for other in heads if other != head)
        plan.append((WITHOUT, head, (f"heads.enabled=[{others}]",)))
    for head in heads:
        plan.append((ALONE, head, (f"heads.enabled=[{head}]", "consensus.quorum=1")))
    runs = []
    progress(f"replaying {len(plan)} configurations")
    for kind, name, overrides in plan:
        found = _metrics_of(config_of(resolved(config), overrides), data, votes)
        runs.append(AblatedRun(kind=kind, head=name, overrides=overrides, metrics=found))
    return Ablation(
        config=config,
        config_hash=config_hash(config),
        data_fingerprint=data.fingerprint,
        present={head: _present(cast, head) for head in heads},
        runs=tuple(runs),
    )


def _metrics_of(
    config: RunConfig, data: MarketData, votes: Mapping[str, MarketVotes]
) -> Mapping[str, float]:
    rules = config.rules()
    opinions = {
        symbol: consensus(of_market.cast(config), config.consensus.rules())
        for symbol, of_market in votes.items()
    }
    decisions, _ = decisions_of(config, data, opinions)
    result = replay(
        data.panel,
        decisions,
        data.funding,
        rules,
        fine=data.fine,
        symbol_rules=config.rules_of_symbols(),
    )
    return metrics(result, data.panel, rules, buy_and_hold(data.panel, rules.initial_cash))


def _present(cast: list[VoteMatrix], head: str) -> float:
    has_data = [votes.coverage[:, votes.names.index(head)] > 0 for votes in cast]
    return float(np.concatenate(has_data).mean())
