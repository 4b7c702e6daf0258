"""Effort versus result and Weis waves against literal recomputation."""

from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest

from engine import Float1D
from indicators import Detector, EventTable
from indicators.effort import EFFORT_RESULT, WEIS_WAVE, weis_waves
from indicators.effort_events import EFFORT_RESULT_DETECTOR, WEIS_WAVE_DETECTOR
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


def _plain_turns(columns: dict[str, Float1D], multiple: float) -> list[tuple[int, str, int]]:
    """Directional change told once more: (row, what ends there, row of its extreme)."""
    high, low, close = (columns[name].tolist() for name in ("high", "low", "close"))
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
    return turns


def _plain_waves(columns: dict[str, Float1D], multiple: float) -> list[tuple[int, str, float]]:
    """Row, kind and volume since the extreme before of every wave."""
    volume = columns["volume"].tolist()
    return [
        (t, kind, sum(volume[before[2] + 1 : row + 1]))
        for before, (t, kind, row) in pairwise(_plain_turns(columns, multiple))
    ]


@pytest.mark.parametrize("multiple", [1.5, 2.5])
def test_wave_volume_is_summed_between_extremes(multiple: float) -> None:
    columns = market(8)
    waves = weis_waves(columns, multiple, 0.6)
    expected = _plain_waves(columns, multiple)
    assert len(expected) > 10
    for name, column in (("rising", waves.rising), ("falling", waves.falling)):
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
    waves = weis_waves(columns, 1.5, 0.6)
    ends = np.flatnonzero(~np.isnan(waves.rising) | ~np.isnan(waves.falling))
    gap = int(ends[len(ends) // 2]) + 1
    for name in ("high", "low", "close"):
        columns[name][gap : gap + 4] = columns["close"][gap - 1]
    columns["volume"][gap : gap + 4] = 1e9
    columns["is_gap"][gap : gap + 4] = 1.0
    gapped = weis_waves(columns, 1.5, 0.6)
    for wave in (gapped.rising, gapped.falling):
        assert not (wave >= 1e9).any()


def _events(columns: dict[str, Float1D], detector: Detector, **given: float) -> EventTable:
    return detector.find(columns, detector.resolved(given))


def test_the_table_of_waves_names_both_ends() -> None:
    columns = market(8)
    table = _events(columns, WEIS_WAVE_DETECTOR, multiple=1.5)
    turns = _plain_turns(columns, 1.5)
    volumes = {t: total for t, _, total in _plain_waves(columns, 1.5)}
    waves = table.type != 2
    expected = []
    for (_, _, start), (t, kind, end) in pairwise(turns):
        side, first, last = (1, "low", "high") if kind == "rising" else (-1, "high", "low")
        prices = (columns[first][start], columns[last][end])
        expected.append((0 if side > 0 else 1, side, start, t, start, end, *prices))
    found = [
        (*facts, *rows, *prices)
        for *facts, rows, prices in zip(
            table.type[waves].tolist(),
            table.direction[waves].tolist(),
            table.anchor[waves].tolist(),
            table.known[waves].tolist(),
            table.point_rows[waves].tolist(),
            table.point_prices[waves].tolist(),
            strict=True,
        )
    ]
    assert found == expected
    assert table.measure == pytest.approx([volumes[t] for t in table.known.tolist()])
    assert (table.top == table.point_prices.max(axis=1)).all()
    assert (table.bottom == table.point_prices.min(axis=1)).all()
    assert np.count_nonzero(~waves) > 3


def test_the_table_of_absorption_names_its_bars() -> None:
    columns = market(5)
    found = outputs(columns, EFFORT_RESULT, threshold=0.5)
    table = _events(columns, EFFORT_RESULT_DETECTOR, threshold=0.5)
    rows = np.flatnonzero(found["absorption"])
    assert len(rows) > 3
    assert table.known.tolist() == table.anchor.tolist() == rows.tolist()
    assert (table.direction == found["absorption"][rows]).all()
    assert (table.measure == found["effort"][rows]).all()
    assert (table.top == columns["high"][rows]).all()
    assert (table.bottom == columns["low"][rows]).all()


def test_waves_are_not_compared_across_a_long_gap() -> None:
    """Behind the gap volumes are those of another market: its first waves have nothing to shrink from."""
    columns = market(9, rows=1400)
    columns["volume"][700:] /= 100.0
    assert outputs(columns, WEIS_WAVE, multiple=1.5)["shrinking"][700:760].any()
    columns["is_gap"][696:700] = 1.0
    table = _events(columns, WEIS_WAVE_DETECTOR, multiple=1.5)
    first: dict[int, int] = {}
    for kind, known in zip(table.type.tolist(), table.known.tolist(), strict=True):
        if known >= 700 and kind < 2:
            first.setdefault(kind, known)
    shrinking = table.known[table.type == 2]
    assert not set(first.values()) & set(shrinking.tolist())


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
