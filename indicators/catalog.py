"""Every indicator, in one explicit tuple; a family file lists its own in ``INDICATORS``."""

from . import volatility
from .spec import Indicator

INDICATORS: tuple[Indicator, ...] = (*volatility.INDICATORS,)

INDICATORS_BY_NAME = {indicator.name: indicator for indicator in INDICATORS}
