"""Candlesticks: TA-Lib's 61, and those that need a gap with a relaxed one."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import pytest
import talib

from engine import Float1D
from indicators import candlestick
from indicators.candlestick import INDECISION, PATTERNS, PENETRATION, REVERSALS, TREND_FILTERED
from indicators.candlestick_relaxed import (
    CANDLESTICK_RELAXED,
    CANDLESTICK_REVERSAL_RELAXED,
    RELAXED,
    relaxed_pattern,
)
from indicators.spec import Indicator
from tests.generators import random_bars
from tests.oracles.candlesticks_published import PANDAS_TA_CLASSIC, gapped_candles

Prices: TypeAlias = tuple[float, float, float, float]
ROWS = 60_000
SETTLED = 30
"""Rows behind which no average of ten bars and no true range of fourteen is still unknown."""


@cache
def gapped() -> dict[str, Float1D]:
    return gapped_candles(ROWS, 2)


@cache
def gapless(tick: float) -> dict[str, Float1D]:
    """Bars of thirty steps that open at the close before, or up to one ``tick`` beside it."""
    draw = np.random.default_rng(11)
    pace = np.exp(np.repeat(draw.normal(0.0, 0.5, ROWS // 50), 50))
    inside = np.cumsum(draw.normal(0.0, 0.05, (ROWS, 30)) * pace[:, None], axis=1)
    start = 1000.0 + np.concatenate(([0.0], np.cumsum(inside[:, -1])[:-1]))
    close = start + inside[:, -1]
    open_ = np.concatenate((start[:1], close[:-1])) + tick * draw.integers(-1, 2, ROWS)
    return {
        "open": open_,
        "high": np.maximum(np.maximum(open_, close), start + inside.max(axis=1)),
        "low": np.minimum(np.minimum(open_, close), start + inside.min(axis=1)),
        "close": close,
    }


def outputs_of(
    indicator: Indicator, columns: dict[str, Float1D], **parameters: float
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, indicator.resolved(parameters))
    return {o.name: column for o, column in zip(indicator.outputs, computed, strict=True)}


def talib_value(columns: dict[str, Float1D], name: str) -> Float1D:
    prices = [columns[key] for key in ("open", "high", "low", "close")]
    options = {"penetration": PENETRATION[name]} if name in PENETRATION else {}
    return getattr(talib, f"CDL{name.upper()}")(*prices, **options)


def quiet_then(*candles: Prices) -> dict[str, Float1D]:
    """Forty bars from 99 to 101 with a body of 1, an ATR of 2, and then ``candles`` of 102 and less."""
    quiet = [(99.5, 101.0, 99.0, 100.5), (100.5, 101.0, 99.0, 99.5)] * 20
    table = np.array([*quiet, *candles])
    return {
        key: table[:, place].copy() for place, key in enumerate(("open", "high", "low", "close"))
    }


def test_candles_are_talibs() -> None:
    assert sorted(PATTERNS) == sorted(
        name.removeprefix("CDL").lower()
        for name in talib.get_function_groups()["Pattern Recognition"]
    )
    bars = random_bars(2000, 9)
    columns = dict(bars.columns())
    got = outputs_of(candlestick.CANDLESTICK, columns)
    for name in set(PATTERNS) - set(INDECISION) - set(TREND_FILTERED):
        assert np.array_equal(got[name], np.sign(talib_value(columns, name))), name
    for name in INDECISION:
        assert np.array_equal(got[name], talib_value(columns, name) != 0), name
    raw = talib.CDLHAMMER(bars.open, bars.high, bars.low, bars.close)
    mean = talib.SMA(bars.close, 10)
    falling = (bars.close < mean) & (np.diff(mean, prepend=np.nan) < 0)
    assert np.array_equal(got["hammer"], np.where(falling, np.sign(raw), 0))
    assert 0 < got["hammer"].sum() < (raw != 0).sum()
    directional = [n for n in PATTERNS if n not in INDECISION]
    assert np.array_equal(got["bullish_count"], sum(got[n] > 0 for n in directional))
    assert np.array_equal(got["bearish_count"], sum(got[n] < 0 for n in directional))
    assert np.array_equal(got["indecision_count"], sum(got[n] for n in INDECISION))


@pytest.mark.parametrize("name", PATTERNS)
def test_equals_pandas_ta_classic(name: str) -> None:
    value = talib_value(gapped(), name)[SETTLED:]
    rows = np.arange(SETTLED, ROWS)
    found = (np.count_nonzero(value), int(rows @ np.sign(value)), int(np.abs(value).sum()))
    assert found == PANDAS_TA_CLASSIC[name]
    assert found[0] > 0
    ours = candlestick.candlestick_pattern(gapped(), name)[SETTLED:]
    if name not in TREND_FILTERED:
        assert np.array_equal(ours, value)
    else:
        assert 0 < np.count_nonzero(ours) < found[0]
        assert np.array_equal(ours[ours != 0], value[ours != 0])


def test_one_bad_bar_does_not_silence_the_candles_behind_it() -> None:
    bars = random_bars(600, 9)
    columns = {name: column.copy() for name, column in bars.columns().items()}
    for name in ("open", "high", "low", "close"):
        columns[name][300] = np.nan
    for indicator, rows in ((candlestick.CANDLESTICK, 340), (CANDLESTICK_RELAXED, 560)):
        clean = outputs_of(indicator, dict(bars.columns()))
        got = outputs_of(indicator, columns)
        for name in clean:
            assert np.array_equal(got[name][rows:], clean[name][rows:]), name


def test_reversals_count_and_grade() -> None:
    bars = random_bars(1500, 9)
    columns = dict(bars.columns())
    got = outputs_of(candlestick.CANDLESTICK_REVERSAL, columns)
    values = np.stack([candlestick.candlestick_pattern(columns, n) for n in REVERSALS])
    assert np.array_equal(got["bullish_count"], (values > 0).sum(axis=0))
    assert np.array_equal(got["bearish_count"], (values < 0).sum(axis=0))
    lone = got["bullish_count"] == 1
    assert np.array_equal(got["bullish_strength"][lone], values.max(axis=0)[lone] / 100)
    assert set(np.unique(got["bullish_strength"])) >= {0.0, 0.8, 1.0}


@pytest.mark.parametrize("name", RELAXED)
def test_without_slack_a_relaxed_pattern_is_talibs(name: str) -> None:
    expected = np.sign(candlestick.candlestick_pattern(gapped(), name))
    assert np.array_equal(relaxed_pattern(gapped(), name, 0.0)[SETTLED:], expected[SETTLED:])


def test_relaxed_reversals_are_the_strict_ones_without_slack_and_more_with_it() -> None:
    strict = outputs_of(candlestick.CANDLESTICK_REVERSAL, gapped())
    without = outputs_of(CANDLESTICK_REVERSAL_RELAXED, gapped(), overlap_atr=0.0)
    for name, column in strict.items():
        assert np.array_equal(without[name][SETTLED:], column[SETTLED:]), name
    columns = gapless(0.0)
    relaxed = outputs_of(CANDLESTICK_REVERSAL_RELAXED, columns)
    values = np.stack([
        relaxed_pattern(columns, name) if name in RELAXED
        else np.sign(candlestick.candlestick_pattern(columns, name))
        for name in REVERSALS
    ])  # fmt: skip
    assert np.array_equal(relaxed["bullish_count"], (values > 0).sum(axis=0))
    assert np.array_equal(relaxed["bearish_count"], (values < 0).sum(axis=0))
    fires = np.count_nonzero(outputs_of(candlestick.CANDLESTICK_REVERSAL, columns)["signal"])
    assert np.count_nonzero(relaxed["signal"]) > fires


RARE = {"3starsinsouth"}
"""Possible without gaps, but not met among 60,000 bars."""


@pytest.mark.parametrize("name", RELAXED)
def test_a_relaxed_pattern_is_wherever_talibs_is(name: str) -> None:
    strict = np.sign(candlestick.candlestick_pattern(gapped(), name))[SETTLED:]
    relaxed = relaxed_pattern(gapped(), name)[SETTLED:]
    assert np.array_equal(relaxed[strict != 0], strict[strict != 0])
    more = np.count_nonzero(relaxed) - np.count_nonzero(strict)
    assert more > 0 or name in RARE


def test_what_never_fires_without_gaps_does_when_relaxed() -> None:
    columns = gapless(0.0)
    silent = {name for name in PATTERNS if not talib_value(columns, name).any()}
    assert len(silent) == 35
    assert silent == {*RELAXED, "counterattack"}
    counts = {name: np.count_nonzero(relaxed_pattern(columns, name)) for name in RELAXED}
    assert {name for name, count in counts.items() if count == 0} == RARE


def test_relaxed_patterns_do_not_hang_on_a_tick() -> None:
    exact, beside = gapless(0.0), gapless(0.01)
    for name in RELAXED:
        pair = [np.count_nonzero(relaxed_pattern(c, name)) for c in (exact, beside)]
        assert abs(pair[0] - pair[1]) <= 10 + 0.25 * max(pair), name


WHITE = (99.5, 102.5, 99.5, 102.5)
BLACK = (100.5, 100.5, 97.5, 97.5)
AFTER_WHITE_ATR = (13 * 2.0 + 3.0) / 14
"""ATR behind one candle with a range of 3."""


DOWN_TO_99_9 = (102.4, 102.4, 99.9, 99.9)
UP_TO_100_1 = (97.6, 100.1, 97.6, 100.1)
CLIMB = [(100.0 + i, 101.5 + i, 99.5 + i, 101.0 + i) for i in range(12)]
SHORT_BY: dict[str, tuple[int, Callable[[float], list[Prices]]]] = {
    # The body of the star begins that much inside the body before it.
    "eveningstar": (-1, lambda x: [WHITE, (102.5 - x, 103.0, 102.4 - x, 102.7), DOWN_TO_99_9]),
    "eveningdojistar": (-1, lambda x: [WHITE, (102.5 - x, 103.0, 102.0, 102.51 - x), DOWN_TO_99_9]),
    "dojistar": (-1, lambda x: [WHITE, (102.5 - x, 103.0, 102.0, 102.51 - x)]),
    "morningstar": (1, lambda x: [BLACK, (97.5 + x, 97.6 + x, 97.0, 97.2), UP_TO_100_1]),
    "shootingstar": (-1, lambda x: [*CLIMB, (112.0 - x, 115.0, 112.0 - x, 112.5 - x)]),
    # The open falls short of the high or the low by that much.
    "darkcloudcover": (-1, lambda x: [WHITE, (102.5 - x, 102.5, 100.5, 100.6)]),
    "piercing": (1, lambda x: [BLACK, (97.5 + x, 99.5, 97.5, 99.4)]),
    "thrusting": (-1, lambda x: [BLACK, (97.5 + x, 98.7, 97.5, 98.6)]),
    # The second body ends that much outside the first, or fails that much to begin outside it.
    "homingpigeon": (1, lambda x: [BLACK, (98.0, 98.2, 97.2 - x, 97.5 - x)]),
    "3outside": (
        1,
        lambda x: [
            (99.5, 99.5, 98.5, 98.5),
            (98.5 + x, 100.0, 98.4, 99.9),
            (99.9, 100.5, 99.8, 100.4),
        ],
    ),
}
"""Pattern: its sign, and candles that fall short of its level by a distance."""
OF_THREE = {"eveningstar", "eveningdojistar", "morningstar", "3outside"}


@pytest.mark.parametrize("name", SHORT_BY)
def test_falls_short_by_a_quarter_of_the_range(name: str) -> None:
    sign, candles = SHORT_BY[name]
    columns = quiet_then(*candles(0.0))
    first = -3 if name in OF_THREE else -2
    atr = talib.ATR(columns["high"], columns["low"], columns["close"], timeperiod=14)[first]
    for short, expected in ((0.98 * 0.25 * atr, sign), (1.02 * 0.25 * atr, 0)):
        assert relaxed_pattern(quiet_then(*candles(short)), name)[-1] == expected, short
    assert relaxed_pattern(quiet_then(*candles(0.24 * atr)), name, 0.0)[-1] == 0


def test_kicking_reaches_beyond_the_first_candle() -> None:
    slack = 0.25 * AFTER_WHITE_ATR
    for reach, expected in ((1.02 * slack, 1), (0.98 * slack, 0)):
        end = 100.5 + reach
        columns = quiet_then(BLACK, (97.5, end, 97.5, end))
        assert relaxed_pattern(columns, "kicking")[-1] == expected
        assert relaxed_pattern(columns, "kickingbylength")[-1] == expected
        assert talib_value(columns, "kicking")[-1] == 0


MIRRORS = {
    "morningstar": "eveningstar", "morningdojistar": "eveningdojistar",
    "abandonedbaby": "abandonedbaby", "dojistar": "dojistar", "kicking": "kicking",
    "tristar": "tristar",
}  # fmt: skip
"""Those that do not ask for the colour of a candle that may have no body: TA-Lib calls it white."""


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirrored_market_shows_the_mirrored_pattern(name: str) -> None:
    upright = gapped()
    turned = {
        "open": -upright["open"], "high": -upright["low"],
        "low": -upright["high"], "close": -upright["close"],
    }  # fmt: skip
    assert np.array_equal(relaxed_pattern(turned, name), -relaxed_pattern(upright, MIRRORS[name]))


def test_relaxed_counts_are_the_sums_of_the_patterns() -> None:
    got = outputs_of(CANDLESTICK_RELAXED, gapless(0.0))
    for side, count in ((1, "bullish_count"), (-1, "bearish_count")):
        assert np.array_equal(got[count], sum(got[name] == side for name in RELAXED))
    assert set(got) == {*RELAXED, "bullish_count", "bearish_count"}


@pytest.mark.parametrize("rows", range(6))
def test_short_and_flat_markets_have_no_relaxed_pattern(rows: int) -> None:
    columns = {key: column[:rows] for key, column in gapped().items()}
    flat = {key: np.full(200 + rows, 7.0) for key in columns}
    for market in (columns, flat):
        assert not np.any(CANDLESTICK_RELAXED.compute(market, {"overlap_atr": 0.25}))
