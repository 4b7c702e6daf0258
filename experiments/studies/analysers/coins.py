"""Subjects that look across coins: altcoin season and rotation between layers."""

from datetime import date
from typing import Final

from indicators import feature
from strategies.analysers import AltcoinSeason, LayerRotation

from .monthly import monthly_season
from .reading import Episode, Subject
from .sources import configured

_UNIVERSE_FILE: Final = "klines/binance_spot_ohlcv_1h_universe.parquet"
_LISTS_FILE: Final = "alt/coinmarketcap_top200_monthly.parquet"
_UNIVERSE: Final = {"venue": "binance", "market": "spot", "source": "ohlcv_bars"}
_ETHEREUM: Final = configured("binance/spot/ETHUSDT/ohlcv_bars", universe=_UNIVERSE)
_SEASONS: Final = {
    1: "bitcoin season",
    2: "towards it",
    3: "mixed",
    4: "towards altcoins",
    5: "altcoin season",
}
_SEASON_SHOWN: Final = {
    "index": feature("altcoin_season", "index", clock="universe"),
    "band": feature("altcoin_season", "band", clock="universe"),
    "coins": feature("altcoin_season", "coins", clock="universe"),
}
_SAYS: Final = (
    "The share of large coins that beat bitcoin over 90 days: 75 % are an altcoin season, long for any "
    "coin but bitcoin, below 25 % a bitcoin season, short."
)

SEASON: Final = Subject(
    name="altcoin-season",
    title="Altcoin season by Binance's hours, seen by ETHUSDT",
    says=_SAYS,
    files=(_UNIVERSE_FILE, _LISTS_FILE),
    market=_ETHEREUM,
    analyser=AltcoinSeason(),
    shown=_SEASON_SHOWN,
    line="index",
    unit="percent of the coins",
    levels=(25.0, 75.0),
    states={"band": _SEASONS},
    second=monthly_season,
    episodes=(
        Episode(
            "The summer of 2022, when ether and its layers rose ahead of the Merge (15 September).",
            date(2022, 8, 1),
            date(2022, 9, 20),
            "index",
            "highest",
        ),
        Episode(
            "Spring 2023: banks fail in the United States, and bitcoin leads.",
            date(2023, 3, 10),
            date(2023, 5, 31),
            "index",
            "lowest",
        ),
    ),
    unknown=(
        "The spring of 2021: the file begins on 2021-04-04, and a window of 90 days is whole on 4 July.",
        "Market caps: members are the largest by traded volume, and the file has 36 beside bitcoin; the "
        "known indexes take the largest 50 by market cap.",
        "Coins that the source did not collect; of delisted ones it has ten.",
    ),
)

SEASON_BY_CAP: Final = Subject(
    name="altcoin-season-market-cap",
    title="Altcoin season by Coinbase's days and monthly market caps, seen by ETH-USD",
    says=_SAYS,
    files=("alt/coinbase_spot_daily.parquet", _LISTS_FILE),
    market=configured(
        "coinbase/spot/ETH-USD",
        timeframe="1d",
        universe={
            "venue": "coinbase",
            "market": "spot",
            "quote": "USD",
            "benchmark": "BTC-USD",
            "by": "market_cap",
            "coins": {"venue": "coinmarketcap", "market": "coins", "symbol": "all"},
        },
    ),
    analyser=AltcoinSeason(),
    shown=_SEASON_SHOWN,
    line="index",
    unit="percent of the coins",
    levels=(25.0, 75.0),
    states={"band": _SEASONS},
    second=monthly_season,
    episodes=(
        Episode(
            "The spring of 2021, the last season in which nearly every altcoin beat bitcoin.",
            date(2021, 4, 1),
            date(2021, 6, 15),
            "index",
            "highest",
        ),
        Episode(
            "The summer of 2022, ahead of ether's Merge (15 September).",
            date(2022, 8, 1),
            date(2022, 9, 20),
            "index",
            "highest",
        ),
    ),
    unknown=(
        "Which coins would not survive: prices are of coins that the source chose in October 2025. The "
        "list of members is of its time, but a member without prices is not counted.",
        "Stretches of months that the file lacks for many coins: then fewer than ten can be compared and "
        "nothing is said, or only those that are left are.",
        "Market caps within a month: the list is taken on the first day of each.",
    ),
)

ROTATION: Final = Subject(
    name="layer-rotation",
    title="Layer-1 less layer-2 coins, seen by ETHUSDT",
    says=(
        "The mean return of layer-1 coins over 30 days less that of layer-2 coins; beyond 10 points the "
        "coins of the leading layer are long and those of the other short."
    ),
    files=(_UNIVERSE_FILE,),
    market=_ETHEREUM,
    analyser=LayerRotation(),
    shown={
        "difference": feature("layer_rotation", "difference", clock="universe"),
        "phase": feature("layer_rotation", "phase", clock="universe"),
    },
    line="difference",
    unit="points",
    levels=(-10.0, 10.0),
    states={
        "phase": {
            1: "layer 1 leads",
            2: "towards layer 1",
            3: "balanced",
            4: "towards layer 2",
            5: "layer 2 leads",
        }
    },
    episodes=(
        Episode(
            "July and August 2022: Optimism's token, two months old, rises to several times its price.",
            date(2022, 7, 15),
            date(2022, 8, 20),
            "difference",
            "lowest",
        ),
        Episode(
            "Winter 2023: Solana and Avalanche rise, layer-2 coins follow late.",
            date(2023, 10, 15),
            date(2023, 12, 29),
            "difference",
            "highest",
        ),
    ),
    unknown=(
        "Anything before two layer-2 coins had 30 days of prices (MATIC and OP, then ARB): with two, one "
        "coin moves the mean by half of its return.",
        "Coins of both layers that Binance listed and the source did not collect (NEAR, DOT, ADA, IMX, "
        "LRC).",
    ),
)

SUBJECTS: Final = (SEASON, SEASON_BY_CAP, ROTATION)
