"""The linked chart of prices, fills, zones and votes: which symbols, and what is said about them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from strategies import GATES

from ..pages import Block, PriceChart
from .price_arrays import ChartedVotes, symbol_payload
from .reading import RunReading, floats
from .reasons import reason_texts

MAX_BARS: Final = 60_000
"""Bars drawn, over all symbols: 6 years of hours of one symbol stay as they are."""
MAX_SYMBOLS: Final = 8
MAX_ZONES: Final = 24_000
"""Over all symbols."""
NEEDED: Final = ("prices", "votes", "fills", "trades", "zones")


def price_chart_blocks(reading: RunReading) -> tuple[Block, ...]:
    """The linked chart of the symbols that earned or lost most."""
    shown = _shown_symbols(reading)
    share = MAX_BARS // len(shown)
    symbols = [
        symbol_payload(
            symbol,
            {name: reading.table_of(name, symbol) for name in NEEDED},
            _charted_votes(reading, symbol),
            GATES,
            max_bars=share,
            max_zones=MAX_ZONES // len(shown),
        )
        for symbol in shown
    ]
    return (
        PriceChart(
            name="prices",
            title="Prices, fills and the votes of each head",
            text=_told(reading, symbols),
            payload={"symbols": symbols, "gates": list(GATES)},
            note=_left_out(reading, symbols),
        ),
    )


def _shown_symbols(reading: RunReading) -> list[str]:
    """At most MAX_SYMBOLS, those of the largest net result either way, in the order of the run."""
    symbols = reading.symbols
    net = np.bincount(
        reading.trades["symbol"], weights=reading.trades["net_pnl"], minlength=len(symbols)
    )
    chosen = np.argsort(-np.abs(net), kind="stable")[:MAX_SYMBOLS]
    return [symbols[at] for at in sorted(chosen)]


def _charted_votes(reading: RunReading, symbol: str) -> list[ChartedVotes]:
    votes = reading.table_of("votes", symbol)
    firing = next(one for one in reading.content["firing"] if one["symbol"] == symbol)
    limits = reading.content["config"]["consensus"]
    charted = []
    for head in firing["heads"]:
        name = head["name"]
        direction = np.asarray(votes[f"{name}_direction"]).astype(np.int8)
        text, texts = reason_texts(
            np.asarray(votes[f"{name}_reasons"]).astype(np.uint64), direction, head["reasons"]
        )
        probability = floats(votes[f"{name}_probability"])
        confidence = floats(votes[f"{name}_confidence"])
        charted.append(
            ChartedVotes(
                name=name,
                direction=direction.astype(np.int64),
                probability=probability,
                confidence=confidence,
                counts=(probability >= limits["p_min"]) & (confidence >= limits["c_min"]),
                coverage=floats(votes[f"{name}_coverage"]),
                text=text.astype(np.int64),
                texts=texts,
            )
        )
    return charted


def _told(reading: RunReading, symbols: Sequence[Mapping[str, Any]]) -> str:
    fills = sum(one["fills"]["count"] for one in symbols)
    listed = ", ".join(one["symbol"] for one in symbols)
    return (
        f"{listed}: traded prices with {fills:,} fills, how far the heads agree, the position, and what "
        "each head said on every bar."
    )


def _left_out(reading: RunReading, symbols: Sequence[Mapping[str, Any]]) -> str:
    notes = []
    if len(symbols) < len(reading.symbols):
        notes.append(
            f"{len(symbols)} of {len(reading.symbols)} symbols are drawn, those with the largest net "
            "results either way."
        )
    together = max(one["together"] for one in symbols)
    if together > 1:
        notes.append(
            f"Up to {together} bars are drawn as one: first open, highest, lowest and last close, of "
            "votes the strongest."
        )
    for key, word in (("fills", "fills"), ("zones", "zones and marks")):
        count = sum(one[key]["count"] for one in symbols)
        drawn = sum(len(one[key]["known" if key == "zones" else "row"]) for one in symbols)
        if drawn < count:
            kept = "largest" if key == "fills" else "boxes first, then marks and levels"
            notes.append(f"{drawn:,} of {count:,} {word} are drawn ({kept}).")
    unmatched = sum(one["unmatched"] for one in symbols)
    if unmatched:
        notes.append(
            f"{unmatched:,} bars of the signals have no traded bar at their close and are not drawn."
        )
    return " ".join(notes)
