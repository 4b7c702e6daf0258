"""The page of configuration keys, from the same models that check a configuration."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..config_fetch import FetchConfig
from ..sweeps.config import SweepConfig
from .markdown import bounds, paragraphs, table

HEAD = """# Configuration

Every key of the YAML file that `run`, `sweep run` (with the section `sweep`) and the other commands
take, then those of `data fetch`. Nothing but `data` is needed, and in a sweep `sweep.space`.
Unknown keys are refused with the nearest valid name; `-s a.b=c` overrides one; `ninefold config
show FILE` prints every key after defaults and `ninefold config schema` the JSON Schema of a run.
Examples stand in [cli.md](../cli.md), the rules of the replay in [accounting.md](../accounting.md).

A number picks an item of a list: `-s data.instruments.0.signals.symbol=ETHUSDT`. Parameters of the
heads: [heads.md](heads.md).
"""
UNITS: Final[Mapping[str, str]] = {
    "_bps": "basis points",
    "_atr": "average true ranges",
    "_bars": "bars",
    "_days": "days",
    "_hours": "hours",
    "_seconds": "seconds",
    "_frac": "fraction",
    "_fraction": "fraction",
    "_annual": "fraction a year",
    "_percent": "percent",
    "_r": "R, the initial risk",
    "initial_cash": "settlement currency",
    "notional_to": "settlement currency",
    "min_notional": "settlement currency",
}
"""Units by the ending of a key."""
OF_THE_FILE: Final = ("indicators.sha256", "heads.files.sha256", "heads.files.name")
"""Keys that are taken from the file beside them where they are not stated."""
_SHOWN_DEFAULT: Final = 60
"""Characters of a default; a longer one stands in `config show`."""


def configuration_page() -> str:
    """Every key with its type, default, range and unit, section by section."""
    parts = [HEAD]
    for title, model in (("A run, and a sweep", SweepConfig), ("What to fetch", FetchConfig)):
        schema = model.model_json_schema()
        parts.append(f"## {title}\n")
        parts += ["\n".join(_section("", schema, schema["$defs"])), ""]
        parts += _sections("", schema, schema["$defs"], set())
    return "\n".join(parts)


def _sections(
    path: str, schema: Mapping[str, Any], known: Mapping[str, Any], told: set[str]
) -> Iterator[str]:
    """A section for each model that ``schema`` refers to, in the order of its keys."""
    for key, entry in schema.get("properties", {}).items():
        for name in _models(entry):
            if name in told or name.endswith("HeadConfig"):
                continue
            told.add(name)
            inner = f"{path}.{key}" if path else key
            yield f"### `{inner}`{_kind_of(known[name])}\n"
            yield from _section(inner, known[name], known)
            yield ""
            yield from _sections(inner, known[name], known, told)


def _kind_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("properties", {}).get("kind", {}).get("const")
    return "" if kind is None else f" of kind `{kind}`"


def _section(path: str, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    yield f"{paragraphs(schema.get('description', ''))}\n"
    required = schema.get("required", ())
    rows = (
        (
            f"`{path}.{key}`" if path else f"`{key}`",
            _type(entry, known),
            _needed(f"{path}.{key}") if key in required else _default(entry),
            _range(entry),
            _unit(key),
        )
        for key, entry in schema.get("properties", {}).items()
    )
    yield table(("key", "type", "default", "range", "unit"), rows)


def _needed(path: str) -> str:
    return "that of the file" if path in OF_THE_FILE else "needed"


def _models(entry: Any) -> list[str]:
    """Names of the models that an entry refers to, in order."""
    if isinstance(entry, Mapping):
        own = [entry["$ref"].rsplit("/", 1)[-1]] if "$ref" in entry else []
        return own + [
            name for key, part in entry.items() if key != "discriminator" for name in _models(part)
        ]
    return [name for part in entry for name in _models(part)] if isinstance(entry, list) else []


def _type(entry: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    for word in ("anyOf", "oneOf"):
        if word in entry:
            return " or ".join(dict.fromkeys(_type(one, known) for one in entry[word]))
    if "$ref" in entry:
        return "section"
    if "enum" in entry:
        return ", ".join(f"`{one}`" for one in entry["enum"])
    if "const" in entry:
        return f"`{entry['const']}`"
    kind = entry.get("type", "any")
    if kind == "array":
        items = entry.get("items") or {}
        return f"list of {_type(items, known)}" if items else "list"
    if kind == "object":
        inner = entry.get("additionalProperties")
        return f"map to {_type(inner, known)}" if isinstance(inner, Mapping) and inner else "map"
    if entry.get("format") == "date":
        return "date"
    if entry.get("format") == "date-time":
        return "time"
    return {"integer": "whole number", "string": "text", "boolean": "true or false"}.get(
        str(kind), str(kind)
    )


def _default(entry: Mapping[str, Any]) -> str:
    if "default" not in entry:
        return "its defaults" if "$ref" in entry else ""
    text = json.dumps(entry["default"], ensure_ascii=False)
    return f"`{text}`" if len(text) <= _SHOWN_DEFAULT else "see `config show`"


def _range(entry: Mapping[str, Any]) -> str:
    for one in (entry, *entry.get("anyOf", ())):
        low = one.get("minimum", one.get("ge"))
        high = one.get("maximum", one.get("le"))
        if low is not None or high is not None:
            return bounds(low, high)
    return ""


def _unit(key: str) -> str:
    return next((unit for ending, unit in UNITS.items() if key.endswith(ending)), "")
