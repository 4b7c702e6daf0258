"""How a venue lets a symbol be traded, and the group that it belongs to."""

from dataclasses import dataclass

from ..errors import ConfigError
from .checks import check_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRules:
    """How a venue lets a symbol be traded.

    ``tick_size`` and ``lot_step`` 0 for none; ``min_notional`` in the settlement currency; ``sector`` a
    word, None for a sector of its own.
    """

    tick_size: float = 0.0
    lot_step: float = 0.0
    min_notional: float = 0.0
    sector: str | None = None

    def __post_init__(self) -> None:
        check_numbers(
            "symbol_rules",
            self,
            {
                "tick_size": (0.0, 1e12, True),
                "lot_step": (0.0, 1e12, True),
                "min_notional": (0.0, 1e12, True),
            },
        )
        if self.sector is not None and not (isinstance(self.sector, str) and self.sector):
            raise ConfigError(
                f"symbol_rules.sector={self.sector!r} must be a word, or None for one of its own"
            )
