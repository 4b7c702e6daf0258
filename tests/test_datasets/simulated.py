"""What tests of the simulated market compare: bars, series, and what is known at a close."""

from dataclasses import fields

import numpy as np

from engine import Bars, Float1D, Series

SYMBOL = "BTCSIM"


def assert_same_bars(first: Bars, second: Bars) -> None:
    for field in fields(Bars):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b


def assert_same_series(first: Series, second: Series) -> None:
    np.testing.assert_array_equal(first.event_time, second.event_time)
    np.testing.assert_array_equal(first.available_at, second.available_at)
    assert first.columns.keys() == second.columns.keys()
    for name in first.columns:
        np.testing.assert_array_equal(first.columns[name], second.columns[name], err_msg=name)


def known_at_close(bars: Bars, series: Series, column: str) -> Float1D:
    """The latest published value at each close, NaN before the first; written as a plain loop."""
    known = np.full(len(bars), np.nan)
    row = -1
    for t, now in enumerate(bars.close_time):
        while row + 1 < len(series.available_at) and series.available_at[row + 1] <= now:
            row += 1
        if row >= 0:
            known[t] = series.columns[column][row]
    return known
