"""Importing files into a store: what the frame promises whatever the format."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets import (
    ImportReport,
    Instrument,
    Store,
    import_files,
    load_bars,
    load_funding,
)
from datasets.findings import Finding
from engine import ConfigError, DataError
from tests.test_datasets.importers.tidy_samples import SAMPLES, TIMES
from tests.test_datasets.sample_files import (
    HOUR_MS,
    HOUR_NS,
    START_MS,
    START_NS,
    contents,
    funding_history,
    kline_cells,
    klines12,
    refused,
    spot_and_perp,
    write_csv,
    write_parquet,
)

Columns = dict[str, list[Any]]
KLINES_NAME = "binance_spot_klines12_1h.parquet"
CAPTURE_NAME = "binance_spot_and_perp_1h.parquet"


def set_cell(column: str, row: int, value: object) -> Callable[[Columns], None]:
    def edit(columns: Columns) -> None:
        columns[column][row] = value

    return edit


def repeat_bar(row: int) -> Callable[[Columns], None]:
    """The row gets the times of the row before it, and keeps its own prices."""

    def edit(columns: Columns) -> None:
        for name in ("open_time", "close_time"):
            columns[name][row] = columns[name][row - 1]

    return edit


def found(report: ImportReport, defect: str) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.defect == defect]
    return finding


def test_klines12_splits_symbols_and_names_the_market_after_the_file(
    store: Store, tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / KLINES_NAME, klines12(("ETHUSDT", "BTCUSDT"), rows=30))
    reports = import_files(store, [path])
    assert [str(report.key) for report in reports] == [
        "ohlcv/binance/spot/BTCUSDT/1h/klines12",
        "ohlcv/binance/spot/ETHUSDT/1h/klines12",
    ]
    assert {
        (r.rows, r.added_rows, r.gaps, r.missing_rows, r.findings, r.conflicts) for r in reports
    } == {(30, 30, 0, 0, (), ())}
    assert (reports[0].first_ns, reports[0].last_ns) == (START_NS, START_NS + 29 * HOUR_NS)
    table = store.read(reports[1].key)
    raw = klines12(("ETHUSDT",), rows=30)
    assert table["taker_buy_volume"].to_pylist() == raw["taker_buy_base"].to_pylist()
    assert table["trades"].to_pylist() == raw["trades"].to_pylist()
    (info, _) = store.datasets()
    assert info.provenance[0]["file"] == KLINES_NAME
    assert len(info.provenance[0]["sha256"]) == 64


def test_importing_again_changes_no_byte(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30))
    import_files(store, [path])
    before = contents(store.root)
    (report,) = import_files(store, [path])
    assert (report.rows, report.added_rows) == (30, 0)
    assert contents(store.root) == before


def test_klines_without_a_venue_or_market_are_refused(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "klines.parquet", klines12(rows=30).drop_columns("close_time"))
    assert "give --venue" in refused(store, path)
    assert "give --market" in refused(store, path, venue="binance")
    (report,) = import_files(store, [path], market="linear_perp", venue="elsewhere", source="mine")
    assert str(report.key) == "ohlcv/elsewhere/linear_perp/BTCUSDT/1h/mine"


def test_off_grid_bars_are_dropped_listed_and_become_gaps(store: Store, tmp_path: Path) -> None:
    late = 28 * 60_000 + 14_789

    def after_outage(columns: Columns) -> None:
        for row in (200, 201):
            columns["open_time"][row] += late
            columns["close_time"][row] += late

    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=300, edit=after_outage))
    (report,) = import_files(store, [path])
    assert report.rows == 298
    assert (report.gaps, report.missing_rows) == (1, 2)
    (finding,) = report.findings
    assert (finding.defect, finding.action, finding.count) == ("off_grid", "dropped", 2)
    assert finding.lines == (
        "row 200 (2021-01-09 08:28:14.789)",
        "row 201 (2021-01-09 09:28:14.789)",
    )
    (info,) = store.datasets()
    assert info.provenance[0]["findings"] == [finding.to_json()]
    bars = load_bars(store, Instrument("binance", "spot", "BTCUSDT"), "1h")
    assert bars.is_gap.nonzero()[0].tolist() == [200, 201]


def test_a_file_mostly_off_grid_is_refused(store: Store, tmp_path: Path) -> None:
    def shifted(columns: Columns) -> None:
        for row in range(290, 300):
            columns["open_time"][row] += 1000

    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=300, edit=shifted))
    message = refused(store, path)
    assert "row 290: 2021-01-13 02:00:01 is off the 1h grid" in message
    assert "10 of 300" in message


@pytest.mark.parametrize(
    ("close_ms", "defect"), [(30 * 60_000, "early_close_time"), (-600_000, "close_before_open")]
)
def test_bars_cut_short_by_an_outage_are_kept_and_noted(
    store: Store, tmp_path: Path, close_ms: int, defect: str
) -> None:
    edit = set_cell("close_time", 7, START_MS + 7 * HOUR_MS + close_ms)
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30, edit=edit))
    (report,) = import_files(store, [path])
    assert report.rows == 30
    (finding,) = report.findings
    assert (finding.defect, finding.action) == (defect, "kept")
    assert finding.lines == ("row 7 (2021-01-01 07:00)",)


def test_bars_that_close_after_their_end_are_refused(store: Store, tmp_path: Path) -> None:
    edit = set_cell("close_time", 7, START_MS + 9 * HOUR_MS)
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30, edit=edit))
    assert "row 7: close_time=2021-01-01 09:00 lies after" in refused(store, path)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_cell("close", 4, -5.0), "row 4: close=-5.0"),
        (set_cell("low", 4, 0.0), "row 4: low=0.0"),
        (set_cell("low", 4, 1e9), "row 4: high="),
        (set_cell("volume", 4, -1.0), "row 4: volume=-1.0"),
        (set_cell("open", 4, None), "row 4: open is empty"),
        (set_cell("open", 4, float("nan")), "row 4: open=nan"),
        (repeat_bar(4), "row 4: .* stands twice .* row 3"),
        (set_cell("open_time", 4, START_MS + HOUR_MS // 2), "row 4: .* is off the 1h grid"),
        (
            set_cell("taker_buy_base", 4, 1e9),
            "row 4: taker_buy_volume=1000000000.0 .* more than volume",
        ),
        (set_cell("symbol", 4, None), "row 4: symbol is empty"),
        (lambda c: c.pop("close"), "looks like klines12, but column 'close' is missing"),
        (lambda c: c.update(extra=c["open"]), "column 'extra' is unknown"),
        (lambda c: c.update(open=[str(v) for v in c["open"]]), "column open has type string"),
        (lambda c: c.update(trades=[v + 0.5 for v in c["trades"]]), "trades must hold whole"),
        (lambda c: [column.clear() for column in c.values()], "no rows|has type null"),
        (lambda c: [c.pop(n) for n in list(c) if n not in ("symbol", "open")], "no known layout"),
    ],
)
def test_broken_tables_are_refused_with_the_row(
    store: Store, tmp_path: Path, edit: Callable[[Columns], None], message: str
) -> None:
    import_files(store, [write_parquet(tmp_path / KLINES_NAME, klines12(rows=30))])
    path = write_parquet(tmp_path / "binance_spot_bad.parquet", klines12(rows=30, edit=edit))
    assert re.search(message, refused(store, path))


def test_the_bad_row_of_the_second_symbol_keeps_its_place_in_the_file(
    store: Store, tmp_path: Path
) -> None:
    edit = set_cell("high", 41, 0.5)
    path = write_parquet(tmp_path / KLINES_NAME, klines12(("A", "B"), rows=30, edit=edit))
    assert "row 41: high=0.5" in refused(store, path)


@pytest.mark.parametrize("keep", [0, 3, 400, -9])
def test_truncated_parquet_is_refused(store: Store, tmp_path: Path, keep: int) -> None:
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30))
    path.write_bytes(path.read_bytes()[:keep])
    message = refused(store, path)
    assert "the file is empty" in message if keep == 0 else "truncated" in message


def test_contradicting_file_is_refused_unless_it_is_another_source(
    store: Store, tmp_path: Path
) -> None:
    import_files(store, [write_parquet(tmp_path / KLINES_NAME, klines12(rows=30))])
    table = klines12(rows=30, edit=set_cell("volume", 9, 4321.0))
    path = write_parquet(tmp_path / "binance_spot_later.parquet", table)
    message = refused(store, path)
    assert "row 2021-01-01 09:00: volume is " in message
    assert "4321.0 in the new data" in message
    import_files(store, [path], source="corrected")
    assert [info.key.source for info in store.datasets()] == ["corrected", "klines12"]


def test_overlapping_files_merge(store: Store, tmp_path: Path) -> None:
    whole = klines12(rows=300)
    first = write_parquet(tmp_path / "binance_spot_a.parquet", whole.slice(0, 200))
    second = write_parquet(tmp_path / "binance_spot_b.parquet", whole.slice(150, 150))
    reports = import_files(store, [second, first])
    assert [(r.rows, r.added_rows) for r in reports] == [(150, 150), (200, 150)]
    (info,) = store.datasets()
    assert (info.rows, info.missing_rows) == (300, 0)
    assert [entry["file"] for entry in info.provenance] == [second.name, first.name]


def test_spot_and_perp_drop_the_open_bar_and_the_listing_price(
    store: Store, tmp_path: Path
) -> None:
    def listing(columns: Columns) -> None:
        for row in (300, 301):
            for name in ("open", "high", "low", "close"):
                columns[name][row] = 10_000.0
            for name in ("volume", "quote_volume", "trades"):
                columns[name][row] = 0
        columns["open_time"] = [time + HOUR_MS for time in columns["open_time"]]

    path = write_parquet(tmp_path / CAPTURE_NAME, spot_and_perp(rows=300, edit=listing))
    perp, spot = import_files(store, [path])
    assert (str(perp.key), str(spot.key)) == (
        "ohlcv/binance/um_perp/BTCUSDT/1h/spot_and_perp",
        "ohlcv/binance/spot/BTCUSDT/1h/spot_and_perp",
    )
    assert (spot.rows, perp.rows) == (299, 297)
    assert found(spot, "incomplete_last_bar").lines == ("row 299 (2021-01-13 12:00)",)
    assert found(perp, "incomplete_last_bar").lines == ("row 599 (2021-01-13 12:00)",)
    assert [line[:7] for line in found(perp, "flat_start").lines] == ["row 300", "row 301"]
    assert load_bars(store, Instrument("binance", "spot", "BTCUSDT"), "1h").taker_buy_volume is None


def test_one_flat_first_bar_is_trading(store: Store, tmp_path: Path) -> None:
    def flat(columns: Columns) -> None:
        for name in ("open", "high", "low", "close"):
            columns[name][0] = 77.0

    (report,) = import_files(
        store, [write_parquet(tmp_path / KLINES_NAME, klines12(rows=30, edit=flat))]
    )
    assert report.rows == 30


def test_series_of_a_file_can_be_chosen(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / CAPTURE_NAME, spot_and_perp(rows=30))
    (report,) = import_files(store, [path], market="um_perp")
    assert report.key.market == "um_perp"
    assert "'cm_perp' is not in this file" in refused(store, path, market="cm_perp")
    assert "no rows for XRPUSDT" in refused(store, path, symbol="XRPUSDT")
    assert "not kind=funding" in refused(store, path, kind="funding")
    strange = spot_and_perp(rows=30, edit=set_cell("market", 0, "margin"))
    path = write_parquet(tmp_path / "binance_strange.parquet", strange)
    assert "market='margin' is unknown" in refused(store, path)


def test_timeframe_must_agree_with_the_rows(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30).drop_columns("close_time"))
    assert "3600 s apart, the step is said to be 15m" in refused(store, path, timeframe="15m")

    def odd(columns: Columns) -> None:
        columns["open_time"] = [START_MS + 7_000 * row for row in range(30)]

    path = write_parquet(tmp_path / "binance_spot_odd.parquet", klines12(rows=30, edit=odd))
    assert "7 s apart, which is no bar step" in refused(store, path)


def test_funding_moves_late_stamps_to_their_settlement(store: Store, tmp_path: Path) -> None:
    def late(columns: Columns) -> None:
        columns["funding_time"][3] += 47
        columns["funding_time"][5] += 1000

    path = write_parquet(tmp_path / "funding.parquet", funding_history(rows=30, edit=late))
    binance, bybit = import_files(store, [path])
    assert (str(binance.key), str(bybit.key)) == (
        "funding/binance/um_perp/BTCUSDT/8h/funding_history",
        "funding/bybit/linear_perp/BTCUSDT/8h/funding_history",
    )
    late_stamps = found(binance, "late_stamp")
    assert (late_stamps.action, late_stamps.count) == ("moved", 2)
    assert "up to 1000 ms late" in late_stamps.message
    assert [finding.defect for finding in bybit.findings] == []
    rows = load_funding(store, Instrument("binance", "um_perp", "BTCUSDT"))
    assert rows is not None
    assert rows.time_ns.tolist() == [START_NS + 8 * HOUR_NS * row for row in range(30)]
    assert set(rows.interval_hours.tolist()) == {8.0}
    marks = store.read(bybit.key)["mark_price"].to_pylist()
    assert marks == [100.0 + row for row in range(30)]
    assert store.read(binance.key)["mark_price"].null_count == 30


def test_funding_far_from_any_settlement(store: Store, tmp_path: Path) -> None:
    edit = set_cell("funding_time", 150, START_MS + 8 * 150 * HOUR_MS + 2001)
    path = write_parquet(tmp_path / "funding.parquet", funding_history(rows=300, edit=edit))
    binance, _ = import_files(store, [path])
    assert binance.rows == 299
    dropped = found(binance, "late_stamp")
    assert (dropped.action, dropped.count) == ("dropped", 1)
    assert dropped.lines == ("row 150 (2021-02-20 00:00:02.001)",)


def test_two_stamps_of_one_settlement_are_refused(store: Store, tmp_path: Path) -> None:
    edit = set_cell("funding_time", 6, START_MS + 8 * 5 * HOUR_MS + 12)
    path = write_parquet(tmp_path / "funding.parquet", funding_history(rows=30, edit=edit))
    assert "row 6: 2021-01-02 16:00 stands twice with different values" in refused(store, path)


def test_funding_of_an_unknown_venue(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "f.parquet", funding_history(edit=set_cell("venue", 0, "okx")))
    assert "row 0: venue='okx' is unknown" in refused(store, path)
    path = write_parquet(tmp_path / "g.parquet", funding_history())
    assert [r.key.venue for r in import_files(store, [path], venue="bybit")] == ["bybit"]
    assert "nothing in it is from venue=okx" in refused(store, path, venue="okx")


def test_files_before_a_bad_one_stay_and_are_reported(store: Store, tmp_path: Path) -> None:
    good = write_csv(tmp_path / "BTCUSDT-1h-2021_um.csv", kline_cells(30))
    broken = kline_cells(30)
    broken[3][1] = "-1"
    bad = write_csv(tmp_path / "ETHUSDT-1h-2021_um.csv", broken)
    seen: list[ImportReport] = []
    with pytest.raises(DataError, match=r"ETHUSDT-1h-2021_um\.csv line 4"):
        import_files(store, [good, bad], on_file=seen.extend)
    assert [report.path for report in seen] == [good]
    assert [info.key.symbol for info in store.datasets()] == ["BTCUSDT"]
    assert store.verify() == ()


def test_paths_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    assert "no such file" in refused(store, tmp_path / "absent.csv")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "is a folder" in refused(store, folder)
    with pytest.raises(DataError, match="'bars' is unknown"):
        import_files(store, [], kind="bars")


def test_words_that_are_none_are_refused_before_a_file_is_read(store: Store) -> None:
    absent = Path("absent.csv")
    with pytest.raises(DataError, match="market='margin' is unknown"):
        import_files(store, [absent], market="margin")
    with pytest.raises(ConfigError, match="7x"):
        import_files(store, [absent], timeframe="7x")


def test_a_format_can_be_named(store: Store, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / KLINES_NAME, klines12(rows=30))
    (report,) = import_files(store, [path], format_name="klines12")
    assert report.format == "klines12"
    with pytest.raises(ConfigError, match="format='klines13' is unknown; did you mean klines12"):
        import_files(store, [path], format_name="klines13")
    assert "looks like ohlcv_bars, but column" in refused(store, path, format_name="ohlcv_bars")


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"coinalyze_funding"}))
def test_every_layout_is_stored_and_stays_the_same_on_a_second_import(
    store: Store, tmp_path: Path, name: str
) -> None:
    sample = SAMPLES[name]
    path = sample.write(tmp_path)
    asked = {"venue": sample.request.venue, "market": sample.request.market}
    reports = import_files(store, [path], **asked)
    assert {report.format for report in reports} == {name}
    for report in reports:
        assert len(store.read(report.key)) == report.rows == report.added_rows > 0
    before = contents(store.root)
    assert {report.added_rows for report in import_files(store, [path], **asked)} == {0}
    assert contents(store.root) == before
    assert store.verify() == ()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_refused_layout_leaves_the_store_as_it_was(
    store: Store, tmp_path: Path, name: str
) -> None:
    sample = SAMPLES[name]
    time = next(column for column in sample.rows[-1] if column in TIMES)
    path = sample.write(tmp_path, [*sample.rows[:-1], {**sample.rows[-1], time: -1}])
    refused(store, path, venue=sample.request.venue, market=sample.request.market)
