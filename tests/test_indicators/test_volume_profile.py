"""Volume profiles against an oracle that rebuilds each window from nothing, in exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from indicators import volume_profile as subject
from indicators.bar_step import window_start
from tests.generators import random_bars
from tests.oracles.indicators_measured import parity_series

BINS = 693
"""Bins of a doubling at a width of 0.001: ln 2 / 0.001, rounded."""


def bin_of(price: float) -> int:
    return math.floor(math.log2(price) * BINS)


def histogram(columns: dict[str, np.ndarray], rows: range) -> dict[int, float]:
    exact: dict[int, Fraction] = {}
    for row in rows:
        volume = float(columns["volume"][row])
        touched = range(bin_of(float(columns["low"][row])), bin_of(float(columns["high"][row])) + 1)
        if volume > 0:
            for one in touched:
                exact[one] = exact.get(one, Fraction(0)) + Fraction(volume / len(touched))
    return {one: float(total) for one, total in exact.items()}


def value_area(bins: dict[int, float], poc: int, part: float) -> tuple[int, int]:
    wanted = part * math.fsum(bins.values())
    taken = {poc}
    while math.fsum(bins.get(one, 0.0) for one in taken) < wanted * (1 - 1e-12):
        over, under = max(taken), min(taken)
        above = [one for one in (over + 1, over + 2) if one <= max(bins)]
        below = [one for one in (under - 1, under - 2) if one >= min(bins)]
        weight = [sum(bins.get(one, 0.0) for one in pair) for pair in (above, below)]
        taken |= set(above if above and (weight[0] >= weight[1] or not below) else below)
    return min(taken), max(taken)


def nodes(bins: dict[int, float]) -> tuple[list[float], list[float]]:
    every = range(min(bins), max(bins) + 1)
    smooth = [(bins.get(b - 1, 0.0) + bins.get(b, 0.0) + bins.get(b + 1, 0.0)) / 3 for b in every]
    mean = sum(smooth) / len(smooth)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in smooth) / len(smooth))
    runs: list[tuple[float, list[int]]] = []
    for b, value in zip(every, smooth, strict=True):
        if runs and abs(value - smooth[runs[-1][1][-1] - every[0]]) <= 1e-9 * mean:
            runs[-1][1].append(b)
        else:
            runs.append((value, [b]))
    heights = [0.0, *(value for value, _ in runs), 0.0]
    high, low = [], []
    for before, (value, run), after in zip(heights, runs, heights[2:], strict=False):
        middle = (run[0] + run[-1] + 1) / 2
        if before < value > after and value >= mean + 0.5 * deviation:
            high.append(middle)
        if before > value < after and value <= 0.5 * mean:
            low.append(middle)
    return high, [b for b in low if high and high[0] < b < high[-1]]


def price_at(place: float) -> float:
    return 2.0 ** (place / BINS)


def columns_of(seed: int, rows: int = 400, gap_share: float = 0.05) -> dict[str, np.ndarray]:
    bars = random_bars(rows, seed, gap_share=gap_share)
    return dict(bars.columns())


@pytest.mark.parametrize("seed", [3, 4])
def test_every_row_equals_a_profile_built_from_nothing(seed: int) -> None:
    columns = columns_of(seed)
    start = window_start(columns["open_time"], 24)
    rows, grid, place = subject.profile_rows(columns, start, 0.001, 0.70)
    assert grid.bins_of_a_doubling == BINS
    met = 0
    kept: list[float] = []
    for t in range(len(start)):
        if start[t] < 0:
            assert np.isnan(rows.poc[t])
            continue
        bins = histogram(columns, range(start[t], t + 1))
        centre = (min(bins) + max(bins)) / 2
        most = max(bins.values())
        poc = min((one for one in bins if bins[one] == most), key=lambda b: (abs(b - centre), b))
        bottom, top = value_area(bins, poc, 0.70)
        found = np.array([rows.poc[t], rows.bottom[t], rows.top[t]]) + grid.origin
        assert found.tolist() == [poc + 0.5, bottom, top + 1]
        high, low = nodes(bins)
        here = math.log2(float(columns["close"][t])) * BINS
        for found_nodes, above, below in (
            (high, rows.high_above[t], rows.high_below[t]),
            (low, rows.low_above[t], rows.low_below[t]),
        ):
            over = [node for node in found_nodes if node > here]
            under = [node for node in found_nodes if node <= here]
            assert above + grid.origin == over[0] if over else np.isnan(above)
            assert below + grid.origin == under[-1] if under else np.isnan(below)
        if t and kept:
            was = math.log2(float(columns["close"][t - 1])) * BINS
            up = any(was < node <= here for node in kept)
            down = any(here < node <= was for node in kept)
            assert rows.crossed[t] == up - down
            met += up or down
        kept = low
        assert place[t] + grid.origin == pytest.approx(here, abs=1e-9)
    assert met >= 2


@pytest.mark.parametrize("series", ["walk", "constant", "alternating", "zero_volume", "one_tick"])
def test_levels_are_finite_and_ordered_on_odd_series(series: str) -> None:
    columns = parity_series()[series]
    for indicator in subject.INDICATORS:
        outputs = dict(
            zip(
                [one.name for one in indicator.outputs],
                indicator.compute(columns, indicator.resolved({})),
                strict=True,
            )
        )
        late = slice(48, None)
        assert all(np.isfinite(column[late]).all() for column in outputs.values())
        poc, val, vah = (outputs[name][late] for name in ("poc", "val", "vah"))
        assert ((val <= poc) & (poc <= vah)).all()
    silent = parity_series()["zero_volume"]
    profile = subject.VOLUME_PROFILE.compute(silent, subject.VOLUME_PROFILE.resolved({}))
    np.testing.assert_allclose(profile[0][200:240], silent["close"][200:240], rtol=1e-12)
    assert (profile[6][200:240] == 50.0).all()


def test_a_huge_bar_leaves_nothing_behind() -> None:
    columns = columns_of(5)
    columns["volume"] = columns["volume"].copy()
    columns["volume"][100] = 1e17
    start = window_start(columns["open_time"], 24)
    later = {name: column[130:] for name, column in columns.items()}
    fresh, grid, _ = subject.profile_rows(later, window_start(later["open_time"], 24), 0.001, 0.70)
    whole, whole_grid, _ = subject.profile_rows(columns, start, 0.001, 0.70)
    for found, expected in zip(whole[:7], fresh[:7], strict=True):
        np.testing.assert_array_equal(found[160:] + whole_grid.origin, expected[30:] + grid.origin)
    assert not np.isnan(whole.poc[160:]).any()


def test_the_score_follows_the_close_through_the_value_area() -> None:
    columns = columns_of(6, gap_share=0.0)
    names = [one.name for one in subject.VOLUME_PROFILE.outputs]
    found = dict(
        zip(
            names,
            subject.VOLUME_PROFILE.compute(columns, subject.VOLUME_PROFILE.resolved({})),
            strict=True,
        )
    )
    seen = set()
    for t in range(30, 400):
        close, poc, val, vah = (
            float(x[t]) for x in (columns["close"], found["poc"], found["val"], found["vah"])
        )
        if val <= close < vah:
            expected, where = 50 + 20 * (close - poc) / (vah - val), "inside"
        else:
            expected, where = (70.0, "above") if close >= vah else (30.0, "below")
        usual = float(columns["volume"][t - 20 : t].mean())
        if found["lvn_cross"][t]:
            assert columns["volume"][t] >= 1.5 * usual
        expected = min(100.0, max(0.0, expected + 15 * found["lvn_cross"][t]))
        assert found["score"][t] == pytest.approx(expected, abs=1e-9)
        assert found["in_value_area"][t] == (where == "inside")
        seen.add(where)
    assert seen == {"inside", "above", "below"}


def test_the_day_before_is_the_day_as_it_stood_at_its_end() -> None:
    columns = columns_of(7)
    columns["open_time"] = columns["open_time"] + 9 * 3_600e9
    developing = subject.SESSION_VOLUME_PROFILE.compute(
        columns, subject.SESSION_VOLUME_PROFILE.resolved({})
    )
    previous = subject.PREVIOUS_VOLUME_PROFILE.compute(
        columns, subject.PREVIOUS_VOLUME_PROFILE.resolved({})
    )
    assert np.isnan(developing[0]).sum() == 15
    assert np.isnan(previous[0]).sum() == 15 + 24
    for t in range(39, 400):
        last = t - ((t - 15) % 24) - 1
        bins = histogram(columns, range(last - 23, last + 1))
        assert previous[0][t] == developing[0][last]
        if t % 24 == 15:
            most = max(bins.values())
            assert any(
                price_at(one + 0.5) == pytest.approx(previous[0][t], rel=1e-12)
                for one in bins
                if bins[one] == most
            )


def test_turned_around_prices_have_the_profile_turned_around() -> None:
    """One over each price: bins change places, and only ties are broken to the same side as before."""
    columns = columns_of(8)
    turned = {
        **columns,
        "high": 8192.0 / columns["low"],
        "low": 8192.0 / columns["high"],
        "close": 8192.0 / columns["close"],
    }
    start = window_start(columns["open_time"], 24)
    rows, grid, _ = subject.profile_rows(columns, start, 0.001, 0.70)
    other, other_grid, _ = subject.profile_rows(turned, start, 0.001, 0.70)
    known, whole = start >= 0, 13 * BINS - other_grid.origin - grid.origin
    same_poc = rows.poc[known] == whole - other.poc[known]
    same_area = rows.bottom[known] == whole - other.top[known]
    assert same_poc.mean() > 0.95
    assert same_area[same_poc].mean() > 0.95
    np.testing.assert_array_equal(rows.high_above[known], whole - other.high_below[known])
