"""What a file must say about itself, or the caller must say for it."""

from typing import Final

from ...findings import RefusedFileError
from ...keys import market_word
from ..report import Request
from .source_file import SourceFile

_OPTIONS: Final = {
    "kind": "--as ohlcv",
    "venue": "--venue binance",
    "symbol": "--symbol BTCUSDT",
    "timeframe": "--timeframe 1h",
}


def advice(what: str, venue: str | None = None) -> str:
    """The option that says ``what``, with a word that fits the ``venue``."""
    if what == "market":
        word = market_word(venue, "um_perp") if venue else "um_perp (elsewhere linear_perp)"
        return f"--market spot or --market {word}"
    return _OPTIONS[what]


def stated(
    file: SourceFile, what: str, asked: str | None, named: str | None, *, venue: str | None = None
) -> str:
    """``asked`` by the caller, else ``named`` by the file; RefusedFileError when nobody says it.

    ``what`` is ``kind``, ``venue``, ``market``, ``symbol`` or ``timeframe``. The caller is believed
    before the name of a file, which anybody can change. ``venue``, where it is known, decides which
    markets the message names.
    """
    value = asked or named
    if not value:
        raise RefusedFileError(
            "unstated_venue" if what == "venue" else "missing_value",
            f"{file.path}: neither the file nor its name says the {what}; give {advice(what, venue)}",
        )
    return value


def agreed(file: SourceFile, what: str, asked: str | None, found: str) -> str:
    """``found`` in the content; RefusedFileError when the caller asks for something else."""
    if asked not in (None, found):
        raise RefusedFileError(
            "contradiction",
            f"{file.path}: the file says {what}={found}, not {what}={asked}; leave the {what} out",
        )
    return found


def agreed_kind(file: SourceFile, request: Request, found: str) -> None:
    """RefusedFileError when the caller asks for another kind than the file holds."""
    agreed(file, "kind", request.kind, found)
