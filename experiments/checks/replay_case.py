"""What a replay is given, in one piece, for the checks of the replay."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from engine import (
    Decisions,
    Funding,
    Market,
    Panel,
    ReplayResult,
    ReplayRules,
    SymbolRules,
    replay,
)


class Replay(Protocol):
    """The replay of the engine, or a leaked twin of it."""

    def __call__(
        self,
        panel: Panel,
        decisions: Decisions,
        funding: Funding,
        rules: ReplayRules,
        *,
        fine: Panel | None = None,
        symbol_rules: Mapping[str, SymbolRules] | None = None,
    ) -> ReplayResult:
        """The same arguments and the same answer as :func:`engine.replay`."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayCase:
    """Everything a replay is given."""

    panel: Panel
    decisions: Decisions
    funding: Funding
    rules: ReplayRules
    fine: Panel | None = None
    symbol_rules: Mapping[str, SymbolRules] = field(default_factory=dict)

    def prefix(self, count: int) -> "ReplayCase":
        """The first ``count`` bars and decisions; funding stamps after them are ignored anyway."""
        fine = self.fine
        if fine is not None:
            fine = fine.prefix(count * (self.panel.step_ns // fine.step_ns))
        return replace(
            self,
            panel=self.panel.prefix(count),
            decisions=self.decisions.prefix(count),
            fine=fine,
        )

    def result(self, replay_function: Replay = replay) -> ReplayResult:
        """The replay of this case."""
        return replay_function(
            self.panel,
            self.decisions,
            self.funding,
            self.rules,
            fine=self.fine,
            symbol_rules=self.symbol_rules,
        )


def funding_of(market: Market) -> Funding:
    """The settlements of a market's own funding series, for the one symbol of its panel."""
    series = market.series.get("funding")
    if series is None:
        return Funding.none()
    return Funding(
        time_ns=series.event_time,
        symbol_index=np.zeros(len(series.event_time), dtype=np.int64),
        rate=series.columns["rate"],
        mark_price=np.zeros(len(series.event_time)),
    )
