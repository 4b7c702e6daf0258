"""The whole path as subjects: heads, consensus and replay on a market."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine import Costs, Decisions, Market, Panel, ReplayRules, bars_per_year, replay, timeframe_ns
from indicators import (
    INDICATORS,
    Feature,
    Indicator,
    build_features,
    clock_of,
    feature,
    on_existing_bars,
)
from strategies import (
    HEADS,
    ConsensusRules,
    Head,
    VoteMatrix,
    consensus,
    decide,
    vote_matrix,
)

from .null import Detectors
from .replay import replay_rows
from .replay_case import Replay, ReplayCase, funding_of
from .subjects import ClockBuilder, Rows, Subject, head_features, native_clock

LOWERED = ConsensusRules(
    quorum=2, p_min=0.55, c_min=0.4, weight_min=0.0, consensus_c_min=0.4, consensus_p_min=0.55
)
"""Thresholds low enough that the consensus fires on any market: for checks, not for trading."""
FREE = ReplayRules(costs=Costs(taker_fee_bps=0.0, maker_fee_bps=0.0, slippage_bps=0.0))
"""No costs, so that the expectation on a driftless market is exactly 0."""
VOTE_COLUMNS = ("direction", "probability", "confidence", "score", "coverage")


def answer_rows(votes: VoteMatrix, heads: Sequence[Head]) -> dict[str, np.ndarray]:
    """Every column of every head's answer, and each of its reasons as int8 of 0 and 1.

    Columns are named ``head.column``, reasons ``head:reason``.
    """
    rows: dict[str, np.ndarray] = {}
    for position, head in enumerate(heads):
        for column in VOTE_COLUMNS:
            rows[f"{head.name}.{column}"] = getattr(votes, column)[:, position]
        bits = votes.reasons[:, position]
        for bit, reason in enumerate(head.REASONS):
            rows[f"{head.name}:{reason.name}"] = ((bits >> np.uint64(bit)) & np.uint64(1)).astype(
                np.int8
            )
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What is listed: indicators, heads, and the rules of consensus and replay.

    ``features`` are columns that no head asks for, whose parameters are checked too.
    ``clock_builder`` and ``replay_function`` are exchanged for leaked twins to show that the checks
    bite.
    """

    indicators: tuple[Indicator, ...] = INDICATORS
    heads: Sequence[Head] = field(default_factory=lambda: tuple(head() for head in HEADS))
    features: tuple[Feature, ...] = ()
    consensus_rules: ConsensusRules = LOWERED
    replay_rules: ReplayRules = field(default_factory=ReplayRules)
    exit_on_flat: bool = True
    hold_bars: int | None = None
    clock_builder: ClockBuilder = clock_of
    replay_function: Replay = replay

    @property
    def by_name(self) -> Mapping[str, Indicator]:
        """The indicators by name."""
        return {indicator.name: indicator for indicator in self.indicators}

    def variants(self) -> tuple["Suite", ...]:
        """The same heads with their ``VARIANTS``: one of each head that has as many, suite by suite."""
        most = max((len(head.VARIANTS) for head in self.heads), default=0)
        return tuple(
            replace(
                self,
                heads=tuple(
                    type(head)(**head.VARIANTS[number])
                    for head in self.heads
                    if number < len(head.VARIANTS)
                ),
            )
            for number in range(most)
        )

    def warm_up_rows(self, bar_step_ns: int) -> int:
        """Bars after which no feature on bars depends on where they begin, as declared.

        A longer bar counts for the decision bars in it. Slow series have a start of their own.
        """
        longest = 0
        for wanted in head_features(self.heads):
            indicator = self.by_name[wanted.indicator]
            stable = indicator.stable(indicator.resolved(dict(wanted.parameters)))
            if wanted.clock == "bars":
                longest = max(longest, stable)
            elif wanted.clock.startswith("bars:"):
                step = timeframe_ns(wanted.clock.removeprefix("bars:"))
                longest = max(longest, (stable + 1) * (step // bar_step_ns))
        return longest

    def votes(self, market: Market, clock_builder: ClockBuilder | None = None) -> VoteMatrix:
        """The votes of every head."""
        with np.errstate(all="ignore"):
            return vote_matrix(
                market,
                self.heads,
                indicators=self.by_name,
                clock_builder=clock_builder or self.clock_builder,
            )

    def vote_rows(self, market: Market, clock_builder: ClockBuilder | None = None) -> Rows:
        """Every column of every head's answer."""
        return answer_rows(self.votes(market, clock_builder), self.heads)

    def head_rows(self, market: Market) -> Mapping[str, Rows]:
        """The same by head."""
        rows = self.vote_rows(market)
        return {
            head.name: {
                name: column
                for name, column in rows.items()
                if name.startswith((f"{head.name}.", f"{head.name}:"))
            }
            for head in self.heads
        }

    def consensus_rows(self, market: Market, votes: VoteMatrix | None = None) -> Rows:
        """Every column of the consensus, and the decisions made of it."""
        votes = self.votes(market) if votes is None else votes
        agreed = consensus(votes, self.consensus_rules)
        target, acts = decide(
            agreed.direction,
            market.bars.is_gap,
            exit_on_flat=self.exit_on_flat,
            hold_bars=self.hold_bars,
        )
        columns = (
            "direction", "probability", "confidence", "agreeing_weight", "signed_score",
            "legacy_score", "votes_for", "mask", "gate",
        )  # fmt: skip
        return {
            **{f"consensus.{name}": getattr(agreed, name) for name in columns},
            "decision.target": target,
            "decision.acts": acts,
        }

    def replay_case(self, market: Market, rows: Rows) -> ReplayCase:
        """The replay of a market's own consensus; entries wait until they can be sized."""
        bars = market.bars
        atr_frac = on_existing_bars(bars, self.by_name["atr"], "atr_frac", {})
        target, acts = rows["decision.target"], rows["decision.acts"]
        ready = np.isfinite(atr_frac) & (atr_frac > 0)
        volatility = None
        if self.replay_rules.sizing.method == "volatility":
            deviation = on_existing_bars(bars, self.by_name["realised_volatility"], "deviation", {})
            volatility = deviation * math.sqrt(bars_per_year(bars.timeframe))
            ready &= np.isfinite(volatility) & (volatility > 0)
        decisions = Decisions(
            target=np.ascontiguousarray(target[:, None]),
            acts=(acts & ((target == 0) | ready))[:, None],
            atr_frac=atr_frac[:, None].copy(),
            volatility=None if volatility is None else volatility[:, None].copy(),
        )
        panel = Panel.from_bars({bars.symbol: bars})
        return ReplayCase(panel, decisions, funding_of(market), self.replay_rules)

    def path_rows(self, market: Market) -> Rows:
        """Votes, consensus, decisions and replay of one market, all in one."""
        votes = self.votes(market)
        rows = answer_rows(votes, self.heads)
        agreed = self.consensus_rows(market, votes)
        rows |= agreed
        rows |= replay_rows(self.replay_case(market, agreed), self.replay_function)
        return rows

    def narrowed(self, names: Collection[str]) -> Subject:
        """The subject that computes no more than the outputs ``names`` need: the votes of the heads
        that own them, or the whole path when the consensus or the replay does."""
        owned = {name.replace(":", ".").split(".")[0] for name in names}
        heads = tuple(head for head in self.heads if head.name in owned)
        if owned - {head.name for head in heads}:
            return self.path_rows
        return replace(self, heads=heads).vote_rows

    def never_have_to_fire(self) -> frozenset[str]:
        """Reasons whose declared rate starts at 0: markets on which they never fire are expected."""
        return frozenset(
            f"{head.name}:{reason.name}"
            for head in self.heads
            for reason in head.REASONS
            if reason.firing_rate[0] == 0.0
        )

    def signal_rows(self, market: Market, indicators: Iterable[Indicator] | None = None) -> Rows:
        """Every signal output at its default parameters, as it appears on the decision bars."""
        wanted = {}
        for indicator in self.indicators if indicators is None else indicators:
            signals = [output.name for output in indicator.outputs if output.kind == "signal"]
            clock = native_clock(indicator, market) if signals else None
            if clock is None:
                continue
            for name in signals:
                wanted[f"{indicator.name}.{name}"] = feature(indicator.name, name, clock=clock)
        with np.errstate(all="ignore"):
            matrix = build_features(
                market, wanted.values(), indicators=self.by_name, clock_builder=self.clock_builder
            )
        found = {name: matrix.get(wanted[name]) for name in wanted}
        return {name: column for name, column in found.items() if column is not None}

    def detectors(self, signals: Rows, votes: VoteMatrix | None, agreed: Rows) -> Detectors:
        """Everything that claims a direction: signals, reasons, heads and the consensus."""
        found: dict[str, np.ndarray] = dict(signals)
        if votes is not None:
            answers = answer_rows(votes, self.heads)
            for head in self.heads:
                found[head.name] = answers[f"{head.name}.direction"]
                for reason in head.REASONS:
                    if reason.direction:
                        name = f"{head.name}:{reason.name}"
                        found[name] = reason.direction * answers[name]
        if "consensus.direction" in agreed:
            found["consensus"] = agreed["consensus.direction"]
        return found
