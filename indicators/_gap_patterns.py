"""The conditions of the candlestick patterns that need a price gap, with slack where they need it.

TA-Lib's own, pattern by pattern; what is relaxed is said in ``candlestick_relaxed``. Each is a function
of the pattern's candles in order of time.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from engine import Bool1D, Float1D

from ._candle import (
    Candle,
    beyond,
    gap_down,
    gap_onwards,
    gap_up,
    opens_within,
)
from .candlestick import PENETRATION

Pattern: TypeAlias = Callable[..., Float1D]
"""Candles in order of time to the sign of the pattern on the row of the last: -1, 0 or 1."""


def _signed(up: Bool1D, down: Bool1D) -> Float1D:
    return up.astype(np.float64) - down.astype(np.float64)


def _bullish(fires: Bool1D) -> Float1D:
    return fires.astype(np.float64)


def _bearish(fires: Bool1D) -> Float1D:
    return -fires.astype(np.float64)


def _retraces(first: Candle, last: Candle, name: str) -> Bool1D:
    """``last`` has the other colour and closes well within the body of ``first``."""
    depth = first.body * PENETRATION[name]
    end = first.close - first.colour * depth
    returns: Bool1D = (last.colour == -first.colour) & (first.colour * (last.close - end) < 0)
    return returns


def _two_crows(a: Candle, b: Candle, c: Candle) -> Float1D:
    falls = (c.close > a.open) & (c.close < a.close)
    return _bearish(
        a.white & a.long & b.black & gap_up(a, b) & c.black & opens_within(c, b) & falls
    )


def _upside_gap_two_crows(a: Candle, b: Candle, c: Candle) -> Float1D:
    stays = beyond(1.0, c.close, a.close, a.slack)
    engulfs = beyond(1.0, c.open, b.open, b.slack) & (c.close < b.close)
    return _bearish(
        a.white & a.long & b.black & b.not_long & gap_up(a, b) & c.black & engulfs & stays
    )


def _three_black_crows(before: Candle, a: Candle, b: Candle, c: Candle) -> Float1D:
    crows = [crow.black & crow.tiny(crow.lower_shadow) for crow in (a, b, c)]
    falls = (before.high > a.close) & (a.close > b.close) & (b.close > c.close)
    opens = opens_within(b, a) & opens_within(c, b)
    return _bearish(before.white & crows[0] & crows[1] & crows[2] & opens & falls)


def _three_inside(a: Candle, b: Candle, c: Candle) -> Float1D:
    within = opens_within(b, a) & (b.close < a.top) & (b.close > a.bottom)
    beyond = (c.colour == -a.colour) & (a.colour * (c.close - a.open) < 0)
    return np.where(a.long & b.not_long & within & beyond, -a.colour, 0.0)


def _three_outside(a: Candle, b: Candle, c: Candle) -> Float1D:
    opens = beyond(-b.colour, b.open, a.close, a.slack)
    engulfs = (b.colour == -a.colour) & opens & (b.colour * (b.close - a.open) > 0)
    return np.where(engulfs & (b.colour * (c.close - b.close) > 0), b.colour, 0.0)


def _three_line_strike(a: Candle, b: Candle, c: Candle, d: Candle) -> Float1D:
    alike = (a.colour == b.colour) & (b.colour == c.colour) & (d.colour == -c.colour)
    near = [
        (after.open >= one.bottom - 0.2 * one.recent_range)
        & (after.open <= one.top + 0.2 * one.recent_range)
        for one, after in ((a, b), (b, c))
    ]
    rises = (c.colour * (c.close - b.close) > 0) & (c.colour * (b.close - a.close) > 0)
    opens = beyond(c.colour, d.open, c.close, c.slack)
    strikes = c.colour * (d.close - a.open) < 0
    return np.where(alike & near[0] & near[1] & rises & opens & strikes, c.colour, 0.0)


def _three_stars_in_the_south(a: Candle, b: Candle, c: Candle) -> Float1D:
    first = a.black & a.long & (a.lower_shadow > a.body)
    opens = beyond(1.0, b.open, a.close, a.slack) & (b.open <= a.high)
    holds = (b.low < a.close) & (b.low >= a.low) & (b.lower_shadow > 0.1 * b.mean_range)
    second = b.black & (b.body < a.body) & opens & holds
    return _bullish(
        first & second & c.black & c.short & c.full & (c.low > b.low) & (c.high < b.high)
    )


def _abandoned_baby(a: Candle, b: Candle, c: Candle) -> Float1D:
    turns = a.long & b.doji & (c.body > c.mean_body) & _retraces(a, c, "abandonedbaby")
    above = beyond(1.0, b.low, a.high, a.slack) & beyond(-1.0, c.high, b.low, b.slack)
    below = beyond(-1.0, b.high, a.low, a.slack) & beyond(1.0, c.low, b.high, b.slack)
    return _signed(turns & a.black & below, turns & a.white & above)


def _breakaway(a: Candle, b: Candle, c: Candle, d: Candle, e: Candle) -> Float1D:
    side = a.colour
    alike = (a.colour == b.colour) & (b.colour == d.colour) & (e.colour == -d.colour)
    onwards = [
        (side * (after.high - one.high) > 0) & (side * (after.low - one.low) > 0)
        for one, after in ((b, c), (c, d))
    ]
    closes = (side * (e.close - b.open) < 0) & beyond(side, e.close, a.close, a.slack)
    fires = a.long & alike & gap_onwards(a, b) & onwards[0] & onwards[1] & closes
    return np.where(fires, -side, 0.0)


def _concealing_baby_swallow(a: Candle, b: Candle, c: Candle, d: Candle) -> Float1D:
    reaches = (c.upper_shadow > 0.1 * c.mean_range) & (c.high > b.close)
    engulfs = (d.high > c.high) & (d.low < c.low)
    black = a.black & b.black & c.black & d.black
    return _bullish(black & a.full & b.full & gap_down(b, c) & reaches & engulfs)


def _dark_cloud_cover(a: Candle, b: Candle) -> Float1D:
    opens = beyond(1.0, b.open, a.high, a.slack)
    closes = (b.close > a.open) & _retraces(a, b, "darkcloudcover")
    return _bearish(a.white & a.long & opens & closes)


def _piercing(a: Candle, b: Candle) -> Float1D:
    opens = beyond(-1.0, b.open, a.low, a.slack)
    closes = (b.close < a.open) & (b.close > a.close + 0.5 * a.body)
    return _bullish(a.black & a.long & b.white & b.long & opens & closes)


def _below_a_black_candle(a: Candle, b: Candle) -> Bool1D:
    return a.black & a.long & b.white & beyond(-1.0, b.open, a.low, a.slack)


def _in_neck(a: Candle, b: Candle) -> Float1D:
    closes = (b.close <= a.close + 0.05 * a.recent_range) & (b.close >= a.close)
    return _bearish(_below_a_black_candle(a, b) & closes)


def _on_neck(a: Candle, b: Candle) -> Float1D:
    equal = 0.05 * a.recent_range
    closes = (b.close <= a.low + equal) & (b.close >= a.low - equal)
    return _bearish(_below_a_black_candle(a, b) & closes)


def _thrusting(a: Candle, b: Candle) -> Float1D:
    closes = b.close > a.close + 0.05 * a.recent_range
    return _bearish(_below_a_black_candle(a, b) & closes & (b.close <= a.close + 0.5 * a.body))


def _doji_star(a: Candle, b: Candle) -> Float1D:
    return np.where(a.long & b.doji & gap_onwards(a, b), -a.colour, 0.0)


def _star(name: str, side: float, *, doji: bool) -> Pattern:
    def pattern(a: Candle, b: Candle, c: Candle) -> Float1D:
        star = (b.doji if doji else b.not_long) & gap_onwards(a, b)
        turns = (a.colour == -side) & (c.body > c.mean_body) & _retraces(a, c, name)
        return np.where(a.long & star & turns, side, 0.0)

    return pattern


def _gap_side_side_white(a: Candle, b: Candle, c: Candle) -> Float1D:
    near, equal = 0.2 * b.recent_range, 0.05 * b.recent_range
    alike = (c.body >= b.body - near) & (c.body <= b.body + near)
    level = (c.open >= b.open - equal - b.slack) & (c.open <= b.open + equal + b.slack)
    white = b.white & c.white & alike & level
    middle = b.top + b.bottom - a.top - a.bottom
    up = gap_up(a, b) & gap_up(a, c) & (middle > 0)
    down = gap_down(a, b) & gap_down(a, c) & (middle < 0)
    return _signed(white & up, white & down)


def _homing_pigeon(a: Candle, b: Candle) -> Float1D:
    within = (b.open < a.open) & beyond(1.0, b.close, a.close, a.slack)
    return _bullish(a.black & b.black & a.long & b.not_long & within)


def _inverted_hammer(a: Candle, b: Candle) -> Float1D:
    shape = b.short & (b.upper_shadow > b.body) & b.tiny(b.lower_shadow)
    return _bullish(shape & gap_down(a, b))


def _shooting_star(a: Candle, b: Candle) -> Float1D:
    shape = b.short & (b.upper_shadow > b.body) & b.tiny(b.lower_shadow)
    return _bearish(shape & gap_up(a, b))


def _kicks(a: Candle, b: Candle) -> Bool1D:
    full: Bool1D = a.long & a.full & b.long & b.full & (b.colour == -a.colour)
    near = np.where(b.white, b.low - a.high, a.low - b.high)
    reach = b.colour * (b.close - a.open)
    # Without slack only the gap counts: every body that engulfs the first would reach beyond it.
    return full & ((near > -a.slack) | ((reach > a.slack) & (a.slack > 0)))


def _kicking(a: Candle, b: Candle) -> Float1D:
    return np.where(_kicks(a, b), b.colour, 0.0)


def _kicking_by_length(a: Candle, b: Candle) -> Float1D:
    return np.where(_kicks(a, b), np.where(b.body > a.body, b.colour, a.colour), 0.0)


def _ladder_bottom(a: Candle, b: Candle, c: Candle, d: Candle, e: Candle) -> Float1D:
    falls = (a.open > b.open) & (b.open > c.open) & (a.close > b.close) & (b.close > c.close)
    black = a.black & b.black & c.black & d.black & (d.upper_shadow > 0.1 * d.mean_range)
    turns = e.white & beyond(1.0, e.open, d.open, d.slack) & (e.close > d.high)
    return _bullish(falls & black & turns)


def _mat_hold(a: Candle, b: Candle, c: Candle, d: Candle, e: Candle) -> Float1D:
    floor = a.close - a.body * PENETRATION["mathold"]
    small = a.long & b.short & c.short & d.short
    holds = [(one.bottom < a.close) & (one.bottom > floor) for one in (c, d)]
    falls = (c.top < b.open) & (d.top < c.top)
    resumes = beyond(1.0, e.open, d.close, d.slack)
    rises = e.close > np.maximum(np.maximum(b.high, c.high), d.high)
    fires = small & a.white & b.black & e.white & gap_up(a, b) & falls & resumes & rises
    return _bullish(fires & holds[0] & holds[1])


def _rise_fall_three_methods(a: Candle, b: Candle, c: Candle, d: Candle, e: Candle) -> Float1D:
    side = a.colour
    sizes = a.long & b.short & c.short & d.short & e.long
    colours = (side == -b.colour) & (b.colour == c.colour) & (c.colour == d.colour)
    held = [(one.bottom < a.high) & (one.top > a.low) for one in (b, c, d)]
    falls = (side * (c.close - b.close) < 0) & (side * (d.close - c.close) < 0)
    resumes = (d.colour == -e.colour) & beyond(side, e.open, d.close, d.slack)
    closes = side * (e.close - a.close) > 0
    fires = sizes & colours & held[0] & held[1] & held[2] & falls & resumes & closes
    return np.where(fires, side, 0.0)


def _stick_sandwich(a: Candle, b: Candle, c: Candle) -> Float1D:
    equal = 0.05 * a.recent_range
    same = (c.close <= a.close + equal) & (c.close >= a.close - equal)
    above = beyond(1.0, b.low, a.close, a.slack)
    return _bullish(a.black & b.white & c.black & above & same)


def _tasuki_gap(a: Candle, b: Candle, c: Candle) -> Float1D:
    side = b.colour
    alike = np.abs(b.body - c.body) < 0.2 * b.recent_range
    gap = np.where(b.white, gap_up(a, b), gap_down(a, b))
    end = np.where(b.white, a.top, a.bottom)
    closes = (side * (c.close - b.open) < 0) & beyond(side, c.close, end, a.slack)
    fires = gap & (c.colour == -side) & opens_within(c, b) & closes & alike
    return np.where(fires, side, 0.0)


def _tristar(a: Candle, b: Candle, c: Candle) -> Float1D:
    # TA-Lib measures all three by the yardstick of the first.
    doji = 0.1 * a.mean_range
    small = (a.body <= doji) & (b.body <= doji) & (c.body <= doji)
    middle = b.top + b.bottom - a.top - a.bottom
    top = gap_up(a, b) & (c.top < b.top) & (middle > 0)
    bottom = gap_down(a, b) & (c.bottom > b.bottom) & (middle < 0)
    return _signed(small & bottom, small & top)


def _unique_three_river(a: Candle, b: Candle, c: Candle) -> Float1D:
    within = beyond(1.0, b.close, a.close, a.slack) & (b.open <= a.open) & (b.low < a.low)
    third = c.short & c.white & beyond(1.0, c.open, b.low, b.slack)
    return _bullish(a.long & a.black & b.black & within & third)


def _side_gap_three_methods(a: Candle, b: Candle, c: Candle) -> Float1D:
    colours = (a.colour == b.colour) & (c.colour == -b.colour)
    closes = (c.close < a.top) & (c.close > a.bottom)
    fires = colours & opens_within(c, b) & closes & gap_onwards(a, b)
    return np.where(fires, a.colour, 0.0)


RELAXED: Final[Mapping[str, tuple[int, Pattern]]] = MappingProxyType(
    {
        "2crows": (3, _two_crows),
        "3blackcrows": (4, _three_black_crows),
        "3inside": (3, _three_inside),
        "3linestrike": (4, _three_line_strike),
        "3outside": (3, _three_outside),
        "3starsinsouth": (3, _three_stars_in_the_south),
        "abandonedbaby": (3, _abandoned_baby),
        "breakaway": (5, _breakaway),
        "concealbabyswall": (4, _concealing_baby_swallow),
        "darkcloudcover": (2, _dark_cloud_cover),
        "dojistar": (2, _doji_star),
        "eveningdojistar": (3, _star("eveningdojistar", -1.0, doji=True)),
        "eveningstar": (3, _star("eveningstar", -1.0, doji=False)),
        "gapsidesidewhite": (3, _gap_side_side_white),
        "homingpigeon": (2, _homing_pigeon),
        "inneck": (2, _in_neck),
        "invertedhammer": (2, _inverted_hammer),
        "kicking": (2, _kicking),
        "kickingbylength": (2, _kicking_by_length),
        "ladderbottom": (5, _ladder_bottom),
        "mathold": (5, _mat_hold),
        "morningdojistar": (3, _star("morningdojistar", 1.0, doji=True)),
        "morningstar": (3, _star("morningstar", 1.0, doji=False)),
        "onneck": (2, _on_neck),
        "piercing": (2, _piercing),
        "risefall3methods": (5, _rise_fall_three_methods),
        "shootingstar": (2, _shooting_star),
        "sticksandwich": (3, _stick_sandwich),
        "tasukigap": (3, _tasuki_gap),
        "thrusting": (2, _thrusting),
        "tristar": (3, _tristar),
        "unique3river": (3, _unique_three_river),
        "upsidegap2crows": (3, _upside_gap_two_crows),
        "xsidegap3methods": (3, _side_gap_three_methods),
    }
)
"""Pattern: how many candles it has, and its conditions."""
