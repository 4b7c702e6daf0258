"""Leverage, the index of bars and the slot for foreign sentiment, against loops over days."""

import math

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS
from indicators import external_sentiment, leverage, mood
from tests.generators import START_NS, random_bars
from tests.oracles import crypto as oracle
from tests.test_indicators.computing import computed


def rows_of_days(times: np.ndarray, t: int, days: float) -> list[int]:
    return [i for i in range(t + 1) if times[i] > times[t] - days * DAY_NS]


def leverage_columns(rows: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(17)
    keep = np.sort(generator.choice(rows + rows // 20, size=rows, replace=False))
    return {
        "open_time": (START_NS + HOUR_NS * keep).astype(np.float64),
        "quote_volume": 1e6 * np.exp(generator.standard_normal(rows)),
        "metrics.sum_open_interest_value": 1e8
        * np.exp(np.cumsum(0.01 * generator.standard_normal(rows))),
    }


def test_leverage_is_open_interest_over_turnover_and_its_rank() -> None:
    columns = leverage_columns(24 * 60)
    out = computed(
        leverage.OPEN_INTEREST_LEVERAGE, columns, volume_days=10, rank_days=30, minimum_days=15
    )
    times, volume = columns["open_time"], columns["quote_volume"]
    interest = columns["metrics.sum_open_interest_value"]
    ratio = np.full(len(times), np.nan)
    for t in range(len(times)):
        if times[t] - times[0] >= 10 * DAY_NS:
            inside = rows_of_days(times, t, 10)
            ratio[t] = interest[t] / math.fsum(volume[i] for i in inside) * len(inside)
    np.testing.assert_allclose(out["ratio"], ratio, rtol=1e-9)
    first = int(np.argmax(~np.isnan(ratio)))
    rank = oracle.percent_rank_in_days(times[first:], list(out["ratio"][first:]), 30, 15)
    np.testing.assert_allclose(out["rank"][first:], rank, atol=1e-9)
    assert np.isnan(out["rank"][: first + 10]).all()
    assert np.isfinite(out["rank"][-100:]).all()


def test_leverage_of_a_market_that_never_trades_is_a_number() -> None:
    columns = leverage_columns(24 * 40) | {"quote_volume": np.zeros(24 * 40)}
    out = computed(
        leverage.OPEN_INTEREST_LEVERAGE, columns, volume_days=10, rank_days=30, minimum_days=14
    )
    assert (out["ratio"][24 * 12 :] == 0).all()
    assert (out["rank"][-10:] == 100).all()


def test_more_open_interest_never_ranks_lower() -> None:
    columns = leverage_columns(24 * 60)
    name = "metrics.sum_open_interest_value"
    short = {"volume_days": 10, "rank_days": 30, "minimum_days": 15}
    before = computed(leverage.OPEN_INTEREST_LEVERAGE, columns, **short)["rank"]
    more = columns[name].copy()
    more[-1] *= 1.5
    after = computed(leverage.OPEN_INTEREST_LEVERAGE, columns | {name: more}, **short)["rank"]
    assert after[-1] >= before[-1]
    np.testing.assert_array_equal(after[:-1], before[:-1])


def test_the_index_of_bars_by_a_loop() -> None:
    bars = random_bars(24 * 70, 23, gap_share=0.01)
    columns = bars.columns()
    out = computed(mood.FEAR_GREED_OF_BARS, columns, minimum_days=20)
    times, steps = columns["open_time"], oracle.log_steps(bars.close)
    rows = len(bars)

    def of_day(values: np.ndarray, t: int) -> list[float]:
        return [float(values[i]) for i in rows_of_days(times, t, 1)]

    steps = np.array(steps)
    size = np.array([math.sqrt(math.fsum(x * x for x in of_day(steps, t))) for t in range(rows)])
    moved = np.array([math.fsum(of_day(steps, t)) for t in range(rows)])
    volume = np.array([math.fsum(of_day(bars.volume, t)) for t in range(rows)])

    def against_past(values: np.ndarray, t: int) -> float:
        parts = []
        for days in (30, 90):
            inside = [values[i] for i in rows_of_days(times, t, days)]
            parts.append(values[t] / (math.fsum(inside) / len(inside)))
        return sum(parts) / 2 - 1

    for t in range(24 * 20, rows, 41):
        calm = 50 - 50 * math.tanh(against_past(size, t) / 0.5)
        pace = moved[t] / size[t] * min(2.0, max(0.5, 1 + against_past(volume, t)))
        momentum = 50 + 50 * math.tanh(pace / 1.5)
        index = (calm + momentum) / 2
        assert out["calm"][t] == pytest.approx(calm, abs=1e-6)
        assert out["momentum"][t] == pytest.approx(momentum, abs=1e-6)
        assert out["index"][t] == pytest.approx(index, abs=1e-6)
        expected = 100 - index if index < 25 or index > 75 else 50.0
        assert out["score"][t] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(out["index"][: 24 * 20 - 1]).all()
    known = out["index"][24 * 20 :]
    assert ((known < 25) | (known > 75)).any()


def test_a_flat_market_is_neither_afraid_nor_greedy() -> None:
    rows = 24 * 30
    columns = {
        "open_time": (START_NS + HOUR_NS * np.arange(rows)).astype(np.float64),
        "close": np.full(rows, 100.0),
        "volume": np.zeros(rows),
    }
    out = computed(mood.FEAR_GREED_OF_BARS, columns, minimum_days=20)
    np.testing.assert_array_equal(out["index"][24 * 20 :], 50.0)
    np.testing.assert_array_equal(out["score"][24 * 20 :], 50.0)


def test_foreign_sentiment_is_taken_as_it_was_stated() -> None:
    stated = np.array([0.0, 55.5, 100.0, 130.0])
    out = computed(external_sentiment.EXTERNAL_SENTIMENT, {"score": stated})
    np.testing.assert_array_equal(out["score"], [0.0, 55.5, 100.0, 100.0])
