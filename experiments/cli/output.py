"""Where text goes: results to stdout, progress to stderr, JSON as exactly one object."""

import contextlib
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console


def stdout() -> "Console":
    """Console for results: colours on a terminal only, and never where NO_COLOR is set.

    What the encoding of the terminal lacks becomes a question mark, rather than an error.
    """
    from rich.console import Console

    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")
    return Console(file=sys.stdout, soft_wrap=False, highlight=False)


def print_json(value: Any) -> None:
    """The one JSON object of ``--json``; NaN becomes null."""
    from ..record import json_text

    sys.stdout.write(json_text(value) + "\n")


def progress(*, quiet: bool = False) -> Callable[[str], None]:
    """A listener that writes one line to stderr for each thing that happens."""

    def say(text: str) -> None:
        if not quiet:
            sys.stderr.write(f"· {text}\n")
            sys.stderr.flush()

    return say


def kernel_progress(*, quiet: bool = False) -> Callable[[str], None]:
    """As ``progress``, and says once in a command when numba compiles: that minute is not silent."""
    from numba.core import event

    say = progress(quiet=quiet)

    class Compiling(event.Listener):  # type: ignore[misc]
        is_told = False

        def on_start(self, event: object) -> None:
            if not self.is_told:
                self.is_told = True
                say("compiling kernels, once for this installation: a minute or two")

        def on_end(self, event: object) -> None:
            """Nothing is said at an end."""

    _until_the_end.enter_context(event.install_listener("numba:compile", Compiling()))
    return say


def command_ended() -> None:
    """Nothing listens any more."""
    _until_the_end.close()


_until_the_end: Final = contextlib.ExitStack()
