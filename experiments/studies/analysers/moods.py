"""Subjects about crowds: fear and greed, Korea."""

from datetime import date
from typing import Final

from indicators import feature
from strategies.analysers import KimchiPremium

from .korea import hourly_premium
from .reading import Episode, Subject
from .sources import configured

_SPOT: Final = "binance/spot/BTCUSDT/klines12"
_SPOT_FILE: Final = "klines/binance_spot_klines12_1h.parquet"

FEAR_GREED: Final = Subject(
    name="fear-greed",
    title="Fear and greed index read against the crowd",
    says="An index below 25 is long, one above 75 short; the score is 100 less the index there, else 50.",
    files=(_SPOT_FILE, "alt/fear_greed_daily.parquet"),
    market=configured(_SPOT, "unstated/sentiment/crypto"),
    side="extreme",
    shown={
        "score": feature("fear_greed", "score", clock="fear_greed"),
        "extreme": feature("fear_greed", "extreme", clock="fear_greed"),
    },
    line="score",
    unit="score, 100 less the index at an extreme",
    levels=(25.0, 75.0),
    states={"extreme": {1: "extreme fear", 0: "between", -1: "extreme greed"}},
    episodes=(
        Episode(
            "August 2019: the index at 5, the lowest of its history.",
            date(2019, 8, 20),
            date(2019, 8, 24),
            "score",
            "highest",
        ),
        Episode(
            "June 2022: the index at 6 as bitcoin falls below 20,000 dollars.",
            date(2022, 6, 13),
            date(2022, 6, 20),
            "score",
            "highest",
        ),
        Episode(
            "February 2021: the index at 95 as bitcoin passes 50,000 dollars.",
            date(2021, 2, 1),
            date(2021, 2, 28),
            "score",
            "lowest",
        ),
    ),
    unknown=(
        "How the index was made: its publisher weighs volatility, volume, surveys and searches, and has "
        "changed the parts.",
        "Restatements: the file was downloaded once; the value of a day is taken as published that night.",
        "Three days are missing (2018-04-14 to 16); the value before them is shown for three days.",
    ),
)

KIMCHI: Final = Subject(
    name="kimchi-premium",
    title="Premium of bitcoin in Korea",
    says="A premium two deviations above its 90 days is a crowd of small buyers: short. It is never long.",
    files=("alt/upbit_krw_btc_1h.parquet", "alt/kimchi_premium_daily.parquet", _SPOT_FILE),
    market=configured("upbit/spot/KRW-BTC"),
    analyser=KimchiPremium(),
    shown={
        "percent": feature("kimchi_premium", "percent", clock="krw_premium"),
        "z": feature("kimchi_premium", "z", clock="krw_premium"),
        "band": feature("kimchi_premium", "band", clock="krw_premium"),
    },
    line="percent",
    unit="percent",
    levels=(0.0,),
    second=hourly_premium,
    states={"band": {1: "normal", 2: "above 2 deviations"}},
    episodes=(
        Episode(
            "January 2018: Korea pays about half more than the world (Choi, Lehar and Stauffer: near "
            "54 % at the peak).",
            date(2018, 1, 1),
            date(2018, 1, 31),
            "percent",
            "highest",
        ),
        Episode(
            "The crash of 12 and 13 March 2020; the file pairs prices of two hours, the dots are lower.",
            date(2020, 3, 13),
            date(2020, 3, 16),
            "percent",
            "highest",
        ),
        Episode(
            "Spring 2021: the premium returns with the rise of altcoins.",
            date(2021, 4, 1),
            date(2021, 5, 31),
            "percent",
            "highest",
        ),
    ),
    unknown=(
        "The price of one moment: the file divides Upbit's price of 09:00 UTC by Binance's of 00:00 of the "
        "same day, so that on days of large moves it states a premium that nobody could trade.",
        "Weekends and holidays: the exchange rate has no fixing, and the row before is shown.",
        "Within the day: one value a day, known at 00:00 UTC of the next weekday.",
        "The z-score before 90 days of the file.",
    ),
)

SUBJECTS: Final = (FEAR_GREED, KIMCHI)
