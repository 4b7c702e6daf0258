"""Subjects about who crosses the spread: taker flow, CVD, its divergence from price."""

from datetime import date
from typing import Final

from indicators import feature
from strategies.analysers import CvdDivergence, CvdTrend, TakerFlow

from .reading import Episode, Subject
from .sources import configured

_SPOT: Final = "binance/spot/BTCUSDT/klines12"
_SPOT_FILE: Final = "klines/binance_spot_klines12_1h.parquet"
_HOURS: Final = configured(_SPOT)

TAKER_FLOW: Final = Subject(
    name="taker-flow",
    title="Taker buy share of BTCUSDT on Binance spot",
    says=(
        "Takers who buy more than 60 % of an hour's volume, with a mean of six hours above 55 %, are "
        "followed; mirrored for sellers."
    ),
    files=(_SPOT_FILE,),
    market=_HOURS,
    analyser=TakerFlow(),
    shown={
        "smooth": feature("taker_ratio", "smooth"),
        "band": feature("taker_ratio", "band"),
    },
    line="smooth",
    unit="share bought, mean of 6 hours",
    levels=(0.45, 0.55),
    states={"band": {1: "to .40", 2: "to .45", 3: "to .55", 4: "to .60", 5: "above .60"}},
    episodes=(
        Episode(
            "The crash of 12 and 13 March 2020.",
            date(2020, 3, 12),
            date(2020, 3, 13),
            "smooth",
            "lowest",
        ),
        Episode(
            "22 March to 1 June 2023: Binance ends trading without fees on BTCUSDT, volume falls.",
            date(2023, 3, 22),
            date(2023, 6, 1),
            "smooth",
            "lowest",
        ),
    ),
    unknown=(
        "Who the takers are, and what they do on the perpetual, where most of the volume is.",
        "The share on an even footing over the years: its mean moves with fees and market makers of the "
        "venue, while the bands stand still. From July 2022 to March 2023 the "
        "venue took no fee on this pair.",
        "The hours of outages (27 gaps from 2018 to 2023); they are gaps and hold no share.",
    ),
)

CVD: Final = Subject(
    name="cvd-trend",
    title="CVD of 20 hours over their volume, BTCUSDT on Binance spot",
    says="Takers bought (sold) more than 5 % of the volume of 20 hours net: the side is theirs.",
    files=(_SPOT_FILE,),
    market=_HOURS,
    analyser=CvdTrend(),
    shown={"trend": feature("cvd", "trend"), "flip": feature("cvd_flip", "side")},
    line="trend",
    unit="share of the volume",
    levels=(-0.05, 0.05),
    states={"flip": {-1: "24 h sum negative", 1: "24 h sum positive"}},
    episodes=(
        Episode(
            "The crash of 12 and 13 March 2020.",
            date(2020, 3, 12),
            date(2020, 3, 13),
            "trend",
            "lowest",
        ),
        Episode(
            "1 to 3 April 2019: a rise of a sixth within an hour on 2 April, reported as the market "
            "buys of one order.",
            date(2019, 4, 1),
            date(2019, 4, 3),
            "trend",
            "highest",
        ),
    ),
    unknown=(
        "A level: a sum depends on where it begins, so only sums over windows are read.",
        "Trades by themselves: the delta of an hour is from the taker columns of its bar.",
        "Other venues and the perpetual.",
    ),
)

DIVERGENCE: Final = Subject(
    name="cvd-divergence",
    title="CVD against price at pivots, BTCUSDT on Binance spot",
    says=(
        "Price makes a lower low while the CVD of 24 hours makes a higher one (and the three mirrors): "
        "the side is that of the CVD, for ten hours after the pivot is confirmed."
    ),
    files=(_SPOT_FILE,),
    market=_HOURS,
    analyser=CvdDivergence(),
    shown={
        "cvd": feature("cvd", "cvd"),
        "regular": feature("cvd_divergence", "regular"),
        "hidden": feature("cvd_divergence", "hidden"),
    },
    line="cvd",
    unit="CVD of 24 hours in bitcoin",
    drawn=(date(2022, 6, 1), date(2022, 6, 30)),
    states={
        "regular": {1: "regular, long", -1: "regular, short"},
        "hidden": {1: "hidden, long", -1: "hidden, short"},
    },
    episodes=(
        Episode(
            "18 June 2022, the low of that summer: below 17,700 dollars at about 20:30.",
            date(2022, 6, 18),
            date(2022, 6, 18),
            "regular",
            "highest",
        ),
        Episode(
            "10 November 2021, the highest price of that cycle: 69,000 dollars at about 14:15.",
            date(2021, 11, 10),
            date(2021, 11, 10),
            "regular",
            "lowest",
        ),
    ),
    unknown=(
        "A pivot before five more hours have closed: the divergence is known that much later.",
        "Whether both sides are right: regular and hidden divergences of both kinds speak about equally "
        "often.",
    ),
)

SUBJECTS: Final = (TAKER_FLOW, CVD, DIVERGENCE)
