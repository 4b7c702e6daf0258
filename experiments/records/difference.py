"""Two runs side by side: what differs in what went in, and in what came out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..config_file import config_of, resolved
from ..record import RunRecord

OF_THE_DATA: Final = (
    "data_fingerprint",
    "datasets",
    "timeframe",
    "symbols",
    "start_time",
    "end_time",
    "bars",
    "gaps",
    "series",
    "panels",
    "funding_settlements",
    "fine_timeframe",
    "unresolved_bars",
    "notes",
)
"""Keys of run.json that say what a run was computed from."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value in which two records differ, by its dotted key; None where a record lacks the key."""

    key: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class ConfigDifference:
    """A key of the configuration, and where each value came from.

    ``-s`` is an override on the command line, ``the default`` a value that is the default, written out or
    not, ``stated`` any other.
    """

    key: str
    first: Any
    first_from: str
    second: Any
    second_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """Everything in which two runs differ, but for their names, moments and durations.

    ``tables`` are the Parquet files whose bytes differ; ``metrics`` and ``benchmark_metrics`` hold
    values as run.json does (None: undefined).
    """

    first: RunRecord
    second: RunRecord
    config: tuple[ConfigDifference, ...]
    data: tuple[Difference, ...]
    code: tuple[Difference, ...]
    versions: tuple[Difference, ...]
    metrics: tuple[Difference, ...]
    benchmark_metrics: tuple[Difference, ...]
    tables: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs at all."""
        inputs = (self.config, self.data, self.code, self.versions)
        return not any((*inputs, self.metrics, self.benchmark_metrics, self.tables))


def run_difference(first: RunRecord, second: RunRecord) -> RunDifference:
    """What differs between two runs, from their records alone."""
    a, b = first.content, second.content
    return RunDifference(
        first=first,
        second=second,
        config=tuple(_config_differences(a, b)),
        data=tuple(
            row for key in OF_THE_DATA for row in differing_leaves(a.get(key), b.get(key), key)
        ),
        code=tuple(differing_leaves(a["code"], b["code"])),
        versions=tuple(differing_leaves(a["versions"], b["versions"])),
        metrics=tuple(differing_leaves(a["metrics"], b["metrics"])),
        benchmark_metrics=tuple(differing_leaves(a["benchmark_metrics"], b["benchmark_metrics"])),
        tables=tuple(row.key for row in differing_leaves(a["artefacts"], b["artefacts"])),
    )


def differing_leaves(first: Any, second: Any, path: str = "") -> Iterator[Difference]:
    """Every leaf in which two trees of JSON values differ, by its dotted path, in the order of the first.

    Lists are leaves unless both are equally long lists of mappings.
    """
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in dict.fromkeys((*first, *second)):
            inner = f"{path}.{key}" if path else str(key)
            yield from differing_leaves(first.get(key), second.get(key), inner)
    elif _are_alike(first, second):
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from differing_leaves(one, other, f"{path}.{index}")
    elif json.dumps(first) != json.dumps(second):
        yield Difference(path, first, second)


def _are_alike(first: Any, second: Any) -> bool:
    return (
        isinstance(first, list)
        and isinstance(second, list)
        and len(first) == len(second)
        and all(isinstance(item, Mapping) for item in (*first, *second))
    )


def _config_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> Iterator[ConfigDifference]:
    defaults = resolved(config_of({"data": {"simulated": {}}}))
    defaults["data"]["simulated"] = None
    for row in differing_leaves(first["config"], second["config"]):
        yield ConfigDifference(
            row.key,
            row.first,
            _came_from(row.key, row.first, first["overrides"], defaults),
            row.second,
            _came_from(row.key, row.second, second["overrides"], defaults),
        )


def _came_from(key: str, value: Any, overrides: Sequence[str], defaults: Mapping[str, Any]) -> str:
    for override in overrides:
        path = override.partition("=")[0].strip()
        if key == path or key.startswith(f"{path}.") or path.startswith(f"{key}."):
            return "-s"
    here: Any = defaults
    for part in key.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return "the default" if json.dumps(here) == json.dumps(value) else "stated"
