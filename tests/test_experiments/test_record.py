import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from engine import DataError
from experiments import RunConfig, RunResult, list_runs, load_run, run
from experiments.cli import main
from experiments.record import (
    json_text,
    new_run_id,
    readable_runs,
    sha256_of,
    without_nan,
    write_parquet,
    write_run,
)


def record_at(folder: Path, schema_version: int = 3) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"schema_version": schema_version}))
    return folder


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for name in ("20240101T000000Z-a-1", "20240102T000000Z-a-2", "20250101T000000Z-b-3"):
        record_at(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a run")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_runs_are_listed_oldest_first(three: Path):
    assert [record.run_id[-1] for record in list_runs(three)] == ["1", "2", "3"]
    assert list_runs(three / "absent") == ()


def test_a_run_is_found_by_folder_id_beginning_or_latest(three: Path):
    assert load_run("20240102T000000Z-a-2", three).run_id[-1] == "2"
    assert load_run(three / "20240102T000000Z-a-2").run_id[-1] == "2"
    assert load_run("2025", three).run_id[-1] == "3"
    assert load_run("latest", three).run_id[-1] == "3"
    for name in ("b", "b-3"):
        assert load_run(name, three).run_id[-1] == "3"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("2024", "beginning of 2 runs"),
        ("a", "beginning of 2 runs"),
        ("x", "there is no run 'x'"),
        ("empty", "no run 'empty'"),
    ],
)
def test_a_run_that_is_not_there_is_told(three: Path, name: str, told: str):
    with pytest.raises(DataError, match=told):
        load_run(name, three)


def test_one_run_that_cannot_be_read_hides_no_other(
    three: Path, capsys: pytest.CaptureFixture[str]
):
    (three / "20240102T000000Z-a-2" / "run.json").write_text("{")
    record_at(three / "20240103T000000Z-old-4", schema_version=1)
    records, unreadable = readable_runs(three)
    assert [record.run_id[-1] for record in records] == ["1", "3"]
    assert "a-2/run.json: is not the record of a run (JSONDecodeError" in unreadable[0]
    assert "remove the folder" in unreadable[0]
    assert "schema_version=1, this version reads 3; run it again" in unreadable[1]
    with pytest.raises(DataError, match="is not the record of a run"):
        list_runs(three)
    for folder in ("20240101T000000Z-a-1", "20250101T000000Z-b-3"):
        shutil.rmtree(three / folder)
    assert main(["runs", "list", "--runs", str(three)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split(":")[0] for line in told.err.splitlines()] == ["cannot be read"] * 2
    assert main(["runs", "list", "--runs", str(three), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == {"runs": [], "unreadable": list(unreadable)}


def test_latest_of_nothing(tmp_path: Path):
    with pytest.raises(DataError, match="no run 'latest'"):
        load_run("latest", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version"'])
def test_a_broken_record_is_told(tmp_path: Path, text: str):
    folder = record_at(tmp_path / "r")
    (folder / "run.json").write_text(text)
    with pytest.raises(DataError, match=r"run.json: is not the record of a run"):
        load_run(folder)


def test_a_broken_record_does_not_hide_the_other_runs(three: Path):
    (three / "20240101T000000Z-a-1" / "run.json").write_text("{}")
    assert load_run("2025", three).run_id[-1] == "3"
    with pytest.raises(DataError, match="is not the record of a run"):
        list_runs(three)


def test_a_record_of_another_version_is_told(tmp_path: Path):
    with pytest.raises(DataError, match="schema_version=1, this version reads 3"):
        load_run(record_at(tmp_path / "r", 1))


def test_a_changed_or_missing_table_is_told(result: RunResult, tmp_path: Path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in result.run_dir.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    record = load_run(folder)
    assert record.table("trades").num_rows == result.n_trades
    (folder / "trades.parquet").write_bytes(b"other")
    with pytest.raises(DataError, match=r"trades.parquet: its SHA-256 is not the one"):
        record.table("trades")
    (folder / "fills.parquet").unlink()
    with pytest.raises(DataError, match=r"fills.parquet: is missing"):
        record.table("fills")


def test_json_has_null_where_a_number_is_undefined():
    value = {"a": math.nan, "b": [math.inf, 1.5], "c": ({"d": -math.inf},), "e": "NaN", "f": True}
    assert without_nan(value) == {
        "a": None,
        "b": [None, 1.5],
        "c": [{"d": None}],
        "e": "NaN",
        "f": True,
    }
    assert json.loads(json_text(value))["a"] is None


def test_equal_tables_give_equal_files(tmp_path: Path):
    for name in ("a", "b"):
        write_parquet(pa.table({"x": [1.0, None, 3.0], "y": ["p", "q", "r"]}), tmp_path / name)
    assert sha256_of(tmp_path / "a") == sha256_of(tmp_path / "b")


def test_a_run_id_sorts_by_time_and_names_config_and_hash():
    moment = datetime(2024, 1, 31, 13, 5, 9, tzinfo=UTC)
    assert new_run_id(moment, "btc_1h", "abcdef0123") == "20240131T130509Z-btc_1h-abcdef01"


def test_runs_of_the_same_second_get_names_of_their_own(result: RunResult, tmp_path: Path):
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: write_run(result, tmp_path), range(4)))
    assert len(set(folders)) == 4
    for folder in folders:
        assert load_run(folder).content["run_id"] == folder.name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f.name for f in folders)


def test_a_place_where_no_run_can_be_written_is_told_before_anything_is_computed(
    small_config: RunConfig, tmp_path: Path
):
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="is a file; give a folder for the runs"):
            run(small_config, store=tmp_path / "store", runs=runs)
    assert not (tmp_path / "store" / "ohlcv").exists()
