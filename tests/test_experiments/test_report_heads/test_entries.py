"""Trades by agreeing heads: as pandas groups them, by the decision that opened each trade."""

import numpy as np
import pandas as pd
import pytest

from experiments import RunResult, load_run
from experiments.report.heads.entries import entry_groups, entry_orders_of
from experiments.report.heads.numbers import head_numbers
from experiments.report.reading import RunReading


def test_groups_are_those_of_pandas():
    generator = np.random.default_rng(1)
    count = 400
    agreeing = generator.choice([-1, 2, 3, 4, 7], count, p=[0.1, 0.4, 0.3, 0.19, 0.01])
    net = generator.normal(5.0, 50.0, count)
    returns, week = net / 10_000.0, np.sort(generator.integers(0, 40, count))
    found = entry_groups(agreeing, net, returns, week, seed=1)
    frame = pd.DataFrame({"heads": agreeing, "net": net, "returns": returns})
    known = frame[frame["heads"] >= 0].groupby("heads")
    assert found.heads.tolist() == list(known.groups)
    np.testing.assert_array_equal(found.trades, known.size())
    np.testing.assert_allclose(found.wins, known["net"].apply(lambda one: (one > 0).mean()))
    np.testing.assert_allclose(found.mean_return, known["returns"].mean())
    np.testing.assert_allclose(found.net_pnl, known["net"].sum())
    assert found.undecided == (agreeing < 0).sum()
    assert np.isfinite(found.low[:3]).all()
    assert np.isnan(found.low[3])


def test_no_trades_are_no_groups():
    nothing = np.empty(0)
    found = entry_groups(
        np.empty(0, dtype=np.int64), nothing, nothing, np.empty(0, dtype=np.int64), seed=1
    )
    assert len(found.heads) == 0
    assert found.undecided == 0


def test_a_trade_is_opened_by_its_first_fill():
    found = entry_orders_of(
        np.array([0, 0, 1, 0, 1, 3], dtype=np.int64),
        np.array([7, -1, 8, 9, 10, -1], dtype=np.int64),
        4,
    )
    assert found.tolist() == [7, 8, -1, -1]


def test_of_a_run_the_heads_are_those_at_the_close_that_decided(result: RunResult):
    """A market order is decided at the close before the bar that fills it."""
    found = head_numbers(RunReading(load_run(result.run_dir))).entries
    agreeing = []
    for trade in result.replay.trades:
        symbol = result.panel.symbols[trade["symbol"]]
        votes, opinion = result.votes[symbol], result.consensus[symbol]
        decided_at = int(result.panel.close_time[trade["entry_bar"] - 1])
        row = {moment: at for at, moment in enumerate(votes.known_at.tolist())}[decided_at]
        agreeing.append(int(opinion.votes_for[row]))
    counts = pd.Series(agreeing).value_counts().sort_index()
    assert found.heads.tolist() == counts.index.tolist()
    assert found.trades.tolist() == counts.tolist()
    assert found.undecided == 0
    assert found.net_pnl.sum() == pytest.approx(result.replay.trades["net_pnl"].sum())
