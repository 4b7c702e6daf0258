"""How far a fetch is: bars on a terminal, lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from datasets.fetch import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

LINE_EVERY = 0.25
"""A line is written each time this share of a period more is done."""
NAME_WIDTH = 34


@contextmanager
def progress_of(stream: IO[str], *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A listener for the progress of a fetch, alive inside the block; ``quiet`` shows nothing."""
    if quiet:
        yield lambda _: None
    elif stream.isatty():
        with _bars(stream) as show:
            yield show
    else:
        yield _lines(stream)


def _lines(stream: IO[str]) -> Callable[[Progress], None]:
    told: dict[str, float] = {}
    began = time.monotonic()

    def show(progress: Progress) -> None:
        if progress.waits is not None:
            stream.write(f"· {progress.name}: {progress.waits}\n")
            stream.flush()
            return
        share = 1.0 if progress.total_ms <= 0 else progress.done_ms / progress.total_ms
        if progress.name in told and share < 1.0 and share < told[progress.name] + LINE_EVERY:
            return
        if told.get(progress.name) == 1.0:
            return
        told[progress.name] = share
        speed = progress.rows / max(time.monotonic() - began, 1e-9)
        stream.write(f"· {progress.name}: {share:.0%}, {progress.rows} rows, {speed:,.0f} rows/s\n")
        stream.flush()

    return show


@contextmanager
def _bars(stream: IO[str]) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rows]:>9,}"),
        TextColumn("{task.fields[speed]:>6,.0f}/s"),
        TimeRemainingColumn(compact=True),
    )
    tasks: dict[str, TaskID] = {}
    began = time.monotonic()
    with Bars(*columns, console=Console(file=stream)) as bars:

        def show(progress: Progress) -> None:
            name = progress.name
            if progress.waits is not None:
                bars.console.print(f"· {name}: {progress.waits}", markup=False, highlight=False)
                return
            if name not in tasks:
                label = name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"
                tasks[name] = bars.add_task(label, total=None, rows=0, speed=0.0)
            total = max(progress.total_ms, 1)
            done = total if progress.total_ms <= 0 else progress.done_ms
            speed = progress.rows / max(time.monotonic() - began, 1e-9)
            bars.update(tasks[name], total=total, completed=done, rows=progress.rows, speed=speed)

        yield show
