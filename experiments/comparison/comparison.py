"""Several runs against the first of them: configurations, data, code, metrics, intervals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from engine import ConfigError

from ..record import RunRecord
from ..records.difference import ConfigDifference, RunDifference, run_difference
from .curves import Curves, curves_of
from .differences import MetricDifference, metric_differences

MOST_RUNS: Final = 10
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A key in which the configurations differ: each run's value, and where it came from."""

    key: str
    values: tuple[Any, ...]
    came_from: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """R runs; everything with one entry for each of the others is against the first, in their order.

    ``differences`` are of the records, ``metrics`` those of run.json by name, ``intervals`` of metrics
    on the closes that all runs have.
    """

    records: tuple[RunRecord, ...]
    config: tuple[ConfigRow, ...]
    differences: tuple[RunDifference, ...]
    metrics: tuple[tuple[str, tuple[float | None, ...]], ...]
    curves: Curves
    intervals: tuple[tuple[MetricDifference, ...], ...]
    seed: int


def compare_runs(records: Sequence[RunRecord], *, seed: int = SEED) -> Comparison:
    """Compare two to ten runs. ConfigError for fewer, more or one twice, DataError without overlap."""
    if not 2 <= len(records) <= MOST_RUNS:
        raise ConfigError(
            f"{len(records)} runs: name 2 to {MOST_RUNS} of them, `ninefold runs list` shows them"
        )
    for one, other in pairwise(sorted(records, key=lambda record: record.run_id)):
        if one.run_dir.resolve() == other.run_dir.resolve():
            raise ConfigError(f"{one.run_id} is named twice: name every run once")
    first, *others = records
    differences = tuple(run_difference(first, other) for other in others)
    curves = curves_of(records)
    return Comparison(
        records=tuple(records),
        config=_config_rows(differences),
        differences=differences,
        metrics=tuple(
            (name, tuple(record.content["metrics"].get(name) for record in records))
            for name in first.content["metrics"]
        ),
        curves=curves,
        intervals=tuple(
            metric_differences(
                curves.returns[:, 0], curves.returns[:, 1 + number], curves.closes_a_year, seed=seed
            )
            for number in range(len(others))
        ),
        seed=seed,
    )


def _config_rows(differences: Sequence[RunDifference]) -> tuple[ConfigRow, ...]:
    """Every key that sets one of the others apart from the first, with the values of all."""
    keys = dict.fromkeys(row.key for found in differences for row in found.config)
    rows = []
    for key in keys:
        of_run = [_row(found, key) for found in differences]
        known = next(row for row in of_run if row is not None)
        values = [known.first] + [known.first if row is None else row.second for row in of_run]
        origins = [known.first_from]
        origins += [known.first_from if row is None else row.second_from for row in of_run]
        rows.append(ConfigRow(key, tuple(values), tuple(origins)))
    return tuple(rows)


def _row(found: RunDifference, key: str) -> ConfigDifference | None:
    return next((row for row in found.config if row.key == key), None)


def as_json(found: Comparison) -> dict[str, Any]:
    """A comparison as plain values; what is undefined is NaN."""
    from dataclasses import asdict

    curves = found.curves
    return {
        "runs": [record.run_id for record in found.records],
        "config": [asdict(row) for row in found.config],
        "inputs": [
            {
                part: [asdict(row) for row in getattr(one, part)]
                for part in ("data", "code", "versions")
            }
            for one in found.differences
        ],
        "metrics": {name: list(values) for name, values in found.metrics},
        "common": {
            "closes": len(curves.time_ns),
            "bars": list(curves.bars),
            "first_close_ns": int(curves.time_ns[0]),
            "last_close_ns": int(curves.time_ns[-1]),
            "is_whole": curves.is_whole,
        },
        "seed": found.seed,
        "intervals": [
            [{**asdict(row), "difference": row.difference, "run": record.run_id} for row in rows]
            for record, rows in zip(found.records[1:], found.intervals, strict=True)
        ],
    }


def value_text(value: Any) -> str:
    """A value of a configuration on one line; a key that a run lacks is a dash."""
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value)
