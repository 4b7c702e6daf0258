"""What a person sees of a running sweep: a bar on a terminal, lines elsewhere."""

import io

import pytest

from experiments.sweep_progress import interrupts, progress_of
from experiments.sweeps.run import SweepProgress

SCREEN = SweepProgress(
    stage="screen", done=512, planned=1024, evaluated=512, seconds=2.0, best=None
)
SEARCH = SweepProgress(
    stage="search", done=1024, planned=1024, evaluated=1024, seconds=4.0, best=(1.25, 0.1)
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with progress_of(stream, quiet=False) as show:
        show(SCREEN)
        show(SEARCH)
    told = stream.getvalue()
    assert "1,024/1,024" in told
    assert "256/s" in told
    assert "best 1.25, 0.1" in told


def test_a_line_for_each_batch_elsewhere() -> None:
    stream = io.StringIO()
    with progress_of(stream, quiet=False) as show:
        show(SCREEN)
    assert stream.getvalue() == ("· screen: 512 of 1,024 trials, 256/s, best none yet, 2 s to go\n")


def test_nothing_when_quiet() -> None:
    stream = Terminal()
    with progress_of(stream, quiet=True) as show:
        show(SEARCH)
    assert stream.getvalue() == ""


def test_a_second_interrupt_does_not_wait() -> None:
    import os
    import signal

    stream = io.StringIO()
    with interrupts(stream) as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert "press Ctrl-C again" in stream.getvalue()
