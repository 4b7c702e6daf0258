"""The run without each head: every number is that of an ablation, and the daily sums are its returns."""

import math

import numpy as np
import pytest

from datasets import Store
from engine import replay
from engine.metrics import bar_returns
from experiments import RunConfig, RunResult, ablate, config_of, run
from experiments.ablation import WITHOUT
from experiments.config_file import resolved
from experiments.decisions import decisions_of
from experiments.leave_one_out import METRICS, day_edges, without_head
from experiments.pipeline import votes_of
from strategies import HEAD_NAMES, consensus

RULES = {
    "as they are": [],
    "few heads": ["heads.enabled=[technical, volume, rules, ict]"],
    "entries that rest, levels": [
        "entry.kind=limit",
        "exits.take_profit_atr=3",
        "exits.trail_atr=2",
    ],
    "sized by volatility, no stop": ["sizing.method=volatility", "exits.stop_atr=null"],
    "held for so long": ["consensus.hold_bars=12", "consensus.exit_on_flat=true"],
}


@pytest.mark.parametrize("overrides", RULES.values(), ids=RULES)
def test_every_number_is_that_of_the_ablation(
    small_config: RunConfig, store: Store, overrides: list[str]
):
    config = config_of(resolved(small_config), overrides)
    found = run(config, store=store, runs=None).leave_one_out
    ablated = ablate(config, store=store)
    assert found is not None
    assert found.heads == config.heads.enabled
    for head, numbers in found.of_heads().items():
        expected = ablated.run(WITHOUT, head).metrics
        assert list(numbers) == list(METRICS)
        for name, value in numbers.items():
            assert value == expected[name] or (math.isnan(value) and math.isnan(expected[name]))
    assert len({numbers["sharpe"] for numbers in found.of_heads().values()}) > 2


def test_sums_are_those_of_the_days_of_the_run_without_the_head(
    small_config: RunConfig, store: Store, result: RunResult
):
    found = result.leave_one_out
    assert found is not None
    config = config_of(resolved(small_config), ["heads.enabled=[technical, volume, ict]"])
    three = run(config, store=store, runs=None).leave_one_out
    alone = config_of(resolved(small_config), ["heads.enabled=[technical, volume]"])
    data = result.data
    opinions = {
        symbol: consensus(votes_of(alone, market), alone.consensus.rules())
        for symbol, market in data.markets.items()
    }
    decisions, _ = decisions_of(alone, data, opinions)
    equity = replay(data.panel, decisions, data.funding, alone.rules()).equity
    returns = bar_returns(equity, alone.initial_cash)
    assert three is not None
    assert len(returns) == 40 * 24
    np.testing.assert_allclose(
        three.sums[three.heads.index("ict")],
        [[day.sum(), (day * day).sum()] for day in returns.reshape(40, 24)],
        rtol=1e-9,  # differences of running sums, so that only the last digits differ
        atol=1e-15,
    )
    assert found.sums.shape == (len(HEAD_NAMES), 40, 2)


def test_nothing_can_be_left_out_of_one_head_or_of_targets(
    small_config: RunConfig, store: Store, tmp_path_factory: pytest.TempPathFactory
):
    single = config_of(resolved(small_config), ["heads.enabled=[technical]", "consensus.quorum=1"])
    assert run(single, store=store, runs=None).leave_one_out is None
    path = tmp_path_factory.mktemp("targets") / "targets.csv"
    path.write_text("time,symbol,target\n2021-01-03T00:00:00Z,AAASIM,1\n", encoding="utf-8")
    given = config_of(resolved(small_config), [f"targets={path}"])
    made = run(given, store=store, runs=None)
    assert made.leave_one_out is None
    assert made.frame("leave_one_out").empty
    assert made.frame("zones").empty


def test_a_head_is_taken_out_of_the_votes_and_the_others_stay(result: RunResult):
    votes = result.votes["AAASIM"]
    others = without_head(votes, "ict")
    assert others.names == tuple(name for name in votes.names if name != "ict")
    for name in ("direction", "probability", "coverage", "reasons"):
        column = getattr(others, name)[:, others.names.index("harmonic")]
        np.testing.assert_array_equal(
            column, getattr(votes, name)[:, votes.names.index("harmonic")]
        )


@pytest.mark.parametrize(
    ("bars", "hours", "expected"),
    [
        (50, 1, [0, 24, 48, 50]),
        (48, 1, [0, 24, 48]),
        (1, 1, [0, 1]),
        (3, 24, [0, 1, 2, 3]),
        (2, 168, [0, 1, 2]),
    ],
)
def test_days_are_blocks_of_bars(bars: int, hours: int, expected: list[int]):
    assert day_edges(bars, hours * 3_600_000_000_000).tolist() == expected


def test_the_table_and_the_record_say_the_same(result: RunResult):
    table, found = result.frame("leave_one_out"), result.leave_one_out
    assert found is not None
    assert table["head"].unique().tolist() == list(HEAD_NAMES)
    assert (table.groupby("head")["bars"].sum() == len(result.panel)).all()
    ends = table.groupby("head")["time"].max().astype("datetime64[ns]").astype(np.int64)
    assert (ends == result.panel.close_time[-1]).all()
    year = 365 * 24
    for head, rows in table.groupby("head"):
        bars = len(result.panel)
        mean = rows["return_sum"].sum() / bars
        deviation = math.sqrt((rows["square_sum"].sum() - bars * mean**2) / (bars - 1))
        stated = found.of_heads()[str(head)]["sharpe"]
        assert mean / deviation * math.sqrt(year) == pytest.approx(stated, rel=1e-9)
