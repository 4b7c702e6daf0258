"""Sections of a validation: their numbers are those that were kept, and nothing is drawn of nothing."""

import shutil
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import Store
from experiments import load_run, run
from experiments.pages import Document, Text
from experiments.sweep_report import sweep_document, validation_sections
from experiments.sweep_report.selection_charts import MOST_DRIFTING
from experiments.sweeps.ledger import Ledger
from experiments.validation.content import validation_json
from experiments.validation.keeping import keep_validation, readable_validations
from experiments.validation.validate import validate_run
from tests.test_experiments.test_sweep_report.looked import charts, checked, tables, texts


def page(content: Mapping[str, Any]) -> Document:
    return Document(title="t", subtitle="s", sections=validation_sections(content))


def test_the_sweeps_page_begins_with_the_verdict(swept: Ledger, validated: Mapping[str, Any]):
    document = sweep_document(swept)
    checked(document)
    word = validated["verdict"]["word"]
    assert document.verdict[0].paragraphs[0].startswith(f"{word.upper()}: ")
    assert (
        f"Trial {validated['chosen_trial']}, validated 2024-01-31"
        in (document.verdict[0].paragraphs[0])
    )
    said = list(texts(document))
    for sentence in (*validated["verdict"]["because"], *validated["verdict"]["unknown"]):
        assert sentence in said
    told = [block for block in document.sections[0].blocks if isinstance(block, Text)]
    for rule in validated["rules"]:
        (listed,) = [block for block in told if rule["text"] in block.paragraphs]
        assert listed.tone == ("good" if rule["holds"] else "bad")
    assert document.tiles is not None
    tiles = {tile.label: tile.value.value for tile in document.tiles.tiles}
    assert tiles["shifted votes, p"] == validated["findings"]["primary_p_family"]
    assert tiles["PBO"] == validated["selection"]["pbo"]


def test_tests_are_those_that_were_kept(validated: Mapping[str, Any]):
    document = page(validated)
    rows = {row[0]: row[1] for row in tables(document)["tests"].rows}
    chosen, selection = validated["chosen"], validated["selection"]
    assert rows["shifted votes, p"].value == validated["shifted_votes"]["p_value"]
    assert rows["shifted votes, p of the family"].value == validated["findings"]["primary_p_family"]
    assert rows["permuted bars, p"].value == validated["permuted_bars"]["p_value"]
    assert rows["Sharpe ratio by days"].value == chosen["sharpe_annual_by_days"]
    assert rows["PBO"].value == selection["pbo"]
    assert rows["path Sharpe, 5 % point"].value == selection["path_sharpe"][0]
    assert rows["random entries, p"].value == chosen["random_entries"]["p_sharpe"]


def test_pictures_draw_what_was_kept(validated: Mapping[str, Any]):
    found = charts(page(validated))
    shifts = found["null-shifts"]
    assert sum(shifts.data[0]["y"]) == 9
    assert shifts.data[1]["x"] == [validated["shifted_votes"]["best"]] * 2
    selection = validated["selection"]
    logits = found["pbo"].data
    assert sum(logits[0]["y"]) + sum(logits[1]["y"]) == 12_870
    assert sorted(selection["path_sharpes"]) == found["paths"].data[0]["y"].tolist()
    folds = selection["walk_forward_folds"]
    assert found["folds"].data[1]["y"].tolist() == [
        fold["out_of_sample_sharpe_annual"] for fold in folds
    ]
    drift = found["drift"].data[0]
    assert np.shape(drift["z"]) == (len(drift["y"]), len(folds))
    row = list(drift["y"]).index("stop_atr")
    assert drift["z"][row].tolist() == [fold["places"]["exits.stop_atr"] for fold in folds]
    costs = found["brittleness"].table
    assert costs is not None
    assert {one: cell.value for one, cell in costs.rows} == validated["brittleness"]["losses"]
    points = [trace for trace in found["deflation"].data if trace["mode"] == "markers"]
    deflation = validated["chosen"]["deflation"]
    assert [trace["y"][0] for trace in points] == [
        deflation["effective_dsr_2014"], deflation["raw_dsr_2014"],
    ]  # fmt: skip
    # The points lie on the curve.
    curve = found["deflation"].data[0]
    for trace in points:
        at = list(curve["x"]).index(trace["x"][0])
        assert curve["y"][at] == pytest.approx(trace["y"][0], rel=1e-12)


def test_the_p_of_the_family_is_kept(validated: Mapping[str, Any]):
    found = validated["findings"]
    luck_of_none = (1 - found["primary_p"]) ** found["sweeps"]
    assert found["primary_p_family"] == pytest.approx(1 - luck_of_none, abs=1e-12)


def test_the_p_of_the_family_stands_beside_the_rule_that_judges_it(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    content["shifted_votes"]["p_value"] = 0.02
    content["findings"] |= {"sweeps": 3, "primary_p": 0.02, "primary_p_family": 1 - 0.98**3}
    told = "p 0.020; 0.059 for the best of 3 sweeps, of which the rule asks 0.05"
    assert told in charts(page(content))["null-shifts"].text
    content["findings"] |= {"sweeps": 1, "primary_p_family": 0.02}
    assert "p 0.020; the rule asks for 0.05 at most" in charts(page(content))["null-shifts"].text


@pytest.mark.parametrize(
    ("shifts", "sweeps", "said"),
    [
        (9, 1, "9 shifts are too few for 1 sweep of the family: no result could meet the rule."),
        (50, 4, "50 shifts are too few for 4 sweeps of the family: no result could meet the rule."),
        (500, 4, "does as well too often for the best of the family's 4 sweeps."),
        (500, 1, "the same search on votes of another time does as well too often."),
    ],
)
def test_no_evidence_says_why(
    swept: Ledger,
    validated: Mapping[str, Any],
    tmp_path: Path,
    shifts: int,
    sweeps: int,
    said: str,
):
    content = deepcopy(dict(validated))
    content["verdict"]["word"] = "no evidence"
    content["findings"] |= {
        "shifts": shifts, "sweeps": sweeps, "primary_p": 0.2, "primary_p_family": 1 - 0.8**sweeps,
    }  # fmt: skip
    copy = Path(shutil.copytree(swept.folder, tmp_path / "runs/sweeps/small" / swept.sweep_id))
    keep_validation(copy, content, datetime.now(UTC))
    document = sweep_document(Ledger.open(copy))
    assert said in document.verdict[0].paragraphs[0]
    assert document.tiles is not None
    (tile,) = [one for one in document.tiles.tiles if one.label == "shifted votes, p"]
    assert tile.value.value == 1 - 0.8**sweeps
    assert ("0.200 for this one" in tile.note) == (sweeps > 1)
    newest = tables(document)["validations-kept"].rows[0]
    assert newest[3].value == 1 - 0.8**sweeps


def test_words_agree_with_their_numbers(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    selection = content["selection"]
    first = selection["walk_forward_folds"][0]
    places = {f"a.{number}": 0.5 for number in range(MOST_DRIFTING + 1)}
    folds = [{**first, "places": places, "trial": trial} for trial in (1, 2)]
    selection["walk_forward_folds"] = folds
    found = charts(page(content))
    drift = found["drift"]
    assert "is chosen 1 time of 1. None of them moves." in drift.text
    assert "1 parameter that moves less is left out." in drift.note
    assert "mean return × a year, out" in found["folds"].table.columns
    assert "not compounded" in found["folds"].text
    assert "lies between" not in found["deflation"].note


def test_a_metric_that_is_to_be_small_keeps_its_direction(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    content["objective"] = "max_drawdown"
    content["shifted_votes"] |= {"best": -0.1, "null_values": [-0.3, -0.2, None, -0.05]}
    content["permuted_bars"] = None
    found = charts(page(content))["null-shifts"]
    assert found.data[1]["x"] == [0.1, 0.1]
    assert float(np.min(found.data[0]["x"])) > 0
    assert "In 1 of them no trial could be chosen" in found.text
    assert "observed, of " in found.text
    assert ": 10.00%. As good" in found.text


def test_what_is_missing_is_said(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    content["permuted_bars"] = content["snooping"] = content["brittleness"] = None
    content["chosen"] |= {"deflation": None, "random_entries": None, "minimum_days_2012": None}
    content["shifted_votes"]["null_values"] = [None] * 9
    content["selection"]["path_sharpes"] = [None] * 15
    content["selection"]["path_sharpe"] = None
    content["selection"]["degradation_slope"] = None
    content["selection"]["walk_forward_efficiency"] = None
    content["selection"]["decay"] = None
    document = page(content)
    checked(document)
    said = " ".join(texts(document))
    for words in (
        "Permuted bars: n/a", "(SPA): n/a", "Random entries: n/a", "Deflated Sharpe ratio: n/a",
        "Votes of another time: n/a", "Paths of cross-validation: n/a",
    ):  # fmt: skip
        assert words in said
    rows = {row[0]: row[1] for row in tables(document)["tests"].rows}
    assert rows["days of track record needed"] == "no number would do"
    assert rows["walk-forward efficiency"].text == "n/a"
    assert "brittleness" not in charts(document)


def test_many_paths_and_short_folds_are_still_told_apart(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    selection = content["selection"]
    selection["path_sharpes"] = np.random.default_rng(1).normal(size=500).tolist()
    first = selection["walk_forward_folds"][0]
    selection["walk_forward_folds"] = [
        {**first, "test_start": f"2021-01-{day:02d} {hour:02d}:00"}
        for day in range(1, 29)
        for hour in (0, 12)
    ]
    document = page(content)
    checked(document)
    found = charts(document)
    assert sum(sum(trace["y"]) for trace in found["paths"].data) == 500
    assert len(set(found["folds"].data[0]["x"])) == len(set(found["drift"].data[0]["x"])) == 56


@pytest.mark.parametrize(
    ("idle", "told"), [(2, "2 folds without a second bar"), (99, "there n/a.")]
)
def test_folds_that_did_nothing_are_told(validated: Mapping[str, Any], idle: int, told: str):
    content = deepcopy(dict(validated))
    folds = content["selection"]["walk_forward_folds"]
    assert "without a second bar" not in charts(page(content))["folds"].note
    for fold in folds[:idle]:
        fold["out_of_sample_sharpe_annual"] = None
    document = page(content)
    checked(document)
    chart = charts(document)["folds"]
    assert told in f"{chart.text} {chart.note}"
    ratios = [row[5].text for row in chart.table.rows]
    assert ratios.count("n/a") == min(idle, len(folds))


def test_losses_that_cannot_be_counted_are_all(validated: Mapping[str, Any]):
    content = deepcopy(dict(validated))
    losses = content["brittleness"]["losses"]
    first, second = list(losses)[:2]
    losses |= {first: None}
    found = charts(page(content))["brittleness"]
    assert found.table is not None
    assert dict(found.table.rows)[first] == "all"
    assert dict(found.table.rows)[second] != "all"
    content["brittleness"]["losses"] = dict.fromkeys(losses)
    document = page(content)
    assert "brittleness" not in charts(document)
    assert any("A tenth aside" in text for text in texts(document))


def test_an_opened_holdout_is_shown(validated: Mapping[str, Any]):
    content = dict(validated) | {
        "holdout": {
            "opening": 2,
            "bars": 500,
            "metrics": {"total_return": 0.1, "sharpe": None, "max_drawdown": 0.2, "trades": 9.0,
                        "final_equity": 110000.0},
        }
    }  # fmt: skip
    table = tables(page(content))["holdout"]
    assert "opening 2: 500 bars" in table.caption
    assert [row[1].text for row in table.rows] == ["10.00%", "n/a", "20.00%", "9", "110,000.00"]


def test_a_runs_validation_has_the_sections_that_need_no_search(
    small_config: Any, store: Store, tmp_path: Path
):
    result = run(small_config, store=store, runs=tmp_path)
    assert result.run_dir is not None
    found = validate_run(
        load_run(result.run_dir),
        runs=tmp_path,
        store=store,
        overrides=["validation.shifts=5", "validation.permutations=2"],
    )
    keep_validation(result.run_dir, validation_json(found), result.created_at)
    sections = validation_sections(readable_validations(result.run_dir)[0][-1].content)
    assert [section.name for section in sections] == ["validation", "chance"]
    document = Document(title="t", subtitle="s", sections=sections)
    checked(document)
    assert {"null-shifts", "null-permutations"} <= set(charts(document))
    assert "has no search" in tables(document)["tests"].note
