"""Altcoin season: how many coins beat bitcoin over ninety days, of all and by sector.

Computed on the clock ``universe``, one row a day, known when the day has ended. Who is compared was
decided by what was known then: ``member`` is the universe of that day, delisted coins included, without
bitcoin, stable coins and wrapped coins. Bands and 75 % of the fifty largest as the mark of a season
follow BlockchainCenter's index; CoinMarketCap's takes a hundred coins.
"""

from typing import Final

import numpy as np

from engine import Float1D

from .coin_phase import phase_age_and_change, phase_stable_rows
from .coins import coins_table, growth, share_above
from .spec import Columns, Indicator, Output, Parameter, Parameters

BAND_EDGES: Final = (25.0, 40.0, 60.0, 75.0)
"""Bands are half-open: [0, 25), [25, 40), [40, 60), [60, 75), and [75, 100] closed."""
SECTORS: Final = ("defi", "layer_1", "layer_2", "meme", "gaming", "ai")

_BITCOIN_SEASON, _ALTCOIN_SEASON = 1.0, 5.0


def season_band(index: Float1D) -> Float1D:
    """1 bitcoin season, 2 towards it, 3 mixed, 4 towards altcoin season, 5 altcoin season; 0 unknown."""
    known = ~np.isnan(index)
    return np.where(known, 1.0 + np.digitize(np.where(known, index, 0.0), BAND_EDGES), 0.0)


def season_strength(index: Float1D) -> Float1D:
    """How deep in a season: ``1 - i / 25`` below 25, ``(i - 75) / 25`` from 75 on, 0.5 between."""
    low, high = BAND_EDGES[0], BAND_EDGES[-1]
    inner = np.where(index < low, 1.0 - index / low, 0.5 + 0.0 * index)
    return np.where(index >= high, (index - high) / (100.0 - high), inner)


def _beating(
    columns: Columns, counted: str, window_days: int, least: int
) -> tuple[Float1D, Float1D]:
    close, benchmark = coins_table(columns, "close"), columns["benchmark_close"]
    own_growth = growth(close, coins_table(columns, "age"), window_days)
    threshold = np.full(len(benchmark), np.nan)
    threshold[window_days:] = (
        benchmark[window_days:] / benchmark[: max(len(benchmark) - window_days, 0)]
    )
    return share_above(own_growth, coins_table(columns, counted), threshold, least)


def _altcoin_season(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    window_days = int(parameters["window_days"])
    index, coins = _beating(columns, "member", window_days, int(parameters["least_coins"]))
    band = season_band(index)
    days, changes = phase_age_and_change(
        band,
        index,
        phases=5,
        window_days=window_days,
        memory_days=int(parameters["memory_days"]),
    )
    other = columns["is_benchmark"] == 0
    side = (band == _ALTCOIN_SEASON).astype(np.float64) - (band == _BITCOIN_SEASON)
    coins[:window_days] = np.nan
    return index, band, season_strength(index), days, changes, coins, np.where(other, side, 0.0)


def _sector_season(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    window_days, least = int(parameters["window_days"]), int(parameters["least_coins"])
    return tuple(_beating(columns, f"in_{sector}", window_days, least)[0] for sector in SECTORS)


ALTCOIN_SEASON = Indicator(
    name="altcoin_season",
    text=(
        "Share of the universe that beat bitcoin over `window_days`, and the season that makes. The "
        "chance of another band within seven days is how often that was so in the last `memory_days` "
        "from the same band with the index moving the same way. Coins without a whole window in their "
        "present listing do not count."
    ),
    inputs=("close", "age", "member", "benchmark_close", "is_benchmark"),
    parameters=(
        Parameter("window_days", 90, 30, 120),
        Parameter("least_coins", 10, 3, 30),
        Parameter("memory_days", 1460, 365, 1825),
    ),
    outputs=(
        Output("index", "sparse", "percent", "coins that beat bitcoin", 0.0, 100.0),
        Output(
            "band",
            "state",
            "",
            "1 bitcoin season, 2 towards it, 3 mixed, 4 towards altcoins, 5 altcoin season, 0 unknown",
            high=5.0,
        ),
        Output("strength", "sparse", "share", "how deep in a season, 0.5 outside", 0.0, 1.0),
        Output("phase_days", "value", "days", "days in the present band, 365 at most", 0.0, 365.0),
        Output("change_probability", "sparse", "share", "another band within 7 days", 0.0, 1.0),
        Output("coins", "value", "coins", "coins that were compared", 0.0),
        Output(
            "side",
            "signal",
            "",
            "1 in altcoin season, -1 in bitcoin season; always 0 for bitcoin itself",
            firing_rate=(0.05, 0.80),
        ),
    ),
    compute=_altcoin_season,
    lookback=lambda parameters: int(parameters["window_days"]),
    stable=phase_stable_rows,
    only_clock="universe",
)

SECTOR_SEASON = Indicator(
    name="sector_season",
    text=(
        "Share of the coins of a sector that beat bitcoin over `window_days`, of every listed coin, "
        "not only the largest. NaN where fewer than `least_coins` can be compared."
    ),
    inputs=("close", "age", "benchmark_close", *(f"in_{sector}" for sector in SECTORS)),
    parameters=(Parameter("window_days", 90, 30, 120), Parameter("least_coins", 3, 2, 10)),
    outputs=tuple(
        Output(sector, "sparse", "percent", f"{sector} coins that beat bitcoin", 0.0, 100.0)
        for sector in SECTORS
    ),
    compute=_sector_season,
    lookback=lambda parameters: int(parameters["window_days"]),
    stable=lambda parameters: int(parameters["window_days"]) + 1,
    only_clock="universe",
)

INDICATORS = (ALTCOIN_SEASON, SECTOR_SEASON)
