"""Subjects about where coins lie: exchanges, and decentralised finance."""

from datetime import date
from typing import Final

from indicators import feature
from strategies.analysers import ExchangeReserves, LockedValue

from .reading import Episode, Subject
from .sources import configured

_SPOT: Final = "binance/spot/BTCUSDT/klines12"
_SPOT_FILE: Final = "klines/binance_spot_klines12_1h.parquet"

RESERVES: Final = Subject(
    name="exchange-reserves",
    title="Bitcoin held by all exchanges, change over seven days",
    says=(
        "Coins that leave exchanges are not for sale: 5 % within a day or 3 % within seven are long, as "
        "much arriving is short, and a level in the lowest tenth of its past is long."
    ),
    files=(_SPOT_FILE, "alt/btc_onchain_exchange_series_daily.parquet"),
    market=configured(_SPOT, "unstated/exchanges/BTC"),
    analyser=ExchangeReserves(),
    shown={
        "change": feature("exchange_reserves", "change_7d", clock="exchange_reserves"),
        "month": feature("exchange_reserves", "change_30d", clock="exchange_reserves"),
        "band": feature("exchange_reserves", "band", clock="exchange_reserves"),
        "rank": feature("exchange_reserves", "rank", clock="exchange_reserves"),
        "anomaly": feature("exchange_reserves", "anomaly", clock="exchange_reserves"),
    },
    line="change",
    unit="percent over 7 days",
    levels=(-3.0, 3.0),
    states={
        "band": {
            0: "rank unknown",
            1: "rank to 10",
            2: "to 30",
            3: "to 70",
            4: "to 90",
            5: "above",
        },
        "anomaly": {1: "unusual outflow", -1: "unusual inflow"},
    },
    episodes=(
        Episode(
            "November 2022: after FTX stopped withdrawals, customers took coins off exchanges.",
            date(2022, 11, 8),
            date(2022, 12, 10),
            "change",
            "lowest",
        ),
        Episode(
            "March 2020: coins leave exchanges after the crash.",
            date(2020, 3, 12),
            date(2020, 4, 15),
            "month",
            "lowest",
        ),
        Episode(
            "Summer and autumn of 2021, when charts of the vendors of that time showed the lowest balances "
            "since 2018. This file contradicts them.",
            date(2021, 7, 1),
            date(2021, 11, 30),
            "rank",
            "highest",
        ),
    ),
    unknown=(
        "The vintage: the file is one download at the end of 2022, and a vendor relabels wallets and "
        "rewrites their past. What it says about 2019 was not what it said in 2019.",
        "Which exchange: all are one number, so a wallet that moves between two is not seen, and one that "
        "is newly labelled is an inflow.",
        "The vendor, which the source does not name.",
    ),
)

LOCKED: Final = Subject(
    name="locked-value",
    title="Value locked in DeFi, change over seven days in coins",
    says=(
        "Value locked, in ether, that grows by 5 % within seven days is long, and as much of a fall short; "
        "in dollars it would contain the price."
    ),
    files=(_SPOT_FILE, "alt/defi_tvl_daily_2017_2021.parquet"),
    market=configured(_SPOT, "unstated/total/all"),
    analyser=LockedValue(),
    shown={
        "flow": feature("tvl_flow", "flow_7d", clock="tvl"),
        "band": feature("tvl_flow", "band", clock="tvl"),
        "dollars": feature("tvl", "growth_7d", clock="tvl"),
        "dollar_band": feature("tvl", "band", clock="tvl"),
    },
    line="flow",
    unit="percent over 7 days",
    levels=(-5.0, 5.0),
    states={
        "band": {1: "coins shrink", 2: "between", 3: "coins grow"},
        "dollar_band": {1: "USD below -10", 2: "to -3", 3: "to 3", 4: "to 10", 5: "above 10"},
    },
    episodes=(
        Episode(
            "March 2020: dollars locked fall with the price of ether.",
            date(2020, 3, 12),
            date(2020, 3, 20),
            "dollars",
            "lowest",
        ),
        Episode(
            "The summer of 2020, when lending and exchange protocols began to hand out their tokens.",
            date(2020, 6, 15),
            date(2020, 9, 30),
            "flow",
            "highest",
        ),
    ),
    unknown=(
        "Vintages: the vendor added protocols later and restated the past with them.",
        "Anything after 2020-12-31, and single chains.",
        "In ether the value of locked stablecoins rises when ether falls: only ether itself is neutral.",
    ),
)

SUBJECTS: Final = (RESERVES, LOCKED)
