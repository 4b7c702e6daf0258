"""A trial's numbers are those of its single run, whatever it is evaluated with."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import experiments.sweeps.evaluate as evaluate_module
from datasets import Store
from engine import Decisions, Market, replay, return_sums
from experiments import run
from experiments.decisions import annual_volatility, average_true_ranges, entry_orders
from experiments.market_data import MarketData
from experiments.pipeline import votes_of
from experiments.splits.ranges import BarRange
from experiments.statistics.deflation import luck_per_bar
from experiments.statistics.sharpe import psr_2012
from experiments.statistics.track_record import track_record_from_sums
from experiments.sweeps.evaluate import Evaluator, View
from experiments.sweeps.space import Space, sobol_points, space_of
from experiments.sweeps.values import RulesOf
from experiments.sweeps.votes import shifted_votes, votes_between
from strategies import consensus, decide

from .conftest import SPACE, SweepOf

WIDE: dict[str, Any] = {
    **SPACE,
    "consensus.exit_on_flat": {"kind": "choice", "values": [False, True]},
    "heads.technical.adx_length": {"kind": "whole", "low": 10, "high": 12},
    "measures.atr_length": {"kind": "choice", "values": [14, 20]},
    "entry.kind": {"kind": "choice", "values": ["market", "limit"]},
    "exits.trail_atr": {"kind": "choice", "values": [None, 3]},
    "exits.ladder": {"kind": "choice", "values": [[], [[1.0, 0.5]]]},
    "sizing.method": {"kind": "choice", "values": ["fraction", "risk", "volatility"]},
    "costs.taker_fee_bps": {"kind": "whole", "low": 2, "high": 8},
    "initial_cash": {"kind": "real", "low": 1e4, "high": 1e6, "log": True},
}


@pytest.fixture(scope="module")
def space(sweep_of: SweepOf) -> Space:
    return space_of(sweep_of(space=WIDE))


@pytest.fixture(scope="module")
def values(space: Space) -> list[dict[str, Any]]:
    return [space.values(point) for point in sobol_points(len(space), 32, 5).tolist()]


def test_a_trial_states_the_numbers_of_its_run(
    space: Space, values: list[dict[str, Any]], market_data: MarketData, store: Store
) -> None:
    found = Evaluator(space, market_data)(values)
    assert found.errors == (None,) * len(values)
    traded = 0
    for k, one in enumerate(values):
        alone = run(space.config(one), store=store, runs=None)
        traded += alone.n_trades > 0
        for name, column in found.metrics.items():
            if name in alone.metrics:
                np.testing.assert_equal(column[k], alone.metrics[name], err_msg=f"{k} {name}")
    assert traded > len(values) // 2


def test_rules_without_a_configuration_are_those_of_the_configuration(
    space: Space, values: list[dict[str, Any]]
) -> None:
    rules_of = RulesOf(space)
    for one in values:
        rules, config = rules_of(one), space.config(one)
        assert rules.replay == config.rules()
        assert repr(rules.replay) == repr(config.rules())
        assert repr(rules.consensus) == repr(config.consensus.rules())
        assert rules.exit_on_flat == config.consensus.exit_on_flat
        assert rules.hold_bars == config.consensus.hold_bars


def test_neither_company_nor_threads_nor_memory_change_a_trial(
    space: Space, values: list[dict[str, Any]], market_data: MarketData
) -> None:
    together = Evaluator(space, market_data, threads=2)
    whole = together(values)
    alone = [Evaluator(space, market_data)([one]) for one in values[:6]]
    backwards = together(values[::-1])
    for name, column in whole.metrics.items():
        assert np.array_equal(column, backwards.metrics[name][::-1], equal_nan=True)
        for k, one in enumerate(alone):
            np.testing.assert_equal(one.metrics[name][0], column[k])
    assert np.array_equal(whole.sums, backwards.sums[::-1], equal_nan=True)


def test_a_trial_that_contradicts_itself_fails_alone(
    sweep_of: SweepOf, market_data: MarketData
) -> None:
    space = space_of(
        sweep_of(
            space={
                "limits.max_gross": {"kind": "choice", "values": [1.0, 0.4]},
                "sizing.position_fraction": {"kind": "choice", "values": [0.25, 0.5]},
            }
        )
    )
    points = [[0.1, 0.9], [0.9, 0.9], [0.9, 0.1]]
    found = Evaluator(space, market_data)([space.values(point) for point in points])
    assert found.errors[0] is None
    assert found.errors[2] is None
    assert found.errors[1] is not None
    assert "position_fraction=0.5" in found.errors[1]
    assert np.isnan([column[1] for column in found.metrics.values()]).all()
    assert not np.isnan(found.metrics["final_equity"][[0, 2]]).any()


def test_a_crash_in_one_trial_leaves_the_others(
    space: Space,
    values: list[dict[str, Any]],
    market_data: MarketData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = Evaluator(space, market_data)(values[:8])
    evaluator = Evaluator(space, market_data)
    swept, bad = evaluator._swept, evaluator._rules(values[3]).replay.initial_cash

    def crashing(rules: Any, view: View) -> Any:
        if any(one.replay.initial_cash == bad for one in rules):
            raise ZeroDivisionError("seven")
        return swept(rules, view)

    monkeypatch.setattr(evaluator, "_swept", crashing)
    found = evaluator(values[:8])
    assert found.errors[3] == "ZeroDivisionError: seven"
    assert [error is None for error in found.errors].count(True) == 7
    kept = [0, 1, 2, 4, 5, 6, 7]
    assert np.array_equal(found.sums[kept], sound.sums[kept], equal_nan=True)


def test_a_part_is_a_run_on_its_bars_alone(
    space: Space, values: list[dict[str, Any]], market_data: MarketData
) -> None:
    """Votes know what came before the part; the account and the decisions do not."""
    part = BarRange(301, 702)
    evaluator = Evaluator(space, market_data)
    edges = np.array([0, 100, 401])
    found = evaluator(values, View(part, edges=edges))
    for k, one in enumerate(values[:12]):
        equity = equity_between(space, one, market_data, part)
        cash = space.config(one).initial_cash
        assert found.metrics["final_equity"][k] == equity[-1]
        assert np.array_equal(found.sums[k], return_sums(equity, cash, edges))
    assert (found.metrics["trades"] > 0).sum() > 16
    whole = evaluator(values, evaluator.whole)
    assert not np.array_equal(whole.metrics["trades"], found.metrics["trades"])


def equity_between(
    space: Space, values: dict[str, Any], data: MarketData, part: BarRange
) -> np.ndarray[Any, Any]:
    """Decisions of the votes inside the part, replayed on the part: the long way."""
    config = space.config(values)
    panel, rows = data.panel.part(part.start, part.stop), slice(part.start, part.stop)
    target, acts = np.zeros(panel.open.shape), np.zeros(panel.open.shape, dtype=bool)
    for column, symbol in enumerate(panel.symbols):
        cast = votes_of(config, data.markets[symbol])
        inside = votes_between(cast, int(panel.open_time[0]), int(panel.close_time[-1]))
        target[:, column], acts[:, column] = decide(
            consensus(inside, config.consensus.rules()).direction,
            data.markets[symbol].bars.is_gap[rows],
            exit_on_flat=config.consensus.exit_on_flat,
            hold_bars=config.consensus.hold_bars,
        )
    volatility = annual_volatility(config, data)[rows]
    sized_by = config.rules().sizing.method == "volatility"
    atr_frac = average_true_ranges(config, data)[rows]
    kind, price = entry_orders(config, panel, target, atr_frac)
    acts &= np.isfinite(atr_frac) & (np.isfinite(volatility) | (not sized_by)) | (target == 0)
    decisions = Decisions(
        target=np.where(acts, target, 0.0),
        acts=acts,
        atr_frac=atr_frac,
        order_kind=None if kind is None else np.where(acts, kind, 0).astype(np.int8),
        order_price=price,
        volatility=volatility if sized_by else None,
    )
    return replay(panel, decisions, data.funding, config.rules()).equity


def test_shifted_votes_keep_their_sequence_and_lose_their_time(
    space: Space, values: list[dict[str, Any]], market_data: MarketData
) -> None:
    evaluator = Evaluator(space, market_data)
    bars = len(market_data.panel)
    unmoved = evaluator(values, View(BarRange(0, bars), shift_bars=bars))
    assert np.array_equal(
        unmoved.metrics["final_equity"], evaluator(values).metrics["final_equity"]
    )
    moved = evaluator(values, View(BarRange(0, bars), shift_bars=240))
    assert not np.array_equal(moved.metrics["final_equity"], unmoved.metrics["final_equity"])
    votes = votes_of(space.base, market_data.markets["AAASIM"])
    later = shifted_votes(votes, 240)
    assert np.array_equal(later.direction[240:], votes.direction[:-240])
    assert np.array_equal(later.direction[:240], votes.direction[-240:])
    assert np.array_equal(later.open_time, votes.open_time)


def test_a_shorter_market_turns_by_the_same_part(
    space: Space, market_data: MarketData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No vote is lost, so that a head that always says the same says it under every shift."""
    markets = dict(market_data.markets)
    short = Market(bars=markets["BBBSIM"].bars.prefix(400))
    markets["BBBSIM"] = short
    evaluator = Evaluator(space, replace(market_data, markets=markets))
    assert evaluator.lengths == (960, 400)
    seen: dict[str, int] = {}
    monkeypatch.setattr(
        evaluate_module, "shifted_votes", lambda votes, bars: seen.update({str(len(votes)): bars}) or votes
    )  # fmt: skip
    panel = market_data.panel
    for symbol in ("AAASIM", "BBBSIM"):
        evaluator._symbol_votes(symbol, space.base, panel, 480)
    assert seen == {"960": 480, "400": 200}


def test_probabilistic_ratios_and_turnover_are_those_of_the_statistics(
    sweep_of: SweepOf, market_data: MarketData, store: Store
) -> None:
    config = sweep_of(search={"trials": 10, "neighbours": 3})
    space = space_of(config)
    assert space.planned == config.sweep.planned_trials == 16 + 10 * 4
    values = [space.values(point) for point in sobol_points(len(space), 8, 2).tolist()]
    found = Evaluator(space, market_data)(values)
    bars = len(market_data.panel)
    luck = luck_per_bar(56, 1.0 / (bars - 1))
    compared = 0
    for k, one in enumerate(values):
        alone = run(space.config(one), store=store, runs=None)
        if np.isnan(alone.metrics["sharpe"]):
            assert np.isnan(found.metrics["dsr"][k])
            continue
        sums = return_sums(alone.replay.equity, alone.config.initial_cash)[-1]
        record = track_record_from_sums(sums, bars, autocorrelation=0.0)
        assert found.metrics["psr"][k] == pytest.approx(psr_2012(record), rel=1e-9)
        assert found.metrics["dsr"][k] == pytest.approx(psr_2012(record, luck), rel=1e-9)
        years = bars / (365 * 24)
        turned = found.metrics["traded_notional"][k] / alone.config.initial_cash / years
        assert found.metrics["cash_turnover"][k] == pytest.approx(turned)
        compared += 1
    assert compared > 4
