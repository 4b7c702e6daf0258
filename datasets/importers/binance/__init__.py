"""Files of Binance: the public archive, saved REST answers, and written-down streams."""

from dataclasses import replace
from typing import Final

from ..format import Format
from . import captures, depth, funding, klines, liquidations, metrics, rest, trades
from .names import stated_by_name

_ALL: Final[tuple[Format, ...]] = (
    *klines.FORMATS,
    *trades.FORMATS,
    *funding.FORMATS,
    *metrics.FORMATS,
    *liquidations.FORMATS,
    *depth.FORMATS,
    *rest.FORMATS,
    *captures.FORMATS,
)
FORMATS: Final = tuple(replace(one, names=stated_by_name) for one in _ALL)
