"""What the caller, the name of a file and the rows in it say: where they differ, nobody guesses."""

from collections.abc import Mapping
from typing import Final

from ..findings import RefusedFileError
from ..keys import DatasetKey, market_word
from ..kinds import EVENT_STEP
from .format import Format
from .reading.pairs import letters, store_venue
from .reading.source_file import SourceFile
from .report import Request
from .rows import SourceRows
from .tidy.naming import FUTURES

_NEVER_SPOT: Final = (
    "funding", "mark_price", "index_price", "premium_index", "metrics", "liquidations",
    "liquidation_volume", "dated_futures",
)  # fmt: skip
"""Kinds that only contracts have."""
_CATALOGUES: Final = ("universe", "fear_greed", "fx")
"""Kinds whose symbol is a name that the caller is free to choose."""


def agreeing(
    file: SourceFile, layout: Format | None, request: Request, rows: SourceRows
) -> SourceRows:
    """The rows, with a finding where the name of their file says something else than their key.

    RefusedFileError where an option was not followed, because the file says something else, where a
    market cannot have the kind, and where a venue has no market of that name.
    """
    key = rows.key
    for what, asked, found in (
        ("venue", request.venue, key.venue),
        ("market", request.market, key.market),
        ("symbol", request.symbol, key.symbol),
        ("timeframe", request.timeframe, key.step),
    ):
        if asked is not None and not _same(what, asked, found, key):
            raise RefusedFileError(
                "contradiction",
                f"{file.path}: the file says {what}={found}, not {what}={asked}; leave the {what} out",
            )
    if key.market == "spot" and key.kind in _NEVER_SPOT:
        raise RefusedFileError(
            "contradiction",
            f"{file.path}: rows of {key.kind} belong to a contract, and market=spot has none; give the "
            f"market of the contract with --market, such as {market_word(key.venue, 'um_perp')}",
        )
    word = market_word(key.venue, key.market)
    if word != key.market:
        raise RefusedFileError(
            "contradiction",
            f"{file.path}: only Binance calls a market {key.market}; at {key.venue} give --market {word}",
        )
    return rows if layout is None else _noting_name(layout.names(file), rows)


def _noting_name(names: Mapping[str, str | None], rows: SourceRows) -> SourceRows:
    key = rows.key
    taken = {
        "kind": key.kind,
        "venue": key.venue,
        "market": key.market,
        "symbol": key.symbol,
        "timeframe": key.step,
    }
    differing = [
        (what, named)
        for what, named in names.items()
        if named and not _same(what, named, taken[what], key)
    ]
    if not differing:
        return rows
    return rows.noting(
        "name_contradiction",
        "the name of the file says "
        + ", ".join(f"{what}={named}" for what, named in differing)
        + "; taken, because an option or the content says so, is "
        + ", ".join(f"{what}={taken[what]}" for what, _ in differing),
    )


def _same(what: str, said: str, found: str, key: DatasetKey) -> bool:
    """True where both name one thing, in the spelling of a file or of the store."""
    if said == found:
        return True
    if what == "kind":
        return False
    if what == "venue":
        return store_venue(said.lower()) == found or found.startswith(f"{said}_")
    if what == "market":
        return FUTURES.get(said) == found
    if what == "timeframe":
        return key.step == EVENT_STEP
    # Pairs are spelled BTC/USDT, BTC-USDT, BTCUSDT or BTC/USDT:USDT.
    spelled = letters(said.partition(":")[0])
    return key.kind in _CATALOGUES or bool(spelled and letters(found).startswith(spelled))
