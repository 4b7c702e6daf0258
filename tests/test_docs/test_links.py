"""Every link of the documentation leads somewhere, and every page is found from the README."""

import re
from pathlib import Path

import pytest

from tests.page_runner import ROOT

README = ROOT / "README.md"
PAGES = sorted([README, *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for to, heading in links_of(page):
        assert to.exists(), f"{name_of(page)}: {to}"
        if heading:
            assert heading in anchors_of(to), f"{name_of(page)}: {to.name}#{heading}"


def test_every_page_is_found_from_the_readme() -> None:
    found, unread = set(), [README]
    while unread:
        page = unread.pop()
        if page not in found:
            found.add(page)
            unread += [to for to, _ in links_of(page) if to.suffix == ".md" and to.exists()]
    assert [name_of(page) for page in PAGES if page not in found] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_that_is_named_is_linked(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    assert re.findall(r"(?<!\[)`[\w./-]+\.md`(?!\])", text) == []


def test_anchors_are_those_of_headings(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# What `a` is: 1, 2\n```console\n# a remark\n```\n", encoding="utf-8")
    assert anchors_of(page) == {"what-a-is-1-2"}


def links_of(page: Path) -> list[tuple[Path, str]]:
    """The file and the heading (or "") of each link to this repository."""
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", page.read_text(encoding="utf-8")))
    targets = [
        target.partition("#")
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"[a-z]+:", target)
    ]
    return [((page.parent / name).resolve() if name else page, at) for name, _, at in targets]


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
