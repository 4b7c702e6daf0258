"""Facts about instruments: rules, tiers, listings, unlocks."""

from typing import Final

from engine import DAY_NS

from .columns import ANNOUNCED, amount, moment, number, text
from .kind import EVENT_STEP, Column, Kind

_YEAR_NS: Final = 365 * DAY_NS


def _announced(
    name: str,
    title: str,
    columns: tuple[Column, ...],
    *,
    max_age_ns: int = 50 * _YEAR_NS,
    row_key: tuple[str, ...] = (),
) -> Kind:
    """A kind whose rows come with an announcement, at which they are known."""
    return Kind(
        name=name,
        title=title,
        columns=columns,
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=0,
        max_age_ns=max_age_ns,
        lag_source=ANNOUNCED,
        row_key=row_key,
        on_grid=False,
    )


REFERENCE: Final = (
    _announced(
        "instruments",
        "Rules of a contract; event_time is the moment from which they hold",
        (
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
    ),
    _announced(
        "fee_tiers",
        "Trading fees by tier; event_time is the moment from which they hold",
        (
            Column("tier", "0 is the highest fee", minimum=0.0, type="int"),
            number("maker_fee", "fraction of notional; negative is a rebate", required=True),
            number("taker_fee", "fraction of notional", required=True),
            amount("minimum_volume_30d_usd", "USD"),
        ),
        row_key=("tier",),
    ),
    _announced(
        "margin_tiers",
        "Margin by position size; event_time is the moment from which it holds",
        (
            Column("tier", "0 is the smallest position", minimum=0.0, type="int"),
            amount("floor_notional", "quote currency", required=True),
            Column("cap_notional", "quote currency", required=False, minimum=0.0, positive=True),
            Column("maximum_leverage", "ratio", minimum=0.0, positive=True),
            Column("maintenance_rate", "fraction of notional", minimum=0.0),
            amount("maintenance_amount", "quote currency"),
        ),
        row_key=("tier",),
    ),
    _announced(
        "listings",
        "Listings and delistings; event_time is the announcement",
        (
            text("action", "what was announced", required=True, words=("delist", "list")),
            moment("effective_time", "first or last moment of trading", required=True),
        ),
        max_age_ns=5 * _YEAR_NS,
        row_key=("action",),
    ),
    _announced(
        "unlocks",
        "Token unlocks; event_time is when the unlock was announced",
        (
            moment("unlock_time", "when the tokens are released", required=True),
            text("category", "who receives them", required=True),
            Column("tokens", "coins", minimum=0.0, positive=True),
            amount("fraction_of_supply", "fraction of the circulating supply"),
        ),
        max_age_ns=5 * _YEAR_NS,
        row_key=("unlock_time", "category"),
    ),
)
