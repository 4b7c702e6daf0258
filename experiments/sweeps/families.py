"""The sweeps of a family: listed, found and counted."""

from dataclasses import dataclass
from pathlib import Path

from datasets.durable import names_in
from engine import DataError

from .identity import check_label
from .ledger import SWEEP_NAME, Ledger, family_folder, sweeps_folder
from .parts import FAILED, INFEASIBLE


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """Everything that was tried on one idea: ``trials`` whatever came of them, over all ``sweeps``."""

    sweeps: int
    trials: int
    failed: int
    infeasible: int


def list_sweeps(runs: Path, family: str | None = None) -> tuple[Ledger, ...]:
    """The sweeps under ``runs``, or those of ``family``, oldest first; none where there is no folder.

    Raises DataError when a sweep's description is broken, or when its folder was renamed, copied or
    moved to another family: its trials would count twice or for another idea.
    """
    if family is not None:
        check_label("family", family)
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

    Raises DataError when there is none, when several begin so, or when sweep.json cannot be read.
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
        names = ", ".join(f"{one.sweep_id} (of {one.sweep['created_at']})" for one in matches)
        raise DataError(f"sweep {text!r} is the beginning of {len(matches)} sweeps: {names}")
    if not ledgers:
        raise DataError(
            f"there is no sweep {text!r}: {sweeps_folder(runs)} holds none yet; `ninefold sweep run "
            "CONFIG` begins one"
        )
    known = ", ".join(ledger.sweep_id for ledger in ledgers)
    raise DataError(f"there is no sweep {text!r} in {sweeps_folder(runs)}; there are: {known}")


def family_trials(runs: Path, family: str) -> FamilyCount:
    """Trials of every sweep of ``family``, all 0 where nothing was swept; every part is verified."""
    ledgers = list_sweeps(runs, family)
    states = [
        state for ledger in ledgers for state in ledger.trials(["state"])["state"].to_pylist()
    ]
    return FamilyCount(
        sweeps=len(ledgers),
        trials=len(states),
        failed=states.count(FAILED),
        infeasible=states.count(INFEASIBLE),
    )


def _check_place(ledger: Ledger) -> None:
    folder, family = ledger.folder, ledger.sweep["family"]
    if folder.name != ledger.sweep_id or folder.parent.name != family:
        raise DataError(
            f"{folder}: holds the sweep {ledger.sweep_id} of the family {family}: the folder was "
            f"renamed, copied or moved; its place is {folder.parent.parent / family / ledger.sweep_id}"
        )
