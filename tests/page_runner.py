"""Runs the commands and the code of a page of the documentation, in the order in which they stand there.

A page is Markdown. Its fenced blocks are run in one folder:

* ``console``: one command a line; ``ninefold`` is the real program, in this process. ``make`` is left to
  CI, whose run consists of it. ``export NAME=VALUE`` holds for the commands below it. What ``ray start``
  begins (see ``tests/page_services.py``) lasts until ``ray stop`` or the end of the page.
* ``python``: executed, all blocks of a page in one namespace; after ``<!-- file: NAME -->`` any block is
  written to the file of that name instead.
* after ``<!-- not run: REASON -->`` a block is left alone, after ``<!-- exit CODE: REASON -->`` its last
  command must end with that code.
* after ``<!-- instead: REASON -->`` a block takes the place of the block before it: of the two the first
  is run, or the second where the runner has ``instead``.
* ``text`` and ``yaml`` blocks without a name are shown only.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from tests.page_services import Services, program

ROOT = Path(__file__).resolve().parents[1]
LEAST_REASON = 20
"""Characters below which a reason is none."""
_FENCE = re.compile(
    r"(?:^<!-- (?P<word>file|not run|instead|exit \d+): (?P<text>.*?) -->\n)?"
    r"^```(?P<language>[a-z]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SHOWN_ONLY = ("text", "yaml", "")


@dataclass(frozen=True)
class Block:
    """A fenced block, the line it begins on, and what stands above it."""

    page: Path
    line: int
    language: str
    body: str
    file: str | None = None
    reason: str | None = None
    instead: bool = False
    exit_code: int = 0

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[str]:
        """The lines of a console block without comments; a backslash joins a line to the next."""
        lines = self.body.replace("\\\n", " ").splitlines()
        return [line for line in lines if shlex.split(line, comments=True)]


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, match) for match in _FENCE.finditer(text)]


def _block(page: Path, text: str, match: re.Match[str]) -> Block:
    word, told = match["word"], match["text"]
    found = Block(
        page=page,
        line=text[: match.start("language")].count("\n") + 1,
        language=match["language"],
        body=match["body"],
        file=told if word == "file" else None,
        reason=told if word == "not run" else None,
        instead=word == "instead",
        exit_code=int(word.split()[1]) if word and word.startswith("exit") else 0,
    )
    if word and word != "file":
        assert len(told) >= LEAST_REASON, f"{found}: {told!r} is no reason"
    return found


@dataclass
class PageRunner:
    """Runs pages in ``folder``; ``ninefold`` is called with the words of a command, and gives its code.

    ``arguments`` may change the words of a command before it is run. ``instead`` runs the blocks that
    take the place of another, and not those others.
    """

    folder: Path
    ninefold: Callable[[list[str]], int]
    arguments: Callable[[list[str]], list[str]] = lambda words: words
    instead: bool = False
    ran: list[str] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    services: Services = field(default_factory=Services)

    def run(self, page: Path, *, until: str | None = None) -> None:
        """Every block of ``page``, or those before the heading ``until``.

        AssertionError names the block that fails, and the command.
        """
        blocks = blocks_of(page)
        if until is not None:
            before, heading, _ = page.read_text(encoding="utf-8").partition(f"\n{until}\n")
            assert heading, f"{page.name} has no line {until!r}"
            blocks = [block for block in blocks if block.line <= before.count("\n")]
        try:
            self._run(blocks)
        finally:
            self.services.stop()

    def _run(self, blocks: list[Block]) -> None:
        namespace: dict[str, object] = {"__name__": "__page__"}
        replaced = [block.instead for block in blocks[1:]] + [False]
        for block, has_other in zip(blocks, replaced, strict=True):
            if block.reason is not None or (has_other if self.instead else block.instead):
                continue
            if block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, encoding="utf-8")
            elif block.language == "console":
                self._commands(block)
            elif block.language == "python":
                try:
                    exec(compile(block.body, str(block), "exec"), namespace)
                except Exception as error:
                    raise AssertionError(f"{block}: {type(error).__name__}: {error}") from error
                self.ran.append(f"python {block}")
            else:
                assert block.language in SHOWN_ONLY, f"{block}: blocks of {block.language!r}?"

    def _commands(self, block: Block) -> None:
        commands = block.commands()
        for position, command in enumerate(commands):
            words = self._expanded(shlex.split(command, comments=True))
            expected = block.exit_code if position == len(commands) - 1 else 0
            if words[0] == "make":
                continue
            if words[0] == "export":
                self.exported |= dict(word.split("=", 1) for word in words[1:])
            elif words[:2] == ["ray", "start"]:
                self.services.start_ray(self.arguments(words), self.exported)
            elif words[:2] == ["ray", "stop"]:
                self.services.stop()
            elif words[:2] == ["ninefold", "serve"]:
                self._served(block, words)
            elif words[0] == "ninefold" and not self.services.running:
                code = self.ninefold(self.arguments(words[1:]))
                assert code == expected, f"{block}: {command!r} ended with {code}, not {expected}"
            else:
                self._in_a_process(block, command, words, expected)
            self.ran.append(command)

    def _in_a_process(self, block: Block, command: str, words: list[str], expected: int) -> None:
        if words[0] == "ninefold":
            # A process is of one Ray for its life; that of the tests is to be of none.
            words = ["python", "-m", "experiments", *self.arguments(words[1:])]
        done = subprocess.run(
            program(words),
            cwd=self.folder,
            env={**os.environ, **self.services.environment(), **self.exported},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == expected, f"{block}: {command!r}: {done.stderr[-2000:]}"

    def _expanded(self, words: list[str]) -> list[str]:
        """``words`` with ``*`` as a shell expands it."""
        found: list[str] = []
        for word in words:
            named = sorted(self.folder.glob(word)) if "*" in word else []
            found += [str(path.relative_to(self.folder)) for path in named] or [word]
        return found

    def _served(self, block: Block, words: list[str]) -> None:
        """A server is started, asked for its first page, and stopped as Ctrl-C stops it."""
        command = [sys.executable, "-m", "experiments", *words[1:], "--port", "0"]
        with subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                told = server.stdout.readline()
                found = re.search(r"http://127\.0\.0\.1:\d+/", told)
                assert found, f"{block}: {shlex.join(words)} said {told!r}"
                with urlopen(found[0], timeout=30) as answer:
                    assert answer.status == 200, f"{block}: {answer.status}"
                    assert "</html>" in answer.read().decode()
                server.send_signal(signal.SIGINT)
                assert server.wait(timeout=30) == 0, f"{block}: ended with {server.returncode}"
            finally:
                server.kill()


def in_folder(folder: Path) -> Iterator[Path]:
    """``folder`` as the working directory, with what a clone has beside it; for a fixture."""
    for name in ("experiments", "docs"):
        (folder / name).symlink_to(ROOT / name)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
