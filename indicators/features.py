"""From a market to a matrix of features, each joined on the moment it became known."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from engine import ConfigError, ContractError, Float1D, Float2D, Int1D, Market

from .asof import joined, last_known_row
from .clock import Clock, clock_of
from .spec import Columns, Feature, Indicator, Output

ClockBuilder: TypeAlias = Callable[[Market, str], Clock | None]
Computation: TypeAlias = tuple[str, tuple[tuple[str, float], ...], str]
"""An indicator, its resolved parameters in order of name, and its clock."""
StatedRows: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A clock, the columns that are read on it, and those of them that a row may lack."""
Computed: TypeAlias = MutableMapping[Computation, tuple[Float1D, ...]]
"""Outputs of computations on one market, on the rows of their clocks."""


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """Columns of numbers on the decision bars.

    ``open_time`` and ``known_at`` are int64 ns UTC ``(T,)``; ``values`` is ``(T, F)`` float64,
    Fortran-ordered, one column for each of ``features``. Row *t* holds only what was known at
    ``known_at[t]``, the close of bar *t*. A feature whose inputs the market lacks is not a column.
    """

    open_time: Int1D
    known_at: Int1D
    features: tuple[Feature, ...]
    values: Float2D

    def get(self, feature: Feature) -> Float1D | None:
        """The column of ``feature``, ``(T,)``, or None when the market lacks its inputs."""
        if feature not in self.features:
            return None
        column: Float1D = self.values[:, self.features.index(feature)]
        return column


def build_features(
    market: Market,
    features: Iterable[Feature],
    *,
    indicators: Mapping[str, Indicator],
    clock_builder: ClockBuilder = clock_of,
    computed: Computed | None = None,
) -> FeatureMatrix:
    """Compute ``features`` of one market; each indicator runs once for each clock and parameter set.

    ``computed`` holds what earlier calls on the same market computed, and gets what this one adds.

    Raises ConfigError for an unknown indicator, output, parameter or timeframe, or a clock that the
    indicator is not meant for, ContractError when
    an indicator returns another number of columns or another shape than it declares.
    """
    wanted = tuple(dict.fromkeys(features))
    base = clock_builder(market, "bars")
    if base is None:
        raise ContractError("a market always has bars")
    known_at = base.available_at
    clocks: dict[str, Clock | None] = {"bars": base}
    stating: dict[StatedRows, Clock | None] = {}
    rows: dict[StatedRows, Int1D] = {}
    done: Computed = {} if computed is None else computed
    present: list[Feature] = []
    columns: list[Float1D] = []
    for feature in wanted:
        indicator = looked_up(feature, indicators)
        index = indicator.output_index(feature.output)
        if feature.clock not in clocks:
            clocks[feature.clock] = clock_builder(market, feature.clock)
        clock = clocks[feature.clock]
        if clock is None:
            continue
        read = (feature.clock, indicator.inputs, indicator.may_lack)
        if read not in stating:
            stating[read] = clock.stating(indicator.inputs, indicator.may_lack)
        clock = stating[read]
        if clock is None:
            continue
        identity = computation_of(feature, indicator)
        outputs = done.get(identity)
        if outputs is None:
            outputs = done[identity] = computed_outputs(indicator, dict(identity[1]), clock)
        column = outputs[index]
        if feature.clock != "bars":
            if read not in rows:
                rows[read] = last_known_row(known_at, clock.available_at)
            column = shown_column(column, rows[read], clock, known_at, indicator.outputs[index])
        present.append(feature)
        columns.append(column)
    values = np.empty((len(known_at), len(columns)), order="F")
    for position, column in enumerate(columns):
        values[:, position] = column
    return FeatureMatrix(base.event_time, known_at, tuple(present), values)


def looked_up(feature: Feature, indicators: Mapping[str, Indicator]) -> Indicator:
    """The indicator of ``feature``; ConfigError when there is none, or not on the feature's clock."""
    if feature.indicator not in indicators:
        raise ConfigError(
            f"there is no indicator {feature.indicator!r}; there are {sorted(indicators)}"
        )
    indicator = indicators[feature.indicator]
    if not indicator.runs_on(feature.clock):
        raise ConfigError(
            f"feature {feature}: indicator {indicator.name} is computed on clock "
            f"{indicator.only_clock} only"
        )
    return indicator


def computation_of(feature: Feature, indicator: Indicator) -> Computation:
    """What ``indicator`` has to compute for ``feature``; ConfigError for a parameter amiss."""
    parameters = indicator.resolved(dict(feature.parameters))
    return (indicator.name, tuple(sorted(parameters.items())), feature.clock)


def computed_outputs(
    indicator: Indicator, parameters: Mapping[str, float], clock: Clock
) -> tuple[Float1D, ...]:
    """Every output of ``indicator`` on the rows of ``clock``; ContractError for another shape."""
    inputs = {name: clock.columns[name] for name in indicator.inputs}
    return outputs_of(indicator, inputs, parameters, len(clock.event_time))


def outputs_of(
    indicator: Indicator, inputs: Columns, parameters: Mapping[str, float], rows: int
) -> tuple[Float1D, ...]:
    """Every output of ``indicator`` on ``inputs`` of so many rows; ContractError for another shape."""
    outputs = indicator.compute(inputs, parameters)
    expected = (rows,)
    if len(outputs) != len(indicator.outputs) or any(o.shape != expected for o in outputs):
        raise ContractError(
            f"indicator {indicator.name} returned shapes {[o.shape for o in outputs]}; it declares "
            f"{len(indicator.outputs)} outputs of shape {expected}"
        )
    return outputs


def shown_column(
    values: Float1D, rows: Int1D, clock: Clock, known_at: Int1D, output: Output
) -> Float1D:
    """``values`` of ``clock`` at the bars that see ``rows`` of it, ``(T,)``; a missing event is 0."""
    column = joined(values, rows, clock.event_time, known_at, clock.max_age_ns)
    if output.kind in ("signal", "state"):
        column = np.where(np.isnan(column), 0.0, column)
    return column
