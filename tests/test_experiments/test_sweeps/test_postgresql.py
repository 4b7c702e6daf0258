"""A sweep's study on a PostgreSQL server of the test's own, where this machine has the program."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from datasets import Store
from experiments.sweeps.mirror import write_mirror
from experiments.sweeps.run import run_sweep

from .conftest import SweepOf


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of an empty server that listens on a socket in its folder, and nowhere else."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(programs[-1]) if programs else None)
    if found is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    # The server refuses to run as root; its package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    folder.chmod(0o777)
    data = str(folder / "data")

    def program(name: str, *arguments: str) -> None:
        subprocess.run(
            [str(Path(found).parent / name), "-D", data, *arguments],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    try:
        program("initdb", "--auth=trust", "--username=ninefold", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        program("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql+psycopg://ninefold@/postgres?host={folder}"
        program("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_a_mirror_is_copied_to_a_server_and_gone_on_with_there(
    server: str, sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    ledger = run_sweep(sweep_of(search={"trials": 0}), store=store, runs=tmp_path).ledger
    mirror = JournalStorage(JournalFileBackend(str(write_mirror(ledger))))
    storage = RDBStorage(server)
    optuna.copy_study(from_study_name=ledger.sweep_id, from_storage=mirror, to_storage=storage)
    there = optuna.load_study(study_name=ledger.sweep_id, storage=mirror).trials
    here = optuna.load_study(study_name=ledger.sweep_id, storage=storage)
    assert len(there) == len(here.trials) == ledger.count
    for one, other in zip(there, here.trials, strict=True):
        assert (one.params, one.values, one.state) == (other.params, other.values, other.state)
    trial = here.ask(there[0].distributions)
    here.tell(trial, 0.0)
    assert len(here.trials) == ledger.count + 1
    storage.engine.dispose()
