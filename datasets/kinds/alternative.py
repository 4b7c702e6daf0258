"""Numbers from outside the exchanges."""

from typing import Final

from engine import DAY_NS, HOUR_NS, MINUTE_NS

from .columns import CLOSE_WITH_RANGE, NEXT_NOON, amount, flag, moment, number, price, text
from .kind import EVENT_STEP, Column, Kind


def _daily(
    name: str,
    title: str,
    columns: tuple[Column, ...],
    *,
    max_age_ns: int = 4 * DAY_NS,
    on_grid: bool = True,
) -> Kind:
    """A kind with a row for each day, which is known at noon (UTC) of the next one."""
    return Kind(
        name=name,
        title=title,
        columns=columns,
        native_step="1d",
        lag_steps=1,
        lag_ns=12 * HOUR_NS,
        max_age_ns=max_age_ns,
        lag_source=NEXT_NOON,
        on_grid=on_grid,
    )


ALTERNATIVE: Final = (
    Kind(
        name="universe",
        title="Coins of a vendor's list on a date; event_time is 00:00 UTC of the dated day",
        columns=(
            text("asset", "unique name of the coin at the vendor", required=True),
            text("symbol", "ticker; not unique", required=True),
            Column("rank", "1 is the largest market cap", required=False, minimum=1.0, type="int"),
            amount("market_cap_usd", "USD"),
            amount("price_usd", "USD"),
            amount("circulating_supply", "coins"),
            amount("volume_24h_usd", "USD"),
            text("sector", "the vendor's sector"),
            flag("is_stable", "true for a stablecoin"),
            flag("is_wrapped", "true for a wrapped coin"),
            moment("listed_at", "first trade on the venue"),
            moment("delisted_at", "last trade on the venue"),
        ),
        native_step=EVENT_STEP,
        lag_steps=0,
        lag_ns=36 * HOUR_NS,
        max_age_ns=45 * DAY_NS,
        lag_source=NEXT_NOON,
        row_key=("asset",),
        on_grid=False,
    ),
    _daily(
        "tvl",
        "Value locked in decentralised finance; event_time is 00:00 UTC of the dated day",
        (amount("tvl_usd", "USD", required=True), amount("tvl_eth", "ETH")),
        on_grid=False,
    ),
    _daily(
        "exchange_reserves",
        "Coins held by exchanges; event_time is 00:00 UTC of the dated day",
        (amount("reserve", "base currency", required=True),),
    ),
    _daily(
        "onchain",
        "A number of the chain or of its market; event_time is 00:00 UTC of the dated day",
        (number("value", "as the name of the series says", required=True),),
    ),
    Kind(
        name="fear_greed",
        title="Crypto Fear & Greed index; event_time is 00:00 UTC of the dated day",
        columns=(Column("value", "0 to 100", minimum=0.0),),
        native_step="1d",
        lag_steps=0,
        lag_ns=30 * MINUTE_NS,
        max_age_ns=3 * DAY_NS,
        lag_source="the value dated D is published shortly after midnight of D",
    ),
    _daily(
        "social",
        "Social activity around a coin; event_time is 00:00 UTC of the dated day",
        (number("value", "as the name of the series says", required=True),),
    ),
    Kind(
        name="external_sentiment",
        title="A sentiment score that the user brings; event_time is what it is about",
        columns=(Column("score", "0 to 100, 50 neutral", minimum=0.0),),
        native_step="1h",
        lag_steps=0,
        lag_ns=HOUR_NS,
        max_age_ns=DAY_NS,
        lag_source="assumed an hour after its event; state available_at where it is known",
        on_grid=False,
    ),
    Kind(
        name="fx",
        title="Exchange rate of two currencies; event_time is 00:00 UTC of the dated day",
        columns=CLOSE_WITH_RANGE,
        native_step="1d",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=5 * DAY_NS,
        lag_source="a daily close is known at 00:00 UTC of the next weekday",
        publication="next_weekday",
        ohlc="noted",
    ),
    Kind(
        name="krw_premium",
        title="Bitcoin in Korea against the world; event_time is 00:00 UTC of the dated day",
        columns=(
            price("krw_price"),
            price("usd_price"),
            price("usdkrw"),
            number("premium", "fraction", required=True),
        ),
        native_step="1d",
        lag_steps=1,
        lag_ns=0,
        max_age_ns=5 * DAY_NS,
        lag_source="as the exchange rate in it: 00:00 UTC of the next weekday",
        publication="next_weekday",
    ),
    _daily(
        "etf",
        "Share of a fund that holds coins; event_time is 00:00 UTC of the session's day",
        (
            price("price"),
            price("nav", required=False),
            number("flow_usd", "USD"),
        ),
        max_age_ns=5 * DAY_NS,
    ),
)
