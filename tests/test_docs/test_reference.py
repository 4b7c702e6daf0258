"""The reference is what the code declares."""

from pathlib import Path

import pytest

import experiments
from experiments.reference import PAGES, page_texts, write_pages
from indicators import INDICATORS
from strategies import HEADS
from tests.page_runner import ROOT

REFERENCE = ROOT / "docs" / "reference"
AGAIN = "run `python -m experiments.reference`"
TEXTS = page_texts()


@pytest.mark.parametrize("name", TEXTS)
def test_the_page_is_what_the_code_says(name: str) -> None:
    found = (REFERENCE / name).read_text(encoding="utf-8")
    assert found == TEXTS[name], f"docs/reference/{name} is out of date; {AGAIN}"


def test_there_are_no_other_pages(tmp_path: Path) -> None:
    assert {path.name for path in REFERENCE.iterdir()} == {*PAGES, "README.md"}
    assert [path.name for path in write_pages(tmp_path / "a")] == ["README.md", *PAGES]


def test_whatever_is_declared_is_on_its_page() -> None:
    for indicator in INDICATORS:
        text = TEXTS["indicators.md"].split(f"\n### {indicator.name}\n", 1)[1].split("\n## ")[0]
        for output in indicator.outputs:
            assert f"| `{output.name}` | {output.kind} |" in text, (indicator.name, output.name)
    for head in HEADS:
        text = TEXTS["heads.md"].split(f"\n## {head.name}\n", 1)[1]
        assert all(f"| `{reason.name}` |" in text for reason in head.REASONS), head.name
    for name in experiments.__all__:
        assert f"\n## `{name}" in TEXTS["python.md"], name
    for key in ("data.instruments.signals", "exits.stop_atr", "sweep.space", "fetch.symbols"):
        assert f"| `{key}` |" in TEXTS["configuration.md"], key
