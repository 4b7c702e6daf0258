"""Events of many configurations against consensus and decide, one configuration at a time."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    HOUR_NS,
    Bool2D,
    ConfigError,
    ContractError,
    EntryOrders,
    Float2D,
    Funding,
    Panel,
    ReplayRules,
    Sizing,
    replay,
    run_totals,
)
from strategies import ConsensusRules, VoteMatrix, consensus, decide
from strategies.consensus_sweep import (
    MOST_HEADS,
    ConsensusEvents,
    SymbolVotes,
    consensus_events,
    consensus_gates,
    consensus_sweep,
)

NAMES = tuple(f"head_{number}" for number in range(MOST_HEADS))
LEVELS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.85, 0.9)
"""Thresholds and votes share their values, so that edges are met."""


@dataclass(frozen=True)
class ConsensusCase:
    """What consensus_events takes."""

    symbols: list[SymbolVotes]
    panel: Panel
    atr_frac: Float2D
    rules: list[ConsensusRules]
    exit_on_flat: list[bool] | bool
    hold_bars: list[int | None] | None


def random_votes(generator: np.random.Generator, rows: int, first: int, heads: int) -> SymbolVotes:
    size = (rows, heads)
    direction = generator.choice([-1, 0, 1], size=size, p=[0.25, 0.3, 0.45])
    if generator.random() < 0.5:
        direction = np.repeat(direction[::3], 3, axis=0)[:rows]
    on_levels = generator.random() < 0.5
    drawn = [
        generator.choice(LEVELS, size=size) if on_levels else 0.5 + 0.5 * generator.random(size)
        for _ in range(2)
    ]
    drawn[0] += generator.choice([0.0, 0.0, 1e-13, -1e-13, 1e-9, -1e-9], size=size)
    coverage = np.where(generator.random(size) < 0.9, 1.0, 0.0)
    open_time = (np.arange(rows) + first) * HOUR_NS
    votes = VoteMatrix(
        names=NAMES[:heads] if heads <= MOST_HEADS else (*NAMES, "one_more"),
        open_time=open_time,
        known_at=open_time + HOUR_NS,
        direction=np.asfortranarray(np.where(coverage > 0, direction, 0).astype(np.int8)),
        probability=np.asfortranarray(drawn[0]),
        confidence=np.asfortranarray(drawn[1]),
        score=np.asfortranarray(drawn[0]),
        coverage=np.asfortranarray(coverage),
        reasons=np.zeros(size, dtype=np.uint64, order="F"),
    )
    return SymbolVotes(votes=votes, is_gap=generator.random(rows) < 0.1)


def random_consensus_rules(generator: np.random.Generator, least_quorum: int) -> ConsensusRules:
    pick = generator.choice
    return ConsensusRules(
        weights={n: 0.0 if generator.random() < 0.1 else 0.01 + generator.random() for n in NAMES},
        quorum=int(generator.integers(least_quorum, 8)),
        p_min=float(pick([0.0, 0.5, 0.6, 0.65])),
        c_min=float(pick([0.0, 0.5, 0.6, 0.7])),
        weight_min=float(pick([0.0, 0.3, 0.6])),
        score_min=float(pick([-1.0, 0.0, 0.1])),
        consensus_c_min=float(pick([0.0, 0.6, 0.7, 0.9])),
        consensus_p_min=float(pick([0.0, 0.55, 0.6, 0.75])),
        max_opposite=pick([None, 0, 1, 3]),
    )


def consensus_case(seed: int, heads: int | None = None) -> ConsensusCase:
    generator = np.random.default_rng(seed)
    bars, symbols = int(generator.integers(5, 200)), int(generator.integers(1, 4))
    count = int(generator.integers(1, 12))
    heads = heads or int(generator.choice([3, 9]))
    prices = np.full((bars, symbols), 100.0)
    listed = np.ones((bars, symbols), dtype=np.bool_)
    for s in range(symbols):
        listed[: int(generator.integers(0, bars // 4 + 1)), s] = False
    panel = Panel(
        symbols=tuple(f"S{s}" for s in range(symbols)),
        timeframe="1h",
        open_time=np.arange(bars) * HOUR_NS,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        listed=listed,
        is_gap=np.zeros((bars, symbols), dtype=np.bool_),
    )
    exits = [bool(one) for one in generator.random(count) < 0.5]
    holds = [None if one < 3 else int(one) for one in generator.integers(0, 10, size=count)]
    least_quorum = int(generator.integers(1, 6))
    return ConsensusCase(
        symbols=[
            random_votes(
                generator,
                int(generator.integers(max(1, bars // 2), bars + 20)),
                int(generator.integers(-5, 20)),
                heads,
            )
            for _ in range(symbols)
        ],
        panel=panel,
        atr_frac=np.where(generator.random((bars, symbols)) < 0.9, 0.01, np.nan),
        rules=[random_consensus_rules(generator, least_quorum) for _ in range(count)],
        exit_on_flat=exits if generator.random() < 0.4 else False,
        hold_bars=holds if generator.random() < 0.4 else None,
    )


def expected_decisions(case: ConsensusCase, k: int) -> tuple[Float2D, Bool2D]:
    """Targets and acting rows of one configuration, as a single run makes them."""
    panel = case.panel
    target = np.zeros(panel.open.shape)
    acts = np.zeros(panel.open.shape, dtype=np.bool_)
    for s, one in enumerate(case.symbols):
        opinion = consensus(one.votes, case.rules[k])
        wanted, turns = decide(
            opinion.direction,
            one.is_gap,
            exit_on_flat=case.exit_on_flat[k] if case.exit_on_flat else False,
            hold_bars=case.hold_bars[k] if case.hold_bars else None,
        )
        rows = (one.votes.open_time - panel.open_time[0]) // panel.step_ns
        inside = (rows >= 0) & (rows < len(panel))
        target[rows[inside], s], acts[rows[inside], s] = wanted[inside], turns[inside]
    sized = np.isfinite(case.atr_frac) & (case.atr_frac > 0)
    acts &= panel.listed & (sized | (target == 0))
    return np.where(acts, target, 0.0), acts


def events_of(case: ConsensusCase, **changes: Any) -> Any:
    options = {"exit_on_flat": case.exit_on_flat, "hold_bars": case.hold_bars, **changes}
    return consensus_events(case.symbols, case.panel, case.atr_frac, case.rules, **options)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_events_are_what_consensus_and_decide_say(seed: int):
    check_events(consensus_case(seed))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), heads=st.one_of(st.integers(10, 16), st.just(MOST_HEADS)))
def test_more_heads_than_nine_are_decided_as_well(seed: int, heads: int):
    check_events(consensus_case(seed, heads))


def check_events(case: ConsensusCase) -> None:
    events = events_of(case)
    for k in range(len(case.rules)):
        decisions = events.decisions(k)
        target, acts = expected_decisions(case, k)
        np.testing.assert_array_equal(decisions.acts, acts)
        np.testing.assert_array_equal(decisions.target, target)


def test_the_cases_act_in_every_way():
    seen = np.zeros(3, dtype=np.int64)
    for seed in range(60):
        actions = events_of(consensus_case(seed)).actions
        seen += [np.count_nonzero(actions == code) for code in (1, 2, 4)]
    assert (seen > 100).all()


def test_no_head_after_the_ninth_adds_to_the_confidence():
    """Ten heads of confidence 0.5: nine of them add 0.15 and their probabilities 0.08, a tenth nothing."""
    case = consensus_case(8, 10)
    rules = [
        ConsensusRules(
            weights=dict.fromkeys(NAMES[:10], 0.1), p_min=0.5, c_min=0.5, consensus_c_min=c_min
        )
        for c_min in (0.73, 0.74)
    ]
    agreeing = replace(
        case, symbols=[unanimous(one) for one in case.symbols], rules=rules, exit_on_flat=False,
        hold_bars=None,
    )  # fmt: skip
    check_events(agreeing)
    assert (events_of(agreeing).actions != 0).any(axis=1).tolist() == [True, False]


def unanimous(one: SymbolVotes) -> SymbolVotes:
    """Every head says up on one bar and down on the next, with probability 0.9 and confidence 0.5."""
    shape = one.votes.direction.shape
    columns = {
        name: np.full(shape, value, order="F")
        for name, value in (("probability", 0.9), ("confidence", 0.5), ("coverage", 1.0))
    }
    side = np.where(np.arange(shape[0]) % 2, 1, -1).astype(np.int8)
    direction = np.asfortranarray(np.repeat(side[:, None], shape[1], axis=1))
    return replace(one, votes=replace(one.votes, direction=direction, **columns))


def test_parts_of_the_configurations_give_the_same_as_all_at_once():
    case = consensus_case(8)
    gates = consensus_gates(case.symbols[0].votes.names, case.rules)
    whole = ConsensusEvents(case.symbols, case.panel, case.atr_frac, gates)
    together = whole.events(gates).actions
    for k in range(len(case.rules)):
        part = type(gates)(*(column[k : k + 1] for column in gates))
        np.testing.assert_array_equal(whole.events(part).actions[0], together[k])


def test_however_many_configurations_a_thread_takes_the_results_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    case = consensus_case(8)
    generator, count = np.random.default_rng(8), 70
    panel = moving(case.panel, generator)
    rules = [random_consensus_rules(generator, 2) for _ in range(count)]
    replays = [ReplayRules(sizing=Sizing(position_fraction=0.01 * (1 + k))) for k in range(count)]

    def found(threads: int) -> Any:
        return consensus_sweep(
            case.symbols, panel, Funding.none(), case.atr_frac, rules, replays, threads=threads
        )

    whole = found(1)
    assert len(np.unique(whole.totals["final_equity"])) > 20
    monkeypatch.setattr("strategies.consensus_sweep.MOST_AT_A_TIME", 1)
    for parts in (found(1), found(3)):
        np.testing.assert_array_equal(parts.totals, whole.totals)
        np.testing.assert_array_equal(parts.sums, whole.sums)


def moving(panel: Panel, generator: np.random.Generator) -> Panel:
    """The panel with prices that move."""
    close = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, size=panel.open.shape), axis=0))
    prices = {"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close}
    return replace(panel, **prices)


@pytest.mark.parametrize("seed", range(12))
def test_a_sweep_of_the_consensus_enters_by_the_orders_of_each_configuration(seed: int):
    case = consensus_case(seed)
    generator, count = np.random.default_rng(seed), len(case.rules)
    panel = moving(case.panel, generator)
    methods = generator.choice(["fraction", "volatility"], size=count)
    rules = [
        ReplayRules(sizing=Sizing(method=method, volatility_target=0.1 + 0.01 * k))
        for k, method in enumerate(methods.tolist())
    ]
    orders = EntryOrders(
        kind=generator.integers(0, 3, size=count).astype(np.int8),
        offset_atr=generator.uniform(0.0, 1.5, size=count),
        close=panel.close,
        tick=np.zeros(len(panel.symbols)),
        is_sized_by_volatility=methods == "volatility",
        volatility=generator.choice([0.3, 0.6, np.nan], size=panel.open.shape),
    )
    options = {"exit_on_flat": case.exit_on_flat, "hold_bars": case.hold_bars}
    found = consensus_sweep(
        case.symbols, panel, Funding.none(), case.atr_frac, case.rules, rules, orders=orders,
        threads=2, **options,
    )  # fmt: skip
    events = events_of(replace(case, panel=panel), orders=orders)
    for k in range(count):
        run = replay(panel, events.decisions(k), Funding.none(), rules[k])
        assert found.totals[k] == run_totals(run, rules[k])


def test_arguments_of_the_wrong_length_are_refused_by_name():
    case = consensus_case(2)
    with pytest.raises(ConfigError, match="exit_on_flat"):
        events_of(case, exit_on_flat=[True] * (len(case.rules) + 1))
    with pytest.raises(ConfigError, match=r"hold_bars\[0\]=0"):
        events_of(case, hold_bars=[0] * len(case.rules))
    with pytest.raises(ConfigError, match=f"of {MOST_HEADS + 1} heads: .* up to {MOST_HEADS}"):
        random_votes(np.random.default_rng(1), 5, 0, MOST_HEADS + 1)
    with pytest.raises(ContractError, match="symbols"):
        consensus_events(case.symbols * 2, case.panel, case.atr_frac, case.rules)
