"""A grid of parameter sets equals the single calls to the last bit, in lanes and on threads."""

import numpy as np
import pytest

from engine import ConfigError, DataError
from indicators import INDICATORS_BY_NAME
from indicators.grid import LANE_COUNT, LANES, indicator_grid
from tests.generators import random_bars

LENGTHS = (2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 20)
NAMES = (
    "ema",
    "rma",
    "atr",
    "sma",
    "wma",
    "adx",
    "dema",
    "kama",
    "bollinger",
    "linreg",
    "rsi",
    "vortex",
)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [0, 1, 7, 60, 700])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_single_calls(name: str, rows: int, threads: int) -> None:
    indicator = INDICATORS_BY_NAME[name]
    bars = random_bars(700, 5).columns()
    columns = {column: bars[column][:rows] for column in indicator.inputs}
    length = next(one for one in indicator.parameters if one.name == "length")
    sets = [{"length": n} for n in LENGTHS if length.low <= n <= length.high]
    found = indicator_grid(indicator, columns, sets, threads=threads)
    assert len(found) == len(sets)
    for outputs, given in zip(found, sets, strict=True):
        expected = indicator.compute(columns, indicator.resolved(given))
        for ours, single in zip(outputs, expected, strict=True):
            np.testing.assert_array_equal(ours, single)


@pytest.mark.parametrize("count", [1, LANE_COUNT - 1, LANE_COUNT, LANE_COUNT + 1])
def test_any_number_of_sets_fills_the_lanes(count: int) -> None:
    columns = random_bars(300, 6).columns()
    for indicator in LANES:
        sets = [{"length": 2.0 + 3 * place} for place in range(count)]
        found = indicator_grid(indicator, columns, sets)
        assert len(found) == count
        expected = indicator.compute(columns, indicator.resolved(sets[-1]))
        np.testing.assert_array_equal(found[-1][0], expected[0])


def test_results_do_not_share_memory() -> None:
    columns = random_bars(300, 6).columns()
    first, second = indicator_grid(LANE_INDICATOR, columns, [{"length": 5}, {"length": 5}])
    first[0][:] = 0.0
    assert second[0][-1] != 0.0


LANE_INDICATOR = INDICATORS_BY_NAME["ema"]


def test_what_is_amiss_is_named() -> None:
    columns = random_bars(50, 6).columns()
    with pytest.raises(ConfigError, match="threads=0 must be at least 1"):
        indicator_grid(LANE_INDICATOR, columns, [{}], threads=0)
    with pytest.raises(ConfigError, match=r"indicator ema: length=1.0 must lie in"):
        indicator_grid(LANE_INDICATOR, columns, [{"length": 1.0}])
    with pytest.raises(
        DataError, match="indicator ema reads column 'close'; given are \\['open'\\]"
    ):
        indicator_grid(LANE_INDICATOR, {"open": columns["open"]}, [{}])
