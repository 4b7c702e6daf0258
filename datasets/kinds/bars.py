"""Bars, and the prices around a perpetual."""

from typing import Final

from engine import DAY_NS, HOUR_NS

from .columns import AT_CLOSE, CLOSE_WITH_RANGE, FLOWS, PRICES, moment, number
from .kind import Kind

BARS: Final = (
    Kind(
        name="ohlcv",
        title="Bars; open_time is the start of the bar",
        columns=(*PRICES, *FLOWS),
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=DAY_NS,
        lag_source=AT_CLOSE,
        time_column="open_time",
        ohlc="strict",
    ),
    Kind(
        name="dated_futures",
        title="Bars of a future with an expiry; open_time is the start of the bar",
        columns=(*PRICES, *FLOWS, moment("expiry", "settlement of the contract", required=True)),
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=DAY_NS,
        lag_source=AT_CLOSE,
        time_column="open_time",
        ohlc="strict",
    ),
    Kind(
        name="mark_price",
        title="Mark price of a perpetual; event_time is the start of the bar",
        columns=CLOSE_WITH_RANGE,
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=6 * HOUR_NS,
        lag_source=AT_CLOSE,
        ohlc="strict",
    ),
    Kind(
        name="index_price",
        title="Index price under a perpetual; event_time is the start of the bar",
        columns=CLOSE_WITH_RANGE,
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=6 * HOUR_NS,
        lag_source=AT_CLOSE,
        ohlc="strict",
    ),
    Kind(
        name="premium_index",
        title="Premium of a perpetual over its index; event_time is the start of the bar",
        columns=(
            number("open", "fraction"),
            number("high", "fraction"),
            number("low", "fraction"),
            number("close", "fraction", required=True),
        ),
        native_step="1m",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=6 * HOUR_NS,
        lag_source=AT_CLOSE,
        ohlc="strict",
    ),
)
