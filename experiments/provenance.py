"""Which code and which versions made a run."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("engine", "indicators", "strategies", "datasets", "experiments")
VERSIONED: Final = (
    "ninefold",
    "numpy",
    "numba",
    "pandas",
    "pyarrow",
    "duckdb",
    "pydantic",
    "scipy",
    "optuna",
    "cmaes",
    "torch",
    "TA-Lib",
    "plotly",
)
"""Distributions whose version can change a number, a file or a picture."""
OPTIONAL: Final = frozenset({"torch"})
"""Those that only an extra of Ninefold installs."""


def source_root() -> Path:
    """The folder that holds the five packages."""
    return Path(__file__).resolve().parent.parent


def versions() -> dict[str, str | None]:
    """Python and every distribution of VERSIONED; None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def revision() -> dict[str, Any]:
    """Commit of the code and whether the packages differ from it; both None outside a git checkout."""
    root = source_root()
    unknown: dict[str, Any] = {"commit": None, "dirty": None}
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root:
        return unknown
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    status = _git(root, "status", "--porcelain", "--", *PACKAGES, "pyproject.toml")
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
