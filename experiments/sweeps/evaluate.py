"""Evaluating many trials at once on one market: what the single run of each would say, to the last bit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import ORDER_KINDS, EntryOrders, Float1D, Float2D, Int1D, Panel
from engine.return_sums import SUMS
from engine.sweep import SweepResult
from strategies.consensus_sweep import SymbolVotes, consensus_sweep

from ..config import RunConfig
from ..decisions import annual_volatility, average_true_ranges, tick_sizes
from ..market_data import MarketData
from ..splits.ranges import BarRange
from .checked_files import checked_files
from .space import Space
from .trial_metrics import DIRECTIONS, trial_metrics
from .values import RulesOf, TrialRules, upstream_config
from .votes import MarketVotes, RecentlyUsed, shifted_votes, votes_between

MOST_MEASURES: Final = 8
"""Sets of average true ranges that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """What became of K trials.

    ``metrics`` float64 ``(K,)`` by name, those of ``DIRECTIONS``; ``sums`` float64 ``(K, edges, 5)`` as
    in ``SweepResult``. ``errors`` says why a trial failed, None where it did not; a failed trial has
    NaN everywhere.
    """

    metrics: Mapping[str, Float1D]
    sums: np.ndarray[Any, np.dtype[np.float64]]
    errors: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What of a market trials are evaluated on.

    ``part`` is a range of bars: the account and the decisions begin anew at its first bar, while votes
    and measures come from the whole market. ``shift_bars`` takes the votes of so many bars of the
    longest market before, those of the end at the beginning; a shorter one is turned by the same part
    of its own length, so that every vote stays in it. ``edges`` are bars of
    the part at which return sums are kept, as in ``consensus_sweep``; None stands for its two ends.
    """

    part: BarRange
    shift_bars: int = 0
    edges: Int1D | None = None


class Evaluator:
    """A market on which trials of ``space`` are evaluated.

    Votes and measures are kept between calls, so that a trial costs what lies downstream of what it
    changed. The results do not depend on what is evaluated together, nor on ``threads``.
    """

    def __init__(self, space: Space, data: MarketData, *, threads: int = 1) -> None:
        self.space, self.data, self.threads = space, data, threads
        self._rules = RulesOf(space)
        self._symbol_rules = space.base.rules_of_symbols()
        indicators = checked_files(space)
        self._votes = {
            symbol: MarketVotes(market, indicators) for symbol, market in data.markets.items()
        }
        self._measures: RecentlyUsed[tuple[str, int], Float2D] = RecentlyUsed(MOST_MEASURES)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Bars of the signals of each symbol."""
        return tuple(len(market.bars) for market in self.data.markets.values())

    @property
    def whole(self) -> View:
        """All bars of the market."""
        return View(BarRange(0, len(self.data.panel)))

    def __call__(self, values: Sequence[Mapping[str, Any]], view: View | None = None) -> Evaluated:
        """Evaluate trials of the values given, by path, on all of the market or on a view of it."""
        seen = self.whole if view is None else view
        count = len(values)
        edges = 2 if seen.edges is None else len(seen.edges)
        errors: list[str | None] = [None] * count
        metrics = {name: np.full(count, np.nan) for name in DIRECTIONS}
        sums = np.full((count, edges, len(SUMS)), np.nan)
        groups: dict[str, list[tuple[int, TrialRules]]] = {}
        for k, one in enumerate(values):
            try:
                rules = self._rules(one)
            except Exception as error:  # noqa: BLE001 - one trial must not end the others
                errors[k] = _told(error)
            else:
                groups.setdefault(repr(rules.upstream), []).append((k, rules))
        for group in groups.values():
            self._evaluate(group, seen, metrics, sums, errors)
        return Evaluated(metrics=metrics, sums=sums, errors=tuple(errors))

    def _evaluate(
        self,
        group: Sequence[tuple[int, TrialRules]],
        view: View,
        metrics: Mapping[str, Float1D],
        sums: np.ndarray[Any, np.dtype[np.float64]],
        errors: list[str | None],
    ) -> None:
        """Evaluate trials of one upstream; where that raises, each by itself."""
        chosen = [k for k, _ in group]
        rules = [one for _, one in group]
        try:
            result = self._swept(rules, view)
            cash = np.array([one.replay.initial_cash for one in rules])
            found = trial_metrics(
                result, cash, len(view.part), self.data.panel.timeframe, self.space.planned
            )
        except Exception as error:  # noqa: BLE001 - one trial must not end the others
            if len(group) == 1:
                errors[chosen[0]] = _told(error)
                return
            for one in group:
                self._evaluate([one], view, metrics, sums, errors)
            return
        for name, column in found.items():
            metrics[name][chosen] = column
        sums[chosen] = result.sums

    def _swept(self, rules: Sequence[TrialRules], view: View) -> SweepResult:
        config = upstream_config(self.space.base, rules[0].upstream)
        start, stop = view.part.start, view.part.stop
        panel = self.data.panel.part(start, stop)
        return consensus_sweep(
            [
                self._symbol_votes(symbol, config, panel, view.shift_bars)
                for symbol in panel.symbols
            ],
            panel,
            self.data.funding,
            self._measure("atr_length", config)[start:stop],
            [one.consensus for one in rules],
            [one.replay for one in rules],
            exit_on_flat=[one.exit_on_flat for one in rules],
            hold_bars=[one.hold_bars for one in rules],
            fine=self._fine_part(view.part),
            symbol_rules=self._symbol_rules,
            edges=view.edges,
            orders=self._orders(config, rules, panel, view.part),
            threads=self.threads,
        )

    def _symbol_votes(
        self, symbol: str, config: RunConfig, panel: Panel, shift_bars: int
    ) -> SymbolVotes:
        bars, votes = self.data.markets[symbol].bars, self._votes[symbol].cast(config)
        if shift_bars:
            votes = shifted_votes(votes, round(shift_bars * len(votes) / max(self.lengths)))
        start_ns, stop_ns = int(panel.open_time[0]), int(panel.close_time[-1])
        is_gap = bars.is_gap[(bars.open_time >= start_ns) & (bars.open_time < stop_ns)]
        return SymbolVotes(votes=votes_between(votes, start_ns, stop_ns), is_gap=is_gap)

    def _fine_part(self, part: BarRange) -> Panel | None:
        panel, fine = self.data.panel, self.data.fine
        if fine is None:
            return None
        count = panel.step_ns // fine.step_ns
        return fine.part(part.start * count, part.stop * count)

    def _orders(
        self, config: RunConfig, rules: Sequence[TrialRules], panel: Panel, part: BarRange
    ) -> EntryOrders | None:
        """How the trials enter, where they do not all do so at the market with sizes of their own."""
        is_sized = np.array([one.replay.sizing.method == "volatility" for one in rules])
        if config.entry.kind == "market" and not is_sized.any():
            return None
        kind = ORDER_KINDS.index(config.entry.kind)
        volatility = None
        if is_sized.any():
            volatility = self._measure("volatility_bars", config)[part.start : part.stop]
        return EntryOrders(
            kind=np.full(len(rules), kind, dtype=np.int8),
            offset_atr=np.full(len(rules), config.entry.offset_atr),
            close=panel.close,
            tick=tick_sizes(config, panel),
            is_sized_by_volatility=is_sized,
            volatility=volatility,
        )

    def _measure(self, name: str, config: RunConfig) -> Float2D:
        """The measure whose length is ``measures.<name>``, ``(T, S)``."""
        key = name, int(getattr(config.measures, name))
        found = self._measures.get(key)
        if found is None:
            found = self._measures[key] = MEASURES[name](config, self.data)
        return found


MEASURES: Final[Mapping[str, Callable[[RunConfig, MarketData], Float2D]]] = {
    "atr_length": average_true_ranges,
    "volatility_bars": annual_volatility,
}
"""What is measured over how many bars, by the key that says so."""


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
