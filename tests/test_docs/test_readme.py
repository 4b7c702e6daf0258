"""The README, command by command, in a folder like a fresh clone."""

import re

from tests.browser.chromium import found_chromium, is_required
from tests.page_runner import ROOT, PageRunner, blocks_of

README = ROOT / "README.md"
READ_AFTERWARDS = ("docs/report.md", "docs/serve.md")
"""Pages about looking at what the README has run."""


def test_the_readme_runs_as_it_is_written(runner: PageRunner) -> None:
    runner.run(README)
    assert len(runner.ran) > 18
    assert any("validate weights_sweep" in command for command in runner.ran)
    assert (runner.folder / "report.html").is_file()
    before = len(runner.ran)
    if found_chromium() is None and not is_required():
        runner.arguments = lambda words: ["html" if word == "pdf" else word for word in words]
    for page in READ_AFTERWARDS:
        runner.run(ROOT / page)
    assert len(runner.ran) == before + 5


def test_make_lines_are_targets_of_the_makefile() -> None:
    """CI runs ``make test`` and ``make check``; that of the quickstart runs a command of this page."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [
        command
        for block in blocks_of(README)
        if block.language == "console"
        for command in block.commands()
        if command.startswith("make ")
    ]
    assert len(lines) == 5
    for line in lines:
        assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE), line
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in ci
    assert "make check" in ci
    quickstart = makefile.split("\nquickstart:", 1)[1].split("\n\n")[0]
    assert "ninefold run experiments/configs/quickstart.yaml" in quickstart


def test_every_picture_exists_and_is_small() -> None:
    pictures = re.findall(r'(?:srcset|src)="([^"]+)"', README.read_text(encoding="utf-8"))
    assert len(pictures) == 4
    for name in pictures:
        assert 10_000 < (ROOT / name).stat().st_size < 300_000, name
