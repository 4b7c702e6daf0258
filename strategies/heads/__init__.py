"""The heads, in one explicit tuple: its order is the order of the vote columns."""

from ..base import Head
from .crypto_metrics import CryptoMetricsHead
from .harmonic import HarmonicHead
from .ict import IctHead
from .market_structure import MarketStructureHead
from .rules import RulesHead
from .sentiment import SentimentHead
from .technical import TechnicalHead
from .volume import VolumeHead
from .wyckoff import WyckoffHead

HEADS: tuple[type[Head], ...] = (
    TechnicalHead,
    SentimentHead,
    VolumeHead,
    RulesHead,
    IctHead,
    WyckoffHead,
    HarmonicHead,
    MarketStructureHead,
    CryptoMetricsHead,
)

HEADS_BY_NAME = {head.name: head for head in HEADS}
HEAD_NAMES = tuple(head.name for head in HEADS)
