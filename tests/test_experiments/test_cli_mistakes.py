"""What a person types by mistake is answered in one line that says what to do."""

import errno
import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from datasets import Store
from engine import DataError
from experiments import RunResult, load_run
from experiments.firing import over_symbols
from experiments.record import RunRecord
from experiments.run_tables import print_run
from tests.test_experiments.command_line import called, refused


def test_config_commands_take_a_sweep(sweep_file: Path, capsys: pytest.CaptureFixture[str]):
    code, out, _ = called(capsys, "config", "validate", sweep_file)
    assert (code, out.split(": ")[1][:5]) == (0, "valid")
    code, out, _ = called(
        capsys, "config", "show", sweep_file, "--json", "-s", "sweep.space.exits.stop_atr.low=1.5"
    )
    shown = json.loads(out)["config"]["sweep"]
    assert (code, shown["space"]["exits.stop_atr"]["low"]) == (0, 1.5)
    assert shown["search"]["sampler"] == "tpe"
    code, line = refused(
        capsys,
        "config",
        "validate",
        sweep_file,
        "-s",
        "sweep.space={exits.stop_art: {kind: weights}}",
    )
    assert code == 2
    assert "sweep.space" in line


def test_each_kind_of_file_is_sent_to_its_command(
    sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for command in (["run"], ["ablate"], ["check", "lookahead"]):
        code, line = refused(capsys, *command, sweep_file)
        assert code == 2
        assert line.endswith("this is a sweep's configuration, which `ninefold sweep run` takes")
    fetch = tmp_path / "fetch.yaml"
    fetch.write_text("fetch: []\n", encoding="utf-8")
    for command in (["run"], ["config", "validate"], ["config", "show"]):
        code, line = refused(capsys, *command, fetch)
        assert code == 2
        assert "`ninefold data fetch`" in line
    for command in (["validate"], ["runs", "show"], ["sweep", "status"]):
        code, line = refused(capsys, *command, sweep_file, "--runs", tmp_path / "runs")
        assert code == 2
        assert "is a file; name a run or a sweep by its folder, its id" in line


def test_names_that_fit_nothing_or_too_much(
    result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    runs = tmp_path / "runs"
    code, line = refused(capsys, "runs", "show", "a", "--runs", runs)
    assert (code, "holds none yet; `ninefold run CONFIG` makes one" in line) == (3, True)
    record = (result.run_dir / "run.json").read_bytes()
    for number in range(30):
        (runs / f"2024-{number:02d}").mkdir(parents=True)
        (runs / f"2024-{number:02d}" / "run.json").write_bytes(record)
    code, line = refused(capsys, "runs", "show", "2024", "--runs", runs)
    assert (code, "the beginning of 30 runs" in line, "and 22 older ones" in line) == (
        3,
        True,
        True,
    )
    assert "2024-29" in line
    assert "2024-03" not in line
    for command in (["runs", "list"], ["sweep", "status"]):
        code, line = refused(capsys, *command, "--runs", result.run_dir / "run.json")
        assert (code, "is a file; give a folder" in line) == (3, True)


def test_a_refusal_of_the_file_system_names_the_file(
    result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "r.html"
    code, line = refused(capsys, "report", result.run_dir, "--output", target)
    assert code == 3
    assert line.startswith(f"error: {target}: cannot be written: ")


def test_a_full_disk_leaves_no_run(
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    config = tmp_path / "a.yaml"
    config.write_text("data: {simulated: {symbols: [AAASIM], days: 40}}\n", encoding="utf-8")
    monkeypatch.setattr("experiments.record.write_parquet", full)
    code, line = refused(capsys, "run", config, "--store", store.root, "--runs", tmp_path / "runs")
    assert code == 3
    assert (
        "runs: the run cannot be written: No space left on device; nothing of it was kept" in line
    )
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_mirror_that_cannot_be_written_hides_no_result(
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    config = tmp_path / "s.yaml"
    stages = "screen: {trials: 4, batch: 4}, search: {trials: 0}"
    config.write_text(
        "data: {simulated: {symbols: [AAASIM], days: 40}}\n"
        f"sweep: {{{stages}, space: {{exits.stop_atr: {{kind: real, low: 1, high: 2}}}}}}\n",
        encoding="utf-8",
    )

    def full(path: Path, _data: object) -> None:
        raise DataError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr("experiments.sweeps.mirror.replace_file", full)
    at = ("--store", store.root, "--runs", tmp_path / "runs")
    code, out, err = called(capsys, "sweep", "run", config, *at)
    assert code == 3
    assert "family run: 4 trials in 1 sweep" in out
    assert "every trial is kept, and `ninefold sweep export --optuna FILE`" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("timestamp,open,high,low,volume", "as bars it lacks the column 'close'"),
        ("Date,Open,High,Low,Close,Adj,Volume", "its first line would be 'open_time,open,high,low"),
        ("when,who", "of none of the"),
    ],
)
def test_a_file_that_lacks_a_column_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: str, told: str
):
    path = tmp_path / "bars.csv"
    path.write_text(f"{columns}\n1609459200000,1,2,1,5\n", encoding="utf-8")
    code, line = refused(capsys, "data", "import", path, "--store", tmp_path / "store")
    assert (code, told in line) == (3, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    runs = tmp_path / "runs"
    runs.mkdir(mode=0o555)
    config = tmp_path / "a.yaml"
    config.write_text("data: {simulated: {days: 40}}\n", encoding="utf-8")
    code, line = refused(capsys, "run", config, "--store", store.root, "--runs", runs)
    assert (code, "cannot be written; give another folder with --runs" in line) == (3, True)


def of_symbols(result: RunResult, count: int) -> RunRecord:
    """The record of a run as if it had so many symbols."""
    record = load_run(result.run_dir)
    names = [f"S{number}" for number in range(count)]
    firing = [record.content["firing"][0] | {"symbol": name} for name in names]
    notes = [f"{name}: 12 of 960 signal bars are missing (gaps)" for name in names]
    changed = {**record.content, "symbols": names, "firing": firing, "notes": notes}
    return RunRecord(run_dir=record.run_dir, content=changed)


def printed(record: RunRecord, *, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_run(record, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_many_symbols_share_their_notes_and_gates(result: RunResult):
    few, many = of_symbols(result, 2), of_symbols(result, 30)
    assert printed(few).count("note:") == 2
    assert printed(many, verbose=True).count("has data") == 30
    text = printed(many)
    assert len(text.splitlines()) < 50
    assert text.count("note:") == 1
    assert "all 30 symbols: 12 of 960 signal bars" in text
    # Equal symbols: the counts of all of them are sums.
    firing = many.content["firing"][0]
    stands, bars, decisions = (
        f"{30 * int(count):,}"
        for count in (firing["gates"]["stands"], firing["bars"], firing["decisions"])
    )
    flat = " ".join(text.split())
    assert f"30 symbols: consensus stood on {stands} of {bars} bars" in flat
    assert f"decisions {decisions}" in flat


def test_shares_over_symbols_weigh_their_bars(result: RunResult):
    record = of_symbols(result, 6)
    long, *_ = record.content["firing"]
    head = {**long["heads"][0], "voted": 0.1}
    alone = {**long, "bars": 3 * long["bars"], "heads": [head, *long["heads"][1:]]}
    zero = {**long, "heads": [{**head, "voted": 0.5}, *long["heads"][1:]]}
    content = {**record.content, "firing": [alone, zero, zero, zero, zero, zero]}
    technical = over_symbols(content["firing"])["heads"][0]
    assert technical["voted"] == pytest.approx(0.35)  # (3 * 0.1 + 5 * 0.5) / 8


def test_bad_requests_have_their_exit_codes(
    config_file: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    at_store = ("--store", store.root, "--runs", tmp_path / "r")
    code, line = refused(capsys, "run", tmp_path / "absent.yaml")
    assert code == 2
    assert "there is no such configuration file" in line
    code, line = refused(capsys, "run", config_file, *at_store, "-s", "consensus.quorun=3")
    assert code == 2
    assert "did you mean 'quorum'" in line
    unknown = "data.instruments=[{signals: {venue: simulated, market: spot, symbol: NOPE}}]"
    code, line = refused(capsys, "run", config_file, *at_store, "-s", unknown)
    assert code == 3
    assert "simulated/spot/NOPE" in line
    code, line = refused(capsys, "run")
    assert code == 2
    assert "Missing argument 'CONFIG'" in line
    code, line = refused(capsys, "run", config_file, "--bogus")
    assert code == 2
    assert "--bogus" in line
    code, line = refused(capsys, "data", "import", tmp_path / "absent.csv", "--store", tmp_path)
    assert code == 3
    code, line = refused(capsys, "data", "ls", "--store", tmp_path / "no-store")
    assert code == 3
    code, line = refused(capsys, "data", "simulate", "--mode", "real", "--store", tmp_path)
    assert code == 2
    code, line = refused(capsys, "run", config_file, *at_store, "-s", "targets=absent.csv")
    assert code == 3
    assert list((tmp_path / "r").glob("*")) == []


def test_debug_shows_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NINEFOLD_DEBUG", "1")
    code, _, err = called(capsys, "run", tmp_path / "absent.yaml")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_a_defect_is_called_one(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_arguments: object, **_keywords: object) -> None:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr("experiments.config_file.load_config", broken)
    code, _, err = called(capsys, "config", "validate", config_file)
    assert code == 1
    assert "Traceback" in err
    assert "defect" in err.splitlines()[-1]
