import json
import re
from pathlib import Path
from typing import Any

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
