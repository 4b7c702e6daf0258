"""What the data of a run were: notes, missing bars, stretches of prices, slow series, data sets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..firing import SYMBOLS_APART
from ..formats import spoken
from ..notes import grouped_notes
from ..pages.document import Block, Code, Fold, Number, Section, Table, Text
from .reading import RunReading

MAX_PIECES: Final = 60


def quality_section(reading: RunReading) -> Section:
    """Everything about the data that run.json knows, the notes first."""
    content = reading.content
    blocks: list[Block] = [*notes_blocks(content), gaps_table(reading), pieces_table(content)]
    settlements = content["funding_settlements"]
    told = [
        f"{settlements:,} funding settlements lie in the period."
        if settlements
        else "No funding is paid in this run."
    ]
    blocks.append(Text(paragraphs=tuple(told)))
    blocks += [coverage_table(content), *_series(content)]
    blocks.append(
        Fold(
            summary=f"Data sets read ({len(content['datasets'])})",
            blocks=(Code(text="\n".join(content["datasets"])),),
        )
    )
    return Section(
        name="data",
        title="Data quality",
        lead="What was there and what was missing. Nothing fills on a bar that is missing, and a head "
        "without data abstains.",
        blocks=tuple(blocks),
    )


def notes_blocks(content: Mapping[str, Any]) -> list[Block]:
    """The notes on a run, those of many symbols together, and each of them behind a line."""
    notes, symbols = list(content["notes"]), content["symbols"]
    if not notes:
        return [Text(paragraphs=("There is nothing to say about the data: no gap, no stand-in.",))]
    told = grouped_notes(notes, symbols) if len(symbols) > SYMBOLS_APART else notes
    blocks: list[Block] = [Text(paragraphs=tuple(f"{note}." for note in told), is_list=True)]
    if len(told) < len(notes):
        each = Text(paragraphs=tuple(f"{note}." for note in notes), is_list=True)
        blocks.append(Fold(summary=f"Each of the {len(notes)} notes", blocks=(each,)))
    return blocks


def gaps_table(reading: RunReading) -> Table:
    """Missing bars of signals and of traded prices by symbol, as shares of all bars of each."""
    content = reading.content
    bars = {firing["symbol"]: firing["bars"] for firing in content["firing"]}
    rows = []
    for symbol, gaps in content["gaps"].items():
        traded = len(reading.table_of("prices", symbol))
        rows.append(
            (
                symbol,
                Number(bars.get(symbol), "bars"),
                Number(gaps["signals"], "bars"),
                Number(_share(gaps["signals"], bars.get(symbol, 0)), "fraction"),
                Number(traded, "bars"),
                Number(gaps["traded"], "bars"),
                Number(_share(gaps["traded"], traded), "fraction"),
            )
        )
    return Table(
        name="gaps",
        caption="Missing bars",
        columns=(
            "symbol", "bars of signals", "missing", "share", "traded bars", "missing", "share",
        ),
        rows=tuple(rows),
        is_folded=len(rows) > SYMBOLS_APART,
    )  # fmt: skip


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def pieces_table(content: Mapping[str, Any]) -> Table:
    """Which instrument priced which stretch of bars."""
    pieces: Sequence[Mapping[str, Any]] = content["price_pieces"]
    more = (
        f"The first {MAX_PIECES} of {len(pieces)} stretches; run.json has all of them."
        if len(pieces) > MAX_PIECES
        else ""
    )
    return Table(
        name="price-pieces",
        caption="What priced the fills",
        columns=("symbol", "priced by", "from (UTC)", "to (UTC)", "bars"),
        rows=tuple(
            (
                piece["symbol"],
                piece["instrument"]
                + (" (the signals' instrument)" if piece["source"] == "signals" else ""),
                piece["start"],
                piece["end"],
                Number(piece["bars"], "bars"),
            )
            for piece in pieces[:MAX_PIECES]
        ),
        note=more,
        is_folded=len(pieces) > SYMBOLS_APART,
    )


def coverage_table(content: Mapping[str, Any]) -> Table:
    """On how many bars each head had data, and how much of what it reads; means over the symbols' bars."""
    bars = np.array([firing["bars"] for firing in content["firing"]], dtype=np.float64)
    rows = []
    for heads in zip(*(firing["heads"] for firing in content["firing"]), strict=True):
        state = spoken(heads[0]["name"]) + ("" if heads[0]["enabled"] else " (off)")
        present = np.array([head["present"] for head in heads])
        coverage = np.array([head["coverage"] for head in heads])
        rows.append(
            (
                state,
                Number(float(bars @ present / bars.sum()), "fraction"),
                Number(float(bars @ coverage / bars.sum()), "fraction"),
                Number(float(coverage.min()), "fraction"),
            )
        )
    return Table(
        name="coverage",
        caption="Coverage of each head",
        columns=("head", "bars with data", "mean coverage", "least of a symbol"),
        rows=tuple(rows),
        note="Coverage is the share of a head's components that had data; 0 is absent.",
        width="half",
    )


def _series(content: Mapping[str, Any]) -> list[Block]:
    lines = tuple(
        f"{symbol}: {', '.join(names) or 'none; heads that need one abstain'}"
        for symbol, names in content["series"].items()
    )
    panels = tuple(
        f"{symbol}, panels of coins: {', '.join(names)}"
        for symbol, names in content["panels"].items()
        if names
    )
    told = Text(paragraphs=(*lines, *panels), is_list=True)
    if len(lines) <= SYMBOLS_APART:
        return [Text(paragraphs=("Slow series that the heads could read:",)), told]
    return [Fold(summary=f"Slow series of {len(lines)} symbols", blocks=(told,))]
