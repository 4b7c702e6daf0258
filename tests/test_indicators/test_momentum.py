"""Oscillators against TA-Lib on six series, and their answer to a flat window."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import momentum as subject
from indicators.spec import Indicator
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
Reference = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]

PAIRS: dict[str, tuple[Indicator, dict[str, float], Reference]] = {
    "cci": (subject.CCI, {"length": 20}, lambda h, l, c: (talib.CCI(h, l, c, 20),)),
    "momentum": (subject.MOMENTUM, {"length": 10}, lambda h, l, c: (talib.MOM(c, 10),)),
    "roc": (subject.ROC, {"length": 10}, lambda h, l, c: (talib.ROC(c, 10),)),
    "cmo": (
        subject.CMO,
        {"length": 14},
        lambda h, l, c: (talib.CMO(c, 14), talib.CMOU(c, 14)),
    ),
    "tsi": (subject.TSI, {"first": 25, "second": 13}, lambda h, l, c: (talib.TSI(c, 25, 13),)),
    "ppo": (subject.PPO, {"fast": 12, "slow": 26}, lambda h, l, c: (talib.PPO(c, 12, 26, 1),)),
    "trix": (subject.TRIX, {"length": 15}, lambda h, l, c: (talib.TRIX(c, 15),)),
    "ao": (subject.AO, {"fast": 5, "slow": 34}, lambda h, l, c: (talib.AO(h, l, 5, 34),)),
}
WITH_FLAT: dict[str, tuple[Indicator, dict[str, float], Reference, tuple[float, ...]]] = {
    "rsi": (subject.RSI, {"length": 14}, lambda h, l, c: (talib.RSI(c, 14),), (50.0,)),
    "williams_r": (
        subject.WILLIAMS_R,
        {"length": 14},
        lambda h, l, c: (talib.WILLR(h, l, c, 14),),
        (-50.0,),
    ),
    "ultimate_oscillator": (
        subject.ULTIMATE_OSCILLATOR,
        {"short": 7, "middle": 14, "long": 28},
        lambda h, l, c: (talib.ULTOSC(h, l, c, 7, 14, 28),),
        (50.0,),
    ),
    "stochastic": (
        subject.STOCHASTIC,
        {"length": 14, "k_smoothing": 3, "d_smoothing": 3},
        lambda h, l, c: talib.STOCH(h, l, c, 14, 3, 0, 3, 0),
        (50.0, 50.0),
    ),
}
MOVING = ("walk", "monotone", "alternating", "zero_volume")


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("name", PAIRS)
def test_equals_talib(name: str, series: str) -> None:
    indicator, parameters, reference = PAIRS[name]
    found = indicator.compute(SERIES[series], parameters)
    for ours, expected in zip(found, reference(*prices(series)), strict=True):
        oracle.assert_equal_lines(ours, expected)
        assert np.isnan(ours).sum() == indicator.lookback(parameters)


@pytest.mark.parametrize("series", MOVING)
@pytest.mark.parametrize("name", WITH_FLAT)
def test_equals_talib_where_something_moved(name: str, series: str) -> None:
    indicator, parameters, reference, _ = WITH_FLAT[name]
    found = indicator.compute(SERIES[series], parameters)
    for ours, expected in zip(found, reference(*prices(series)), strict=True):
        oracle.assert_equal_lines(ours, expected)


@pytest.mark.parametrize("name", WITH_FLAT)
def test_a_flat_market_is_in_the_middle(name: str) -> None:
    indicator, parameters, _, middles = WITH_FLAT[name]
    for ours, middle in zip(
        indicator.compute(SERIES["constant"], parameters), middles, strict=True
    ):
        np.testing.assert_array_equal(ours[indicator.lookback(parameters) :], middle)


@pytest.mark.parametrize("name", WITH_FLAT)
def test_one_tick_ends_the_middle_where_talib_ends_its_0(name: str) -> None:
    indicator, parameters, reference, middles = WITH_FLAT[name]
    jump = len(SERIES["one_tick"]["close"]) // 2
    found = indicator.compute(SERIES["one_tick"], parameters)
    for ours, middle, expected in zip(found, middles, reference(*prices("one_tick")), strict=True):
        assert ours[jump - 1] == middle
        assert ours[jump] > middle
        if name != "stochastic":  # its smoothing mixes the flat rows before the jump
            assert ours[jump] == pytest.approx(expected[jump], rel=1e-9)


@pytest.mark.parametrize("series", SERIES)
def test_cutlers_index_equals_the_oracle(series: str) -> None:
    (found,) = subject.RSI_CUTLER.compute(SERIES[series], {"length": 14})
    oracle.assert_equal_lines(found, oracle.cutler(SERIES[series]["close"].tolist(), 14))


@pytest.mark.parametrize("series", ["walk", "zero_volume"])
def test_ao_score_equals_its_definition(series: str) -> None:
    high, low, close = prices(series)
    parameters = subject.AO_SCORE.resolved({"window": 50})
    (found,) = subject.AO_SCORE.compute(SERIES[series], parameters)
    ao, atr = talib.AO(high, low, 5, 34), talib.ATR(high, low, close, 14)
    rank = np.full(len(ao), np.nan)
    rank[33:] = talib.PERCENTRANK(ao[33:], 50)
    level = 50.0 + 50.0 * np.tanh(ao / atr / 0.5)
    turn = 50.0 + 50.0 * np.tanh(np.diff(ao, prepend=np.nan) / atr / 0.1)
    oracle.assert_equal_lines(found, 0.5 * level + 0.3 * turn + 0.2 * rank)


def test_lengths_out_of_order_are_refused() -> None:
    columns = SERIES["walk"]
    with pytest.raises(ConfigError, match="fast=26 must be less than slow=12"):
        subject.PPO.compute(columns, {"fast": 26.0, "slow": 12.0})
    with pytest.raises(ConfigError, match="middle=40 must be less than long=28"):
        subject.ULTIMATE_OSCILLATOR.compute(columns, {"short": 7.0, "middle": 40.0, "long": 28.0})
