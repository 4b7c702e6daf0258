"""How far a sweep is: a bar on a terminal, lines elsewhere; and Ctrl-C that waits for the batch."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any

from .sweeps.run import SweepProgress

Show = Callable[[SweepProgress], None]


@contextmanager
def progress_of(stream: IO[str], *, quiet: bool) -> Iterator[Show]:
    """A listener for the batches of a sweep, alive inside the block; ``quiet`` shows nothing."""
    if quiet:
        yield lambda _: None
    elif stream.isatty():
        with _bar(stream) as show:
            yield show
    else:
        yield _lines(stream)


@contextmanager
def interrupts(stream: IO[str]) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed inside the block; a second one interrupts at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        stream.write("\n· finishing the batch; press Ctrl-C again to drop it\n")
        stream.flush()

    before: Any = signal.signal(signal.SIGINT, interrupt)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _best(progress: SweepProgress) -> str:
    if progress.best is None:
        return "none yet"
    return ", ".join(f"{score:.4g}" for score in progress.best)


def _speed(progress: SweepProgress) -> float:
    return progress.evaluated / max(progress.seconds, 1e-9)


def _lines(stream: IO[str]) -> Show:
    def show(progress: SweepProgress) -> None:
        left = (progress.planned - progress.done) / max(_speed(progress), 1e-9)
        stream.write(
            f"· {progress.stage}: {progress.done:,} of {progress.planned:,} trials, "
            f"{_speed(progress):,.0f}/s, best {_best(progress)}, {left:,.0f} s to go\n"
        )
        stream.flush()

    return show


@contextmanager
def _bar(stream: IO[str]) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[speed]:,.0f}/s"),
        TextColumn("best {task.fields[best]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(file=stream)) as bars:
        task = bars.add_task("begins", total=0, speed=0.0, best="none yet")

        def show(progress: SweepProgress) -> None:
            bars.update(
                task,
                description=progress.stage,
                total=progress.planned,
                completed=progress.done,
                speed=_speed(progress),
                best=_best(progress),
            )

        yield show
