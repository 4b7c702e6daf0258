import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets import Store
from experiments import RunResult, cli, load_config
from experiments.cli import main

from .conftest import SYMBOLS

ROOT = Path(__file__).resolve().parents[2]
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
START_MS = 1_609_459_200_000
HOUR_MS = 3_600_000


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and the one error line of a command that fails and prints nothing else."""
    code, out, err = called(capsys, *arguments)
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("·")]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in err
    return code, lines[0]


def kline_rows(rows: int = 6) -> list[list[str]]:
    return [
        [str(START_MS + HOUR_MS * row), "100", "102", "99", "101", "5",
         str(START_MS + HOUR_MS * (row + 1) - 1), "505", "7", "2", "202", "0"]
        for row in range(rows)
    ]  # fmt: skip


def written(path: Path, rows: list[list[str]], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(
        "name: small\ndata:\n  simulated:\n    mode: 'null'\n    days: 40\n"
        f"    symbols: [{', '.join(SYMBOLS)}]\nconsensus:\n  quorum: 2\n",
        encoding="utf-8",
    )
    return path


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


def test_help_costs_less_than_three_tenths_of_a_second_of_cpu():
    child("--help")  # the first start writes byte code
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = child("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0
        for word in ("run", "data", "report", "runs", "config", "check", "doctor", "--version"):
            assert word in done.stdout
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # Other processes of a busy machine only ever add to it.
    assert min(spent) < 0.3


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
    config: Path, store: Store, tmp_path: Path, result: RunResult
):
    done = child(
        "run", str(config), "--store", str(store.root), "--runs", str(tmp_path / "r"), "--json"
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
    config: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = called(
        capsys, "run", config, "--store", store.root, "--runs", tmp_path / "r",
        "-s", "exits.stop_atr=3", "-s", "initial_cash=5000",
    )  # fmt: skip
    assert code == 0
    lines = out.splitlines()
    # Paths are not broken, so that they can be copied.
    assert all(len(line) <= 80 for line in lines if not line.startswith(("run ", "report ")))
    assert "\x1b" not in out
    for word in ("SIMULATED", "NOT KNOWN YET", "sharpe", "buy & hold", "quorum"):
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
    assert "sharpe" in out
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


def test_config_commands(config: Path, result: RunResult, capsys: pytest.CaptureFixture[str]):
    code, out, _ = called(capsys, "config", "show", config)
    assert code == 0
    assert result.config_hash in out
    assert "p_min: 0.6" in out
    code, out, _ = called(capsys, "config", "show", config, "--json", "-s", "consensus.p_min=0.65")
    assert json.loads(out)["config"]["consensus"]["p_min"] == 0.65
    code, out, _ = called(capsys, "config", "validate", config)
    assert (code, out.split(":")[1].split()[0]) == (0, "valid")
    code, out, _ = called(capsys, "config", "validate", config, "--json")
    assert json.loads(out)["valid"] is True
    code, out, _ = called(capsys, "config", "schema")
    assert json.loads(out)["type"] == "object"


def test_data_commands(store: Store, capsys: pytest.CaptureFixture[str]):
    code, out, _ = called(capsys, "data", "ls", "--store", store.root)
    assert code == 0
    assert f"simulated/spot/{SYMBOLS[0]}" in out
    code, out, _ = called(capsys, "data", "ls", "--store", store.root, "--json")
    assert {one["simulated"] for one in json.loads(out)["datasets"]} == {True}
    code, out, _ = called(capsys, "data", "verify", "--store", store.root)
    assert code == 0
    assert "all sound" in out
    query = "SELECT symbol, count(*) AS bars, NULL AS nothing FROM ohlcv GROUP BY 1 ORDER BY 1"
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--json")
    answer = json.loads(out)
    assert answer["columns"] == ["symbol", "bars", "nothing"]
    assert [row[0] for row in answer["rows"]] == list(SYMBOLS)
    assert all(row[2] is None for row in answer["rows"])
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--limit", 1)
    assert "1 of 2 rows" in out
    query = "SELECT open_time FROM ohlcv ORDER BY 1 LIMIT 1"
    code, out, _ = called(capsys, "data", "sql", query, "--store", store.root, "--json")
    assert json.loads(out)["rows"] == [["2021-01-01 00:00:00"]]
    code, _ = refused(capsys, "data", "sql", "DROP TABLE ohlcv", "--store", store.root)
    assert code == 2


def test_simulate_and_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = tmp_path / "store"
    given = ("--symbols", "ZZZSIM", "--days", 3, "--mode", "null", "--seed", 3, "--store", store)
    code, out, _ = called(capsys, "data", "simulate", *given)
    assert code == 0
    assert all(line.startswith("SIMULATED ") for line in out.splitlines())
    code, out, _ = called(capsys, "data", "simulate", *given, "--json")
    assert json.loads(out)["written"] == []
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", kline_rows())
    code, out, err = called(capsys, "data", "import", path, "--store", store, "--json")
    assert code == 0
    (report,) = json.loads(out)["imports"]
    assert report["rows"] == 6
    assert str(path) in err
    code, out, _ = called(capsys, "data", "import", path, "--store", store)
    assert code == 0
    assert "0 new" in out


Break = Callable[[list[list[str]]], None]


def duplicated(rows: list[list[str]]) -> None:
    rows[3] = [rows[2][0], "100", "103", *rows[2][3:]]


def negative(rows: list[list[str]]) -> None:
    rows[2][4] = "-101"


def off_grid(rows: list[list[str]]) -> None:
    rows[2][0] = str(int(rows[2][0]) + 1_234_567)


@pytest.mark.parametrize("damage", [duplicated, negative, off_grid])
def test_bad_rows_are_one_line_and_the_store_stays_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Break
):
    rows = kline_rows()
    store = tmp_path / "store"
    good = written(tmp_path / "ETHUSDT-1h-2021-01_spot.csv", rows)
    assert called(capsys, "data", "import", good, "--store", store)[0] == 0
    damage(rows)
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", rows)
    code, line = refused(capsys, "data", "import", path, "--store", store)
    assert code == 3
    assert str(path) in line
    assert "line " in line
    assert called(capsys, "data", "verify", "--store", store)[0] == 0
    _, out, _ = called(capsys, "data", "ls", "--store", store, "--json")
    assert [one["dataset"].split("/")[3] for one in json.loads(out)["datasets"]] == ["ETHUSDT"]


def test_rows_out_of_order_are_sorted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = kline_rows()
    rows[2], rows[3] = rows[3], rows[2]
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", rows)
    code, out, _ = called(capsys, "data", "import", path, "--store", tmp_path / "store")
    assert code == 0
    assert "unsorted: 1 of 6 rows moved: not in time order, sorted" in out
    assert "line 5 (2021-01-01 02:00)" in out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("BTCUSDT-1h-2021-01_spot.csv", b""),
        ("BTCUSDT-1h-2021-01_spot.csv", b"open_time,open,high\n1,2,3\n"),
        ("ohlcv.parquet", b""),
        ("ohlcv.parquet", b"PAR1 truncated"),
    ],
)
def test_bad_files_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
):
    path = tmp_path / name
    path.write_bytes(content)
    store = tmp_path / "store"
    code, line = refused(capsys, "data", "import", path, "--store", store)
    assert code == 3
    assert str(path) in line
    store.mkdir(exist_ok=True)
    assert called(capsys, "data", "verify", "--store", store)[0] == 0


def test_bad_requests_have_their_exit_codes(
    config: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    at_store = ("--store", store.root, "--runs", tmp_path / "r")
    code, line = refused(capsys, "run", tmp_path / "absent.yaml")
    assert code == 2
    assert "there is no such configuration file" in line
    code, line = refused(capsys, "run", config, *at_store, "-s", "consensus.quorun=3")
    assert code == 2
    assert "did you mean 'quorum'" in line
    unknown = "data.instruments=[{signals: {venue: simulated, market: spot, symbol: NOPE}}]"
    code, line = refused(capsys, "run", config, *at_store, "-s", unknown)
    assert code == 3
    assert "simulated/spot/NOPE" in line
    code, line = refused(capsys, "run")
    assert code == 2
    assert "Missing argument 'CONFIG'" in line
    code, line = refused(capsys, "run", config, "--bogus")
    assert code == 2
    assert "--bogus" in line
    code, line = refused(capsys, "data", "import", tmp_path / "absent.csv", "--store", tmp_path)
    assert code == 3
    code, line = refused(capsys, "data", "ls", "--store", tmp_path / "no-store")
    assert code == 3
    code, line = refused(capsys, "data", "simulate", "--mode", "real", "--store", tmp_path)
    assert code == 2
    code, line = refused(capsys, "run", config, *at_store, "-s", "targets=absent.csv")
    assert code == 3
    assert list((tmp_path / "r").glob("*")) == []


def test_a_damaged_store_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = tmp_path / "store"
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", kline_rows())
    assert called(capsys, "data", "import", path, "--store", store)[0] == 0
    part = next(store.rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    code, out, _ = called(capsys, "data", "verify", "--store", store, "--json")
    assert code == 1
    assert json.loads(out)["sound"] is False
    code, out, _ = called(capsys, "doctor", "--store", store)
    assert code == 1
    assert "wrong" in out


def test_an_interrupt_ends_with_130_and_nothing_half_done(
    config: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    from experiments import record

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "write_parquet", interrupted)
    code, out, err = called(capsys, "run", config, "--store", store.root, "--runs", tmp_path / "r")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert list((tmp_path / "r").iterdir()) == []


def test_an_interrupt_that_a_library_turns_into_its_own_error_is_still_one(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def swallowed(*_arguments: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("returned a result with an exception set") from None

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("experiments.config_file.load_config", swallowed)
    code, out, err = called(capsys, "config", "validate", config)
    assert (code, out, err) == (130, "", "interrupted\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_that_python_drops_is_still_one(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def dropped(*arguments: object) -> object:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return load_config(*arguments)

    monkeypatch.setattr("experiments.config_file.load_config", dropped)
    code, _, err = called(capsys, "config", "validate", config)
    assert (code, err) == (130, "interrupted\n")


def test_an_interrupted_import_leaves_a_sound_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    store = tmp_path / "store"
    path = written(tmp_path / "BTCUSDT-1h-2021-01_spot.csv", kline_rows())
    assert called(capsys, "data", "import", path, "--store", store)[0] == 0
    other = written(tmp_path / "ETHUSDT-1h-2021-01_spot.csv", kline_rows())

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("datasets.store.store.write_manifest", interrupted)
    assert called(capsys, "data", "import", other, "--store", store)[0] == 130
    monkeypatch.undo()
    assert called(capsys, "data", "verify", "--store", store)[0] == 0
    _, out, _ = called(capsys, "data", "ls", "--store", store, "--json")
    assert len(json.loads(out)["datasets"]) == 1


def test_debug_shows_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NINEFOLD_DEBUG", "1")
    code, _, err = called(capsys, "run", tmp_path / "absent.yaml")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_a_defect_is_called_one(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_arguments: object, **_keywords: object) -> None:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr("experiments.config_file.load_config", broken)
    code, _, err = called(capsys, "config", "validate", config)
    assert code == 1
    assert "Traceback" in err
    assert "defect" in err.splitlines()[-1]


def test_check_lookahead_reports_rows_and_its_exit_code(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    from experiments import checks

    rows = (
        checks.CheckRow("prefix", "ict", True, "fine"),
        checks.CheckRow("poison", "volume", False, "row 7 moved"),
    )
    monkeypatch.setattr(checks, "check_lookahead", lambda config, store: checks.CheckReport(rows))
    code, out, _ = called(capsys, "check", "lookahead", config, "--store", store.root, "--json")
    assert code == 1
    content = json.loads(out)
    assert content["passed"] is False
    assert content["rows"][1]["detail"] == "row 7 moved"
    code, out, _ = called(capsys, "check", "lookahead", config, "--store", store.root)
    assert code == 1
    assert "poison: volume: row 7 moved" in out
    monkeypatch.setattr(
        checks, "check_lookahead", lambda config, store: checks.CheckReport(rows[:1])
    )
    assert called(capsys, "check", "lookahead", config, "--store", store.root)[0] == 0


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
