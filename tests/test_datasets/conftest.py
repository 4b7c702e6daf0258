from pathlib import Path

import pytest

from datasets import Store
from tests.real_data import real_data_root

_OUTCOMES: dict[str, int] = {}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = real_data_root()
    if root is None:
        pytest.skip("no real data: set NINEFOLD_REAL_DATA or put them at ../shared/data")
    return root


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    finished = report.when == "call" or (report.when == "setup" and not report.passed)
    if finished and "real" in report.keywords:
        _OUTCOMES[report.outcome] = _OUTCOMES.get(report.outcome, 0) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _OUTCOMES:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(_OUTCOMES.items()))
        terminalreporter.write_line(f"tests on real data: {counts}")
