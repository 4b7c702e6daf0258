"""Volatility from four prices: plain Python, and simulated prices of known volatility."""

import numpy as np
import pytest

from indicators import INDICATORS_BY_NAME
from tests.oracles import indicators_measured as oracle
from tests.oracles import indicators_published as published

SERIES = oracle.parity_series()
NAMES = ("parkinson", "garman_klass", "rogers_satchell", "yang_zhang")
HOURS_A_YEAR = 8760.0


def deviation(name: str, columns: dict[str, np.ndarray], length: int) -> np.ndarray:
    return INDICATORS_BY_NAME[name].compute(columns, {"length": length})[0]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 20])
@pytest.mark.parametrize("name", NAMES)
def test_equals_its_definition(name: str, length: int, series: str) -> None:
    columns = SERIES[series]
    prices = [columns[column].tolist() for column in ("open", "high", "low", "close")]
    expected = np.sqrt(published.bar_variances(*prices, length)[name])
    found, annual = INDICATORS_BY_NAME[name].compute(columns, {"length": length})
    oracle.assert_equal_lines(found, expected)
    np.testing.assert_allclose(annual, expected * np.sqrt(HOURS_A_YEAR), rtol=1e-9, atol=1e-8)


def simulated(drift: float, jump: float, rows: int = 2001, steps: int = 1600) -> dict:
    """Bars of ``steps`` normal steps that add to a deviation of 0.01, with a jump before each bar."""
    generator = np.random.default_rng(11)
    moves = 0.01 / np.sqrt(steps) * generator.standard_normal((rows, steps)) + drift / steps
    jumps = jump * generator.standard_normal(rows)
    opens = np.cumsum(jumps + np.concatenate(([0.0], moves.sum(axis=1)[:-1])))
    paths = np.concatenate((opens[:, None], opens[:, None] + np.cumsum(moves, axis=1)), axis=1)
    return {
        "open_time": 3.6e12 * np.arange(rows),
        "open": 100.0 * np.exp(paths[:, 0]),
        "high": 100.0 * np.exp(paths.max(axis=1)),
        "low": 100.0 * np.exp(paths.min(axis=1)),
        "close": 100.0 * np.exp(paths[:, -1]),
    }


def test_each_measures_a_known_volatility_where_it_is_meant_to() -> None:
    """Within 5 %: 1,600 points miss up to 3 % of the range, and 2,000 bars leave 1 % of chance."""
    still, drifting, jumping = simulated(0.0, 0.0), simulated(0.01, 0.0), simulated(0.0, 0.01)
    for name in NAMES:
        assert deviation(name, still, 400)[400::400].mean() == pytest.approx(0.01, rel=0.05)
    for name in ("rogers_satchell", "yang_zhang"):
        assert deviation(name, drifting, 400)[400::400].mean() == pytest.approx(0.01, rel=0.05)
    assert deviation("parkinson", drifting, 400)[400::400].mean() > 0.011
    with_jumps = deviation("yang_zhang", jumping, 400)[400::400].mean()
    assert with_jumps == pytest.approx(0.01 * np.sqrt(2.0), rel=0.05)
    assert deviation("rogers_satchell", jumping, 400)[400::400].mean() < 0.0105


@pytest.mark.parametrize("name", NAMES)
def test_the_annual_volatility_counts_the_rows_of_a_year(name: str) -> None:
    columns = SERIES["walk"]
    days = {**columns, "open_time": 24.0 * columns["open_time"]}
    hourly = INDICATORS_BY_NAME[name].compute(columns, {"length": 20})[1]
    daily = INDICATORS_BY_NAME[name].compute(days, {"length": 20})[1]
    np.testing.assert_allclose(daily * np.sqrt(24.0), hourly, rtol=1e-12)
