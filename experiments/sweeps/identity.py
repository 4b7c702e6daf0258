"""What makes two sweeps the same one."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine import ConfigError, ContractError

DIGEST_LENGTH: Final = 12
"""Leading digits of the digest that appear in the name of a sweep's folder."""
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIdentity:
    """A sweep before anything of it was tried.

    ``config`` is the resolved configuration with its ``sweep`` section, plain JSON values. It and
    ``data_fingerprint`` are the identity; ``config_hash`` and ``overrides`` say where it came from.
    """

    family: str
    name: str
    config: Mapping[str, Any]
    config_hash: str
    data_fingerprint: str
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_label("family", self.family)
        check_label("name", self.name)

    @property
    def sweep_id(self) -> str:
        """``<name>-<first digits of the digest>``: the name of the sweep's folder."""
        return sweep_id(self.name, self.config, self.data_fingerprint)


def sweep_id(name: str, config: Mapping[str, Any], data_fingerprint: str) -> str:
    """``<name>-`` and the beginning of the SHA-256 of configuration and data fingerprint."""
    text = canonical_json({"config": config, "data_fingerprint": data_fingerprint})
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]}"


def check_label(argument: str, label: str) -> None:
    """ConfigError unless ``label`` can name a folder."""
    if _LABEL.fullmatch(label) is None:
        raise ConfigError(
            f"{argument}={label!r} must begin with a letter or digit and have at most 64 letters, "
            "digits, dots, underscores or hyphens"
        )


def canonical_json(value: Any) -> str:
    """``value`` as JSON with sorted keys and no spaces; ContractError for what JSON cannot hold."""
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise ContractError(f"{value!r} cannot be written as JSON: {error}") from None


def differences(there: Any, here: Any, path: str = "") -> Iterator[str]:
    """``path: value there, value here`` for every leaf in which two trees of JSON values differ."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in sorted({*there, *here}):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(there.get(key, _ABSENT), here.get(key, _ABSENT), inner)
    elif _listed(there) and _listed(here):
        if list(map(_text, there)) != list(map(_text, here)):
            yield f"{path}: {_text(there)} there, {_text(here)} here"
    elif _text(there) != _text(here):
        yield f"{path}: {_text(there)} there, {_text(here)} here"


_ABSENT: Final = object()


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _text(value: Any) -> str:
    return "nothing" if value is _ABSENT else canonical_json(value)
