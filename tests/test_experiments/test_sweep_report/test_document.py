"""The sweep's page for every kind of sweep there is: it says something true, and never an empty axis."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.durable import replace_file
from engine import DataError
from experiments.pages.html import html_text
from experiments.sweep_report import sweep_document
from experiments.sweep_report.reading import read_sweep
from experiments.sweeps.holdout import record_opening
from experiments.sweeps.ledger import Ledger
from experiments.validation.keeping import keep_validation
from tests.test_experiments.test_sweep_report.cases import (
    TWENTY,
    TWO,
    made_sweep,
    sweep_config,
)
from tests.test_experiments.test_sweep_report.looked import charts, checked, tables, texts

SCRIPT = "<script>alert('x')</script><b>"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]) -> Ledger:
    config = sweep_config(
        tree,
        constraints=[{"metric": "trades", "at_least": 100}],
        screen={"trials": 128, "batch": 64},
        search={"trials": 64, "batch": 64},
        holdout_from="2021-02-05",
    )
    return made_sweep(
        tmp_path_factory.mktemp("plain"),
        config,
        lambda places: {
            "trades": np.where(places[:, 0] > 0.9, 20.0, 400.0),
            "psr": np.full(len(places), 0.9),
        },
        errors=[f"ConfigError: {trial % 2}" if trial % 60 == 7 else None for trial in range(192)],
    )


def test_a_sweep_that_was_not_validated_says_so_first(plain: Ledger):
    document = sweep_document(plain)
    checked(document)
    first = document.verdict[0].paragraphs[0]
    assert first.startswith("NOT VALIDATED YET: the best of 192 trials")
    assert f"`ninefold validate {plain.sweep_id}`" in first
    assert "SIMULATED" in document.badges
    assert document.badges == ("SIMULATED",)
    found = charts(document)
    assert {
        "history-sharpe",
        "top-intervals",
        "parallel",
        "importance",
        "pair-1",
        "slice-1",
    } <= set(found)
    assert any("has not been validated" in text for text in texts(document))
    assert document.tiles is not None
    assert document.tiles.tiles[0].value.value == float(
        np.nanmax(np.where(plain.trials()["state"].to_numpy(zero_copy_only=False) == "complete",
                           plain.trials()["sharpe"].to_numpy(), np.nan))
    )  # fmt: skip


def test_numbers_of_the_page_are_those_of_the_ledger(plain: Ledger):
    document = sweep_document(plain)
    table = plain.trials()
    states = table["state"].to_pylist()
    counted = {row[0]: [cell.value for cell in row[1:]] for row in tables(document)["states"].rows}
    for stage, numbers in counted.items():
        of_stage = [
            state
            for state, at in zip(states, table["stage"].to_pylist(), strict=True)
            if at == stage
        ]
        assert numbers[:3] == [of_stage.count(s) for s in ("complete", "infeasible", "failed")]
    assert counted["screen"][3:] == [128, 128]
    reasons = tables(document)["failures"].rows
    assert [(row[0], row[1].value) for row in reasons] == [
        ("ConfigError: 1", states.count("failed")),
    ]
    missed = tables(document)["constraints"].rows
    assert missed[0][1].value == states.count("infeasible")
    for row in tables(document)["top-trials"].rows:
        trial = int(row[0])
        assert row[2].value == table["sharpe"][trial].as_py()
        assert row[3].value == table["total_return"][trial].as_py()
        assert row[-2].value < row[2].value < row[-1].value
    best = [float(row[2].value) for row in tables(document)["top-more"].rows]
    assert best == sorted(best, reverse=True)
    assert len(best) == 100


def test_the_holdout_and_the_family_are_told(plain: Ledger):
    assert any("has not been opened" in text for text in texts(sweep_document(plain)))
    record_opening(
        plain.runs, "small", {"sweep_id": plain.sweep_id, "trial": 3, "opened_at": "now"}
    )
    document = sweep_document(plain)
    assert tables(document)["openings"].rows == (("1", "now", plain.sweep_id, "3"),)
    assert tables(document)["family-count"].rows[1][1].value == 192


def test_a_copy_elsewhere_is_shown_without_its_family(plain: Ledger, tmp_path: Path):
    copy = Path(shutil.copytree(plain.folder, tmp_path / plain.sweep_id))
    document = sweep_document(Ledger.open(copy))
    checked(document)
    assert any("cannot be counted" in text for text in texts(document))
    assert "family-count" not in tables(document)


def test_no_trial_yet(tmp_path: Path, tree: dict[str, Any]):
    document = sweep_document(made_sweep(tmp_path, sweep_config(tree), trials=0))
    checked(document)
    assert document.verdict[0].paragraphs[0].startswith("NOTHING WAS TRIED YET")
    assert document.badges == ("SIMULATED", "RUNNING OR STOPPED")
    assert not charts(document)


def test_one_trial(tmp_path: Path, tree: dict[str, Any]):
    document = sweep_document(made_sweep(tmp_path, sweep_config(tree, space=TWO), trials=1))
    checked(document)
    assert document.badges == ("SIMULATED", "RUNNING OR STOPPED")
    assert "n/a: needs 8 feasible trials, there are 1." in list(texts(document))
    assert not charts(document)


def test_ten_trials_of_one_parameter(tmp_path: Path, tree: dict[str, Any]):
    space = {"consensus.p_min": TWO["consensus.p_min"]}
    document = sweep_document(made_sweep(tmp_path, sweep_config(tree, space=space), trials=10))
    checked(document)
    assert set(charts(document)) == {"history-sharpe", "slice-1"}


def test_everything_infeasible(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, constraints=[{"metric": "trades", "at_least": 5000}])
    document = sweep_document(made_sweep(tmp_path, config))
    checked(document)
    assert any(
        "64 of 64 trials miss the constraint trades at least 5000" in t for t in texts(document)
    )
    assert set(charts(document)) == {"history-sharpe"} | ({"pace"} & set(charts(document)))
    # All of them were tried; who reads only the headline knows that there is nothing to validate.
    assert document.verdict[0].paragraphs[0].startswith("NOTHING TO CHOOSE: ")
    assert not any("NOT VALIDATED YET" in text for text in texts(document))
    assert "No trial may be chosen." in charts(document)["history-sharpe"].text


def test_everything_failed_and_what_it_says_is_text(tmp_path: Path, tree: dict[str, Any]):
    document = sweep_document(
        made_sweep(tmp_path, sweep_config(tree), errors=[f"DataError: {SCRIPT}"] * 64)
    )
    html = checked(document)
    assert SCRIPT not in html
    assert any("all 64 trials failed" in text for text in texts(document))
    assert "Sharpe ratio: n/a: no trial has one." in list(texts(document))


def test_text_of_choices_and_errors_is_text(tmp_path: Path, tree: dict[str, Any]):
    rule = {"name": "mine", "direction": "long", "probability": 0.6, "confidence": 0.5}
    rules = [[{**rule, "when": f"close {sign} 7"}] for sign in ("<", ">")]
    space = {**TWO, "heads.rules.user_rules": {"kind": "choice", "values": rules}}
    ledger = made_sweep(
        tmp_path,
        sweep_config(tree, space=space),
        errors=[SCRIPT if trial % 9 == 0 else None for trial in range(64)],
    )
    document = sweep_document(ledger)
    html = checked(document)
    assert SCRIPT not in html
    assert "close < 7" not in html
    assert "close &lt; 7" in html
    ticks = [
        chart.layout["xaxis"]["ticktext"]
        for name, chart in charts(document).items()
        if name.startswith("slice-") and "user_rules" in chart.title
    ]
    assert len(ticks[0]) == len(set(ticks[0])) == 2


@pytest.mark.parametrize("count", [2, 3])
def test_several_objectives_have_a_front(tmp_path: Path, tree: dict[str, Any], count: int):
    names = ["sharpe", "max_drawdown", "trades"][:count]
    config = sweep_config(tree, objectives=[{"metric": name} for name in names])
    document = sweep_document(
        made_sweep(
            tmp_path,
            config,
            lambda places: {
                "sharpe": places[:, 2],
                "max_drawdown": 0.1 + places[:, 2] ** 2 / 2 + places[:, 0] / 10,
                "trades": 100 * places[:, 1],
            },
        )
    )
    checked(document)
    found = charts(document)
    assert {f"history-{name.replace('_', '-')}" for name in names} <= set(found)
    rows = tables(document)["front-trials"].rows
    signs = np.array([1.0, -1.0, 1.0][:count])
    every = np.array([[cell.value for cell in row[1:]] for row in rows]) * signs
    for one in every:
        assert not ((every >= one).all(axis=1) & (every > one).any(axis=1)).any()
    assert len(tables(document)["importance-shares"].columns) == 1 + count
    assert document.tiles is not None
    assert document.tiles.tiles[1].label == ("max drawdown")


def test_trials_judged_with_their_neighbours(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(
        tree,
        screen={"trials": 64, "batch": 64},
        search={"trials": 16, "batch": 16, "neighbours": 3},
    )
    ledger = made_sweep(
        tmp_path, config, parents=lambda trial: None if trial % 4 == 0 else trial - trial % 4
    )
    document = sweep_document(ledger)
    checked(document)
    drawn = {one["name"]: list(one["x"]) for one in charts(document)["history-sharpe"].data}
    assert drawn["search"] == list(range(64, 128, 4))
    assert len(drawn["neighbours, each by itself"]) == 48
    assert {int(row[0]) % 4 for row in tables(document)["top-trials"].rows} == {0}
    assert "with their neighbours" in charts(document)["history-sharpe"].note
    assert "quantile of Sharpe ratio" in tables(document)["top-trials"].columns


def test_a_screen_alone_of_a_sweep_that_ranks_neighbourhoods(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(
        tree,
        screen={"trials": 64, "batch": 64},
        search={"trials": 16, "batch": 16, "neighbours": 3},
    )
    document = sweep_document(made_sweep(tmp_path, config, trials=64))
    checked(document)
    assert any("search, which has not begun" in text for text in texts(document))
    assert {"pair-1", "importance"} <= set(charts(document))
    assert "parallel" not in charts(document)


def test_medians_of_the_best_are_values(tmp_path: Path, tree: dict[str, Any]):
    space = {
        "consensus.quorum": {"kind": "whole", "low": 2, "high": 5},
        "consensus.hold_bars": {"kind": "choice", "values": [None, 12, 48]},
    }
    config = sweep_config(tree, space=space, screen={"trials": 256, "batch": 256})
    ledger = made_sweep(tmp_path, config, lambda places: {"sharpe": places[:, 1] - places[:, 0]})
    parallel = charts(sweep_document(ledger))["parallel"]
    told = parallel.text.partition("Medians of the best: ")[2]
    assert set(told.rstrip(".").split(", ")) == {"quorum 5", "hold_bars none"}
    assert "in the middle of their parts of the range" in parallel.note


def test_undefined_metrics_are_not_numbers(tmp_path: Path, tree: dict[str, Any]):
    document = sweep_document(
        made_sweep(
            tmp_path,
            sweep_config(tree),
            lambda places: {
                "sharpe": np.where(places[:, 0] > 0.5, np.nan, places[:, 1]),
                "psr": np.full(len(places), np.nan),
                "max_drawdown": np.full(len(places), np.nan),
            },
        )
    )
    checked(document)
    assert {row[4].text for row in tables(document)["top-trials"].rows} == {"n/a"}
    assert "top-intervals" not in charts(document)


def test_two_thousand_trials_of_twenty_parameters(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(
        tree,
        space=TWENTY,
        screen={"trials": 1024, "batch": 1024},
        search={"trials": 976, "batch": 64},
    )
    ledger = made_sweep(tmp_path, config)
    sweep_document(made_sweep(tmp_path / "warm", sweep_config(tree)))
    started = time.process_time()
    document = sweep_document(ledger)
    html = html_text(document)
    taken = time.process_time() - started
    checked(document)
    assert taken < 5.0
    assert len(html) < 8_000_000
    found = charts(document)
    assert len([name for name in found if name.startswith("slice-")]) == 20
    assert "6 less important parameters left out" in found["parallel"].note
    assert "Drawn: the first 16 of 20" in found["importance"].note
    lines = [int(np.isnan(np.asarray(trace["x"])).sum()) for trace in found["parallel"].data]
    assert sum(lines) <= 160
    assert f"{sum(lines[:1])} of 1,960" in found["parallel"].note


def test_many_trials_are_thinned_and_the_best_and_worst_stay(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, space=TWO, screen={"trials": 8192, "batch": 8192})
    peaks = np.zeros(8192)
    peaks[[4001, 4002]] = 50.0, -50.0
    ledger = made_sweep(
        tmp_path, config, lambda places: {"sharpe": places[:, 0] + peaks}, batch=8192
    )
    document = sweep_document(ledger)
    history = charts(document)["history-sharpe"]
    (screen,) = [trace for trace in history.data if trace["name"] == "screen"]
    assert len(screen["y"]) < 3000
    assert {4001, 4002} <= set(screen["x"])
    assert max(screen["y"]) > 50
    assert min(screen["y"]) < -49
    assert "trials are not drawn" in history.note
    assert "judged among 4,096 of 8,192" in tables(document)["plateau"].note or (
        "judged among 4,097" in tables(document)["plateau"].note
    )


def test_a_sweep_is_read_while_it_is_written(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, space=TWO, screen={"trials": 256, "batch": 8})
    whole = made_sweep(tmp_path / "whole", config, batch=8)
    parts = whole.parts()
    copy = Path(shutil.copytree(whole.folder, tmp_path / "runs/sweeps/small" / whole.sweep_id))
    ledger = Ledger.open(copy)
    for part in ledger.parts():
        part.unlink()
    seen = []
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: [_put(part, copy) for part in parts])
        while not written.done():
            reading = read_sweep(ledger)
            assert reading.count % 8 == 0
            assert len(reading.batch_ends) == reading.count // 8
            assert not reading.count or reading.ranked[0] == np.argmax(reading.metrics["sharpe"])
            seen.append(reading.count)
    assert seen == sorted(seen)
    assert read_sweep(ledger).count == 256
    checked(sweep_document(ledger))


def _put(part: Path, folder: Path) -> None:
    replace_file(folder / part.name, part.read_bytes())
    time.sleep(0.01)


def test_a_broken_sweep_of_the_family_leaves_it_uncounted(tmp_path: Path, tree: dict[str, Any]):
    ledger = made_sweep(tmp_path, sweep_config(tree, space=TWO))
    other = made_sweep(tmp_path, sweep_config(tree))
    other.parts()[0].write_bytes(b"other")
    document = sweep_document(ledger)
    checked(document)
    assert any("cannot be counted" in text and "trials-000001" in text for text in texts(document))
    assert document.tiles is not None
    assert {one.label: one.value.text for one in document.tiles.tiles}[
        "trials of the family"
    ] == "n/a"


def test_a_changed_part_is_no_page(tmp_path: Path, tree: dict[str, Any]):
    ledger = made_sweep(tmp_path, sweep_config(tree, space=TWO))
    part = ledger.parts()[0]
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(DataError, match="trials-000001"):
        sweep_document(ledger)


def test_an_outdated_validation_is_told(tmp_path: Path, tree: dict[str, Any], validated: Any):
    ledger = made_sweep(tmp_path, sweep_config(tree))
    content = {**validated, "subject": ledger.sweep_id, "ledger_trials": 32}
    keep_validation(ledger.folder, content, datetime.now(UTC))
    document = sweep_document(ledger)
    assert any(
        text.startswith("OUTDATED: the validation knew 32 trials") for text in texts(document)
    )


def test_every_validation_is_listed_and_another_word_is_told(
    tmp_path: Path, tree: dict[str, Any], validated: Any
):
    ledger = made_sweep(tmp_path, sweep_config(tree))
    told = [("evidence", ["validation.seed=3"]), ("no evidence", []), ("no evidence", [])]
    for word, overrides in told:
        content = {
            **validated,
            "ledger_trials": 64,
            "overrides": overrides,
            "verdict": {**validated["verdict"], "word": word},
        }
        keep_validation(ledger.folder, content, datetime.now(UTC))
    document = sweep_document(ledger)
    checked(document)
    rows = tables(document)["validations-kept"].rows
    assert [(row[1], row[-1]) for row in rows] == [
        ("no evidence", "nothing"), ("no evidence", "nothing"), ("evidence", "-s validation.seed=3"),
    ]  # fmt: skip
    said = " ".join(text for block in document.verdict for text in block.paragraphs)
    assert "VALIDATED 3 TIMES with different verdicts (evidence 1, no evidence 2)" in said
    assert said.startswith("NO EVIDENCE: ")


def test_a_validation_that_cannot_be_read_is_told_and_the_page_is_made(
    tmp_path: Path, tree: dict[str, Any], validated: Any
):
    ledger = made_sweep(tmp_path, sweep_config(tree))
    content = {key: value for key, value in validated.items() if key != "findings"}
    path = keep_validation(ledger.folder, content, datetime.now(UTC))
    document = sweep_document(ledger)
    checked(document)
    first = document.verdict[0].paragraphs[0]
    assert str(path) in first
    assert "lacks findings" in first
    assert any(text.startswith("n/a: a validation cannot be read") for text in texts(document))
    assert "history-sharpe" in charts(document)
    keep_validation(ledger.folder, validated, datetime.now(UTC))
    document = sweep_document(ledger)
    checked(document)
    said = [text for block in document.verdict for text in block.paragraphs]
    assert said[0].startswith(validated["verdict"]["word"].upper())
    assert any("A VALIDATION CANNOT BE READ" in text and str(path) in text for text in said)


def test_openings_left_out_are_told(tmp_path: Path, tree: dict[str, Any]):
    ledger = made_sweep(tmp_path, sweep_config(tree, holdout_from="2021-02-05"))
    for number in (30, 1):
        for trial in range(number):
            record_opening(
                ledger.runs, "small", {"sweep_id": "a", "trial": trial, "opened_at": "b"}
            )
        table = tables(sweep_document(ledger))["openings"]
        assert len(table.rows) == 30
        assert ("The last 30." in table.note) == (number == 1)


def test_one_improvement_is_one_time(tmp_path: Path, tree: dict[str, Any]):
    config = sweep_config(tree, space=TWO)
    better = np.zeros(64)
    better[5] = 1.0
    ledger = made_sweep(tmp_path, config, lambda places: {"sharpe": better[: len(places)]})
    assert (
        "was improved 1 time after trial 0" in charts(sweep_document(ledger))["history-sharpe"].text
    )


def test_importance_claims_no_more_than_it_can(plain: Ledger):
    found = charts(sweep_document(plain))["importance"]
    assert "by luck alone the largest share reaches" in found.text
    assert "decide" not in found.text
    assert [trace["line"]["dash"] for trace in found.data if trace["type"] == "scatter"] == ["dot"]
    assert "over 20 permutations" in found.note
