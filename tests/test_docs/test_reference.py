"""The reference is what the code declares, and every link of the documentation leads somewhere."""

import re
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


@pytest.mark.parametrize(
    "page",
    sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_to_pages_and_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    ):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        to = page if not name else (page.parent / name)
        assert to.exists(), f"{page.name}: {target}"
        if heading:
            assert heading in anchors(to), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
