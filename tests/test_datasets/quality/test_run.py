"""Checking files and stores: what is kept in the manifest, and what a refused file still tells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets import DatasetKey, Finding, Store
from datasets.importers.files import open_source
from datasets.importers.report import Request
from datasets.importers.rows import SourceRows, source_rows, taken_bars
from datasets.quality import (
    GROUP_CHECKS,
    SERIES_CHECKS,
    CheckedSeries,
    DatasetQuality,
    Period,
    check_files,
    check_series,
    check_store,
    recorded_quality,
    run,
)
from engine import DataError
from tests.test_datasets.quality.planting import (
    checked,
    clean_bars,
    key_of,
    series_of,
    without_rows,
)


def filled(root: Path, missing: dict[str, set[int]]) -> Store:
    store = Store(root / "store")
    for symbol, rows in missing.items():
        key = key_of(symbol)
        table = series_of(without_rows(clean_bars(), rows), key).table
        store.write(key, table, provenance={"file": f"{symbol}.csv"})
    return store


def test_every_check_says_what_it_may_find() -> None:
    names = [check.name for check in (*SERIES_CHECKS, *GROUP_CHECKS)]
    assert len(set(names)) == len(names)
    assert all(check.defects for check in (*SERIES_CHECKS, *GROUP_CHECKS))


def test_the_result_is_kept_in_the_manifest_and_comes_back_equal(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50}, "BBBUSDT": {50}, "CCCUSDT": {50, 90}})
    report = check_store(store)
    assert [one.gaps_by_cause() for one in report.datasets] == [
        {"outage": 1}, {"outage": 1}, {"outage": 1, "download_hole": 1},
    ]  # fmt: skip
    for dataset in report.datasets:
        assert recorded_quality(store, dataset.key) == dataset
        assert DatasetQuality.from_json(dataset.to_json()) == dataset
    assert not store.verify()


def test_checking_again_changes_no_byte_and_new_rows_drop_the_result(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50, 239}})
    key = key_of("AAAUSDT")
    check_store(store)
    before = store.manifest_bytes(key)
    check_store(store)
    assert store.manifest_bytes(key) == before
    store.write(key, series_of(clean_bars(), key).table, provenance={"file": "again.csv"})
    assert recorded_quality(store, key) is None


def test_nothing_is_written_where_that_is_not_wanted(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50}})
    before = store.manifest_bytes(key_of("AAAUSDT"))
    check_store(store, record=False)
    assert store.manifest_bytes(key_of("AAAUSDT")) == before


def test_data_sets_that_were_not_chosen_are_still_witnesses(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50}, "BBBUSDT": {50}, "CCCUSDT": {50, 90}})
    seen: list[DatasetKey] = []
    report = check_store(store, [key_of("AAAUSDT")], on_dataset=seen.append)
    (dataset,) = report.datasets
    assert seen == [key_of("AAAUSDT")]
    assert [(gap.cause, gap.witnesses) for gap in dataset.gaps] == [("outage", 2)]


def test_what_the_importer_found_is_remembered(tmp_path: Path) -> None:
    finding = Finding(
        defect="unstated_unit", action="kept", subject="BTC", count=3, message="no unit"
    )
    store = Store(tmp_path / "store")
    key = key_of()
    store.write(
        key, series_of(clean_bars(), key).table, provenance={"findings": [finding.to_json()]}
    )
    assert check_store(store).findings == (finding,)


def test_a_defect_that_the_importer_kept_is_told_once() -> None:
    series = series_of(clean_bars() | {"volume": [0.0, *[1.0] * 239]})
    told = Finding(
        defect="zero_volume_run", action="kept", subject="BTC", count=1, message="in line 1"
    )
    again = CheckedSeries(series.key, series.table, (told,))
    assert checked(again).findings == (told,)


def test_what_is_true_beyond_the_rows_of_a_file_is_told_besides() -> None:
    """The finding of one file says nothing about rows that another file has brought."""
    series = series_of(clean_bars() | {"volume": [0.0, *[1.0] * 238, 0.0]})
    first, last = int(series.time_ns[0]), int(series.time_ns[-1])

    def counts(*spans: tuple[int, int]) -> list[int]:
        told = [
            Finding(
                defect="zero_volume_run", action="kept", subject="BTC", count=1, message="of a file",
                first_ns=begin, last_ns=end,
            )
            for begin, end in spans
        ]  # fmt: skip
        report = checked(CheckedSeries(series.key, series.table, tuple(told)))
        return [finding.count for finding in report.findings]

    assert counts((first, first)) == [1, 2]
    assert counts((first, first), (last, last)) == [1, 1]


def test_what_the_importer_cured_does_not_hide_what_is_left() -> None:
    series = series_of(clean_bars() | {"volume": [0.0, *[1.0] * 239]})
    told = Finding(
        defect="zero_volume_run", action="dropped", subject="BTC", count=2, message="dropped"
    )
    assert checked(CheckedSeries(series.key, series.table, (told,))).defects() == {
        "zero_volume_run": 3
    }


def test_a_series_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="has no rows"):
        CheckedSeries(key_of(), series_of(clean_bars()).table.slice(0, 0))


def read_as(columns: dict[str, list[float]], path: Path) -> tuple[object, list[SourceRows]]:
    """Stands for an importer that found these columns in ``path``."""
    arrays = {name: pa.array(values) for name, values in columns.items()}
    places = np.arange(len(columns["open_time"]))
    rows = source_rows(path, "test", key_of(), arrays, places, "row")
    return open_source(path), [taken_bars(rows)]


def test_files_that_continue_one_series_are_checked_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = clean_bars()
    parts = {}
    for name, gone in (("a", range(100, 240)), ("b", range(90)), ("c", range(200))):
        path = tmp_path / name
        path.write_text(name)
        parts[path] = without_rows(columns, gone)
    monkeypatch.setattr(run, "read_file", lambda path, *_: read_as(parts[path], path))
    report = check_files(list(parts))
    (dataset,) = report.datasets
    assert dataset.gaps == ()
    # Rows 90 to 99 stand in two files, and 200 to 239 too.
    assert report.defects()["duplicate"] == 50


def test_a_refused_file_is_named_and_what_could_be_read_of_it_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = clean_bars()
    columns["open"][0] = columns["high"][0] = 376.0
    for name, values in columns.items():
        values.insert(51, values[50] * 2 if name == "volume" else values[50])
    path = tmp_path / "two.csv"
    path.write_text("x")
    monkeypatch.setattr(run, "read_file", lambda path, *_: read_as(columns, path))
    report = check_files([path], Request())
    (refusal,) = report.refusals
    assert (refusal.path, refusal.defect) == (path, "contradiction")
    assert report.defects() == {"contradiction": 2, "price_spike": 1}


def test_a_file_that_cannot_be_read_at_all_is_only_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(b"\x00\x01noise")
    report = check_files([path])
    assert report.datasets == ()
    assert report.defects() == {"unreadable": 1}


def test_the_json_of_a_report_is_the_same_for_the_same_data() -> None:
    series = [series_of(clean_bars(), key_of(symbol)) for symbol in ("B", "A")]
    assert checked(*series).to_json() == checked(*reversed(series)).to_json()
    assert check_series([], lambda _: series[0]).defects() == {}


def test_findings_outside_the_period_are_neither_listed_nor_counted() -> None:
    columns = clean_bars() | {
        "volume": [0.0 if row in (20, 100, 101) else 1.0 for row in range(240)]
    }
    series = series_of(columns)
    told = Finding(
        defect="late_stamp", action="moved", subject="BTC", count=7, message="early",
        first_ns=int(series.time_ns[3]), last_ns=int(series.time_ns[9]),
    )  # fmt: skip
    series = CheckedSeries(series.key, series.table, (told,))
    times = series.time_ns

    def defects(first: int, end: int) -> dict[str, int]:
        return checked(series, period=Period(int(times[first]), int(times[end]))).defects()

    assert defects(0, 239) == {"late_stamp": 7, "zero_volume_run": 3}
    assert defects(50, 101) == {"zero_volume_run": 1}
    assert defects(10, 99) == {"zero_volume_run": 1}
    assert defects(21, 99) == {}


def test_sources_are_compared_within_the_period() -> None:
    columns = clean_bars()
    other = {name: list(values) for name, values in columns.items()}
    for row in (10, 150):
        other["volume"][row] *= 2
    pair = [series_of(columns), series_of(other, key_of(source="other"))]
    times = pair[0].time_ns
    assert checked(*pair).defects() == {"source_disagreement": 2}
    period = Period(int(times[100]), int(times[200]))
    assert checked(*pair, period=period).defects() == {"source_disagreement": 1}


def test_simulated_markets_of_two_seeds_are_not_witnesses_of_one() -> None:
    columns = clean_bars()
    other = {name: list(values) for name, values in columns.items()}
    other["volume"][10] *= 2
    for venue, told in (("binance", {"source_disagreement": 1}), ("simulated", {})):
        keys = [replace(key_of(source=source), venue=venue) for source in ("seed1", "seed2")]
        pair = [series_of(one, key) for one, key in zip((columns, other), keys, strict=True)]
        assert checked(*pair).defects() == told


def test_a_check_of_a_period_is_not_kept_in_the_manifest(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50}})
    check_store(store)
    before = store.manifest_bytes(key_of("AAAUSDT"))
    check_store(store, period=Period(1_577_750_400_000_000_000))
    assert store.manifest_bytes(key_of("AAAUSDT")) == before


def test_a_source_that_was_not_chosen_has_no_rows_where_it_fills(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50, 51}, "BBBUSDT": set()})
    columns = clean_bars()
    for row in (50, 51):
        columns["volume"][row] = 0.0
        for name in ("open", "high", "low", "close"):
            columns[name][row] = 100.0
    for key in (key_of("AAAUSDT", source="other"), key_of("BBBUSDT")):
        store.write(
            key, series_of(columns, key).table, provenance={"file": "f"}, on_conflict="replace"
        )
    (dataset,) = check_store(store, [key_of("AAAUSDT")]).datasets
    assert dataset.gaps_by_cause() == {"outage": 1}


def test_a_file_that_needs_an_option_or_is_absent_hides_no_other(tmp_path: Path) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(b"\x00\x01noise")
    bars = tmp_path / "bars.csv"
    bars.write_text("time,open,high,low,close,volume\n2024-01-01 00:00:00,1,1,1,1,1\n")
    absent = tmp_path / "absent.csv"
    report = check_files([absent, bars, noise])
    assert [one.path for one in report.refusals] == [absent, bars, noise]
    assert [one.defect for one in report.refusals][::2] == [None, "unreadable"]
    assert "no such file" in report.refusals[0].message
    assert report.defects()["unreadable"] >= 1


def test_what_another_version_recorded_counts_as_not_recorded(tmp_path: Path) -> None:
    store = filled(tmp_path, {"AAAUSDT": {50}})
    key = key_of("AAAUSDT")
    store.record_quality(key, {"version": 1}, sha256=store.dataset(key).sha256)
    assert recorded_quality(store, key) is None
