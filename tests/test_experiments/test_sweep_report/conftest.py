from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from datasets import Store
from experiments.config_file import resolved
from experiments.sweeps import ledger as ledger_module
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.run import run_sweep
from experiments.validation.content import validation_json
from experiments.validation.keeping import keep_validation, readable_validations
from experiments.validation.validate import validate_sweep
from tests.test_experiments.test_sweep_report.cases import sweep_config

SPACE: dict[str, Any] = {
    "consensus.weights": {"kind": "weights"},
    "consensus.quorum": {"kind": "whole", "low": 1, "high": 3},
    "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
}


@pytest.fixture(scope="session")
def tree(small_config: Any) -> dict[str, Any]:
    """The small configuration as plain values."""
    return resolved(small_config)


@pytest.fixture(scope="session")
def swept(tree: dict[str, Any], store: Store, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A small sweep that was really run, and validated."""
    config = sweep_config(
        tree, space=SPACE, screen={"trials": 32}, search={"trials": 8, "batch": 8}
    )
    ledger = run_sweep(config, store=store, runs=tmp_path_factory.mktemp("swept")).ledger
    settings = [
        "shifts=9", "trials=32", "permutations=2", "random_entry_draws=200", "bootstrap_draws=100",
        "snooping_draws=50", "cscv.null_repetitions=20",
    ]  # fmt: skip
    found = validate_sweep(ledger, store=store, overrides=[f"validation.{one}" for one in settings])
    keep_validation(ledger.folder, validation_json(found), datetime(2024, 1, 31, tzinfo=UTC))
    return ledger


@pytest.fixture(scope="session")
def validated(swept: Ledger) -> Mapping[str, Any]:
    """The content of its validation, as it was kept."""
    return readable_validations(swept.folder)[0][-1].content


@pytest.fixture(autouse=True)
def _known_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking git takes longer than everything else here."""
    monkeypatch.setattr(ledger_module, "revision", lambda: {"commit": None, "dirty": None})
