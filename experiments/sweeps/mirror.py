"""The ledger as an Optuna study in a file, for ``optuna-dashboard`` and whoever reads studies."""

import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datasets.durable import replace_file
from engine import DataError

from ..record import without_nan
from .best import sweep_config
from .config import Choice, RealRange, Weights, WholeRange
from .identity import canonical_json
from .ledger import SWEEP_NAME, Ledger
from .objectives import violations_of
from .parts import FAILED
from .space import Axis, space_of

if TYPE_CHECKING:
    import optuna

MIRROR_NAME: Final = "study.log"
_WRITER: Final = "ninefold"
_UNDEFINED_VIOLATION: Final = 1e300
"""Stands for infinity, which the dashboard's JSON cannot hold."""
_TOLD: Final = ("trial", "batch", "stage", "parent", "error")


def write_mirror(ledger: Ledger, path: Path | None = None) -> Path:
    """Write every trial of ``ledger`` as one study, named as the sweep, to a journal of Optuna.

    The file (``study.log`` in the ledger's folder unless ``path`` is given) is made anew from the
    parts and put in place at once; equal ledgers give equal bytes, and those of a longer ledger
    begin with those of a shorter one, so that an open dashboard goes on reading. Read it with
    ``JournalStorage(JournalFileBackend(path))``; what is written into it there is lost the next
    time. Parameters are the trial's values: a weight by ``<path>.<head>``, a list or mapping as JSON.
    An undefined objective is the worst infinity, an undefined metric None. Constraints are those of
    the configuration, above 0 where missed. Raises DataError when the disk refuses or a trial does
    not fit the space.
    """
    target = ledger.folder / MIRROR_NAME if path is None else path
    journal = _Journal()
    with _silence():
        _write_study(ledger, journal)
    replace_file(target, journal.content())
    return target


class _Journal:
    """A backend of ``optuna.storages.JournalStorage`` in memory."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Keep more entries."""
        self._entries += logs

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Entries from a number on, as they were appended."""
        return self._entries[log_number_from:]

    def content(self) -> bytes:
        """One JSON text a line; Optuna names the process in each entry, which would differ every time."""
        lines = (
            json.dumps({**entry, "worker_id": _WRITER}, separators=(",", ":"))
            for entry in self._entries
        )
        return "".join(f"{line}\n" for line in lines).encode()


@contextmanager
def _silence() -> Iterator[None]:
    """Without Optuna's log lines and its warning that names of objectives are experimental."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _write_study(ledger: Ledger, journal: _Journal) -> None:
    import optuna

    config = sweep_config(ledger)
    constraints = config.sweep.constraints
    study = optuna.create_study(
        study_name=ledger.sweep_id,
        directions=list(ledger.objectives.values()),
        storage=optuna.storages.JournalStorage(journal),
    )
    study.set_metric_names(list(ledger.objectives))
    for name in ("family", "created_at", "config_hash", "data_fingerprint"):
        study.set_user_attr(name, ledger.sweep[name])
    study.set_user_attr("constraints", [str(constraint) for constraint in constraints])
    table = ledger.trials()
    metrics = {name: table[name].to_numpy() for name in ledger.metrics}
    missed = np.minimum(violations_of(constraints, metrics), _UNDEFINED_VIOLATION)
    parameters = [_parameter(axis) for axis in space_of(config).axes]
    created = datetime.fromisoformat(ledger.sweep["created_at"])
    for trial, violations in zip(table.to_pylist(), missed.tolist(), strict=True):
        try:
            study.add_trial(_frozen(trial, ledger, parameters, violations, created))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{ledger.folder}: trial {trial['trial']} does not fit the space that {SWEEP_NAME} "
                f"states: {error!r}"
            ) from None


def _frozen(
    trial: Mapping[str, Any],
    ledger: Ledger,
    parameters: Sequence["_Parameter"],
    violations: Sequence[float],
    created: datetime,
) -> "optuna.trial.FrozenTrial":
    import optuna

    values = json.loads(trial["values"])
    is_failed = trial["state"] == FAILED
    states = optuna.trial.TrialState
    return optuna.trial.FrozenTrial(
        number=trial["trial"],
        trial_id=trial["trial"],
        state=states.FAIL if is_failed else states.COMPLETE,
        value=None,
        values=None if is_failed else _scores(trial["score"], ledger.objectives),
        datetime_start=created,
        datetime_complete=created,
        params={one.axis.name: one.shown(values) for one in parameters},
        distributions={one.axis.name: one.distribution for one in parameters},
        user_attrs=without_nan({name: trial[name] for name in (*_TOLD, *ledger.metrics)}),
        # The dashboard knows constraints by this list alone, and Optuna reads it too.
        system_attrs={"constraints": violations} if violations and not is_failed else {},
        intermediate_values={},
    )


def _scores(score: Sequence[float | None], objectives: Mapping[str, str]) -> list[float]:
    worst = (-math.inf if way == "maximize" else math.inf for way in objectives.values())
    return [bad if one is None else one for one, bad in zip(score, worst, strict=True)]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """An axis of the space with what Optuna is told of its values."""

    axis: Axis
    distribution: "optuna.distributions.BaseDistribution"
    is_text: bool = False

    def shown(self, values: Mapping[str, Any]) -> Any:
        """The value of the axis in ``values``, as the distribution holds it."""
        value = values[self.axis.path]
        if self.axis.head is not None:
            value = value[self.axis.head]
        return canonical_json(value) if self.is_text else value


def _parameter(axis: Axis) -> _Parameter:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match axis.parameter:
        case RealRange(low=low, high=high, log=log):
            return _Parameter(axis, FloatDistribution(low, high, log=log))
        case WholeRange(low=low, high=high, step=step):
            return _Parameter(axis, IntDistribution(low, high, step=step))
        case Weights():
            return _Parameter(axis, FloatDistribution(0.0, 1.0))
        case Choice(values=values):
            # Optuna takes 1 and True for one choice, and no lists at all.
            plain = json.loads(canonical_json(values))
            is_text = any(isinstance(value, list | dict) for value in plain) or any(
                value in plain[:at] for at, value in enumerate(plain)
            )
            choices = [canonical_json(value) for value in plain] if is_text else plain
            return _Parameter(axis, CategoricalDistribution(choices), is_text)
