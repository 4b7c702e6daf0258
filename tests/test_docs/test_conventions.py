"""The page of conventions: its examples are computed, and the tests that it names exist."""

import ast
import re

from tests.page_runner import ROOT, PageRunner, blocks_of

PAGE = ROOT / "docs" / "conventions.md"
CITED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_the_examples_hold(runner: PageRunner) -> None:
    runner.run(PAGE)
    assert len(runner.ran) == len(blocks_of(PAGE)) > 6


def test_every_test_that_is_named_exists() -> None:
    cited = CITED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(cited) > 10
    for path, name in cited:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in names, f"{path}::{name}"
