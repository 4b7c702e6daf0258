"""``ninefold runs diff``: exactly what was changed is told, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import Store
from experiments import RunConfig, RunRecord, RunResult, config_of, load_run, run, run_difference
from experiments.cli import main
from experiments.config_file import resolved
from experiments.records.difference import Difference, differing_leaves
from experiments.records.terminal import difference_json

OVERRIDES = ("exits.stop_atr=3", "consensus.weights.volume=0.5")


@pytest.fixture(scope="module")
def changed(small_config: RunConfig, store: Store, runs: Path, result: RunResult) -> RunResult:
    """The run of the fixture with two keys overridden and one stated otherwise."""
    tree = {**resolved(small_config), "initial_cash": 50_000.0}
    return run(config_of(tree, OVERRIDES), store=store, runs=runs, overrides=OVERRIDES)


@pytest.fixture(scope="module")
def records(result: RunResult, changed: RunResult) -> tuple[RunRecord, RunRecord]:
    assert result.run_dir is not None
    assert changed.run_dir is not None
    return load_run(result.run_dir), load_run(changed.run_dir)


def test_a_run_does_not_differ_from_itself(records: tuple[RunRecord, RunRecord]):
    found = run_difference(records[0], records[0])
    assert found.is_empty
    assert found.config == found.metrics == found.tables == ()


def test_keys_are_told_with_where_they_came_from(records: tuple[RunRecord, RunRecord]):
    found = run_difference(*records)
    assert not found.is_empty
    told = {
        row.key: (row.first, row.first_from, row.second, row.second_from) for row in found.config
    }
    default = records[0].content["config"]["consensus"]["weights"]["volume"]
    assert told == {
        "initial_cash": (100_000.0, "the default", 50_000.0, "stated"),
        "consensus.weights.volume": (default, "the default", 0.5, "-s"),
        "exits.stop_atr": (2.0, "the default", 3.0, "-s"),
    }


def test_an_override_of_a_section_or_of_an_item_is_one_of_its_keys(
    records: tuple[RunRecord, RunRecord],
):
    def with_overrides(*overrides: str) -> RunRecord:
        content = {**records[1].content, "overrides": list(overrides)}
        return replace(records[1], content=content)

    for override in ("exits={stop_atr: 3}", "exits.stop_atr.0=1"):
        rows = run_difference(records[0], with_overrides(override)).config
        assert {row.key: row.second_from for row in rows}["exits.stop_atr"] == "-s"
    rows = run_difference(records[0], with_overrides("exits.stop=3", "exits_more=1")).config
    assert {row.key: row.second_from for row in rows}["exits.stop_atr"] == "stated"


def test_only_metrics_that_differ_are_told_with_both_values(
    records: tuple[RunRecord, RunRecord],
):
    first, second = (record.content["metrics"] for record in records)
    told = {row.key: (row.first, row.second) for row in run_difference(*records).metrics}
    assert told == {
        name: (first[name], second[name]) for name in first if first[name] != second[name]
    }
    assert "sharpe" in told


def test_tables_whose_bytes_differ_are_named(records: tuple[RunRecord, RunRecord]):
    found = run_difference(*records)
    assert "equity.parquet" in found.tables
    assert "prices.parquet" not in found.tables
    assert found.data == found.code == found.versions == ()


def test_data_code_and_versions_are_told(records: tuple[RunRecord, RunRecord]):
    first = records[0]
    content = {
        **first.content,
        "data_fingerprint": "0" * 64,
        "bars": 7,
        "datasets": [*first.content["datasets"][1:], "ohlcv/a/b/c/1h/d"],
        "code": {"commit": "f" * 40, "dirty": first.content["code"]["dirty"]},
        "versions": {**first.content["versions"], "numpy": "0.1", "TA-Lib": None},
    }
    found = run_difference(first, replace(first, content=content))
    assert [row.key for row in found.data] == ["data_fingerprint", "datasets", "bars"]
    assert [row.key for row in found.code] == ["commit"]
    assert [row.key for row in found.versions] == ["numpy", "TA-Lib"]
    assert found.config == found.metrics == ()


def test_the_table_fits_eighty_columns(
    records: tuple[RunRecord, RunRecord],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "80")
    names = [str(record.run_dir) for record in records]
    assert main(["runs", "diff", *names]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    for words in ("exits.stop_atr", "3.0 (-s)", "50000.0 (stated)", "Sharpe", "equity.parquet"):
        assert words in told
    assert main(["runs", "diff", names[0], names[0]]) == 0
    assert "the two runs are equal" in capsys.readouterr().out


def test_json_is_complete(records: tuple[RunRecord, RunRecord], capsys: pytest.CaptureFixture[str]):
    names = [str(record.run_dir) for record in records]
    assert main(["runs", "diff", *names, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(difference_json(run_difference(*records))))
    assert told["equal"] is False
    assert {row["key"] for row in told["metrics"]} >= {"sharpe", "final_equity"} & set(
        records[0].content["metrics"]
    )


def test_overrides_and_origin_are_shown(
    records: tuple[RunRecord, RunRecord], capsys: pytest.CaptureFixture[str]
):
    assert main(["runs", "show", str(records[1].run_dir)]) == 0
    told = capsys.readouterr().out
    assert all(f"override  -s {override}" in told for override in OVERRIDES)


JSON_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "a", ""])
TREES = st.recursive(
    JSON_LEAVES,
    lambda inner: (
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)


SECTIONS = st.dictionaries(st.sampled_from("xyz"), TREES, max_size=3)


@given(SECTIONS, SECTIONS)
def test_two_trees_differ_exactly_where_their_leaves_do(first: Any, second: Any):
    found = list(differing_leaves(first, second))
    assert bool(found) == (_without_nulls(first) != _without_nulls(second))
    assert list(differing_leaves(first, first)) == []
    assert list(differing_leaves(second, first)) or not found


def _without_nulls(value: Any) -> Any:
    """A mapping that lacks a key and one that has null there are the same record."""
    if isinstance(value, dict):
        kept = {key: _without_nulls(item) for key, item in sorted(value.items())}
        return json.dumps({key: item for key, item in kept.items() if item != "null"})
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return json.dumps([_without_nulls(item) for item in value])
    return json.dumps(value)


def test_a_key_that_only_one_side_has_is_told():
    assert list(differing_leaves({"a": {}}, {"a": {"x": 1}})) == [Difference("a.x", None, 1)]
    assert list(differing_leaves({"a": {"x": 1}}, {"a": {}})) == [Difference("a.x", 1, None)]
    assert list(differing_leaves({"a": None}, {"a": {"x": 1}})) == [Difference("a", None, {"x": 1})]


def test_lists_of_mappings_are_compared_item_by_item():
    first = {"instruments": [{"symbol": "A"}, {"symbol": "B"}]}
    second = {"instruments": [{"symbol": "A"}, {"symbol": "C"}]}
    assert list(differing_leaves(first, second)) == [Difference("instruments.1.symbol", "B", "C")]
