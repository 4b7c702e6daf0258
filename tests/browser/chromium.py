"""Which browser the tests drive."""

import os
import shutil
from pathlib import Path

NAMED = "NINEFOLD_CHROMIUM"
MODE = "NINEFOLD_BROWSER"
REQUIRED = "required"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def found_chromium() -> Path | None:
    """The program that ``NINEFOLD_CHROMIUM`` names, else the first of ``PROGRAMS`` on the PATH, or None.

    A variable that names no program is an error, not an absence.
    """
    named = os.environ.get(NAMED)
    if named:
        if not os.access(named, os.X_OK):
            raise FileNotFoundError(f"{NAMED}={named} is not a program")
        return Path(named)
    paths = (shutil.which(program) for program in PROGRAMS)
    return next((Path(path) for path in paths if path is not None), None)


def is_required() -> bool:
    """Whether a browser that is missing fails the tests instead of leaving them out."""
    mode = os.environ.get(MODE, "")
    if mode not in ("", REQUIRED):
        raise ValueError(f"{MODE}={mode}: must be {REQUIRED} or unset")
    return mode == REQUIRED


def why_none() -> str:
    """What is said where there is no browser."""
    return f"no {', '.join(PROGRAMS)} on the PATH: install Debian's chromium or set {NAMED}"
