"""`ninefold report`: which page, in which format, where it is written, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from experiments import RunResult, load_run
from experiments.cli import main
from experiments.pages import pdf
from experiments.pages.html import html_text
from experiments.pages.plain import document_json, markdown_text
from experiments.pages.writing import FORMATS
from experiments.report import run_document


@pytest.fixture
def folder(result: RunResult, runs: Path) -> Path:
    assert result.run_dir is not None
    assert result.run_dir.parent == runs
    return result.run_dir


def test_every_format_is_the_same_page(folder: Path, runs: Path, tmp_path: Path, capsys):
    document = run_document(load_run(folder))
    expected = {
        "html": html_text(document),
        "md": markdown_text(document),
        "json": json.dumps(document_json(document), ensure_ascii=False, indent=1) + "\n",
    }
    assert set(expected) == set(FORMATS) - {"pdf"}
    for name, text in expected.items():
        path = tmp_path / f"page.{name}"
        arguments = ["report", folder.name, "--runs", str(runs), "--format", name]
        assert main([*arguments, "--output", str(path)]) == 0
        assert path.read_text(encoding="utf-8") == text
        assert capsys.readouterr().out == f"{path}\n"
        assert main([*arguments, "--output", "-"]) == 0
        assert capsys.readouterr().out == text


def test_the_default_is_beside_the_run(folder: Path, runs: Path, capsys):
    before = (folder / "report.html").read_bytes()
    assert main(["report", folder.name, "--runs", str(runs), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "subject": folder.name,
        "format": "html",
        "report": str(folder / "report.html"),
    }
    assert (folder / "report.html").read_bytes() == before


def test_open_shows_the_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    path = tmp_path / "a page.html"
    assert main(["report", str(folder), "--output", str(path), "--open"]) == 0
    assert shown == [path.as_uri()]


def test_a_browser_prints_the_page(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """A program that does what Chromium is asked for, with what it was given."""
    script = tmp_path / "browser"
    script.write_text(
        '#!/bin/sh\nfor one in "$@"; do case "$one" in --print-to-pdf=*) out="${one#*=}";; '
        'file://*) page="${one#file://}";; esac; done\ncp "$page" "$out"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, str(script))
    path = tmp_path / "page.pdf"
    assert main(["report", str(folder), "--format", "pdf", "--output", str(path)]) == 0
    assert path.read_text() == html_text(run_document(load_run(folder)))
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, "no-such-browser")
    capsys.readouterr()
    assert main(["report", str(folder), "--format", "pdf", "--output", str(path)]) == 2
    assert "NINEFOLD_CHROMIUM" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--format", "docx"], 2, "one of html, json, md, pdf"),
        (["--format", "pdf", "--output", "-"], 2, "needs a file"),
        (["--output", "-", "--open"], 2, "needs a file"),
        (["--output", "."], 2, "--output .: is a folder; name a file in it"),
    ],
)
def test_what_cannot_be_written_is_refused(folder: Path, arguments, code, words, capsys):
    assert main(["report", str(folder), *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_name_that_is_neither_run_nor_sweep(runs: Path, capsys):
    assert main(["report", "nothing-like-it", "--runs", str(runs)]) == 3
    assert "there is no run 'nothing-like-it'" in capsys.readouterr().err


def test_it_says_what_it_works_on_beside_what_it_prints(folder: Path, tmp_path: Path, capsys):
    page = tmp_path / "page.md"
    arguments = ["report", str(folder), "--format", "md", "--output", str(page)]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert told.out == f"{page}\n"
    assert told.err == f"· making the report of the run {folder.name}\n"
    assert main([*arguments, "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_a_place_that_cannot_be_written_says_so(folder: Path, tmp_path: Path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["report", str(folder), "--output", str(tmp_path / "file" / "page.html")]) == 3
    assert "page.html" in capsys.readouterr().err


def test_a_changed_table_is_told_not_shown(folder: Path, tmp_path: Path, capsys):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    with (copy / "trades.parquet").open("ab") as file:
        file.write(b"x")
    assert main(["report", str(copy)]) == 3
    assert "SHA-256" in capsys.readouterr().err


def test_a_validation_that_cannot_be_read_is_told_and_hides_nothing(folder: Path, tmp_path: Path):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    place = copy / "validations"
    place.mkdir()
    (place / "20260101T000000.000000Z-00000000.json").write_text("{}")
    page = markdown_text(run_document(load_run(copy)))
    assert "NOT KNOWN: what a validation of this run found cannot be read" in page
    assert "## Performance" in page
