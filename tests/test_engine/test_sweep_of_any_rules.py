"""Sweeps of rules, entries and sizes that the sweep's own kernel does not know: equal all the same."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from engine import (
    ConfigError,
    ContractError,
    Costs,
    DecisionEvents,
    Decisions,
    EntryOrders,
    Exits,
    Funding,
    Panel,
    ReplayRules,
    Sizing,
    SweepResult,
    SymbolRules,
    replay,
    return_sums,
)
from engine.entry_orders import entry_prices
from engine.sweep import Sweep, sweep_replay
from engine.totals import run_totals
from tests.replay_cases import THEMES, ReplayCase, replay_cases, seeded_case
from tests.test_engine.test_sweep import sweep_case

KINDS = ("market", "limit", "stop")


@dataclass(frozen=True)
class Swept:
    """One market, K configurations: the events of a sweep and its single runs' decisions."""

    events: DecisionEvents
    rules: list[ReplayRules]
    result: SweepResult


def full_targets(case: ReplayCase, seed: int) -> Decisions:
    """The case's rows with targets of -1, 0 and 1, at the market."""
    generator = np.random.default_rng(seed)
    target = generator.choice([-1.0, 0.0, 1.0], size=case.panel.open.shape)
    unknown = ~np.isfinite(case.decisions.atr_frac)
    return Decisions(
        target=np.where(unknown, 0.0, target),
        acts=case.decisions.acts,
        atr_frac=case.decisions.atr_frac,
    )


def entries(case: ReplayCase, rules: list[ReplayRules], seed: int) -> EntryOrders:
    """Every kind of entry, near and far, and volatilities that are known in most places."""
    generator = np.random.default_rng(seed + 1)
    shape, count = case.panel.open.shape, len(rules)
    volatility = generator.choice([0.25, 0.5, 2.0, np.nan, 0.0], p=[0.3, 0.3, 0.3, 0.05, 0.05],
                                  size=shape)  # fmt: skip
    ticks = [case.symbol_rules.get(name, SymbolRules()).tick_size for name in case.panel.symbols]
    return EntryOrders(
        kind=generator.integers(0, 3, size=count).astype(np.int8),
        offset_atr=generator.choice([0.0, 0.5, 2.0, 60.0], size=count),
        close=case.panel.close,
        tick=np.array(ticks),
        is_sized_by_volatility=np.array([one.sizing.method == "volatility" for one in rules]),
        volatility=volatility,
    )


def swept(case: ReplayCase, others: list[ReplayRules], seed: int, threads: int = 1) -> Swept:
    rules = [case.rules, *others, case.rules]
    decisions = [full_targets(case, seed + k) for k in range(len(rules))]
    events = DecisionEvents.from_decisions(decisions).with_orders(entries(case, rules, seed))
    result = sweep_replay(
        case.panel, events, case.funding, rules, fine=case.fine, symbol_rules=case.symbol_rules,
        threads=threads,
    )  # fmt: skip
    return Swept(events, rules, result)


def assert_runs_agree(case: ReplayCase, seed: int = 0) -> Swept:
    trailing = replace(case.rules, exits=Exits(trail_frac=0.01, trail_bars=2))
    found = swept(case, [trailing], seed)
    for k, rules in enumerate(found.rules):
        run = replay(
            case.panel, found.events.decisions(k), case.funding, rules, fine=case.fine,
            symbol_rules=case.symbol_rules,
        )  # fmt: skip
        expected = run_totals(run, rules)
        different = {
            name: (expected[name], found.result.totals[k][name])
            for name in expected.dtype.names
            if expected[name] != found.result.totals[k][name]
        }
        assert different == {}, k
        sums = return_sums(run.equity, rules.initial_cash, found.result.edges)
        np.testing.assert_array_equal(sums, found.result.sums[k])
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_a_sweep_of_any_rules_equals_its_single_runs(theme: str):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(replay_cases(theme))
    def check(case: ReplayCase) -> None:
        assert_runs_agree(case)

    check()


def test_seeded_cases_agree_and_reach_what_is_counted():
    totals = np.concatenate(
        [assert_runs_agree(seeded_case(seed)).result.totals for seed in range(100)]
    )
    for name in ("liquidations", "ambiguous_exits", "borrow", "funding", "impact", "shortfall"):
        assert np.count_nonzero(totals[name]) > 5, name
    assert (totals["ruined_bar"] >= 0).sum() > 5


def test_threads_change_nothing():
    case = seeded_case(1)
    others = [replace(case.rules, exits=Exits(trail_atr=0.5 + 0.1 * k)) for k in range(90)]
    alone, together = (swept(case, others, 3, threads=threads).result for threads in (1, 2))
    assert alone.totals.tobytes() == together.totals.tobytes()
    assert alone.sums.tobytes() == together.sums.tobytes()


def test_own_and_other_rules_may_be_mixed_in_any_order():
    case = sweep_case(11, bars=150, symbols=2)
    own, other = case.rules[0], replace(case.rules[0], exits=Exits(trail_atr=1.0))
    rules = [other, own, other, own, own]
    events = DecisionEvents.from_decisions([case.decisions[0]] * len(rules))
    mixed = sweep_replay(case.panel, events, case.funding, rules, fine=case.fine)
    for k in range(len(rules)):
        alone = sweep_replay(
            case.panel, events.part(slice(k, k + 1)), case.funding, [rules[k]], fine=case.fine
        )
        assert mixed.totals[k] == alone.totals[0]
        np.testing.assert_array_equal(mixed.sums[k], alone.sums[0])


def test_of_equal_rows_the_last_that_acts_counts():
    case = sweep_case(5, bars=20, symbols=1)
    events = DecisionEvents(
        rows=np.array([2, 2, 2, 5, 5, 9, 9, 9]),
        offsets=np.array([0, 8]),
        actions=np.array([[1, 2, 0, 1, 4, 4, 2, 0]], dtype=np.uint8),
        atr_frac=np.full(case.panel.open.shape, 0.02),
    )
    decisions = events.decisions(0)
    assert np.flatnonzero(decisions.acts).tolist() == [2, 5, 9]
    assert decisions.target[[2, 5, 9], 0].tolist() == [-1.0, 0.0, -1.0]
    rules = ReplayRules(exits=Exits(trail_atr=1.0, time_stop_bars=9))
    found = sweep_replay(case.panel, events, Funding.none(), [rules]).totals[0]
    assert found == run_totals(replay(case.panel, decisions, Funding.none(), rules), rules)
    assert found["trades"] > 0


# Prices by hand: close 100, average true range 2.


@pytest.mark.parametrize(
    ("kind", "side", "tick", "price"),
    [
        ("limit", 1.0, 0.0, 99.0),
        ("limit", -1.0, 0.0, 101.0),
        ("stop", 1.0, 0.0, 101.0),
        ("stop", -1.0, 0.0, 99.0),
        ("limit", 1.0, 0.4, 98.8),
        ("limit", -1.0, 0.4, 101.2),
        ("limit", 1.0, 0.5, 99.0),
    ],
)
def test_an_entry_waits_half_a_range_from_the_close_on_a_tick_away_from_it(
    kind: str, side: float, tick: float, price: float
):
    one = np.ones(1)
    found = entry_prices(100 * one, 0.02 * one, side * one, KINDS.index(kind), 0.5, tick * one)
    assert found == pytest.approx(price, rel=1e-15)


def two_bars() -> tuple[Panel, DecisionEvents]:
    case = sweep_case(5, bars=20, symbols=1)
    panel = case.panel
    actions = np.zeros((2, 8), dtype=np.uint8)
    actions[:, 0], actions[:, 1] = 1, 2
    rows = np.arange(8)
    atr_frac = np.full(panel.open.shape, 0.02)
    return panel, DecisionEvents(
        rows=rows, offsets=np.array([0, 8]), actions=actions, atr_frac=atr_frac
    )


def orders(panel: Panel, **changes: object) -> EntryOrders:
    given = {
        "kind": np.zeros(2, dtype=np.int8), "offset_atr": np.zeros(2), "close": panel.close,
        "tick": np.zeros(1), "is_sized_by_volatility": np.zeros(2, dtype=np.bool_),
        "volatility": None,
    }  # fmt: skip
    return EntryOrders(**{**given, **changes})


def test_what_cannot_be_entered_is_left_out():
    panel, events = two_bars()
    limits = orders(panel, kind=np.array([1, 2], dtype=np.int8), offset_atr=np.array([50.0, 50.0]))
    # A limit to buy and a stop to sell 50 ranges of 2 % below the close have no price above 0.
    assert events.with_orders(limits).actions[:, :2].tolist() == [[0, 2], [1, 0]]
    volatility = np.full(panel.open.shape, 0.5)
    volatility[0] = np.nan
    sized = orders(panel, is_sized_by_volatility=np.array([False, True]), volatility=volatility)
    assert events.with_orders(sized).actions[:, :2].tolist() == [[1, 2], [0, 2]]
    exits = replace(
        events, actions=np.where(events.actions == 1, 4, events.actions).astype(np.uint8)
    )
    assert exits.with_orders(sized).actions[:, 0].tolist() == [4, 4]
    assert events.with_orders(sized).decisions(0).volatility is None
    assert events.with_orders(sized).decisions(1).volatility is volatility


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": np.zeros(2)}, "kind must be a 1-dimensional int8 array"),
        ({"kind": np.array([0, 3], dtype=np.int8)}, r"kind\[1\]=3 must be a code of market"),
        ({"offset_atr": np.array([0.0, -1.0])}, r"offset_atr\[1\]=-1.0 must be finite and not neg"),
        ({"offset_atr": np.zeros(3)}, r"offset_atr has shape \(3,\), expected \(2,\)"),
        ({"tick": np.array([np.nan])}, r"tick\[0\]=nan"),
        ({"tick": np.zeros(2)}, "tick has shape"),
        ({"volatility": np.zeros((3, 1))}, "volatility has shape"),
        ({"is_sized_by_volatility": np.array([False, True])}, r"volatility\[1\]=True needs vol"),
    ],
)
def test_malformed_orders_are_refused_by_name(changes: dict[str, object], told: str):
    panel, _ = two_bars()
    with pytest.raises(ContractError, match=told):
        orders(panel, **changes)


def test_orders_of_another_number_or_market_are_refused():
    panel, events = two_bars()
    with pytest.raises(ContractError, match="orders of 1 configurations, actions of 2"):
        events.with_orders(orders(panel).chosen(slice(0, 1)))
    with pytest.raises(ContractError, match=r"orders\.close has shape"):
        events.with_orders(orders(panel, close=panel.close[:5]))


def test_a_size_or_a_cost_that_lacks_its_input_is_refused():
    panel, events = two_bars()
    rules = [ReplayRules(), ReplayRules(sizing=Sizing(method="volatility"))]
    with pytest.raises(ContractError, match=r"rules\[1\].sizing.method=volatility needs"):
        sweep_replay(panel, events, Funding.none(), rules)
    unknown = orders(
        panel, is_sized_by_volatility=np.array([False, True]), volatility=np.zeros(panel.open.shape)
    )
    with pytest.raises(ContractError, match=r"1: the volatility of the entry at \[0, 0\] is 0\.0"):
        sweep_replay(panel, replace(events, orders=unknown), Funding.none(), rules)
    far = orders(panel, kind=np.ones(2, dtype=np.int8), offset_atr=np.full(2, 50.0))
    with pytest.raises(ContractError, match=r"0: the order price of the entry at \[0, 0\] is 0\.0"):
        sweep_replay(panel, replace(events, orders=far), Funding.none(), [ReplayRules()] * 2)
    without = replace(panel, volume=None)
    rules = [ReplayRules(), ReplayRules(costs=Costs(impact=0.5))]
    with pytest.raises(ContractError, match=r"rules\.costs\.impact=0\.5 needs volumes"):
        sweep_replay(without, events, Funding.none(), rules)
    sweep = Sweep(panel, Funding.none(), np.full(panel.open.shape, 0.03))
    with pytest.raises(ContractError, match="atr_frac is not that of the sweep"):
        sweep.replay(events, [ReplayRules()] * 2, sweep.empty_result(2))
    with pytest.raises(ConfigError, match="threads"):
        sweep_replay(panel, events, Funding.none(), [ReplayRules()] * 2, threads=0)
