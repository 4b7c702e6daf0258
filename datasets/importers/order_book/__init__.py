"""Order books: recorded changes replayed exactly, and sampled as snapshots."""

from typing import Final

from ..format import Format
from . import binance_csv, binance_websocket, bybit

FORMATS: Final[tuple[Format, ...]] = (
    *binance_websocket.FORMATS,
    *binance_csv.FORMATS,
    *bybit.FORMATS,
)
