"""Fetching from exchanges: the API of any exchange that ccxt knows, and the bulk archive of Binance.

>>> from datasets.fetch import FetchJob
>>> FetchJob(exchange="binance", symbols=("BTC/USDT",), start_ns=0).kinds
('ohlcv',)
"""

from .answers import RetryRules
from .jobs import FetchJob, FetchReport, FetchRules, Progress
from .run import fetch

__all__ = ["FetchJob", "FetchReport", "FetchRules", "Progress", "RetryRules", "fetch"]
