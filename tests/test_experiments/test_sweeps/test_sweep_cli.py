"""``ninefold sweep`` as a user types it: run, interrupt, resume, look, write out, run again."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from datasets import Store
from experiments.cli import main
from experiments.config_file import resolved

from .conftest import SweepOf

LINES_BEFORE_CTRL_C = 2
BATCH = 16


@pytest.fixture
def config_path(sweep_of: SweepOf, tmp_path: Path) -> Path:
    path = tmp_path / "sweep.yaml"
    config = sweep_of(search={"trials": 16, "batch": 8, "seeds": 8})
    path.write_text(yaml.safe_dump(resolved(config)), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Stopped:
    """A sweep that was ended from outside: the trials it had told by then, and what it still said."""

    config: Path
    where: list[str]
    told: int
    last_words: str
    code: int


def stopped_sweep(
    sweep_of: SweepOf, store: Store, folder: Path, *, trials: int, after: int, by: signal.Signals
) -> Stopped:
    """Send ``by`` to a `ninefold sweep run` of its own process when it has told ``after`` batches."""
    path = folder / "long.yaml"
    config = sweep_of(screen={"trials": trials, "batch": BATCH}, search={"trials": 0})
    path.write_text(yaml.safe_dump(resolved(config)), encoding="utf-8")
    where = ["--store", str(store.root), "--runs", str(folder / "runs")]
    program = "from experiments.cli import main; raise SystemExit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "sweep", "run", str(path), *where],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ.copy(),
    )
    assert process.stderr is not None
    seen = told = 0
    for line in process.stderr:
        if not line.startswith("· screen"):
            continue
        seen, told = seen + 1, int(line.split()[2].replace(",", ""))
        if seen == after:
            time.sleep(0.01)
            process.send_signal(by)
            break
    _, last_words = process.communicate(timeout=120)
    return Stopped(path, where, told, last_words, process.returncode)


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_run_top_and_the_best_run_again(
    config_path: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", str(store.root), "--runs", str(tmp_path / "runs")]
    told = run_json(capsys, "sweep", "run", str(config_path), *where)
    assert told["trials"] == told["planned"] == told["family_trials"] == 32
    assert (Path(told["folder"]) / "study.log").is_file()
    again = run_json(capsys, "sweep", "run", str(config_path), *where)
    assert again["resumed_from"] == 32
    assert again["top"] == told["top"]

    out = tmp_path / "best.yaml"
    top = run_json(capsys, "sweep", "top", "--out", str(out), *where[2:])
    assert top["trials"] == told["top"]
    best = top["trials"][0]["metrics"]
    alone = run_json(capsys, "run", str(out), *where)
    assert {name: alone["metrics"][name] for name in ("sharpe", "trades", "fees")} == {
        name: best[name] for name in ("sharpe", "trades", "fees")
    }
    status = run_json(capsys, "sweep", "status", *where[2:])
    assert [row["trials"] for row in status["sweeps"]] == [32]
    assert status["families"][told["family"]]["trials"] == 32


def test_workers_are_asked_for_by_options(
    config_path: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", str(store.root), "--runs", str(tmp_path / "runs")]
    one = ["--executor", "processes", "--threads", "2"]
    told = run_json(capsys, "sweep", "run", str(config_path), *where, *one)
    assert (told["trials"], told["retries"]) == (32, 0)
    assert main(["sweep", "resume", *where, "--address", "there:6379"]) == 2
    assert "--executor ray" in capsys.readouterr().err


def test_words_fit_eighty_columns(
    config_path: Path,
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["sweep", "run", str(config_path), "--store", str(store.root), *runs]) == 0
    assert main(["sweep", "status", *runs]) == 0
    assert main(["sweep", "top", "-n", "3", *runs]) == 0
    assert main(["sweep", "run", str(config_path), "--store", str(store.root), *runs]) == 0
    told = capsys.readouterr()
    assert "nothing was left to do" in told.err
    assert max(map(len, told.out.splitlines())) <= 80
    assert "Sharpe" in told.out
    assert "to go" in told.err


def test_exports(
    config_path: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["sweep", "run", str(config_path), "--store", str(store.root), *runs]) == 0
    for name in ("trials.parquet", "trials.csv"):
        assert main(["sweep", "export", "--out", str(tmp_path / name), *runs]) == 0
    table = pyarrow.parquet.read_table(tmp_path / "trials.parquet")
    plain = pyarrow.csv.read_csv(tmp_path / "trials.csv")
    assert table.num_rows == plain.num_rows == 32
    assert plain["sharpe"].to_pylist() == pytest.approx(table["sharpe"].to_pylist(), nan_ok=True)
    assert main(["sweep", "export", "--optuna", str(tmp_path / "study.log"), *runs]) == 0
    assert main(["sweep", "export", "--out", str(tmp_path / "trials.xlsx"), *runs]) == 2
    assert main(["sweep", "export", *runs]) == 2
    assert "state --out FILE" in capsys.readouterr().err


def test_ctrl_c_keeps_the_batch_and_tells_how_to_go_on(
    sweep_of: SweepOf, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = stopped_sweep(
        sweep_of, store, tmp_path, trials=4096, after=LINES_BEFORE_CTRL_C, by=signal.SIGINT
    )
    assert stopped.code == 130, stopped.last_words
    assert "finishing the batch" in stopped.last_words
    assert "ninefold sweep resume" in stopped.last_words
    done = run_json(capsys, "sweep", "status", *stopped.where[2:])["sweeps"][0]["trials"]
    assert stopped.told <= done < 4096
    assert done % BATCH == 0


def test_kill_loses_at_most_the_batch_in_flight(
    sweep_of: SweepOf, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = stopped_sweep(sweep_of, store, tmp_path, trials=256, after=1, by=signal.SIGKILL)
    done = run_json(capsys, "sweep", "status", *stopped.where[2:])["sweeps"][0]["trials"]
    assert done >= stopped.told > 0
    whole = run_json(capsys, "sweep", "run", str(stopped.config), *stopped.where)
    assert whole["trials"] == 256


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["sweep", "top"], 3, "`ninefold sweep run CONFIG` begins one"),
        (["sweep", "resume", "nothing"], 3, "there is no sweep 'nothing'"),
        (["sweep", "run", "experiments/configs/quickstart.yaml"], 2, "there is no section 'sweep'"),
    ],
)
def test_what_is_not_there(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--runs", str(tmp_path)]) == code
    assert message in capsys.readouterr().err


def test_a_run_refuses_the_configuration_of_a_sweep(
    config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(config_path)]) == 2
    assert "ninefold sweep run" in capsys.readouterr().err


def test_an_override_of_what_is_searched_is_refused(
    config_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    for override in ("consensus.p_min=0.6", "consensus.weights.ict=0.5"):
        assert main(["sweep", "run", str(config_path), "-s", override, *runs]) == 2
        assert f"-s {override}: consensus." in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_trials_judged_with_their_neighbours_show_what_they_are_ranked_by(
    sweep_of: SweepOf,
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "clouds.yaml"
    config = sweep_of(search={"trials": 8, "batch": 8, "neighbours": 2})
    path.write_text(yaml.safe_dump(resolved(config)), encoding="utf-8")
    where = ["--store", str(store.root), "--runs", str(tmp_path / "runs")]
    assert main(["sweep", "run", str(path), *where]) == 0
    told = capsys.readouterr().out
    assert "quantile" in told
    ranked = [float(line.split()[1]) for line in told.splitlines() if line.strip()[:2].isdigit()]
    assert len(ranked) > 1
    assert ranked == sorted(ranked, reverse=True)
