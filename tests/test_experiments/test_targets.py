from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import Store
from engine import DataError, Panel
from experiments import RunConfig, config_of, load_targets, run
from tests.generators import random_bars

from .conftest import SYMBOLS, small_tree


@pytest.fixture(scope="module")
def panel() -> Panel:
    return Panel.from_bars({name: random_bars(48, seed) for seed, name in enumerate("AB")})


def written(path: Path, rows: list[tuple[object, object, object]]) -> Path:
    pd.DataFrame(rows, columns=["time", "symbol", "target"]).to_csv(path, index=False)
    return path


def test_values_land_on_the_bar_that_closes_then(panel: Panel, tmp_path: Path):
    rows = [
        ("2021-01-01T01:00:00", "A", 1.0),
        ("2021-01-01T01:00:00+00:00", "B", -0.5),
        ("2021-01-01 05:00", "A", 0.0),
        ("2021-01-01T07:00:00+02:00", "B", 0.25),
        ("2020-12-31T00:00:00", "A", 1.0),
    ]
    rows.sort(key=lambda row: (str(row[1]), pd.Timestamp(str(row[0])).tz_localize(None)))
    given = load_targets(written(tmp_path / "t.csv", rows), panel)
    expected = np.zeros((48, 2))
    expected[0] = (1.0, -0.5)
    expected[4, 1] = 0.25
    assert np.argwhere(given.acts).tolist() == [[0, 0], [0, 1], [4, 0], [4, 1]]
    assert (given.target == expected).all()
    assert given.outside == 1


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parquet_and_csv_agree(panel: Panel, tmp_path: Path, unit: str, zone: str | None):
    times = pd.to_datetime(["2021-01-01T02:00", "2021-01-01T03:00"])
    times = times.tz_localize(zone) if zone else times
    column = pa.array(times).cast(pa.timestamp(unit, tz=zone))
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"time": column, "symbol": ["A", "A"], "target": [1, -1]}), path)
    given = load_targets(path, panel)
    assert given.target[:3, 0].tolist() == [0.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("2021-01-01T01:30", "A", 1)], "row 1: time=2021-01-01T01:30"),
        ([("2021-01-01T01:00", "A", 1), ("2021-01-01T01:00", "A", 1)], "row 2: .* repeats"),
        ([("2021-01-01T02:00", "A", 1), ("2021-01-01T01:00", "A", 1)], "row 2: .* is before"),
        ([("2021-01-01T01:00", "C", 1)], "row 1: symbol='C' is not traded"),
        ([("2021-01-01T01:00", "A", 1.5)], r"row 1: target=1.5 must lie in \[-1, 1\]"),
        ([("2021-01-01T01:00", "A", "long")], "row 1: target='long'"),
        ([("2021-01-01T01:00", "A", None)], "row 1: target='nan'"),
        ([("soon", "A", 1)], "row 1: time='soon' is not a moment"),
        ([(1609462800, "A", 1)], "time is a number"),
        ([], "there is no row in it"),
    ],
)
def test_bad_rows_are_named(
    panel: Panel, tmp_path: Path, rows: list[tuple[object, object, object]], told: str
):
    path = written(tmp_path / "t.csv", rows)
    with pytest.raises(DataError, match=told) as caught:
        load_targets(path, panel)
    assert str(caught.value).startswith(str(path))


def truncated(path: Path) -> None:
    pq.write_table(pa.table({"time": [0] * 1000, "symbol": ["A"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("name", "make", "told"),
    [
        ("t.csv", lambda path: None, "there is no such targets file"),
        ("t.txt", lambda path: None, r"a .parquet or a .csv file"),
        ("t.csv", lambda path: path.write_text(""), "cannot be read as a table"),
        ("t.parquet", truncated, "cannot be read as a table"),
        ("t.csv", lambda path: path.write_text("time,symbol\n"), "'target' is missing"),
    ],
)
def test_bad_files_are_named(
    panel: Panel, tmp_path: Path, name: str, make: Callable[[Path], object], told: str
):
    make(tmp_path / name)
    with pytest.raises(DataError, match=told) as caught:
        load_targets(tmp_path / name, panel)
    assert "\n" not in str(caught.value)


def with_targets(path: Path, **execution: object) -> RunConfig:
    return config_of({**small_tree(), "targets": str(path), "execution": execution})


def test_targets_are_replayed_instead_of_the_consensus(store: Store, tmp_path: Path):
    rows = [
        ("2021-01-05T00:00", SYMBOLS[0], 1.0),
        ("2021-01-06T00:00", SYMBOLS[0], -1.0),
        ("2021-01-07T00:00", SYMBOLS[0], 0.0),
    ]
    config = with_targets(written(tmp_path / "t.csv", rows), stop_atr=None)
    made = run(config, store=store, runs=None)
    trades = made.frame("trades")
    assert trades["entry_time"].tolist() == [pd.Timestamp("2021-01-05"), pd.Timestamp("2021-01-06")]
    assert trades["side"].tolist() == [1, -1]
    assert trades["exit_reason"].tolist() == ["reverse", "exit"]
    other = run(
        with_targets(written(tmp_path / "u.csv", rows[:1]), stop_atr=None), store=store, runs=None
    )
    assert other.data.fingerprint != made.data.fingerprint


def test_an_entry_before_the_stop_distance_is_known_is_refused(store: Store, tmp_path: Path):
    path = written(tmp_path / "t.csv", [("2021-01-01T02:00", SYMBOLS[0], 1.0)])
    with pytest.raises(DataError, match="comes before the average true range is known"):
        run(with_targets(path, stop_atr=2.0), store=store, runs=None)
    assert run(with_targets(path, stop_atr=None), store=store, runs=None).n_trades == 1
