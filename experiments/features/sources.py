"""Which source text the numbers of an indicator follow from, and its hash."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from engine import ContractError
from indicators import Indicator
from indicators import features as joining

from .own_indicators import OwnCompute

FOLLOWED: Final = ("engine", "indicators")
"""Packages whose files are followed; what is installed beside them counts by its version."""


def source_hash(indicator: Indicator) -> str:
    """SHA-256 of the file that computes ``indicator`` and of every file of ours that it builds on.

    Of a package only the files are followed whose names are taken from it. An indicator of the user's
    own follows from its file, and from what this takes from the packages.
    """
    compute = indicator.compute
    if not isinstance(compute, OwnCompute):
        return module_hash(compute.__module__)
    return _own_hash(compute.path, compute.sha256)


@cache
def _own_hash(path: str, sha256: str) -> str:
    tree = ast.parse(Path(path).read_bytes())
    return _hash_of(sha256, _followed(_imports_in(tree, "", is_package=False)))


@cache
def module_hash(module: str) -> str:
    """SHA-256 of the sources of ``module`` and of all that it builds on."""
    first, *others = source_files(module)
    return _hash_of(_file_hash(first), others)


def joining_hash() -> str:
    """SHA-256 of the sources that bring every column onto the bars: clocks, joins, the matrix."""
    return module_hash(joining.__name__)


def source_files(module: str) -> tuple[Path, ...]:
    """The file of ``module``, then every file of ours that it builds on, in order of their names."""
    return (_path_of(module), *_followed(_imported(module), module))


def _followed(names: Iterable[str], beside: str = "") -> list[Path]:
    """The files of the modules ``names`` and of all that they import from, without that of ``beside``."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen and name != beside:
            seen.add(name)
            waiting += _imported(name)
    return [_path_of(name) for name in sorted(seen)]


def _hash_of(first: str, others: Iterable[Path]) -> str:
    text = " ".join([first, *map(_file_hash, others)])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _path_of(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ContractError(f"module {module} has no source file; its numbers cannot be kept")
    return Path(spec.origin)


@cache
def _imported(module: str) -> tuple[str, ...]:
    """The modules of ours that ``module`` imports from."""
    path = _path_of(module)
    return _imports_in(_parsed(path), module, is_package=path.name == "__init__.py")


def _imports_in(tree: ast.Module, module: str, *, is_package: bool) -> tuple[str, ...]:
    """The modules of ours that a file imports from; a name of a package counts as the file it is in."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found += [name for name in names if name.split(".")[0] in FOLLOWED]
        elif isinstance(node, ast.ImportFrom):
            home = _home(node, module, is_package=is_package)
            if home.split(".")[0] in FOLLOWED:
                found += [_defined(home, alias.name) for alias in node.names]
    return tuple(found)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def _home(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """The whole name of the module that an import names, ``module`` being where it stands."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


@cache
def _defined(home: str, name: str) -> str:
    """The module in which ``name``, imported from ``home``, is written down."""
    path = _path_of(home)
    if path.name != "__init__.py":
        return home
    if importlib.util.find_spec(f"{home}.{name}") is not None:
        return f"{home}.{name}"
    for node in _parsed(path).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _defined(_home(node, home, is_package=True), alias.name)
    return home
