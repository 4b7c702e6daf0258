"""From the store to the arrays that the engine and the indicators read, each at its moment."""

from .aligned import AlignedMarkets, load_aligned
from .bars import load_bars
from .coin_events import CoinSupply
from .find import bars_dataset, bars_datasets, find_dataset, series_datasets
from .funding import FundingHistory, load_funding
from .further import FurtherSources, market_series_datasets
from .grid import NoBarsError
from .market import load_market
from .series import load_series
from .sources import SourceConflict, SourceConflicts

__all__ = [
    "AlignedMarkets",
    "CoinSupply",
    "FundingHistory",
    "FurtherSources",
    "NoBarsError",
    "SourceConflict",
    "SourceConflicts",
    "bars_dataset",
    "bars_datasets",
    "find_dataset",
    "load_aligned",
    "load_bars",
    "load_funding",
    "load_market",
    "load_series",
    "market_series_datasets",
    "series_datasets",
]
