"""Small market files with and without the defects of real ones."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import DatasetKey, Store, import_files
from engine import DataError

HOUR_NS = 3_600_000_000_000
HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000
"""2021-01-01 00:00 UTC."""
START_NS = START_MS * 1_000_000
BARS_KEY = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "test")
FUNDING_KEY = DatasetKey("funding", "binance", "um_perp", "BTCUSDT", "8h", "test")


def utc_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def bar_columns(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Valid prices and flows, ``(rows,)`` each, under the names of the store."""
    generator = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(0.01 * generator.standard_normal(rows))), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    volume = np.round(generator.exponential(50.0, rows), 3)
    return {
        "open": open_,
        "high": np.maximum(open_, close) + 0.5,
        "low": np.minimum(open_, close) - 0.5,
        "close": close,
        "volume": volume,
        "quote_volume": volume * close,
        "trades": generator.integers(1, 900, rows),
        "taker_buy_volume": volume / 2,
        "taker_buy_quote": volume * close / 2,
    }


def bar_table(
    rows: int, seed: int = 0, start_ns: int = START_NS, without: tuple[int, ...] = ()
) -> pa.Table:
    """Hourly bars in the form that ``Store.write`` takes; the rows ``without`` are missing."""
    keep = np.setdiff1d(np.arange(rows), without)
    columns = {name: values[keep] for name, values in bar_columns(rows, seed).items()}
    return pa.table({"open_time": pa.array(start_ns + HOUR_NS * keep)} | columns)


def funding_table(stamps_ns: list[int], rates: list[float]) -> pa.Table:
    return pa.table({"event_time": pa.array(stamps_ns, pa.int64()), "rate": pa.array(rates)})


def kline_cells(
    rows: int, seed: int = 0, unit: int = 1, start_ms: int = START_MS
) -> list[list[str]]:
    """Cells of a Binance kline CSV; ``unit`` 1 writes milliseconds, 1000 microseconds."""
    columns = bar_columns(rows, seed)
    cells = []
    for row in range(rows):
        open_time = (start_ms + HOUR_MS * row) * unit
        numbers = {name: f"{values[row]:.8f}" for name, values in columns.items()}
        cells.append(
            [
                str(open_time),
                *(numbers[name] for name in ("open", "high", "low", "close", "volume")),
                str(open_time + HOUR_MS * unit - 1),
                numbers["quote_volume"],
                str(columns["trades"][row]),
                numbers["taker_buy_volume"],
                numbers["taker_buy_quote"],
                "0",
            ]
        )
    return cells


def write_csv(path: Path, cells: list[list[str]], header: str | None = None) -> Path:
    lines = ([header] if header else []) + [",".join(row) for row in cells]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


Edit = Callable[[dict[str, list[object]]], None]


def klines12(
    symbols: tuple[str, ...] = ("BTCUSDT",), rows: int = 300, edit: Edit | None = None
) -> pa.Table:
    """A tidy table of spot klines; ``edit`` changes its columns, lists of Python values."""
    columns: dict[str, list[object]] = {
        name: []
        for name in (
            "symbol", "open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades",
            "taker_buy_base", "taker_buy_quote", "close_time",
        )
    }  # fmt: skip
    for seed, symbol in enumerate(symbols):
        values = bar_columns(rows, seed)
        stamps = [START_MS + HOUR_MS * row for row in range(rows)]
        columns["symbol"] += [symbol] * rows
        columns["open_time"] += stamps
        columns["close_time"] += [stamp + HOUR_MS - 1 for stamp in stamps]
        for name, column in values.items():
            columns["taker_buy_base" if name == "taker_buy_volume" else name] += column.tolist()
    return _edited(columns, edit)


def spot_and_perp(rows: int = 300, edit: Edit | None = None) -> pa.Table:
    columns: dict[str, list[object]] = {"symbol": [], "market": [], "open_time": []}
    for seed, market in enumerate(("spot", "perp")):
        columns["symbol"] += ["BTCUSDT"] * rows
        columns["market"] += [market] * rows
        columns["open_time"] += [START_MS + HOUR_MS * row for row in range(rows)]
        for name, column in bar_columns(rows, seed).items():
            if not name.startswith("taker"):
                columns.setdefault(name, []).extend(column.tolist())
    return _edited(columns, edit)


def funding_history(rows: int = 300, edit: Edit | None = None) -> pa.Table:
    columns: dict[str, list[object]] = {
        "symbol": ["BTCUSDT"] * (2 * rows),
        "venue": ["binance_um"] * rows + ["bybit_linear"] * rows,
        "funding_time": [START_MS + 8 * HOUR_MS * row for row in range(rows)] * 2,
        "funding_rate": [1e-4 * (row % 7 - 3) for row in range(2 * rows)],
        "mark_price": [None] * rows + [100.0 + row for row in range(rows)],
    }
    return _edited(columns, edit)


def _edited(columns: dict[str, list[object]], edit: Edit | None) -> pa.Table:
    if edit is not None:
        edit(columns)
    return pa.table(
        {
            name: pa.array(values).cast(pa.timestamp("ms", tz="UTC"))
            if name.endswith("_time")
            else pa.array(values)
            for name, values in columns.items()
        }
    )


def write_parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path, compression="zstd")
    return path


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a store but the locks, by its path inside the store."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def refused(store: Store, path: Path, **options: Any) -> str:
    """The message of a refused import, after checking that it touched nothing and is one line."""
    before = contents(store.root)
    with pytest.raises(DataError) as caught:
        import_files(store, [path], **options)
    message = str(caught.value)
    assert contents(store.root) == before
    assert path.name in message
    assert "\n" not in message.strip()
    return message
