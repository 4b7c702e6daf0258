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
from experiments.decisions import average_true_ranges
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


def full(path: Path, rows: list[dict[str, object]]) -> Path:
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def row(hour: int, target: float = 1.0, **more: object) -> dict[str, object]:
    return {"time": f"2021-01-01T{hour:02}:00", "symbol": "A", "target": target, **more}


def test_orders_and_styles_land_beside_their_targets(panel: Panel, tmp_path: Path):
    rows = [
        row(1, order_kind="limit", order_price=99.5, style="target"),
        row(2, 0.5, order_kind="stop", order_price=101, style="add"),
        row(3, 0.0, style="exit_long"),
        row(4, -1.0),
    ]
    given = load_targets(full(tmp_path / "t.csv", rows), panel)
    assert given.order_kind is not None
    assert given.order_price is not None
    assert given.style is not None
    assert given.order_kind[:5, 0].tolist() == [1, 2, 0, 0, 0]
    assert given.style[:5, 0].tolist() == [0, 1, 2, 0, 0]
    np.testing.assert_array_equal(given.order_price[:4, 0], [99.5, 101.0, np.nan, np.nan])
    assert given.acts[:5, 0].tolist() == [True] * 4 + [False]
    decisions = given.decisions(np.full(panel.open.shape, 0.01))
    assert decisions.style is given.style
    pq.write_table(pa.Table.from_pandas(pd.read_csv(tmp_path / "t.csv")), tmp_path / "t.parquet")
    again = load_targets(tmp_path / "t.parquet", panel)
    np.testing.assert_array_equal(again.order_price, given.order_price)
    np.testing.assert_array_equal(again.style, given.style)


def test_a_file_without_orders_states_none(panel: Panel, tmp_path: Path):
    given = load_targets(full(tmp_path / "t.csv", [row(1, note="why")]), panel)
    assert (given.style, given.order_kind, given.order_price) == (None, None, None)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [row(1), row(2, order_kind="iceberg")],
            "row 2: order_kind='iceberg' must be one of market",
        ),
        ([row(1, style="exit")], "row 1: style='exit' must be one of target, add"),
        ([row(1, order_kind="limit")], "row 1: order_price=nan must be finite and positive"),
        (
            [row(1, order_kind="stop", order_price=-1)],
            "row 1: order_price=-1.0 must be finite and positive with order_kind stop",
        ),
        ([row(1, order_price=5)], "row 1: order_price=5.0 needs order_kind limit or stop"),
        (
            [row(1, order_kind="limit", order_price="cheap")],
            "row 1: order_price='cheap' must be a positive number",
        ),
        ([row(1, order_kind="limit", order_price="inf")], "row 1: order_price='inf'"),
        ([row(1, style="exit_short")], "row 1: target=1.0 must be 0 with style exit_short"),
        (
            [row(1, oder_price=3)],
            "the column 'oder_price' means nothing here; did you mean 'order_p",
        ),
    ],
)
def test_bad_orders_are_named(
    panel: Panel, tmp_path: Path, rows: list[dict[str, object]], told: str
):
    path = full(tmp_path / "t.csv", rows)
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
        ("t.csv", lambda path: path.write_text(""), "is empty; targets need the columns"),
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


def with_targets(path: Path, **exits: object) -> RunConfig:
    return config_of({**small_tree(), "targets": str(path), "exits": exits})


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
    made = run(with_targets(path, stop_atr=None), store=store, runs=None)
    assert made.n_trades == 1
    votes = made.frame("votes").query(f"symbol == '{SYMBOLS[0]}'")
    entered = votes.set_index("time").loc["2021-01-01T02:00"]
    assert entered["decision_acts"]
    assert np.isnan(entered["decision_atr_frac"])
    np.testing.assert_array_equal(
        votes["decision_atr_frac"], average_true_ranges(made.config, made.data)[:, 0]
    )
