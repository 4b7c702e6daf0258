"""Every defect that the README of the real files lists for a file is found by checking that file.

Counts and times are those of the README where it gives any; where a case states another number, it
says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from datasets import Finding
from datasets.importers.files import read_file
from datasets.importers.report import Request
from datasets.quality import (
    CheckedSeries,
    DatasetQuality,
    Gap,
    QualityReport,
    check_files,
    check_series,
)

pytestmark = pytest.mark.real

KLINES12 = "klines/binance_spot_klines12_1h.parquet"
TWO_MARKETS = "klines/binance_spot_and_perp_1h_2019_2022.parquet"
UNIVERSE = "klines/binance_spot_ohlcv_1h_universe.parquet"
QUARTERLY = "derivatives/binance_um_btc_quarterly_1d.parquet"
DOWNLOAD = "raw/cryptodatadownload/Binance_BTCUSDT_1h.csv"
FUNDING = "derivatives/binance_um_funding_2026q1.parquet"
FORCE_ORDERS = "derivatives/binance_force_orders.parquet"
VINTAGES = "derivatives/okx_sol_{}_vintages.parquet"
FREQTRADE = "raw/freqtrade_feather/{}_USDT_USDT-8h-funding_rate.feather"

SEVEN_VENUES = "derivatives/multi_venue_funding.parquet"
FOUR_HOURS = "klines/binance_um_perp_ohlcv_4h.parquet"
TRADES = "raw/binance_force_order_csv/binance_trades_mixed_time_format.csv"
MARCH = "raw/binance_vision_klines_header/BTCUSDT-1h-2023-03.csv"
UNITTEST = "raw/freqtrade_testdata/UNITTEST_BTC-1m.json"
PROTOCOLS = "alt/defillama_protocol_tvl_snapshot_2025_11_03.parquet"
FEAR_GREED = "alt/fear_greed_daily.parquet"

UM_PERP = {"market": "um_perp"}
OKX = {"market": "linear_perp"}
BINANCE = {"venue": "binance"}
SPOT = {"market": "spot"}
PLACEHOLDER = {"venue": "bittrex", "market": "spot", "symbol": "BTCUSDT"}


@dataclass(frozen=True)
class Case:
    """A defect of a file (or of two beside each other), and what the finding must say.

    ``options`` are what the file does not say itself; ``rows`` is the number of rows concerned; ``about``
    are texts that stand in one finding: its subject, message or lines.
    """

    files: tuple[str, ...]
    defect: str
    rows: int | None = None
    about: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " + ".join(Path(file).name for file in self.files) + f": {self.defect}"


def case(
    file: str,
    defect: str,
    rows: int | None = None,
    *about: str,
    options: Mapping[str, str] | None = None,
    beside: str | None = None,
) -> Case:
    files = (file,) if beside is None else (file, beside)
    return Case(files, defect, rows, about, options or {})


CASES = (
    # klines
    case(TWO_MARKETS, "incomplete_last_bar", 4),
    case(TWO_MARKETS, "gap", 86, "spot/BTCUSDT", "17 outage"),
    case(TWO_MARKETS, "flat_start", 2, "um_perp/BTCUSDT"),
    # Six in the file; one of them is a flat bar at the start, which is dropped.
    case(TWO_MARKETS, "zero_volume_run", 5),
    case(
        TWO_MARKETS, "source_disagreement", None,
        "ohlcv/binance/spot/BTCUSDT", "11 rows", "volume in 11", "trades in 11",
        "2020-12-21 13:00", beside=KLINES12,
    ),
    case(KLINES12, "gap", None, "BTCUSDT", "27 outage"),
    case(KLINES12, "gap", None, "ETHUSDT", "27 outage"),
    case(
        KLINES12, "gap", None, "BTCUSDC", "1 delisted",
        "2022-09-29 03:00 to 2023-03-12 06:00: 3,939 rows",
    ),
    case(KLINES12, "off_grid", 86, "BTCUSDT", "43 of", "2018-02-09 09:28:14.789"),
    case(KLINES12, "off_grid", 86, "ETHUSDT", "43 of"),
    case(KLINES12, "early_close_time", None, "BTCUSDT"),
    case(KLINES12, "close_before_open", None, "BTCUSDT", "2020-12-21 14:00"),
    case(KLINES12, "zero_volume_run", 12),
    case("klines/binance_spot_ohlcv_15m.parquet", "gap", 263, "AAVEUSDT", "2021-04-25", "18 rows, outage"),
    case("klines/binance_spot_ohlcv_15m.parquet", "gap", 263, "AXSUSDT", "2021-08-13", "18 rows, outage"),
    case("klines/binance_spot_ohlcv_15m.parquet", "zero_volume_run", 16),
    case(UNIVERSE, "incomplete_last_bar", 29),
    case(UNIVERSE, "symbol_reuse", 1, "LUNAUSDT", "2022-05-31 06:00: the price is x17111", "of 2022-05-13"),
    case(UNIVERSE, "gap", 12277, "FTTUSDT", "2022-11-15", "to 2023-09-22", "delisted"),
    case(UNIVERSE, "gap", 12277, "USDCUSDT", "2022-09-26", "to 2023-03-1", "delisted"),
    case(UNIVERSE, "zero_volume_run", 29),
    case("klines/binance_um_perp_klines12_1m.parquet", "zero_volume_run", 91),
    case("klines/binance_um_perp_klines12_1m.parquet", "unequal_periods", 4),
    case("klines/binance_um_perp_ohlcv_1d.parquet", "incomplete_last_bar", 209),
    case("klines/binance_um_perp_ohlcv_1d.parquet", "survivorship", 209),
    case("klines/binance_um_perp_ohlcv_1d.parquet", "unequal_periods", 209),
    case("klines/binance_um_perp_ohlcv_1h_2025_2026.parquet", "incomplete_last_bar", 25),
    case("klines/binance_um_perp_ohlcv_1h_2025_2026.parquet", "unequal_periods", 25, "end at 2 times"),
    case(FOUR_HOURS, "incomplete_last_bar", 25),
    case(FOUR_HOURS, "survivorship", 25, "25 of 28 symbols"),
    case(FOUR_HOURS, "unequal_periods", 28, "BTCUSDT: 2020-01-01 00:00 to 2023-12-31 20:00"),
    case("klines/btc_perp_1m_2022_01.parquet", "unstated_venue"),
    case("klines/multi_venue_perp_1h.parquet", "unequal_periods", 16),
    case("klines/multi_venue_perp_1h.parquet", "gap", 2669, "lighter", "110 rows"),
    case("klines/multi_venue_perp_1h.parquet", "incomplete_last_bar"),
    case("klines/multi_venue_perp_1h.parquet", "incomparable_unit"),
    case("klines/multi_venue_perp_1h.parquet", "zero_volume_run", 40),
    # derivatives
    case("derivatives/aave_wbtc_liquidations.parquet", "tied_times"),
    case(FORCE_ORDERS, "duplicate", 1137, options=UM_PERP),
    case(FORCE_ORDERS, "unsorted", options=UM_PERP),
    case(FORCE_ORDERS, "missing_value", None, "avg_price", options=UM_PERP),
    case(FORCE_ORDERS, "mixed_symbol_spelling", options=UM_PERP),
    case(FORCE_ORDERS, "sampled", options=UM_PERP),
    case(QUARTERLY, "after_expiry", 48, "BTCUSDT_230929"),
    case(QUARTERLY, "after_expiry", 48, "BTCUSDT_231229"),
    case(FUNDING, "late_stamp", None, "ms late"),
    case(FUNDING, "interval_change", None, "ALICEUSDT"),
    case("derivatives/binance_um_open_interest_4h_2026.parquet", "gap", 3),
    case("derivatives/funding_8h_history.parquet", "late_stamp"),
    case("derivatives/funding_8h_history.parquet", "missing_value", 14940, "mark_price"),
    case("derivatives/funding_daily_coinalyze.parquet", "derived_value"),
    case("derivatives/hyperliquid_liquidation_volume_daily.parquet", "gap", 41),
    case(SEVEN_VENUES, "gap", None, "lighter"),
    case(SEVEN_VENUES, "unequal_periods", 19, "okx/linear_perp/DOGE: 2025-12"),
    case(SEVEN_VENUES, "unequal_periods", 19, "dydx/linear_perp/DOGE: 2026-01"),
    case(SEVEN_VENUES, "late_stamp", None, "dydx", "ms late"),
    case("derivatives/multi_venue_open_interest_1h.parquet", "gap", 1697, "lighter", "142 rows"),
    case("derivatives/multi_venue_open_interest_1h.parquet", "single_snapshot"),
    case(VINTAGES.format("funding"), "capture_time", options=OKX),
    case(VINTAGES.format("long_short_ratio_1h"), "capture_time", options=OKX),
    case(VINTAGES.format("open_interest_1h"), "capture_time", options=OKX),
    case(VINTAGES.format("taker_volume_1h"), "revision", 30, options=OKX),
    case(VINTAGES.format("taker_volume_1h"), "unstated_unit", options=OKX),
    case("derivatives/open_interest_daily_coinalyze.parquet", "unequal_periods", 20),
    case("derivatives/open_interest_daily_coinalyze.parquet", "unstated_unit"),
    # trades and order books
    case("trades/binance_um_large_agg_trades_2024_08.parquet", "sampled"),
    case("trades/binance_um_large_agg_trades_2024_08.parquet", "duplicate", 1546),
    case("trades/binance_um_large_agg_trades_2024_08.parquet", "unsorted", 125),
    case("trades/binance_um_large_agg_trades_2024_08.parquet", "missing_time", 1546),
    case("trades/hyperliquid_non_mm_trades_2023.parquet", "tied_times"),
    case("trades/hyperliquid_non_mm_trades_2023.parquet", "sampled"),
    case("orderbook/orderbook_spread_slippage_1h_2022.parquet", "unstated_venue"),
    # daily series
    case("alt/btc_onchain_exchange_series_daily.parquet", "unstated_venue"),
    case("alt/btc_onchain_exchange_series_daily.parquet", "unstated_unit", None, "funding"),
    case("alt/btc_onchain_exchange_series_daily.parquet", "missing_value", 4),
    case("alt/btc_onchain_exchange_series_daily.parquet", "unequal_periods", None, "stablecoin", "2022-02"),
    case("alt/btc_social_market_series_daily.parquet", "no_session"),
    case("alt/btc_social_market_series_daily.parquet", "unequal_periods"),
    case("alt/coin_market_cap_daily.parquet", "derived_value"),
    case("alt/coinbase_spot_daily.parquet", "survivorship"),
    case("alt/coinmarketcap_top200_monthly.parquet", "symbol_not_unique", None, "2023-03-01"),
    case("alt/coinmarketcap_top200_monthly.parquet", "symbol_not_unique", None, "over time"),
    case("alt/defi_tvl_daily_2017_2021.parquet", "leading_zeros"),
    case(PROTOCOLS, "single_snapshot", 200),
    case(PROTOCOLS, "missing_value"),
    case(PROTOCOLS, "incomparable_unit", None, "an exchange holds"),
    case(FEAR_GREED, "gap", 4, "2018-04-14 00:00 to 2018-04-17 00:00: 3 rows", "2024-10-26 00:00"),
    case("alt/kimchi_premium_daily.parquet", "no_session", 550),
    case("alt/upbit_krw_btc_1h.parquet", "gap", 71, "in 42 gaps"),
    case("alt/usdkrw_daily.parquet", "no_session", 624),
    case("alt/usdkrw_daily.parquet", "ohlc_contradiction", 51),
    # files as vendors publish them
    case(TRADES, "mixed_time_format", options=UM_PERP),
    case(TRADES, "duplicate", options=UM_PERP),
    case("raw/binance_vision_klines/BTCUSDC-1h-2023.csv", "gap", 1, options=SPOT),
    case("raw/binance_vision_klines/BTCUSDT-1h-2018.csv", "off_grid", 43, options=SPOT),
    case("raw/binance_vision_klines/BTCUSDT-1h-2018.csv", "gap", None, "in 7 gaps", options=SPOT),
    case(MARCH, "gap", 1, "2023-03-24 13:00", options=SPOT),
    case("raw/binance_ws_l2_stream/spot_btcusdt_20240808.gz", "skipped_message", 28040),
    case(DOWNLOAD, "mixed_time_unit", None, "28584 in seconds", "3597 rows"),
    case(DOWNLOAD, "contradiction", None, "2649 times"),
    # One of the 2649 hours is the last bar of a generation, which is dropped: it has the only other close.
    case(DOWNLOAD, "source_disagreement", 2648, "open in", "volume in"),
    case(DOWNLOAD, "price_spike", 1, "2017-08-17 04:00: open 16199.9"),
    case("raw/cryptodatadownload/Binance_BTCUSDT_d.csv", "mixed_time_unit", None, "124"),
    case("raw/defects/SOLUSDT-1h-2023-01_excel_mangled.csv", "scientific_notation", 1, "1.67253E+12"),
    case(FREQTRADE.format("BTC"), "late_stamp", None, "ms late", options=BINANCE),
    case(FREQTRADE.format("ETH"), "late_stamp", None, "ms late", options=BINANCE),
    case(FREQTRADE.format("LAYER"), "late_stamp", None, "ms late", options=BINANCE),
    case(FREQTRADE.format("SOL"), "late_stamp", None, "ms late", options=BINANCE),
    case(FREQTRADE.format("LAYER"), "interval_change", options=BINANCE),
    case(UNITTEST, "unstated_venue"),
    case(UNITTEST, "missing_value", None, "placeholder", options={"venue": "bittrex", **SPOT}),
    case(UNITTEST, "gap", options=PLACEHOLDER),
    case("raw/freqtrade_testdata/XRP_ETH-5m.feather", "gap", 6, options=BINANCE),
)  # fmt: skip


@cache
def report_on(
    root: Path, files: tuple[str, ...], options: tuple[tuple[str, str], ...]
) -> QualityReport:
    return check_files([root / file for file in files], Request(**dict(options)))


def text_of(finding: Finding) -> str:
    return "\n".join((finding.subject, finding.message, *finding.lines))


@pytest.mark.parametrize("wanted", CASES, ids=lambda one: one.name)
def test_the_defect_is_found(real_data: Path, wanted: Case) -> None:
    report = report_on(real_data, wanted.files, tuple(sorted(wanted.options.items())))
    texts = [text_of(finding) for finding in report.findings if finding.defect == wanted.defect]
    texts += [one.message for one in report.refusals if one.defect == wanted.defect]
    assert texts, f"found only {report.defects()}"
    if wanted.rows is not None:
        assert report.defects()[wanted.defect] == wanted.rows
    assert any(all(about in text for about in wanted.about) for text in texts), texts


def quality_of(report: QualityReport, symbol: str) -> DatasetQuality:
    (dataset,) = [one for one in report.datasets if one.key.symbol == symbol]
    return dataset


@pytest.mark.parametrize(
    ("symbol", "last_day"),
    [
        ("BTTUSDT", "2022-01-17"), ("KEEPUSDT", "2022-02-16"), ("EPSUSDT", "2022-05-09"),
        ("USTUSDT", "2022-05-13"), ("RAMPUSDT", "2022-07-04"), ("HNTUSDT", "2022-10-14"),
        ("SRMUSDT", "2022-11-28"), ("TRIBEUSDT", "2022-11-28"), ("TORNUSDT", "2022-12-27"),
        ("ANCUSDT", "2022-12-27"),
    ],
)  # fmt: skip
def test_a_coin_of_the_universe_was_delisted(real_data: Path, symbol: str, last_day: str) -> None:
    gap = quality_of(report_on(real_data, (UNIVERSE,), ()), symbol).gaps[-1]
    assert gap.cause == "delisted"
    assert not gap.inside
    assert str(gap).startswith(last_day)


@pytest.mark.parametrize("day", ["2021-04-25", "2021-08-13", "2021-09-29", "2023-03-24"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "AAVEUSDT", "SOLUSDT"])
def test_an_outage_of_the_venue_is_in_the_universe(real_data: Path, symbol: str, day: str) -> None:
    def is_it(gap: Gap) -> bool:
        return gap.cause == "outage" and str(gap).startswith(day) and gap.lacking > 20

    dataset = quality_of(report_on(real_data, (UNIVERSE,), ()), symbol)
    assert sum(map(is_it, dataset.gaps)) == 1


def test_the_first_and_the_last_of_the_outages_of_six_years(real_data: Path) -> None:
    report = report_on(real_data, (KLINES12,), ())
    bitcoin, ether = quality_of(report, "BTCUSDT"), quality_of(report, "ETHUSDT")
    outages = [gap for gap in bitcoin.gaps if gap.cause == "outage"]
    assert len(outages) == 27
    days = {str(gap)[:10] for gap in outages}
    assert days >= {
        "2018-02-08", "2018-06-26", "2018-11-14", "2019-05-15", "2019-08-15", "2020-02-19",
        "2021-04-25", "2021-08-13", "2023-03-24",
    }  # fmt: skip
    assert [gap.start_ns for gap in ether.gaps] == [gap.start_ns for gap in bitcoin.gaps]


def test_no_settlement_of_2026_is_missing_against_the_interval_in_force(real_data: Path) -> None:
    """A fixed interval per symbol would count 953 missing settlements."""
    report = report_on(real_data, (FUNDING,), ())
    assert "gap" not in report.defects()
    changing = {
        finding.subject.split("/")[3]
        for finding in report.findings
        if finding.defect == "interval_change"
    }
    assert changing == {"ALICEUSDT", "AZTECUSDT", "ESPUSDT", "FIOUSDT", "RPLUSDT", "STEEMUSDT"}


def test_how_far_the_exchange_revised_its_volumes(real_data: Path) -> None:
    """The README says 23 % at most; no volume of the file changed by more than 3.5 %."""
    _, (rows,) = read_file(real_data / VINTAGES.format("taker_volume_1h"), Request(**OKX))
    series = CheckedSeries(rows.key, rows.table)
    report = check_series([series], lambda _: series)
    (finding,) = [one for one in report.findings if one.defect == "revision"]
    assert finding.count == 30
    assert "by 0.53% in the median and 3.52% at most" in finding.message


BAR_FILES = (
    TWO_MARKETS,
    KLINES12,
    "klines/binance_spot_ohlcv_15m.parquet",
    UNIVERSE,
    "klines/binance_um_perp_klines12_1m.parquet",
    "klines/binance_um_perp_ohlcv_1d.parquet",
    "klines/binance_um_perp_ohlcv_1h_2025_2026.parquet",
    FOUR_HOURS,
    "klines/multi_venue_perp_1h.parquet",
    "alt/upbit_krw_btc_1h.parquet",
    "alt/coinbase_spot_daily.parquet",
)


def test_real_crashes_are_not_called_spikes(real_data: Path) -> None:
    """Two million real bars, no known impossible price among them: what is flagged is a false alarm.

    Or an order that swept an empty book, which a replay should not trade on either.
    """
    bars, spikes = 0, []
    for file in BAR_FILES:
        report = report_on(real_data, (file,), ())
        bars += sum(dataset.rows for dataset in report.datasets)
        spikes += [line for f in report.findings if f.defect == "price_spike" for line in f.lines]
    assert bars > 1_900_000
    assert len(spikes) <= 10, spikes
    crashes = (
        "2020-03-12",
        "2020-03-13",
        "2021-05-19",
        "2022-05-12",
        "2022-06-13",
        "2022-11-08",
        "2025-10-10",
    )
    assert not [line for line in spikes if line.startswith(crashes)]
