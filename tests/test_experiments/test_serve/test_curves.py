"""Small pictures: every extreme is in them, and what their edges mean is said."""

import re

import numpy as np
import pytest

from experiments.serve.curves import (
    CURVE_HEIGHT,
    CURVE_WIDTH,
    SPARK_HEIGHT,
    score_picture,
    spark_svg,
)
from experiments.serve.sweep_watch import SweepCurve, SweepState
from experiments.serve.words import bytes_text, span, state_sentence


def heights(svg: str) -> list[float]:
    path = re.search(r'<path d="M([^"]*)"', svg)
    assert path is not None
    return [float(point.split("h")[0].split()[1]) for point in path[1].split("L")]


def test_a_spark_keeps_its_highest_and_lowest_bar():
    equity = np.full(100_000, 100.0)
    equity[33_333], equity[77_777] = 50.0, 150.0
    drawn = heights(spark_svg(equity, 100.0))
    assert len(drawn) < 300
    assert max(drawn) == SPARK_HEIGHT - 2
    assert min(drawn) == 2.0
    assert drawn[0] == drawn[-1] == SPARK_HEIGHT / 2


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.0] * 9])
def test_a_flat_spark_is_a_line(values: list[float]):
    drawn = heights(spark_svg(np.array(values), values[0]))
    assert set(drawn) == {SPARK_HEIGHT - 2.0}


def curve(score: list[float], best: list[float]) -> SweepCurve:
    return SweepCurve(np.arange(len(score)), np.array(score), np.array(best))


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


@pytest.mark.parametrize("is_rising", [True, False])
def test_scores_stand_where_their_trial_and_value_say(is_rising: bool):
    score = [1.0, 3.0, 2.0]
    best = [1.0, 3.0, 3.0] if is_rising else [1.0, 1.0, 1.0]
    found = score_picture(curve(score, best), 10, is_rising=is_rising)
    assert found is not None
    assert (found.low, found.high, found.hidden, found.left_out) == (1.0, 3.0, 0, 0)
    step, middle = CURVE_WIDTH / 10, CURVE_HEIGHT / 2
    assert points(found.points) == [
        (step / 2, CURVE_HEIGHT), (1.5 * step, 0.0), (2.5 * step, middle)
    ]  # fmt: skip
    line = points(found.best)
    assert line[0] == (step / 2, CURVE_HEIGHT)
    assert line[-1] == (2.5 * step, 0.0 if is_rising else CURVE_HEIGHT)


@pytest.mark.parametrize("is_rising", [True, False])
def test_the_worst_scores_are_left_out_and_counted_and_the_best_never(is_rising: bool):
    sign = 1.0 if is_rising else -1.0
    score = sign * np.concatenate([np.full(5, -1e6), np.linspace(0.0, 1.0, 995)])
    best = sign * np.maximum.accumulate(sign * score)
    trial = np.arange(1_000)
    found = score_picture(SweepCurve(trial, score, best), 1_000, is_rising=is_rising)
    assert found is not None
    # The edge is the order statistic at 5 % of the way from 0 to 999, so that 49 lie beyond it.
    assert found.hidden == 49
    assert (found.high if is_rising else found.low) == sign
    assert len(points(found.points)) + found.hidden + found.left_out == 1_000


def test_many_scores_are_thinned():
    score = np.random.default_rng(1).normal(size=50_000)
    found = score_picture(
        SweepCurve(np.arange(50_000), score, np.maximum.accumulate(score)), 60_000, is_rising=True
    )
    assert found is not None
    assert len(points(found.points)) <= 2_000
    assert found.high == score.max()


def test_no_score_is_no_picture():
    assert score_picture(curve([], []), 10, is_rising=True) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"), (1, "1 second"), (89, "89 seconds"), (90, "2 minutes"), (3_600, "60 minutes"),
        (7_200, "2 hours"), (129_600, "2 days"), (86_400 * 400, "400 days"),
    ],
)  # fmt: skip
def test_spans(seconds: float, words: str):
    assert span(seconds) == words


def test_sizes():
    assert [bytes_text(one) for one in (0, 999, 1_500, 2_000_000, 3e9)] == [
        "0 bytes", "999 bytes", "1.5 kB", "2.0 MB", "3.0 GB",
    ]  # fmt: skip


def test_a_state_in_words():
    state = SweepState(
        words="running", trials=5, planned=10, screened=5, failed=0, infeasible=0, best=None,
        best_trial=None, front=0, trials_a_second=0.5, seconds_left=10.0, last_batch_at=100.0,
    )  # fmt: skip
    assert state_sentence(state, 103.0) == (
        "Running: the last batch was kept 3 seconds ago, 10 seconds to go."
    )
