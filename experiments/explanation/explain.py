"""One bar of a run, taken apart: from its record, and from the features computed again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datasets import Store, time_ns_of, time_text
from engine import DataError, Market
from indicators import Computed, build_features
from strategies import (
    ConsensusSteps,
    Head,
    HeadInputs,
    HeadVote,
    ScoredHead,
    consensus_steps,
    contribution_table,
    head_inputs,
)
from strategies.heads.rules import RulesHead

from ..features.own_indicators import indicators_of
from ..market_data import load_market_data
from ..pipeline import votes_of
from ..record import RECORD_NAME, RunRecord
from ..records.verification import recorded_config

if TYPE_CHECKING:
    from ..config import RunConfig

_US_NS: Final = 1_000
_PARTS: Final = ("direction", "probability", "confidence", "coverage", "score", "reasons")


@dataclass(frozen=True, slots=True)
class ReasonSet:
    """A named group of signals that was on: the side it argues for (0: context) and what it is."""

    name: str
    direction: int
    text: str


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a head's score: ``impact = share x clip(score + adjustment, 0, 100)``.

    ``score`` and ``adjusted`` are None where the component had no data; its share is then 0.
    """

    name: str
    group: str
    score: float | None
    adjustment: float
    adjusted: float | None
    share: float
    impact: float


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of the user whose condition held, and the side it argues for."""

    name: str
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadExplanation:
    """What one head said, why, whether it counted, and what its score is made of.

    ``standing`` is ``valid`` or the first rule that kept it out. ``components`` is None for a head
    whose score is no mean of components, ``rules`` for one without rules of the user; both are where
    nothing could be computed again.
    """

    vote: HeadVote
    is_enabled: bool
    weight: float
    score: float
    standing: str
    reasons: tuple[ReasonSet, ...]
    components: tuple[Component, ...] | None
    rules: tuple[FiredRule, ...] | None


@dataclass(frozen=True, slots=True)
class _Again:
    """What is computed again: components and fired rules by head, and the close."""

    components: Mapping[str, tuple[Component, ...]]
    rules: Mapping[str, tuple[FiredRule, ...]]
    close: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One bar of one symbol: known at ``known_at_ns``, its close.

    ``consensus`` are the recorded columns of votes.parquet, without their prefix, ``steps`` the
    arithmetic behind them, ``decision`` the recorded decision. ``not_again`` says why nothing could
    be computed again, empty where it could: contributions and the rules of the user are then missing.
    """

    run_id: str
    symbol: str
    timeframe: str
    asked_ns: int
    known_at_ns: int
    close: float | None
    heads: tuple[HeadExplanation, ...]
    consensus: Mapping[str, Any]
    steps: ConsensusSteps
    decision: Mapping[str, Any]
    not_again: str


def explain(
    record: RunRecord,
    at: str,
    *,
    symbol: str | None = None,
    store: Store | Path | str = "data",
    progress: Callable[[str], None] = lambda _text: None,
) -> Explanation:
    """The last bar of ``symbol`` that was closed at the time ``at`` (UTC unless it has a zone).

    Votes, reasons and consensus are those that the run recorded. Contributions, and which rules of the
    user fired, are computed again from the store; where that gives another vote than the recorded one,
    they are left out and ``not_again`` says so. ``symbol`` may be left out where the run has one.
    Raises ConfigError for a time that is none, DataError when the symbol or the time is not in the run,
    when its decisions came from a file of targets, or when its record is broken.
    """
    _check_from_consensus(record)
    symbol = _chosen_symbol(record, symbol)
    asked_ns = time_ns_of(at, "--at")
    rows = _rows_of(record, symbol)
    row = _row_at(rows["time"], asked_ns, at, symbol)
    recorded = {name: column[row] for name, column in rows.items()}
    config = recorded_config(record)
    known_at_ns = int(recorded["time"])
    again, not_again = _Again({}, {}, None), ""
    try:
        market = _market(record, config, symbol, store, progress)
        again = _again(config, market, known_at_ns, recorded, progress)
    except DataError as error:
        not_again = str(error)
    names = [head["name"] for head in record.content["firing"][0]["heads"]]
    votes = [_vote(name, recorded) for name in names]
    steps = consensus_steps(votes, config.consensus.rules())
    return Explanation(
        run_id=record.run_id,
        symbol=symbol,
        timeframe=record.content["timeframe"],
        asked_ns=asked_ns,
        known_at_ns=known_at_ns,
        close=again.close,
        heads=tuple(_head(record, vote, recorded, steps, again, config) for vote in votes),
        consensus=_without_prefix(recorded, "consensus_"),
        steps=steps,
        decision=_without_prefix(recorded, "decision_"),
        not_again=not_again,
    )


def _check_from_consensus(record: RunRecord) -> None:
    if record.content["decisions_from"] != "consensus":
        raise DataError(
            f"{record.run_dir / RECORD_NAME}: the decisions of this run came from "
            f"{record.content['decisions_from']}, not from its heads; there is nothing to explain"
        )


def _chosen_symbol(record: RunRecord, symbol: str | None) -> str:
    symbols: list[str] = record.content["symbols"]
    if symbol is None and len(symbols) == 1:
        return symbols[0]
    if symbol not in symbols:
        asked = "has several symbols" if symbol is None else f"has no symbol {symbol!r}"
        raise DataError(
            f"run {record.run_id} {asked}; give one of {', '.join(symbols)} with --symbol"
        )
    return symbol


def _rows_of(record: RunRecord, symbol: str) -> dict[str, np.ndarray]:
    import pyarrow.compute as pc

    table = record.table("votes")
    table = table.filter(pc.equal(table["symbol"], symbol))
    columns = {name: np.asarray(table[name]) for name in table.column_names if name != "time"}
    return {"time": np.asarray(table["time"]).astype("int64") * _US_NS, **columns}


def _row_at(times: np.ndarray, asked_ns: int, at: str, symbol: str) -> int:
    row = int(np.searchsorted(times, asked_ns, side="right")) - 1
    step = int(times[1] - times[0]) if len(times) > 1 else 0
    if row < 0 or asked_ns > int(times[-1]) + step:
        raise DataError(
            f"--at {at}: the run knows {symbol} from {time_text(int(times[0]))} to "
            f"{time_text(int(times[-1]))} UTC; give a time in between"
        )
    return row


def _market(
    record: RunRecord,
    config: "RunConfig",
    symbol: str,
    store: Store | Path | str,
    progress: Callable[[str], None],
) -> Market:
    progress("loading data")
    data = load_market_data(config, store if isinstance(store, Store) else Store(store))
    if data.fingerprint != record.content["data_fingerprint"]:
        raise DataError("the store holds other rows than when the run was made")
    return data.markets[symbol]


def _again(
    config: "RunConfig",
    market: Market,
    known_at_ns: int,
    recorded: Mapping[str, Any],
    progress: Callable[[str], None],
) -> _Again:
    progress("computing features and votes again")
    computed: Computed = {}
    votes = votes_of(config, market, computed=computed)
    row = int(np.searchsorted(votes.known_at, known_at_ns))
    for column, name in enumerate(votes.names):
        for part in _PARTS:
            if getattr(votes, part)[row, column] != recorded[f"{name}_{part}"]:
                raise DataError(
                    f"head {name} gives another {part} now than the run recorded; "
                    "`ninefold runs verify` says what differs"
                )
    known = indicators_of(config)
    enabled = [head for head in config.heads.instances(known) if head.name in config.heads.enabled]

    def inputs(head: Head) -> HeadInputs:
        wanted = head.features().values()
        return head_inputs(
            head, build_features(market, wanted, indicators=known, computed=computed)
        )

    components = {
        head.name: _components(head, inputs(head), row)
        for head in enabled
        if isinstance(head, ScoredHead)
    }
    rules = {
        head.name: _fired_rules(head, inputs(head), row)
        for head in enabled
        if isinstance(head, RulesHead) and head.user_rules
    }
    return _Again(components, rules, float(market.bars.close[row]))


def _fired_rules(head: RulesHead, inputs: HeadInputs, row: int) -> tuple[FiredRule, ...]:
    fired = head.fired_rules(inputs)
    return tuple(
        FiredRule(rule.name, rule.direction) for rule in head.user_rules if fired[rule.name][row]
    )


def _components(head: ScoredHead, inputs: HeadInputs, row: int) -> tuple[Component, ...]:
    table = contribution_table(head.contributions(inputs))
    return tuple(
        Component(
            name=name,
            group=group,
            score=_number(table.score[row, column]),
            adjustment=float(table.adjustment[row, column]),
            adjusted=_number(table.adjusted[row, column]),
            share=float(table.share[row, column]),
            impact=float(table.impact[row, column]),
        )
        for column, (name, group) in enumerate(zip(table.names, table.groups, strict=True))
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _vote(name: str, recorded: Mapping[str, Any]) -> HeadVote:
    return HeadVote(
        name=name,
        direction=int(recorded[f"{name}_direction"]),
        probability=float(recorded[f"{name}_probability"]),
        confidence=float(recorded[f"{name}_confidence"]),
        coverage=float(recorded[f"{name}_coverage"]),
    )


def _head(
    record: RunRecord,
    vote: HeadVote,
    recorded: Mapping[str, Any],
    steps: ConsensusSteps,
    again: _Again,
    config: "RunConfig",
) -> HeadExplanation:
    firing = next(
        head for head in record.content["firing"][0]["heads"] if head["name"] == vote.name
    )
    bits = int(recorded[f"{vote.name}_reasons"])
    return HeadExplanation(
        vote=vote,
        is_enabled=vote.name in config.heads.enabled,
        weight=float(config.consensus.rules().weights[vote.name]),
        score=float(recorded[f"{vote.name}_score"]),
        standing=steps.standing[vote.name],
        reasons=tuple(
            ReasonSet(reason["name"], reason["direction"], reason["text"])
            for bit, reason in enumerate(firing["reasons"])
            if bits >> bit & 1
        ),
        components=again.components.get(vote.name),
        rules=again.rules.get(vote.name),
    )


def _without_prefix(recorded: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value.item() if hasattr(value, "item") else value
        for name, value in recorded.items()
        if name.startswith(prefix)
    }
