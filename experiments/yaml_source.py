"""YAML as a tree of plain values that remembers where each value was written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from engine import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]
"""Position of a value in the tree: mapping keys and sequence indices from the root."""
LONGEST_VALUE: Final = 60
"""Characters of a value that an error repeats."""


@dataclass(frozen=True, slots=True)
class Source:
    """Plain values read from YAML, and the origin (``file:line`` or an override) of each of them."""

    tree: Mapping[str, Any]
    origins: Mapping[KeyPath, str]
    name: str

    def origin(self, path: KeyPath) -> str:
        """Where the value at ``path``, or else its nearest parent, was written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.name


def shown(value: Any) -> str:
    """``value`` as a person would write it in YAML, cut where it is long."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case Mapping() | list() | tuple():
            text = json.dumps(value, default=str, ensure_ascii=False)
        case _:
            text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def read_source(path: Path | str) -> Source:
    """Read one YAML mapping from a file.

    Raises ConfigError when the file is missing, is not YAML, writes a key twice, or holds anything
    but a mapping.
    """
    path = Path(path)
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder, not a configuration file{_folder_hint(path)}")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a text file ({error})") from None
    return parse_source(text, str(path))


def _folder_hint(path: Path) -> str:
    if (path / "run.json").is_file():
        return "; it holds a run, which `ninefold runs verify` computes again from its record"
    if (path / "sweep.json").is_file():
        return "; it holds a sweep, which `ninefold sweep resume` goes on with"
    return ""


def parse_source(text: str, name: str) -> Source:
    """Parse one YAML mapping; ``name`` is what errors call the text. Errors as in read_source."""
    origins: dict[KeyPath, str] = {}
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return Source({}, {(): f"{name}:1"}, name)
        _collect_origins(root, (), name, origins, loader)
        tree = loader.construct_document(root)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = error.problem or error.context or "cannot be parsed"
        if "'\\t'" in problem:
            problem += "; indent with spaces, YAML allows no tab there"
        raise ConfigError(f"{name}{line}: not valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        message = " ".join(str(error).split())
        raise ConfigError(f"{name}: not valid YAML: {message}") from None
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{name}:1: a configuration is a section of keys and values, not {shown(tree)}"
        )
    return Source(tree, origins, name)


def _collect_origins(
    node: yaml.Node,
    path: KeyPath,
    name: str,
    origins: dict[KeyPath, str],
    loader: yaml.SafeLoader,
    above: tuple[yaml.Node, ...] = (),
) -> None:
    here = f"{name}:{node.start_mark.line + 1}"
    origins.setdefault(path, here)
    if any(node is one for one in above):
        raise ConfigError(
            f"{here}: the value of {'.'.join(map(str, path))} holds itself; write it out"
        )
    above = (*above, node)
    if isinstance(node, yaml.ScalarNode):
        try:
            loader.construct_object(node)
        except ValueError as error:
            key = ".".join(map(str, path))
            raise ConfigError(f"{here}: {key}={node.value}: {error}") from None
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise ConfigError(f"{name}:{line}: the key {key!r} is written twice; keep one")
            seen.add(key)
            origins[(*path, key)] = f"{name}:{line}"
            _collect_origins(value_node, (*path, key), name, origins, loader, above)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect_origins(item, (*path, index), name, origins, loader, above)


def overridden(source: Source, overrides: Sequence[str]) -> Source:
    """``source`` with every ``a.b=c`` of ``overrides`` applied in order.

    The value is read as YAML (``2.5``, ``null``, ``[a, b]``); a part of the key that is a number
    picks an item of a list, ``data.instruments.0.signals.symbol=ETHUSDT``; a key that holds dots itself
    is met as a whole, ``sweep.space.exits.stop_atr.low=1``. Raises ConfigError for an
    override without ``=``, an unreadable value, or a key that leads through something else than
    mappings and lists.
    """
    tree = _copied(source.tree)
    origins = dict(source.origins)
    for override in overrides:
        key, separator, text = override.partition("=")
        parts = key.strip().split(".")
        if not separator or not all(parts):
            raise ConfigError(f"-s {override}: write an override as key=value, such as -s a.b=3")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            message = " ".join(str(error).split())
            raise ConfigError(f"-s {override}: the value is not valid YAML: {message}") from None
        path = _assign(tree, parts, value, override)
        for stale in [known for known in origins if known[: len(path)] == path]:
            del origins[stale]
        origins[path] = f"-s {override}"
    return Source(tree, origins, source.name)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _next_key(here: Any, parts: Sequence[str]) -> str:
    """The first of ``parts``, or as many as make up a key that is there and holds dots."""
    for length in range(len(parts), 1, -1):
        if isinstance(here, dict) and ".".join(parts[:length]) in here:
            return ".".join(parts[:length])
    return parts[0]


def _assign(tree: dict[str, Any], parts: Sequence[str], value: Any, override: str) -> KeyPath:
    path: list[str | int] = []
    here: Any = tree
    rest = list(parts)
    while rest:
        part = _next_key(here, rest)
        rest = rest[part.count(".") + 1 :]
        last = not rest
        step: str | int = part
        if isinstance(here, list):
            if not part.isdecimal() or int(part) >= len(here):
                where = ".".join(map(str, path))
                raise ConfigError(
                    f"-s {override}: {where} is a list of {len(here)}; {part!r} is not an item of it"
                )
            step = int(part)
        elif not isinstance(here, dict):
            where = ".".join(map(str, path))
            raise ConfigError(f"-s {override}: {where} is {here!r}, it has no key {part!r}")
        path.append(step)
        if last:
            here[step] = value
        elif isinstance(here, dict) and here.get(step) is None:
            here[step] = {}
            here = here[step]
        else:
            here = here[step]
    return tuple(path)
