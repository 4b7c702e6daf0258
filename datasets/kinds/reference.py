"""Facts about instruments: rules, tiers, listings, unlocks."""

from typing import Final

from engine import DAY_NS

from .columns import ANNOUNCED, amount, moment, number, text
from .kind import EVENT_STEP, Column, Kind

REFERENCE: Final = (
    Kind(
        name="instruments",
        title="Rules of a contract; event_time is the moment from which they hold",
        columns=(
            text(
                "contract_type",
                "what is traded",
                required=True,
                words=(
                    "inverse_future",
                    "inverse_perpetual",
                    "linear_future",
                    "linear_perpetual",
                    "spot",
                ),
            ),
            text("base", "currency that is bought", required=True),
            text("quote", "currency of the price", required=True),
            text("settle", "currency of profit and margin", required=True),
            Column(
                "contract_size",
                "base currency, or quote currency when inverse",
                minimum=0.0,
                positive=True,
            ),
            Column("tick_size", "quote currency", minimum=0.0, positive=True),
            Column("lot_step", "contracts", minimum=0.0, positive=True),
            amount("minimum_quantity", "contracts"),
            amount("minimum_notional", "quote currency"),
            moment("listed_at", "first trade"),
            moment("expiry", "settlement of a dated contract"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=50 * 365 * DAY_NS,
        lag_source=ANNOUNCED,
        on_grid=False,
    ),
    Kind(
        name="fee_tiers",
        title="Trading fees by tier; event_time is the moment from which they hold",
        columns=(
            Column("tier", "0 is the highest fee", minimum=0.0, type="int"),
            number("maker_fee", "fraction of notional; negative is a rebate", required=True),
            number("taker_fee", "fraction of notional", required=True),
            amount("minimum_volume_30d_usd", "USD"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=50 * 365 * DAY_NS,
        lag_source=ANNOUNCED,
        row_key=("tier",),
        on_grid=False,
    ),
    Kind(
        name="margin_tiers",
        title="Margin by position size; event_time is the moment from which it holds",
        columns=(
            Column("tier", "0 is the smallest position", minimum=0.0, type="int"),
            amount("floor_notional", "quote currency", required=True),
            Column("cap_notional", "quote currency", required=False, minimum=0.0, positive=True),
            Column("maximum_leverage", "ratio", minimum=0.0, positive=True),
            Column("maintenance_rate", "fraction of notional", minimum=0.0),
            amount("maintenance_amount", "quote currency"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=50 * 365 * DAY_NS,
        lag_source=ANNOUNCED,
        row_key=("tier",),
        on_grid=False,
    ),
    Kind(
        name="listings",
        title="Listings and delistings; event_time is the announcement",
        columns=(
            text("action", "what was announced", required=True, words=("delist", "list")),
            moment("effective_time", "first or last moment of trading", required=True),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=5 * 365 * DAY_NS,
        lag_source=ANNOUNCED,
        row_key=("action",),
        on_grid=False,
    ),
    Kind(
        name="unlocks",
        title="Token unlocks; event_time is when the unlock was announced",
        columns=(
            moment("unlock_time", "when the tokens are released", required=True),
            text("category", "who receives them", required=True),
            Column("tokens", "coins", minimum=0.0, positive=True),
            amount("fraction_of_supply", "fraction of the circulating supply"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=5 * 365 * DAY_NS,
        lag_source=ANNOUNCED,
        row_key=("unlock_time", "category"),
        on_grid=False,
    ),
)
