"""Code and configurations that pages show are at least readable, and what they import exists."""

import ast
import importlib

import pytest
import yaml

from tests.page_runner import ROOT, Block, blocks_of

OURS = ("datasets", "engine", "experiments", "indicators", "strategies")
BLOCKS = [
    block
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    for block in blocks_of(page)
]


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_is_python_and_imports_what_there_is(block: Block) -> None:
    for node in ast.walk(ast.parse(block.body)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name), f"{block}: {node.module}.{name.name}"


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert isinstance(yaml.safe_load(block.body), dict | list)


def test_every_language_is_one_that_a_reader_knows() -> None:
    known = {"", "console", "csv", "python", "sh", "sql", "text", "yaml"}
    assert {block.language for block in BLOCKS} <= known
    assert len(of("python")) > 15
    assert len(of("yaml")) > 10
