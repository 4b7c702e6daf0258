"""Altcoin season from nothing but a vendor's monthly lists: another source and another program."""

from typing import Final

import numpy as np

from datasets import Store, sql
from datasets.sectors import STABLE, WRAPPED

from .reading import SecondOpinion

_MONTHS: Final = 3
_SIZE: Final = 50
_BITCOIN: Final = "BTC"


def monthly_season(store: Store) -> SecondOpinion:
    """Share of the fifty largest coins of a list that beat bitcoin until the list of three months later.

    In percent, at the time of the later list. Stable and wrapped coins do not count; a coin that is
    on the later list no more has not beaten bitcoin.
    """
    rows = sql(
        store,
        "SELECT epoch_ns(event_time) AS time_ns, asset, dataset_symbol AS list, symbol, rank, price_usd "
        "FROM universe WHERE venue = 'coinmarketcap' ORDER BY time_ns, rank",
    )
    times = [int(time) for time in rows["time_ns"].unique()]
    lists = {time: rows[rows["time_ns"] == time] for time in times}
    values = []
    for first, last in zip(times[:-_MONTHS], times[_MONTHS:], strict=True):
        before = lists[first].set_index("asset")
        grown = lists[last].set_index("asset")["price_usd"] / before["price_usd"]
        ticker = before["symbol"]
        bitcoin = float(grown[ticker[ticker == _BITCOIN].index[0]])
        counted = ticker[~ticker.isin([_BITCOIN, *STABLE, *WRAPPED])].index[:_SIZE]
        values.append(100.0 * float((grown.reindex(counted) > bitcoin).mean()))
    return SecondOpinion(
        text=(
            "From the monthly lists of CoinMarketCap alone: the share of the fifty largest coins of a list "
            "that beat bitcoin until the list of three months later."
        ),
        time_ns=np.array(times[_MONTHS:], dtype=np.int64),
        value=np.array(values),
    )
