"""The sweeps of a family: listed, found and counted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.durable import names_in
from engine import ConfigError, DataError

from ..config_file import is_trial
from ..record import newest_of, not_a_file, run_contents
from .identity import check_label
from .ledger import SWEEP_NAME, Ledger, family_folder, sweeps_folder
from .parts import FAILED, INFEASIBLE


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """Everything that was tried on one idea: ``trials`` whatever came of them.

    ``sweeps`` are those that hold a trial: one that was stopped before its first has tried nothing.
    ``by_hand`` counts single runs beside them, which are no trials of a ledger and not in ``trials``;
    ``unreadable`` runs may be such, or of another idea: nobody can tell.
    """

    sweeps: int
    trials: int
    failed: int
    infeasible: int
    by_hand: int = 0
    unreadable: int = 0


def list_sweeps(runs: Path, family: str | None = None) -> tuple[Ledger, ...]:
    """The sweeps under ``runs``, or those of ``family``, oldest first; none where there is no folder.

    Raises DataError when ``runs`` is a file, a sweep's description is broken, or its folder was renamed,
    copied or moved to another family: its trials would count twice or for another idea.
    """
    if family is not None:
        check_label("family", family)
    if runs.is_file():
        raise DataError(f"{runs}: is a file; give a folder for the runs with --runs")
    families = [family] if family is not None else names_in(sweeps_folder(runs))
    found = []
    for name in families:
        folder = family_folder(runs, name)
        for inner in names_in(folder):
            if (folder / inner / SWEEP_NAME).is_file():
                ledger = Ledger.open(folder / inner)
                _check_place(ledger)
                found.append(ledger)
    return tuple(sorted(found, key=lambda ledger: (ledger.sweep["created_at"], ledger.sweep_id)))


def find_sweep(runs: Path, text: str) -> Ledger:
    """A sweep by its folder, by its id under ``runs``, by the beginning of an id, or ``latest``.

    Raises DataError when there is none, when several begin so, or when sweep.json cannot be read, and
    ConfigError for a file.
    """
    direct = Path(text)
    if (direct / SWEEP_NAME).is_file():
        return Ledger.open(direct)
    ledgers = list_sweeps(runs)
    if text == "latest" and ledgers:
        return ledgers[-1]
    exact = [ledger for ledger in ledgers if ledger.sweep_id == text]
    matches = exact or [ledger for ledger in ledgers if ledger.sweep_id.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = newest_of([f"{one.sweep_id} (of {one.sweep['created_at']})" for one in matches])
        raise DataError(
            f"sweep {text!r} is the beginning of {len(matches)} sweeps: {names}; add to it"
        )
    if direct.is_file():
        raise ConfigError(not_a_file(text))
    if not ledgers:
        raise DataError(
            f"there is no sweep {text!r}: {sweeps_folder(runs)} holds none yet; `ninefold sweep run "
            "CONFIG` begins one"
        )
    known = newest_of([ledger.sweep_id for ledger in ledgers])
    raise DataError(f"there is no sweep {text!r} in {sweeps_folder(runs)}; there are: {known}")


def family_trials(runs: Path, family: str) -> FamilyCount:
    """Trials of every sweep of ``family``, all 0 where nothing was swept; every part is verified.

    Runs by hand are those of the family's name or of the name of one of its sweeps.
    """
    ledgers = list_sweeps(runs, family)
    states_of_sweeps = [ledger.trials(["state"])["state"].to_pylist() for ledger in ledgers]
    states = [state for of_sweep in states_of_sweeps for state in of_sweep]
    contents, unreadable = run_contents(runs)
    return FamilyCount(
        sweeps=sum(bool(of_sweep) for of_sweep in states_of_sweeps),
        trials=len(states),
        failed=states.count(FAILED),
        infeasible=states.count(INFEASIBLE),
        by_hand=runs_by_hand(contents, {family, *(ledger.sweep["name"] for ledger in ledgers)}),
        unreadable=len(unreadable),
    )


def runs_by_hand(contents: Iterable[Mapping[str, Any]], names: Collection[str]) -> int:
    """Different configurations called one of ``names`` that were run by themselves, by their records.

    A run of a sweep's trial (``origin``) is not counted: its trial is. One that was changed after it was
    written out is; where its record holds no hash of the trial nobody can tell. Whoever looked at a
    result and removed its folder, or never wrote one (``ablate``), is not counted either: it is a lower
    bound.
    """
    hashes = {
        content["config_hash"]
        for content in contents
        if content["name"] in names and _is_by_hand(content["config"])
    }
    return len(hashes)


def _is_by_hand(config: Mapping[str, Any]) -> bool:
    origin = config.get("origin")
    return origin is None or ("trial_hash" in origin and not is_trial(config))


def _check_place(ledger: Ledger) -> None:
    folder, family = ledger.folder, ledger.sweep["family"]
    if folder.name != ledger.sweep_id or folder.parent.name != family:
        raise DataError(
            f"{folder}: holds the sweep {ledger.sweep_id} of the family {family}: the folder was "
            f"renamed, copied or moved; its place is {folder.parent.parent / family / ledger.sweep_id}"
        )
