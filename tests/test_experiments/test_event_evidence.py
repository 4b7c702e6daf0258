"""The study of what followed events: returns, matching, walks, and whether it finds what is there."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from engine import HOUR_NS, Bars
from experiments.checks.markets import null_market
from experiments.studies.event_evidence import measured
from experiments.studies.event_evidence.evidence import judged, wrong_families
from experiments.studies.event_evidence.measured import (
    HORIZONS_HOURS,
    Kind,
    Tally,
    forward_returns,
    occurrences,
    studied_detections,
    volatility_state,
)
from experiments.studies.event_evidence.page import Calibration, page
from experiments.studies.event_evidence.picture import forest
from experiments.studies.event_evidence.samples import mirrored_walk
from indicators import DETECTORS, Detection

BARS = null_market(6_000, 11).bars
PLANTED = Kind("toy", "planted")
IDLE = Kind("toy", "idle")


def holed(bars: Bars, first: int, count: int) -> Bars:
    """``bars`` without ``count`` of them."""
    columns = {
        name: getattr(bars, name).copy()
        for name in ("open", "high", "low", "close", "volume", "is_gap")
    }
    rows = slice(first, first + count)
    for name in ("open", "high", "low", "close"):
        columns[name][rows] = bars.close[first - 1]
    columns["volume"][rows], columns["is_gap"][rows] = 0.0, True
    nothing = dict.fromkeys(("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote"))
    return replace(bars, **columns, **nothing)


@pytest.mark.parametrize("hours", HORIZONS_HOURS)
def test_a_return_is_that_of_a_trade_between_bars_that_exist(hours: int) -> None:
    bars = holed(holed(BARS.prefix(600), 200, 3), 300, 5)
    found = forward_returns(bars, hours)
    for t in range(len(bars)):
        entry, leave = t + 1, t + 1 + hours
        expected = np.nan
        inside = leave < len(bars) and not (bars.is_gap[entry] or bars.is_gap[leave])
        if inside and sum(bars.is_gap[entry : leave + 1]) <= 3:
            expected = 1e4 * (bars.open[leave] / bars.open[entry] - 1.0)
        np.testing.assert_allclose(found[t], expected, rtol=1e-9, atol=1e-9)


def test_entries_on_every_bar_are_matched_to_zero(monkeypatch) -> None:
    rows = np.arange(len(BARS))
    kinds = [(PLANTED, rows, np.ones(len(rows), dtype=np.int64))]
    monkeypatch.setattr(measured, "occurrences", lambda bars, detections: kinds)
    tally = Tally()
    tally.add(BARS, ())
    for hours in HORIZONS_HOURS:
        weeks = tally.excess[PLANTED, hours]
        assert sum(weeks.counts.values()) > 5_000
        assert sum(weeks.sums.values()) == pytest.approx(0.0, abs=1e-6)
        assert abs(tally.raw[PLANTED, hours]) > 1.0


def test_a_state_of_volatility_is_known_at_its_bar_and_has_a_fifth_of_the_bars() -> None:
    state = volatility_state(BARS)
    assert (state[:168] == 0).all()
    assert [round(float((state[168:] == one).mean()), 2) for one in range(1, 6)] == [0.2] * 5
    change = np.diff(np.log(BARS.close), prepend=np.nan)
    rough = [float((change[t - 167 : t + 1] ** 2).mean()) for t in range(168, len(BARS))]
    for one in range(1, 5):
        quiet = [value for value, its in zip(rough, state[168:], strict=True) if its == one]
        wild = [value for value, its in zip(rough, state[168:], strict=True) if its == one + 1]
        assert max(quiet) <= min(wild) * (1 + 1e-9)


def test_weeks_begin_on_monday() -> None:
    followed = measured.Followed(BARS)
    changes = np.flatnonzero(np.diff(followed.week)) + 1
    days = BARS.close_time[changes].astype("datetime64[ns]").astype("datetime64[D]")
    assert {day.weekday() for day in days.tolist()} == {0}
    assert (BARS.close_time[changes] % (24 * HOUR_NS) == 0).all()


def test_two_sides_on_one_row_say_nothing(monkeypatch) -> None:
    rows, sides = np.array([500, 500, 700]), np.array([1, -1, -1])
    monkeypatch.setattr(measured, "occurrences", lambda bars, detections: [(PLANTED, rows, sides)])
    tally = Tally()
    tally.add(BARS, ())
    assert tally.events[PLANTED] == [1, 2, 0]
    assert sum(tally.excess[PLANTED, 1].counts.values()) == 1


def drifting(seed: int, drift_bps: float) -> tuple[Bars, list]:
    """A walk that moves for four bars after some rows, and events there and on other rows."""
    bars = mirrored_walk(BARS, seed)
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.choice(np.arange(100, len(bars) - 100), 400, replace=False))
    sides = draw.choice((-1, 1), len(rows))
    push = np.zeros(len(bars))
    for row, side in zip(rows, sides, strict=True):
        push[row + 2 : row + 6] += side * drift_bps / 1e4 / 4
    factor = np.exp(np.cumsum(push))
    moved = replace(
        bars, **{name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    )
    others = np.sort(draw.choice(np.arange(100, len(bars) - 100), 400, replace=False))
    return moved, [(PLANTED, rows, sides), (IDLE, others, draw.choice((-1, 1), 400))]


def test_a_planted_drift_is_found_and_nothing_else(monkeypatch) -> None:
    bars, kinds = drifting(3, 60.0)
    monkeypatch.setattr(measured, "occurrences", lambda bars, detections: kinds)
    tally = Tally()
    tally.add(bars, ())
    evidence = judged({"toy": tally}, repetitions=999)
    found = {(evidence.groups[one].kind, evidence.groups[one].hours) for one in evidence.found()}
    assert (PLANTED, 4) in found
    assert {kind for kind, _ in found} == {PLANTED}
    position = [
        i for i, group in enumerate(evidence.groups) if (group.kind, group.hours) == (PLANTED, 4)
    ]
    assert evidence.means.low[position[0]] < 60.0 < evidence.means.high[position[0]]


def test_without_a_drift_nothing_is_found(monkeypatch) -> None:
    wrong = 0
    for seed in range(20):
        bars, kinds = drifting(seed, 0.0)
        monkeypatch.setattr(measured, "occurrences", lambda bars, detections, kinds=kinds: kinds)
        tally = Tally()
        tally.add(bars, ())
        wrong += bool(judged({"toy": tally}, repetitions=199).found())
    # Binomial(20, .05): 99.7 % lie at 4 or below.
    assert wrong <= 4


def test_a_walk_keeps_sizes_volumes_and_holes_and_loses_its_direction() -> None:
    bars = holed(BARS, 1_000, 30)
    walk = mirrored_walk(bars, 5)
    size = np.abs(np.log(bars.close / bars.open))
    np.testing.assert_allclose(np.abs(np.log(walk.close / walk.open)), size, atol=1e-10)
    np.testing.assert_allclose(walk.high / walk.low, bars.high / bars.low, rtol=1e-9)
    assert (walk.volume == bars.volume).all()
    assert (walk.is_gap == bars.is_gap).all()
    inside = slice(1_000, 1_030)
    assert (walk.high[inside] == walk.close[999]).all()
    up = [float((mirrored_walk(bars, seed).close > bars.open).mean()) for seed in range(2)]
    assert up[0] != up[1]
    moves = np.log(walk.close / walk.open) * np.log(bars.close / bars.open)
    assert 0.45 < float((moves[moves != 0] > 0).mean()) < 0.55


def test_every_detector_is_studied_and_a_walk_gives_a_page() -> None:
    detections = studied_detections()
    assert {one.detector for one in detections} == {one.name for one in DETECTORS}
    assert len(set(detections)) == len(detections)
    few = [Detection("pivot"), Detection("directional_change")]
    tally, walked = Tally(), Tally()
    tally.add(BARS, few)
    walked.add(mirrored_walk(BARS, 1), few, returns=False)
    evidence = judged({"universe": tally}, repetitions=199)
    kinds = {kind for kind, _, _ in occurrences(BARS, few)}
    assert {group.kind for group in evidence.groups} == kinds
    text = page(evidence, {"universe": tally}, {"universe": walked}, Calibration(4, 0, 16), "x.svg")
    for kind in kinds:
        assert f"| {kind} |" in text
    assert "nan" not in text
    drawing = ElementTree.fromstring(forest(evidence, "universe", 24))
    assert len([one for one in drawing.iter() if one.tag.endswith("circle")]) == len(kinds)


def test_the_calibration_counts_families() -> None:
    wrong, groups = wrong_families(BARS.prefix(4_000), [1], repetitions=99)
    assert wrong in (0, 1)
    assert groups > 8
