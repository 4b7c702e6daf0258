"""Names that stand for more than one thing."""

from collections.abc import Iterator

import numpy as np

from ..findings import Finding
from ..timestamps import time_text
from .check import SeriesCheck, counted, rows_finding
from .series import CheckedSeries
from .settings import QualitySettings


def _tickers(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    """Tickers of a list of coins that have several names, on one day or over time."""
    if series.key.kind != "universe":
        return
    assets = series.ordered["asset"].to_pylist()
    symbols = series.ordered["symbol"].to_pylist()
    holders: dict[str, set[str]] = {}
    rows_of: dict[tuple[int, str], list[int]] = {}
    for row, (asset, symbol) in enumerate(zip(assets, symbols, strict=True)):
        holders.setdefault(symbol, set()).add(asset)
        rows_of.setdefault((int(series.time_ns[row]), symbol), []).append(row)
    at_once = {key: rows for key, rows in rows_of.items() if len(rows) > 1}
    lines = [
        f"{time_text(time)}: {symbol} stands for {' and '.join(sorted(assets[row] for row in rows))}"
        for (time, symbol), rows in sorted(at_once.items())
    ]
    again = {symbol: names for symbol, names in holders.items() if len(names) > 1}
    lines += [f"{symbol}: {', '.join(sorted(names))}" for symbol, names in sorted(again.items())]
    if not again:
        return
    rows = [row for row, symbol in enumerate(symbols) if symbol in again]
    yield rows_finding(
        series,
        "symbol_not_unique",
        series.time_ns[np.array(rows, dtype=np.int64)],
        f"{counted(len(again), 'ticker')} with several assets, {len({symbol for _, symbol in at_once})} "
        "of them on one day: other coins or renamed ones; join by asset, not by ticker",
        lines,
    )


CHECKS = (SeriesCheck("tickers of several coins", ("symbol_not_unique",), _tickers),)
