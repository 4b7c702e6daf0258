"""Panels with volume, marks and finer bars; longer bars are those of pandas' resample."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError, MarkPrices, Panel, sub_bars, timeframe_ns
from tests.generators import START_NS

SYMBOLS = ("A", "B")
PRICES = ("open", "high", "low", "close")


def random_prices(rows: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    shape = (rows, len(SYMBOLS))
    close = 100.0 * np.exp(np.cumsum(0.01 * generator.standard_normal(shape), axis=0))
    open_ = close * np.exp(0.005 * generator.standard_normal(shape))
    reach = np.exp(0.01 * generator.random((2, *shape)))
    return {
        "open": open_,
        "high": np.maximum(open_, close) * reach[0],
        "low": np.minimum(open_, close) / reach[1],
        "close": close,
    }


def random_panel(
    rows: int,
    timeframe: str,
    seed: int,
    *,
    gap_share: float = 0.0,
    listed: np.ndarray | None = None,
    with_mark: bool = True,
) -> Panel:
    generator = np.random.default_rng(seed)
    shape = (rows, len(SYMBOLS))
    is_gap = generator.random(shape) < gap_share
    return Panel(
        symbols=SYMBOLS,
        timeframe=timeframe,
        open_time=START_NS + timeframe_ns(timeframe) * np.arange(rows, dtype=np.int64),
        listed=np.ones(shape, dtype=np.bool_) if listed is None else listed,
        is_gap=is_gap,
        volume=np.where(is_gap, 0.0, generator.exponential(10.0, shape)),
        mark=MarkPrices(**random_prices(rows, generator)) if with_mark else None,
        **random_prices(rows, generator),
    )


def pair(seed: int, gap_share: float = 0.4, per_bar: int = 4) -> tuple[Panel, Panel]:
    """Hours and the parts of them, independent of each other, the second symbol listed from hour 3."""
    listed = np.ones((8, 2), dtype=np.bool_)
    listed[:3, 1] = False
    fine = random_panel(
        8 * per_bar,
        {4: "15m", 12: "5m"}[per_bar],
        seed,
        gap_share=gap_share,
        listed=np.repeat(listed, per_bar, axis=0),
    )
    return random_panel(8, "1h", seed + 1, gap_share=gap_share, listed=listed), fine


def resampled(prices: Panel | MarkPrices, fine: Panel, column: int) -> pd.DataFrame:
    """Hours of one symbol's existing finer bars; NaN where there are none."""
    exists = fine.listed[:, column] & ~fine.is_gap[:, column]
    index = pd.to_datetime(fine.open_time, utc=True)
    table = pd.DataFrame({name: getattr(prices, name)[:, column] for name in PRICES}, index=index)
    table[~exists] = np.nan
    rules = {"open": "first", "high": "max", "low": "min", "close": "last"}
    return table.resample("1h").agg(rules)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.4, 0.9]), st.sampled_from([4, 12]))
@settings(max_examples=40, deadline=None)
def test_rebuilt_bars_are_those_of_pandas(seed: int, gap_share: float, per_bar: int):
    panel, fine = pair(seed, gap_share, per_bar)
    rebuilt = panel.rebuilt_from(fine)
    for column in range(len(SYMBOLS)):
        for ours, theirs, otherwise in (
            (rebuilt, resampled(fine, fine, column), panel),
            (rebuilt.mark, resampled(fine.mark, fine, column), panel.mark),
        ):
            for name in PRICES:
                expected = theirs[name].fillna(
                    pd.Series(getattr(otherwise, name)[:, column], theirs.index)
                )
                np.testing.assert_array_equal(getattr(ours, name)[:, column], expected)
        has_none = resampled(fine, fine, column)["open"].isna().to_numpy()
        np.testing.assert_array_equal(rebuilt.is_gap[:, column], panel.is_gap[:, column] & has_none)
    np.testing.assert_array_equal(rebuilt.volume, panel.volume)
    np.testing.assert_array_equal(rebuilt.listed, panel.listed)


def test_rebuilding_twice_changes_nothing_more():
    panel, fine = pair(7)
    once = panel.rebuilt_from(fine)
    twice = once.rebuilt_from(fine)
    for name in PRICES:
        np.testing.assert_array_equal(getattr(once, name), getattr(twice, name))
        np.testing.assert_array_equal(getattr(once.mark, name), getattr(twice.mark, name))


def test_a_mark_is_rebuilt_only_where_both_have_one():
    panel, fine = pair(8)
    assert panel.rebuilt_from(replace(fine, mark=None)).mark is panel.mark
    assert replace(panel, mark=None).rebuilt_from(fine).mark is None


def test_a_prefix_keeps_volume_and_mark():
    panel, _ = pair(9)
    prefix = panel.prefix(5)
    np.testing.assert_array_equal(prefix.volume, panel.volume[:5])
    for name in PRICES:
        np.testing.assert_array_equal(getattr(prefix, name), getattr(panel, name)[:5])
        np.testing.assert_array_equal(getattr(prefix.mark, name), getattr(panel.mark, name)[:5])
    bare = replace(panel, volume=None, mark=None).prefix(5)
    assert (bare.volume, bare.mark) == (None, None)


def test_sub_bars_counts_what_lies_inside_a_bar():
    panel, fine = pair(1, per_bar=12)
    assert sub_bars(panel, fine) == 12


def other_listing(fine: Panel) -> Panel:
    listed = fine.listed.copy()
    listed[13, 1] = ~listed[13, 1]
    return replace(fine, listed=listed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, f: (p, p), "finer bars of 1h do not divide bars of 1h"),
        (lambda p, f: (f, p), "finer bars of 1h do not divide bars of 15m"),
        (lambda p, f: (p, replace(f, symbols=("A", "C"))), r"finer bars are of \('A', 'C'\)"),
        (lambda p, f: (p, f.prefix(31)), "cover the panel exactly: 32 bars .*; they are 31"),
        (
            lambda p, f: (p, replace(f, open_time=f.open_time + f.step_ns)),
            "cover the panel exactly: 32 bars from 2021-01-01T00:00:00; they are 32 from 2021-01-01T00:15",
        ),
        (lambda p, f: (p, other_listing(f)), "finer bars: B bar 13: listed=False"),
    ],
)
def test_finer_bars_that_do_not_fit_are_refused(change: Any, message: str):
    panel, fine = change(*pair(2))
    with pytest.raises(DataError, match=message):
        sub_bars(panel, fine)
    with pytest.raises(DataError, match=message):
        panel.rebuilt_from(fine)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_wrong_volume_names_symbol_bar_and_value(value: float):
    panel, _ = pair(3)
    volume = panel.volume.copy()
    volume[6, 1] = value
    with pytest.raises(DataError, match=f"panel: B bar 6: volume={value} must be finite"):
        replace(panel, volume=volume)
    with pytest.raises(DataError, match=r"volume has shape \(7, 2\), expected \(8, 2\)"):
        replace(panel, volume=volume[1:])


@pytest.mark.parametrize("column", PRICES)
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -5.0])
def test_a_wrong_price_or_mark_names_symbol_and_bar(column: str, value: float):
    panel, _ = pair(4)
    wrong = getattr(panel, column).copy()
    wrong[5, 0] = value
    with pytest.raises(DataError, match="panel: A bar 5: prices must be finite and positive"):
        replace(panel, **{column: wrong})
    marks = getattr(panel.mark, column).copy()
    marks[5, 0] = value
    with pytest.raises(DataError, match="panel: A bar 5: mark prices must be finite"):
        replace(panel, mark=replace(panel.mark, **{column: marks}))


def test_a_mark_of_another_shape_is_refused():
    panel, _ = pair(5)
    with pytest.raises(DataError, match=r"mark open has shape \(7, 2\)"):
        replace(panel, mark=panel.mark.part(0, 7))


@pytest.mark.parametrize("name", ["listed", "is_gap"])
def test_a_mask_of_another_shape_is_refused(name: str):
    panel, _ = pair(6)
    with pytest.raises(DataError, match=rf"{name} has shape \(7, 2\)"):
        replace(panel, **{name: getattr(panel, name)[1:]})


def test_times_off_the_grid_and_empty_panels_are_refused():
    panel, _ = pair(6)
    times = panel.open_time.copy()
    times[[3, 4]] = times[[4, 3]]
    with pytest.raises(DataError, match=r"open_time\[3\]=.* must lie 1h after the row"):
        replace(panel, open_time=times)
    with pytest.raises(DataError, match="0 bars and 2 symbols"):
        panel.prefix(0)


@pytest.mark.parametrize("name", ["open", "close", "listed", "is_gap", "volume", "open_time"])
def test_a_wrong_dtype_names_the_column(name: str):
    panel, _ = pair(6)
    with pytest.raises(DataError, match=f"panel: {name} must be a .* array, it is int32"):
        replace(panel, **{name: getattr(panel, name).astype(np.int32)})
