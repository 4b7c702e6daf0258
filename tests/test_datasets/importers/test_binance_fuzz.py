"""Every Binance format and CryptoDataDownload under broken bytes, against a slow reference parser."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.importers import binance, cryptodatadownload
from datasets.importers.report import Request
from tests.test_datasets.importers import binance_reference as reference
from tests.test_datasets.importers import binance_samples as samples
from tests.test_datasets.importers.fuzzing import (
    Reference,
    arbitrary_bytes,
    assert_refused_or_exact,
    corrupted,
    in_memory,
)
from tests.test_datasets.sample_files import kline_cells

LAYOUTS = {layout.name: layout for layout in (*binance.FORMATS, *cryptodatadownload.FORMATS)}


NOTHING_SAID = Request()


@dataclass(frozen=True)
class Case:
    layout: str
    name: str
    valid: bytes
    reference: Reference
    request: Request = NOTHING_SAID

    def check(self, data: bytes) -> bool:
        return assert_refused_or_exact(
            LAYOUTS[self.layout], in_memory(self.name), self.reference, data, self.request
        )


def _clocked_trades() -> bytes:
    cells = samples.captured_trade_cells(12)
    cells.insert(5, [*cells[4][:5], "15:40:27", cells[4][6]])
    cells[8][5] = "15:40:29"
    return samples.csv_bytes(cells)


def _interleaved_generations() -> bytes:
    cells = samples.download_cells(110) + samples.download_cells(105, seconds=True, first=20)
    cells.sort(key=lambda row: -float(row[0]) * (1000 if "." in row[0] else 1))
    return samples.csv_bytes(cells, samples.DOWNLOAD_BANNER, samples.DOWNLOAD_HEADER)


UM = Request(market="um_perp")
CASES = {
    "klines": Case(
        "binance_klines", "BTCUSDT-1h-2021_spot.csv", samples.csv_bytes(kline_cells(110)), reference.klines
    ),
    "klines with a header": Case(
        "binance_klines",
        "BTCUSDT-1h-2021_spot.csv",
        samples.csv_bytes(kline_cells(6, unit=1000), samples.KLINE_HEADER),
        reference.klines,
    ),
    "premiums": Case(
        "binance_klines",
        "BTCUSDT-premiumIndexKlines-1h-2021_um.csv",
        samples.csv_bytes(samples.price_cells(12, offset=0.0), samples.KLINE_HEADER),
        reference.premiums,
    ),
    "aggregated trades": Case(
        "binance_agg_trades",
        "BTCUSDT-aggTrades-2021-01-01_um.csv",
        samples.csv_bytes(samples.agg_trade_cells(12), samples.AGG_TRADES_HEADER),
        reference.agg_trades,
    ),
    "trades": Case(
        "binance_trades",
        "BTCUSDT-trades-2021-01-01_um.csv",
        samples.csv_bytes(samples.trade_cells(12, spot=True)),
        reference.single_trades,
    ),
    "funding": Case(
        "binance_funding",
        "BTCUSDT-fundingRate-2021-01.csv",
        samples.csv_bytes(samples.funding_cells(110), samples.FUNDING_HEADER),
        reference.funding,
    ),
    "metrics": Case(
        "binance_metrics",
        "BTCUSDT-metrics-2021-01-01.csv",
        samples.csv_bytes(samples.metrics_cells(12), samples.METRICS_HEADER),
        reference.metrics,
    ),
    "liquidations": Case(
        "binance_liquidations",
        "BTCUSDT-liquidationSnapshot-2021-01-01.csv",
        samples.csv_bytes(samples.liquidation_cells(12), samples.LIQUIDATIONS_HEADER),
        reference.liquidations,
    ),
    "depth": Case(
        "binance_depth",
        "BTCUSDT-bookDepth-2021-01-01.csv",
        samples.csv_bytes(samples.depth_cells(3), samples.DEPTH_HEADER),
        reference.depth,
    ),
    "REST candles": Case(
        "binance_rest_candles",
        "binance/DOGEUSDT_1h.csv",
        samples.csv_bytes(samples.rest_candle_cells(12), samples.REST_CANDLES_HEADER),
        reference.rest_candles,
        UM,
    ),
    "REST funding": Case(
        "binance_rest_funding",
        "binance/funding.csv",
        samples.csv_bytes(samples.rest_funding_cells(12), samples.REST_FUNDING_HEADER),
        reference.rest_funding,
    ),
    "REST open interest": Case(
        "binance_rest_open_interest",
        "binance/oi.csv",
        samples.csv_bytes(samples.rest_open_interest_cells(12), samples.REST_OPEN_INTEREST_HEADER),
        reference.rest_open_interest,
        Request(timeframe="4h"),
    ),
    "force orders": Case(
        "binance_force_orders",
        "binance/liquidations.csv",
        samples.csv_bytes(samples.force_order_cells(16)),
        reference.force_orders,
    ),
    "captured trades": Case(
        "binance_captured_trades", "binance/trades.csv", _clocked_trades(), reference.captured_trades, UM
    ),
    "CryptoDataDownload": Case(
        "cryptodatadownload", "Binance_BTCUSDT_1h.csv", _interleaved_generations(), reference.download
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_reference_reads_a_valid_file_as_the_importer_does(name: str) -> None:
    assert CASES[name].check(CASES[name].valid)


@pytest.mark.parametrize("name", CASES)
def test_a_valid_file_is_of_one_format_only(name: str) -> None:
    file = in_memory(CASES[name].name)(CASES[name].valid)
    fitting = [layout.name for layout in LAYOUTS.values() if layout.recognises(file)]
    assert fitting == [CASES[name].layout]


@pytest.mark.parametrize("name", CASES)
def test_broken_files_are_refused_or_read_exactly(name: str) -> None:
    case = CASES[name]
    _run(corrupted(case.valid), case.check)


@pytest.mark.parametrize("name", CASES)
def test_arbitrary_bytes_are_refused_or_read_exactly(name: str) -> None:
    _run(arbitrary_bytes(), CASES[name].check, examples=40)


def _run(
    strategy: st.SearchStrategy[bytes], check: Callable[[bytes], bool], examples: int = 120
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(strategy)
    def property_holds(data: bytes) -> None:
        check(data)

    property_holds()
