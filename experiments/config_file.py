"""From YAML to a checked configuration, and from a configuration to its hash."""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine import ConfigError

from .config import RunConfig
from .config_checks import check_effects
from .yaml_source import KeyPath, Source, overridden, read_source

ModelT = TypeVar("ModelT", bound=BaseModel)
NEAR_ENOUGH = 0.5
"""Likeness from which a valid key is suggested for an unknown one."""
HASH_LABEL_LENGTH = 8
"""Leading digits of the hash that appear in the name of a run folder."""


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML configuration, apply ``a.b=c`` overrides in order and check everything.

    Raises ConfigError naming ``file:line`` (or the override), the key, the rule and the value; for an
    unknown key also the nearest valid one. A key that changes nothing beside the others is refused,
    unless the configuration is the trial of a sweep (``origin``).
    """
    source = overridden(read_source(path), overrides)
    config = validated(RunConfig, source)
    if config.origin is None:
        try:
            check_effects(config)
        except ConfigError as error:
            raise ConfigError(f"{_named_origin(str(error), (), source)}: {error}") from None
    return config


def config_of(tree: Mapping[str, Any], overrides: Sequence[str] = ()) -> RunConfig:
    """A checked configuration from plain values, as load_config makes one from a file."""
    return validated(RunConfig, overridden(Source(tree, {}, "configuration"), overrides))


def resolved(config: RunConfig) -> dict[str, Any]:
    """Every key with its value after defaults, as plain JSON values."""
    return config.model_dump(mode="json")


def canonical_json(config: RunConfig) -> str:
    """The resolved configuration as JSON with sorted keys and no spaces: what the hash is made of."""
    return json.dumps(
        resolved(config),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def config_hash(config: RunConfig) -> str:
    """SHA-256 of canonical_json, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(config).encode()).hexdigest()


def config_schema() -> dict[str, Any]:
    """JSON Schema of a configuration, for editors."""
    return RunConfig.model_json_schema()


def validated(model: type[ModelT], source: Source) -> ModelT:
    """``source`` as a checked ``model``; ConfigError as :func:`load_config` raises it."""
    try:
        return model.model_validate(source.tree)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        described = (_described(problem, source, model) for problem in problems)
        raise ConfigError("; ".join(described)) from None
    except ConfigError as error:
        raise ConfigError(f"{source.name}: {error}") from None


def _described(problem: ErrorDetails, source: Source, model: type[BaseModel]) -> str:
    path: KeyPath = tuple(problem["loc"])
    key = ".".join(map(str, path))
    origin = source.origin(path)
    if problem["type"] == "extra_forbidden":
        return f"{origin}: unknown key {key!r}{_suggestion(path, problem['input'], model)}"
    if problem["type"] == "missing":
        return f"{origin}: the key {key!r} is missing"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = message.replace("String should match pattern", "must match the pattern")
    value = problem["input"]
    if isinstance(value, Mapping | BaseModel) or not path:
        return f"{_named_origin(message, path, source)}: {_joined(key, message)}"
    return f"{origin}: {key}={value!r} {message}"


def _joined(key: str, message: str) -> str:
    """A rule between several keys names them itself; the section goes in front."""
    return f"{key}.{message}" if key else message


def _named_origin(message: str, path: KeyPath, source: Source) -> str:
    """Where the key that ``message`` begins with was written, below ``path``."""
    found = re.match(r"[A-Za-z_]\w*(\.\w+)*", message)
    names = found[0].split(".") if found else []
    for length in range(len(names), 0, -1):
        if (*path, *names[:length]) in source.origins:
            return source.origins[(*path, *names[:length])]
    for known, origin in source.origins.items():
        if names and known[: len(path)] == path and names[0] in known[len(path) :]:
            return origin
    return source.origin(path)


def _suggestion(path: KeyPath, value: Any, root: type[BaseModel]) -> str:
    if path == ("sweep",):
        return "; this is a sweep's configuration, which `ninefold sweep run` takes"
    model = _model_at(root, path[:-1])
    if model is None:
        return ""
    names = list(model.model_fields)
    valid = f"valid keys here: {', '.join(names)}"
    inside = list(value) if isinstance(value, Mapping) else []
    homes = [home for name in inside for home in _homes(str(name), root)[:1]]
    near = difflib.get_close_matches(str(path[-1]), names, n=1, cutoff=NEAR_ENOUGH)
    if near and not homes:
        return f"; did you mean {near[0]!r}? {valid}"
    homes = homes or _homes(str(path[-1]), root)[:1]
    return f"; did you mean {' and '.join(map(repr, homes))}? {valid}" if homes else f"; {valid}"


def _homes(name: str, model: type[BaseModel], above: str = "") -> list[str]:
    """The keys called ``name`` in the whole tree, those nearest to its root first."""
    homes = [f"{above}{name}"] if name in model.model_fields else []
    for key, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            homes += _homes(name, inner, f"{above}{key}.")
    return sorted(homes, key=lambda home: home.count("."))


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    is_name = False
    for part in path:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        if here is None or part not in here.model_fields:
            return None
        annotation = here.model_fields[part].annotation
        here, is_name = _model_in(annotation), get_origin(annotation) is Mapping
    return here


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, Mapping):
        for argument in get_args(annotation):
            found = _model_in(argument)
            if found is not None:
                return found
    return None
