import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DatasetKey, Store, Write
from engine import DataError
from tests.test_datasets.sample_files import (
    BARS_KEY,
    FUNDING_KEY,
    HOUR_NS,
    START_NS,
    bar_table,
    contents,
    funding_table,
    utc_ns,
)

NEW_YEAR = utc_ns("2021-12-31 12:00")


def part_files(store: Store) -> list[Path]:
    return sorted(store.root.rglob("part-*.parquet"))


def changed(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    index = table.column_names.index(column)
    return table.set_column(index, column, pa.array(values, table[column].type))


def test_rows_come_back_as_written(store: Store) -> None:
    table = bar_table(50, without=(7, 8))
    result = store.write(BARS_KEY, table, provenance={"file": "a"})
    assert (result.added_rows, result.rows, result.parts_written, result.changed) == (
        48,
        48,
        1,
        True,
    )
    back = store.read(BARS_KEY)
    for name in table.column_names[1:]:
        assert back[name].to_pylist() == table[name].to_pylist()
    stamps = [
        int(t.timestamp()) * 10**9
        for t in back["open_time"].cast(pa.timestamp("us", "UTC")).to_pylist()
    ]
    assert stamps == table["open_time"].to_pylist()
    (info,) = store.datasets()
    assert (info.key, info.rows, info.missing_rows) == (BARS_KEY, 48, 2)
    assert [(gap.after_ns, gap.before_ns) for gap in info.gaps] == [
        (START_NS + 6 * HOUR_NS, START_NS + 9 * HOUR_NS)
    ]
    assert info.provenance == ({"file": "a"},)
    assert store.verify() == ()


def test_parts_are_sorted_compressed_and_carry_statistics(store: Store) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={})
    (path,) = part_files(store)
    assert path.parent.relative_to(store.root) == Path(
        "ohlcv/venue=binance/market=spot/symbol=BTCUSDT/step=1h/source=test"
    )
    metadata = pq.read_metadata(path)
    column = metadata.row_group(0).column(0)
    assert column.compression == "LZ4"
    assert column.statistics.min.isoformat() == "2021-01-01T00:00:00"
    assert metadata.row_group(0).sorting_columns[0].column_index == 0
    assert pq.read_schema(path).field("open_time").type == pa.timestamp("us")


def test_one_part_per_year_and_gap_between_parts(store: Store) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR, without=(11, 12, 13)), provenance={})
    (info,) = store.datasets()
    assert [part.period for part in info.parts] == ["2021", "2022"]
    assert [gap.missing_rows for gap in info.gaps] == [3]


def test_same_write_twice_changes_no_byte(store: Store) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={"file": "a"})
    before = contents(store.root)
    stamps = {
        path: path.stat().st_mtime_ns for path in store.root.rglob("*") if path.suffix != ".lock"
    }
    result = store.write(BARS_KEY, bar_table(50), provenance={"file": "a"})
    assert (result.added_rows, result.parts_written, result.changed) == (0, 0, False)
    assert contents(store.root) == before
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


def test_provenance_is_compared_as_it_is_kept(store: Store) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={"dropped": ("row 1",), "seed": 7})
    assert not store.write(
        BARS_KEY, bar_table(50), provenance={"seed": 7, "dropped": ["row 1"]}
    ).changed
    assert store.datasets()[0].provenance == ({"dropped": ["row 1"], "seed": 7},)


def test_keys_are_the_names_of_the_data_sets(store: Store) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={})
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    assert store.keys() == tuple(info.key for info in store.datasets()) == (FUNDING_KEY, BARS_KEY)


def test_two_stores_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Store(tmp_path / name).write(BARS_KEY, bar_table(50), provenance={"file": "a"})
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_overlapping_slices_in_any_order_equal_one_write(data: st.DataObject) -> None:
    rows = 60
    missing = tuple(data.draw(st.sets(st.integers(1, rows - 2), max_size=8)))
    table = bar_table(rows, start_ns=NEW_YEAR - 20 * HOUR_NS, without=missing)
    count = len(table)
    cuts = data.draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(1, count)), max_size=5)
    )
    slices = [(a, b) for a, b in cuts if a < b] + [(0, count // 3), (count // 4, count)]
    order = data.draw(st.permutations(slices))
    with tempfile.TemporaryDirectory() as folder:
        once, pieces = Store(Path(folder, "once")), Store(Path(folder, "pieces"))
        once.write(BARS_KEY, table, provenance={"file": "a"})
        for a, b in order:
            pieces.write(BARS_KEY, table.slice(a, b - a), provenance={"file": "a"})
        period = (START_NS, NEW_YEAR + 9 * HOUR_NS)
        assert pieces.fingerprint([BARS_KEY], *period) == once.fingerprint([BARS_KEY], *period)
        assert pieces.datasets() == once.datasets()
        assert pieces.verify() == ()
        assert contents(pieces.root) == contents(once.root)


def test_fingerprint_sees_values_period_and_key(tmp_path: Path) -> None:
    prints = set()
    other = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")
    end = START_NS + 50 * HOUR_NS
    for number, (key, table, stop) in enumerate(
        (
            (BARS_KEY, bar_table(50), end),
            (BARS_KEY, bar_table(50, seed=1), end),
            (BARS_KEY, changed(bar_table(50), "taker_buy_quote", 3, None), end),
            (BARS_KEY, changed(bar_table(50), "taker_buy_quote", 3, 0.0), end),
            (BARS_KEY, bar_table(50), end - HOUR_NS),
            (other, bar_table(50), end),
        )
    ):
        store = Store(tmp_path / str(number))
        store.write(key, table, provenance={})
        prints.add(store.fingerprint([key], START_NS, stop))
    assert len(prints) == 6


def test_contradiction_names_row_and_both_values_and_changes_nothing(store: Store) -> None:
    table = bar_table(50)
    store.write(BARS_KEY, table, provenance={})
    before = contents(store.root)
    stored = table["close"][9].as_py()
    high = table["high"][9].as_py()
    new = changed(table, "close", 9, high)
    with pytest.raises(DataError, match="2021-01-01 09:00") as caught:
        store.write(BARS_KEY, new, provenance={})
    assert f"close is {stored!r} in the store and {high!r} in the new data" in str(caught.value)
    assert "--source" in str(caught.value)
    assert contents(store.root) == before
    elsewhere = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "other")
    store.write(elsewhere, new, provenance={})
    assert len(store.datasets()) == 2


def test_empty_cell_contradicts_a_value(store: Store) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={})
    with pytest.raises(DataError, match="trades is"):
        store.write(BARS_KEY, changed(bar_table(50), "trades", 9, None), provenance={})


def test_negative_zero_is_zero(store: Store) -> None:
    stamps = [START_NS, START_NS + 8 * HOUR_NS]
    store.write(FUNDING_KEY, funding_table(stamps, [-0.0, 1e-4]), provenance={})
    assert not store.write(FUNDING_KEY, funding_table(stamps, [0.0, 1e-4]), provenance={}).changed
    assert not np.signbit(store.read(FUNDING_KEY)["rate"][0].as_py())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (bar_table(5).drop_columns("close"), "column 'close' is missing"),
        (bar_table(5).append_column("spread", pa.array([1.0] * 5)), "'spread' is unknown"),
        (bar_table(0), "no rows"),
        (bar_table(5).take([0, 2, 1, 3]), "row 2: open_time=2021-01-01 01:00 is unsorted"),
        (bar_table(5).take([0, 1, 1, 3]), "row 2: .* duplicate of .* row 1"),
        (bar_table(5, start_ns=START_NS + 60_000_000_000), "off the 1h grid"),
        (changed(bar_table(5), "low", 3, -1.0), r"row 3: low=-1.0 .* greater than 0"),
        (changed(bar_table(5), "low", 3, 0.0), r"row 3: low=0.0 .* greater than 0"),
        (changed(bar_table(5), "volume", 3, -2.0), r"row 3: volume=-2.0 .* below 0"),
        (changed(bar_table(5), "open", 2, None), "row 2: open is empty"),
        (changed(bar_table(5), "open", 2, float("nan")), "row 2: open=nan .* finite"),
        (changed(bar_table(5), "high", 2, float("inf")), "row 2: high=inf .* finite"),
        (changed(bar_table(5), "low", 2, 1e6), "row 2: high=.* is below low=1000000.0"),
        (changed(bar_table(5), "close", 2, 1e6), "row 2: close=1000000.0 .* outside"),
        (bar_table(5).set_column(1, "open", pa.array(["a"] * 5)), "column open has type string"),
        (
            bar_table(5).set_column(7, "trades", pa.array([1.5] * 5)),
            "trades must hold whole numbers",
        ),
        (bar_table(5).set_column(0, "open_time", pa.array([1.0] * 5)), "is not a time"),
    ],
)
def test_rows_that_break_a_rule_are_refused(store: Store, table: pa.Table, message: str) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={})
    before = contents(store.root)
    with pytest.raises(DataError, match=message):
        store.write(BARS_KEY, table, provenance={"file": "bad"})
    assert contents(store.root) == before


def test_one_bad_data_set_stops_all_of_a_write(store: Store) -> None:
    other = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")
    writes = [Write(BARS_KEY, bar_table(5), {}), Write(other, bar_table(5).take([1, 0]), {})]
    with pytest.raises(DataError, match="ETHUSDT"):
        store.write_all(writes)
    assert contents(store.root) == {}


def test_read_takes_start_and_leaves_end(store: Store) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), provenance={})
    table = store.read(BARS_KEY, NEW_YEAR + 3 * HOUR_NS, NEW_YEAR + 15 * HOUR_NS)
    assert len(table) == 12
    assert len(store.read(BARS_KEY, NEW_YEAR + 99 * HOUR_NS, None)) == 0
    with pytest.raises(DataError, match="no data set funding"):
        store.read(FUNDING_KEY)


def test_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no store here"):
        Store(tmp_path / "absent", create=False)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="this is a file"):
        Store(tmp_path / "file")
    fresh = Store(tmp_path / "new")
    assert fresh.datasets() == ()
    assert fresh.verify() == ()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_every_time_unit_means_the_same(store: Store, unit: str, zone: str | None) -> None:
    table = bar_table(5)
    per_unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    stamps = pa.array(np.asarray(table["open_time"]) // per_unit).cast(pa.timestamp(unit, zone))
    store.write(BARS_KEY, table, provenance={})
    assert not store.write(
        BARS_KEY, table.set_column(0, "open_time", stamps), provenance={}
    ).changed


def test_other_zones_are_refused(store: Store) -> None:
    stamps = bar_table(5)["open_time"].cast(pa.timestamp("ns", "Europe/Berlin"))
    with pytest.raises(DataError, match="UTC"):
        store.write(BARS_KEY, bar_table(5).set_column(0, "open_time", stamps), provenance={})
