"""Files of Binance: the public archive, saved REST answers, and written-down streams."""

from dataclasses import replace
from typing import Final

from ..format import Format
from . import captures, depth, funding, klines, liquidations, metrics, rest, trades
from .names import stated_by_name

_NAMED_ALIKE: Final[tuple[Format, ...]] = (
    *trades.FORMATS,
    *funding.FORMATS,
    *metrics.FORMATS,
    *liquidations.FORMATS,
    *depth.FORMATS,
    *rest.FORMATS,
    *captures.FORMATS,
)
FORMATS: Final = (
    *klines.FORMATS,
    *(replace(one, names=stated_by_name) for one in _NAMED_ALIKE),
)
