"""The walls: one-way imports, listed files, names that tell a kernel."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import indicators
import strategies

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("engine", "indicators", "strategies", "datasets", "experiments")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_imports_point_one_way():
    # In a process of its own: import-linter switches off every logger of the one that it runs in.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    checked = subprocess.run(
        (sys.executable, "-c", lint), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


def test_all_packages_come_from_one_root():
    roots = {Path(importlib.import_module(name).__file__).parent.parent for name in PACKAGES}
    assert roots == {ROOT}


def test_every_head_file_is_listed():
    files = {path.stem for path in (ROOT / "strategies/heads").glob("*.py")} - {"__init__"}
    listed = {head.__module__.rsplit(".", 1)[-1] for head in strategies.HEADS}
    assert files == listed
    assert set(strategies.HEAD_NAMES) == set(strategies.WEIGHTS) == listed


def test_every_indicator_is_listed_once():
    names = [indicator.name for indicator in indicators.INDICATORS]
    assert len(names) == len(set(names))
    declared = set()
    for path in (ROOT / "indicators").glob("*.py"):
        for module_constant in getattr(
            importlib.import_module(f"indicators.{path.stem}"), "INDICATORS", ()
        ):
            declared.add(module_constant.name)
    assert declared == set(names)


def is_compiled(function: ast.FunctionDef) -> bool:
    decorators = (one.func if isinstance(one, ast.Call) else one for one in function.decorator_list)
    return any(
        isinstance(one, ast.Name) and one.id in ("kernel", "inner_kernel") for one in decorators
    )


def kernels(tree: ast.Module) -> list[ast.FunctionDef]:
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and is_compiled(node)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_compiled_functions_are_recognisable_by_name(path: Path):
    for node in kernels(ast.parse(path.read_text(encoding="utf-8"))):
        assert node.name.endswith("_kernel"), f"{node.name} is compiled: its name ends in _kernel"
