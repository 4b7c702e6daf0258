"""What every test shares: Hypothesis profiles, real market data, a browser, and what was left out."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.browser.chromium import found_chromium, is_required, why_none
from tests.real_data import real_data_root

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

_TOLD = {"real": "tests on real data", "browser": "tests in a browser"}
_OUTCOMES: dict[str, Counter[str]] = {mark: Counter() for mark in _TOLD}
_REASONS: dict[str, str] = {}


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped where there is none."""
    root = real_data_root()
    if root is None:
        pytest.skip("no real data: set NINEFOLD_REAL_DATA or put them at ../shared/data")
    return root


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium without a window; without one the test is skipped, or fails where it is required.

    It lives no longer than a file: while Playwright runs, its thread has an event loop, and nothing else
    may run one of its own there.
    """
    program = found_chromium()
    if program is None:
        if is_required():
            pytest.fail(why_none(), pytrace=False)
        pytest.skip(why_none())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        try:
            yield launched
        finally:
            launched.close()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    finished = report.when == "call" or (report.when == "setup" and not report.passed)
    for mark, outcomes in _OUTCOMES.items():
        if finished and mark in report.keywords:
            outcomes[report.outcome] += 1
            if report.skipped and isinstance(report.longrepr, tuple):
                _REASONS[mark] = report.longrepr[2].removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests on real data and in a browser ran, how many did not, and why."""
    for mark, outcomes in _OUTCOMES.items():
        if outcomes:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
            reason = f" ({_REASONS[mark]})" if mark in _REASONS else ""
            terminalreporter.write_line(f"{_TOLD[mark]}: {counts}{reason}")
