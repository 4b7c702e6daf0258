"""How large an order may be: sizing, and the limits that cut it."""

from dataclasses import dataclass
from typing import Final, Literal

from ..errors import ConfigError
from .checks import check_numbers

SizingMethod = Literal["fraction", "risk", "volatility"]

KELLY_FEWEST_TRADES: Final = 30
"""Closed trades before the Kelly limit counts; also the weight of its prior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The notional that a full target is worth, before limits.

    ``fraction``: ``position_fraction`` of equity; ``risk``: as much as loses ``risk_frac`` of equity at
    the stop; ``volatility``: ``volatility_target`` (annual) over the volatility that the decision
    states. ``kelly`` is the share of the shrunk Kelly fraction (at most ``kelly_max``) that may be
    used once 30 trades are closed; None leaves it out.
    """

    method: SizingMethod = "fraction"
    position_fraction: float = 0.25
    risk_frac: float = 0.01
    volatility_target: float = 0.2
    kelly: float | None = None
    kelly_max: float = 0.25

    def __post_init__(self) -> None:
        if self.method not in ("fraction", "risk", "volatility"):
            raise ConfigError(f"sizing.method={self.method!r} must be fraction, risk or volatility")
        check_numbers(
            "sizing",
            self,
            {
                "position_fraction": (0.0, 125.0, False),
                "risk_frac": (0.0, 1.0, False),
                "volatility_target": (0.0, 100.0, False),
                "kelly": (0.0, 1.0, False),
                "kelly_max": (0.0, 125.0, False),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may cut an order. All in multiples of equity unless named otherwise.

    ``max_gross`` over all positions, ``max_position`` of one, ``max_sector`` of one sector,
    ``max_heat`` for the sum of what the stops would lose; ``max_positions`` symbols at once; an entry is
    refused when its returns of the last ``correlation_bars`` bars correlate above ``max_correlation``
    with those of a position on the same side; orders shrink from ``drawdown_start`` to nothing at
    ``drawdown_halt``; the highest equity does not fall, so that an account closed there stays closed.
    """

    max_gross: float = 1.0
    max_position: float | None = None
    max_positions: int | None = None
    max_heat: float | None = None
    max_sector: float | None = None
    max_correlation: float | None = None
    correlation_bars: int = 720
    drawdown_start: float | None = None
    drawdown_halt: float | None = None

    def __post_init__(self) -> None:
        check_numbers(
            "limits",
            self,
            {
                "max_gross": (0.0, 125.0, False),
                "max_position": (0.0, 125.0, False),
                "max_positions": (1, 100_000, True),
                "max_heat": (0.0, 10.0, False),
                "max_sector": (0.0, 125.0, False),
                "max_correlation": (-1.0, 1.0, False),
                "correlation_bars": (30, 100_000, True),
                "drawdown_start": (0.0, 1.0, True),
                "drawdown_halt": (0.0, 1.0, False),
            },
        )
        if (self.drawdown_start is None) != (self.drawdown_halt is None):
            raise ConfigError(
                "limits: drawdown_start and drawdown_halt are set together or not at all"
            )
        if (
            self.drawdown_start is not None
            and self.drawdown_halt is not None
            and not self.drawdown_start < self.drawdown_halt
        ):
            raise ConfigError(
                f"limits.drawdown_halt={self.drawdown_halt} must lie above "
                f"drawdown_start={self.drawdown_start}"
            )
