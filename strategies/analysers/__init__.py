"""The analysers of the crypto-metrics head: each an opinion of its own, from features of its own.

Imports engine and indicators.
"""

from .across_coins import AltcoinSeason, LayerRotation
from .derivatives import Derivatives
from .holdings import ExchangeReserves, LockedValue
from .liquidation import Liquidation
from .opinion import Analyser, Opinion
from .optional import FundPremium, KimchiPremium, Listing, TokenUnlocks
from .order_flow import CvdDivergence, CvdTrend, TakerFlow
from .positioning import Accounts, TopTraders

__all__ = [
    "Accounts",
    "AltcoinSeason",
    "Analyser",
    "CvdDivergence",
    "CvdTrend",
    "Derivatives",
    "ExchangeReserves",
    "FundPremium",
    "KimchiPremium",
    "LayerRotation",
    "Liquidation",
    "Listing",
    "LockedValue",
    "Opinion",
    "TakerFlow",
    "TokenUnlocks",
    "TopTraders",
]
