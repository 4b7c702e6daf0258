"""The how-to pages: each is complete, and each is run as it is written."""

from pathlib import Path

import pytest

from tests.page_runner import ROOT, PageRunner

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_runs_as_it_is_written(runner: PageRunner, page: Path) -> None:
    runner.run(page)
    assert len(runner.ran) >= 3
