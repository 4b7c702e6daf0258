"""Contracts, margin tiers and liquidation."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from ..errors import ConfigError
from .checks import check_items, check_numbers, is_number

Contract = Literal["linear", "inverse"]
MarginMode = Literal["cross", "isolated", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """Maintenance rate and greatest leverage of the notional up to ``notional_to``."""

    notional_to: float
    maintenance: float
    max_leverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Contracts and liquidation.

    ``linear`` contracts settle in the quote currency, ``inverse`` ones in the base coin: cash, equity
    and every cost are then in that coin and quantities in quote currency. ``cross`` margin is the
    whole account, ``isolated`` a wallet for each position with ``leverage``, ``none`` a spot account
    without liquidation, which holds no more than its equity. ``tiers`` rise; above the last one its
    numbers stay. The liquidation fee is taken from what is left.
    """

    contract: Contract = "linear"
    mode: MarginMode = "cross"
    leverage: float = 10.0
    tiers: tuple[MarginTier, ...] = (
        MarginTier(notional_to=math.inf, maintenance=0.005, max_leverage=125.0),
    )
    liquidation_fee_bps: float = 50.0

    def __post_init__(self) -> None:
        if self.contract not in ("linear", "inverse"):
            raise ConfigError(f"margin.contract={self.contract!r} must be linear or inverse")
        if self.mode not in ("cross", "isolated", "none"):
            raise ConfigError(f"margin.mode={self.mode!r} must be cross, isolated or none")
        if self.contract == "inverse" and self.mode == "none":
            raise ConfigError("margin.mode=none is a spot account; inverse contracts need a margin")
        check_numbers(
            "margin",
            self,
            {"leverage": (1.0, 125.0, True), "liquidation_fee_bps": (0.0, 1000.0, True)},
        )
        check_items("margin.tiers", self.tiers, MarginTier)
        if not self.tiers:
            raise ConfigError("margin.tiers is empty; state at least one")
        self._check_tiers()

    def _check_tiers(self) -> None:
        notional, maintenance, leverage = 0.0, 0.0, math.inf
        for index, tier in enumerate(self.tiers):
            where = f"margin.tiers[{index}]"
            for item in fields(tier):
                if not is_number(getattr(tier, item.name)):
                    raise ConfigError(
                        f"{where}: {item.name}={getattr(tier, item.name)!r} must be a number"
                    )
            if not tier.notional_to > notional:
                raise ConfigError(
                    f"{where}: notional_to={tier.notional_to} must lie above {notional:g}"
                )
            if not (maintenance <= tier.maintenance < 1 and tier.maintenance > 0):
                raise ConfigError(
                    f"{where}: maintenance={tier.maintenance} must lie in (0, 1) and not below "
                    f"{maintenance:g}, that of the tier before"
                )
            if not 1 <= tier.max_leverage <= leverage:
                raise ConfigError(
                    f"{where}: max_leverage={tier.max_leverage} must lie in [1, {leverage:g}]; it "
                    "cannot rise from tier to tier"
                )
            if tier.max_leverage * tier.maintenance > 1:
                raise ConfigError(
                    f"{where}: max_leverage={tier.max_leverage} must lie in [1, 1 / maintenance], "
                    f"here at most {1 / tier.maintenance:g}: beyond it a position would be "
                    "liquidated as it opens"
                )
            notional, maintenance, leverage = tier.notional_to, tier.maintenance, tier.max_leverage
