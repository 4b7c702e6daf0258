"""``ninefold runs rm``: asked first, whole or not at all, and never anything that is not a run."""

import json
import shutil
from pathlib import Path

import pytest

from engine import DataError
from experiments import RunResult, list_runs, load_run, remove_run
from experiments.cli import main


@pytest.fixture
def folders(result: RunResult, tmp_path: Path) -> list[Path]:
    """Three runs in a folder of their own."""
    assert result.run_dir is not None
    names = ("20240101T000000Z-a-1", "20240102T000000Z-a-2", "20250101T000000Z-b-3")
    return [Path(shutil.copytree(result.run_dir, tmp_path / "runs" / name)) for name in names]


def left(folders: list[Path]) -> list[str]:
    return sorted(path.name for path in folders[0].parent.iterdir())


def test_runs_are_removed_by_name_and_the_others_stay(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
):
    runs = ["--runs", str(folders[0].parent)]
    assert main(["runs", "rm", "20240101", "latest", "latest", "--yes", "--json", *runs]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"removed": [str(folders[0]), str(folders[2])]}
    assert left(folders) == [folders[1].name]


def test_nothing_is_removed_without_a_yes(
    folders: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    import io
    import sys

    for answer, code, count in (("n\n", 1, 3), ("", 1, 3), ("y\n", 0, 2)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        assert main(["runs", "rm", "20240102", "--runs", str(folders[0].parent)]) == code
        told = capsys.readouterr()
        assert str(folders[1]) in told.err
        assert len(left(folders)) == count
    assert told.out.strip() == f"removed {folders[1]}"


def test_one_name_that_is_not_there_stops_all_of_it(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
):
    runs = ["--runs", str(folders[0].parent)]
    assert main(["runs", "rm", "20240102", "nope", "--yes", *runs]) == 3
    assert "there is no run 'nope'" in capsys.readouterr().err
    assert len(left(folders)) == 3


def test_a_run_whose_record_is_damaged_is_removed_by_its_whole_id(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
):
    runs = ["--yes", "--runs", str(folders[0].parent)]
    for folder, text in zip(folders[:2], ("{", '{"schema_version": 1}'), strict=True):
        (folder / "run.json").write_text(text)
    (folders[1] / "notes.txt").write_text("mine")
    assert main(["runs", "rm", "20240101", *runs]) == 3
    assert "is not the record of a run" in capsys.readouterr().err
    assert main(["runs", "rm", folders[0].name, *runs]) == 0
    assert main(["runs", "rm", str(folders[1]), *runs]) == 3
    assert "holds 'notes.txt', which no run wrote" in capsys.readouterr().err
    assert left(folders) == [folder.name for folder in folders[1:]]


def test_a_folder_that_holds_anything_else_stays(folders: list[Path]):
    (folders[0] / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"holds 'notes.txt', which no run wrote"):
        remove_run(load_run(folders[0]))
    (folders[0] / "notes.txt").unlink()
    (folders[0] / "equity.parquet").unlink()
    (folders[0] / "equity.parquet").mkdir()
    with pytest.raises(DataError, match=r"holds 'equity.parquet'"):
        remove_run(load_run(folders[0]))
    assert len(left(folders)) == 3


def test_a_folder_that_is_no_run_stays(tmp_path: Path):
    (tmp_path / "run.json").write_text('{"schema_version": 3}', encoding="utf-8")
    assert main(["runs", "rm", str(tmp_path), "--yes"]) == 3
    assert main(["runs", "rm", str(tmp_path.parent), "--yes"]) == 3
    assert (tmp_path / "run.json").is_file()


def test_a_link_to_a_run_stays_and_so_does_the_run(folders: list[Path], tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(folders[0], target_is_directory=True)
    with pytest.raises(DataError, match="is a link"):
        remove_run(load_run(link))
    assert link.is_symlink()
    assert len(left(folders)) == 3


def test_an_interrupted_removal_leaves_no_run_and_is_finished_by_the_next(
    folders: list[Path], monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            remove_run(load_run(folders[0]))
    assert [record.run_id for record in list_runs(folders[0].parent)] == [
        folder.name for folder in folders[1:]
    ]
    assert len(left(folders)) == 3
    remove_run(load_run(folders[1]))
    assert left(folders) == [folders[2].name]


def test_a_run_is_removed_from_inside_its_folder(
    folders: list[Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folders[0])
    assert main(["runs", "rm", ".", "--yes"]) == 0
    assert not folders[0].exists()
