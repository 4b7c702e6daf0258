"""Prices that cannot be, or that are far from those beside them."""

from collections.abc import Iterator

import numpy as np

from engine import DAY_NS, Float1D, Int1D

from ..checks import ohlc_contradictions
from ..findings import Finding
from ..timestamps import time_text
from .check import SeriesCheck, counted, rows_finding
from .holes import holes_of
from .series import CheckedSeries
from .settings import QualitySettings

MAD_SCALE = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def _contradictions(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if any(name not in series.table.column_names for name in ("open", "high", "low", "close")):
        return
    wrong = ohlc_contradictions(series.ordered)
    if wrong.any():
        yield rows_finding(
            series,
            "ohlc_contradiction",
            series.time_ns[wrong],
            f"{counted(int(wrong.sum()), 'bar')} with open or close outside low to high",
        )


def _beyond(price: Float1D, before: Float1D, after: Float1D) -> Float1D:
    """How far ``price`` lies beyond both neighbours, on one side; 0 between them.

    A NaN neighbour is replaced by the other one.
    """
    before, after = (
        np.where(np.isnan(before), after, before),
        np.where(np.isnan(after), before, after),
    )
    above = np.minimum(price - before, price - after)
    below = np.minimum(before - price, after - price)
    distance: Float1D = np.maximum(np.maximum(above, below), 0.0)
    return distance


def local_scale(close: Float1D, row: int, settings: QualitySettings) -> float:
    """Usual size of a log return around ``row`` of the log closes, ``row`` itself left out."""
    reach = settings.spike_neighbours
    low, high = max(0, row - reach), min(len(close), row + reach + 1)
    returns = np.abs(np.diff(close[low:high]))
    own = [at for at in (row - 1 - low, row - low) if 0 <= at < len(returns)]
    returns = np.delete(returns, own)
    usual = float(np.median(returns)) * MAD_SCALE if returns.size else 0.0
    return max(usual, settings.spike_scale_floor)


def _spikes(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if not series.has_prices or len(series.time_ns) < settings.spike_neighbours:
        return
    opened, high, low, close = (
        np.log(series.numbers(name)) for name in ("open", "high", "low", "close")
    )
    edge = np.array([np.nan])
    before, after = np.concatenate([edge, close[:-1]]), np.concatenate([close[1:], edge])
    rows: dict[int, str] = {}
    for name, distance, least, scales in (
        ("open", _beyond(opened, before, close), settings.spike_least, settings.spike_scales),
        ("close", _beyond(close, before, after), settings.spike_least, settings.spike_scales),
        ("high", high - np.maximum(opened, close), settings.wick_least, settings.wick_scales),
        ("low", np.minimum(opened, close) - low, settings.wick_least, settings.wick_scales),
    ):
        for row in map(int, np.flatnonzero(distance > least)):
            if row in rows:
                continue
            is_edge = name in ("open", "close") and row in (0, len(close) - 1)
            needed = scales * (settings.spike_edge_factor if is_edge else 1.0)
            size = float(distance[row]) / local_scale(close, row, settings)
            if size > needed:
                price = float(series.numbers(name)[row])
                rows[row] = (
                    f"{time_text(int(series.time_ns[row]))}: {name} {price:g} lies "
                    f"{np.expm1(distance[row]):.1%} beyond its neighbours, {size:.0f} usual moves"
                )
    if rows:
        found = sorted(rows)
        yield rows_finding(
            series,
            "price_spike",
            series.time_ns[found],
            f"{counted(len(found), 'bar')} with a price far from its neighbours, and back",
            [rows[row] for row in found],
        )


def _flat_start(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if not series.has_prices or not series.has_volume:
        return
    run = _equal_run(series, backwards=False)
    if not settings.flat_start_least_run <= run < len(series.time_ns):
        return
    volume = series.numbers("volume")
    traded = volume[run:][volume[run:] > 0]
    if traded.size and volume[:run].max() <= settings.flat_start_volume * np.median(traded):
        yield rows_finding(
            series,
            "flat_start",
            series.time_ns[:run],
            f"the first {counted(run, 'bar')} are one flat price with next to no volume: a listing "
            "price, not trading",
        )


def _equal_run(series: CheckedSeries, *, backwards: bool) -> int:
    """Number of bars at one end whose four prices all equal the price at that end."""
    prices = [series.numbers(name) for name in ("open", "high", "low", "close")]
    end = prices[0][-1] if backwards else prices[0][0]
    same = np.logical_and.reduce([price == end for price in prices])
    if backwards:
        same = same[::-1]
    return len(same) if same.all() else int(np.argmin(same))


def _stale_tail(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if not series.has_prices or not series.has_volume:
        return
    run = _equal_run(series, backwards=True)
    silent = series.numbers("volume")[::-1] == 0
    run = min(run, len(silent) if silent.all() else int(np.argmin(silent)))
    if run >= settings.stale_tail_least_run:
        yield rows_finding(
            series,
            "stale_tail",
            series.time_ns[-run:],
            f"the last {counted(run, 'bar')} repeat one price without a trade",
        )


def _reuse(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if not series.has_prices or series.kind.is_event:
        return
    close = np.log(series.numbers("close"))
    returns = np.abs(np.diff(close))
    daily = (
        MAD_SCALE * float(np.median(returns)) * np.sqrt(DAY_NS / series.step_ns)
        if returns.size
        else 0
    )
    found: list[int] = []
    lines: list[str] = []
    for hole in holes_of(series, settings):
        length = hole.end_ns - hole.start_ns
        if length < settings.reuse_least_hole_ns:
            continue
        row = int(np.searchsorted(series.time_ns, hole.end_ns))
        jump = float(close[row] - close[row - 1])
        usual = settings.reuse_scales * daily * np.sqrt(length / DAY_NS)
        if abs(jump) > max(np.log(settings.reuse_factor), usual):
            found.append(row)
            lines.append(
                f"{time_text(hole.end_ns)}: the price is x{np.exp(jump):.6g} that of "
                f"{time_text(int(series.time_ns[row - 1]))}"
            )
    if found:
        rows: Int1D = np.array(found, dtype=np.int64)
        yield rows_finding(
            series,
            "symbol_reuse",
            series.time_ns[rows],
            f"{counted(len(found), 'hole')} after which the price is another one; treat the two sides "
            "as two coins",
            lines,
        )


CHECKS = (
    SeriesCheck("prices inside their range", ("ohlc_contradiction",), _contradictions),
    SeriesCheck("price spikes", ("price_spike",), _spikes),
    SeriesCheck("listing price", ("flat_start",), _flat_start),
    SeriesCheck("stale tail", ("stale_tail",), _stale_tail),
    SeriesCheck("symbol reuse", ("symbol_reuse",), _reuse),
)
