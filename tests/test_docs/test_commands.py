"""Every command that the documentation shows exists, and every whole line of a block is understood.

The pages that are run from end to end are in the other files here.
"""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from experiments.cli import app
from tests.page_runner import ROOT, blocks_of

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
CONFIGS = sorted((ROOT / "experiments" / "configs").glob("*.yaml"))
RUN = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("tutorial", "conventions", "report", "serve")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]
"""The pages that the other files here run from end to end."""
COMMAND = re.compile(r"(?:`|^#? *|; *|&& *)ninefold +([a-z][^`\n;&#]*)", re.MULTILINE)
MODULE = re.compile(r"(?:`|^ *)python -m ([\w.]+)", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*PAGES, *CONFIGS], ids=name_of)
def test_every_command_that_is_shown_exists_with_its_options(path: Path) -> None:
    """`ninefold a b --option` in text, blocks and head comments; `a|b` stands for the first."""
    for text in COMMAND.findall(path.read_text(encoding="utf-8")):
        words = re.sub(r'"[^"]*"|\[[^\]]*\]', "", text).split()
        command: Any = get_command(app)
        while words and hasattr(command, "commands"):
            name = re.split(r"[|,]", words.pop(0))[0]
            assert name in command.commands, f"{path.name}: ninefold {text}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.split("=")[0].rstrip(".,") for word in words if word.startswith("-")}
        assert given - {"-", "…"} <= known, f"{path.name}: ninefold {text}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_line_of_a_block_is_understood(page: Path) -> None:
    """The command line takes it: arguments that are missing or too many, values of another type."""
    for line in lines_of(page):
        understood(shlex.split(line, comments=True)[1:], line)


@pytest.mark.parametrize(
    "line",
    [
        "ninefold run",
        "ninefold run a.yaml b.yaml",
        "ninefold run a.yaml --verbos",
        "ninefold serve --port many",
        "ninefold sweep",
        "ninefold sweep start a.yaml",
    ],
)
def test_a_line_that_is_not_understood_is_found(line: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(line)):
        understood(line.split()[1:], line)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_that_is_called_exists(page: Path) -> None:
    for name in MODULE.findall(page.read_text(encoding="utf-8")):
        main = f"{name}.__main__" if (ROOT / name.replace(".", "/")).is_dir() else name
        assert importlib.util.find_spec(main), f"{page.name}: python -m {name}"


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_no_block_is_left_out_of_the_pages_that_are_run(page: Path) -> None:
    assert [str(block) for block in blocks_of(page) if block.reason is not None] == []


def test_commands_are_found_in_the_texts() -> None:
    def count(path: str) -> int:
        return len(COMMAND.findall((ROOT / path).read_text(encoding="utf-8")))

    assert count("README.md") > 15
    assert count("experiments/configs/walk_forward.yaml") >= 2
    assert sum(len(lines_of(page)) for page in PAGES) > 60
    assert sum(len(MODULE.findall(page.read_text(encoding="utf-8"))) for page in PAGES) > 10


def lines_of(page: Path) -> list[str]:
    """The lines of all blocks that call the program; a backslash joins a line to the next."""
    return [
        line.strip()
        for block in blocks_of(page)
        if block.file is None
        for line in block.body.replace("\\\n", " ").splitlines()
        if line.startswith("ninefold ")
    ]


def understood(words: list[str], line: str) -> None:
    """AssertionError with ``line`` where the command line refuses ``words``; nothing is called."""
    command, parent = get_command(app), None
    words = list(words)
    try:
        while hasattr(command, "commands"):
            parent = command.make_context("ninefold", words[:1], parent=parent)
            _, command, _ = command.resolve_command(parent, [*words[:1]])
            del words[0]
        command.make_context("ninefold", words, parent=parent)
    except Exception as error:
        raise AssertionError(f"{line}: {error!r}") from error
