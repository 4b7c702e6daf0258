"""From an exception to one line on stderr, and an exit code."""

import os
import sys
import traceback
from typing import Any, Final

EXIT_CHECK: Final = 1
EXIT_USAGE: Final = 2
EXIT_DATA: Final = 3
EXIT_INTERRUPTED: Final = 130
QUOTED: Final = "    "
"""How lines of a message begin that show a text of the user and point into it."""


def exit_code_of(error: Exception) -> int:
    """Tell ``error`` to the user on stderr and return the exit code that it means.

    An error that Ninefold raises on purpose, or one of the file system, is one line, and an expression
    that it points into is shown under it; a defect of the program is a traceback. Raises nothing.
    """
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return _usage_error(error)
    if type(error).__name__ == "Abort":
        sys.stderr.write("error: not confirmed, nothing was changed\n")
        return EXIT_CHECK
    if isinstance(error, BrokenPipeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives until exit
        return EXIT_CHECK
    code = _known_code(error)
    if code is None or os.environ.get("NINEFOLD_DEBUG"):
        traceback.print_exception(error)
    if code is None:
        sys.stderr.write("error: this is a defect of ninefold; please report the lines above\n")
        return EXIT_CHECK
    sys.stderr.write(f"error: {_laid_out(_words_of(error))}\n")
    return code


def _laid_out(message: str) -> str:
    """``message`` on one line; what it quotes, on lines that begin with four spaces, keeps them."""
    laid_out: list[str] = []
    for line in message.split("\n"):
        is_quoted = line.startswith(QUOTED)
        if is_quoted or not laid_out or laid_out[-1].startswith(QUOTED):
            laid_out.append(line.rstrip() if is_quoted else " ".join(line.split()))
        else:
            laid_out[-1] = " ".join(f"{laid_out[-1]} {line}".split())
    return "\n".join(laid_out)


def _words_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: cannot be read or written: {error.strerror}"
    return str(error)


def _known_code(error: Exception) -> int | None:
    from engine import BacktestError, ConfigError, DataError, SourceError

    if isinstance(error, ConfigError):
        return EXIT_USAGE
    if isinstance(error, DataError | SourceError | OSError):
        return EXIT_DATA
    if isinstance(error, BacktestError):
        return EXIT_CHECK
    return None


def _usage_error(error: Any) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return EXIT_USAGE
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    sys.stderr.write(f"error: {error.format_message()}{hint}\n")
    return EXIT_USAGE
