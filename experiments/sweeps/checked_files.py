"""Files of the user's own before the first trial: within trials an error would be that of each of them."""

import re
from collections.abc import Mapping
from typing import Any

from engine import ConfigError
from indicators import Indicator

from ..config_features import HeadFile
from ..features.own_indicators import indicators_of
from ..own_heads import check_parameter, own_head
from .config import Parameter
from .own_parameters import OwnParameter, own_parameter
from .space import Space, extremes


def checked_files(space: Space) -> Mapping[str, Indicator]:
    """The indicators of the space's configuration, after every file of it was run.

    Raises ConfigError where a file cannot be used, and where a head refuses the bounds of a parameter that
    is searched; what only contradicts other searched parameters of the head is found in trials.
    """
    files = {file.name: file for file in space.base.heads.files}
    for file in files.values():
        own_head(file)
    searched = {axis.path: axis.parameter for axis in space.axes if axis.head is None}
    own = {path: found for path in searched if (found := own_parameter(path)) is not None}
    for path, one in own.items():
        others = [other.name for other in own.values() if other.head == one.head and other != one]
        _check(path, one, files[one.head], searched[path], others)
    return indicators_of(space.base)


def _check(
    path: str, one: OwnParameter, file: HeadFile, parameter: Parameter, others: list[str]
) -> None:
    for value in extremes(parameter):
        try:
            check_parameter(file, one.name, value)
        except ConfigError as error:
            raise _placed(path, error) from None
        changed: dict[str, Any] = {**file.parameters, one.name: value}
        try:
            own_head(file.model_copy(update={"parameters": changed}))
        except ConfigError as error:
            said = set(re.findall(r"\w+", str(error)))
            if not others or (one.name in said and said.isdisjoint(others)):
                raise _placed(path, error) from None


def _placed(path: str, error: ConfigError) -> ConfigError:
    return ConfigError(f"sweep.space.{path}: {str(error).removeprefix('heads.files: ')}")
