"""What can be wrong with an installation, found out before a run finds it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from .provenance import OPTIONAL, PACKAGES, source_root, versions

ENOUGH_FREE_GB: Final = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is fine, and what was seen or what to do."""

    name: str
    ok: bool
    text: str


def doctor(store: Path | str = "data") -> tuple[Finding, ...]:
    """Look at Python, versions, import roots, the numba cache, the store and the disk."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _versions,
        _one_root,
        _numba_cache,
        lambda: _store(Path(store)),
        lambda: _disk(Path(store)),
    )
    return tuple(check() for check in checks)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), f"{found} ({sys.executable})")


def _versions() -> Finding:
    found = versions()
    absent = [name for name, version in found.items() if version is None and name not in OPTIONAL]
    text = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if absent:
        text += f"; not installed: {', '.join(absent)}"
    return Finding("versions", not absent, text)


def _one_root() -> Finding:
    root = source_root()
    for name in PACKAGES:
        found = import_module(name).__file__
        if found is None or Path(found).resolve().parent.parent != root:
            return Finding(
                "packages",
                False,
                f"{name} is imported from {found}, the others from {root}; another distribution named "
                f"{name} shadows ours: uninstall it or use an environment of its own",
            )
    return Finding("packages", True, f"{', '.join(PACKAGES)} from {root}")


def _numba_cache() -> Finding:
    configured = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(configured) if configured else source_root() / "engine" / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "numba cache",
            False,
            f"{folder} is not writable ({error.strerror}); set NUMBA_CACHE_DIR to a folder that is, or "
            "every start compiles anew",
        )
    return Finding("numba cache", True, f"{folder} is writable")


def _store(path: Path) -> Finding:
    from datasets import Store
    from engine import BacktestError

    if not path.exists():
        return Finding("store", True, f"{path} does not exist yet; importing creates it")
    try:
        store = Store(path)
        count, problems = len(store.datasets()), store.verify()
    except (BacktestError, OSError) as error:
        return Finding("store", False, str(error))
    if problems:
        return Finding("store", False, f"{len(problems)} problems, the first: {problems[0]}")
    return Finding("store", True, f"{path}: {count} data sets, all sound")


def _disk(path: Path) -> Finding:
    existing = path.resolve()
    while not existing.exists():
        existing = existing.parent
    free_gb = shutil.disk_usage(existing).free / 1e9
    text = f"{free_gb:.1f} GB free at {existing}"
    if free_gb < ENOUGH_FREE_GB:
        text += f"; below {ENOUGH_FREE_GB:g} GB a run may not be written"
    return Finding("disk", free_gb >= ENOUGH_FREE_GB, text)
