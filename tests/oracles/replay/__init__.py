"""The replay of docs/accounting.md as a literal event loop over plain floats, lists and dicts.

Read it beside the page: ``market`` and ``arithmetic`` are section 1, ``account`` section 2, ``orders``
and ``limits`` section 3, ``simulator`` and ``exits`` section 4, ``margin`` and ``tiers`` section 5,
``ledgers`` section 6. ``comparison`` holds a replay's ledgers against the oracle's.
"""

from .comparison import all_disagreements, disagreements, ledgers_of
from .ledgers import EquityRow, Fill, OracleResult, OrderRow, Payment, Trade
from .simulator import replay_oracle

__all__ = [
    "EquityRow",
    "Fill",
    "OracleResult",
    "OrderRow",
    "Payment",
    "Trade",
    "all_disagreements",
    "disagreements",
    "ledgers_of",
    "replay_oracle",
]
