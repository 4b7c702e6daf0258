"""What the parameters of a head of the user's own may be, by what its class declares."""

import difflib
from collections.abc import Mapping
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

from engine import ConfigError
from strategies import Head

from .config_problems import NEAR_ENOUGH

Scalar: TypeAlias = bool | int | float | str
_KINDS: Final[Mapping[Any, type[Scalar]]] = {
    written: kind for kind in (bool, int, float, str) for written in (kind, kind.__name__)
}
_WORDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def checked_parameter(head: type[Head], name: str, value: Any) -> Scalar:
    """``value`` as the class ``head`` takes it for its field ``name``: a number of the field's type.

    Raises ConfigError for a field that is not there, for a value of another type than its annotation
    says (bool, int, float and str are told apart; what else stands there is not judged), and for a
    number outside of the class's ``SPACE``.
    """
    annotations = {field.name: field.type for field in fields(head) if field.init}
    if name not in annotations:
        near = difflib.get_close_matches(name, list(annotations), n=1, cutoff=NEAR_ENOUGH)
        meant = f"did you mean {near[0]!r}? It has" if near else "it has"
        raise ConfigError(
            f"heads.files: the head {head.name} has no parameter {name!r}; {meant} "
            f"{', '.join(annotations) or 'none'}"
        )
    found = _of_kind(value, kinds := _kinds(annotations[name]))
    if found is None:
        wanted = " or ".join(_WORDS[kind] for kind in kinds or _WORDS)
        raise ConfigError(f"heads.files: {head.name}.{name}={value!r} must be {wanted}")
    limits = head.SPACE.get(name)
    if limits is not None and isinstance(found, int | float):
        if not limits.low <= found <= limits.high:
            raise ConfigError(
                f"heads.files: {head.name}.{name}={value} must lie in "
                f"[{limits.low:g}, {limits.high:g}], as its SPACE says"
            )
        if limits.integer and found != int(found):
            raise ConfigError(
                f"heads.files: {head.name}.{name}={value} must be a whole number, as its SPACE says"
            )
    return found


def _of_kind(value: Any, kinds: tuple[type[Scalar], ...]) -> Scalar | None:
    """``value`` in one of ``kinds`` (none: any); None where it is of no such kind."""
    if type(value) in (kinds or _WORDS):
        scalar: Scalar = value
        return scalar
    if type(value) is int and float in kinds:
        return float(value)
    if type(value) is float and value.is_integer() and int in kinds:
        return int(value)
    return None


def _kinds(annotation: Any) -> tuple[type[Scalar], ...]:
    """What an annotation allows, which may stand there as text; none where that is not told by it."""
    parts: tuple[Any, ...] = (annotation,)
    if isinstance(annotation, str):
        parts = tuple(part.strip() for part in annotation.split("|"))
    elif get_origin(annotation) in (Union, UnionType):
        parts = get_args(annotation)
    stated = [part for part in parts if part not in (None, "None", NoneType)]
    kinds = tuple(
        _KINDS[part] for part in stated if isinstance(part, type | str) and part in _KINDS
    )
    return kinds if len(kinds) == len(stated) else ()
