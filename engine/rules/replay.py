"""All rules of a replay together, and what two of them contradict."""

from dataclasses import dataclass, field
from typing import Final

from ..errors import ConfigError
from .checks import check_numbers
from .costs import Costs
from .exits import Exits
from .margin import Margin
from .sizing import Limits, Sizing

SECTIONS: Final = {
    "costs": Costs,
    "exits": Exits,
    "sizing": Sizing,
    "limits": Limits,
    "margin": Margin,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRules:
    """Everything that decides what orders do to the account; ``initial_cash`` in settlement currency.

    Raises ConfigError when a number is out of range or two of them contradict each other.
    """

    initial_cash: float = 100_000.0
    costs: Costs = field(default_factory=Costs)
    exits: Exits = field(default_factory=Exits)
    sizing: Sizing = field(default_factory=Sizing)
    limits: Limits = field(default_factory=Limits)
    margin: Margin = field(default_factory=Margin)

    def __post_init__(self) -> None:
        check_numbers("rules", self, {"initial_cash": (0.0, 1e15, False)})
        for name, kind in SECTIONS.items():
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(
                    f"rules.{name}={getattr(self, name)!r} must be of type {kind.__name__}"
                )
        sizing, limits, exits, margin = self.sizing, self.limits, self.exits, self.margin
        if margin.mode == "none":
            self._check_spot()
        if sizing.method == "fraction" and sizing.position_fraction > limits.max_gross:
            raise ConfigError(
                f"sizing.position_fraction={sizing.position_fraction} must not exceed "
                f"limits.max_gross={limits.max_gross}: the cap would cut every order"
            )
        if sizing.method == "risk" and not exits.has_stop:
            raise ConfigError("sizing.method=risk needs exits.stop_atr or exits.stop_frac")
        if limits.max_heat is not None and not exits.has_stop:
            raise ConfigError("limits.max_heat needs exits.stop_atr or exits.stop_frac")
        if margin.mode == "isolated" and limits.max_gross > margin.leverage:
            raise ConfigError(
                f"limits.max_gross={limits.max_gross} must not exceed "
                f"margin.leverage={margin.leverage}: isolated wallets could not be filled"
            )
        greatest = margin.tiers[0].max_leverage
        if margin.mode == "isolated" and margin.leverage > greatest:
            raise ConfigError(
                f"margin.leverage={margin.leverage} must not exceed "
                f"margin.tiers[0].max_leverage={greatest}: no tier allows it"
            )
        if margin.mode != "none" and limits.max_gross > greatest:
            raise ConfigError(
                f"limits.max_gross={limits.max_gross} must not exceed "
                f"margin.tiers[0].max_leverage={greatest}: no tier allows it"
            )

    def _check_spot(self) -> None:
        """A spot account holds what it has paid for: nothing beyond its equity."""
        multiples = {
            "limits.max_gross": self.limits.max_gross,
            "limits.max_position": self.limits.max_position,
        }
        if self.sizing.method == "fraction":
            multiples["sizing.position_fraction"] = self.sizing.position_fraction
        for name, multiple in multiples.items():
            if multiple is not None and multiple > 1:
                raise ConfigError(
                    f"{name}={multiple} must not exceed 1 with margin.mode=none: a spot account cannot "
                    "borrow cash; set margin.mode to cross or isolated, or the multiple to at most 1"
                )
