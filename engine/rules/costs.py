"""Fees, spread, impact and borrowing."""

from dataclasses import dataclass

from .checks import check_items, check_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTier:
    """Fees from ``volume_from`` traded notional in the 30 whole UTC days before the day of a fill."""

    volume_from: float
    maker_fee_bps: float
    taker_fee_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Fees, spread, impact and borrowing.

    ``taker_fee_bps``, ``maker_fee_bps`` of the notional; ``fee_tiers`` replace them from their volumes
    on. Spread of a taker fill: ``slippage_bps``, plus ``slippage_atr`` average true ranges.
    ``impact`` is the factor of the square-root law; ``participation`` the largest share of a bar's
    volume that orders may take. Both need the panel's volume. ``borrow_annual`` is charged hourly on
    whatever is short, perpetuals included.
    """

    taker_fee_bps: float = 5.0
    maker_fee_bps: float = 2.0
    fee_tiers: tuple[FeeTier, ...] = ()
    slippage_bps: float = 2.0
    slippage_atr: float = 0.0
    impact: float = 0.0
    participation: float | None = None
    borrow_annual: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(
            "costs",
            self,
            {
                "taker_fee_bps": (0.0, 1000.0, True),
                "maker_fee_bps": (-100.0, 1000.0, True),
                "slippage_bps": (0.0, 1000.0, True),
                "slippage_atr": (0.0, 10.0, True),
                "impact": (0.0, 100.0, True),
                "participation": (0.0, 1.0, False),
                "borrow_annual": (0.0, 10.0, True),
            },
        )
        check_items("costs.fee_tiers", self.fee_tiers, FeeTier)
        previous = 0.0
        for index, tier in enumerate(self.fee_tiers):
            check_numbers(
                f"costs.fee_tiers[{index}]",
                tier,
                {
                    "volume_from": (previous, 1e18, False),
                    "maker_fee_bps": (-100.0, 1000.0, True),
                    "taker_fee_bps": (0.0, 1000.0, True),
                },
            )
            previous = tier.volume_from
