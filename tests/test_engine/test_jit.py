"""The compile cache: what makes it stale, what does not, and what happens without a cache folder."""

import gc
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import engine.jit
from engine import ConfigError, kernel
from engine.jit import inner_kernel, standalone

FEE = """
from engine import kernel
from .rates import RATE

@kernel
def fee_kernel(value: float) -> float:
    return value * RATE
"""
RATES = "RATE = 0.5\n"
COSTS = """
from typing import NamedTuple

class Costs(NamedTuple):
    fee: float
    spread: float
"""
CASH = """
from engine import kernel
from fees import charge
from .costs import Costs

@kernel
def cash_kernel(value: float, costs: Costs) -> float:
    return value - costs.fee - charge.fee_kernel(value)


def call(fee: float, spread: float) -> float:
    return cash_kernel(100.0, Costs(fee=fee, spread=spread))
"""
THREADED = """
import numba
from engine import kernel
from fees.charge import fee_kernel

@kernel(parallel=True, nogil=True)
def cash_kernel(count: int) -> float:
    total = 0.0
    for row in numba.prange(count):
        total += fee_kernel(1.0 * row)
    return total

def call(fee: float, spread: float) -> float:
    return cash_kernel(int(fee + spread))
"""
RUN = """
import json
from fees.charge import fee_kernel
from cash.book import call, cash_kernel

value = call(1.0, 10.0)
hits = sum(cash_kernel.stats.cache_hits.values())
print(json.dumps({"value": value, "hits": hits, "folder": cash_kernel.stats.cache_path}))
"""


@dataclass(frozen=True)
class Project:
    """Two packages beside a copy of ``engine.kernel``: ``cash`` calls a kernel of ``fees``."""

    root: Path

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(exist_ok=True)
        # Neither the size nor the time of the file may be what an edit is seen by.
        file.write_text(text)
        os.utime(file, (1_600_000_000, 1_600_000_000))

    def run(self, **environment: str) -> dict[str, Any]:
        """Call the kernels in a process of its own; value, cache hits, cache folder."""
        kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", RUN],
            cwd=self.root,
            env={
                **kept,
                "PYTHONPATH": str(self.root),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
        result: dict[str, Any] = json.loads(ran.stdout)
        return result


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("engine/__init__.py", "from .jit import inner_kernel, kernel\n")
    for module in ("jit", "jit_passes", "errors"):
        source = Path(engine.jit.__file__).with_name(f"{module}.py").read_text()
        project.write(f"engine/{module}.py", source)
    for name, text in (
        ("fees/__init__.py", ""),
        ("fees/charge.py", FEE),
        ("fees/rates.py", RATES),
        ("cash/__init__.py", ""),
        ("cash/book.py", CASH),
        ("cash/costs.py", COSTS),
    ):
        project.write(name, text)
    return project


def test_unchanged_sources_hit_the_cache_and_data_files_do_not_matter(project: Project) -> None:
    first = project.run()
    assert (first["value"], first["hits"]) == (49.0, 0)
    project.write("cash/table.csv", "a,b\n1,2\n")
    project.write("engine/notes.txt", "not a source")
    assert project.run() == {**first, "hits": 1}


def test_an_edit_of_another_file_alone_gives_the_changed_result(project: Project) -> None:
    assert project.run()["value"] == 49.0
    fields = COSTS.replace("fee", "x").replace("spread", "fee").replace("x", "spread")
    for file, text, value in (
        ("fees/charge.py", FEE.replace("* RATE", "+ RATE"), -1.5),
        ("fees/rates.py", "RATE = 0.2\n", -1.2),
        ("cash/costs.py", fields, -1.2),
        ("engine/jit.py", (project.root / "engine/jit.py").read_text() + "\n", -1.2),
        ("engine/jit_passes.py", (project.root / "engine/jit_passes.py").read_text() + "\n", -1.2),
    ):
        project.write(file, text)
        edited = project.run()
        assert (edited["value"], edited["hits"]) == (pytest.approx(value), 0), file
    assert project.run() == {**edited, "hits": 1}


def test_a_threaded_kernel_is_cached_under_the_same_rule(project: Project) -> None:
    project.write("cash/book.py", THREADED)
    assert project.run()["value"] == 27.5
    assert project.run()["hits"] == 1
    project.write("fees/rates.py", "RATE = 0.2\n")
    edited = project.run()
    assert (edited["value"], edited["hits"]) == (11.0, 0)


def test_an_index_of_types_that_are_gone_is_begun_anew(project: Project) -> None:
    before = project.run()
    for name in ("cash/costs.py", "cash/book.py"):
        text = (project.root / name).read_text()
        project.write(name, text.replace("Costs", "CashCosts"))
    assert project.run()["value"] == before["value"]
    assert project.run()["hits"] == 1


def test_an_edit_of_an_inner_kernel_alone_gives_the_changed_result(project: Project) -> None:
    inner = FEE.replace("import kernel", "import inner_kernel").replace("@kernel", "@inner_kernel")
    project.write("fees/charge.py", inner)
    first = project.run()
    assert (first["value"], first["hits"]) == (49.0, 0)
    assert project.run() == {**first, "hits": 1}
    project.write("fees/charge.py", inner.replace("* RATE", "+ RATE"))
    edited = project.run()
    assert (edited["value"], edited["hits"]) == (-1.5, 0)


def test_an_inner_kernel_is_called_from_kernels_only() -> None:
    @inner_kernel
    def half_kernel(value: float) -> float:
        return value / 2.0

    @inner_kernel(inlined=True)
    def quarter_kernel(value: float) -> float:
        return half_kernel(half_kernel(value))

    def eighth(value: float) -> float:
        return half_kernel(quarter_kernel(value))

    assert numba.njit(eighth)(8.0) == 1.0
    for _ in range(2):
        with pytest.raises(TypeError, match="half_kernel is an inner kernel"):
            half_kernel(8.0)
    assert standalone(quarter_kernel)(8.0) == 2.0


def test_a_kernel_is_compiled_for_types_and_not_for_constants() -> None:
    @inner_kernel
    def raised_kernel(value: float, power: int, negative: bool) -> float:
        return -(value**power) if negative else value**power

    def all_powers(value: float) -> float:
        return raised_kernel(value, 1, True) + raised_kernel(value, 2, False)

    assert numba.njit(all_powers)(3.0) == 6.0
    assert len(raised_kernel.signatures) == 1


def test_a_data_file_of_other_sources_is_not_loaded_under_a_fresh_index(project: Project) -> None:
    folder = Path(project.run()["folder"])
    stale = {file: file.read_bytes() for file in folder.glob("*.nbc")}
    assert stale
    project.write("fees/rates.py", "RATE = 0.2\n")
    project.run()
    for file, content in stale.items():
        file.write_bytes(content)
    raced = project.run()
    assert (raced["value"], raced["hits"]) == (79.0, 0)


def _blocked(path: Path) -> None:
    """A file in the place of a folder: not even the superuser can write into it."""
    path.write_text("")


def test_without_a_writable_folder_beside_the_source_the_users_folder_is_taken(
    project: Project,
) -> None:
    for package in ("engine", "fees", "cash"):
        _blocked(project.root / package / "__pycache__")
    user_folder = str(project.root / "user cache")
    assert project.run(XDG_CACHE_HOME=user_folder)["hits"] == 0
    again = project.run(XDG_CACHE_HOME=user_folder)
    assert (again["value"], again["hits"]) == (49.0, 1)
    assert again["folder"].startswith(user_folder)


def test_without_any_writable_folder_kernels_compile_in_the_process(project: Project) -> None:
    for package in ("engine", "fees", "cash"):
        _blocked(project.root / package / "__pycache__")
    _blocked(project.root / "file")
    nowhere = str(project.root / "file" / "cache")
    ran = project.run(XDG_CACHE_HOME=nowhere, NUMBA_CACHE_DIR=nowhere)
    assert ran == {"value": 49.0, "hits": 0, "folder": None}


def test_a_folder_that_fails_after_the_import_costs_only_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "cache"))

    @kernel
    def double_kernel(value: float) -> float:
        return 2.0 * value

    shutil.rmtree(tmp_path / "cache")
    _blocked(tmp_path / "cache")
    assert double_kernel(1.5) == 3.0


def test_a_numba_without_such_a_cache_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Compiled:
        __slots__ = ()

    monkeypatch.setattr("engine.jit.numba.njit", lambda **_: lambda _: Compiled())
    with pytest.raises(ConfigError, match=r"numba .* keeps no cache .* install numba"):

        @kernel
        def nothing_kernel() -> None:
            pass


def test_options_are_those_of_numba_and_never_fastmath() -> None:
    @kernel
    def plain_kernel(values: np.ndarray) -> float:
        return float(values.sum())

    @kernel(parallel=True, nogil=True)
    def threaded_kernel(values: np.ndarray) -> float:
        return float(values.sum())

    plain, threaded = plain_kernel.targetoptions, threaded_kernel.targetoptions
    assert (plain["fastmath"], plain["parallel"], plain["nogil"]) == (False, False, False)
    assert (threaded["fastmath"], threaded["parallel"], threaded["nogil"]) == (False, True, True)
    values = np.array([1.0, np.nan])
    assert np.isnan(plain_kernel(values))
    assert np.isnan(threaded_kernel(values))


@kernel
def of_mixed_numbers_kernel(whole: int, number: float, flag: bool) -> float:
    """Operators on every pair of the kinds of numbers that kernels have."""
    total = whole // 3 + number // 3 + whole % 4 - number % 4
    total += (whole * number - flag) / (2 * flag + 1) + whole**2 + number**2
    if whole > number or flag == (number >= whole):
        total -= whole & 5 | int(flag)
    return total


@pytest.mark.parametrize("case", [(7, 2.5, True), (-7, 2.5, False), (3, -8.25, True)])
def test_remembered_signatures_are_those_of_python(case: tuple[int, float, bool]) -> None:
    plain: Any = of_mixed_numbers_kernel
    assert of_mixed_numbers_kernel(*case) == plain.py_func(*case)


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_collector_is_left_as_it_was(was_enabled: bool) -> None:
    @kernel
    def fresh_kernel(number: float) -> float:
        return number + 1.0

    restore = gc.enable if gc.isenabled() else gc.disable
    (gc.enable if was_enabled else gc.disable)()
    try:
        assert fresh_kernel(1.0) == 2.0
        assert gc.isenabled() == was_enabled
    finally:
        restore()
