"""A ledger that somebody or something damaged: told by file, and never counted as sound."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datasets import durable
from engine import ContractError, DataError
from experiments.sweeps import parts
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.parts import encoded
from tests.test_experiments.test_sweeps.ledger_cases import (
    CREATED_AT,
    batch_of,
    filled,
    identity_of,
    made_ledger,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return filled(tmp_path, 4)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 7)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def without_its_name(path: Path) -> None:
    path.rename(path.with_name("trials-2.parquet"))


def with_another_digest(path: Path) -> None:
    path.rename(path.with_name(f"{path.name[:14]}{'0' * 16}.parquet"))


def missing(path: Path) -> None:
    path.unlink()


def copied_beside(path: Path) -> None:
    shutil.copy(path, path.with_name(f"{path.stem} (copy).parquet"))


def copied_to_the_end(path: Path) -> None:
    shutil.copy(path, path.with_name(path.name.replace("trials-000002", "trials-000005")))


def twice(path: Path) -> None:
    name, data = encoded(batch_of(8, 5, 1), 2)
    path.with_name(name).write_bytes(data)


def swapped(path: Path) -> None:
    other = next(path.parent.glob("trials-000003-*"))
    path.rename(path.with_name(path.name.replace("000002", "000003")))
    other.rename(other.with_name(other.name.replace("000003", "000002")))


def of_another_sweep(path: Path) -> None:
    path.unlink()
    name, data = encoded(batch_of(8, 8, 1).drop_columns(["sharpe"]), 2)
    path.with_name(name).write_bytes(data)


def not_parquet(path: Path) -> None:
    path.unlink()
    data = b"PAR1 not really PAR1"
    path.with_name(f"trials-000002-{parts._digest(data)}.parquet").write_bytes(data)


def too_short(path: Path) -> None:
    path.unlink()
    name, data = encoded(batch_of(8, 7, 1), 2)
    path.with_name(name).write_bytes(data)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


RESTORE = "put the part back as it was, or move it and every later part out of the folder"


@pytest.mark.parametrize(
    ("damage", "file", "told", "remedy"),
    [
        (truncated, "trials-000002-", "it was changed, cut off or renamed", RESTORE),
        (emptied, "trials-000002-", "it was changed, cut off or renamed", RESTORE),
        (changed, "trials-000002-", "it was changed, cut off or renamed", RESTORE),
        (with_another_digest, "trials-000002-", "does not begin with 0000000000000000", RESTORE),
        (without_its_name, "trials-2.parquet", "is not the name of a part", "give it its name back"),
        (copied_beside, r"trials-000002-\w+ \(copy\).parquet", "is not the name", "move it away"),
        (missing, "part 2 .trials-000002-", r"is missing before trials-000004-\w+", RESTORE),
        (copied_to_the_end, "trials-000005-", "trial=8 in row 0, where trial 32 must", RESTORE),
        (twice, "trials-000002-", "there is another part 2, trials-000002-", "does not belong"),
        (swapped, "trials-000002-", "trial=16 in row 0, where trial 8 must stand", RESTORE),
        (of_another_sweep, "trials-000002-", r"not those that sweep.json states \(missing: sharpe",
         RESTORE),
        (not_parquet, "trials-000002-", "is not a Parquet file", RESTORE),
        (too_short, "trials-000003-", "trial=16 in row 0, where trial 15 must stand", RESTORE),
        (a_folder, "trials-000002-", "cannot be read: Is a directory", RESTORE),
    ],
)  # fmt: skip
def test_damage_is_told_with_the_file_and_what_to_do(
    ledger: Ledger, damage: Callable[[Path], None], file: str, told: str, remedy: str
):
    damage(ledger.parts()[1])
    pattern = rf"{ledger.folder}.*{file}.*{told}.*{remedy}"
    for use in (ledger.trials, lambda: ledger.count, lambda: ledger.trials(["sharpe"])):
        with pytest.raises(DataError, match=pattern):
            use()
    with pytest.raises(DataError, match=pattern), ledger.writing():
        pytest.fail("a damaged ledger was opened for writing")


def test_what_the_remedy_says_helps(ledger: Ledger):
    whole = [path.name for path in ledger.parts()]
    changed(ledger.parts()[1])
    for path in ledger.parts()[1:]:
        path.rename(path.parent.parent / path.name)
    runs = ledger.folder.parents[2]
    again = filled(runs, 4)
    assert [path.name for path in again.parts()] == whole
    assert again.count == 32


def test_other_files_in_the_folder_do_no_harm(ledger: Ledger):
    for name in ("notes.txt", "study.log", "other.parquet", ".tmp-x"):
        (ledger.folder / name).write_text("x")
    assert ledger.count == 32


def test_a_listing_that_misses_a_part_made_meanwhile_is_taken_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    real, listings = parts.names_in, []

    def racing(folder: Path) -> list[str]:
        """As when a folder is read while parts 2 and 3 appear behind and before the reader."""
        listings.append(folder)
        names = real(folder)
        if len(listings) == 1:
            return [name for name in names if "000002" not in name and "000004" not in name]
        return names

    monkeypatch.setattr(parts, "names_in", racing)
    assert ledger.trials(["trial"]).num_rows == 24
    assert len(listings) == 2


@pytest.mark.parametrize("call", ["write", "sync", "rename"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_keeps_everything_before(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, call: str, code: int
):
    before = {path: path.read_bytes() for path in ledger.parts()}

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with ledger.writing():
        with monkeypatch.context() as patch:
            patch.setattr(durable, call, refuse)
            with pytest.raises(
                DataError,
                match=rf"trials-000005-\w+.parquet: cannot be written: {os.strerror(code)}",
            ):
                ledger.append(batch_of(32, 8, 4))
        with pytest.raises(ContractError, match="after a failed write only when entered again"):
            ledger.append(batch_of(32, 8, 4))
    assert {path: path.read_bytes() for path in ledger.parts()} == before
    assert not [path for path in ledger.folder.iterdir() if path.name.startswith(".tmp-")]
    with ledger.writing():
        ledger.append(batch_of(32, 8, 4))
    assert Ledger.open(ledger.folder).count == 40


def test_a_name_that_could_not_be_synced_is_found_or_not_but_never_twice(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with ledger.writing(), monkeypatch.context() as patch:
        patch.setattr(durable, "sync_folder", refuse)
        with pytest.raises(DataError, match="cannot be written"):
            ledger.append(batch_of(32, 8, 4))
    with ledger.writing():
        assert ledger.count == 40
        ledger.append(batch_of(40, 8, 5))
    assert Ledger.open(ledger.folder).count == 48


@pytest.mark.parametrize("call", ["write", "sync", "rename", "make_one_folder"])
def test_a_ledger_that_cannot_be_begun_leaves_no_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(durable, call, refuse)
        with pytest.raises(DataError, match="cannot be written: No space left on device"):
            made_ledger(tmp_path)
    assert not list(tmp_path.rglob("sweep.json"))
    assert filled(tmp_path, 1).count == 8


def test_parts_of_other_metrics_are_told(tmp_path: Path, ledger: Ledger):
    other = Ledger.create(
        tmp_path / "other",
        identity_of(),
        CREATED_AT,
        metrics=("sharpe",),
        objectives={"sharpe": "maximize"},
    )
    for path in ledger.parts():
        shutil.copy(path, other.folder)
    with pytest.raises(DataError, match="missing: none; unknown: total_return"):
        other.trials()
    assert pq.ParquetFile(other.parts()[0]).metadata.num_rows == 8
