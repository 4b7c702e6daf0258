"""Columns and reasons that several kinds share."""

from typing import Final

from .kind import Column


def price(name: str, *, required: bool = True) -> Column:
    """A price in quote currency, greater than 0."""
    return Column(name, "quote currency", required=required, positive=True, minimum=0.0)


def amount(name: str, unit: str, *, required: bool = False) -> Column:
    """A number that is not negative."""
    return Column(name, unit, required=required, minimum=0.0)


def count(name: str, *, required: bool = False) -> Column:
    """A whole number that is not negative."""
    return Column(name, "count", required=required, minimum=0.0, type="int")


def number(name: str, unit: str, *, required: bool = False) -> Column:
    """A number of either sign."""
    return Column(name, unit, required=required)


def text(name: str, meaning: str, *, required: bool = False, words: tuple[str, ...] = ()) -> Column:
    """A text, one of ``words`` where there are any."""
    return Column(name, meaning, required=required, type="text", words=words)


def flag(name: str, meaning: str, *, required: bool = False) -> Column:
    """True or false."""
    return Column(name, meaning, required=required, type="flag")


def moment(name: str, meaning: str, *, required: bool = False) -> Column:
    """A time, UTC."""
    return Column(name, meaning, required=required, type="time")


PRICES: Final = (price("open"), price("high"), price("low"), price("close"))
CLOSE_WITH_RANGE: Final = (
    price("open", required=False),
    price("high", required=False),
    price("low", required=False),
    price("close"),
)
FLOWS: Final = (
    amount("volume", "base currency", required=True),
    amount("quote_volume", "quote currency"),
    count("trades"),
    amount("taker_buy_volume", "base currency"),
    amount("taker_buy_quote", "quote currency"),
)
AT_CLOSE: Final = "a bar is known at its close"
AT_ONCE: Final = "an event is known when it happens; captures add their own delay"
NEXT_NOON: Final = "the day D is complete and published by 12:00 UTC of D + 1"
ANNOUNCED: Final = "a row is known when it was announced, which is its time"
