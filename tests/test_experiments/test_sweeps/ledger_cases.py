"""A small sweep and batches of trials for its ledger, made without evaluating anything."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.sweeps.identity import SweepIdentity
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.parts import trial_schema, values_json
from experiments.sweeps.trial_metrics import DIRECTIONS

METRICS = tuple(DIRECTIONS)
OBJECTIVES = {"sharpe": "maximize", "max_drawdown": "minimize"}
CREATED_AT = datetime(2024, 1, 31, 13, 5, tzinfo=UTC)
HEADS = ("technical", "sentiment")
CONFIG: dict[str, Any] = {
    "name": "small",
    "data": {"simulated": {"symbols": ["AAASIM"], "days": 40, "mode": "null"}},
    "heads": {"enabled": list(HEADS)},
    "sweep": {
        "family": "ideas",
        "objectives": [{"metric": metric} for metric in OBJECTIVES],
        "constraints": [
            {"metric": "trades", "at_least": 100},
            {"metric": "max_drawdown", "at_most": 0.4},
        ],
        "space": {
            "consensus.weights": {"kind": "weights"},
            "consensus.quorum": {"kind": "whole", "low": 1, "high": 2},
            "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
            "exits.time_stop_bars": {"kind": "choice", "values": [None, 24, 72]},
        },
    },
}


def identity_of(config: Mapping[str, Any] = CONFIG, **others: Any) -> SweepIdentity:
    stated: dict[str, Any] = {
        "family": "ideas",
        "name": "small",
        "config": config,
        "config_hash": "c0ffee",
        "data_fingerprint": "f00d",
        "overrides": ("seed=1",),
    }
    return SweepIdentity(**stated | others)


def made_ledger(runs: Path, identity: SweepIdentity | None = None) -> Ledger:
    return Ledger.create(
        runs, identity or identity_of(), CREATED_AT, metrics=METRICS, objectives=OBJECTIVES
    )


def trial_values(trial: int) -> dict[str, Any]:
    share = (trial % 97 + 1) / 99
    return {
        "consensus.weights": dict(zip(HEADS, (share, 1 - share), strict=True)),
        "consensus.quorum": 1 + trial % 2,
        "exits.stop_atr": 1.0 + 4.0 * (trial % 101) / 100,
        "exits.time_stop_bars": (None, 24, 72)[trial % 3],
    }


def batch_of(first: int, count: int, batch: int = 0, stage: str = "screen") -> pa.Table:
    """Trials ``first`` to ``first + count``: every 17th failed, every 5th infeasible."""
    trials = np.arange(first, first + count)
    states = [
        "failed" if t % 17 == 16 else "infeasible" if t % 5 == 4 else "complete" for t in trials
    ]
    numbers = np.random.default_rng(first).normal(size=(count, len(METRICS)))
    numbers[[state == "failed" for state in states]] = np.nan
    metrics = dict(zip(METRICS, numbers.T, strict=True))
    metrics["trades"] = np.where([s == "infeasible" for s in states], 7.0, 1000.0)
    metrics["max_drawdown"] = np.where([s == "failed" for s in states], np.nan, 0.25)
    metrics["sortino"] = np.where(trials % 3 == 0, np.nan, metrics["sortino"])
    scores = np.column_stack([metrics[name] for name in OBJECTIVES])
    return pa.table(
        {
            "trial": trials,
            "batch": np.full(count, batch),
            "stage": [stage] * count,
            "parent": pa.array([None if t % 4 else int(t) - 1 for t in trials], pa.int64())
            if first
            else pa.nulls(count, pa.int64()),
            "state": states,
            "error": pa.array([f"ConfigError: {t}" if t % 17 == 16 else None for t in trials]),
            "values": [values_json(trial_values(int(t))) for t in trials],
            "coordinates": list(np.random.default_rng(first).random((count, 5))),
            "score": [[None if np.isnan(x) else float(x) for x in row] for row in scores],
            **metrics,
            "sums": list(np.ones((count, 5))),
        },
        schema=trial_schema(METRICS),
    )


def filled(runs: Path, batches: int, rows: int = 8) -> Ledger:
    """A ledger with so many batches."""
    ledger = made_ledger(runs)
    with ledger.writing():
        for batch in range(ledger.count // rows, batches):
            ledger.append(batch_of(batch * rows, rows, batch))
    return ledger
