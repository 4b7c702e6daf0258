"""What the name of a tidy file says: ``<venue>_<market>_…``, and nothing beyond that."""

import re
from typing import Final

from ..reading.source_file import SourceFile

UNSTATED: Final = "unstated"
"""The venue of daily series whose vendor neither the file nor the caller names."""
VENUES: Final = (
    "binance", "bybit", "okx", "kraken", "hyperliquid", "lighter", "dydx", "coinbase", "upbit",
    "deribit", "coinmarketcap", "defillama", "coinalyze",
)  # fmt: skip
"""Words that name a venue or a vendor at the beginning of a file name."""
_MARKETS: Final = {
    "spot": "spot",
    "um_perp": "um_perp",
    "cm_perp": "cm_perp",
    "linear_perp": "linear_perp",
    "inverse_perp": "inverse_perp",
    "um": "um_perp",
    "cm": "cm_perp",
}
_ONLY_MARKET: Final = {"upbit": "spot", "hyperliquid": "linear_perp"}
"""Upbit has one market; a plain coin such as BTC is always the perpetual at Hyperliquid."""
_NAME: Final = re.compile(
    rf"(?P<venue>{'|'.join(VENUES)})_(?:(?P<market>{'|'.join(_MARKETS)})_(?!and_))?", re.IGNORECASE
)
FUTURES: Final = {
    "um_perp": "um_future",
    "cm_perp": "cm_future",
    "linear_perp": "linear_future",
    "inverse_perp": "inverse_future",
}
"""The market of contracts with an expiry beside that of the perpetuals of the same margin."""


def named_venue(file: SourceFile) -> str | None:
    """The venue at the beginning of the file's name: ``binance_spot_ohlcv_15m.parquet``."""
    match = _NAME.match(file.name)
    return match["venue"].lower() if match else None


def named_market(file: SourceFile) -> str | None:
    """The market behind the venue in the file's name; ``um`` and ``cm`` alone are perpetuals."""
    match = _NAME.match(file.name)
    if match is None:
        return None
    if match["market"]:
        return _MARKETS[match["market"].lower()]
    return _ONLY_MARKET.get(match["venue"].lower())


def folder_name(text: str) -> str:
    """``text`` with ``_`` for every character that cannot stand in the name of a folder."""
    return re.sub(r"[^\w.-]", "_", text)
