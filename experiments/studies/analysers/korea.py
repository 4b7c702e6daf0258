"""The premium of bitcoin in Korea from hourly bars: both prices of one moment."""

from typing import Final

import numpy as np

from datasets import Instrument, Store, load_bars, load_series
from engine import HOUR_NS, Bars, DataError, Float1D, Int1D

from .reading import SecondOpinion

_MOMENT_NS: Final = 9 * HOUR_NS
"""Time of the day of Upbit's price in the daily file."""
_UPBIT: Final = Instrument("upbit", "spot", "KRW-BTC")


def hourly_premium(store: Store) -> SecondOpinion:
    """The premium at 09:00 UTC of each day of the daily file, in percent, at that row's availability.

    Closes of Upbit and Binance in the hour before, and the exchange rate of the daily file. Days on which
    either market has no bar then are left out.
    """
    daily = load_series(store, _UPBIT, "krw_premium")
    if daily is None:
        raise DataError("the store has no premium of bitcoin in Korea; import its file first")
    moment = daily.event_time + _MOMENT_NS
    won = _close_at(load_bars(store, _UPBIT, "1h"), moment)
    dollars = _close_at(
        load_bars(store, Instrument("binance", "spot", "BTCUSDT", "klines12"), "1h"), moment
    )
    premium = 100.0 * (won / (dollars * daily.columns["usdkrw"]) - 1.0)
    known = ~np.isnan(premium)
    return SecondOpinion(
        text=(
            "From the hours of Upbit and Binance: both prices of 09:00 UTC, with the exchange rate of "
            "the daily file."
        ),
        time_ns=daily.available_at[known],
        value=premium[known],
    )


def _close_at(bars: Bars, moment: Int1D) -> Float1D:
    """Close of the bar that closes at each moment, NaN where there is none."""
    rows = np.minimum(np.searchsorted(bars.close_time, moment), len(bars.close_time) - 1)
    closes_then = (bars.close_time[rows] == moment) & ~bars.is_gap[rows]
    return np.where(closes_then, bars.close[rows], np.nan)
