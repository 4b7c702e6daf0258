"""Composition: configurations, runs, run folders, reports, checks, the command line.

Imports every other package, and is imported by none. Nothing heavy is loaded until a name is asked
for, so that the command line starts at once.

>>> from experiments import load_config, run
>>> config = load_config("experiments/configs/quickstart.yaml")  # doctest: +SKIP
>>> run(config, store="data", runs=None).metrics["sharpe"]  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ablation import Ablation, ablate
    from .checks import CheckReport, check_lookahead
    from .checks.parity import ParityReport, check_parity
    from .config import RunConfig
    from .config_file import config_hash, config_of, config_schema, load_config
    from .diagnosis import Finding, doctor
    from .explanation.explain import Explanation, explain
    from .pipeline import RunResult, run
    from .record import RunRecord, list_runs, load_run
    from .records.difference import RunDifference, run_difference
    from .records.removal import remove_run
    from .records.verification import Verification, verify_run
    from .report import write_report
    from .targets import load_targets
    from .vectorbt_export import VectorbtPortfolio, replay_to_vectorbt, to_vectorbt

_HOMES = {
    "Ablation": "ablation",
    "ablate": "ablation",
    "CheckReport": "checks",
    "ParityReport": "checks.parity",
    "check_lookahead": "checks",
    "check_parity": "checks.parity",
    "RunConfig": "config",
    "config_hash": "config_file",
    "config_of": "config_file",
    "config_schema": "config_file",
    "load_config": "config_file",
    "Explanation": "explanation.explain",
    "explain": "explanation.explain",
    "Finding": "diagnosis",
    "doctor": "diagnosis",
    "RunRecord": "record",
    "list_runs": "record",
    "load_run": "record",
    "RunDifference": "records.difference",
    "run_difference": "records.difference",
    "remove_run": "records.removal",
    "Verification": "records.verification",
    "verify_run": "records.verification",
    "write_report": "report",
    "RunResult": "pipeline",
    "run": "pipeline",
    "load_targets": "targets",
    "VectorbtPortfolio": "vectorbt_export",
    "replay_to_vectorbt": "vectorbt_export",
    "to_vectorbt": "vectorbt_export",
}

__all__ = [
    "Ablation",
    "CheckReport",
    "Explanation",
    "Finding",
    "ParityReport",
    "RunConfig",
    "RunDifference",
    "RunRecord",
    "RunResult",
    "VectorbtPortfolio",
    "Verification",
    "ablate",
    "check_lookahead",
    "check_parity",
    "config_hash",
    "config_of",
    "config_schema",
    "doctor",
    "explain",
    "list_runs",
    "load_config",
    "load_run",
    "load_targets",
    "remove_run",
    "replay_to_vectorbt",
    "run",
    "run_difference",
    "to_vectorbt",
    "verify_run",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
