"""Heads of the user's own: one file each, named by a configuration, run as it is."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Final

from engine import ConfigError, ContractError
from indicators import Detection, Feature
from strategies import Head, HeadInputs, HeadOutput, Reason
from strategies.base import MAX_REASONS, Range

from .config_features import RECORDED, HeadFile
from .own_files import executed, guarded, kind_of, line_naming, line_of, place
from .own_parameters import checked_parameter

LISTED: Final = "HEAD"
"""The name under which a file holds its head."""
_MODULE_PREFIX: Final = "own_head_"
_METHODS: Final = ("features", "vote", "detections")
_DECLARED: Final = ("name", "SPACE", "REASONS", "FIRING_RATE", "VARIANTS")


def own_head(file: HeadFile) -> Head:
    """The head of ``file`` with the parameters that the configuration gives it.

    The file is run once in a process. Raises ConfigError, with file and line, for a file without a class
    ``HEAD`` that follows ``strategies.Head``, for another name than the configuration's, for a parameter
    that does not fit (``checked_parameter``), and for whatever the class itself refuses. Exceptions of its
    methods become ContractErrors with their line. Two heads are equal where their file is one and their
    parameters are, in type and value.
    """
    made = _head_class(file.path, file.sha256, file.name)
    parameters = {
        name: checked_parameter(made, name, value) for name, value in file.parameters.items()
    }
    try:
        return made(**parameters)
    except Exception as error:  # noqa: BLE001 - the border to code of the user: every error gets its place
        place(file.path, f"head {file.name}", error, ConfigError)


def check_parameter(file: HeadFile, name: str, value: Any) -> None:
    """ConfigError unless the head of ``file`` has a parameter ``name`` that may be ``value``."""
    checked_parameter(_head_class(file.path, file.sha256, file.name), name, value)


@lru_cache(maxsize=64)
def _head_class(path: str, sha256: str, name: str) -> type[Head]:
    stated = {"path": path, "sha256": sha256, "name": name}
    file = HeadFile.model_validate(stated, context={RECORDED: True})
    module = executed(file, _MODULE_PREFIX)
    found: Any = getattr(module, LISTED, None)
    if found is None:
        raise ConfigError(f"{path}: has no {LISTED}; name its class, such as {LISTED} = MyHead")
    at = f"{path}:{line_naming(file, LISTED)}: {LISTED}"
    if not isinstance(found, type) or not is_dataclass(found) or found.__hash__ is None:
        raise ConfigError(
            f"{at} is {kind_of(found)}; it must be a class with @dataclass(frozen=True)"
        )
    for word in (*_DECLARED, *_METHODS):
        if getattr(found, word, None) is None or getattr(found, word) is getattr(Head, word, None):
            raise ConfigError(f"{at}: the class {found.__name__} lacks {word}; see strategies.Head")
    _check_declared(at, name, found)
    return _guarded_class(path, name, found)


def _check_declared(at: str, name: str, head: Any) -> None:
    if head.name != name:
        raise ConfigError(
            f"{at}: the head calls itself {head.name!r} and heads.files calls it {name!r}; they must agree"
        )
    reasons = head.REASONS if isinstance(head.REASONS, tuple) else (None,)
    names = [one.name for one in reasons if isinstance(one, Reason)]
    if len(names) < len(reasons) or len(set(names)) < len(names) or len(names) > MAX_REASONS:
        raise ConfigError(
            f"{at}: REASONS must be a tuple of at most {MAX_REASONS} strategies.Reason, each name once"
        )
    rate = head.FIRING_RATE
    is_pair = isinstance(rate, tuple) and len(rate) == 2
    are_numbers = is_pair and all(isinstance(one, int | float) for one in rate)
    if not are_numbers or not 0 <= rate[0] <= rate[1] <= 1:
        raise ConfigError(f"{at}: FIRING_RATE={rate!r} must be two shares of bars, (low, high)")
    space, variants = head.SPACE, head.VARIANTS
    if not isinstance(space, Mapping) or not all(isinstance(one, Range) for one in space.values()):
        raise ConfigError(f"{at}: SPACE must be a mapping from parameters to strategies.Range")
    for parameter in space:
        if parameter not in (field.name for field in fields(head)):
            raise ConfigError(f"{at}: SPACE has {parameter!r}, which is no parameter of the class")
    if not isinstance(variants, tuple) or not all(isinstance(one, Mapping) for one in variants):
        raise ConfigError(f"{at}: VARIANTS must be a tuple of mappings from parameters to values")


def _guarded_class(path: str, name: str, head: Any) -> type[Head]:
    """A subclass of ``head`` whose methods tell file and line of what goes wrong in them."""

    def checked(method: Callable[..., Any], kind: type[Any]) -> Callable[..., Any]:
        def call(self: Any, *arguments: Any) -> Any:
            found = guarded(path, f"head {name}", lambda: method(self, *arguments))
            if not isinstance(found, kind):
                raise ContractError(
                    f"{path}:{line_of(method)}: head {name}: {method.__name__} returned "
                    f"{kind_of(found)}; return a {kind.__name__}"
                )
            return found

        return call

    def features(self: Any) -> Mapping[str, Feature]:
        found: Mapping[str, Feature] = checked(head.features, Mapping)(self)
        return found

    def vote(self: Any, inputs: HeadInputs) -> HeadOutput:
        found: HeadOutput = checked(head.vote, HeadOutput)(self, inputs)
        return found

    def detections(self: Any) -> Mapping[str, Detection]:
        found: Mapping[str, Detection] = checked(head.detections, Mapping)(self)
        return found

    def identity(self: Any) -> tuple[str, ...]:
        return tuple(repr(getattr(self, field.name)) for field in fields(self))

    def is_equal(self: Any, other: object) -> bool:
        return type(other) is type(self) and identity(other) == identity(self)

    methods = {
        "features": features,
        "vote": vote,
        "detections": detections,
        # Votes are kept by head: whatever the class says of equality, other parameters are another head.
        "__eq__": is_equal,
        "__hash__": lambda self: hash(identity(self)),
    }
    return type(head.__name__, (head,), {**methods, "__module__": head.__module__})
