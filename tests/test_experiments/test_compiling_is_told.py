"""What the terminal says while numba compiles."""

import numba
import pytest
from numba.core import event

from experiments.cli import output


def compile_one() -> None:
    numba.njit(lambda value: value + 1)(1)


def test_compiling_is_told_once_and_only_within_a_command(capsys: pytest.CaptureFixture[str]):
    say = output.kernel_progress()
    compile_one()
    say("voting")
    compile_one()
    output.command_ended()
    compile_one()
    told = "· compiling kernels, once for this installation: a minute or two\n· voting\n"
    assert capsys.readouterr().err == told


def test_a_quiet_command_says_nothing(capsys: pytest.CaptureFixture[str]):
    output.kernel_progress(quiet=True)
    compile_one()
    output.command_ended()
    assert capsys.readouterr().err == ""


def test_every_command_leaves_no_listener(capsys: pytest.CaptureFixture[str]):
    from experiments.cli import main

    output.kernel_progress()
    assert event._registered["numba:compile"]
    assert main(["--version"]) == 0
    assert not event._registered["numba:compile"]
    capsys.readouterr()
