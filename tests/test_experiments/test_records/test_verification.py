"""``ninefold runs verify``: a record that was not touched passes, and every touch is found."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import Store
from engine import DataError
from experiments import RunRecord, RunResult, Verification, load_run, verify_run
from experiments.cli import main
from experiments.record import sha256_of, write_parquet
from experiments.records import verification
from experiments.records.table_difference import first_difference

Touch = Callable[[dict[str, Any]], None]


@pytest.fixture
def copy(result: RunResult, tmp_path: Path) -> Path:
    """A copy of the run folder of the fixture, to be spoilt."""
    assert result.run_dir is not None
    return Path(shutil.copytree(result.run_dir, tmp_path / result.run_dir.name))


@pytest.fixture
def computed_once(result: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of the fixture stands for the one that a verification computes."""
    monkeypatch.setattr(verification, "run", lambda *_args, **_options: result)


def touched(folder: Path, touch: Touch) -> RunRecord:
    path = folder / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    touch(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return load_run(folder)


def failures(found: Verification) -> dict[str, str]:
    return {row.subject: row.detail for row in found.rows if not row.is_equal}


def test_a_run_is_verified_through_the_command_line(
    result: RunResult, store: Store, runs: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    where = ["--store", str(store.root), "--runs", str(runs)]
    assert main(["runs", "verify", result.run_id, *where]) == 0
    told = capsys.readouterr().out
    assert f"passed: {result.run_id} says again what it said" in told
    assert told.count("equal") >= 11
    assert max(len(line) for line in told.splitlines() if "passed" not in line) <= 80


def test_a_changed_value_is_found_by_file_row_and_column(
    copy: Path, store: Store, capsys: pytest.CaptureFixture[str]
):
    """As if the run had computed another number: its file and its hash agree, the computation does not."""
    path = copy / "equity.parquet"
    table = pq.read_table(path)
    cash = table["cash"].to_numpy().copy()
    was = float(cash[5])
    more = math.nextafter(was, math.inf)
    cash[5:9] = more
    at = table.column_names.index("cash")
    write_parquet(table.set_column(at, "cash", pa.array(cash)), path)
    touched(copy, lambda content: content["artefacts"].update({path.name: sha256_of(path)}))
    assert main(["runs", "verify", str(copy), "--store", str(store.root), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is False
    assert {row["subject"]: row["detail"] for row in told["rows"] if not row["is_equal"]} == {
        "equity.parquet": f"row 5, column cash: {more!r} in the record, {was!r} now"
    }


@pytest.mark.usefixtures("computed_once")
@pytest.mark.parametrize(
    ("spoil", "subject", "told"),
    [
        (lambda path: path.write_bytes(b"other"), "fills.parquet", "was changed after the run"),
        (lambda path: path.unlink(), "fills.parquet", "the file in the folder is missing"),
    ],
)
def test_a_file_that_is_not_the_run_s_is_told(
    copy: Path, store: Store, spoil: Callable[[Path], None], subject: str, told: str
):
    spoil(copy / subject)
    found = failures(verify_run(load_run(copy), store=store))
    assert list(found) == [subject]
    assert told in found[subject]


@pytest.mark.usefixtures("computed_once")
@pytest.mark.parametrize(
    ("touch", "subject", "told"),
    [
        (lambda c: c["metrics"].update(sharpe=9.5), "metrics", "sharpe: 9.5 in the record"),
        (lambda c: c["benchmark_metrics"].update(sharpe=None), "benchmark metrics", "sharpe: null"),
        (
            lambda c: c["leave_one_out"]["ict"].update(sharpe=9.5),
            "9 runs without a head",
            "ict.sharpe: 9.5 in the record",
        ),
        (
            lambda c: c.update(leave_one_out=None),
            "runs without a head",
            "technical: null in the record",
        ),
        (lambda c: c.update(data_fingerprint="0" * 64), "data", "other rows"),
        (
            lambda c: c["config"].update(initial_cash=5.0),
            "run.json",
            "not the one that config_hash",
        ),
        (
            lambda c: c["artefacts"].update({"extra.parquet": ""}),
            "extra.parquet",
            "only the record",
        ),
    ],
)
def test_every_other_touch_is_told(copy: Path, store: Store, touch: Touch, subject: str, told: str):
    found = failures(verify_run(touched(copy, touch), store=store))
    assert len(found) == 1
    name, detail = next(iter(found.items()))
    assert name.endswith(subject)
    assert told in detail


@pytest.mark.usefixtures("computed_once")
def test_other_code_and_versions_are_notes_and_no_differences(copy: Path, store: Store):
    def touch(content: dict[str, Any]) -> None:
        content["code"] = {"commit": "f" * 40, "dirty": True}
        content["versions"]["numpy"] = "0.1"

    found = verify_run(touched(copy, touch), store=store)
    assert found.passed
    told = " | ".join(found.notes)
    assert "commit ffffffffffff in the record" in told
    assert "then the tree differed from its commit" in told
    assert "numpy differs: 0.1 in the record" in told


def test_a_configuration_that_this_version_refuses_is_told(copy: Path, store: Store):
    record = touched(copy, lambda content: content["config"].update(leverage=3))
    with pytest.raises(DataError, match=r"refuses the recorded configuration.*'leverage'"):
        verify_run(record, store=store)


def test_a_store_without_the_data_is_an_error(copy: Path, tmp_path: Path, result: RunResult):
    spot = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}
    record = load_run(copy)
    data = {
        **record.content["config"]["data"],
        "simulated": None,
        "instruments": [{"signals": spot}],
    }
    content = {**record.content, "config": {**record.content["config"], "data": data}}
    with pytest.raises(DataError):
        verify_run(replace(record, content=content), store=tmp_path / "empty")


TABLE = pa.table({"a": [1, 2, 3], "b": pa.array([1.0, None, float("nan")]), "c": ["x", "y", "z"]})


def of(name: str, values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
    at = TABLE.column_names.index(name)
    return TABLE.set_column(at, name, pa.array(values, kind or TABLE[name].type))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (TABLE, ""),
        (of("b", [1.0, None, float("nan")]), ""),
        (of("c", ["x", None, "w"]), "row 1, column c: y in the record, null now"),
        (of("b", [1.0, 2.0, 3.0]), "row 1, column b: null in the record, 2.0 now"),
        (of("b", [1.0, None, 0.0]), "row 2, column b: nan in the record, 0.0 now"),
        (
            pa.table({"a": [1, 9, 9], "b": TABLE["b"], "c": ["x", "w", "w"]}),
            "row 1, column a: 2 in the record, 9 now",
        ),
        (TABLE.slice(0, 2), "3 rows in the record, 2 now; row 2 is the first of the rest"),
        (TABLE.drop_columns(["c"]), "columns only in the record: c (string); only now: none"),
        (
            of("a", [1, 2, 3], pa.int8()),
            "columns only in the record: a (int64); only now: a (int8)",
        ),
        (TABLE.select(["b", "a", "c"]), "the columns stand in another order"),
    ],
)
def test_the_first_difference_of_two_tables(other: pa.Table, told: str):
    assert first_difference(TABLE, other) == told


def test_zeros_of_both_signs_are_not_the_same_bits():
    one, other = pa.table({"a": [0.0, 1.0]}), pa.table({"a": [-0.0, 1.0]})
    assert first_difference(one, other) == "row 0, column a: 0.0 in the record, -0.0 now"
