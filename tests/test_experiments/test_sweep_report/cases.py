"""Sweeps whose numbers are a known function of their points, made without evaluating anything."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.config_file import resolved
from experiments.sweeps.config import SweepConfig, sweep_config_of
from experiments.sweeps.identity import SweepIdentity
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.objectives import states_of, violations_of
from experiments.sweeps.parts import values_json
from experiments.sweeps.places import axis_places
from experiments.sweeps.space import sobol_points, space_of
from experiments.sweeps.trial_metrics import DIRECTIONS

CREATED_AT = datetime(2024, 1, 31, 13, 5, tzinfo=UTC)
MIXED: dict[str, Any] = {
    "consensus.weights": {"kind": "weights"},
    "consensus.quorum": {"kind": "whole", "low": 1, "high": 4},
    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.7},
    "consensus.hold_bars": {"kind": "choice", "values": [None, 12, 48]},
    "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
}
TWO: dict[str, Any] = {
    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.7},
    "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
}
TWENTY: dict[str, Any] = {
    **MIXED,
    "consensus.c_min": {"kind": "real", "low": 0.3, "high": 0.8},
    "exits.take_profit_atr": {"kind": "real", "low": 1.0, "high": 8.0},
    "exits.trail_atr": {"kind": "real", "low": 1.0, "high": 8.0},
    "exits.time_stop_bars": {"kind": "whole", "low": 5, "high": 60},
    "costs.slippage_bps": {"kind": "real", "low": 0.0, "high": 5.0},
    "sizing.position_fraction": {"kind": "real", "low": 0.1, "high": 0.4},
    "heads.technical.adx_length": {"kind": "whole", "low": 7, "high": 30},
}
"""Twelve paths, and with nine weights twenty axes."""

Numbers = Callable[[np.ndarray], Mapping[str, np.ndarray]]


def sweep_config(tree: Mapping[str, Any], **section: Any) -> SweepConfig:
    """A sweep around the configuration ``tree``; keyword arguments are its section."""
    base = {"space": MIXED, "screen": {"trials": 64, "batch": 64}, "search": {"trials": 0}}
    return sweep_config_of({**tree, "sweep": {**base, **section}})


def metrics_of(places: np.ndarray, numbers: Numbers) -> dict[str, np.ndarray]:
    """Every metric of a trial: those that ``numbers`` states, else a plain one."""
    found = {name: np.full(len(places), 0.5) for name in DIRECTIONS}
    found |= {"trades": np.full(len(places), 200.0), "max_drawdown": np.full(len(places), 0.2)}
    found |= {"sharpe": 2.0 - 8.0 * (places[:, -1] - 0.4) ** 2 + 0.1 * places[:, 0]}
    return found | {
        name: np.asarray(column, dtype=float) for name, column in numbers(places).items()
    }


def made_sweep(
    runs: Path,
    config: SweepConfig,
    numbers: Numbers = lambda _places: {},
    *,
    trials: int | None = None,
    errors: Sequence[str | None] | None = None,
    batch: int = 64,
    parents: Callable[[int], int | None] = lambda _trial: None,
) -> Ledger:
    """A ledger of the first ``trials`` planned ones, screen and search alike from one Sobol sequence.

    ``errors`` say by trial which ones failed, ``parents`` whose neighbours those of the search are.
    """
    space = space_of(config)
    ledger = Ledger.create(
        runs,
        SweepIdentity(
            family=config.family,
            name=config.name,
            config=resolved(config),
            config_hash="c0ffee",
            data_fingerprint="f00d",
            overrides=("seed=1",),
        ),
        CREATED_AT,
        metrics=tuple(DIRECTIONS),
        objectives={one.metric: one.direction for one in config.sweep.objectives},
    )
    count = config.sweep.planned_trials if trials is None else trials
    points = sobol_points(len(space), 1 << max(1, (count - 1).bit_length()), 3)[:count]
    found = metrics_of(axis_places(space, points), numbers)
    said = list(errors) if errors is not None else [None] * count
    failed = np.array([error is not None for error in said], dtype=bool)
    missed = violations_of(config.sweep.constraints, found)
    states = states_of(said, missed)
    for name in found:
        found[name] = np.where(failed, np.nan, found[name])
    scores = np.column_stack([found[one.metric] for one in config.sweep.objectives])
    with ledger.writing():
        for number, first in enumerate(range(0, count, batch)):
            rows = range(first, min(first + batch, count))
            part = slice(rows.start, rows.stop)
            stage = "screen" if first < config.sweep.screen.trials else "search"
            ledger.append(
                pa.table(
                    {
                        "trial": np.arange(rows.start, rows.stop),
                        "batch": np.full(len(rows), number),
                        "stage": [stage] * len(rows),
                        "parent": pa.array(
                            [parents(row) if stage == "search" else None for row in rows],
                            pa.int64(),
                        ),
                        "state": states[part],
                        "error": pa.array(said[part], pa.string()),
                        "values": [values_json(space.values(points[row].tolist())) for row in rows],
                        "coordinates": points[part].tolist(),
                        "score": [
                            [None if np.isnan(x) else float(x) for x in row] for row in scores[part]
                        ],
                        **{name: column[part] for name, column in found.items()},
                        "sums": np.ones((len(rows), 5)).tolist(),
                    },
                    schema=ledger.schema,
                )
            )
    return ledger
