from pathlib import Path
from typing import Any

import pytest

from datasets import Store
from experiments.config_file import resolved
from experiments.sweeps.config import sweep_config_of
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.run import run_sweep

SPACE: dict[str, Any] = {
    "consensus.weights": {"kind": "weights"},
    "consensus.quorum": {"kind": "whole", "low": 1, "high": 3},
    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.65},
    "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
}


@pytest.fixture(scope="session")
def swept(
    small_config: Any, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ledger, Path]:
    """A small sweep and the folder of its family."""
    runs = tmp_path_factory.mktemp("sweeps")
    config = sweep_config_of(
        {
            **resolved(small_config),
            "sweep": {
                "space": SPACE,
                "screen": {"trials": 32, "batch": 32},
                "search": {"trials": 8, "batch": 8},
                "holdout_from": "2021-02-05",
            },
        }
    )
    return run_sweep(config, store=store, runs=runs).ledger, runs
