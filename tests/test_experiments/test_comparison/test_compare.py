"""Runs beside each other: from the records to the terminal, JSON and the page."""

import json
import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from datasets import Store
from engine import ConfigError, DataError
from experiments import RunResult, config_of, load_run, run
from experiments.cli import main
from experiments.comparison import compare_runs, comparison
from experiments.comparison.labels import headline_rows, units_of
from experiments.comparison.page import comparison_document
from experiments.comparison.terminal import print_comparison
from experiments.formats import metric_label
from experiments.pages import Chart
from experiments.pages.html import html_text
from experiments.pages.plain import document_json
from experiments.record import RunRecord
from tests.test_experiments.conftest import small_tree


@pytest.fixture(scope="module")
def records(result: RunResult, store: Store, runs: Path) -> tuple[RunRecord, ...]:
    """The run of all tests, one with another stop, one that never trades, one of its first half."""
    tree = small_tree()
    stop = ["exits.stop_atr=4"]
    other = run(config_of(tree, stop), store=store, runs=runs, overrides=stop)
    silent = run(config_of(tree, ["consensus.quorum=9"]), store=store, runs=runs)
    return tuple(load_run(made.run_dir) for made in (result, other, silent))


def test_a_whole_run_is_measured_as_the_engine_measures_it(records) -> None:
    found = compare_runs(records[:2])
    assert found.curves.is_whole
    for row in found.intervals[0]:
        for value, record in ((row.first, records[0]), (row.other, records[1])):
            assert value == pytest.approx(record.content["metrics"][row.name], rel=1e-9)
        assert row.low <= row.high
    assert [(row.key, row.values[1]) for row in found.config] == [("exits.stop_atr", 4.0)]
    assert found.config[0].came_from[1] == "-s"


def test_a_key_in_which_one_run_differs_shows_the_values_of_all(records) -> None:
    found = {row.key: row.values for row in compare_runs(records).config}
    assert found == {"exits.stop_atr": (2.0, 4.0, 2.0), "consensus.quorum": (2, 2, 9)}


def test_a_run_without_trades_says_so_with_n_a(records) -> None:
    found = compare_runs([records[0], records[2]])
    sharpe = next(row for row in found.intervals[0] if row.name == "sharpe")
    assert np.isnan(sharpe.other)
    text = printed(found)
    assert "n/a" in text
    assert "nan" not in text.lower()
    document = comparison_document(found)
    assert "NaN" not in json.dumps(document_json(document))
    assert "nan" not in without_scripts(html_text(document)).lower()


def without_scripts(page: str) -> str:
    return re.sub(r"<script.*?</script>", "", page, flags=re.S)


def printed(found) -> str:
    out = StringIO()
    print_comparison(found, Console(file=out, width=80, color_system=None))
    return out.getvalue()


def test_the_terminal_has_eighty_columns_and_every_run(records) -> None:
    text = printed(compare_runs(records))
    assert max(map(len, text.splitlines())) <= 80
    assert "B against A" in text
    assert "C against A" in text
    assert "exits.stop_atr" in text


def test_four_runs_stand_under_each_other(records, store: Store, runs: Path) -> None:
    fourth = load_run(
        run(config_of(small_tree(), ["exits.stop_atr=5"]), store=store, runs=runs).run_dir
    )
    text = printed(compare_runs([*records, fourth]))
    assert re.search(r"exits.stop_atr\s+A\s", text)
    assert max(map(len, text.splitlines())) <= 80


def shortened(record: RunRecord, rows: slice) -> RunRecord:
    """The record as if its run had had these closes."""

    class Part(RunRecord):
        __slots__ = ()

        def table(self, name: str):
            whole = record.table(name)
            start, stop, _ = rows.indices(whole.num_rows)
            return whole.slice(start, stop - start)

    return Part(run_dir=record.run_dir, content=record.content)


def test_runs_of_other_periods_meet_where_they_overlap(records) -> None:
    first, other = records[:2]
    part = shortened(other, slice(500, None))
    found = compare_runs([first, part])
    whole = first.table("equity")
    assert not found.curves.is_whole
    assert len(found.curves.time_ns) == whole.num_rows - 501
    equity = np.asarray(whole["equity"])[500:]
    np.testing.assert_allclose(found.curves.growth[:, 0], equity[1:] / equity[0], rtol=1e-12)
    assert "common closes" in printed(found)
    apart = [shortened(first, slice(0, 300)), shortened(other, slice(400, None))]
    with pytest.raises(DataError, match="no two closes in common"):
        compare_runs(apart)


def test_too_few_runs_or_one_twice_are_refused(records) -> None:
    with pytest.raises(ConfigError, match="2 to 10"):
        compare_runs(records[:1])
    with pytest.raises(ConfigError, match="named twice"):
        compare_runs([records[0], records[1], records[0]])


def test_as_many_runs_as_are_said_are_compared(records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_RUNS", 2)
    assert len(compare_runs(records[:2]).records) == 2
    with pytest.raises(ConfigError, match="3 runs: name 2 to 2"):
        compare_runs(records)


def test_a_name_cannot_bring_markup_into_the_page(records) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    bad = replace(records[1], content={**records[1].content, "name": evil, "symbols": [evil]})
    document = comparison_document(compare_runs([records[0], bad]))
    text = html_text(document)
    assert evil not in text
    assert "<img" not in text
    names = [one["name"] for one in document_json(document)["sections"][2]["blocks"][0]["data"]]
    assert names[1] == f"B {evil}"
    assert "//" not in without_scripts(text)


def test_the_page_states_every_number_of_the_comparison(records) -> None:
    found = compare_runs(records)
    table = document_json(comparison_document(found))["sections"][1]["blocks"][0]
    units, listed = units_of(found), headline_rows(found)
    assert [row[0] for row in table["rows"]] == [
        metric_label(name, units[name]) for name, _ in listed
    ]
    for row, (name, values) in zip(table["rows"], listed, strict=True):
        assert [cell["value"] for cell in row[7:10]] == list(values)
        for other, cells in ((1, row[1:4]), (2, row[4:7])):
            interval = next((one for one in found.intervals[other - 1] if one.name == name), None)
            if interval is None:
                assert cells[1:] == ["", ""]
            elif np.isfinite(interval.low):
                assert [cell["value"] for cell in cells[1:]] == [interval.low, interval.high]


def test_a_line_that_is_alone_is_solid_and_others_are_told_by_dashes(records) -> None:
    for count in (2, 3):
        charts = {
            block.name: block
            for block in comparison_document(compare_runs(records[:count])).blocks()
            if isinstance(block, Chart)
        }
        assert len({line["line"]["dash"] for line in charts["growth"].data}) == count
        against = [line["line"]["dash"] for line in charts["against"].data]
        assert (against == ["solid"]) == (count == 2)
        assert len(set(against)) == count - 1
        assert [one.label for one in charts["growth"].switches] == ["Linear", "Log"]


def test_the_command_prints_json_and_writes_the_page(
    records, runs: Path, tmp_path: Path, capsys
) -> None:
    page = tmp_path / "page.html"
    names = [record.run_id for record in records[:2]]
    assert main(["compare", *names, "--runs", str(runs), "--out", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == names
    assert told["common"]["is_whole"]
    assert {row["name"] for row in told["intervals"][0]} >= {"sharpe", "max_drawdown"}
    assert 400_000 < page.stat().st_size < 2_000_000
    assert main(["compare", names[0], "--runs", str(runs)]) == 2
    assert "2 to 10" in capsys.readouterr().err


def test_what_else_lies_in_the_folder_of_runs_is_left_out(
    records, runs: Path, tmp_path: Path, capsys
) -> None:
    folder = tmp_path / "runs"
    names = [str(folder / "sweeps"), str(folder / "bench.json")]
    (folder / "sweeps").mkdir(parents=True)
    (folder / "bench.json").write_text("{}")
    for record in records[:2]:
        names.append(str(shutil.copytree(record.run_dir, folder / record.run_id)))
    assert main(["compare", *names, "--runs", str(folder), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["runs"] == [record.run_id for record in records[:2]]
    assert told.err == "".join(f"· {name}: no run, left out\n" for name in names[:2])
    assert main(["compare", names[2], str(tmp_path / "elsewhere"), "--runs", str(folder)]) == 3
    assert "there is no run" in capsys.readouterr().err
