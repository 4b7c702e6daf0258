"""Effort versus result and Weis waves against literal recomputation."""

from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest

from engine import Float1D
from indicators.effort import EFFORT_RESULT, WEIS_WAVE, wave_volume
from indicators.spec import Indicator
from tests.generators import random_bars
from tests.oracles.wyckoff import Bars, wilder_atr


def outputs(
    columns: dict[str, Float1D], indicator: Indicator, **given: float
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, indicator.resolved(given))
    return {output.name: column for output, column in zip(indicator.outputs, computed, strict=True)}


def market(seed: int, rows: int = 700, gap_share: float = 0.0) -> dict[str, Float1D]:
    columns = random_bars(rows, seed, gap_share=gap_share, with_flows=False).columns()
    return {name: columns[name].copy() for name in EFFORT_RESULT.inputs}


def _plain_atr(columns: dict[str, Float1D], length: int) -> list[float]:
    high, low, close = (columns[name].tolist() for name in ("high", "low", "close"))
    bars = Bars(close, high, low, close, [0.0] * len(close), [False] * len(close))
    return wilder_atr(bars, length)


@pytest.mark.parametrize("length", [20, 50])
def test_effort_is_the_difference_of_two_scores(length: int) -> None:
    columns = market(3)
    atr = _plain_atr(columns, 20)
    found = outputs(columns, EFFORT_RESULT, length=length)["effort"]
    close, volume = columns["close"].tolist(), columns["volume"].tolist()
    first = max(20, length - 1) + length - 1
    assert np.isnan(found[:first]).all()
    for t in range(first, len(close), 7):
        window = range(t - length + 1, t + 1)
        effort = [
            np.log(max(volume[i], 1e-3 * fmean(volume[i - length + 1 : i + 1]))) for i in window
        ]
        result = [abs(close[i] - close[i - 1]) / atr[i] for i in window]
        expected = (effort[-1] - fmean(effort)) / pstdev(effort)
        expected -= (result[-1] - fmean(result)) / pstdev(result)
        assert found[t] == pytest.approx(expected, abs=1e-9)


def test_absorption_argues_against_the_last_move() -> None:
    columns = market(5, rows=300)
    columns["close"][:] = np.linspace(100, 130, 300)
    columns["high"][:] = columns["close"] + 0.5
    columns["low"][:] = columns["close"] - 0.5
    row = 250
    columns["volume"][row] *= 50
    columns["close"][row] = columns["close"][row - 1]
    columns["high"][row] = columns["close"][row] + 0.2
    columns["low"][row] = columns["close"][row] - 0.2
    assert outputs(columns, EFFORT_RESULT)["absorption"][row] == -1
    falling = {
        **columns,
        "close": 300 - columns["close"],
        "high": 300 - columns["low"],
        "low": 300 - columns["high"],
    }
    assert outputs(falling, EFFORT_RESULT)["absorption"][row] == 1
    columns["is_gap"][row] = 1.0
    assert outputs(columns, EFFORT_RESULT)["absorption"][row] == 0


def _plain_waves(columns: dict[str, Float1D], multiple: float) -> list[tuple[int, str, float]]:
    """Directional change told once more: (row, kind, volume since the extreme before)."""
    high, low, close, volume = (
        columns[name].tolist() for name in ("high", "low", "close", "volume")
    )
    atr = _plain_atr(columns, 14)
    leg, since, turns = None, 0, []
    for t in range(len(close)):
        top = max(range(since, t + 1), key=lambda i: (high[i], -i))
        bottom = min(range(since, t + 1), key=lambda i: (low[i], i))
        falls = leg != "down" and top < t and high[top] - close[t] >= multiple * atr[t]
        rises = leg != "up" and bottom < t and close[t] - low[bottom] >= multiple * atr[t]
        if falls and rises:
            falls, rises = top > bottom, bottom > top
        if falls:
            turns.append((t, "rising", top))
            leg, since = "down", top + 1
        elif rises:
            turns.append((t, "falling", bottom))
            leg, since = "up", bottom + 1
    return [
        (t, kind, sum(volume[before[2] + 1 : row + 1]))
        for before, (t, kind, row) in pairwise(turns)
    ]


@pytest.mark.parametrize("multiple", [1.5, 2.5])
def test_wave_volume_is_summed_between_extremes(multiple: float) -> None:
    columns = market(8)
    waves = dict(zip(("rising", "falling"), wave_volume(columns, multiple), strict=True))
    expected = _plain_waves(columns, multiple)
    assert len(expected) > 10
    for name, column in waves.items():
        own = {row: total for row, kind, total in expected if kind == name}
        assert sorted(own) == np.flatnonzero(~np.isnan(column)).tolist()
        for row, total in own.items():
            assert column[row] == pytest.approx(total, rel=1e-12)


def test_shrinking_waves_are_signalled_on_the_side_that_tires() -> None:
    columns = market(9)
    found = outputs(columns, WEIS_WAVE, multiple=1.5, share=0.6)
    last: dict[str, float] = {}
    signalled = 0
    for row, kind, total in _plain_waves(columns, 1.5):
        tired = kind in last and total < 0.6 * last[kind]
        expected = (1.0 if kind == "falling" else -1.0) if tired else 0.0
        assert found["shrinking"][row] == expected
        signalled += int(tired)
        last[kind] = total
        assert found[kind][row] == pytest.approx(total)
    assert signalled > 3
    assert np.count_nonzero(found["shrinking"]) == signalled


def test_no_wave_spans_a_long_gap() -> None:
    columns = market(10)
    rising, falling = wave_volume(columns, 1.5)
    ends = np.flatnonzero(~np.isnan(rising) | ~np.isnan(falling))
    gap = int(ends[len(ends) // 2]) + 1
    for name in ("high", "low", "close"):
        columns[name][gap : gap + 4] = columns["close"][gap - 1]
    columns["volume"][gap : gap + 4] = 1e9
    columns["is_gap"][gap : gap + 4] = 1.0
    for wave in wave_volume(columns, 1.5):
        assert not (wave >= 1e9).any()


@pytest.mark.parametrize("indicator", [EFFORT_RESULT, WEIS_WAVE])
def test_prefixes_and_poison_change_nothing(indicator: Indicator) -> None:
    columns = market(4, gap_share=0.05)
    whole = outputs(columns, indicator)
    for cut in range(1, 700, 53):
        prefix = outputs({name: column[:cut] for name, column in columns.items()}, indicator)
        poisoned = {name: column.copy() for name, column in columns.items()}
        for column in poisoned.values():
            column[cut:] = np.nan
        after = outputs(poisoned, indicator)
        for name, column in whole.items():
            np.testing.assert_array_equal(prefix[name], column[:cut])
            np.testing.assert_array_equal(after[name][:cut], column[:cut])
