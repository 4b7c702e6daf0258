"""Checks that compare data sets: periods, survivors, last bars, two sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import Finding
from datasets.quality import CheckedSeries, QualitySettings
from engine import DAY_NS
from tests.test_datasets.quality.planting import (
    BARS,
    checked,
    clean_bars,
    key_of,
    lines_of,
    series_of,
    without_rows,
)


def cut(
    symbol: str, first: int, last: int, *, count: int = BARS, step: str = "1h"
) -> CheckedSeries:
    """Bars from row ``first`` up to ``last``."""
    columns = clean_bars(count=count, step=step)
    gone = [*range(first), *range(last, count)]
    return series_of(without_rows(columns, gone), key_of(symbol, step=step))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=2, max_size=6))
def test_unequal_periods_against_a_count(cuts: list[tuple[int, int]]) -> None:
    series = [cut(f"S{number}", first, BARS - last) for number, (first, last) in enumerate(cuts)]
    found = checked(*series).defects().get("unequal_periods", 0)
    assert found == (len(cuts) if len(set(cuts)) > 1 else 0)


SETTINGS = QualitySettings(survivors_least=3, survivors_least_ns=100 * DAY_NS)


@pytest.mark.parametrize(
    ("ends", "survivorship"),
    [
        ([200, 200, 200, 200], True),
        ([200, 200, 200, 199], True),
        # One that was delisted, and the recordings of two that stop together.
        ([200, 200, 200, 120], False),
        ([200, 200, 200, 120, 120], True),
        ([200, 200], False),
        ([90, 90, 90], False),
    ],
)
def test_only_symbols_that_lived_to_the_end(ends: list[int], survivorship: bool) -> None:
    series = [cut(f"S{number}", 0, end, count=200, step="1d") for number, end in enumerate(ends)]
    assert ("survivorship" in checked(*series, settings=SETTINGS).defects()) == survivorship


def test_series_that_end_a_step_apart_were_recorded_live() -> None:
    ends = [BARS, BARS, BARS - 1, BARS - 1, BARS - 2, 100]
    report = checked(*(cut(f"S{number}", 0, end) for number, end in enumerate(ends)))
    assert report.defects()["incomplete_last_bar"] == 5
    assert "they end at 3 neighbouring times" in report.comparisons[-1].message


def test_last_bars_with_little_volume_were_recorded_live() -> None:
    series = []
    for number in range(5):
        columns = clean_bars(number)
        columns["volume"][-1] *= 0.1
        series.append(series_of(columns, key_of(f"S{number}")))
    assert checked(*series).defects() == {"incomplete_last_bar": 5}
    assert checked(*series[:4]).defects() == {}


def test_series_whose_open_bar_was_dropped_are_not_suspected() -> None:
    told = Finding(
        defect="incomplete_last_bar", action="dropped", subject="S", count=1, message="dropped"
    )
    series = [cut(f"S{number}", 0, BARS - number % 2) for number in range(6)]
    cured = [CheckedSeries(one.key, one.table, (told,)) for one in series]
    assert "incomplete_last_bar" in {f.defect for f in checked(*series).comparisons}
    assert "incomplete_last_bar" not in {f.defect for f in checked(*cured).comparisons}


@given(st.dictionaries(st.integers(0, BARS - 1), st.sampled_from(["close", "volume"]), max_size=6))
def test_two_sources_differ_where_they_were_made_to(changed: dict[int, str]) -> None:
    one, other = clean_bars(), clean_bars()
    for row, name in changed.items():
        other[name][row] *= 1.0001
        other["high"][row] = max(other["high"][row], other["close"][row])
    high = sum(one["high"][row] != other["high"][row] for row in changed)
    series = [series_of(one, key_of()), series_of(other, key_of(source="other"))]
    report = checked(*series)
    assert report.defects().get("source_disagreement", 0) == len(changed)
    if changed:
        (finding,) = report.comparisons
        for name in ("close", "volume"):
            count = sum(column == name for column in changed.values())
            assert (f"{name} in {count}" in finding.message) == (count > 0)
        assert (f"high in {high}" in finding.message) == (high > 0)
        assert len(lines_of(report, "source_disagreement")) == len(changed)


def test_cells_that_one_source_lacks_are_no_disagreement() -> None:
    one, other = clean_bars(), clean_bars()
    one["trades"] = [5] * BARS
    other["volume"] = [value * (1 + 1e-12) for value in other["volume"]]
    series = [series_of(one, key_of()), series_of(other, key_of(source="other"))]
    assert checked(*series).defects() == {}
