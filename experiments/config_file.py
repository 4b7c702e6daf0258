"""From YAML to a checked configuration, and from a configuration to its hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from engine import ConfigError

from .config import RunConfig
from .config_checks import check_effects
from .config_features import FILES_KEY, HEADS_KEY, RECORDED, beside, own_head_names, with_files
from .config_heads import OWN_HEADS
from .config_problems import named_origin, told
from .yaml_source import Source, overridden, read_source

ModelT = TypeVar("ModelT", bound=BaseModel)
HASH_LABEL_LENGTH = 8
"""Leading digits of the hash that appear in the name of a run folder."""
NOT_CHOSEN: Final = ("name", "origin", "features")
"""Keys that decide no number of a run."""


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML configuration, apply ``a.b=c`` overrides in order and check everything.

    Raises ConfigError naming ``file:line`` (or the override), the key, the rule and the value; for an
    unknown key also the nearest valid one. A key that changes nothing beside the others is refused,
    unless the configuration is the trial of a sweep (``origin``).
    """
    source = source_of(path, overrides)
    config = validated(RunConfig, source)
    if config.origin is None:
        try:
            check_effects(config)
        except ConfigError as error:
            raise ConfigError(f"{named_origin(str(error), (), source)}: {error}") from None
    return config


def source_of(path: Path | str, overrides: Sequence[str] = ()) -> Source:
    """The plain values of a YAML configuration with ``overrides``; files of code are beside it."""
    return beside(overridden(read_source(path), overrides), Path(path).parent)


def config_of(
    tree: Mapping[str, Any], overrides: Sequence[str] = (), *, recorded: bool = False
) -> RunConfig:
    """A checked configuration from plain values, as load_config makes one from a file.

    ``recorded`` as in :func:`validated`.
    """
    source = overridden(Source(tree, {}, "configuration"), overrides)
    return validated(RunConfig, source, recorded=recorded)


def resolved(config: RunConfig) -> dict[str, Any]:
    """Every key with its value after defaults, as plain JSON values."""
    return config.model_dump(mode="json")


def canonical_json(tree: Mapping[str, Any]) -> str:
    """A resolved configuration as JSON with sorted keys and no spaces: what the hash is made of.

    A file of code stands in it by its name and content: where it lies changes nothing.
    """
    return json.dumps(
        with_files(tree, lambda file: {**file, "path": Path(file["path"]).name}),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def config_hash(config: RunConfig) -> str:
    """SHA-256 of canonical_json, 64 hexadecimal digits."""
    return tree_hash(resolved(config))


def tree_hash(tree: Mapping[str, Any]) -> str:
    """The hash of a resolved configuration that was written down as plain values."""
    return hashlib.sha256(canonical_json(tree).encode()).hexdigest()


def trial_hash(tree: Mapping[str, Any]) -> str:
    """The hash of what a sweep chose, from a resolved configuration: everything that decides, but the days.

    Neither ``data.start`` and ``data.end`` nor ``name``, ``origin`` and ``features`` are in it. ``seed``
    is where a simulated market is drawn from it.
    """
    simulated = tree["data"]["simulated"]
    left_out = {*NOT_CHOSEN, "seed"}
    if simulated is not None and simulated["seed"] is None:
        left_out.remove("seed")
    kept = {name: value for name, value in tree.items() if name not in left_out}
    return tree_hash({**kept, "data": without_period(tree["data"])})


def is_trial(tree: Mapping[str, Any]) -> bool:
    """Whether a resolved configuration is that of the trial its ``origin`` names, on whatever days.

    One without an origin is none, and one that was changed after it was written out is none any more.
    """
    origin = tree["origin"]
    return origin is not None and origin.get("trial_hash") == trial_hash(tree)


def without_period(data: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved ``data`` section without its first and its last day."""
    return {name: value for name, value in data.items() if name not in ("start", "end")}


def config_schema() -> dict[str, Any]:
    """JSON Schema of a configuration, for editors."""
    return RunConfig.model_json_schema()


def validated(model: type[ModelT], source: Source, *, recorded: bool = False) -> ModelT:
    """``source`` as a checked ``model``; ConfigError as :func:`load_config` raises it.

    Where ``recorded``, files of code whose hash it states are not read: only what runs them checks them.
    """
    heads = source.tree.get(HEADS_KEY)
    files = heads.get(FILES_KEY) if isinstance(heads, Mapping) else None
    try:
        return model.model_validate(
            source.tree, context={OWN_HEADS: own_head_names(files), RECORDED: recorded}
        )
    except ValidationError as error:
        raise ConfigError(told(error, source, model)) from None
    except ConfigError as error:
        raise ConfigError(f"{source.name}: {error}") from None
