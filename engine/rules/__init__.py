"""What a replay is played under: account, costs, exits, sizing, limits and margin.

docs/accounting.md says what each number does; here stands what each may be. ``None`` switches a rule
off. Fractions are of equity or of a price (0.01 is one per cent), ``bps`` are ten-thousandths.
"""

from typing import Final

from .costs import Costs, FeeTier
from .exits import MOST_LADDER_RUNGS, Exits
from .margin import Contract, Margin, MarginMode, MarginTier
from .replay import ReplayRules
from .sizing import KELLY_FEWEST_TRADES, Limits, Sizing, SizingMethod
from .symbol import SymbolRules

DUST: Final = 1e-9
"""Share of equity below which an order or a change of size is nothing but rounding."""

__all__ = [
    "DUST",
    "KELLY_FEWEST_TRADES",
    "MOST_LADDER_RUNGS",
    "Contract",
    "Costs",
    "Exits",
    "FeeTier",
    "Limits",
    "Margin",
    "MarginMode",
    "MarginTier",
    "ReplayRules",
    "Sizing",
    "SizingMethod",
    "SymbolRules",
]
