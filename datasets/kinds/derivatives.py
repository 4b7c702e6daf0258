"""What derivatives venues publish beside prices."""

from typing import Final

from engine import DAY_NS, HOUR_NS, MINUTE_NS

from .columns import AT_ONCE, amount, count, number, price, text
from .kind import EVENT_STEP, Column, Kind

DERIVATIVES: Final = (
    Kind(
        name="funding",
        title="Settled funding; event_time is the settlement",
        columns=(
            number(
                "rate", "fraction of notional per interval; longs pay when positive", required=True
            ),
            Column("interval_hours", "hours", required=False, minimum=0.0, positive=True),
            price("mark_price", required=False),
        ),
        native_step="8h",
        lag_steps=0,
        lag_ns=0,
        max_age_ns=DAY_NS,
        lag_source="a rate is known when it is settled",
        on_grid=False,
    ),
    Kind(
        name="metrics",
        title="Open interest, long/short ratios and taker flow; event_time is the snapshot",
        columns=(
            amount("sum_open_interest", "base currency"),
            amount("sum_open_interest_value", "quote currency"),
            amount("count_toptrader_long_short_ratio", "long accounts / short accounts"),
            amount("sum_toptrader_long_short_ratio", "long positions / short positions"),
            amount("count_long_short_ratio", "long accounts / short accounts"),
            amount("sum_taker_long_short_vol_ratio", "taker bought / taker sold"),
            amount("taker_buy_volume", "as the venue publishes it"),
            amount("taker_sell_volume", "as the venue publishes it"),
        ),
        native_step="5m",
        lag_steps=0,
        lag_ns=5 * MINUTE_NS,
        max_age_ns=6 * HOUR_NS,
        lag_source="published within five minutes of the snapshot",
        on_grid=False,
        needs_one_of=(
            "sum_open_interest",
            "sum_open_interest_value",
            "count_toptrader_long_short_ratio",
            "sum_toptrader_long_short_ratio",
            "count_long_short_ratio",
            "sum_taker_long_short_vol_ratio",
        ),
    ),
    Kind(
        name="liquidations",
        title="Liquidation orders; event_time is the order",
        columns=(
            Column("sequence", "order within the time, from 0", minimum=0.0, type="int"),
            text(
                "side",
                "side of the order: a sell closes a long, a buy closes a short",
                required=True,
                words=("buy", "sell"),
            ),
            price("price"),
            Column("quantity", "base currency", minimum=0.0, positive=True),
            amount("notional", "quote currency"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=HOUR_NS,
        lag_source=AT_ONCE,
        row_key=("sequence",),
        on_grid=False,
        parts_by="month",
    ),
    Kind(
        name="liquidation_volume",
        title="Liquidated notional per period; event_time is the start of the period",
        columns=(
            amount("long_usd", "USD", required=True),
            amount("short_usd", "USD", required=True),
            count("liquidations"),
        ),
        native_step="1d",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=3 * DAY_NS,
        lag_source="a sum is known when its period is over",
    ),
    Kind(
        name="implied_volatility",
        title="Implied volatility index (DVOL); event_time is the start of the bar",
        columns=(
            Column("dvol_open", "percent, annualised", required=False, minimum=0.0, positive=True),
            Column("dvol_high", "percent, annualised", required=False, minimum=0.0, positive=True),
            Column("dvol_low", "percent, annualised", required=False, minimum=0.0, positive=True),
            Column("dvol_close", "percent, annualised", minimum=0.0, positive=True),
        ),
        native_step="1d",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=3 * DAY_NS,
        lag_source="a bar of the index is known at its close",
    ),
)
