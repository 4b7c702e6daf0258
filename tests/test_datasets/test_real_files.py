"""Imports of the real files, against counts taken straight from the files with pandas."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import (
    DatasetKey,
    ImportReport,
    Instrument,
    Store,
    import_files,
    load_bars,
    load_funding,
    load_market,
    sql,
)
from engine import DataError
from tests.test_datasets.sample_files import HOUR_NS, contents, utc_ns

pytestmark = pytest.mark.real
KLINES = "klines/binance_spot_klines12_1h.parquet"
CAPTURE = "klines/binance_spot_and_perp_1h_2019_2022.parquet"
FUNDING = "derivatives/funding_8h_history.parquet"
ARCHIVE = "raw/binance_vision_klines"


@pytest.fixture(scope="module")
def imported(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, dict[str, ImportReport]]:
    store = Store(tmp_path_factory.mktemp("real") / "store")
    reports = import_files(store, [real_data / name for name in (KLINES, CAPTURE, FUNDING)])
    return store, {str(report.key): report for report in reports}


def test_counts_of_the_kline_file(
    real_data: Path, imported: tuple[Store, dict[str, ImportReport]]
) -> None:
    store, reports = imported
    frame = pd.read_parquet(real_data / KLINES)
    on_grid = frame["open_time"].dt.floor("h") == frame["open_time"]
    for symbol in ("BTCUSDC", "BTCUSDT", "ETHUSDT", "SOLUSDT"):
        report = reports[f"ohlcv/binance/spot/{symbol}/1h/klines12"]
        mine = frame["symbol"] == symbol
        assert report.rows == int((mine & on_grid).sum())
        assert len(report.dropped) == int((mine & ~on_grid).sum())
        hours = (
            frame.loc[mine & on_grid, "open_time"].diff().dt.total_seconds().to_numpy()[1:] / 3600
        )
        assert report.missing_rows == int((hours - 1).sum())
        assert report.gaps == int((hours > 1).sum())
        # The rows that came out are the rows that went in.
        table = store.read(report.key)
        assert table["close"].to_pylist() == frame.loc[mine & on_grid, "close"].tolist()
    assert len(reports["ohlcv/binance/spot/BTCUSDT/1h/klines12"].dropped) == 43


def test_outage_of_2018_is_a_gap_and_its_off_grid_bars_are_listed(
    imported: tuple[Store, dict[str, ImportReport]],
) -> None:
    store, reports = imported
    report = reports["ohlcv/binance/spot/BTCUSDT/1h/klines12"]
    assert report.dropped[0] == "row 1317 (2018-02-09 09:28:14.789): off the 1h grid"
    assert any("2020-12-21 14:00" in note and "before it opened" in note for note in report.notes)
    instrument = Instrument("binance", "spot", "BTCUSDT", "klines12")
    bars = load_bars(store, instrument, "1h", utc_ns("2018-01-01"), utc_ns("2024-01-01"))
    assert len(bars) == 6 * 365 * 24 + 24
    assert bars.is_gap.sum() == report.missing_rows
    gap = bars.open_time == utc_ns("2018-02-09 12:00")
    assert bars.is_gap[gap].all()
    assert bars.close[gap] == bars.close[bars.open_time == utc_ns("2018-02-08")]
    assert bars.taker_buy_volume is not None
    assert bars.taker_buy_volume[gap] == 0.0


def test_perp_begins_after_its_listing_price_and_ends_before_its_open_bar(
    imported: tuple[Store, dict[str, ImportReport]],
) -> None:
    store, reports = imported
    report = reports["ohlcv/binance/um_perp/BTCUSDT/1h/spot_and_perp"]
    assert report.first_ns == utc_ns("2019-09-08 19:00")
    assert report.last_ns == utc_ns("2022-11-14 08:00")
    assert len(report.dropped) == 3
    bars = load_bars(store, Instrument("binance", "um_perp", "BTCUSDT"), "1h")
    assert not bars.is_gap.any()
    assert bars.taker_buy_volume is None


def test_two_sources_of_the_same_bars_stay_apart(
    imported: tuple[Store, dict[str, ImportReport]],
) -> None:
    store, _ = imported
    with pytest.raises(DataError, match="klines12, spot_and_perp"):
        load_bars(store, Instrument("binance", "spot", "BTCUSDT"), "1h")
    frame = sql(
        store,
        "SELECT count(*) AS n FROM ohlcv a JOIN ohlcv b USING (venue, market, symbol, step, open_time)"
        " WHERE a.source = 'klines12' AND b.source = 'spot_and_perp' AND symbol = 'BTCUSDT'"
        " AND a.volume <> b.volume",
    )
    assert 0 < frame["n"].item() < 20


def test_funding_lands_on_full_settlements(
    real_data: Path, imported: tuple[Store, dict[str, ImportReport]]
) -> None:
    store, _ = imported
    funding = load_funding(store, Instrument("binance", "um_perp", "BTCUSDT"))
    assert funding is not None
    frame = pd.read_parquet(real_data / FUNDING).query(
        "symbol == 'BTCUSDT' and venue == 'binance_um'"
    )
    assert funding.rate.tolist() == frame["funding_rate"].tolist()
    rounded = frame["funding_time"].dt.round("8h").astype("int64") * 10**6
    assert funding.time_ns.tolist() == rounded.tolist()
    assert (np.diff(funding.time_ns) == 8 * HOUR_NS).all()
    assert set(funding.interval_hours.tolist()) == {8.0}
    assert np.isfinite(funding.mark_price).sum() == frame["mark_price"].notna().sum()


def test_market_of_six_years(imported: tuple[Store, dict[str, ImportReport]]) -> None:
    store, _ = imported
    market = load_market(
        store,
        Instrument("binance", "spot", "BTCUSDT", "klines12"),
        "1h",
        utc_ns("2018-01-01"),
        utc_ns("2024-01-01"),
        series_from=[Instrument("binance", "um_perp", "BTCUSDT")],
    )
    assert len(market.bars) == 52_584
    assert set(market.series) == {"funding"}


def test_importing_everything_again_changes_no_byte(
    real_data: Path, imported: tuple[Store, dict[str, ImportReport]]
) -> None:
    store, _ = imported
    before = contents(store.root)
    reports = import_files(store, [real_data / name for name in (KLINES, CAPTURE, FUNDING)])
    assert {report.added_rows for report in reports} == {0}
    assert contents(store.root) == before
    assert store.verify() == ()


def test_archive_csv_equals_the_tidy_file(
    real_data: Path, imported: tuple[Store, dict[str, ImportReport]]
) -> None:
    store, _ = imported
    path = real_data / ARCHIVE / "BTCUSDT-1h-2018.csv"
    (report,) = import_files(store, [path], market="spot")
    assert len(report.dropped) == 43
    period = (utc_ns("2018-01-01"), utc_ns("2019-01-01"))
    tidy = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "klines12")
    assert store.read(report.key, *period).equals(store.read(tidy, *period))


def test_archive_csv_in_milliseconds_and_microseconds(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    names = ("ETHUSDT-1h-2024-12.csv", "ETHUSDT-1h-2025-01.csv")
    reports = import_files(store, [real_data / ARCHIVE / name for name in names], market="spot")
    assert [report.notes[0] for report in reports] == ["times are in ms", "times are in us"]
    (info,) = store.datasets()
    assert (info.rows, info.missing_rows) == (2 * 744, 0)


def test_every_archive_csv_is_taken(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    paths = sorted(real_data.glob("raw/binance_vision_klines*/*.csv"))
    assert len(paths) == 14
    for path in paths:
        market = None if path.stem.endswith("_um") else "spot"
        (report,) = import_files(store, [path], market=market, source=path.stem)
        with path.open() as file:
            lines = sum(1 for line in file if line[0].isdigit())
        assert report.rows + len(report.dropped) == lines
    assert store.verify() == ()


def test_spreadsheet_victim_is_refused(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    path = real_data / "raw/defects/SOLUSDT-1h-2023-01_excel_mangled.csv"
    with pytest.raises(DataError, match=r"line 2: open_time='1\.67253E\+12' is in scientific"):
        import_files(store, [path], market="um_perp")
    assert store.datasets() == ()


@pytest.mark.parametrize(
    "name",
    [
        "klines/binance_spot_ohlcv_15m.parquet",
        "alt/fear_greed_daily.parquet",
        "raw/cryptodatadownload/Binance_BTCUSDT_1h.csv",
        "raw/binance_rest_csv/DOGEUSDT_1h.csv",
        "raw/freqtrade_feather/BTC_USDT_USDT-1h-futures.feather",
        "raw/binance_ws_l2_stream/spot_btcusdt_20240808.gz",
    ],
)
def test_other_files_are_refused_with_a_reason(real_data: Path, tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(DataError, match=r"known|missing") as caught:
        import_files(store, [real_data / name])
    assert str(real_data / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.datasets() == ()
