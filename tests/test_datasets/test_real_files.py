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


def dropped(report: ImportReport, defect: str | None = None) -> int:
    """Rows of a file that were not taken, for one reason or for any."""
    return sum(
        finding.count
        for finding in report.findings
        if finding.action == "dropped" and defect in (None, finding.defect)
    )


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
        assert dropped(report, "off_grid") == int((mine & ~on_grid).sum())
        hours = (
            frame.loc[mine & on_grid, "open_time"].diff().dt.total_seconds().to_numpy()[1:] / 3600
        )
        assert report.missing_rows == int((hours - 1).sum())
        assert report.gaps == int((hours > 1).sum())
        # The rows that came out are the rows that went in.
        table = store.read(report.key)
        assert table["close"].to_pylist() == frame.loc[mine & on_grid, "close"].tolist()
    assert dropped(reports["ohlcv/binance/spot/BTCUSDT/1h/klines12"], "off_grid") == 43


def test_outage_of_2018_is_a_gap_and_its_off_grid_bars_are_listed(
    imported: tuple[Store, dict[str, ImportReport]],
) -> None:
    store, reports = imported
    report = reports["ohlcv/binance/spot/BTCUSDT/1h/klines12"]
    lines = {finding.defect: finding.lines for finding in report.findings}
    assert lines["off_grid"][0] == "row 1317 (2018-02-09 09:28:14.789)"
    assert any("2020-12-21 14:00" in line for line in lines["close_before_open"])
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
    assert (dropped(report, "flat_start"), dropped(report, "incomplete_last_bar")) == (2, 1)
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
    assert dropped(report, "off_grid") == 43
    period = (utc_ns("2018-01-01"), utc_ns("2019-01-01"))
    tidy = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "klines12")
    assert store.read(report.key, *period).equals(store.read(tidy, *period))


def test_archive_csv_in_milliseconds_and_microseconds(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    names = ("ETHUSDT-1h-2024-12.csv", "ETHUSDT-1h-2025-01.csv")
    reports = import_files(store, [real_data / ARCHIVE / name for name in names], market="spot")
    assert [report.findings for report in reports] == [(), ()]
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
        assert report.rows + dropped(report) == lines
    assert store.verify() == ()


def test_spreadsheet_victim_is_refused(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    path = real_data / "raw/defects/SOLUSDT-1h-2023-01_excel_mangled.csv"
    with pytest.raises(DataError, match=r"line 2: open_time='1\.67253E\+12' is in scientific"):
        import_files(store, [path], market="um_perp")
    assert store.datasets() == ()


def test_a_universe_keeps_the_last_bars_of_delisted_coins(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "klines/binance_spot_ohlcv_1h_universe.parquet"
    frame = pd.read_parquet(path, columns=["symbol", "open_time"])
    ends = frame.groupby("symbol")["open_time"].max()
    live = ends > ends.max() - pd.Timedelta(days=1)
    reports = import_files(Store(tmp_path / "store"), [path])
    assert len(reports) == len(ends) == 39
    for report in reports:
        last = ends[report.key.symbol] - pd.Timedelta(hours=int(live[report.key.symbol]))
        assert report.last_ns == last.value, report.key
        assert dropped(report) == int(live[report.key.symbol])
    assert int((~live).sum()) == 10


def test_dated_futures_end_on_their_day_of_expiry(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "derivatives/binance_um_btc_quarterly_1d.parquet"
    frame = pd.read_parquet(path)
    late = frame["open_time"] > frame["expiry"]
    assert int(late.sum()) == 48
    assert frame.loc[late, "volume"].sum() == 0.0
    store = Store(tmp_path / "store")
    reports = import_files(store, [path])
    assert sum(dropped(report, "after_expiry") for report in reports) == 48
    for report in reports:
        rows = store.read(report.key)
        expiry = pd.Timestamp(rows["expiry"][0].as_py())
        assert expiry.hour == 8
        assert pd.Timestamp(rows["open_time"][-1].as_py()) <= expiry
        assert min(rows["volume"].to_pylist()) > 0.0


def test_liquidations_of_several_captures_stand_once(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "derivatives/binance_force_orders.parquet"
    frame = pd.read_parquet(path)
    orders = frame.drop(columns=["capture", "usd_notional", "avg_price"]).drop_duplicates()
    orders = orders[~orders["coin"].str.contains(" ")]
    store = Store(tmp_path / "store")
    reports = import_files(store, [path], market="um_perp")
    assert sum(dropped(report, "duplicate") for report in reports) == 1137
    assert sum(report.rows for report in reports) == len(orders) == 1155
    bitcoin = store.read(
        DatasetKey("liquidations", "binance", "um_perp", "BTCUSDT", "event", "liquidation_orders")
    )
    mine = orders[orders["coin"] == "BTC"].sort_values("trade_time", kind="stable")
    assert bitcoin["price"].to_pylist() == mine["price"].tolist()
    assert bitcoin["quantity"].to_pylist() == mine["orig_qty"].tolist()
    products = [p * q for p, q in zip(mine["price"], mine["orig_qty"], strict=True)]
    assert bitcoin["notional"].to_pylist() == pytest.approx(products)


def test_trades_of_two_writers_stand_once(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "trades/binance_um_large_agg_trades_2024_08.parquet"
    frame = pd.read_parquet(path).dropna(subset=["trade_time"])
    store = Store(tmp_path / "store")
    for report in import_files(store, [path]):
        mine = frame[frame["symbol"] == report.key.symbol].sort_values(
            ["trade_time", "agg_trade_id"]
        )
        rows = store.read(report.key)
        assert rows["trade_id"].to_pylist() == mine["agg_trade_id"].tolist()
        known = pd.DatetimeIndex(rows["available_at"].to_pandas()).tz_localize("UTC")
        assert (known == pd.DatetimeIndex(mine["event_time"])).all()


def test_revisions_of_taker_volume_are_seen_from_their_capture_on(
    real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "derivatives/okx_sol_taker_volume_1h_vintages.parquet"
    frame = pd.read_parquet(path)
    store = Store(tmp_path / "store")
    (report,) = import_files(store, [path], market="linear_perp")
    assert report.rows == len(frame)
    moment = frame["as_of"].iloc[0]
    seen = store.read(report.key, as_of_ns=moment.value)
    visible = frame[frame["as_of"] <= moment].groupby("time").last()
    assert seen["taker_buy_volume"].to_pylist() == visible["taker_buy_volume"].tolist()
    later = store.read(report.key, as_of_ns=frame["as_of"].max().value)
    latest = frame.sort_values("as_of").groupby("time").last()
    assert later["taker_buy_volume"].to_pylist() == latest["taker_buy_volume"].tolist()
    assert (visible["taker_buy_volume"] != latest["taker_buy_volume"].loc[visible.index]).sum() > 0


def test_daily_series_hold_the_values_of_their_file(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "alt/btc_onchain_exchange_series_daily.parquet"
    frame = pd.read_parquet(path).dropna(subset=["value"])
    store = Store(tmp_path / "store")
    reports = import_files(store, [path])
    assert len(reports) == frame["metric"].nunique() == 14
    for report in reports:
        symbol = report.key.symbol
        metric = "btc_exchange_reserves" if symbol == "BTC" else symbol
        column = "reserve" if symbol == "BTC" else "value"
        mine = frame.loc[frame["metric"] == metric, "value"]
        assert store.read(report.key)[column].to_pylist() == mine.tolist()


def test_two_vendors_of_one_list_agree(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    names = (
        "alt/coinmarketcap_top200_monthly.parquet",
        "raw/misc_vendor/coinmarketcap_monthly_20220501.csv",
    )
    whole, month = import_files(store, [real_data / name for name in names])
    day = utc_ns("2022-05-01")
    from_csv = store.read(month.key)
    from_parquet = store.read(whole.key, day, day + 1)
    assert from_csv["asset"].to_pylist() == from_parquet["asset"].to_pylist()
    # The Parquet file was made by a parser that may miss the last bit.
    caps = from_parquet["market_cap_usd"].to_pylist()
    assert from_csv["market_cap_usd"].to_pylist() == pytest.approx(caps, rel=1e-15)
