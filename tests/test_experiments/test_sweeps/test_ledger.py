"""The ledger of a sweep: what is written comes back, and nothing else can be written."""

import hashlib
import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import durable
from engine import ConfigError, ContractError, DataError
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.parts import STAGES, trial_schema, values_json
from tests.test_experiments.test_sweeps.ledger_cases import (
    CONFIG,
    CREATED_AT,
    METRICS,
    OBJECTIVES,
    batch_of,
    filled,
    identity_of,
    made_ledger,
)


def changed(table: pa.Table, column: str, values: list[Any]) -> pa.Table:
    place = table.column_names.index(column)
    return table.set_column(place, column, pa.array(values, table.schema.field(column).type))


def test_the_folder_is_named_by_configuration_and_data(tmp_path: Path):
    text = json.dumps(
        {"data_fingerprint": "f00d", "config": CONFIG}, sort_keys=True, separators=(",", ":")
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    ledger = made_ledger(tmp_path)
    assert ledger.folder == tmp_path / "sweeps" / "ideas" / f"small-{digest[:12]}"
    assert ledger.sweep_id == ledger.folder.name == identity_of().sweep_id
    others = [
        identity_of(data_fingerprint="beef"),
        identity_of({**CONFIG, "seed": 2}),
        identity_of(name="other"),
    ]
    assert len({one.sweep_id for one in (identity_of(), *others)}) == 4
    assert identity_of(overrides=(), config_hash="x").sweep_id == ledger.sweep_id


def test_sweep_json_says_what_was_swept_and_by_what(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    content = json.loads((ledger.folder / "sweep.json").read_text())
    assert content == ledger.sweep
    assert content["created_at"] == "2024-01-31T13:05:00.000000Z"
    assert content["config"] == CONFIG
    assert content["overrides"] == ["seed=1"]
    assert set(content["code"]) == {"commit", "dirty"}
    assert content["versions"]["pyarrow"] == pa.__version__
    assert ledger.metrics == METRICS
    assert list(ledger.objectives.items()) == list(OBJECTIVES.items())


def test_batches_come_back_in_order_and_columns_can_be_chosen(tmp_path: Path):
    ledger = filled(tmp_path, 4, rows=20)
    whole = pa.concat_tables([batch_of(20 * batch, 20, batch) for batch in range(4)])
    again = Ledger.open(ledger.folder)
    assert _same(again.trials(), whole)
    assert again.count == 80
    assert again.trials(["sharpe", "trial"]).column_names == ["sharpe", "trial"]
    assert again.trials(["trial"])["trial"].to_pylist() == list(range(80))
    assert [path.name[:14] for path in again.parts()] == [f"trials-{n:06d}-" for n in range(1, 5)]
    assert again.trials([]).num_columns == 0


def _same(left: pa.Table, right: pa.Table) -> bool:
    """Equal where NaN equals NaN."""
    return left.schema == right.schema and repr(left.to_pylist()) == repr(right.to_pylist())


reals = st.floats(allow_nan=True, allow_infinity=True)
words = st.text(max_size=20)
plain = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words | st.floats(-1e9, 1e9)


@st.composite
def trials(draw: st.DrawFn, first: int, count: int, batch: int) -> list[dict[str, Any]]:
    rows = []
    for trial in range(first, first + count):
        state = draw(st.sampled_from(("complete", "infeasible", "failed")))
        rows.append(
            {
                "trial": trial,
                "batch": batch,
                "stage": draw(st.sampled_from(STAGES)),
                "parent": draw(st.none() | st.integers(0, trial - 1)) if trial else None,
                "state": state,
                "error": draw(words) if state == "failed" else None,
                "values": values_json(draw(st.dictionaries(words, plain, max_size=3))),
                "coordinates": draw(st.lists(st.floats(0, 1), max_size=3)),
                "score": draw(
                    st.lists(st.none() | st.floats(allow_nan=False), min_size=2, max_size=2)
                ),
                "gain": draw(reals),
                "loss": draw(reals),
                "sums": draw(st.lists(reals, min_size=5, max_size=5)),
            }
        )
    return rows


@given(data=st.data(), sizes=st.lists(st.integers(1, 4), max_size=3))
@settings(max_examples=25)
def test_whatever_is_appended_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, sizes: list[int]
):
    ledger = Ledger.create(
        tmp_path_factory.mktemp("runs"),
        identity_of(),
        CREATED_AT,
        metrics=("gain", "loss"),
        objectives={"gain": "maximize", "loss": "minimize"},
    )
    kept: list[dict[str, Any]] = []
    for batch, size in enumerate(sizes):
        rows = data.draw(trials(len(kept), size, batch))
        with ledger.writing():
            ledger.append(pa.Table.from_pylist(rows, schema=ledger.schema))
        kept += rows
    again = Ledger.open(ledger.folder)
    assert repr(again.trials().to_pylist()) == repr(kept)
    for name in ("gain", "loss"):
        wanted = np.array([row[name] for row in kept], dtype=np.float64)
        assert again.trials([name])[name].to_numpy().tobytes() == wanted.tobytes()


def test_equal_batches_give_equal_files(tmp_path: Path):
    left, right = filled(tmp_path / "a", 3), filled(tmp_path / "b", 3)
    for one, other in zip(left.parts(), right.parts(), strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def test_a_part_is_plain_parquet_named_by_its_content(tmp_path: Path):
    ledger = filled(tmp_path, 1)
    (path,) = ledger.parts()
    assert path.stem == f"trials-000001-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    assert pq.read_schema(path).names == [*trial_schema(METRICS).names]


def test_columns_may_come_in_any_order_and_smaller_types(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    table = batch_of(0, 8)
    small = changed(table, "trial", list(range(8))).select(sorted(table.column_names))
    small = small.set_column(
        small.column_names.index("trial"), "trial", small["trial"].cast(pa.int32())
    )
    with ledger.writing():
        ledger.append(small)
    assert _same(ledger.trials(), table)


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("trial", [0, 1, 3, 4], r"trial=3 in row 2, where trial 2 must stand"),
        ("trial", [1, 2, 3, 4], r"trial=1 in row 0, where trial 0 must stand"),
        ("trial", [0, 1, None, 3], "trial"),
        ("batch", [0, 0, 1, 1], r"batch: \[0, 1\] stand in one part"),
        ("stage", ["screen", "x", "screen", "screen"], "stage='x' is none of screen, search"),
        ("state", ["x"] * 4, "state='x' is none of complete, infeasible, failed"),
        ("state", ["complete", "failed"] * 2, "error=None in row 1: must be stated for a failed"),
        ("error", ["e", None, None, None], "error='e' in row 0: must be stated for a failed"),
        ("parent", [4, None, None, None], "parent=4 in row 0: must be another trial"),
        ("parent", [-1, None, None, None], "parent=-1 in row 0"),
        ("parent", [None, 1, None, None], "parent=1 in row 1"),
        ("score", [[1.0, 2.0]] * 3 + [[1.0]], r"score=\[1.0\] in row 3: must have one entry"),
        ("score", [[1.0, float("nan")]] * 4, "score is NaN; it must be null"),
        ("sums", [[1.0] * 5] * 3 + [[1.0] * 4], "in row 3: must have 5 numbers"),
        ("sums", [None] * 4, "sums"),
        ("values", [None] * 4, "values"),
        ("coordinates", [[float("inf")]] * 4, "coordinates must be finite"),
        ("coordinates", [[None]] * 4, "coordinates must be finite"),
        ("sharpe", [1.0, None, 1.0, 1.0], "sharpe"),
    ],
)
def test_rows_that_break_a_rule_are_refused(
    tmp_path: Path, column: str, values: list[Any], told: str
):
    ledger = made_ledger(tmp_path)
    with ledger.writing():
        with pytest.raises(ContractError, match=f"trials: .*{told}"):
            ledger.append(changed(batch_of(0, 4), column, values))
        ledger.append(batch_of(0, 4))
    assert ledger.count == 4


def test_other_columns_are_refused(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    table = batch_of(0, 4)
    with ledger.writing():
        with pytest.raises(ContractError, match="missing: sharpe; unknown: none"):
            ledger.append(table.drop_columns(["sharpe"]))
        with pytest.raises(ContractError, match="missing: none; unknown: other"):
            ledger.append(table.append_column("other", table["sharpe"]))
        with pytest.raises(ContractError, match="there is no row"):
            ledger.append(table.slice(0, 0))
    with pytest.raises(ContractError, match="columns: 'other' is none of trial, batch"):
        ledger.trials(["other"])
    assert ledger.count == 0


def test_nothing_is_appended_outside_the_block(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    with pytest.raises(ContractError, match=r"inside `with ledger.writing\(\)`"):
        ledger.append(batch_of(0, 4))
    with ledger.writing():
        ledger.append(batch_of(0, 4))
        assert ledger.count == 4
    with pytest.raises(ContractError, match=r"inside `with ledger.writing\(\)`"):
        ledger.append(batch_of(4, 4, 1))


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        (("sharpe", "Sharpe"), "'Sharpe' must be lower case"),
        (("a.b",), "'a.b' must be lower case"),
        (("score",), "'score' must be .* not the name of another column"),
        (("sums",), "'sums' must be"),
        (("x", "x"), "name one metric twice"),
    ],
)
def test_metrics_that_make_no_columns_are_refused(
    tmp_path: Path, metrics: tuple[str, ...], told: str
):
    with pytest.raises(ContractError, match=told):
        Ledger.create(
            tmp_path, identity_of(), CREATED_AT, metrics=metrics, objectives={"x": "maximize"}
        )
    assert not list(tmp_path.iterdir())


def test_arguments_that_make_no_ledger_are_refused(tmp_path: Path):
    def create(objectives: dict[str, str], moment: datetime = CREATED_AT, **others: Any) -> None:
        Ledger.create(
            tmp_path, identity_of(**others), moment, metrics=METRICS, objectives=objectives
        )

    with pytest.raises(ConfigError, match="objectives: there is none"):
        create({})
    with pytest.raises(ConfigError, match=r"objectives.sharpe='up' must be maximize or minimize"):
        create({"sharpe": "up"})
    with pytest.raises(ContractError, match="must state its zone"):
        create(OBJECTIVES, CREATED_AT.replace(tzinfo=None))
    with pytest.raises(ConfigError, match=r"family='../x' must begin with a letter or digit"):
        create(OBJECTIVES, family="../x")
    with pytest.raises(ContractError, match="cannot be written as JSON"):
        create(OBJECTIVES, config={"x": float("nan")})
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file; give a folder"):
        made_ledger(tmp_path / "file")


def test_the_same_sweep_is_gone_on_with_and_keeps_its_beginnings(tmp_path: Path):
    first = filled(tmp_path, 2)
    later = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
    again = Ledger.create(
        tmp_path,
        identity_of(overrides=("seed=other",)),
        later,
        metrics=METRICS,
        objectives=OBJECTIVES,
    )
    assert again.sweep == first.sweep
    assert again.count == 16
    assert filled(tmp_path, 3).count == 24


def test_another_configuration_is_told_by_what_differs(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    ledger.check_identity(identity_of())
    other = json.loads(json.dumps(CONFIG))
    other["sweep"]["space"]["consensus.quorum"]["high"] = 4
    other["seed"] = 3
    del other["heads"]
    with pytest.raises(DataError) as caught:
        ledger.check_identity(identity_of(other, data_fingerprint="beef"))
    for told in (
        "holds another sweep",
        'config.heads: {"enabled":["technical","sentiment"]} there, nothing here',
        "config.seed: nothing there, 3 here",
        "config.sweep.space.consensus.quorum.high: 2 there, 4 here",
        'data_fingerprint: "f00d" there, "beef" here',
    ):
        assert told in str(caught.value)
    many = json.loads(json.dumps(CONFIG)) | {f"key{n}": n for n in range(9)}
    with pytest.raises(DataError, match="; and 4 more; go on with the configuration"):
        ledger.check_identity(identity_of(many))


def test_other_metrics_or_objectives_are_another_sweep(tmp_path: Path):
    made_ledger(tmp_path)
    with pytest.raises(DataError, match=r"another version of Ninefold.*max_drawdown"):
        Ledger.create(
            tmp_path, identity_of(), CREATED_AT, metrics=("sharpe",), objectives=OBJECTIVES
        )
    with pytest.raises(DataError, match=r'objectives.max_drawdown: "minimize" there, nothing here'):
        Ledger.create(
            tmp_path, identity_of(), CREATED_AT, metrics=METRICS, objectives={"sharpe": "maximize"}
        )


def test_a_changed_description_is_refused(tmp_path: Path):
    ledger = made_ledger(tmp_path)
    path = ledger.folder / "sweep.json"
    text = path.read_text()
    for change, told in (
        (text.replace('"high": 5.0', '"high": 9.0'), "the file was changed; put it back"),
        (text.replace('"f00d"', '"beef"'), "the file was changed; put it back"),
        (text.replace('"schema_version": 1', '"schema_version": 2'), "schema_version=2, this"),
        (text.replace('"maximize"', '"up"'), "is not the description of a sweep"),
        (text.replace('"config"', '"other"'), "is not the description of a sweep"),
        (text[:-20], "is not the description of a sweep"),
        ("[]", "is not the description of a sweep"),
        ("", "is not the description of a sweep"),
    ):
        path.write_text(change)
        with pytest.raises(DataError, match=rf"sweep.json: .*{told}"):
            made_ledger(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="is not the description of a sweep"):
        Ledger.open(ledger.folder)


def test_parts_without_a_description_are_not_taken_over(tmp_path: Path):
    ledger = filled(tmp_path, 2)
    (ledger.folder / "sweep.json").unlink()
    with pytest.raises(DataError, match=r"sweep.json: is missing, but there are 2 parts"):
        made_ledger(tmp_path)


def test_a_ledger_is_read_wherever_it_lies(tmp_path: Path):
    ledger = filled(tmp_path, 2)
    moved = ledger.folder.rename(tmp_path / "from someone else")
    assert Ledger.open(moved).count == 16


def test_an_identity_does_not_depend_on_the_order_of_keys():
    turned = dict(reversed(list(CONFIG.items())))
    assert identity_of(turned).sweep_id == identity_of().sweep_id
    assert replace(identity_of(), family="x").sweep_id == identity_of().sweep_id


def test_a_thousand_trials_are_appended_in_milliseconds_beside_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ledger = made_ledger(tmp_path)
    tables = [batch_of(1024 * batch, 1024, batch) for batch in range(10)]
    monkeypatch.setattr(durable, "sync", lambda _: None)
    seconds = []
    with ledger.writing():
        for table in tables:
            began = time.process_time()
            ledger.append(table)
            seconds.append(time.process_time() - began)
    assert median(seconds) < 0.05
    began = time.process_time()
    assert ledger.trials().num_rows == 10_240
    assert time.process_time() - began < 1.0
