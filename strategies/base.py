"""What every head declares, what it is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import Field, dataclass
from math import inf, isfinite
from typing import Any, ClassVar, Final, Protocol

import numpy as np

from engine import (
    ConfigError,
    ContractError,
    Float1D,
    Int8Array1D,
    UInt64Array1D,
    timeframe_ns,
)
from indicators import Detection, Feature

MAX_REASONS: Final = 64
NEUTRAL_PROBABILITY: Final = 0.5
NEUTRAL_SCORE: Final = 50.0
SMALLEST_SCALE: Final = 1e-9
"""Least value of a parameter that divides."""


@dataclass(frozen=True, slots=True)
class Range:
    """A tuning range as plain data: bounds, whether whole numbers only, whether searched in logs."""

    low: float
    high: float
    integer: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One named group of signals of a head: one bit of ``HeadOutput.reasons``.

    ``direction`` is the side the group argues for (0 for context). ``firing_rate`` is the share of
    hourly bars on which the bit is expected to be set, as (low, high), written before looking.
    """

    name: str
    direction: int
    text: str
    firing_rate: tuple[float, float]


@dataclass(frozen=True, slots=True)
class HeadInputs:
    """The columns a head asked for, by the alias it gave them; an alias without data is absent.

    Every column is float64 ``(rows,)``; row *t* holds what was known at the close of bar *t*.
    """

    rows: int
    columns: Mapping[str, Float1D]

    def get(self, alias: str) -> Float1D | None:
        """The column, or None when the market lacks it."""
        return self.columns.get(alias)

    def __getitem__(self, alias: str) -> Float1D:
        return self.columns[alias]

    def __contains__(self, alias: str) -> bool:
        return alias in self.columns

    def has(self, *aliases: str) -> bool:
        """Whether every one of ``aliases`` is there."""
        return all(alias in self.columns for alias in aliases)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadOutput:
    """A head's answer on every bar; every array is ``(T,)`` and row *t* is known at close *t*.

    ``direction`` int8 in {-1, 0, 1}; ``probability`` and ``confidence`` float64 in [0, 1], scores
    rather than calibrated frequencies; ``score`` float64 in [0, 100], 50 neutral; ``coverage``
    float64 in [0, 1], the share of the head's components that had data; ``reasons`` uint64, one bit
    for each entry of the head's ``REASONS``. A neutral row is (0, 0.5, 0, 50); a row with coverage 0
    is neutral and counts as absent. Nothing is ever NaN. Raises ContractError otherwise.
    """

    direction: Int8Array1D
    probability: Float1D
    confidence: Float1D
    score: Float1D
    coverage: Float1D
    reasons: UInt64Array1D

    def __post_init__(self) -> None:
        count = len(self.direction)
        for name, dtype, low, high in (
            ("direction", np.int8, -1, 1),
            ("probability", np.float64, 0, 1),
            ("confidence", np.float64, 0, 1),
            ("score", np.float64, 0, 100),
            ("coverage", np.float64, 0, 1),
            ("reasons", np.uint64, 0, None),
        ):
            column = getattr(self, name)
            if column.shape != (count,) or column.dtype != dtype:
                raise ContractError(
                    f"{name} is {column.dtype} {column.shape}, it must be {np.dtype(dtype)} ({count},)"
                )
            if high is not None and not ((column >= low) & (column <= high)).all():
                row = int(np.flatnonzero(~((column >= low) & (column <= high)))[0])
                raise ContractError(f"{name}[{row}]={column[row]} must lie in [{low}, {high}]")
        if (self.direction[self.coverage == 0] != 0).any():
            raise ContractError("a row with coverage 0 must have direction 0: it has no data")

    @classmethod
    def from_votes(
        cls,
        *,
        direction: np.ndarray,
        probability: Float1D,
        confidence: Float1D,
        score: Float1D,
        coverage: Float1D,
        reasons: UInt64Array1D,
    ) -> "HeadOutput":
        """An answer with every row that has no direction or no coverage set to neutral.

        Where coverage is 0 the reasons are cleared as well; elsewhere score, coverage and reasons
        stay as given: they say why there was no vote.
        """
        absent = coverage <= 0
        neutral = (direction == 0) | absent
        return cls(
            direction=np.where(neutral, 0, direction).astype(np.int8),
            probability=np.where(neutral, NEUTRAL_PROBABILITY, probability),
            confidence=np.where(neutral, 0.0, confidence),
            score=np.where(absent, NEUTRAL_SCORE, score),
            coverage=np.where(absent, 0.0, coverage),
            reasons=np.where(absent, np.uint64(0), reasons),
        )

    @classmethod
    def absent(cls, rows: int) -> "HeadOutput":
        """The answer of a head that has no data at all: neutral, coverage 0, ``rows`` rows."""
        return cls(
            direction=np.zeros(rows, dtype=np.int8),
            probability=np.full(rows, NEUTRAL_PROBABILITY),
            confidence=np.zeros(rows),
            score=np.full(rows, NEUTRAL_SCORE),
            coverage=np.zeros(rows),
            reasons=np.zeros(rows, dtype=np.uint64),
        )


class Head(Protocol):
    """An opinion on every bar, from declared features only.

    A head is a frozen dataclass of its parameters. It keeps no state, reads nothing but ``inputs``,
    and knows nothing of positions, weights or other heads. ``VARIANTS`` are sets of parameters with
    which the head is checked as it is with the defaults: together they choose each preset and mode
    and turn each switch.

    A head may remember: hold an event for some bars, wait for its first ones. Every such span is a
    whole number of bars in a field whose name ends in ``_bars``, for the votes on the newest bars are
    made from a window that long (``latest_votes``).
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    name: ClassVar[str]
    SPACE: ClassVar[Mapping[str, Range]]
    REASONS: ClassVar[tuple[Reason, ...]]
    FIRING_RATE: ClassVar[tuple[float, float]]
    VARIANTS: ClassVar[tuple[Mapping[str, object], ...]]

    def features(self) -> Mapping[str, Feature]:
        """The features this head needs, by the alias under which ``vote`` reads them."""
        ...

    def vote(self, inputs: HeadInputs) -> HeadOutput:
        """Direction, probability, confidence, score, coverage and reasons on every bar."""
        ...

    def detections(self) -> Mapping[str, Detection]:
        """The tables of events that the votes follow from, by a short name; none for measured heads."""
        ...


def reason_bits(flags: Mapping[str, np.ndarray], reasons: tuple[Reason, ...]) -> UInt64Array1D:
    """Pack boolean ``(T,)`` flags, keyed by reason name, into one uint64 ``(T,)`` of named bits.

    Raises ContractError unless the keys are exactly the names of ``reasons``.
    """
    names = [reason.name for reason in reasons]
    if sorted(names) != sorted(flags) or len(names) > MAX_REASONS:
        raise ContractError(f"flags {sorted(flags)} must be exactly the reasons {sorted(names)}")
    packed = np.zeros(len(next(iter(flags.values()))), dtype=np.uint64)
    for bit, name in enumerate(names):
        packed |= flags[name].astype(np.uint64) << np.uint64(bit)
    return packed


def check_range(head: str, low: float, high: float, **values: float) -> None:
    """Raise ConfigError unless every parameter in ``values`` is finite and in [low, high]."""
    for name, value in values.items():
        if not (isfinite(value) and low <= value <= high):
            raise ConfigError(
                f"{head} head: {name}={value} must be a finite number in [{low:g}, {high:g}]"
            )


def check_lengths(head: str, **values: int) -> None:
    """Raise ConfigError unless every length in ``values`` is a whole number of at least 1."""
    check_range(head, 1, inf, **values)
    for name, value in values.items():
        if value != int(value):
            raise ConfigError(f"{head} head: {name}={value} must be a whole number")


def check_choice(head: str, choices: tuple[str, ...], **values: str) -> None:
    """Raise ConfigError unless every word in ``values`` is one of ``choices``."""
    for name, value in values.items():
        if value not in choices:
            allowed = " or ".join(repr(choice) for choice in choices)
            raise ConfigError(f"{head} head: {name}={value!r} must be {allowed}")


def check_timeframes(head: str, **values: str) -> None:
    """Raise ConfigError unless every word in ``values`` is a timeframe such as 4h."""
    for name, value in values.items():
        try:
            timeframe_ns(value)
        except ConfigError as error:
            raise ConfigError(f"{head} head: {name}={value!r}: {error}") from None


def check_weights(head: str, **weights: float) -> None:
    """Raise ConfigError unless the weights are finite, none is negative and one is positive."""
    check_range(head, 0.0, inf, **weights)
    if not sum(weights.values()) > 0:
        raise ConfigError(f"{head} head: one of {', '.join(weights)} must be positive, all are 0")
