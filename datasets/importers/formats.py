"""Every file format, in the order in which documentation lists them."""

from typing import Final

from . import (
    binance,
    ccxt_json,
    cryptodatadownload,
    freqtrade,
    ninefold_export,
    order_book,
    plain_bars,
    tardis,
    tidy,
    vendor_csv,
)
from .format import Format

FORMATS: Final[tuple[Format, ...]] = (
    *binance.FORMATS,
    *cryptodatadownload.FORMATS,
    *freqtrade.FORMATS,
    *ccxt_json.FORMATS,
    *tardis.FORMATS,
    *order_book.FORMATS,
    *vendor_csv.FORMATS,
    *tidy.FORMATS,
    *plain_bars.FORMATS,
    *ninefold_export.FORMATS,
)
