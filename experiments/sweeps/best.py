"""A sweep's configurations, from its ledger back to something that can be run."""

import json
from typing import Any

import pyarrow as pa
import yaml

from engine import ConfigError, DataError

from ..config import OriginConfig, RunConfig
from ..config_file import resolved, trial_hash
from .config import SweepConfig, sweep_config_of
from .ledger import Ledger
from .ranking import ranked_trials, why_nothing_is_feasible
from .space import space_of


def sweep_config(ledger: Ledger) -> SweepConfig:
    """The configuration that a ledger was made from; DataError when this version does not take it.

    Files of code that it names are not read: a sweep stays readable after they were edited, and is
    refused only where they would run.
    """
    try:
        return sweep_config_of(ledger.sweep["config"], recorded=True)
    except ConfigError as error:
        raise DataError(
            f"{ledger.folder}: was made by another version, whose configuration this one refuses "
            f"({error}); use the code that sweep.json names, or take the folder away"
        ) from None


def top_trials(ledger: Ledger, count: int) -> pa.Table:
    """The best ``count`` feasible trials of a sweep, or its front; DataError when there is none."""
    config = sweep_config(ledger)
    trials = ledger.trials()
    ranked = ranked_trials(config, trials)
    if not len(ranked):
        reason = (
            "it holds no trial yet" if not len(trials) else why_nothing_is_feasible(config, trials)
        )
        raise DataError(f"{ledger.sweep_id}: no trial can be chosen: {reason}")
    return ranked.slice(0, count)


def trial_config(ledger: Ledger, trial: int) -> RunConfig:
    """The whole configuration of a trial by its number, on the data before the holdout.

    Its ``origin`` names the sweep and the trial, and holds the hash that tells whether it was changed
    afterwards. Raises DataError when there is no such trial.
    """
    rows = ledger.trials(["trial", "values"])
    if not 0 <= trial < len(rows):
        raise DataError(f"{ledger.sweep_id}: has {len(rows)} trials, there is no trial {trial}")
    values: dict[str, Any] = json.loads(rows["values"][trial].as_py())
    config = space_of(sweep_config(ledger)).config(values)
    chosen = trial_hash(resolved(config))
    origin = OriginConfig(sweep=ledger.sweep_id, trial=trial, trial_hash=chosen)
    return config.model_copy(update={"origin": origin})


def config_yaml(config: RunConfig, comment: str) -> str:
    """``config`` as YAML that ``ninefold run`` takes, below ``comment`` lines."""
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return lines + yaml.safe_dump(resolved(config), sort_keys=False, allow_unicode=True)
