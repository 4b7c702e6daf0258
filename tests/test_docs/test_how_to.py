"""The how-to pages: each is complete, and each is run as it is written."""

import socket
from pathlib import Path

import pytest

from tests.page_runner import ROOT, PageRunner, blocks_of

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
PORT = "6379"
"""Where the page about clusters has its cluster; a free one takes its place."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_runs_as_it_is_written(
    runner: PageRunner, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(free_port())
    runner.arguments = lambda words: [word.replace(PORT, port) for word in words]
    runner.run(page)
    assert len(runner.ran) >= 3
    printed = {line.rstrip() for line in capsys.readouterr().out.splitlines()}
    for block in blocks_of(page):
        if block.language == "text" and block.file is None:
            for line in block.body.splitlines():
                assert line.rstrip() in printed, f"{block}: {line!r} was not printed"


def free_port() -> int:
    """A port that nobody listens on, and that Ray's workers do not take for themselves (10002 to 19999)."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port >= 20_000:
            return port
