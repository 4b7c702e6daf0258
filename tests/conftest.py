"""What every test shares: Hypothesis profiles, and the folder of real market data."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.real_data import real_data_root

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

_OUTCOMES: dict[str, int] = {}


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped where there is none."""
    root = real_data_root()
    if root is None:
        pytest.skip("no real data: set NINEFOLD_REAL_DATA or put them at ../shared/data")
    return root


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    finished = report.when == "call" or (report.when == "setup" and not report.passed)
    if finished and "real" in report.keywords:
        _OUTCOMES[report.outcome] = _OUTCOMES.get(report.outcome, 0) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests on real data ran, and how many did not."""
    if _OUTCOMES:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(_OUTCOMES.items()))
        terminalreporter.write_line(f"tests on real data: {counts}")
