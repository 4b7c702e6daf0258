"""Where a rule of the heads' numbers begins and ends, and a run's numbers against pandas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from experiments import RunRecord, RunResult, load_run
from experiments.report.heads.calibration import JUDGED, CalibrationSums
from experiments.report.heads.entries import EntryGroups, entry_groups
from experiments.report.heads.forward import HORIZONS
from experiments.report.heads.left_out import head_changes
from experiments.report.heads.levels import LevelReturns, LevelSums
from experiments.report.heads.numbers import head_numbers
from experiments.report.reading import RunReading
from experiments.statistics.clustered_shares import clustered_shares
from experiments.statistics.resampling import automatic_table_resampling


@dataclass(frozen=True)
class Altered:
    """A record some of whose tables are changed."""

    record: RunRecord
    changes: Mapping[str, Callable[[pa.Table], pa.Table]]

    @property
    def content(self) -> Mapping[str, Any]:
        return self.record.content

    @property
    def run_dir(self) -> Path:
        return self.record.run_dir

    def table(self, name: str) -> pa.Table:
        table = self.record.table(name)
        return self.changes[name](table) if name in self.changes else table


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def numbers_of(result: RunResult, **changes: Callable[[pa.Table], pa.Table]) -> Any:
    assert result.run_dir is not None
    record: Any = Altered(load_run(result.run_dir), changes)
    reading = RunReading(record)
    return reading, head_numbers(reading)


def level_returns(bars: int, weeks: int) -> LevelReturns:
    """One level with so many bars, spread over so many clusters, beside one that has plenty."""
    generator = np.random.default_rng(1)
    sums = LevelSums(np.array([0.0, 1.0]), 40)
    position = np.concatenate((np.zeros(bars, dtype=np.int64), np.ones(400, dtype=np.int64)))
    week = np.concatenate((np.arange(bars) % weeks, np.arange(400) % 40))
    sums.add(position, generator.normal(0.0, 0.01, (len(position), 3)), week)
    return sums.returns(seed=1)


@pytest.mark.parametrize(
    ("bars", "weeks", "is_judged"), [(30, 8, True), (29, 8, False), (30, 7, False)]
)
def test_a_level_of_thirty_bars_in_eight_clusters_has_an_interval(
    bars: int, weeks: int, is_judged: bool
) -> None:
    found = level_returns(bars, weeks)
    assert np.isfinite(found.low[0]).all() == np.isfinite(found.high[0]).all() == is_judged
    assert np.isfinite(found.low[1]).all()


def test_a_level_is_listed_that_has_short_returns_alone() -> None:
    sums, forward = LevelSums(np.array([0.0, 1.0, 2.0]), 1), np.full((3, 3), np.nan)
    forward[0], forward[1, 0] = 0.01, 0.02
    sums.add(np.arange(3), forward, np.zeros(3, dtype=np.int64))
    found = sums.returns(seed=1)
    assert found.level.tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(found.mean[1], [0.02, np.nan, np.nan])
    np.testing.assert_allclose(found.everything, [0.015, 0.01, 0.01])


def entries_of(trades: int, weeks: int) -> EntryGroups:
    generator = np.random.default_rng(2)
    agreeing = np.concatenate((np.full(trades, 2), np.full(100, 3))).astype(np.int64)
    net = generator.normal(0.0, 1.0, len(agreeing))
    cluster = np.concatenate((np.arange(trades) % weeks, np.arange(100) % 20)).astype(np.int64)
    return entry_groups(agreeing, net, net / 100, cluster, seed=1)


@pytest.mark.parametrize(
    ("trades", "weeks", "is_judged"), [(10, 8, True), (9, 8, False), (10, 7, False)]
)
def test_ten_trades_in_eight_clusters_have_an_interval(
    trades: int, weeks: int, is_judged: bool
) -> None:
    found = entries_of(trades, weeks)
    assert np.isfinite(found.low).tolist() == [is_judged, True]


def test_nobody_agreed_is_a_number_and_nothing_earned_no_win() -> None:
    agreeing = np.array([0, 0, -1, 2], dtype=np.int64)
    net = np.array([0.0, 5.0, 7.0, 0.0])
    found = entry_groups(agreeing, net, net / 10, np.zeros(4, dtype=np.int64), seed=1)
    assert found.heads.tolist() == [0, 2]
    assert found.wins.tolist() == [0.5, 0.0]
    assert found.mean_return.tolist() == [0.25, 0.0]
    assert found.undecided == 1


def test_reliability_is_judged_after_24_bars() -> None:
    assert HORIZONS[JUDGED] == 24


def test_each_horizon_has_an_interval_by_itself() -> None:
    generator = np.random.default_rng(3)
    forward, week = generator.normal(0.0, 0.01, (600, 3)), np.arange(600) // 20
    direction, half = generator.choice([-1, 1], 600).astype(np.int8), np.full(600, 0.5)
    sums = CalibrationSums(30)
    sums.add(direction, half, half, np.ones(600, dtype=np.bool_), forward, week)
    found = sums.calibration()
    for column in range(3):
        right = (np.sign(forward[:, column]) == direction).astype(float)
        hits = pd.Series(right).groupby(week).sum().to_numpy()[:, None]
        alone = clustered_shares(hits, np.full((30, 1), 20.0))
        assert (found.low[column], found.high[column]) == (alone.low[0], alone.high[0])


def own_and_other(days: int, seed: int) -> Any:
    """A run of noise, and the same less something slow: only their difference has a memory."""
    generator = np.random.default_rng(seed)
    own = generator.normal(0.0, 0.02, days)
    slow = np.convolve(generator.normal(0.0, 0.0005, days + 29), np.ones(30) / 5, "valid")
    return own, own - slow


def changes_of(own: Any, other: Any) -> Any:
    numbers = {"sharpe": 0.0, "total_return": 0.0, "max_drawdown": 0.0, "trades": 1.0}
    return head_changes(
        numbers,
        {"head": numbers},
        np.column_stack((other, other**2))[None],
        np.column_stack((own, own**2)),
        np.ones(len(own), dtype=np.int64),
        bars_a_year=365.0,
        seed=1,
    )


def test_blocks_are_as_long_as_the_memory_of_the_difference() -> None:
    own, other = own_and_other(600, 4)
    found = changes_of(own, other)
    both = automatic_table_resampling(np.column_stack((own, other))).block_length
    with_difference = automatic_table_resampling(np.column_stack((own, other, own - other)))
    assert found.block_days == with_difference.block_length
    assert found.block_days != both, "the difference has a say"


@pytest.mark.parametrize(("days", "is_given"), [(29, False), (30, True)])
def test_thirty_days_have_an_interval(days: int, is_given: bool) -> None:
    assert np.isfinite(changes_of(*own_and_other(days, 5)).low[0]) == is_given


def gaps_at(table: pa.Table) -> pa.Table:
    """Every ninth traded bar is missing."""
    return replaced(table, "is_gap", np.arange(len(table)) % 9 == 4)


def test_returns_after_votes_are_those_of_pandas(result: RunResult) -> None:
    reading, found = numbers_of(result, prices=gaps_at)
    votes, prices = (reading.table(name).to_pandas() for name in ("votes", "prices"))
    prices["last_is_gap"] = prices.groupby("symbol")["is_gap"].shift(fill_value=False)
    prices["price"] = prices["open"].where(~prices["is_gap"])
    at_open = prices.set_index(["symbol", "open_time"])
    begin = at_open["price"].where(~at_open["last_is_gap"])
    step = pd.Timedelta(reading.step_ns, "ns")

    def price(table: Any, ahead: int) -> Any:
        times = votes["time"] + ahead * step
        return table.reindex(pd.MultiIndex.from_arrays([votes["symbol"], times])).to_numpy()

    level = votes["consensus_side"] * votes["consensus_votes_for"]
    for column, ahead in enumerate(HORIZONS):
        forward = pd.Series(price(at_open["price"], ahead) / price(begin, 0) - 1.0)
        mean = forward.groupby(level).mean()
        count = forward.groupby(level).count()
        listed = found.by_agreement.level.astype(int).tolist()
        np.testing.assert_allclose(found.by_agreement.mean[:, column], mean[listed], rtol=1e-9)
        np.testing.assert_array_equal(found.by_agreement.counts[:, column], count[listed])
        for head, calibration in found.calibrations.items():
            said = votes[f"{head}_direction"]
            judged = (said != 0) & forward.notna() & (forward != 0)
            right = np.sign(forward[judged]) == said[judged]
            assert calibration.counts[column] == judged.sum()
            assert calibration.share[column] == pytest.approx(right.mean(), nan_ok=True)
    assert 0 < np.isnan(price(begin, 0)).mean() < 0.5, "the gaps are there"


def test_a_trade_whose_close_has_no_vote_is_undecided(result: RunResult) -> None:
    plain, whole = numbers_of(result)
    trade = plain.trades[3]
    decided_at = plain.close_time[trade["entry_bar"] - 1]
    symbol = plain.symbols[trade["symbol"]]

    def without(table: pa.Table) -> pa.Table:
        frame = table.to_pandas()
        times = frame["time"].astype("datetime64[ns]").astype("int64")
        keep = ~((frame["symbol"] == symbol) & (times == decided_at))
        assert (~keep).sum() == 1
        return table.filter(pa.array(keep))

    _, fewer = numbers_of(result, votes=without)
    assert (whole.entries.undecided, fewer.entries.undecided) == (0, 1)
    assert fewer.entries.trades.sum() == whole.entries.trades.sum() - 1


def test_trades_are_worth_what_they_returned(result: RunResult) -> None:
    reading, found = numbers_of(result)
    frame = reading.table("trades").to_pandas()
    total = (found.entries.mean_return * found.entries.trades).sum()
    assert total == pytest.approx(frame["return_frac"].sum(), rel=1e-9)


def test_days_of_the_run_are_those_of_the_runs_without_a_head(result: RunResult) -> None:
    reading, found = numbers_of(result)
    without = reading.content["leave_one_out"]
    table = reading.table("leave_one_out").to_pandas()
    bars = table["bars"].to_numpy().reshape(len(without), -1)[0]
    day = np.repeat(np.arange(len(bars)), bars)
    returns = pd.Series(reading.returns)
    expected = head_changes(
        reading.content["metrics"],
        without,
        np.stack([table[name].to_numpy().reshape(len(without), -1) for name in
                  ("return_sum", "square_sum")], axis=2),
        np.column_stack((returns.groupby(day).sum(), (returns**2).groupby(day).sum())),
        bars,
        bars_a_year=reading.bars_a_year,
        seed=reading.seed,
    )  # fmt: skip
    np.testing.assert_allclose(found.changes.low, expected.low, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.changes.high, expected.high, rtol=1e-6, atol=1e-9)
    assert np.isfinite(expected.low).any()
