"""Appending, compacting, removing, exporting, quality reports, and reading less than everything."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import KINDS, DatasetKey, Store, Write
from datasets.manifest import manifest_at
from datasets.store.parts import ROW_GROUP_ROWS, parquet_bytes
from engine import ConfigError, DataError
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
TRADES_KEY = DatasetKey("trades", "binance", "um_perp", "BTCUSDT", "event", "test")


def periods(store: Store, key: DatasetKey = BARS_KEY) -> list[tuple[str, int]]:
    return [(part.period, part.rows) for part in store.dataset(key).parts]


def trades(*stamps_ns: int) -> pa.Table:
    return pa.table(
        {
            "event_time": pa.array(stamps_ns, pa.int64()),
            "trade_id": list(range(len(stamps_ns))),
            "price": [100.0] * len(stamps_ns),
            "quantity": [1.0] * len(stamps_ns),
            "is_buyer_maker": [row % 2 == 0 for row in range(len(stamps_ns))],
        }
    )


def test_an_append_adds_parts_and_touches_no_stored_one(store: Store) -> None:
    table = bar_table(24, start_ns=NEW_YEAR)
    store.write(BARS_KEY, table.slice(0, 8), provenance={"file": "a"})
    before = contents(store.root)
    result = store.append(BARS_KEY, table.slice(8, 10), provenance={"file": "a"})
    assert (result.added_rows, result.rows, result.parts_written) == (10, 18, 2)
    assert periods(store) == [("2021", 8), ("2021", 4), ("2022", 6)]
    after = contents(store.root)
    assert all(after[path] == data for path, data in before.items() if path.endswith(".parquet"))
    assert store.verify() == ()


def test_an_append_that_overlaps_rewrites_only_the_parts_that_it_shares_times_with(
    store: Store,
) -> None:
    table = bar_table(30)
    for first in (0, 10, 20):
        store.append(BARS_KEY, table.slice(first, 6), provenance={})
    first, _, last = store.dataset(BARS_KEY).parts
    result = store.append(BARS_KEY, table.slice(8, 10), provenance={})
    parts = store.dataset(BARS_KEY).parts
    assert (result.parts_written, result.added_rows) == (1, 4)
    assert [part.rows for part in parts] == [6, 10, 6]
    assert (parts[0], parts[2]) == (first, last)
    assert store.leftovers() == ()


def test_an_append_before_the_stored_rows_and_between_them_stays_in_order(store: Store) -> None:
    table = bar_table(30)
    for first in (20, 0, 10):
        store.append(BARS_KEY, table.slice(first, 5), provenance={})
    assert store.read(BARS_KEY)["close"].to_pylist() == [
        price for first in (0, 10, 20) for price in table["close"].slice(first, 5).to_pylist()
    ]
    assert [gap.missing_rows for gap in store.dataset(BARS_KEY).gaps] == [5, 5]


def test_a_write_joins_the_parts_of_the_periods_that_it_changes(store: Store) -> None:
    table = bar_table(24, start_ns=NEW_YEAR)
    for first in range(0, 20, 4):
        store.append(BARS_KEY, table.slice(first, 4), provenance={})
    assert not store.write(BARS_KEY, table.slice(2, 9), provenance={}).changed
    store.write(BARS_KEY, table.slice(18, 6), provenance={})
    assert periods(store) == [("2021", 4), ("2021", 4), ("2021", 4), ("2022", 12)]


def test_a_compacted_data_set_has_the_bytes_of_one_write(store: Store, tmp_path: Path) -> None:
    table = bar_table(24, start_ns=NEW_YEAR)
    for first in range(0, 24, 3):
        store.append(BARS_KEY, table.slice(first, 3), provenance={"file": "a"})
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    results = store.compact()
    assert [(result.key.kind, result.changed, result.added_rows) for result in results] == [
        ("funding", False, 0),
        ("ohlcv", True, 0),
    ]
    once = Store(tmp_path / "once")
    once.write(BARS_KEY, table, provenance={"file": "a"})
    once.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    assert contents(store.root) == contents(once.root)
    assert once.manifest_bytes(BARS_KEY) == store.manifest_bytes(BARS_KEY)
    with pytest.raises(DataError, match="no data set trades"):
        store.compact([TRADES_KEY])


def test_chunks_and_offsets_of_the_written_table_leave_no_trace(tmp_path: Path) -> None:
    table = bar_table(40)
    pieces = pa.concat_tables([bar_table(60).slice(0, 0), table.slice(0, 7), table.slice(7)])
    for name, rows in (("a", table), ("b", pieces), ("c", pa.concat_tables([table]).slice(0))):
        Store(tmp_path / name).write(BARS_KEY, rows, provenance={})
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")


def test_many_words_in_many_chunks_have_the_bytes_of_one_chunk() -> None:
    kind, rows = KINDS["unlocks"], ROW_GROUP_ROWS
    table = pa.table(
        {
            **dict.fromkeys(("event_time", "available_at", "unlock_time"), np.arange(rows)),
            "category": [f"category {row * 7919 % rows}" for row in range(rows)],
            **dict.fromkeys(("tokens", "fraction_of_supply"), np.ones(rows)),
        }
    ).cast(kind.schema)
    chunks = pa.concat_tables([table.slice(first, 777) for first in range(0, rows, 777)])
    assert parquet_bytes(kind, chunks).equals(parquet_bytes(kind, table))


def test_fingerprints_of_words_see_every_row_and_no_file(tmp_path: Path) -> None:
    key = DatasetKey("liquidations", "binance", "um_perp", "BTCUSDT", "event", "test")

    def table(*sides: str) -> pa.Table:
        rows = len(sides)
        stamps = pa.array([START_NS + row * 31 * 24 * HOUR_NS for row in range(rows)])
        return pa.table(
            {
                "event_time": stamps,
                "sequence": [0] * rows,
                "side": list(sides),
                "price": [1.0] * rows,
                "quantity": [1.0] * rows,
            }
        )

    prints = []
    for name, sides in (("a", "bss"), ("b", "bsb"), ("c", "sbb")):
        store = Store(tmp_path / name)
        rows = table(*({"b": "buy", "s": "sell"}[side] for side in sides))
        for row in range(3):
            store.append(key, rows.slice(row, 1), provenance={})
        whole = Store(tmp_path / f"{name}-whole")
        whole.write(key, rows, provenance={})
        prints.append(store.fingerprint([key], None, None))
        assert prints[-1] == whole.fingerprint([key], None, None)
    assert len(set(prints)) == 3


def test_a_fingerprint_sees_when_a_row_was_known(tmp_path: Path) -> None:
    prints = set()
    for late in (1, 2):
        store = Store(tmp_path / str(late))
        known = pa.array([START_NS + late * HOUR_NS])
        rows = funding_table([START_NS], [1e-4]).append_column("available_at", known)
        store.write(FUNDING_KEY, rows, provenance={})
        prints.add(store.fingerprint([FUNDING_KEY], None, None))
    assert len(prints) == 2


def test_parts_of_events_are_months(store: Store) -> None:
    stamps = [utc_ns("2024-02-29 23:59"), utc_ns("2024-03-01 00:00"), utc_ns("2024-03-01 00:00")]
    store.write(TRADES_KEY, trades(*stamps), provenance={})
    assert periods(store, TRADES_KEY) == [("2024-02", 1), ("2024-03", 2)]
    assert store.dataset(TRADES_KEY).gaps == ()
    # A further trade of the last millisecond goes into the part of that millisecond.
    further = trades(*stamps, stamps[-1]).slice(3)
    assert store.append(TRADES_KEY, further, provenance={}).added_rows == 1
    assert periods(store, TRADES_KEY) == [("2024-02", 1), ("2024-03", 3)]
    assert store.verify() == ()


def test_one_data_set_stands_once_in_a_write(store: Store) -> None:
    with pytest.raises(DataError, match="stands twice in one write"):
        store.write_all([Write(BARS_KEY, bar_table(5), {}), Write(BARS_KEY, bar_table(5), {})])
    assert store.keys() == ()


def test_provenance_that_json_cannot_hold_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="the provenance must consist of JSON values"):
        store.write(BARS_KEY, bar_table(5), provenance={"path": Path("a")})
    assert store.keys() == ()


def test_a_removed_data_set_is_gone_and_others_are_not(store: Store) -> None:
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    before = contents(store.root)
    store.write(BARS_KEY, bar_table(5), provenance={})
    store.remove(BARS_KEY)
    assert contents(store.root) == before
    assert store.keys() == (FUNDING_KEY,)
    for act in (store.remove, store.read, store.dataset, store.manifest_bytes):
        with pytest.raises(DataError, match=f"no data set {BARS_KEY}; `ninefold data ls`"):
            act(BARS_KEY)
    store.write(BARS_KEY, bar_table(5), provenance={})
    assert len(store.read(BARS_KEY)) == 5


def test_a_quality_report_stays_until_rows_change(store: Store) -> None:
    table = bar_table(9)
    store.write(BARS_KEY, table.slice(0, 5), provenance={"file": "a"})
    checked = store.dataset(BARS_KEY)
    store.record_quality(BARS_KEY, {"gaps": (1, 2)}, sha256=checked.sha256)
    assert store.dataset(BARS_KEY).quality == {"gaps": [1, 2]}
    stamp = (store.root / BARS_KEY.manifest).stat().st_mtime_ns
    store.record_quality(BARS_KEY, {"gaps": [1, 2]})
    assert (store.root / BARS_KEY.manifest).stat().st_mtime_ns == stamp
    store.write(BARS_KEY, table.slice(0, 5), provenance={"file": "b"})
    store.compact()
    assert store.dataset(BARS_KEY).quality == {"gaps": [1, 2]}
    store.append(BARS_KEY, table, provenance={"file": "b"})
    assert store.dataset(BARS_KEY).quality is None
    with pytest.raises(DataError, match="changed while they were checked"):
        store.record_quality(BARS_KEY, {}, sha256=checked.sha256)
    with pytest.raises(ConfigError, match="the quality must consist of JSON values"):
        store.record_quality(BARS_KEY, {"share": float("nan")})
    with pytest.raises(DataError, match="no data set funding"):
        store.record_quality(FUNDING_KEY, {})
    assert not (store.root / "_manifest" / "funding").exists()


def test_exports_hold_the_rows_of_the_period(store: Store, tmp_path: Path) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), provenance={})
    start, end = NEW_YEAR + 3 * HOUR_NS, NEW_YEAR + 15 * HOUR_NS
    rows = store.read(BARS_KEY, start, end)
    assert store.export(BARS_KEY, tmp_path / "a.parquet", start_ns=start, end_ns=end) == 12
    assert pq.read_table(tmp_path / "a.parquet").equals(rows)
    for _ in range(2):
        store.export(BARS_KEY, tmp_path / "a.CSV", start_ns=start, end_ns=end)
    frame = pd.read_csv(tmp_path / "a.CSV", parse_dates=["open_time", "available_at"])
    assert frame.columns.tolist() == rows.column_names
    assert frame["open_time"].tolist() == rows["open_time"].to_pylist()
    for name in rows.column_names[2:]:
        assert frame[name].tolist() == rows[name].to_pylist()
    known = store.export(BARS_KEY, tmp_path / "b.csv", as_of_ns=NEW_YEAR + 4 * HOUR_NS)
    assert known == 4
    with pytest.raises(ConfigError, match=r"must end in \.csv or \.parquet"):
        store.export(BARS_KEY, tmp_path / "a.feather")
    with pytest.raises(DataError, match="cannot be written"):
        store.export(BARS_KEY, tmp_path / "a.CSV" / "b.csv")
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["a.CSV", "a.parquet", "b.csv"]


def test_columns_come_with_what_identifies_a_row(store: Store) -> None:
    store.write(TRADES_KEY, trades(START_NS, START_NS + 1000), provenance={})
    table = store.read(TRADES_KEY, columns=["quantity"])
    assert table.column_names == ["event_time", "available_at", "trade_id", "quantity"]
    assert table.equals(store.read(TRADES_KEY).select(table.column_names))
    nothing = store.read(TRADES_KEY, START_NS + HOUR_NS, columns=["quantity"])
    assert nothing.schema.equals(table.schema)
    assert len(nothing) == 0
    with pytest.raises(DataError, match="'spread' is unknown to kind trades"):
        store.read(TRADES_KEY, columns=["spread"])


@pytest.mark.parametrize("columns", [None, ["rate"]])
def test_a_range_of_a_part_of_several_row_groups(store: Store, columns: list[str] | None) -> None:
    rows, step_ns = 2 * ROW_GROUP_ROWS + 1000, 60_000_000_000
    key = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "1m", "test")
    stamps = START_NS + step_ns * np.arange(rows)
    table = pa.table({"event_time": stamps, "rate": np.arange(rows) / rows})
    store.write(key, table, provenance={})
    edges = [0, 1, ROW_GROUP_ROWS - 1, ROW_GROUP_ROWS, ROW_GROUP_ROWS + 1, rows - 1, rows]
    for first in edges:
        for last in edges:
            got = store.read(
                key, START_NS + step_ns * first, START_NS + step_ns * last, columns=columns
            )
            expected = table["rate"].slice(first, max(0, last - first))
            assert got["rate"].to_pylist() == expected.to_pylist()


def test_times_are_small_on_disk(store: Store) -> None:
    store.write(BARS_KEY, bar_table(8000), provenance={})
    (path,) = store.part_paths(store.dataset(BARS_KEY))
    group = pq.read_metadata(path).row_group(0)
    for column in range(2):
        assert "DELTA_BINARY_PACKED" in group.column(column).encodings
        assert group.column(column).total_compressed_size < 2000
    assert pq.read_metadata(path).row_group(0).sorting_columns[0].column_index == 0


def test_reader_follows_a_part_that_is_superseded_under_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(BARS_KEY, bar_table(9).slice(0, 5), provenance={})
    stale = manifest_at(store.root, BARS_KEY)
    store.write(BARS_KEY, bar_table(9), provenance={})
    answers = iter([stale])
    monkeypatch.setattr(
        "datasets.store.reading.manifest_at",
        lambda root, key: next(answers, None) or manifest_at(root, key),
    )
    assert len(store.read(BARS_KEY)) == 9
    answers = iter([None, stale])
    assert store.verify() == ()


def test_a_part_that_is_gone_for_good_is_an_error_and_no_endless_search(store: Store) -> None:
    store.write(BARS_KEY, bar_table(9), provenance={})
    (path,) = store.part_paths(store.dataset(BARS_KEY))
    path.unlink()
    with pytest.raises(DataError, match="the manifest names this part but it is gone"):
        store.read(BARS_KEY)


def test_verify_sees_parts_that_overlap(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    table = bar_table(12)
    store.append(BARS_KEY, table.slice(0, 6), provenance={})
    store.append(BARS_KEY, table.slice(6), provenance={})
    manifest = manifest_at(store.root, BARS_KEY)
    assert manifest is not None
    swapped = replace(manifest, parts=manifest.parts[::-1])
    (store.root / BARS_KEY.manifest).write_bytes(swapped.to_json())
    (problem,) = store.verify()
    assert "begins before 2021-01-01 11:00, where another part ends" in problem.message


def test_verify_sees_rows_that_break_a_rule(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("datasets.store.plan.check_rows", lambda *_: None)
        low = pa.array([-1.0] * 5)
        index = bar_table(5).column_names.index("low")
        store.write(BARS_KEY, bar_table(5).set_column(index, "low", low), provenance={})
    (problem,) = store.verify()
    assert "low=-1.0" in problem.message


def test_the_manifest_is_json_with_the_documented_members(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={"file": "a"})
    document = json.loads(store.manifest_bytes(BARS_KEY))
    assert set(document) == {"key", "parts", "provenance", "sha256", "version"}
    (part,) = document["parts"]
    assert (document["version"], part["period"], part["rows"]) == (2, "2021", 5)


def test_equal_rows_have_equal_parquet_bytes_whatever_lies_under_empty_cells(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    table = store.read(BARS_KEY)
    index = table.column_names.index("trades")
    mask = np.array([True, False, True, False, True])
    hidden = [pa.array(np.array([number, 2, number, 4, number]), mask=mask) for number in (0, 999)]
    kind = KINDS["ohlcv"]
    one, other = (
        parquet_bytes(kind, table.set_column(index, table.schema.field(index), column))
        for column in hidden
    )
    assert one.equals(other)
