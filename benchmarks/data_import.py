"""Importing a year of minute bars, checks and the durable write included, against pandas."""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from datasets import Store, import_files

from .timing import timed_pair

ROWS = 365 * 24 * 60
_START_MS = 1_609_459_200_000
_MINUTE_MS = 60_000
_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip


def write_year(path: Path, *, rows: int = ROWS, seed: int = 1) -> Path:
    """A kline file of twelve columns as Binance publishes it, one minute a row."""
    generator = np.random.default_rng(seed)
    close = np.round(30_000.0 * np.exp(np.cumsum(5e-4 * generator.standard_normal(rows))), 2)
    opened = np.concatenate((close[:1], close[:-1]))
    volume = np.round(generator.gamma(2.0, 20.0, rows), 5) + 1e-5
    open_ms = _START_MS + _MINUTE_MS * np.arange(rows, dtype=np.int64)
    columns = (
        open_ms,
        opened,
        np.round(np.maximum(opened, close) * 1.0003, 2),
        np.round(np.minimum(opened, close) * 0.9997, 2),
        close,
        volume,
        open_ms + _MINUTE_MS - 1,
        np.round(volume * close, 5),
        generator.integers(1, 3_000, rows),
        np.round(volume * 0.5, 5),
        np.round(volume * 0.5 * close, 5),
        np.zeros(rows, dtype=np.int64),
    )
    frame = pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True)))
    frame.to_csv(path, index=False)
    return path


def figures() -> dict[str, float]:
    """Seconds of both, and how many times as long pandas takes (above 1: Ninefold is faster)."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_year(Path(folder) / "BTCUSDT-1m-2021_um.csv")
        fresh = itertools.count()

        def ours() -> None:
            (report,) = import_files(Store(Path(folder) / f"store-{next(fresh)}"), [path])
            assert report.rows == ROWS

        def theirs() -> None:
            pd.read_csv(path).to_parquet(Path(folder) / f"year-{next(fresh)}.parquet")

        imported, peer = timed_pair(ours, theirs)
    return {
        "minute_year_s": imported.best_s,
        "pandas_csv_to_parquet_s": peer.best_s,
        "pandas_over_import": peer.best_s / imported.best_s,
        "pandas_over_import_median": peer.median_s / imported.median_s,
    }
