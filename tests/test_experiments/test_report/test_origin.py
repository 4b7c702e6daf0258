"""Which bars a search has seen: from the sweep beside the run, never guessed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.pages import Chart, Table
from experiments.report.origin import origin_of
from experiments.report.reading import RunReading
from experiments.report.run_page import run_document

SWEEP = "small-0123456789ab"


def chosen(
    usual: Any, folder: Path, *, holdout: str | None = None, sweep: bool = True, **data: Any
) -> Any:
    """The usual run as if trial 3 of a sweep, on its own data with ``data`` changed, had been exported."""
    config = {**usual.content["config"], "origin": {"sweep": SWEEP, "trial": 3}}
    if sweep:
        path = folder / "sweeps" / "small" / SWEEP / "sweep.json"
        path.parent.mkdir(parents=True)
        searched = {
            **config,
            "data": {**config["data"], **data},
            "sweep": {"holdout_from": holdout},
        }
        path.write_text(json.dumps({"config": searched}))
    return replace(usual, content={**usual.content, "config": config}, run_dir=folder / "run")


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
