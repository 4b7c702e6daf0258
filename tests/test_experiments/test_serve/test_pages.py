"""Pages of the app over a folder that holds sound runs and everything else."""

import html
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.record import load_run
from experiments.validation.keeping import keep_validation
from tests.test_experiments.test_serve.run_folders import HOSTILE, copied
from tests.test_experiments.test_serve.serving import Server, serving

FIRST, SECOND = "20240101T000000Z-first", "20240102T000000Z-second"


def test_the_list_shows_every_run_and_what_is_wrong_with_the_others(server: Server):
    answer = server.ask("/")
    assert answer.status == 200
    text = html.unescape(answer.text)
    for run_id in (FIRST, SECOND, "20240103T000000Z-hostile"):
        assert f'href="/runs/{run_id}"' in text
    for run_id, problem in {
        "20240104T000000Z-old": "written by another version (schema_version 1, this one reads 3)",
        "20240105T000000Z-torn": "run.json is not the record of a run (JSONDecodeError",
        "20240106T000000Z-list": "run.json is not the record of a run (TypeError",
        "20240107T000000Z-deep": "run.json is not the record of a run (RecursionError",
        "20240108T000000Z-foreign": "run.json is not the record of a run (KeyError('schema_version'))",
        "20240109T000000Z-wrong": "run.json is not the record of a run",
        "20240110T000000Z-bytes": "run.json is not the record of a run (UnicodeDecodeError",
        "20240111T000000Z-headless": "run.json is missing",
        "20240113T000000Z-outside": "a link out of the runs folder, not followed",
        "20240115T000000Z-loop": "a link out of the runs folder, not followed",
        "20240116T000000Z-linked": "run.json is a link or no file, not followed",
    }.items():
        row = text[text.index(f'value="{run_id}"') :]
        assert problem in row[: row.index("</tr>")], run_id
        assert f'href="/runs/{run_id}"' not in text
    for hidden in ("notes", ".unfinished-x", "20240114T000000Z-alias", "secret-run"):
        assert f'value="{hidden}"' not in text
    assert "16 runs" not in text
    assert "15 runs." in text


def test_numbers_of_a_row_are_those_of_its_record(server: Server, mixed: Path):
    metrics = load_run(mixed / FIRST).content["metrics"]
    text = html.unescape(server.ask("/?text=first").text)
    assert "1 run of 15" in text
    for shown in (
        f"{metrics['total_return']:.2%}", f"{metrics['sharpe']:,.2f}", f"{metrics['max_drawdown']:.2%}",
    ):  # fmt: skip
        assert f">{shown}</td>" in text


def test_text_of_a_record_is_no_markup(server: Server):
    text = server.ask("/").text
    assert HOSTILE not in text
    assert html.escape(HOSTILE, quote=True).replace("&quot;", "&#34;") in text
    report = server.ask("/runs/20240103T000000Z-hostile")
    assert report.status == 200
    assert HOSTILE not in report.text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("text=SECOND", ["second"]),
        ("text=20240101+first", ["first"]),
        ("timeframe=4h", ["second"]),
        ("kind=real", ["second"]),
        ("kind=simulated&text=first", ["first"]),
        ("kind=targets", []),
        ("symbol=aaasim&sort=name&text=st", ["first"]),
        ("since=2024-01-02&until=2024-01-02", ["second"]),
        ("until=2024-01-01", ["first"]),
        ("text=nothing+of+that+name", []),
    ],
)
def test_filters(server: Server, query: str, names: list[str]):
    text = server.ask(f"/?{query}").text
    found = [name for name in ("first", "second") if f">{name}</a>" in text]
    assert found == names


@pytest.mark.parametrize(
    "query",
    ["kind=other", "sort=colour", "page=0", "page=x", "page=-1", "since=monday", "until=20240131"],
)
def test_a_question_that_has_no_answer_is_refused_in_words(server: Server, query: str):
    answer = server.ask(f"/?{query}")
    assert answer.status == 400
    assert query.split("=", maxsplit=1)[0] in answer.text


def test_a_page_beyond_the_last_is_the_last(server: Server):
    assert server.ask("/?page=99999").status == 200


def test_the_report_of_a_run(server: Server):
    made = server.site.reports.cache.made
    answer = server.ask(f"/runs/{FIRST}")
    assert answer.status == 200
    assert "<h1>" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe-inline" in answer.headers["content-security-policy"]
    assert server.ask(f"/runs/{FIRST}").body == answer.body
    assert server.site.reports.cache.made <= made + 1


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/runs/20240112T000000Z-damaged", 422, "SHA-256"),
        ("/runs/20240105T000000Z-torn", 422, "is not the record of a run"),
        ("/runs/20240104T000000Z-old", 422, "another version"),
        ("/runs/20240113T000000Z-outside", 422, "a link out of the runs folder"),
        ("/runs/20240112T000000Z-damaged/equity.svg", 422, "SHA-256"),
        ("/runs/20240114T000000Z-alias", 404, "no such page"),
        ("/runs/latest", 404, "no such page"),
        ("/runs/2024", 404, "no such page"),
        ("/runs/notes", 404, "no such page"),
        ("/nothing", 404, "no such page"),
        ("/sweeps/none/none", 404, "no such page"),
        ("/assets/runs.html.j2", 404, "no such page"),
        ("/compare", 400, "0 runs are marked"),
        (f"/compare?run={FIRST}", 400, "1 runs are marked"),
        (f"/compare?run={FIRST}&run={FIRST}", 400, "1 runs are marked"),
        (f"/compare?run={FIRST}&run=nothing", 404, "no such page"),
    ],
)
def test_what_cannot_be_shown_says_why(server: Server, path: str, status: int, words: str):
    answer = server.ask(path)
    assert answer.status == status
    assert words in html.unescape(answer.text)
    assert "Traceback" not in answer.text


def test_runs_are_compared(server: Server):
    answer = server.ask(f"/compare?run={SECOND}&run={FIRST}")
    assert answer.status == 200
    assert "A second · B first" in html.unescape(answer.text)


def test_files_are_taken_away_byte_by_byte(server: Server, mixed: Path):
    page = server.ask(f"/runs/{FIRST}/files").text
    assert "leak.parquet" not in page
    for name in ("run.json", "trades.parquet"):
        assert f'href="/runs/{FIRST}/files/{name}"' in page
        answer = server.ask(f"/runs/{FIRST}/files/{name}")
        assert answer.body == (mixed / FIRST / name).read_bytes()
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]
    for name in ("leak.parquet", "report.html", "run.json.bak", "nothing"):
        assert server.ask(f"/runs/{FIRST}/files/{name}").status == 404


def test_the_files_of_a_damaged_run_can_be_taken_away(server: Server):
    assert server.ask("/runs/20240105T000000Z-torn/files/run.json").body.startswith(b'{"schema')
    assert server.ask("/runs/20240113T000000Z-outside/files").status == 404
    assert server.ask("/runs/20240113T000000Z-outside/files/run.json").status == 404
    assert server.ask("/runs/20240116T000000Z-linked/files/run.json").status == 404


def test_the_equity_of_a_row_is_a_picture(server: Server):
    answer = server.ask(f"/runs/{FIRST}/equity.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg ")


def test_a_list_follows_the_folder(tmp_path: Path, run_folder: Path):
    with serving(tmp_path / "runs") as server:
        assert "There is no run in this folder yet" in server.ask("/").text
        made = copied(run_folder, tmp_path / "runs", "20240101T000000Z-a", name="aaa")
        time.sleep(1.1)
        assert ">aaa</a>" in server.ask("/").text
        assert server.site.run_index.reads == 1
        content = json.loads((made / "run.json").read_text()) | {"name": "bbb"}
        (made / "run.json").write_text(json.dumps(content))
        time.sleep(1.1)
        assert ">bbb</a>" in server.ask("/").text
        assert server.site.run_index.reads == 2
        (made / "run.json").unlink()
        for table in made.glob("*.parquet"):
            table.unlink()
        time.sleep(1.1)
        assert "There is no run in this folder yet" in server.ask("/").text
        assert server.ask("/runs/20240101T000000Z-a").status == 404


def test_a_defect_is_a_page_and_a_traceback_on_the_terminal(
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    copied(run_folder, tmp_path, FIRST, name="first")
    with serving(tmp_path) as server:
        monkeypatch.setattr(server.site.reports, "of_run", lambda _summary: 1 // 0)
        answer = server.ask(f"/runs/{FIRST}")
    assert answer.status == 500
    assert "This is a defect of Ninefold" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_a_validation_makes_the_report_anew(run_folder: Path, tmp_path: Path):
    folder = copied(run_folder, tmp_path, FIRST, name="first")
    with serving(tmp_path) as server:
        for made in (1, 1):
            server.ask(f"/runs/{FIRST}")
            assert server.site.reports.cache.made == made
        (folder / "validations").mkdir()
        (folder / "validations" / ".lock").touch()
        server.ask(f"/runs/{FIRST}")
        assert server.site.reports.cache.made == 2


def test_a_validation_that_is_put_back_is_read_again(run_folder: Path, tmp_path: Path):
    folder = copied(run_folder, tmp_path, FIRST, name="first")
    kept = keep_validation(folder, {}, datetime.now(UTC))
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    with serving(tmp_path) as server:
        assert "its SHA-256 is not the one in its name" in server.ask(f"/runs/{FIRST}").text
        kept.write_bytes(whole)
        assert "its SHA-256 is not the one in its name" not in server.ask(f"/runs/{FIRST}").text


def test_a_sweep_that_comes_or_goes_makes_the_report_anew(run_folder: Path, tmp_path: Path):
    copied(run_folder, tmp_path, FIRST, name="first")
    sweep = tmp_path / "sweeps" / "family" / "sweep"
    with serving(tmp_path) as server:
        server.ask(f"/runs/{FIRST}")
        sweep.mkdir(parents=True)
        for made, text in ((2, "{}"), (3, "{ }")):
            (sweep / "sweep.json").write_text(text)
            for _ in range(2):
                server.ask(f"/runs/{FIRST}")
                assert server.site.reports.cache.made == made
