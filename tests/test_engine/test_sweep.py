"""The sweep's number is the run's number: every total and every sum, to the last bit."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import (
    ConfigError,
    ContractError,
    Costs,
    DecisionEvents,
    Decisions,
    Exits,
    Funding,
    Limits,
    Margin,
    MarginTier,
    Panel,
    ReplayRules,
    Sizing,
    SymbolRules,
    replay,
    return_sums,
)
from engine.sweep import Sweep, sweep_replay
from engine.totals import run_totals
from tests.replay_cases import random_funding
from tests.replay_cases.markets import STEPS, Shape, random_market

TIERS = (
    MarginTier(notional_to=20_000.0, maintenance=0.005, max_leverage=125.0),
    MarginTier(notional_to=200_000.0, maintenance=0.02, max_leverage=20.0),
    MarginTier(notional_to=1e6, maintenance=0.1, max_leverage=5.0),
)


@dataclass(frozen=True)
class SweepCase:
    """What a sweep takes."""

    panel: Panel
    decisions: list[Decisions]
    funding: Funding
    rules: list[ReplayRules]
    fine: Panel | None
    edges: np.ndarray


def random_exits(generator: np.random.Generator) -> Exits:
    stop = generator.choice(["none", "atr", "frac"])
    target = generator.choice(["none", "atr", "frac"] + (["r"] if stop != "none" else []))
    multiple, share = float(generator.uniform(0.2, 4)), float(generator.uniform(0.002, 0.3))
    return Exits(
        stop_atr=float(generator.uniform(0.2, 4)) if stop == "atr" else None,
        stop_frac=float(generator.uniform(0.002, 0.2)) if stop == "frac" else None,
        take_profit_atr=multiple if target == "atr" else None,
        take_profit_frac=share if target == "frac" else None,
        take_profit_r=multiple if target == "r" else None,
        take_profit_is_limit=bool(generator.random() < 0.5),
        time_stop_bars=int(generator.integers(1, 12)) if generator.random() < 0.5 else None,
    )


def random_rules(generator: np.random.Generator, tiers: tuple[MarginTier, ...]) -> ReplayRules:
    mode = generator.choice(["cross", "cross", "none"]).item()
    is_spot = mode == "none"
    fraction = float(generator.choice([0.1, 0.5, 1.0] if is_spot else [0.1, 0.5, 1.0, 4.0, 20.0]))
    gross = fraction * float(generator.choice([1.0, 1.5, 4.0]))
    return ReplayRules(
        initial_cash=float(generator.choice([1000.0, 100_000.0])),
        costs=Costs(
            taker_fee_bps=float(generator.choice([0, 5, 60])),
            slippage_bps=float(generator.choice([0, 2, 50])),
        ),
        exits=random_exits(generator),
        sizing=Sizing(position_fraction=fraction),
        limits=Limits(max_gross=min(gross, 1.0) if is_spot else gross),
        margin=Margin(
            mode=mode,
            tiers=tiers,
            liquidation_fee_bps=float(generator.choice([0, 50, 500])),
        ),
    )


def sweep_case(seed: int, *, bars: int | None = None, symbols: int | None = None) -> SweepCase:
    generator = np.random.default_rng(seed)
    timeframe, sub_bars = list(STEPS)[int(generator.integers(len(STEPS)))]
    if bars is None:
        bars = int(generator.integers(3, 200))
    shape = Shape(
        bars=bars,
        symbols=symbols or int(generator.integers(1, 5)),
        timeframe=timeframe,
        sub_bars=sub_bars,
        volatility=float(generator.choice([0.01, 0.04, 0.1])),
        gap_share=float(generator.choice([0.0, 0.1, 0.3])),
        unresolved_share=float(generator.choice([0.0, 0.2])),
        lists_late=bool(generator.random() < 0.5),
        relists=bool(generator.random() < 0.2),
        has_mark=bool(generator.random() < 0.4),
    )
    panel, fine = random_market(shape, generator)
    size = panel.open.shape
    atr_frac = 0.004 + 0.03 * generator.random(size)
    rate = generator.choice([0.02, 0.1, 0.5])
    count = int(generator.integers(1, 5))
    tiers = TIERS if generator.random() < 0.4 else Margin().tiers
    return SweepCase(
        panel=panel,
        decisions=[
            Decisions(
                target=generator.choice([-1.0, 0.0, 1.0], size=size),
                acts=generator.random(size) < rate,
                atr_frac=atr_frac,
            )
            for _ in range(count)
        ],
        funding=random_funding(panel, seed, sub_step_ns=panel.step_ns // sub_bars),
        rules=[random_rules(generator, tiers) for _ in range(count)],
        fine=fine,
        edges=np.sort(generator.integers(0, bars + 1, size=int(generator.integers(1, 6)))),
    )


def swept(case: SweepCase, **options: Any) -> Any:
    return sweep_replay(
        case.panel,
        DecisionEvents.from_decisions(case.decisions),
        case.funding,
        case.rules,
        fine=case.fine,
        edges=case.edges,
        **options,
    )


def assert_runs_agree(case: SweepCase, **options: Any) -> Any:
    result = swept(case, **options)
    for k, rules in enumerate(case.rules):
        run = replay(
            case.panel, case.decisions[k], case.funding, rules, fine=case.fine,
            symbol_rules=options.get("symbol_rules"),
        )  # fmt: skip
        expected = run_totals(run, rules)
        different = {
            name: (expected[name], result.totals[k][name])
            for name in expected.dtype.names
            if expected[name] != result.totals[k][name]
        }
        assert different == {}
        sums = return_sums(run.equity, rules.initial_cash, case.edges)
        np.testing.assert_array_equal(sums, result.sums[k])
    return result


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=1076)
@example(seed=1106)
@example(seed=1266)
def test_a_sweep_equals_its_single_runs(seed: int):
    assert_runs_agree(sweep_case(seed))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), symbols=st.integers(1, 2))
def test_a_sweep_equals_its_single_runs_beyond_the_buffer_of_equities(seed: int, symbols: int):
    assert_runs_agree(sweep_case(seed, bars=2100, symbols=symbols))


def test_nothing_of_one_configuration_is_left_for_the_next():
    assert_runs_agree(sweep_case(5260, bars=1100, symbols=1))


def test_the_cases_liquidate_ruin_and_are_ambiguous():
    totals = np.concatenate([swept(sweep_case(seed)).totals for seed in range(40)])
    assert totals["liquidations"].sum() > 10
    assert (totals["ruined_bar"] >= 0).sum() > 5
    assert totals["ambiguous_exits"].sum() > 10
    assert (totals["funding"] != 0).sum() > 10


def test_rules_beyond_the_sweeps_own_kernel_are_replayed_one_by_one():
    case = sweep_case(11, bars=120, symbols=2)
    base = ReplayRules()
    rules = [
        base,
        replace(base, exits=Exits(trail_atr=2.0)),
        replace(base, exits=Exits(ladder=((1.0, 0.5),))),
        replace(base, margin=Margin(mode="isolated")),
        replace(base, costs=Costs(slippage_atr=0.1, borrow_annual=0.05)),
        replace(base, sizing=Sizing(method="risk")),
        replace(base, limits=Limits(max_positions=1)),
    ]
    case = replace(case, rules=rules, decisions=[case.decisions[0]] * len(rules))
    assert_runs_agree(case)
    name = case.panel.symbols[0]
    assert_runs_agree(case, symbol_rules={name: SymbolRules(tick_size=0.01, lot_step=0.01)})


def test_threads_change_nothing():
    case = sweep_case(3, bars=400, symbols=2)
    generator = np.random.default_rng(1)
    rules = [random_rules(generator, TIERS) for _ in range(100)]
    case = replace(
        case,
        rules=rules,
        decisions=[case.decisions[k % len(case.decisions)] for k in range(len(rules))],
    )
    alone, together = swept(case), swept(case, threads=2)
    assert alone.totals.tobytes() == together.totals.tobytes()
    assert alone.sums.tobytes() == together.sums.tobytes()


def test_block_sums_add_up_to_the_whole():
    case = sweep_case(5, bars=300, symbols=1)
    whole = swept(replace(case, edges=np.array([0, 300])))
    blocks = swept(replace(case, edges=np.array([0, 90, 91, 200, 300])))
    np.testing.assert_allclose(blocks.block_sums.sum(axis=1), whole.sums[:, -1], atol=1e-12)


def test_one_market_replays_events_of_other_rows_in_turn():
    case = sweep_case(30, bars=150, symbols=2)
    assert len(case.rules) > 1
    cases = [
        replace(case, decisions=[decisions], rules=[ReplayRules()]) for decisions in case.decisions
    ]
    sweep = Sweep(
        case.panel, case.funding, case.decisions[0].atr_frac, fine=case.fine, edges=case.edges
    )
    for one in (*cases, *cases):
        result = sweep.empty_result(1)
        sweep.replay(DecisionEvents.from_decisions(one.decisions), one.rules, result)
        expected = swept(one)
        np.testing.assert_array_equal(result.totals, expected.totals)
        np.testing.assert_array_equal(result.sums, expected.sums)
    assert len({swept(one).totals["trades"][0] for one in cases}) > 1


def test_wrong_numbers_of_configurations_and_threads_are_refused():
    case = sweep_case(7, bars=20, symbols=1)
    with pytest.raises(ContractError, match="configurations"):
        swept(replace(case, rules=[*case.rules, ReplayRules()]))
    with pytest.raises(ConfigError, match="threads"):
        swept(case, threads=0)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rows", np.arange(8)[::-1].copy(), r"rows\[1\]=6 of symbol 0"),
        ("offsets", np.array([0, 7]), "offsets"),
        ("actions", np.zeros((2, 9), dtype=np.uint8), "actions"),
        ("actions", np.zeros((2, 8), dtype=np.int64), "uint8"),
        *(
            ("actions", np.array([[0] * 8, [0] * 7 + [action]], dtype=np.uint8), r"actions\[1, 7\]")
            for action in (3, 5, 6, 8, 129, 255)
        ),
    ],
)
def test_malformed_events_are_refused_by_name(name: str, value: np.ndarray, told: str):
    events = {
        "rows": np.arange(8),
        "offsets": np.array([0, 8]),
        "actions": np.zeros((2, 8), dtype=np.uint8),
        "atr_frac": np.ones((20, 1)),
    }
    DecisionEvents(**events)
    with pytest.raises(ContractError, match=told):
        DecisionEvents(**{**events, name: value})


def test_events_of_decisions_give_them_back():
    case = sweep_case(9, bars=60, symbols=3)
    events = DecisionEvents.from_decisions(case.decisions)
    for k, decisions in enumerate(case.decisions):
        found = events.decisions(k)
        np.testing.assert_array_equal(found.acts, decisions.acts)
        np.testing.assert_array_equal(found.target, np.where(decisions.acts, decisions.target, 0.0))
