"""Ctrl-C ends every command with exit code 130, and leaves nothing half done."""

import contextlib
import json
import signal
import time
from pathlib import Path

import pytest

from datasets import Store
from experiments import RunResult, load_config
from experiments.cli import main
from experiments.cli.interrupts import AGAIN_SECONDS

from .command_line import called, kline_rows, written


def test_an_interrupt_ends_with_130_and_nothing_half_done(
    config_file: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    from experiments import record

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "write_parquet", interrupted)
    code, out, err = called(
        capsys, "run", config_file, "--store", store.root, "--runs", tmp_path / "r"
    )
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert list((tmp_path / "r").iterdir()) == []


def test_an_interrupt_that_a_library_turns_into_its_own_error_is_still_one(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def swallowed(*_arguments: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("returned a result with an exception set") from None

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("experiments.config_file.load_config", swallowed)
    code, out, err = called(capsys, "config", "validate", config_file)
    assert (code, out, err) == (130, "", "interrupted\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_that_python_drops_is_still_one(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def dropped(*arguments: object) -> object:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return load_config(*arguments)

    monkeypatch.setattr("experiments.config_file.load_config", dropped)
    code, _, err = called(capsys, "config", "validate", config_file)
    assert (code, err) == (130, "interrupted\n")


def test_an_interrupt_that_is_swallowed_comes_again(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """And never while the first one is on its way out: what cleans up is left to end."""
    cleaned: list[str] = []

    def swallowed(*_arguments: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        try:
            ends_at = time.monotonic() + 30
            while time.monotonic() < ends_at:
                time.sleep(0.01)
        finally:
            time.sleep(3 * AGAIN_SECONDS)
            cleaned.append("inside")

    monkeypatch.setattr("experiments.config_file.load_config", swallowed)
    started = time.monotonic()
    code, out, err = called(capsys, "config", "validate", config_file)
    assert (code, out, err) == (130, "", "interrupted\n")
    assert cleaned == ["inside"]
    assert time.monotonic() - started < 20
    time.sleep(2 * AGAIN_SECONDS)


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


def test_interrupts_are_told_by_every_command(
    monkeypatch: pytest.MonkeyPatch, sweep_file: Path, store: Store, result: RunResult, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    def interrupted(*_arguments: object, **_keywords: object) -> None:
        raise KeyboardInterrupt

    for name in (
        "experiments.sweeps.run.load_market_data",
        "experiments.validation.validate.validate_run",
    ):
        monkeypatch.setattr(name, interrupted)
    at = ["--store", str(store.root), "--runs"]
    for command in (
        ["sweep", "run", str(sweep_file), *at, str(tmp_path / "runs")],
        ["validate", result.run_id, *at, str(result.run_dir.parent)],
    ):
        assert main(command) == 130
        err = capsys.readouterr().err
        assert err.splitlines()[-1] == "interrupted"
        assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()
