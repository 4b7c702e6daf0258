"""``ninefold``: how it starts, and the commands around a run."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from datasets import Store
from experiments import RunResult, cli

from .command_line import called, refused

ROOT = Path(__file__).resolve().parents[2]


def child(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "experiments", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


BARE_HELP = """
import typer
app = typer.Typer()
app.command("run")(lambda: None)
app.command("data")(lambda: None)
app(["--help"])
"""


def cost_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_costs_little_more_than_that_of_two_empty_commands():
    done = child("--help")  # the first start writes byte code
    for word in ("run", "data", "report", "runs", "config", "check", "doctor", "--version"):
        assert word in done.stdout
    # Side by side, since a busy machine adds to both.
    pairs = [
        (cost_seconds("-m", "experiments", "--help"), cost_seconds("-c", BARE_HELP))
        for _ in range(4)
    ]
    assert min(ours for ours, _ in pairs) < 2 * min(bare for _, bare in pairs)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from experiments.cli import main; main(['run', '--help']);"
        "print([m for m in ('numpy', 'numba', 'pandas', 'pyarrow', 'duckdb', 'plotly')"
        " if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    assert "--json" in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]):
    code, out, err = called(capsys, "--version")
    assert (code, err) == (0, "")
    assert out.startswith("ninefold ")


def test_run_json_is_one_object_on_stdout(
    config_file: Path, store: Store, tmp_path: Path, result: RunResult
):
    done = child(
        "run", str(config_file), "--store", str(store.root), "--runs", str(tmp_path / "r"), "--json"
    )
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert set(content) >= {
        "run_id",
        "run_dir",
        "config_hash",
        "data_fingerprint",
        "n_trades",
        "metrics",
    }
    assert content["config_hash"] == result.config_hash
    assert content["data_fingerprint"] == result.data.fingerprint
    assert content["n_trades"] == result.n_trades
    assert (Path(content["run_dir"]) / "report.html").is_file()
    assert "heads vote" in done.stderr


def test_run_prints_a_table_that_fits_eighty_columns(
    config_file: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = called(
        capsys, "run", config_file, "--store", store.root, "--runs", tmp_path / "r",
        "-s", "exits.stop_atr=3", "-s", "initial_cash=5000",
    )  # fmt: skip
    assert code == 0
    lines = out.splitlines()
    # Paths are not broken, so that they can be copied.
    assert all(len(line) <= 80 for line in lines if not line.startswith(("run ", "report ")))
    assert "\x1b" not in out
    for word in ("SIMULATED", "NOT KNOWN YET", "Sharpe", "buy & hold", "quorum"):
        assert word in out
    folder = Path(lines[-1].split()[-1]).parent
    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert content["overrides"] == ["exits.stop_atr=3", "initial_cash=5000"]
    assert content["config"]["exits"]["stop_atr"] == 3.0


def test_runs_and_report(result: RunResult, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    runs = result.run_dir.parent
    code, out, _ = called(capsys, "runs", "list", "--runs", runs, "--json")
    listed = json.loads(out)["runs"]
    assert code == 0
    assert result.run_id in [one["run_id"] for one in listed]
    code, out, _ = called(capsys, "runs", "show", result.run_id, "--runs", runs, "--json")
    assert json.loads(out)["config_hash"] == result.config_hash
    code, out, _ = called(capsys, "runs", "show", result.run_dir)
    assert "Sharpe" in out
    code, out, _ = called(capsys, "runs", "list", "--runs", runs)
    assert result.run_id[:15] in out
    path = tmp_path / "again.html"
    code, out, _ = called(capsys, "report", result.run_id, "--runs", runs, "--output", path)
    assert (code, out.strip()) == (0, str(path))
    assert path.stat().st_size > 1_000_000
    code, line = refused(capsys, "runs", "show", "nope", "--runs", runs)
    assert code == 3
    assert "there is no run 'nope'" in line
    code, out, _ = called(capsys, "runs", "list", "--runs", tmp_path / "none")
    assert (code, out.strip()) == (0, "no runs yet")


def test_config_commands(config_file: Path, result: RunResult, capsys: pytest.CaptureFixture[str]):
    code, out, _ = called(capsys, "config", "show", config_file)
    assert code == 0
    assert result.config_hash in out
    assert "p_min: 0.6" in out
    code, out, _ = called(
        capsys, "config", "show", config_file, "--json", "-s", "consensus.p_min=0.65"
    )
    assert json.loads(out)["config"]["consensus"]["p_min"] == 0.65
    code, out, _ = called(capsys, "config", "validate", config_file)
    assert (code, out.split(":")[1].split()[0]) == (0, "valid")
    code, out, _ = called(capsys, "config", "validate", config_file, "--json")
    assert json.loads(out)["valid"] is True
    code, out, _ = called(capsys, "config", "schema")
    assert json.loads(out)["type"] == "object"


def test_check_lookahead_reports_rows_and_its_exit_code(
    config_file: Path,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    from experiments import checks

    rows = (
        checks.CheckRow("prefix", "ict", True, "fine"),
        checks.CheckRow("poison", "volume", False, "row 7 moved"),
    )
    monkeypatch.setattr(
        checks, "check_lookahead", lambda config_file, store, progress: checks.CheckReport(rows)
    )
    code, out, _ = called(
        capsys, "check", "lookahead", config_file, "--store", store.root, "--json"
    )
    assert code == 1
    content = json.loads(out)
    assert content["passed"] is False
    assert content["rows"][1]["detail"] == "row 7 moved"
    code, out, _ = called(capsys, "check", "lookahead", config_file, "--store", store.root)
    assert code == 1
    assert "poison: volume: row 7 moved" in out
    monkeypatch.setattr(
        checks, "check_lookahead", lambda config_file, store, progress: checks.CheckReport(rows[:1])
    )
    assert called(capsys, "check", "lookahead", config_file, "--store", store.root)[0] == 0


def test_doctor(store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    code, out, _ = called(capsys, "doctor", "--store", store.root, "--json")
    content = json.loads(out)
    assert {one["name"] for one in content["findings"]} == {
        "python",
        "versions",
        "packages",
        "numba cache",
        "store",
        "disk",
    }
    assert (code == 0) == content["healthy"]
    code, out, _ = called(capsys, "doctor", "--store", tmp_path / "none")
    assert "does not exist yet" in " ".join(out.split())


def test_doctor_names_a_package_that_shadows_ours(monkeypatch: pytest.MonkeyPatch):
    import types

    from experiments import doctor

    stranger = types.ModuleType("datasets")
    stranger.__file__ = "/elsewhere/site-packages/datasets/__init__.py"
    monkeypatch.setitem(sys.modules, "datasets", stranger)
    from experiments.diagnosis import _one_root

    finding = _one_root()
    assert not finding.ok
    assert "shadows ours" in finding.text
    assert "/elsewhere" in finding.text
    assert callable(doctor)


def test_every_command_has_a_documented_function():
    for name in ("run", "load_config", "load_run", "list_runs", "write_report", "check_lookahead",
                 "config_schema", "config_hash", "doctor"):  # fmt: skip
        import experiments

        assert getattr(experiments, name).__doc__
    assert cli.__doc__
