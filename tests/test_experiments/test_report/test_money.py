"""Costs, trades and parts of a run: sums that must agree, and numbers by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import REASONS, TRADE_DTYPE
from experiments.report.numbers.costs import cost_cases, cost_steps, running_totals
from experiments.report.numbers.samples import MEASURES, Sample, measured, samples_of
from experiments.report.numbers.trades import (
    by_exit_reason,
    by_side,
    by_symbol,
    concentration,
    largest_results,
    side_curve,
)
from experiments.report.reading import RunReading, floats


def trades_of(net: list[float], **columns: Any) -> np.ndarray[Any, Any]:
    trades = np.zeros(len(net), dtype=TRADE_DTYPE)
    trades["net_pnl"], trades["side"], trades["r_multiple"] = net, 1, np.nan
    for name, values in columns.items():
        trades[name] = values
    return trades


def test_steps_lead_from_before_costs_to_net(edge: Any) -> None:
    reading = RunReading(edge)
    steps = cost_steps(reading.content["metrics"], reading.initial_cash)
    net = reading.equity[-1] - reading.initial_cash
    assert steps[-1].amount == pytest.approx(net, rel=1e-9, abs=1e-6)
    assert sum(step.amount for step in steps[:-1]) == pytest.approx(net, rel=1e-9, abs=1e-6)


def test_costs_added_up_end_at_the_metrics(usual: Any) -> None:
    reading = RunReading(usual)
    fills = reading.table("fills")
    bar = floats(fills["bar"]).astype(np.int64)
    found = running_totals(len(reading.equity), bar, {"fees": floats(fills["fee"])})["fees"]
    assert found[-1] == pytest.approx(reading.metric("fees"), rel=1e-12)
    place = 500
    assert found[place] == pytest.approx(floats(fills["fee"])[bar <= place].sum(), rel=1e-12)


def test_other_costs_move_the_return_by_what_they_are() -> None:
    metrics = {"fees": 300.0, "spread": 150.0, "impact": 50.0, "total_return": -0.01}
    cases = {case.multiple: case.total_return for case in cost_cases(metrics, 10_000.0)}
    assert cases[1.0] == -0.01
    assert cases[0.0] == pytest.approx(0.04, rel=1e-12)
    assert cases[2.0] == pytest.approx(-0.06, rel=1e-12)
    lost = {**metrics, "total_return": -0.98}
    assert [case.total_return for case in cost_cases(lost, 10_000.0, (1.0, 3.0))] == [-0.98, -1.0]


def test_groups_of_trades_are_all_trades(usual: Any) -> None:
    reading = RunReading(usual)
    trades = reading.trades
    frame = usual.tables["trades"].to_pandas()
    by_name = frame.groupby("symbol")["net_pnl"].sum()
    groups = by_symbol(trades, reading.symbols)
    for group in groups:
        assert group.net_pnl == pytest.approx(by_name[group.label], rel=1e-12)
    net = reading.equity[-1] - reading.initial_cash
    for split in (groups, by_side(trades), by_exit_reason(trades)):
        assert sum(group.net_pnl for group in split) == pytest.approx(net, rel=1e-9)
        assert sum(group.trades for group in split) == len(trades)
    exits = frame["exit_reason"].value_counts()
    assert {group.label: group.trades for group in by_exit_reason(trades)} == exits.to_dict()


def test_a_side_is_booked_when_its_trades_end() -> None:
    trades = trades_of([5.0, -2.0, 7.0], side=[1, -1, 1], exit_time_ns=[300, 200, 100])
    found = side_curve(trades, 1, 0, 500)
    assert found.time_ns.tolist() == [0, 100, 300, 500]
    assert found.net_pnl.tolist() == [0.0, 7.0, 12.0, 12.0]
    assert side_curve(trades, -1, 0, 500).net_pnl.tolist() == [0.0, -2.0, -2.0]
    assert side_curve(trades[:0], 1, 0, 9).net_pnl.tolist() == [0.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_the_largest_results_are_kept(net: list[float], count: int) -> None:
    rows = largest_results(trades_of(net), count)
    assert len(rows) == min(count, len(net))
    assert (np.diff(rows) > 0).all()
    kept, left = np.abs(net)[rows], np.delete(np.abs(net), rows)
    assert not len(left) or left.max() <= kept.min()


def test_what_hangs_on_few_trades() -> None:
    found = concentration(trades_of([10.0, -4.0, 6.0, 3.0, -1.0, 2.0, 1.0]))
    assert found.without_best == 7.0
    assert found.without_best_five == -5.0
    four = concentration(trades_of([10.0, 6.0, 3.0, 2.0, -4.0, -1.0]))
    assert four.without_best == 6.0
    assert np.isnan(four.without_best_five), "four won: without five would take losses away"
    assert found.best_share == 10.0 / 22.0
    lost = concentration(trades_of([-3.0]))
    assert np.isnan([lost.without_best, lost.without_best_five, lost.best_share]).all()


@given(rows=st.integers(1, 60), start=st.integers(-5, 65), stop=st.integers(-5, 65))
def test_stretches_cover_the_run(rows: int, start: int, stop: int) -> None:
    opens = np.arange(rows, dtype=np.int64)
    found = samples_of(opens, start, stop)
    for place, sample in enumerate(found):
        assert sample.start == (found[place - 1].stop if place else 0)
        assert place == 0 or sample.is_seen != found[place - 1].is_seen
        assert all(
            (start <= bar < stop) == sample.is_seen for bar in range(sample.start, sample.stop)
        )
    assert found[-1].stop == rows
    assert samples_of(opens, None, None) == (Sample(start=0, stop=rows, is_seen=True),)


def part_of(reading: RunReading, start: int, stop: int) -> Any:
    return measured(
        Sample(start=start, stop=stop, is_seen=True),
        equity=reading.equity,
        initial_cash=reading.initial_cash,
        gross_exposure=reading.account("gross_exposure"),
        days=reading.days,
        trades=reading.trades,
        bars_a_year=reading.bars_a_year,
        seed=reading.seed,
    )


def test_the_whole_run_as_one_part_has_its_metrics(edge: Any) -> None:
    reading = RunReading(edge)
    found = part_of(reading, 0, len(reading.equity))
    for name, _ in MEASURES:
        expected = len(reading.equity) if name == "bars" else reading.metric(name)
        if (
            name in ("trades", "win_rate", "profit_factor", "expectancy")
            and len(reading.symbols) > 2
        ):
            continue  # The run of many symbols has its trades many times, its metrics once.
        if expected is None:
            assert np.isnan(found.values[name]), name
        else:
            assert found.values[name] == pytest.approx(expected, rel=1e-9, abs=1e-12), name
    assert found.sharpe_interval == reading.sharpe_interval


def test_parts_follow_each_other(usual: Any) -> None:
    reading = RunReading(usual)
    first, second = part_of(reading, 0, 400), part_of(reading, 400, 960)
    grown = (1 + first.values["total_return"]) * (1 + second.values["total_return"])
    assert grown - 1 == pytest.approx(reading.metric("total_return"), rel=1e-9)
    assert first.values["trades"] + second.values["trades"] == reading.metric("trades")
    returns = reading.returns[400:]
    expected = returns.mean() / returns.std(ddof=1) * np.sqrt(reading.bars_a_year)
    assert second.values["sharpe"] == pytest.approx(expected, rel=1e-9)
    assert second.sharpe_interval is None, "24 days are too few for an interval"


def test_codes_of_trades_are_words_of_the_ledger(usual: Any) -> None:
    reading = RunReading(usual)
    frame = usual.tables["trades"].to_pandas()
    assert [REASONS[code] for code in reading.trades["exit_reason"]] == frame[
        "exit_reason"
    ].tolist()
    assert [reading.symbols[code] for code in reading.trades["symbol"]] == frame["symbol"].tolist()
    np.testing.assert_array_equal(reading.trades["r_multiple"], frame["r_multiple"])
    exits = frame["exit_time"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    np.testing.assert_array_equal(reading.trades["exit_time_ns"], exits)
