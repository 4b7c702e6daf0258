"""Levels at which a position ends by itself, and when."""

import math
from dataclasses import dataclass
from typing import Final

from ..errors import ConfigError
from .checks import check_numbers, check_one_of, check_tuple, is_number

MOST_LADDER_RUNGS: Final = 4
SHARE_ROUNDING: Final = 1e-9
"""By how much shares such as 0.1 and 0.7 may miss their sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Levels at which a position ends by itself, and when.

    The stop lies ``stop_atr`` average true ranges or ``stop_frac`` of the price away from the entry; R
    is its distance. The trailing stop follows the best price since the entry, or of the last
    ``trail_bars`` bars, at ``trail_atr`` ranges or ``trail_frac``. At a close that is ``break_even_r``
    R in profit the stop goes to the entry and two fees. ``ladder`` holds (R multiple, share of the
    entered quantity) of partial take-profits; ``take_profit_atr``, ``_frac`` or ``_r`` closes the rest.
    Take-profits are market orders, or resting limits with ``take_profit_is_limit``. After
    ``time_stop_bars`` a position ends unless it is ``time_stop_max_r`` R in profit. A resting entry
    order lives ``limit_bars`` bars (None: until it is replaced).
    """

    stop_atr: float | None = 2.0
    stop_frac: float | None = None
    trail_atr: float | None = None
    trail_frac: float | None = None
    trail_bars: int | None = None
    break_even_r: float | None = None
    ladder: tuple[tuple[float, float], ...] = ()
    take_profit_atr: float | None = None
    take_profit_frac: float | None = None
    take_profit_r: float | None = None
    take_profit_is_limit: bool = False
    time_stop_bars: int | None = None
    time_stop_max_r: float | None = None
    limit_bars: int | None = None

    @property
    def has_stop(self) -> bool:
        """Whether every entry gets a stop, so that R is defined."""
        return self.stop_atr is not None or self.stop_frac is not None

    def __post_init__(self) -> None:
        check_numbers(
            "exits",
            self,
            {
                "stop_atr": (0.0, 1000.0, False),
                "stop_frac": (0.0, 0.99, False),
                "trail_atr": (0.0, 1000.0, False),
                "trail_frac": (0.0, 0.99, False),
                "trail_bars": (1, 100_000, True),
                "break_even_r": (0.0, 1000.0, False),
                "take_profit_atr": (0.0, 1000.0, False),
                "take_profit_frac": (0.0, 1000.0, False),
                "take_profit_r": (0.0, 1000.0, False),
                "time_stop_bars": (1, 10_000_000, True),
                "time_stop_max_r": (-1000.0, 1000.0, True),
                "limit_bars": (1, 10_000_000, True),
            },
        )
        check_one_of("exits", self, "stop_atr", "stop_frac")
        check_one_of("exits", self, "trail_atr", "trail_frac")
        check_one_of("exits", self, "take_profit_atr", "take_profit_frac", "take_profit_r")
        if self.trail_bars is not None and self.trail_atr is None and self.trail_frac is None:
            raise ConfigError("exits.trail_bars needs trail_atr or trail_frac: nothing trails")
        self._check_ladder()
        for name in ("break_even_r", "take_profit_r", "time_stop_max_r"):
            if getattr(self, name) is not None and not self.has_stop:
                raise ConfigError(
                    f"exits.{name} needs stop_atr or stop_frac: R is measured in stop distances"
                )

    def _check_ladder(self) -> None:
        for index, rung in enumerate(check_tuple("exits.ladder", self.ladder)):
            if not (isinstance(rung, tuple) and len(rung) == 2 and all(map(is_number, rung))):
                raise ConfigError(f"exits.ladder[{index}]={rung!r} must be (R multiple, share)")
        if self.ladder and not self.has_stop:
            raise ConfigError(
                "exits.ladder needs stop_atr or stop_frac: R is measured in stop distances"
            )
        if len(self.ladder) > MOST_LADDER_RUNGS:
            raise ConfigError(
                f"exits.ladder has {len(self.ladder)} rungs; state at most {MOST_LADDER_RUNGS}"
            )
        before, total = 0.0, 0.0
        for index, (multiple, share) in enumerate(self.ladder):
            if not before < multiple < math.inf:
                raise ConfigError(
                    f"exits.ladder[{index}]: R={multiple} must lie above {before} and be finite; "
                    "state the rungs from the nearest to the farthest"
                )
            if not 0 < share <= 1:
                raise ConfigError(f"exits.ladder[{index}]: share={share} must lie in (0, 1]")
            before, total = multiple, total + share
            if total > 1 + SHARE_ROUNDING:
                raise ConfigError(
                    f"exits.ladder: the shares add up to more than 1 ({total:g} at rung {index}): that "
                    "would close more than was entered"
                )
