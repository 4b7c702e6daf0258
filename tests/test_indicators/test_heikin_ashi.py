"""Heikin-Ashi against TA-Lib on six series."""

import numpy as np
import pytest
import talib

from indicators import heikin_ashi as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
def test_candles_equal_talib(series: str) -> None:
    columns = SERIES[series]
    *candles, side = subject.HA_TREND.compute(columns, {})
    expected = talib.HA(*(columns[name] for name in ("open", "high", "low", "close")))
    for found, answer in zip(candles, expected, strict=True):
        oracle.assert_equal_lines(found, answer)
    np.testing.assert_array_equal(side, np.sign(candles[3] - candles[0]))


def test_flat_candles_have_no_side_and_the_walk_has_both() -> None:
    assert (subject.HA_TREND.compute(SERIES["constant"], {})[4] == 0.0).all()
    assert {-1.0, 1.0} <= set(subject.HA_TREND.compute(SERIES["walk"], {})[4])
