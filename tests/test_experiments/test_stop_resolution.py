"""The study of stops by hours and by minutes: its samples, and what it must find on a random walk."""

import numpy as np
import pytest

from engine import HOUR_NS, MINUTE_NS, Bars, Costs
from experiments.studies.stop_resolution import (
    WIDTHS,
    Sample,
    crossings,
    page,
    samples_of,
    study,
    table,
)
from tests.generators import START_NS

DAYS = 45
NO_COSTS = Costs(taker_fee_bps=0.0, slippage_bps=0.0)


def minute_bars(missing: slice = slice(0, 0), late_minutes: int = 0) -> Bars:
    """A driftless walk by the minute."""
    count = DAYS * 24 * 60
    generator = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(0.0008 * generator.standard_normal(count)))
    open_ = np.concatenate(([100.0], close[:-1]))
    is_gap = np.zeros(count, dtype=np.bool_)
    is_gap[missing] = True
    flat = {
        name: np.where(is_gap, 100.0, column)
        for name, column in (
            ("open", open_),
            ("high", np.maximum(open_, close)),
            ("low", np.minimum(open_, close)),
            ("close", close),
        )
    }
    return Bars(
        symbol="W",
        timeframe="1m",
        open_time=START_NS // HOUR_NS * HOUR_NS + MINUTE_NS * (late_minutes + np.arange(count)),
        volume=np.where(is_gap, 0.0, 1.0),
        is_gap=is_gap,
        **flat,
    )


def the_sample(bars: Bars) -> Sample:
    (sample,) = samples_of("W", bars)
    return sample


def test_a_sample_is_whole_hours_and_its_hours_are_made_of_its_minutes() -> None:
    sample = the_sample(minute_bars(late_minutes=25))
    assert len(sample.minutes) == 60 * len(sample.hours) == 60 * (DAYS * 24 - 1)
    assert (sample.hours.open_time % HOUR_NS == 0).all()
    rebuilt = sample.hours.rebuilt_from(sample.minutes)
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(rebuilt, name), getattr(sample.hours, name))


def test_a_hole_ends_a_sample_and_short_stretches_are_left_out() -> None:
    bars = minute_bars(missing=slice(30 * 24 * 60, 30 * 24 * 60 + 1))
    assert len(the_sample(bars).hours) == 30 * 24


def test_crossings_know_only_closes_so_far() -> None:
    close = the_sample(minute_bars()).hours.close[:, 0].copy()
    whole = crossings(close, 5, 40)
    other = close.copy()
    other[500:] *= np.linspace(1.0, 2.0, len(close) - 500)
    again = crossings(other, 5, 40)
    assert np.array_equal(whole.target[:500], again.target[:500])
    assert np.array_equal(whole.acts[:500], again.acts[:500])


def test_hours_lose_to_minutes_with_tight_stops_and_agree_with_wide_ones() -> None:
    sample = the_sample(minute_bars())
    tight, _, wide = (study(sample, width, NO_COSTS, "none") for width in WIDTHS)
    assert tight.ambiguous_exits > 20 * tight.ambiguous_minutes
    assert tight.by_hours.mean() < tight.by_minutes.mean()
    assert tight.rank_correlation < wide.rank_correlation
    assert wide.rank_correlation > 0.9
    said, was, rank = tight.best_by_hours
    assert said == tight.by_hours.max()
    assert rank == 1 + (tight.by_minutes > was).sum()
    assert "| W |" in table([tight, wide], "none")
    assert table([tight], "none") in page([tight], "the command")


@pytest.mark.parametrize("width", WIDTHS, ids=lambda width: width.name)
def test_costs_lower_every_mean(width) -> None:
    sample = the_sample(minute_bars())
    free, paid = study(sample, width, NO_COSTS, "none"), study(sample, width, Costs(), "default")
    assert paid.by_minutes.mean() < free.by_minutes.mean()
