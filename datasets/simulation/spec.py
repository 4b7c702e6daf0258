"""What to simulate."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from engine import DAY_NS, ConfigError, timeframe_ns

from .parameters import MODEL_VERSION
from .planted import PLANTED_COLUMNS

DEFAULT_SYMBOLS: Final = ("BTCSIM", "ETHSIM", "SOLSIM")
DEFAULT_START_NS: Final = 1_609_459_200_000_000_000
"""2021-01-01 00:00 UTC."""
DEFAULT_OUTAGES_PER_YEAR: Final = 2.0
MAX_DAYS: Final = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSpec:
    """What to simulate.

    ``mode`` is ``null`` (nothing predicts the price) or ``planted``. ``symbols`` name themselves;
    BTCSIM, ETHSIM and SOLSIM have parameters of their own, other names share one set.
    ``start_ns`` is a midnight UTC. ``timeframe`` is the step of the bars (at most 1d, gathered from
    minutes); slow series keep their own steps. In mode ``planted``, ``planted_column`` is a key of
    :data:`PLANTED_COLUMNS` and ``planted_edge`` is the drift of log price in basis points per hour
    for each standard deviation of that column, in each of the ``planted_horizon_hours`` after the
    hour at whose end the column was known; a negative edge makes a high column announce a fall.
    ``outages_per_year`` is the expected count of outages of one to twelve hours.
    ``keep_minutes`` also returns the one-minute bars.

    Raises ConfigError for a value that breaks these rules.
    """

    mode: Literal["null", "planted"] = "null"
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    start_ns: int = DEFAULT_START_NS
    days: int = 365
    seed: int = 1
    timeframe: str = "1h"
    planted_column: str | None = None
    planted_edge: float | None = None
    planted_horizon_hours: int = 1
    outages_per_year: float = DEFAULT_OUTAGES_PER_YEAR
    keep_minutes: bool = False

    def __post_init__(self) -> None:
        self._check_market()
        self._check_plant()

    def _check_market(self) -> None:
        bad = [name for name in self.symbols if not re.fullmatch(r"[A-Z0-9]{2,30}", name)]
        if not self.symbols or bad or len(set(self.symbols)) != len(self.symbols):
            raise ConfigError(
                f"symbols={self.symbols!r}: give one or more different names of capital letters and "
                "digits, such as BTCSIM"
            )
        if self.start_ns % DAY_NS or self.start_ns < 0:
            raise ConfigError(f"start_ns={self.start_ns} must be a midnight UTC after 1970")
        if not 1 <= self.days <= MAX_DAYS:
            raise ConfigError(f"days={self.days} must lie in [1, {MAX_DAYS}]")
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed} must not be negative")
        if timeframe_ns(self.timeframe) > DAY_NS:
            raise ConfigError(f"timeframe={self.timeframe!r} must be at most 1d")
        if not 0.0 <= self.outages_per_year <= 100.0:
            raise ConfigError(f"outages_per_year={self.outages_per_year} must lie in [0, 100]")

    def _check_plant(self) -> None:
        if self.mode not in ("null", "planted"):
            raise ConfigError(f"mode={self.mode!r} must be null or planted")
        if self.mode == "null":
            if self.planted_column is not None or self.planted_edge is not None:
                raise ConfigError(
                    "mode='null' plants nothing: leave planted_column and planted_edge out, or set "
                    "mode='planted'"
                )
            return
        if self.planted_column not in PLANTED_COLUMNS:
            raise ConfigError(
                f"planted_column={self.planted_column!r} must be one of {sorted(PLANTED_COLUMNS)}"
            )
        if self.planted_edge is None or not abs(self.planted_edge) <= 100.0:
            raise ConfigError(
                f"planted_edge={self.planted_edge} must lie in [-100, 100] basis points per hour "
                "and standard deviation"
            )
        if not 1 <= self.planted_horizon_hours <= 168:
            raise ConfigError(
                f"planted_horizon_hours={self.planted_horizon_hours} must lie in [1, 168]"
            )

    @property
    def source(self) -> str:
        """Name of the source in the store, such as ``seed1-null``.

        It tells apart whatever would put different rows at the same time: seed, mode, what is
        planted, and, where they are not the default, start, outages and the version of the model.
        """
        parts = [f"seed{self.seed}", self.mode]
        if self.mode == "planted":
            parts += [str(self.planted_column), f"{self.planted_edge:g}bps"]
            parts += [f"{self.planted_horizon_hours}h"]
        if self.start_ns != DEFAULT_START_NS:
            parts.append(f"from{self.start_ns // DAY_NS}")
        if self.outages_per_year != DEFAULT_OUTAGES_PER_YEAR:
            parts.append(f"outages{self.outages_per_year:g}")
        if MODEL_VERSION != 1:
            parts.append(f"model{MODEL_VERSION}")
        return "-".join(parts)
