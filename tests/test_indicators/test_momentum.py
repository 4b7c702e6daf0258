"""Oscillators against TA-Lib on six series, and their answer to a flat window."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import body_momentum, momentum, oscillator, rate_of_change, stochastic
from indicators.spec import Indicator
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
Reference = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
BodyReference = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]


def over_atr(line: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    """``line`` over TA-Lib's ATR(14), 0 where that is 0 and where running sums leave their rounding."""
    atr = talib.ATR(high, low, close, 14)
    line = np.where(np.abs(line) < 1e-12, 0.0, line)
    return np.where(atr == 0, 0.0 * line, line / np.where(atr == 0, 1.0, atr))


PAIRS: dict[str, tuple[Indicator, dict[str, float], Reference]] = {
    "cci": (oscillator.CCI, {"length": 20}, lambda h, l, c: (talib.CCI(h, l, c, 20),)),
    "momentum": (rate_of_change.MOMENTUM, {"length": 10}, lambda h, l, c: (talib.MOM(c, 10),)),
    "roc": (rate_of_change.ROC, {"length": 10}, lambda h, l, c: (talib.ROC(c, 10),)),
    "cmo": (
        momentum.CMO,
        {"length": 14},
        lambda h, l, c: (talib.CMO(c, 14), talib.CMOU(c, 14)),
    ),
    "tsi": (momentum.TSI, {"first": 25, "second": 13}, lambda h, l, c: (talib.TSI(c, 25, 13),)),
    "ppo": (momentum.PPO, {"fast": 12, "slow": 26}, lambda h, l, c: (talib.PPO(c, 12, 26, 1),)),
    "trix": (rate_of_change.TRIX, {"length": 15}, lambda h, l, c: (talib.TRIX(c, 15),)),
    "ao": (
        oscillator.AO,
        {"fast": 5, "slow": 34, "atr_length": 14},
        lambda h, l, c: (talib.AO(h, l, 5, 34), over_atr(talib.AO(h, l, 5, 34), h, l, c)),
    ),
    "ac": (
        oscillator.AC,
        {"fast": 5, "slow": 34, "signal": 5},
        lambda h, l, c: (talib.AC(h, l, 5, 34, 5),),
    ),
    "eri": (oscillator.ERI, {"length": 13}, lambda h, l, c: talib.ERI(h, l, c, 13)),
    "smi": (
        stochastic.SMI,
        {"length": 13, "fast": 2, "slow": 25, "signal": 9},
        lambda h, l, c: talib.SMI(h, l, c, 13, 2, 25, 9),
    ),
    "coppock": (
        rate_of_change.COPPOCK,
        {"short": 11, "long": 14, "length": 10},
        lambda h, l, c: (talib.COPPOCK(c, 10, 11, 14),),
    ),
    "fosc": (momentum.FOSC, {"length": 5}, lambda h, l, c: (talib.FOSC(c, 5),)),
    "fosc_long": (momentum.FOSC, {"length": 50}, lambda h, l, c: (talib.FOSC(c, 50),)),
}
WITH_FLAT: dict[str, tuple[Indicator, dict[str, float], Reference, tuple[float, ...]]] = {
    "rsi": (momentum.RSI, {"length": 14}, lambda h, l, c: (talib.RSI(c, 14),), (50.0,)),
    "williams_r": (
        stochastic.WILLIAMS_R,
        {"length": 14},
        lambda h, l, c: (talib.WILLR(h, l, c, 14),),
        (-50.0,),
    ),
    "ultimate_oscillator": (
        oscillator.ULTIMATE_OSCILLATOR,
        {"short": 7, "middle": 14, "long": 28},
        lambda h, l, c: (talib.ULTOSC(h, l, c, 7, 14, 28),),
        (50.0,),
    ),
    "stochastic": (
        stochastic.STOCHASTIC,
        {"length": 14, "k_smoothing": 3, "d_smoothing": 3},
        lambda h, l, c: talib.STOCH(h, l, c, 14, 3, 0, 3, 0),
        (50.0, 50.0),
    ),
    "stochastic_rsi": (
        stochastic.STOCHASTIC_RSI,
        {"length": 14, "range_length": 14, "d_smoothing": 3},
        lambda h, l, c: talib.STOCHRSI(c, 14, 14, 3, 0),
        (50.0, 50.0),
    ),
    "kdj": (
        stochastic.KDJ,
        {"length": 9, "k_smoothing": 3, "d_smoothing": 3},
        lambda h, l, c: talib.KDJ(h, l, c, 9, 3, 13, 3, 13),
        (50.0, 50.0, 50.0),
    ),
}
BODY_PAIRS: dict[str, tuple[Indicator, dict[str, float], BodyReference]] = {
    "bop": (body_momentum.BOP, {}, lambda o, h, l, c: (talib.BOP(o, h, l, c),)),
    "qstick": (body_momentum.QSTICK, {"length": 10}, lambda o, h, l, c: (talib.QSTICK(o, c, 10),)),
    "imi": (body_momentum.IMI, {"length": 14}, lambda o, h, l, c: (talib.IMI(o, c, 14),)),
}
MOVING = ("walk", "monotone", "alternating", "zero_volume")
STANDS_STILL = {("stochastic_rsi", "monotone")}
"""The RSI of a rising line is 100 on every row: it is the RSI that does not move."""
SMOOTHED = ("stochastic", "stochastic_rsi", "kdj")
"""Their first answer to a tick still holds the flat rows before it, which TA-Lib calls 0."""


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


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("name", BODY_PAIRS)
def test_momentum_of_the_body_equals_talib(name: str, series: str) -> None:
    indicator, parameters, reference = BODY_PAIRS[name]
    found = indicator.compute(SERIES[series], parameters)
    expected = reference(SERIES[series]["open"], *prices(series))
    for ours, theirs in zip(found, expected, strict=True):
        oracle.assert_equal_lines(ours, theirs)
        assert np.isnan(ours).sum() == indicator.lookback(parameters)


@pytest.mark.parametrize("series", MOVING)
@pytest.mark.parametrize("name", WITH_FLAT)
def test_equals_talib_where_something_moved(name: str, series: str) -> None:
    indicator, parameters, reference, middles = WITH_FLAT[name]
    found = indicator.compute(SERIES[series], parameters)
    if (name, series) in STANDS_STILL:
        for ours, middle in zip(found, middles, strict=True):
            np.testing.assert_array_equal(ours[indicator.lookback(parameters) :], middle)
        return
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
        if name not in SMOOTHED:
            assert ours[jump] == pytest.approx(expected[jump], rel=1e-9)


def test_a_missing_close_is_never_taken_for_a_close_that_stood_still() -> None:
    """Wilder's means remember it for ever, plain sums for as long as a window holds it."""
    close = SERIES["walk"]["close"].copy()
    close[200] = np.nan
    sound = momentum.cutler_strength_index(SERIES["walk"]["close"], 14)
    assert np.isnan(momentum.relative_strength_index(close, 14)[200:]).all()
    plain = momentum.cutler_strength_index(close, 14)
    assert np.isnan(plain[200:215]).all()
    oracle.assert_equal_lines(np.delete(plain, range(200, 215)), np.delete(sound, range(200, 215)))


@pytest.mark.parametrize("series", SERIES)
def test_cutlers_index_equals_the_oracle(series: str) -> None:
    (found,) = momentum.RSI_CUTLER.compute(SERIES[series], {"length": 14})
    oracle.assert_equal_lines(found, oracle.cutler(SERIES[series]["close"].tolist(), 14))


@pytest.mark.parametrize("series", ["walk", "zero_volume"])
def test_ao_score_equals_its_definition(series: str) -> None:
    high, low, close = prices(series)
    parameters = oscillator.AO_SCORE.resolved({"window": 50})
    (found,) = oscillator.AO_SCORE.compute(SERIES[series], parameters)
    ao, atr = talib.AO(high, low, 5, 34), talib.ATR(high, low, close, 14)
    rank = np.full(len(ao), np.nan)
    rank[33:] = talib.PERCENTRANK(ao[33:], 50)
    level = 50.0 + 50.0 * np.tanh(ao / atr / 0.5)
    turn = 50.0 + 50.0 * np.tanh(np.diff(ao, prepend=np.nan) / atr / 0.1)
    oracle.assert_equal_lines(found, 0.5 * level + 0.3 * turn + 0.2 * rank)


def test_lengths_out_of_order_are_refused() -> None:
    columns = SERIES["walk"]
    with pytest.raises(ConfigError, match="fast=26 must be less than slow=12"):
        momentum.PPO.compute(columns, {"fast": 26.0, "slow": 12.0})
    with pytest.raises(ConfigError, match="middle=40 must be less than long=28"):
        oscillator.ULTIMATE_OSCILLATOR.compute(
            columns, {"short": 7.0, "middle": 40.0, "long": 28.0}
        )
