"""Small valid files of every Binance format and of CryptoDataDownload, as their bytes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.test_datasets.sample_files import HOUR_MS, START_MS, kline_cells

KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
OTHER_KLINE_HEADER = (
    "Opentime,Open,High,Low,Close,Volume,Closetime,Quote asset volume,Number of trades,"
    "Taker buy base asset volume,Taker buy quote asset volume,Ignore"
)
AGG_TRADES_HEADER = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
)
TRADES_HEADER = "id,price,qty,quote_qty,time,is_buyer_maker"
FUNDING_HEADER = "calc_time,funding_interval_hours,last_funding_rate"
METRICS_HEADER = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
LIQUIDATIONS_HEADER = (
    "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,"
    "last_fill_quantity,accumulated_fill_quantity"
)
DEPTH_HEADER = "timestamp,percentage,depth,notional"
REST_CANDLES_HEADER = "timestamp,open,high,low,close,volume,quote_volume,trades,close_time"
REST_FUNDING_HEADER = "timestamp,symbol,funding_rate"
REST_OPEN_INTEREST_HEADER = "timestamp,symbol,sum_open_interest,sum_open_interest_value"
DOWNLOAD_BANNER = "https://www.CryptoDataDownload.com"
DOWNLOAD_HEADER = "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount"

Cells = list[list[str]]


def csv_bytes(cells: Sequence[Sequence[str]], *header: str) -> bytes:
    return ("\n".join([*header, *(",".join(row) for row in cells)]) + "\n").encode()


def price_cells(rows: int, *, offset: float = 100.0) -> Cells:
    """Mark or index price bars; premiums when ``offset`` is 0: twelve columns without volumes."""
    cells = []
    for row in range(rows):
        open_ms = START_MS + HOUR_MS * row
        price = offset + (row % 5 - 2) / 1000
        prices = [f"{price + shift:.5f}" for shift in (0, 0.001, -0.001, 0.0005)]
        cells.append(
            [str(open_ms), *prices, "0", str(open_ms + HOUR_MS - 1), "0", "60", "0", "0", "0"]
        )
    return cells


def agg_trade_cells(rows: int, *, spot: bool = False, unit: int = 1) -> Cells:
    return [
        [
            str(5000 + row), f"{100 + row % 7 / 10:.8f}", f"{1 + row % 3}.50000000", str(9000 + 2 * row),
            str(9001 + 2 * row), str((START_MS + 700 * (row // 2)) * unit), ("True", "False")[row % 2],
            *(["True"] if spot else []),
        ]
        for row in range(rows)
    ]  # fmt: skip


def trade_cells(rows: int, *, spot: bool = False) -> Cells:
    return [
        [
            str(8000 + row), f"{100 + row % 7 / 10:.2f}", f"{1 + row % 3}.5", f"{0.01 * (row + 1):.4f}",
            str(START_MS + 900 * (row // 2)), ("true", "false")[row % 2], *(["true"] if spot else []),
        ]
        for row in range(rows)
    ]  # fmt: skip


def funding_cells(rows: int) -> Cells:
    return [
        [str(START_MS + 8 * HOUR_MS * row + row % 4), "8", f"{(row % 5 - 2) * 1e-4:.8f}"]
        for row in range(rows)
    ]


def time_cell(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%d %H:%M:%S}"


def metrics_cells(rows: int, symbol: str = "BTCUSDT") -> Cells:
    return [
        [
            time_cell(START_MS + 300_000 * (row + 1)), symbol, f"{5000 + row}.1230000000",
            f"{9e7 + row:.8f}", "1.20000000", "1.30000000", f"{1 + row / 100:.8f}", "0.90000000",
        ]
        for row in range(rows)
    ]  # fmt: skip


def liquidation_cells(rows: int) -> Cells:
    return [
        [
            str(START_MS + 450 * (row // 2)), ("BUY", "SELL")[row % 2], "LIMIT", "IOC", f"{row + 1}.5",
            f"{100 + row}.10", f"{100 + row}.05", "FILLED", "0.5", f"{row + 1}.5",
        ]
        for row in range(rows)
    ]  # fmt: skip


def depth_cells(snapshots: int) -> Cells:
    levels = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
    return [
        [
            time_cell(START_MS + 30_000 * number + 9_000), str(level), f"{abs(level) * 10 + number}.250",
            f"{abs(level) * 1000 + number}.75",
        ]
        for number in range(snapshots)
        for level in levels
    ]  # fmt: skip


def rest_candle_cells(rows: int) -> Cells:
    return [[*row[:6], row[7], row[8], row[6]] for row in kline_cells(rows)]


def rest_funding_cells(rows: int, symbol: str = "DOGEUSDT") -> Cells:
    return [[row[0], symbol, row[2]] for row in funding_cells(rows)]


def rest_open_interest_cells(rows: int, symbol: str = "DOGEUSDT") -> Cells:
    return [
        [
            str(START_MS + 4 * HOUR_MS * row),
            symbol,
            f"{1000 + row}.00000000",
            f"{9000 + row}.25000000",
        ]
        for row in range(rows)
    ]


def force_order_cells(rows: int) -> Cells:
    symbols = ("BTC", "ETHUSDC", "FLUX", "BTC")
    cells = []
    for row in range(rows):
        quantity, price = row + 1.5, 100 + row / 8
        cells.append(
            [
                symbols[row % 4], ("BUY", "SELL")[row % 2], "LIMIT", "IOC", f"{quantity}", f"{price}",
                "None", "FILLED", "1", f"{quantity}", str(START_MS + 350 * (row // 8)),
                f"{quantity * price}",
            ]
        )  # fmt: skip
    return cells


def captured_trade_cells(rows: int) -> Cells:
    symbols = ("BTCUSDT", "SOLUSDT")
    return [
        [
            str(START_MS + 500 * row + 40), f" {symbols[row % 2]}", f" {7000 + row}", f" {100 + row / 8}",
            f" {row % 5 + 1}.0", str(START_MS + 500 * row), (" True", " False")[row % 3 == 0],
        ]
        for row in range(rows)
    ]  # fmt: skip


def download_cells(rows: int, *, seconds: bool = False, first: int = 0) -> Cells:
    """Rows from number ``first`` on, newest first."""
    cells = []
    for number, row in enumerate(kline_cells(first + rows)[first:], start=first):
        at = datetime.fromtimestamp(START_MS / 1000 + 3600 * number, UTC)
        stamp = f"{START_MS // 1000 + 3600 * number}.0" if seconds else row[0]
        date = f"{at:%Y-%m-%d %I-%p}" if seconds else f"{at:%Y-%m-%d %H:%M:%S}"
        flows = [row[5][:-6], row[7][:-6], "NULL"] if seconds else [row[5], row[7], row[8]]
        cells.append([stamp, date, "BTC/USDT", *row[1:5], *flows])
    return cells[::-1]
