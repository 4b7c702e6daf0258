"""Bars of a longer step, built from the bars below them."""

import numpy as np

from engine import (
    FLOW_COLUMNS,
    Bars,
    ConfigError,
    Float1D,
    Int1D,
    grid_origin_ns,
    kernel,
    timeframe_ns,
)


@kernel(nogil=True)
def _bucket_bars_kernel(
    bucket: Int1D, open_: Float1D, high: Float1D, low: Float1D, close: Float1D, count: int
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    out_open, out_high = np.empty(count), np.empty(count)
    out_low, out_close = np.empty(count), np.empty(count)
    for row in range(len(bucket)):
        target = bucket[row] - bucket[0]
        if row == 0 or bucket[row] != bucket[row - 1]:
            out_open[target] = open_[row]
            out_high[target] = high[row]
            out_low[target] = low[row]
        else:
            out_high[target] = max(out_high[target], high[row])
            out_low[target] = min(out_low[target], low[row])
        out_close[target] = close[row]
    return out_open, out_high, out_low, out_close


def resampled(bars: Bars, timeframe: str) -> Bars | None:
    """Bars of ``timeframe`` aggregated from ``bars``; None when they do not begin a single one.

    Open of the first, highest high, lowest low, close of the last, sums of the volumes; a bar is a
    gap when every bar under it is. A first bucket that does not begin with its first bar is left
    out; a last bucket that is not complete is kept, and is known only at its own close, which lies
    after every close of ``bars``. Weeks start on Monday 00:00 UTC.

    Raises ConfigError when ``timeframe`` is not a multiple of the step of ``bars``.
    """
    step, source_step = timeframe_ns(timeframe), bars.step_ns
    if step == source_step:
        return bars
    if step % source_step:
        raise ConfigError(
            f"timeframe={timeframe} cannot be built from {bars.timeframe} bars: its length is not a "
            "multiple of theirs"
        )
    bucket = (bars.open_time - grid_origin_ns(timeframe)) // step
    first = 0
    if (bars.open_time[0] - grid_origin_ns(timeframe)) % step:
        first = int(np.searchsorted(bucket, bucket[0] + 1))
        if first == len(bars):
            return None
    bucket = bucket[first:]
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    count = len(starts)
    open_, high, low, close = _bucket_bars_kernel(
        bucket,
        np.ascontiguousarray(bars.open[first:]),
        np.ascontiguousarray(bars.high[first:]),
        np.ascontiguousarray(bars.low[first:]),
        np.ascontiguousarray(bars.close[first:]),
        count,
    )
    flows = {
        name: np.add.reduceat(column[first:], starts)
        for name in FLOW_COLUMNS
        if (column := getattr(bars, name)) is not None
    }
    return Bars(
        symbol=bars.symbol,
        timeframe=timeframe,
        open_time=bucket[starts] * step + grid_origin_ns(timeframe),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.add.reduceat(bars.volume[first:], starts),
        is_gap=np.logical_and.reduceat(bars.is_gap[first:], starts),
        **flows,
    )
