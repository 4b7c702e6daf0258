"""Ledgers of sweeps that grow as a test says."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from engine.return_sums import SUMS
from experiments.config_file import resolved
from experiments.sweeps.config import SweepConfig, sweep_config_of
from experiments.sweeps.identity import SweepIdentity
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.parts import COMPLETE, FAILED
from experiments.sweeps.trial_metrics import DIRECTIONS

METRICS = tuple(DIRECTIONS)
CREATED = datetime(2024, 1, 1, tzinfo=UTC)


def sweep_tree(
    name: str = "grows", screen: int = 8, search: int = 8, neighbours: int = 0
) -> SweepConfig:
    """A sweep of one parameter."""
    return sweep_config_of(
        {
            "name": name,
            "data": {"simulated": {"days": 40}},
            "sweep": {
                "objectives": [{"metric": "sharpe"}],
                "space": {"exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0}},
                "screen": {"trials": screen, "batch": 4},
                "search": {
                    "sampler": "tpe", "trials": search, "batch": 4, "neighbours": neighbours,
                },
            },
        }
    )  # fmt: skip


def made_ledger(runs: Path, config: SweepConfig) -> Ledger:
    """An empty ledger of ``config``."""
    identity = SweepIdentity(
        family=config.family,
        name=config.name,
        config=resolved(config),
        config_hash="0" * 64,
        data_fingerprint="1" * 64,
        overrides=(),
    )
    return Ledger.create(
        runs, identity, CREATED, metrics=METRICS, objectives={"sharpe": "maximize"}
    )


def add_batch(
    ledger: Ledger,
    scores: Sequence[float | None],
    *,
    stage: str = "screen",
    states: Sequence[str] | None = None,
    parents: Sequence[int | None] | None = None,
) -> Path:
    """Append one batch with these scores; the part that holds it."""
    count, first, parts = len(scores), ledger.count, len(ledger.parts())
    states = [COMPLETE] * count if states is None else list(states)
    plain = np.array([np.nan if one is None else one for one in scores])
    table = pa.Table.from_pydict(
        {
            "trial": np.arange(first, first + count),
            "batch": np.full(count, parts),
            "stage": [stage] * count,
            "parent": pa.array([None] * count if parents is None else parents, pa.int64()),
            "state": states,
            "error": ["lost" if state == FAILED else None for state in states],
            "values": ['{"exits.stop_atr":2.0}'] * count,
            "coordinates": [[0.5]] * count,
            "score": [[one] for one in scores],
            **dict.fromkeys(METRICS, plain),
            "sums": [[0.0] * len(SUMS)] * count,
        },
        schema=ledger.schema,
    )
    with ledger.writing():
        return ledger.append(table)
