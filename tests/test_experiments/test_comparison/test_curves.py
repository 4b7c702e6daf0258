"""Curves on common closes and what is measured of them: smallest cases, by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine import Float1D
from experiments.comparison.curves import curves_of, drawdowns_of
from experiments.comparison.differences import measures, metric_differences
from experiments.statistics.resampling import automatic_table_resampling

HOUR_US = 3_600 * 10**6
HOURS = 8_760.0


@dataclass(frozen=True)
class Closes:
    """A record of closes at these hours."""

    hours: tuple[int, ...]
    equity: tuple[float, ...]
    cash: float = 100.0
    run_id: str = "run"

    @property
    def content(self) -> dict[str, Any]:
        return {"config": {"initial_cash": self.cash}, "start_time": "a", "end_time": "b"}

    def table(self, name: str) -> pa.Table:
        assert name == "equity"
        time = pa.array([hour * HOUR_US for hour in self.hours]).cast(pa.timestamp("us"))
        return pa.table({"time": time, "equity": list(self.equity)})


def curves(*records: Any) -> Any:
    return curves_of(records)


def test_runs_of_the_same_closes_are_measured_from_their_cash() -> None:
    found = curves(
        Closes((1, 2, 3), (110.0, 99.0, 0.0)), Closes((1, 2, 3), (50.0, 75.0, 75.0), cash=50.0)
    )
    assert found.is_whole
    np.testing.assert_allclose(found.growth, [[1.1, 1.0], [0.99, 1.5], [0.0, 1.5]])
    np.testing.assert_allclose(found.returns, [[0.1, 0.0], [-0.1, 0.5], [-1.0, 0.0]], atol=1e-15)


def test_runs_that_overlap_are_measured_from_their_first_common_close() -> None:
    found = curves(
        Closes((1, 2, 3, 4, 9, 10), (100.0, 110.0, 121.0, 0.0, 0.0, 0.0)),
        Closes((2, 3, 4, 9, 10), (50.0, 100.0, 100.0, 25.0, 50.0)),
    )
    assert not found.is_whole
    assert (found.time_ns // 1000 // HOUR_US).tolist() == [3, 4, 9, 10]
    np.testing.assert_allclose(found.growth[:, 0], [1.1, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(found.growth[:, 1], [2.0, 2.0, 0.5, 1.0])
    np.testing.assert_allclose(found.returns[:, 0], [0.1, -1.0, 0.0, 0.0])
    np.testing.assert_allclose(found.returns[:, 1], [1.0, 0.0, -0.75, 1.0])
    assert found.bars == (6, 5)
    assert found.closes_a_year == HOURS, "a hole makes no year of fewer closes"


def test_a_run_that_was_ruined_before_they_meet_has_no_growth() -> None:
    found = curves(Closes((1, 2, 3), (0.0, 0.0, 0.0)), Closes((0, 1, 2, 3), (9.0, 9.0, 9.0, 9.0)))
    assert np.isnan(found.growth[:, 0]).all()
    assert (found.returns[:, 0] == 0).all()


def test_a_drawdown_counts_from_the_beginning() -> None:
    np.testing.assert_allclose(drawdowns_of(np.array([0.9, 1.2, 0.6])), [0.1, 0.0, 0.5])


def test_more_than_everything_cannot_be_lost_and_a_constant_has_no_ratio() -> None:
    lost = measures(np.array([0.1, -1.5, 0.2]), HOURS)
    assert (lost["total_return"], lost["max_drawdown"]) == (-1.0, 1.0)
    constant = measures(np.full(50, 0.001), HOURS)
    assert np.isnan(constant["sharpe"])
    assert np.isnan(constant["sortino"])
    assert constant["max_drawdown"] == 0.0


def moves(count: int, seed: int) -> Float1D:
    found: Float1D = np.random.default_rng(seed).normal(0.0, 0.01, count)
    return found


@pytest.mark.parametrize(("count", "is_given"), [(29, False), (30, True)])
def test_thirty_closes_have_intervals(count: int, is_given: bool) -> None:
    rows = metric_differences(moves(count, 1), moves(count, 2), HOURS, seed=1, draws=50)
    assert all(np.isfinite(row.low) == is_given for row in rows)
    assert all(row.difference == row.other - row.first for row in rows)


def test_what_one_resample_in_ten_lacks_has_no_interval() -> None:
    once = np.zeros(40)
    once[7] = -0.02
    rows = {
        row.name: row for row in metric_differences(once, moves(40, 3), HOURS, seed=1, draws=200)
    }
    # A third of the resamples leave the only move out.
    assert np.isfinite(rows["sharpe"].first)
    assert np.isnan([rows["sharpe"].low, rows["sortino"].high]).all()
    assert np.isfinite([rows["total_return"].low, rows["max_drawdown"].high]).all()


def test_blocks_are_as_long_as_the_memory_of_both_and_their_difference() -> None:
    slow = np.convolve(moves(429, 4), np.ones(30) / 5, "valid")
    first = moves(400, 5)
    other = first + slow
    table = np.column_stack((first, other, other - first))
    chosen = automatic_table_resampling(table)
    plain = metric_differences(first, other, HOURS, seed=1, draws=100)
    assert plain == metric_differences(first, other, HOURS, seed=1, draws=100, resampling=chosen)
    alone = automatic_table_resampling(np.column_stack((first, first, first)))
    assert alone.block_length != chosen.block_length
