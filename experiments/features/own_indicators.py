"""Indicators of the user's own: one file of a project, named by its configuration, run as it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine import ConfigError, ContractError, Float1D
from indicators import INDICATORS_BY_NAME, Columns, Indicator, Parameters

from ..config import RunConfig
from ..config_features import IndicatorFile
from ..own_files import executed, guarded, kind_of, line_naming, line_of

LISTED: Final = "INDICATORS"
"""The name under which a file lists its indicators."""
_MODULE_PREFIX: Final = "own_indicators_"


@dataclass(frozen=True, slots=True)
class OwnCompute:
    """``function`` of the indicator ``name`` in a file of the user's: its errors name file and line.

    ContractError for an exception of the user's code, for another number of columns than ``outputs``
    names, and for a column that is no float64 ``(rows,)``.
    """

    path: str
    sha256: str
    name: str
    outputs: tuple[str, ...]
    function: Callable[[Columns, Parameters], tuple[Float1D, ...]]

    def __call__(self, columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        rows = len(next(iter(columns.values())))
        found: Any = guarded(
            self.path, f"indicator {self.name}", lambda: self.function(columns, parameters)
        )
        if not isinstance(found, tuple | list) or len(found) != len(self.outputs):
            told = f"{len(found)} columns" if isinstance(found, tuple | list) else kind_of(found)
            raise self._broken(
                f"compute returned {told}; return a tuple with one array for each of the outputs "
                f"{', '.join(self.outputs)}"
            )
        for output, column in zip(self.outputs, found, strict=True):
            if not isinstance(column, np.ndarray):
                raise self._broken(f"output {output} is {kind_of(column)}; return a numpy array")
            if column.shape != (rows,) or column.dtype != np.float64:
                raise self._broken(
                    f"output {output} is {column.dtype} of shape {column.shape}; it must be float64 of "
                    f"shape ({rows},), one number for each row"
                )
        return tuple(found)

    def _broken(self, rule: str) -> ContractError:
        return ContractError(f"{self.path}:{line_of(self.function)}: indicator {self.name}: {rule}")


def indicators_of(config: RunConfig) -> Mapping[str, Indicator]:
    """Every indicator that ``config`` may use, by name: the catalogue, and those of its own files.

    Reading a file runs it: once in a process, and only the files that the configuration names. Raises
    ConfigError that names the file, its line, and the rule.
    """
    return _registry(config.indicators) if config.indicators else INDICATORS_BY_NAME


def own_indicators_of(config: RunConfig) -> tuple[Indicator, ...]:
    """The indicators of the files that ``config`` names; errors as those of :func:`indicators_of`."""
    return tuple(one for file in config.indicators for one in loaded_indicators(file))


@lru_cache(maxsize=64)
def _registry(files: tuple[IndicatorFile, ...]) -> Mapping[str, Indicator]:
    found = dict(INDICATORS_BY_NAME)
    homes: dict[str, str] = {}
    for file in files:
        for indicator in loaded_indicators(file):
            if indicator.name in found:
                home = homes.get(indicator.name, "Ninefold itself")
                raise ConfigError(
                    f"{file.path}:{line_naming(file, indicator.name)}: there is an indicator "
                    f"{indicator.name!r} already, in {home}; call this one otherwise"
                )
            found[indicator.name] = indicator
            homes[indicator.name] = file.path
    return found


@lru_cache(maxsize=64)
def loaded_indicators(file: IndicatorFile) -> tuple[Indicator, ...]:
    """The indicators that ``file`` lists in ``INDICATORS``; ConfigError as :func:`indicators_of`."""
    module = executed(file, _MODULE_PREFIX)
    listed: Any = getattr(module, LISTED, None)
    if listed is None:
        raise ConfigError(
            f"{file.path}: has no {LISTED}; list what it offers, such as {LISTED} = (MY_INDICATOR,)"
        )
    line = line_naming(file, LISTED)
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise ConfigError(
            f"{file.path}:{line}: {LISTED} is {kind_of(listed)}; it must be a tuple of one or more "
            "indicators"
        )
    made: dict[str, Indicator] = {}
    for position, one in enumerate(listed):
        if not isinstance(one, Indicator):
            raise ConfigError(
                f"{file.path}:{line}: {LISTED}[{position}] is {kind_of(one)}; it must be an "
                "indicators.Indicator"
            )
        if one.name in made:
            raise ConfigError(f"{file.path}:{line}: {LISTED} has {one.name!r} twice")
        made[one.name] = _checked(file, one)
    return tuple(made.values())


def _checked(file: IndicatorFile, indicator: Indicator) -> Indicator:
    place = f"{file.path}:{line_naming(file, indicator.name)}: indicator {indicator.name!r}"
    if not indicator.name.isidentifier():
        raise ConfigError(f"{place}: a name has letters, digits and underscores only")
    if not indicator.outputs or not indicator.inputs:
        raise ConfigError(f"{place}: needs at least one input and one output")
    for what, names in (
        ("output", [output.name for output in indicator.outputs]),
        ("parameter", [parameter.name for parameter in indicator.parameters]),
    ):
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise ConfigError(
                    f"{place}: {what} {name!r} is there twice, or is no name of letters, digits and "
                    "underscores"
                )
    for parameter in indicator.parameters:
        try:
            parameter.checked(parameter.default)
        except ConfigError as error:
            raise ConfigError(f"{place}: the default of a parameter: {error}") from None
    compute = OwnCompute(
        file.path,
        file.sha256,
        indicator.name,
        tuple(output.name for output in indicator.outputs),
        indicator.compute,
    )
    return replace(
        indicator,
        compute=compute,
        lookback=_counted(file.path, indicator.name, "lookback", indicator.lookback),
        stable=_counted(file.path, indicator.name, "stable", indicator.stable),
    )


def _counted(
    path: str, name: str, what: str, count: Callable[[Parameters], int]
) -> Callable[[Parameters], int]:
    """``count`` with its errors placed; ContractError unless it gives a whole number of rows."""

    def counted(parameters: Parameters) -> int:
        found: Any = guarded(path, f"indicator {name}", lambda: count(parameters))
        if not isinstance(found, int | np.integer) or found < 0:
            raise ContractError(
                f"{path}:{line_of(count)}: indicator {name}: {what} gave {found!r}; it must be a whole "
                "number of rows, 0 or more"
            )
        return int(found)

    return counted
