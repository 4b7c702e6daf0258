"""Spellings of symbols, and the markets they mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.symbols import Spelling, market_of, spellings
from engine import ConfigError


def market(symbol: str, market_id: str) -> dict[str, Any]:
    pair, _, settle = symbol.partition(":")
    base, quote = pair.split("/")
    return {
        "symbol": symbol,
        "id": market_id,
        "base": base,
        "quote": quote,
        "settle": settle or None,
        "spot": not settle,
        "type": "swap" if settle else "spot",
        "linear": bool(settle) and settle == quote,
        "inverse": bool(settle) and settle == base,
    }


def markets(*named: tuple[str, str]) -> dict[str, dict[str, Any]]:
    return {symbol: market(symbol, market_id) for symbol, market_id in named}


BYBIT = markets(
    ("BTC/USDT", "BTCUSDT"),
    ("BTC/USDT:USDT", "BTCUSDT"),
    ("BTC/USDC:USDC", "BTCPERP"),
    ("BTC/USD:BTC", "BTCUSD"),
    ("ETH/USDT:USDT", "ETHUSDT"),
    ("BT/USD", "BTUSD"),
    ("B/TUSD", "BTUSD"),
)
OKX = markets(("BTC/USDT", "BTC-USDT"), ("BTC/USDT:USDT", "BTC-USDT-SWAP"))


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("BTC/USDT", Spelling("BTC", "USDT", None, False)),
        ("BTC-USDT", Spelling("BTC", "USDT")),
        ("BTC_USDT", Spelling("BTC", "USDT")),
        ("BTCUSDT", Spelling("BTC", "USDT")),
        ("btcusdt", Spelling("BTC", "USDT")),
        (" btc/usdt ", Spelling("BTC", "USDT", None, False)),
        ("BTC/USDT:USDT", Spelling("BTC", "USDT", "USDT", True)),
        ("BTC-USDT-SWAP", Spelling("BTC", "USDT", None, True)),
        ("BTCUSD_PERP", Spelling("BTC", "USD", None, True)),
        ("XBTEUR", Spelling("BTC", "EUR")),
        ("XBT/USD:XBT", Spelling("BTC", "USD", "BTC", True)),
        ("1000PEPEUSDT", Spelling("1000PEPE", "USDT")),
    ],
)
def test_one_reading(text: str, spelling: Spelling) -> None:
    assert spellings(text) == (spelling,)


def test_a_symbol_without_separator_may_have_two_readings() -> None:
    assert {str(reading) for reading in spellings("BTUSD")} == {"B/TUSD", "BT/USD"}


@pytest.mark.parametrize("text", ["", "BTC", "/", "BTC/", "BTC/USDT:", "A/B/C", "BTC USDT", "USDT"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        spellings(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = spellings(text)
    except ConfigError:
        return
    assert found
    assert all(reading.base and reading.quote for reading in found)


@pytest.mark.parametrize(
    ("known", "text", "wanted", "symbol"),
    [
        (BYBIT, "BTC/USDT", None, "BTC/USDT"),
        (BYBIT, "BTC/USDT:USDT", None, "BTC/USDT:USDT"),
        (BYBIT, "BTCUSDT", "spot", "BTC/USDT"),
        (BYBIT, "BTCUSDT", "linear", "BTC/USDT:USDT"),
        (BYBIT, "BTC/USDT", "linear", "BTC/USDT:USDT"),
        (BYBIT, "BTCPERP", None, "BTC/USDC:USDC"),
        (BYBIT, "BTCUSD", None, "BTC/USD:BTC"),
        (BYBIT, "ethusdt", None, "ETH/USDT:USDT"),
        (BYBIT, "BT/USD", None, "BT/USD"),
        (OKX, "BTC-USDT", None, "BTC/USDT"),
        (OKX, "BTC-USDT-SWAP", None, "BTC/USDT:USDT"),
        (OKX, "BTC_USDT:USDT", None, "BTC/USDT:USDT"),
        ({"BTC/USDT:USDT": BYBIT["BTC/USDT:USDT"]}, "BTC/USDT", None, "BTC/USDT:USDT"),
    ],
)
def test_the_market_that_is_meant(known: Any, text: str, wanted: str | None, symbol: str) -> None:
    assert market_of(known, text, "somewhere", wanted)["symbol"] == symbol


@pytest.mark.parametrize(
    ("text", "names"), [("BTCUSDT", "BTC/USDT, BTC/USDT:USDT"), ("BTUSD", "B/TUSD, BT/USD")]
)
def test_two_markets_are_an_error_that_lists_both(text: str, names: str) -> None:
    with pytest.raises(ConfigError, match=f"may be {names}"):
        market_of(BYBIT, text, "bybit")


def test_no_market_is_an_error_that_names_similar_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean ETH/USDT:USDT"):
        market_of(BYBIT, "ETH/USDT", "bybit")
    with pytest.raises(ConfigError, match="among its 2 spot and perpetual markets"):
        market_of(OKX, "DOGE/EUR", "okx")
