"""The runner of pages: what fails on a page fails here, with its place."""

import signal
from pathlib import Path

import pytest

from tests.page_runner import PageRunner, blocks_of
from tests.page_services import STARTED, Services


@pytest.fixture
def asked() -> list[list[str]]:
    return []


@pytest.fixture
def small(tmp_path: Path, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> PageRunner:
    """A runner whose program ends with the number behind ``fail``, else with 0."""
    monkeypatch.setattr("tests.page_runner.ROOT", tmp_path)

    def ninefold(words: list[str]) -> int:
        asked.append(words)
        return int(words[1]) if words[0] == "fail" else 0

    return PageRunner(tmp_path, ninefold)


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_commands_are_asked_word_for_word(small: PageRunner, asked: list[list[str]]) -> None:
    text = 'Say:\n\n```console\nninefold a --at "b c"   # why\n# only a remark\n'
    text += "ninefold d \\\n    e\nmake test\n```\n"
    (small.folder / "r1.txt").touch()
    (small.folder / "r2.txt").touch()
    text += "\n```console\nninefold compare r*.txt none*\n```\n"
    small.run(page(small.folder, text))
    assert asked == [["a", "--at", "b c"], ["d", "e"], ["compare", "r1.txt", "r2.txt", "none*"]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```console\nninefold fail 2\n```\n", r"page.md:1: 'ninefold fail 2' ended with 2, not 0"),
        ("```console\nfalse\n```\n", "page.md:1: 'false'"),
        ("<!-- not run: no -->\n```console\nninefold a\n```\n", "'no' is no reason"),
        ("```shell\nls\n```\n", "blocks of 'shell'"),
        ("\n\n```python\nassert 1 == 2\n```\n", "page.md:3: AssertionError"),
        (
            "<!-- exit 3: a missing file is what this command is about -->\n"
            "```console\nninefold fail 2\n```\n",
            "ended with 2, not 3",
        ),
    ],
)
def test_what_does_not_work_is_told_with_its_place(small: PageRunner, text: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        small.run(page(small.folder, text))


def test_files_code_and_what_is_left_out(small: PageRunner, asked: list[list[str]]) -> None:
    text = (
        "<!-- file: a/b.txt -->\n```text\nhello\n```\n"
        "<!-- not run: it would delete everything there is -->\n```console\nninefold fail 9\n```\n"
        "<!-- exit 3: this file is missing on purpose -->\n```console\nninefold fail 3\n```\n"
        "```python\nx = 1\n```\n"
        f"```python\nimport pathlib\npathlib.Path('{small.folder}/c').write_text(str(x))\n```\n"
        "```text\nshown only\n```\n"
    )
    small.run(page(small.folder, text))
    assert (small.folder / "a" / "b.txt").read_text(encoding="utf-8") == "hello\n"
    assert (small.folder / "c").read_text(encoding="utf-8") == "1"
    assert asked == [["fail", "3"]]
    assert [block.line for block in blocks_of(small.folder / "page.md")] == [2, 6, 10, 13, 16, 20]


def test_a_block_takes_the_place_of_another(small: PageRunner, asked: list[list[str]]) -> None:
    text = (
        "```console\nninefold a\n```\n\nor\n\n"
        "<!-- instead: files in place of an exchange -->\n```console\nninefold b\n```\n"
        "\n## Next\n\n```console\nninefold c\n```\n"
    )
    small.run(page(small.folder, text))
    assert asked == [["a"], ["c"]]
    asked.clear()
    small.instead = True
    small.run(small.folder / "page.md", until="## Next")
    assert asked == [["b"]]
    with pytest.raises(AssertionError, match="no line '## Nowhere'"):
        small.run(small.folder / "page.md", until="## Nowhere")


def test_what_is_exported_holds_for_the_commands_below(small: PageRunner) -> None:
    told = "import os; print(os.environ['COLOUR'], file=open('told', 'w'))"
    (small.folder / "tell.py").write_text(told, encoding="utf-8")
    small.run(page(small.folder, "```console\nexport COLOUR=blue\npython tell.py\n```\n"))
    assert (small.folder / "told").read_text(encoding="utf-8") == "blue\n"


def test_a_service_runs_until_it_is_stopped(tmp_path: Path) -> None:
    up = script(tmp_path / "up", f"echo 'so: {STARTED}.'; exec sleep 60")
    services = Services()
    services.start_ray([up, "start"], {})
    (node,) = services.nodes
    assert services.running
    assert node.poll() is None
    services.stop()
    assert not services.running
    assert node.returncode == -signal.SIGTERM


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    services = Services()
    with pytest.raises(AssertionError, match="start ended: the port is taken"):
        services.start_ray([script(tmp_path / "down", "echo the port is taken"), "start"], {})
    services.stop()


def script(path: Path, lines: str) -> str:
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)
