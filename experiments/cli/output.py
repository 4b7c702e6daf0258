"""Where text goes: results to stdout, progress to stderr, JSON as exactly one object."""

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
