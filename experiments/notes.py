"""What a reader of a result must know about its data, in sentences."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from datasets import time_text
from engine import DAY_NS, Bars, Funding, ReplayResult
from indicators import clock_of
from strategies.expressions import features_of
from strategies.heads.rules import RulesHead

from .config import RunConfig
from .features.own_indicators import indicators_of
from .formats import spoken
from .market_data import MarketData
from .market_panels import universe_notes
from .prices import FROM_NOTHING, FROM_SIGNALS, PRICE_SOURCES, PricePiece

PIECES_TOLD: Final = 5
"""Changes of the price source that a note dates; run.json has all of them."""
SYMBOLS_TOLD: Final = 5
"""Symbols that a note names."""
FEWEST_GROUPED: Final = 3
"""Symbols from which equal notes become one."""
_FIGURES: Final = re.compile(r"\d[\d:. -]*\d|\d")
"""Counts, days and moments inside a note."""
LONGEST_SETTLEMENT_NS: Final = DAY_NS
"""Longer than this without a settlement is a hole in the funding history."""


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


def head_notes(firing: Sequence[Mapping[str, Any]], quorum: int) -> tuple[str, ...]:
    """One sentence for each head that could not count: without data, or never sure enough, and where."""
    notes = []
    for name in [head["name"] for head in firing[0]["heads"] if head["enabled"]]:
        of_symbols = {
            one["symbol"]: head for one in firing for head in one["heads"] if head["name"] == name
        }
        silent = [symbol for symbol, head in of_symbols.items() if not head["present"]]
        unsure = [
            symbol for symbol, head in of_symbols.items() if head["present"] and not head["valid"]
        ]
        if silent:
            notes.append(
                f"{spoken(name)} has no data on any bar of {_symbols(silent, len(firing))} and abstains; "
                f"the quorum of {quorum} is not lowered for it"
            )
        if unsure:
            covered = max(of_symbols[symbol]["coverage"] for symbol in unsure)
            notes.append(
                f"{spoken(name)} is never valid on {_symbols(unsure, len(firing))}: with a mean coverage "
                f"of {covered:.2f} it does not reach p_min and c_min"
            )
    return tuple(notes)


def consensus_notes(config: RunConfig) -> list[str]:
    """Why no decision can come of the heads at all; nothing where one can, or where targets decide."""
    enabled, quorum = len(config.heads.enabled), config.consensus.quorum
    if config.targets is not None or quorum <= enabled:
        return []
    return [
        f"consensus.quorum={quorum}: so many heads must agree, and heads.enabled has {enabled}; nothing "
        "can stand"
    ]


def rule_notes(config: RunConfig, data: MarketData) -> list[str]:
    """One sentence for each market and rule of the user that reads what the market has no data for."""
    if not config.heads.has_user_rules:
        return []
    indicators = indicators_of(config)
    heads = [one for one in config.heads.instances(indicators) if isinstance(one, RulesHead)]
    return [
        f"{symbol}: there are no data for {one}, which the rule {rule.name} reads"
        for symbol, market in data.markets.items()
        for head in heads
        for rule in head.user_rules
        for one in features_of(rule.condition)
        if (clock := clock_of(market, one.clock)) is None
        or clock.stating(indicators[one.indicator].inputs, indicators[one.indicator].may_lack)
        is None
    ]


def _symbols(names: Sequence[str], count: int) -> str:
    if len(names) == count > 1:
        return f"all {count} symbols"
    more = f" and {len(names) - SYMBOLS_TOLD} more" if len(names) > SYMBOLS_TOLD else ""
    return f"{', '.join(names[:SYMBOLS_TOLD])}{more}"


def grouped_notes(notes: Sequence[str], symbols: Sequence[str]) -> list[str]:
    """``notes`` where those that say the same of many symbols are one, in the order of the first.

    Two notes say the same when only their figures differ. Notes of one or two symbols stay as they are.
    """
    grouped: dict[str, dict[str, str]] = {}
    for note in notes:
        symbol, colon, text = note.partition(": ")
        if not colon or symbol not in symbols:
            symbol, text = "", note
        alike = _FIGURES.sub("#", text) if symbol else text
        while symbol in grouped.setdefault(alike, {}):
            alike += " again"
        grouped[alike][symbol] = text
    told: list[str] = []
    for of_symbols in grouped.values():
        if len(of_symbols) >= FEWEST_GROUPED:
            told.append(_told_together(of_symbols, len(symbols)))
        else:
            told += [f"{name}: {text}" if name else text for name, text in of_symbols.items()]
    return told


def _told_together(of_symbols: Mapping[str, str], count: int) -> str:
    """The text that most symbols share, and how many have it with other figures."""
    texts = list(of_symbols.values())
    text = max(texts, key=texts.count)
    same = [name for name, one in of_symbols.items() if one == text]
    others = [name for name in of_symbols if name not in same]
    told = f"{_symbols(same, count)}: {text}"
    if len(same) < count and len(same) > SYMBOLS_TOLD:
        told = f"{len(same)} symbols ({_symbols(same, count)}): {text}"
    if not others:
        return told
    return f"{told}; so with other figures {len(others)} more: {_symbols(others, count)}"


def _trade_notes(config: RunConfig, data: MarketData) -> list[str]:
    """Where trades are named and do not cover every bar."""
    notes = []
    for pair in config.instruments:
        if pair.trades is None:
            continue
        market = data.markets[pair.symbol]
        flow = market.series.get("trade_flow")
        covered = 0 if flow is None else len(flow.event_time)
        if covered < len(market.bars):
            notes.append(
                f"{pair.symbol}: trades of {pair.trades} wholly cover {covered:,} of {len(market.bars):,} "
                "bars; volume delta of the others comes from taker columns or the place of the close"
            )
    return notes


def data_notes(config: RunConfig, data: MarketData) -> tuple[str, ...]:
    """One sentence for each thing about the data that a reader of the result must know."""
    notes = list(data.price_notes)
    notes += [f"sources disagree: {conflicts}" for conflicts in data.source_conflicts]
    notes += [f"`data check` found {defect}" for defect in data.defects]
    notes += universe_notes(data.markets)
    notes += _trade_notes(config, data)
    pays_funding = {pair.symbol: pair.funding is not None for pair in config.instruments}
    for column, (symbol, market) in enumerate(data.markets.items()):
        gaps, priced = int(market.bars.is_gap.sum()), data.prices[symbol]
        if gaps:
            notes.append(
                f"{symbol}: {gaps:,} of {len(market.bars):,} signal bars are missing (gaps)"
            )
        untraded = int((priced.source == FROM_NOTHING).sum())
        if untraded:
            notes.append(
                f"{symbol}: {untraded:,} of {len(priced.bars):,} traded bars are gaps; nothing fills there"
            )
        pieces = priced.pieces()
        if len(pieces) == 1 and pieces[0].source == PRICE_SOURCES[FROM_SIGNALS]:
            notes.append(
                f"{symbol}: the store has no bars of {priced.traded_name} in this period; every fill "
                f"is priced by {pieces[0].instrument}"
            )
        if pays_funding[symbol]:
            notes += funding_notes(symbol, column, priced.bars, data.funding)
        if len(pieces) > 1:
            notes.append(
                f"{symbol}: prices come from two instruments, and step by the basis between them at "
                f"each of the {len(pieces) - 1} changes: {_dated(pieces)}"
            )
    return tuple(notes)


def funding_notes(symbol: str, column: int, bars: Bars, funding: Funding) -> list[str]:
    """What the settlements of a symbol that pays funding do not cover: positions there pay none."""
    times = funding.time_ns[funding.symbol_index == column]
    if not len(times):
        return [
            f"{symbol}: no settlement at all in this period; positions pay and receive no funding"
        ]
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


def replay_notes(data: MarketData, result: ReplayResult) -> tuple[str, ...]:
    """What the bars could not tell about the exits of a replay."""
    if data.fine is None or not result.unresolved_bars:
        return ()
    tradable = int((data.panel.listed & ~data.panel.is_gap).sum())
    return (
        f"{result.unresolved_bars:,} of {tradable:,} traded bars have no {data.fine.timeframe} bars that "
        f"tell what happened inside; stops and targets there are resolved on {data.panel.timeframe} bars",
    )
