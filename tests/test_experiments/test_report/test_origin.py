"""Which bars a search has seen: from the sweep beside the run, never guessed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from experiments.config_file import trial_hash
from experiments.pages import Chart, Table
from experiments.report.origin import origin_of
from experiments.report.reading import RunReading
from experiments.report.run_page import run_document
from experiments.sweeps.identity import sweep_id
from experiments.validation.keeping import SCHEMA_VERSION, keep_validation
from experiments.verdict import verdict

ROWS = "a" * 64
"""Stands for the fingerprint of the rows that the sweep searched."""


def chosen(
    usual: Any,
    folder: Path,
    *,
    holdout: str | None = None,
    sweep: bool = True,
    held: str | None = ROWS,
    **data: Any,
) -> Any:
    """The usual run as if trial 3 of a sweep, on its own data with ``data`` changed, had been exported.

    ``held`` are the rows that the store had of those that were searched when the run was made.
    """
    plain = usual.content["config"]
    searched = {
        **plain,
        "data": {**plain["data"], **data},
        "sweep": {"holdout_from": holdout},
    }
    name = sweep_id("small", searched, ROWS)
    origin = {"sweep": name, "trial": 3, "trial_hash": trial_hash(plain)}
    if sweep:
        path = folder / "sweeps" / "small" / name / "sweep.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"name": "small", "config": searched, "data_fingerprint": ROWS}))
    content = {
        **usual.content,
        "config": {**plain, "origin": origin},
        "searched_data_fingerprint": held,
    }
    return replace(usual, content=content, run_dir=folder / "run")


def test_without_an_origin_nothing_is_called_out_of_sample(usual: Any) -> None:
    found = origin_of(RunReading(usual))
    assert found.samples == ()
    assert not found.has_both
    assert found.text.startswith("Nothing tells which bars")


def test_the_holdout_is_out_of_sample(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    found = origin_of(RunReading(made))
    assert [(one.start, one.stop, one.is_seen) for one in found.samples] == [
        (0, 480, True),
        (480, 960, False),
    ]
    document = run_document(made)
    table = next(
        one for one in document.blocks() if isinstance(one, Table) and one.name == "samples"
    )
    assert table.columns == ("", "in sample", "out of sample")
    assert table.rows[0] == ("days (UTC)", "2021-01-01 to 2021-01-20", "2021-01-21 to 2021-02-09")
    equity = next(
        one for one in document.blocks() if isinstance(one, Chart) and one.name == "equity"
    )
    (shape,) = equity.layout["shapes"]
    reading = RunReading(made)
    assert shape["x0"] == reading.open_time[480] / 1e6
    assert shape["x1"] == reading.time_ms[-1]
    assert equity.layout["annotations"][0]["text"] == "out of sample"


def test_days_beside_the_sweep_are_out_of_sample(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, start="2021-01-11", end="2021-01-20")
    found = origin_of(RunReading(made))
    assert [(one.start, one.stop, one.is_seen) for one in found.samples] == [
        (0, 240, False),
        (240, 480, True),
        (480, 960, False),
    ]


@pytest.mark.parametrize(
    ("changed", "samples", "told"),
    [
        ({}, 1, "nothing here is out of sample"),
        ({"end": "2020-12-31"}, 1, "every bar here is out of sample"),
        ({"timeframe": "4h"}, 0, "searched on other data"),
        ({"sweep": False}, 0, "is not beside this run"),
    ],
)
def test_what_is_not_known_is_not_claimed(
    usual: Any, tmp_path: Path, changed: dict[str, Any], samples: int, told: str
) -> None:
    found = origin_of(RunReading(chosen(usual, tmp_path, **changed)))
    assert len(found.samples) == samples
    assert not found.has_both
    assert told in found.text


def test_a_broken_sweep_is_as_good_as_none(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path)
    next(tmp_path.glob("sweeps/*/*/sweep.json")).write_text("{")
    assert "is not beside this run" in origin_of(RunReading(made)).text


@pytest.mark.parametrize(
    ("held", "told"),
    [("b" * 64, "The data have changed since the sweep"), (None, "Nothing tells whether the rows")],
)
def test_other_rows_than_the_searched_ones_have_no_sample(
    usual: Any, tmp_path: Path, held: str | None, told: str
) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21", held=held)
    found = origin_of(RunReading(made))
    assert found.samples == ()
    assert found.text.startswith(told)
    document = run_document(made)
    assert "samples" not in {getattr(block, "name", None) for block in document.blocks()}
    equity = next(
        one for one in document.blocks() if isinstance(one, Chart) and one.name == "equity"
    )
    assert not equity.layout.get("shapes")
    assert told in equity.text
    above = [line for text in document.verdict for line in text.paragraphs]
    assert any(line.startswith(f"OTHER DATA: {told}") for line in above) is (held is not None)


def test_a_run_from_before_rows_were_compared_has_no_sample(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    del made.content["searched_data_fingerprint"]
    assert origin_of(RunReading(made)).samples == ()


def test_an_edited_sweep_is_as_good_as_none(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    path = next(tmp_path.glob("sweeps/*/*/sweep.json"))
    path.write_text(path.read_text().replace("2021-01-21", "2021-01-11"))
    found = origin_of(RunReading(made))
    assert found.samples == ()
    assert "is not beside this run" in found.text


def lines_above(made: Any) -> list[str]:
    """What stands between the headline and the numbers."""
    return [line for text in run_document(made).verdict for line in text.paragraphs]


def validated(folder: Path, word: str, trial: int, day: int) -> None:
    """Keep a validation beside the sweep of ``chosen``."""
    (sweep,) = (path.parent for path in folder.glob("sweeps/*/*/sweep.json"))
    empty = dict.fromkeys(("rules", "findings", "shifted_votes", "chosen", "selection"))
    tree = {
        **empty,
        "schema_version": SCHEMA_VERSION,
        "verdict": {"word": word},
        "chosen_trial": trial,
    }
    keep_validation(sweep, tree, datetime(2026, 3, day, 8, 27, tzinfo=UTC))


def test_the_newest_validation_of_the_search_is_told(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path)
    assert any("says how much of it luck explains" in line for line in lines_above(made))
    assert any("no walk-forward" in line for line in lines_above(made))
    validated(tmp_path, "evidence", 3, 1)
    validated(tmp_path, "no evidence", 3, 2)
    (told,) = (line for line in lines_above(made) if line.startswith("CHOSEN: trial 3"))
    assert "was validated at 2026-03-02 08:27 UTC: no evidence. That is about the search" in told
    assert "judged" not in told
    assert lines_above(made)[-1] == (
        "NOT KNOWN YET: whether any of this would repeat on other days."
    )
    validated(tmp_path, "inconclusive", 7, 3)
    (told,) = (line for line in lines_above(made) if line.startswith("CHOSEN: trial 3"))
    assert "UTC: inconclusive." in told
    assert "and judged trial 7" in told


def test_a_validation_of_the_search_is_not_about_another_configuration(
    usual: Any, tmp_path: Path
) -> None:
    made = chosen(usual, tmp_path)
    validated(tmp_path, "evidence", 3, 1)
    other = lines_above(changed(made, initial_cash=5.0))
    assert not any("UTC: evidence" in line for line in other)
    assert any("no walk-forward" in line for line in other)
    (kept,) = tmp_path.glob("sweeps/*/*/validations/*.json")
    kept.write_text("{}")
    unread = lines_above(made)
    assert any("a validation of the sweep found cannot be read" in line for line in unread)
    assert any("says how much of it luck explains" in line for line in unread)


def changed(made: Any, **sections: Any) -> Any:
    """A record whose configuration was edited, or overridden, after the sweep wrote it out."""
    return replace(made, content={**made.content, "config": {**made.content["config"], **sections}})


def test_what_was_changed_afterwards_is_nobody_s_trial(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    config = made.content["config"]
    assert origin_of(RunReading(made)).has_both
    for name, key, value in (
        ("exits", "stop_atr", 1.25),
        ("costs", "taker_fee_bps", 0.0),
        ("data", "timeframe", "4h"),
    ):
        other = changed(made, **{name: {**config[name], key: value}})
        found = origin_of(RunReading(other))
        assert found.samples == ()
        assert "was changed after trial 3 of the sweep" in found.text
        assert any(line.startswith("CHANGED: it was trial 3") for line in verdict(other.content))
    document = run_document(changed(made, initial_cash=5.0))
    assert "samples" not in {getattr(block, "name", None) for block in document.blocks()}


def test_other_days_and_another_name_change_no_choice(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    config = made.content["config"]
    other = changed(
        made,
        name="elsewhere",
        data={**config["data"], "end": "2021-02-09"},
        features={**config["features"], "of_heads": False},
    )
    assert origin_of(RunReading(other)).has_both
    assert any(line.startswith("CHOSEN: trial 3") for line in verdict(other.content))


def test_a_seed_counts_where_the_market_is_drawn_from_it(usual: Any) -> None:
    config = usual.content["config"]
    simulated = config["data"]["simulated"]
    assert simulated is not None
    for of_market, counts in ((None, True), (5, False)):
        tree = {**config, "data": {**config["data"], "simulated": {**simulated, "seed": of_market}}}
        reseeded = {**tree, "seed": tree["seed"] + 1}
        assert (trial_hash(tree) != trial_hash(reseeded)) is counts


def test_an_origin_without_its_hash_is_not_trusted(usual: Any, tmp_path: Path) -> None:
    made = chosen(usual, tmp_path, holdout="2021-01-21")
    unhashed = {**made.content["config"]["origin"]}
    del unhashed["trial_hash"]
    found = origin_of(RunReading(changed(made, origin=unhashed)))
    assert found.samples == ()
    assert "by another version" in found.text
