"""Single daily series: implied volatility, fear and greed, an exchange rate, the Korean premium."""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from ...checks import ohlc_contradictions
from ..reading.source_file import SourceFile
from ..reading.stated import stated
from ..rows import SourceRows
from .layout import TidyLayout
from .series import TidyFile, TidySeries, noting_no_session, noting_vendor, taken_periods

_STEP: Final = "1d"
_PAIR: Final = re.compile(
    r"(usd|eur|gbp|jpy|cny|chf|krw)_?(krw|usd|eur|jpy|gbp|cny|chf)(?![a-z])", re.IGNORECASE
)


def _whole(tidy: TidyFile) -> TidySeries:
    return TidySeries((), np.arange(len(tidy.table), dtype=np.int64), tidy.table)


def _read_volatility(tidy: TidyFile) -> Iterator[SourceRows]:
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        venue = tidy.request.venue or "deribit"
        key = tidy.key("implied_volatility", venue, "index", one.names[0], _STEP)
        columns = {"event_time": one.table["time"], "dvol_close": one.table["dvol"]}
        yield taken_periods(tidy.rows(key, columns, one.places))


def _read_fear_greed(tidy: TidyFile) -> Iterator[SourceRows]:
    symbol = tidy.request.symbol or "crypto"
    key = tidy.key("fear_greed", tidy.vendor(), "sentiment", symbol, _STEP)
    columns = {
        "event_time": tidy.table["date"],
        "value": pa.array(tidy.floats(_whole(tidy), "fear_greed")),
    }
    yield noting_vendor(taken_periods(tidy.rows(key, columns, _whole(tidy).places)))


def currency_pair(file: SourceFile) -> str | None:
    """The two currencies that the name of a file begins with: ``usdkrw_daily`` is USDKRW."""
    match = _PAIR.match(file.name)
    return (match[1] + match[2]).upper() if match else None


def fx_noted(rows: SourceRows) -> SourceRows:
    """Daily rates with findings about their range and the days without a session."""
    rows = rows.found(
        "ohlc_contradiction",
        "kept",
        ohlc_contradictions(rows.table),
        "open or close lies outside low to high; the close is used, the range is not to be trusted",
    )
    return noting_no_session(rows)


def _read_rate(tidy: TidyFile) -> Iterator[SourceRows]:
    symbol = stated(tidy.file, "symbol", tidy.request.symbol, currency_pair(tidy.file))
    key = tidy.key("fx", tidy.vendor(), "fx", symbol, _STEP)
    names = ("open", "high", "low", "close")
    columns = {"event_time": tidy.table["date"]} | {name: tidy.table[name] for name in names}
    rows = taken_periods(tidy.rows(key, columns, _whole(tidy).places))
    yield noting_vendor(fx_noted(rows))


def _read_premium(tidy: TidyFile) -> Iterator[SourceRows]:
    one = _whole(tidy)
    key = tidy.key("krw_premium", "upbit", "spot", "KRW-BTC", _STEP)
    columns = {
        "event_time": tidy.table["date"],
        "krw_price": pa.array(tidy.floats(one, "upbit_btc_krw")),
        "usd_price": tidy.table["binance_btc_usdt"],
        "usdkrw": tidy.table["usdkrw"],
        "premium": tidy.table["kimchi_premium"],
    }
    rows = noting_no_session(taken_periods(tidy.rows(key, columns, one.places)))
    inputs = {name: np.asarray(rows.table[name]) for name in ("krw_price", "usd_price", "usdkrw")}
    computed = inputs["krw_price"] / inputs["usdkrw"] / inputs["usd_price"] - 1.0
    error = float(np.max(np.abs(computed - np.asarray(rows.table["premium"]))))
    yield rows.noting(
        "derived_value",
        "the premium is computed by the source; from the three prices beside it, it would "
        f"differ by up to {error:.4f}",
    )


LAYOUTS: Final = (
    TidyLayout(
        name="dvol_daily",
        title="Deribit's volatility index, one value per day",
        kinds=("implied_volatility",),
        required=("coin", "time", "dvol"),
        read=_read_volatility,
        holds=(
            "dvol becomes dvol_close in percent. The source does not say at what moment of the day "
            "it was; as the close it is known only when the day is over."
        ),
    ),
    TidyLayout(
        name="fear_greed_daily",
        title="Fear and greed index, daily",
        kinds=("fear_greed",),
        required=("date", "fear_greed", "classification"),
        read=_read_fear_greed,
        holds=(
            "Market sentiment, symbol crypto; venue unstated unless --venue names the vendor. The "
            "classification is left out; missing days are gaps."
        ),
    ),
    TidyLayout(
        name="fx_daily",
        title="Exchange rate of two currencies, daily",
        kinds=("fx",),
        required=("date", "open", "high", "low", "close"),
        read=_read_rate,
        holds=(
            "The currencies from the beginning of the file name (usdkrw_daily) or --symbol; venue "
            "unstated unless --venue names the vendor. Rows whose range contradicts itself are "
            "kept and noted."
        ),
    ),
    TidyLayout(
        name="kimchi_premium",
        title="Bitcoin at Upbit against Binance, daily",
        kinds=("krw_premium",),
        required=("date", "upbit_btc_krw", "binance_btc_usdt", "usdkrw", "kimchi_premium"),
        read=_read_premium,
        holds=(
            "Prices and premium as the source states them, upbit/spot/KRW-BTC. The days' close is "
            "known at 00:00 of the next weekday, with the exchange rate."
        ),
    ),
)
