import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from experiments import RunResult, load_run
from experiments.artefacts import ARTEFACTS
from experiments.cli import app
from strategies import HEAD_NAMES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def section(title: str) -> str:
    text = (DOCS / "run-folder.md").read_text(encoding="utf-8")
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_column_is_documented_with_its_type_in_order(result: RunResult):
    record = load_run(result.run_dir)
    for name in ARTEFACTS:
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section(f"{name}.parquet"), re.MULTILINE)
        stated = [row for row in rows if "{head}" not in row[0]]
        of_heads = [row for row in rows if "{head}" in row[0]]
        at = next((i for i, row in enumerate(rows) if "{head}" in row[0]), 0)
        stated[at:at] = [
            (column.replace("{head}", head), kind)
            for head in HEAD_NAMES
            for column, kind in of_heads
        ]
        schema = record.table(name).schema
        assert stated == [(field.name, str(field.type)) for field in schema], name


def test_every_key_of_the_record_is_documented(result: RunResult):
    content = json.loads((result.run_dir / "run.json").read_text(encoding="utf-8"))
    keys = [line.split("|")[1] for line in section("run.json").splitlines() if "|" in line]
    stated = re.findall(r"`([^`]+)`", " ".join(keys))
    assert sorted(stated) == sorted(content)


ROOT = DOCS.parent
COMMANDED = sorted(
    {
        ROOT / "README.md",
        *(ROOT / "experiments" / "configs").glob("*.yaml"),
        *DOCS.glob("*.md"),
        *(DOCS / "how-to").glob("*.md"),
    }
)
COMMAND = re.compile(r"(?:`|^#? *|; *|&& *)ninefold +([a-z][^`\n;&#]*)", re.MULTILINE)


@pytest.mark.parametrize("path", COMMANDED, ids=lambda path: path.name)
def test_every_command_that_is_shown_exists_with_its_options(path: Path):
    """`ninefold a b --option` in text, console blocks and head comments; `a|b` stands for the first."""
    found = COMMAND.findall(path.read_text(encoding="utf-8"))
    for text in found:
        words = re.sub(r'"[^"]*"|\[[^\]]*\]', "", text).split()
        command: Any = get_command(app)
        while words and hasattr(command, "commands"):
            name = re.split(r"[|,]", words.pop(0))[0]
            assert name in command.commands, f"{path.name}: ninefold {text}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.split("=")[0].rstrip(".,") for word in words if word.startswith("-")}
        assert given - {"-", "…"} <= known, f"{path.name}: ninefold {text}"


def test_commands_are_found_in_the_texts():
    counts = {
        path.name: len(COMMAND.findall(path.read_text(encoding="utf-8"))) for path in COMMANDED
    }
    assert counts["README.md"] > 15
    assert counts["walk_forward.yaml"] >= 2


def test_every_configuration_has_its_line():
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for path in (ROOT / "experiments" / "configs").glob("*.yaml"):
        assert f"| `{path.stem}` |" in text, path.stem


def test_every_command_has_its_line():
    """Each command of the command line begins a row of the table in docs/cli.md, or shares one."""
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    stated = " ".join(re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE))
    root: Any = get_command(app)
    for name, command in root.commands.items():
        for inner in getattr(command, "commands", {None: None}):
            assert re.search(rf"`{name}{f' {inner}' if inner else ''}\b", stated), (name, inner)
