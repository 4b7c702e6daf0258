"""Clean series, and the means to spoil them: what the tests of the quality checks share."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from datasets import DatasetKey
from datasets.kinds import KINDS
from datasets.quality import CheckedSeries, QualityReport, check_series
from datasets.tables import canonical_table
from engine import HOUR_NS, timeframe_ns

START_NS = 1_577_836_800_000_000_000 + 5 * HOUR_NS
"""2020-01-01 05:00 UTC: not at the turn of a month."""
BARS = 240


def clean_bars(seed: int = 0, count: int = BARS, step: str = "1h") -> dict[str, list[Any]]:
    """Bars of a quiet walk without a defect, as lists by column; ``open_time`` is int64 ns."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.uniform(-0.004, 0.004, count)))
    opened = np.concatenate([[100.0], close[:-1]])
    reach = random.uniform(0.0001, 0.001, (2, count))
    return {
        "open_time": [START_NS + row * timeframe_ns(step) for row in range(count)],
        "open": opened.tolist(),
        "high": (np.maximum(opened, close) * (1 + reach[0])).tolist(),
        "low": (np.minimum(opened, close) * (1 - reach[1])).tolist(),
        "close": close.tolist(),
        "volume": random.uniform(1.0, 2.0, count).tolist(),
    }


def without_rows(columns: dict[str, list[Any]], rows: Iterable[int]) -> dict[str, list[Any]]:
    """The columns with some rows left out."""
    gone = set(rows)
    return {
        name: [value for row, value in enumerate(values) if row not in gone]
        for name, values in columns.items()
    }


def key_of(
    symbol: str = "BTCUSDT", *, kind: str = "ohlcv", step: str = "1h", source: str = "test"
) -> DatasetKey:
    """A key on one venue and market."""
    return DatasetKey(kind, "binance", "um_perp", symbol, step, source)


def series_of(columns: dict[str, list[Any]], key: DatasetKey | None = None) -> CheckedSeries:
    """A series with these columns; times are int64 ns."""
    key = key or key_of()
    return CheckedSeries(
        key, canonical_table(KINDS[key.kind], key.step, pa.table(columns), str(key))
    )


def checked(*series: CheckedSeries, **options: Any) -> QualityReport:
    """The report on some series."""
    by_key = {one.key: one for one in series}
    return check_series(series, by_key.__getitem__, **options)


def lines_of(report: QualityReport, defect: str) -> Sequence[str]:
    """Lines of the only finding of a defect."""
    (finding,) = [finding for finding in report.findings if finding.defect == defect]
    return finding.lines
