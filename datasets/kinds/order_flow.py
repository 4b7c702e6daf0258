"""Trades and the order book."""

from typing import Final

from engine import HOUR_NS, MINUTE_NS

from .columns import AT_ONCE, amount, flag, number, price, text
from .kind import EVENT_STEP, Column, Kind

ORDER_FLOW: Final = (
    Kind(
        name="trades",
        title="Trades, or aggregated trades; event_time is the trade",
        columns=(
            Column("trade_id", "number of the venue, or order within the time", type="int"),
            price("price"),
            Column("quantity", "base currency", minimum=0.0, positive=True),
            flag("is_buyer_maker", "true when the taker sold", required=True),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=HOUR_NS,
        lag_source=AT_ONCE,
        row_key=("trade_id",),
        on_grid=False,
        parts_by="month",
    ),
    Kind(
        name="book_snapshot",
        title="Order book of N levels; event_time is the snapshot",
        columns=(
            text("side", "bid or ask", required=True, words=("ask", "bid")),
            Column("level", "0 is the best price", minimum=0.0, type="int"),
            price("price"),
            Column(
                "quantity",
                "base currency, or contracts where the venue says so",
                minimum=0.0,
                positive=True,
            ),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=5 * MINUTE_NS,
        lag_source=AT_ONCE,
        row_key=("side", "level"),
        on_grid=False,
        parts_by="month",
    ),
    Kind(
        name="book_depth",
        title="Cumulative depth within a distance of the mid price; event_time is the snapshot",
        columns=(
            number("percentage", "percent from the mid; negative is the bid side", required=True),
            amount("depth", "base currency", required=True),
            amount("notional", "quote currency", required=True),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=MINUTE_NS,
        max_age_ns=10 * MINUTE_NS,
        lag_source="snapshots of the archive are about 30 s apart and of unknown delay",
        row_key=("percentage",),
        on_grid=False,
        parts_by="month",
    ),
    Kind(
        name="book_summary",
        title="Spread and slippage averaged over a period; event_time is its start",
        columns=(
            price("mid_price"),
            amount("spread", "quote currency", required=True),
            number("ask_slippage", "fraction"),
            number("bid_slippage", "fraction"),
        ),
        native_step="1h",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=6 * HOUR_NS,
        lag_source="a mean is known when its period is over",
    ),
)
