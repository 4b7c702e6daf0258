"""`ninefold serve`: where it listens, what it says, how it ends."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import ConfigError
from experiments.cli import main
from experiments.serve.server import DEFAULT_PORT, is_loopback, listening


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "experiments", "serve", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_answers_and_ends_quietly(tmp_path: Path, how: int):
    with command("--runs", str(tmp_path), "--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split(" at ")[1].split(" ")[0]
        assert line == f"{tmp_path} at {url} (Ctrl-C ends it)\n"
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert b"There is no run in this folder yet" in answer.read()
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")
        assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_refused_or_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: cannot be listened on"):
            listening("127.0.0.1", port)
    first, one = listening("127.0.0.1", None)
    second, other = listening("127.0.0.1", None)
    with first, second:
        assert DEFAULT_PORT <= one.port < other.port < DEFAULT_PORT + 20


def _refused(*_: object) -> None:
    raise AssertionError("it would serve")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--host", "0.0.0.0"), 2, "other machines would reach it"),
        (("--host", "no.such.host.invalid", "--allow-network"), 2, "is no address"),
        (("--host", "192.0.2.1", "--allow-network"), 2, "cannot be listened on"),
        (("--port", "70000"), 2, "must be 0 (any free one) to 65535"),
        (("--runs", __file__), 3, "is a file"),
        (("--runs", f"{__file__}.not-there"), 3, "there is no such folder"),
    ],
)
def test_mistakes_are_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    words: str,
):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    # A mistake that is taken fails here, where the server itself would wait for ever.
    monkeypatch.setattr("experiments.serve.server.server_of", _refused)
    assert main(["serve", *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_host_that_others_reach_is_warned_of(tmp_path: Path):
    with command(
        "--runs", str(tmp_path), "--port", "0", "--host", "0.0.0.0", "--allow-network"
    ) as process:
        assert process.stdout is not None
        assert " at http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert err.startswith("warning: every machine that reaches 0.0.0.0 can read all of")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("example.org", False),
    ],
)  # fmt: skip
def test_what_only_this_machine_reaches(host: str, expected: bool):
    assert is_loopback(host) is expected
