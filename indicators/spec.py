"""What an indicator declares about itself, and how a feature names one of its outputs."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine import ConfigError, ContractError, Float1D

OutputKind: TypeAlias = Literal["value", "level", "sparse", "signal", "state"]
"""``value``: NaN for the declared lookback, finite afterwards. ``level``: NaN until the first event,
whose row depends on the data, finite afterwards. ``sparse``: NaN on every row on which it is not
defined, finite elsewhere. ``signal``: -1, 0 or 1, and 0 before anything is known. ``state``: a whole
number from a fixed code table, 0 for none or unknown."""

Parameters: TypeAlias = Mapping[str, float]
Columns: TypeAlias = Mapping[str, Float1D]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tunable number of an indicator: its default and the range that a search may use."""

    name: str
    default: float
    low: float
    high: float
    integer: bool = True

    def checked(self, value: float) -> float:
        """``value`` when it lies in the range (and is whole where it must be), else ConfigError."""
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise ConfigError(f"{self.name}={value} must lie in [{self.low}, {self.high}]")
        if self.integer and value != int(value):
            raise ConfigError(f"{self.name}={value} must be a whole number")
        return float(value)


@dataclass(frozen=True, slots=True)
class Output:
    """One column that an indicator computes.

    ``firing_rate`` is the share of rows other than 0 that is expected on hourly bars, as (low,
    high); it is written down before the rate is looked at and is required of every signal.
    """

    name: str
    kind: OutputKind
    unit: str
    text: str
    low: float = -math.inf
    high: float = math.inf
    firing_rate: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.kind == "signal") != (self.firing_rate is not None):
            raise ContractError(
                f"output {self.name}: a signal states its expected firing_rate, nothing else does"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """Numbers computed from the columns of one clock, without an opinion.

    ``compute(columns, parameters)`` returns one float64 ``(T,)`` array for each of ``outputs``, in
    that order, where row *t* depends on rows <= *t* only. ``inputs`` names every column that it
    reads. ``lookback(parameters)`` counts the leading NaN rows of its ``value`` outputs;
    ``stable(parameters)`` counts the rows after which its outputs differ by less than 1e-6
    (relative to their scale) from those computed on a series that started earlier. ``only_clock``
    names the one clock on which the numbers mean anything, where the names of the inputs don't say.
    A row counts when it states every input but those of ``may_lack``, which are NaN where it does not.
    Where nothing but ``bars`` is needed of ``only_clock`` (``bars+trade_flow?``), ``bars`` and longer bars
    serve too, without the rest.
    """

    name: str
    text: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    compute: Callable[[Columns, Parameters], tuple[Float1D, ...]]
    lookback: Callable[[Parameters], int]
    stable: Callable[[Parameters], int]
    only_clock: str | None = None
    may_lack: tuple[str, ...] = ()

    def runs_on(self, clock: str) -> bool:
        """Whether the indicator means anything on the rows of ``clock``."""
        if self.only_clock in (None, clock):
            return True
        needed = [part for part in str(self.only_clock).split("+") if not part.endswith("?")]
        return needed == ["bars"] and re.fullmatch(r"bars(:\w+)?", clock) is not None

    def resolved(self, given: Parameters) -> dict[str, float]:
        """Every parameter with its given or default value; ConfigError for a name or value amiss."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ConfigError(
                f"indicator {self.name} has no parameter {unknown[0]!r}; it has {sorted(known)}"
            )
        try:
            return {
                name: parameter.checked(given.get(name, parameter.default))
                for name, parameter in known.items()
            }
        except ConfigError as error:
            raise ConfigError(f"indicator {self.name}: {error}") from None

    def output_index(self, output: str) -> int:
        """Position of ``output`` in ``outputs``; ConfigError when there is none of that name."""
        for index, candidate in enumerate(self.outputs):
            if candidate.name == output:
                return index
        raise ConfigError(
            f"indicator {self.name} has no output {output!r}; it has "
            f"{[candidate.name for candidate in self.outputs]}"
        )


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """The identity of a column: indicator, output, parameters and the clock it is computed on.

    ``clock`` is ``bars`` (the decision bars), ``bars:4h`` and the like (bars rebuilt from the
    decision bars and shown after their close only) or the name of a slow series, whose rows are
    shown from ``available_at`` on. Two features that are equal hold the same numbers.
    """

    indicator: str
    output: str
    parameters: tuple[tuple[str, float], ...] = ()
    clock: str = "bars"

    def __str__(self) -> str:
        arguments = ",".join(f"{name}={_number_text(value)}" for name, value in self.parameters)
        return f"{self.indicator}.{self.output}({arguments})@{self.clock}"


def _number_text(value: float) -> str:
    """The shortest text of ``value`` that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def feature(indicator: str, output: str, *, clock: str = "bars", **parameters: float) -> Feature:
    """A feature with its parameters in one canonical order."""
    ordered = tuple(sorted((name, float(value)) for name, value in parameters.items()))
    return Feature(indicator, output, ordered, clock)
