"""What a detector declares about the events that it finds, and how a set of them is named."""

from collections.abc import Callable
from dataclasses import dataclass

from engine import ConfigError, ContractError

from .event_table import EventTable
from .spec import Columns, Indicator, Parameter, Parameters


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event. ``column`` is the signal output of the detector's indicator that is the sign
    of the sum of directions of all the events of the types that name it, row by row of ``known``.

    ``firing_rate`` is the share of hourly bars on which it is expected, as (low, high); a type without
    a column, whose output would state it, must.
    """

    name: str
    text: str
    column: str | None = None
    firing_rate: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class EventState:
    """A state that an event may enter after it became known.

    ``column`` as in ``EventType``, by the row of the change; ``sign`` -1 where the event then argues
    for the other side (a broken block). ``ends`` says that nothing follows: the event is over.
    """

    name: str
    text: str
    column: str | None = None
    sign: int = 1
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """Finds events in the columns of one clock.

    ``find(columns, parameters)`` returns the table; nothing in it that is known at the close of row
    *t* depends on a later row. ``inputs``, ``parameters`` and ``stable`` mean what they mean for an
    ``Indicator``; ``indicator`` is the one whose columns come out of the same kernels, if there is one:
    it has the same parameters, and ``column`` of types and states names its outputs. ``points`` are
    the names of the turning points of the shape, ``levels`` those of the further prices that an event
    states when it becomes known, ``measure_unit`` what ``measure`` grades.
    """

    name: str
    text: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    types: tuple[EventType, ...]
    states: tuple[EventState, ...] = ()
    points: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    measure_unit: str = ""
    find: Callable[[Columns, Parameters], EventTable]
    stable: Callable[[Parameters], int]
    indicator: Indicator | None = None

    def __post_init__(self) -> None:
        for kind in self.types:
            if (kind.column is None) == (kind.firing_rate is None):
                raise ContractError(
                    f"detector {self.name}, type {kind.name}: name the column that it is part of, or "
                    "state a firing_rate"
                )

    def resolved(self, given: Parameters) -> dict[str, float]:
        """Every parameter with its given or default value; ConfigError for a name or value amiss."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ConfigError(
                f"detector {self.name} has no parameter {unknown[0]!r}; it has {sorted(known)}"
            )
        try:
            return {
                name: parameter.checked(given.get(name, parameter.default))
                for name, parameter in known.items()
            }
        except ConfigError as error:
            raise ConfigError(f"detector {self.name}: {error}") from None

    def type_code(self, name: str) -> int:
        """Position of the type called ``name``; ConfigError when there is none."""
        names = [one.name for one in self.types]
        if name not in names:
            raise ConfigError(f"detector {self.name} has no event type {name!r}; it has {names}")
        return names.index(name)


@dataclass(frozen=True, slots=True, order=True)
class Detection:
    """The identity of a table of events: detector, parameters and the clock whose rows it counts."""

    detector: str
    parameters: tuple[tuple[str, float], ...] = ()
    clock: str = "bars"


def detection(detector: str, *, clock: str = "bars", **parameters: float) -> Detection:
    """A detection with its parameters in one canonical order."""
    ordered = tuple(sorted((name, float(value)) for name, value in parameters.items()))
    return Detection(detector, ordered, clock)
