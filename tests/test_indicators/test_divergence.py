"""CVD divergences against an oracle that recomputes every pivot on every prefix."""

import numpy as np
import pytest
import talib

from indicators.divergence import CVD_DIVERGENCE, divergences
from tests.generators import random_bars
from tests.oracles import crypto as oracle

ROWS = 500


def walks(seed: int, gap_share: float) -> dict[str, np.ndarray]:
    """Price and measure that mostly move together, on a coarse grid so that levels tie."""
    generator = np.random.default_rng(seed)
    price = np.round(100 + np.cumsum(generator.standard_normal(ROWS)), 1)
    measure = np.cumsum(0.4 * np.diff(price, prepend=100) + generator.standard_normal(ROWS))
    gaps = np.zeros(ROWS)
    for start in np.flatnonzero(generator.random(ROWS) < gap_share):
        gaps[start : start + generator.integers(2, 7)] = 1
    return {
        "price": price,
        "measure": measure,
        "price_unit": np.full(ROWS, 1.1),
        "measure_unit": np.full(ROWS, 1.2),
        "is_gap": gaps,
    }


@pytest.mark.parametrize("gap_share", [0.0, 0.02])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_event_is_the_one_found_by_brute_force(seed, gap_share):
    columns = walks(seed, gap_share)
    expected = oracle.divergence_events(**columns)
    regular, hidden, strength = divergences(**columns)
    np.testing.assert_array_equal(regular, [row[0] for row in expected])
    np.testing.assert_array_equal(hidden, [row[1] for row in expected])
    np.testing.assert_allclose(strength, [row[2] for row in expected], rtol=1e-12)
    assert np.count_nonzero(regular) >= 2
    assert np.count_nonzero(hidden) >= 2


def test_a_broken_stretch_forgets_pivots():
    whole, broken = walks(5, 0.0), walks(5, 0.0)
    broken["is_gap"][100:400:40] = broken["is_gap"][101:400:40] = 1
    broken["is_gap"][102:400:40] = 1
    np.testing.assert_array_equal(divergences(**broken), divergences(**whole))
    broken["is_gap"][103:400:40] = 1
    assert np.count_nonzero(divergences(**broken)) < np.count_nonzero(divergences(**whole))


def test_a_lower_low_with_a_higher_low_in_cvd_is_bullish_and_known_five_rows_late():
    price = np.concatenate((np.linspace(110, 100, 11), np.linspace(101, 108, 8)))
    price = np.concatenate((price, np.linspace(107, 98, 10), np.linspace(99, 106, 10)))
    measure = np.concatenate((np.linspace(0, -30, 11), np.linspace(-28, 0, 8)))
    measure = np.concatenate((measure, np.linspace(-1, -12, 10), np.linspace(-11, 0, 10)))
    units = np.ones(len(price))
    regular, hidden, strength = divergences(price, measure, units, units, units * 0)
    assert np.flatnonzero(regular).tolist() == [28 + 5]
    assert regular[33] == 1
    assert strength[33] == 1.0
    assert (hidden == 0).all()
    mirrored, _, _ = divergences(-price, -measure, units, units, units * 0)
    np.testing.assert_array_equal(mirrored, -regular)


def test_differences_too_small_or_pivots_too_far_apart_do_not_count():
    columns = walks(7, 0.0)
    count = np.count_nonzero(divergences(**columns)[0])
    assert count > np.count_nonzero(divergences(**columns, separation=2.0)[0])
    assert count > np.count_nonzero(divergences(**columns, furthest=12)[0])


def test_units_and_warm_up_of_the_indicator():
    bars = random_bars(ROWS, 21, gap_share=0.03)
    columns = bars.columns()
    regular, hidden, strength = CVD_DIVERGENCE.compute(columns, CVD_DIVERGENCE.resolved({}))
    delta = 2 * bars.taker_buy_volume - bars.volume
    cvd = [sum(delta[t - 23 : t + 1]) if t >= 23 else np.nan for t in range(ROWS)]
    change = np.diff(cvd, prepend=np.nan)
    deviation = [np.std(change[t - 99 : t + 1]) if t >= 123 else np.nan for t in range(ROWS)]
    expected = oracle.divergence_events(
        bars.close, cvd, talib.ATR(bars.high, bars.low, bars.close, 14), deviation, bars.is_gap
    )
    assert np.isnan(strength[:123]).all()
    np.testing.assert_array_equal(regular[123:], [row[0] for row in expected[123:]])
    np.testing.assert_array_equal(hidden[123:], [row[1] for row in expected[123:]])
    np.testing.assert_allclose(strength[123:], [row[2] for row in expected[123:]], rtol=1e-8)
    assert (regular[:123] == 0).all()
    assert np.count_nonzero(regular) > 3


def test_events_of_a_leaked_twin_disagree_with_a_prefix():
    """Moved one bar earlier, the column is not what a prefix of the market gives."""
    columns = walks(3, 0.0)
    regular = divergences(**columns)[0]
    leaked = np.append(regular[1:], 0.0)
    rows = np.flatnonzero(leaked)
    prefix_says = [
        divergences(**{name: column[: t + 1] for name, column in columns.items()})[0][t]
        for t in rows
    ]
    assert len(rows) >= 4
    assert (np.array(prefix_says) != leaked[rows]).any()
