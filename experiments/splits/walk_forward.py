"""Walk-forward: choose on the past, judge on what follows, move on.

Tests follow one another and never overlap, so that the results out of sample can be joined to one equity
curve. A test that would reach beyond the data is left out.
"""

import numpy as np

from engine.arrays import Int1D
from engine.errors import ConfigError, DataError

from .ranges import BarRange, Split, require_whole


def walk_forward(
    bars: int,
    *,
    train_bars: int,
    test_bars: int,
    step_bars: int | None = None,
    gap_bars: int = 0,
    anchored: bool = False,
) -> tuple[Split, ...]:
    """Splits of ``bars`` bars by number of bars, in order of time; at least one.

    ``train_bars`` before each test, from bar 0 on when ``anchored`` (the first one has ``train_bars``);
    ``gap_bars`` between them, in ``Split.purged``; ``step_bars`` from one test to the next, the test's
    length by default and no less. Raises ConfigError, naming the argument.
    """
    require_whole("bars", bars, least=1)
    for name, value in (("train_bars", train_bars), ("test_bars", test_bars)):
        require_whole(name, value, least=1)
    require_whole("gap_bars", gap_bars, least=0)
    step = test_bars if step_bars is None else step_bars
    require_whole("step_bars", step, least=1)
    if step < test_bars:
        raise ConfigError(
            f"step_bars={step} is less than test_bars={test_bars}: bars would be judged twice"
        )
    if train_bars + gap_bars + test_bars > bars:
        raise ConfigError(
            f"train_bars={train_bars}, gap_bars={gap_bars} and test_bars={test_bars} need more than the "
            f"{bars} bars there are"
        )
    at = np.arange(bars + 1, dtype=np.int64)
    return _splits(at, train_bars, test_bars, step, gap_bars, anchored)


def walk_forward_by_time(
    open_time: Int1D,
    *,
    bar_ns: int,
    train_ns: int,
    test_ns: int,
    step_ns: int | None = None,
    gap_ns: int = 0,
    anchored: bool = False,
) -> tuple[Split, ...]:
    """Splits by lengths of time, in nanoseconds; otherwise as ``walk_forward``.

    ``open_time`` ``(T,)`` int64 ns, ascending; ``bar_ns`` the length of a bar. A bar belongs to the
    window in which it opens; windows without a bar to train or to test on give no split.
    """
    times = np.asarray(open_time, dtype=np.int64)
    if times.ndim != 1 or len(times) == 0:
        raise ConfigError(f"open_time has shape {times.shape}: give the open times of T bars")
    if (np.diff(times) <= 0).any():
        row = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 1
        raise DataError(f"open_time[{row}]={times[row]} is not after the one before it")
    for name, value in (("bar_ns", bar_ns), ("train_ns", train_ns), ("test_ns", test_ns)):
        require_whole(name, value, least=1)
    require_whole("gap_ns", gap_ns, least=0)
    step = test_ns if step_ns is None else step_ns
    require_whole("step_ns", step, least=1)
    if step < test_ns:
        raise ConfigError(
            f"step_ns={step} is less than test_ns={test_ns}: bars would be judged twice"
        )
    covered = int(times[-1]) + bar_ns - int(times[0])
    if train_ns + gap_ns + test_ns > covered:
        raise ConfigError(
            f"train_ns={train_ns}, gap_ns={gap_ns} and test_ns={test_ns} need more than the {covered} ns "
            "that the bars cover"
        )
    at = np.append(times - times[0], covered)
    return _splits(at, train_ns, test_ns, step, gap_ns, anchored)


def _splits(
    at: Int1D, train: int, test: int, step: int, gap: int, anchored: bool
) -> tuple[Split, ...]:
    """``at`` ``(T + 1,)``: where each bar begins, from 0 on, and where the last one ends."""
    splits: list[Split] = []
    begin = train + gap
    while begin + test <= at[-1]:
        first = 0 if anchored else begin - gap - train
        marks = np.searchsorted(at[:-1], (first, begin - gap, begin, begin + test))
        start, train_stop, test_start, test_stop = (int(mark) for mark in marks)
        if start < train_stop and test_start < test_stop:
            splits.append(
                Split(
                    train=(BarRange(start, train_stop),),
                    test=(BarRange(test_start, test_stop),),
                    purged=(BarRange(train_stop, test_start),) if train_stop < test_start else (),
                )
            )
        begin += step
    return tuple(splits)
