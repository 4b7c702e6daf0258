"""The replay against an oracle that was written from docs/accounting.md alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    HOUR_NS,
    PHASES,
    REASONS,
    Decisions,
    Funding,
    Panel,
    ReplayResult,
    ReplayRules,
    replay,
)
from tests.generators import START_NS
from tests.oracles.replay import EquityRow, OracleResult, disagreements, replay_oracle
from tests.replay_cases import (
    ReplayCase,
    random_decisions,
    random_funding,
    random_panel,
    replay_cases,
)

WORDS = {"phase": PHASES, "reason": REASONS, "exit_reason": REASONS}
EQUITY_COLUMNS = [item.name for item in fields(EquityRow) if item.name != "time"]
BIG_SEEDS = range(20)

Ledgers = dict[str, dict[str, list[Any]]]


def columns_of(records: np.ndarray) -> dict[str, list[Any]]:
    """The columns of a record array under the page's names, codes as words."""
    columns = {}
    for name in records.dtype.names:
        values = records[name].tolist()
        if name in WORDS:
            values = [WORDS[name][code] for code in values]
        columns[name.removesuffix("_ns")] = values
    return columns


def ledgers_of(result: ReplayResult, panel: Panel) -> Ledgers:
    return {
        "fills": columns_of(result.fills),
        "funding": columns_of(result.funding_payments),
        "trades": columns_of(result.trades),
        "equity": {
            "time": panel.close_time.tolist(),
            **{name: getattr(result, name).tolist() for name in EQUITY_COLUMNS},
        },
    }


def oracle_of(case: ReplayCase) -> OracleResult:
    return replay_oracle(case.panel, case.decisions, case.funding, case.rules)


def replay_of(case: ReplayCase) -> ReplayResult:
    return replay(case.panel, case.decisions, case.funding, case.rules)


def compare(case: ReplayCase) -> OracleResult:
    """Assert that replay and oracle agree on ``case``; the oracle's result."""
    expected, found = oracle_of(case), replay_of(case)
    assert disagreements(expected, ledgers_of(found, case.panel)) == []
    assert found.ruined_bar == expected.ruined_bar
    assert found.ambiguous_exits == expected.ambiguous_exits
    return expected


def big_case(seed: int) -> ReplayCase:
    """300 bars of three symbols under rules drawn from ``seed``."""
    generator = np.random.default_rng(seed)
    panel = random_panel(300, 3, seed, wildness=(1.0, 3.0, 8.0)[seed % 3])
    fraction = float(generator.choice([0.3, 1.0, 4.0]))
    rules = ReplayRules(
        initial_cash=10_000.0,
        position_fraction=fraction,
        max_gross_leverage=fraction * float(generator.choice([1.0, 1.7, 4.0])),
        taker_fee_bps=5.0,
        slippage_bps=3.0,
        stop_atr=(None, 0.7, 2.0, 5.0)[seed % 4],
        take_profit_atr=(None, 1.5, 4.0)[seed % 3],
        time_stop_bars=(None, 3, 9)[(seed + 1) % 3],
        time_stop_max_r=0.2 if seed % 4 and seed % 2 else None,
    )
    decisions = random_decisions(panel, seed, float(generator.choice([0.03, 0.2, 0.7])))
    return ReplayCase(panel, decisions, random_funding(panel, seed), rules)


def coarse_case(seed: int) -> ReplayCase:
    """Whole prices and dyadic rules: levels that are met exactly, equity of exactly 0, symbols that
    are delisted and listed again, decisions in bars that are not listed, bars touching both levels."""
    generator = np.random.default_rng(seed)
    bars, symbols = int(generator.integers(1, 25)), int(generator.integers(1, 4))
    shape = (bars, symbols)
    base = float(generator.choice([4, 8, 64]))
    open_, close = base + generator.integers(-2, 3, size=(2, *shape)).astype(np.float64)
    if generator.random() < 0.4:
        open_[1:] = close[:-1]
    reach = generator.integers(0, 3, size=(2, *shape))
    listed = generator.random(shape) < generator.choice([0.8, 0.95, 1.0])
    panel = Panel(
        symbols=tuple(f"S{index}" for index in range(symbols)),
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(bars),
        open=open_,
        high=np.maximum(open_, close) + reach[0],
        low=np.maximum(np.minimum(open_, close) - reach[1], 0.5),
        close=close,
        listed=listed,
        is_gap=listed & (generator.random(shape) < generator.choice([0.0, 0.2])),
    )
    acts = generator.random(shape) < generator.choice([0.1, 0.4, 0.9])
    target = generator.choice([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0], size=shape)
    atr_frac = generator.choice([1 / 16, 1 / 8, 1 / 4, 1 / 2, 2.0], size=shape)
    decisions = Decisions(
        target=np.where(acts, target, np.nan),
        acts=acts,
        atr_frac=np.where(acts & (target != 0), atr_frac, np.nan),
    )
    events = int(generator.integers(0, 20))
    halves = generator.integers(-2, 2 * bars + 4, size=events) * (HOUR_NS // 2)
    funding = Funding(
        time_ns=np.sort(START_NS + halves - (generator.random(events) < 0.1)),
        symbol_index=generator.integers(0, symbols, size=events),
        rate=generator.choice([0.0, 0.25, -0.125, 1 / 64], size=events),
        mark_price=generator.choice([0.0, base, base + 1], size=events),
    )
    fraction = float(generator.choice([0.25, 0.5, 1.0, 2.0, 4.0]))
    free = generator.random() < 0.7
    stop = None if generator.random() < 0.3 else float(generator.choice([0.5, 1.0, 2.0]))
    rules = ReplayRules(
        initial_cash=1024.0,
        position_fraction=fraction,
        max_gross_leverage=fraction * float(generator.choice([1.0, 1.5, 2.0])),
        taker_fee_bps=0.0 if free else 5.0,
        slippage_bps=0.0 if free else 1000.0,
        stop_atr=stop,
        take_profit_atr=float(generator.choice([0.5, 1.0, 2.0]))
        if generator.random() < 0.7
        else None,
        time_stop_bars=int(generator.integers(1, 5)) if generator.random() < 0.6 else None,
        time_stop_max_r=float(generator.choice([-1.0, -0.5, 0.0, 0.5, 1.0]))
        if stop is not None and generator.random() < 0.7
        else None,
    )
    return ReplayCase(panel, decisions, funding, rules)


def written_case(
    opens: Mapping[str, Sequence[float]],
    targets: Mapping[str, Mapping[int, float]],
    *,
    closes: Mapping[str, Sequence[float]] | None = None,
    **rules: Any,
) -> ReplayCase:
    """Bars whose close is their open unless given, decisions by bar, no costs unless given."""
    symbols = tuple(opens)
    open_ = np.array([opens[name] for name in symbols], dtype=np.float64).T.copy()
    close = np.array([(closes or opens)[name] for name in symbols], dtype=np.float64).T.copy()
    target, acts = np.zeros(open_.shape), np.zeros(open_.shape, dtype=np.bool_)
    for column, name in enumerate(symbols):
        for bar, wanted in targets.get(name, {}).items():
            target[bar, column], acts[bar, column] = wanted, True
    given = {
        "initial_cash": 1000.0, "taker_fee_bps": 0.0, "slippage_bps": 0.0, "stop_atr": None,
        **rules,
    }  # fmt: skip
    panel = Panel(
        symbols=symbols,
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(len(open_)),
        open=open_,
        high=np.maximum(open_, close),
        low=np.minimum(open_, close),
        close=close,
        listed=np.ones(open_.shape, dtype=np.bool_),
        is_gap=np.zeros(open_.shape, dtype=np.bool_),
    )
    decisions = Decisions(target=target, acts=acts, atr_frac=np.full(open_.shape, 0.01))
    return ReplayCase(panel, decisions, Funding.none(), ReplayRules(**given))


@settings(max_examples=400, deadline=None)
@given(replay_cases())
def test_replay_equals_the_oracle(case: ReplayCase):
    compare(case)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9).map(coarse_case))
def test_replay_equals_the_oracle_where_prices_meet_levels_exactly(case: ReplayCase):
    compare(case)


@pytest.mark.parametrize("seed", BIG_SEEDS)
def test_replay_equals_the_oracle_on_large_panels(seed: int):
    assert len(compare(big_case(seed)).fills) > 0


def test_the_large_panels_reach_every_rule():
    results = [oracle_of(big_case(seed)) for seed in BIG_SEEDS]
    fills = [fill for result in results for fill in result.fills]
    reasons = Counter(fill.reason for fill in fills)
    assert set(reasons) == set(REASONS), reasons
    assert {fill.phase for fill in fills} == set(PHASES)
    assert ("open", "stop") in {(fill.phase, fill.reason) for fill in fills}
    assert ("open", "take_profit") in {(fill.phase, fill.reason) for fill in fills}
    assert sum(result.ambiguous_exits for result in results) > 10
    assert sum(len(result.funding) for result in results) > 100
    assert any(result.ruined_bar >= 0 for result in results)


def test_closings_alone_pass_a_gross_cap_that_is_already_broken():
    # B's short grows beyond the cap while A leaves: no notional is wanted, none can be scaled.
    case = written_case(
        {"A": [10, 10, 10, 10], "B": [10, 10, 18, 18]},
        {"A": {0: 0.5, 1: 0.0}, "B": {0: -0.5}},
        position_fraction=1.0,
        max_gross_leverage=1.0,
    )
    fills = compare(case).fills
    assert [(fill.bar, fill.symbol, fill.reason) for fill in fills[2:]] == [
        (2, 0, "exit"),
        (3, 1, "end_of_data"),
    ]


@pytest.mark.parametrize(("target", "reason"), [(1.0, "exit"), (-1.0, "reverse")])
def test_a_cap_that_leaves_nothing_closes_the_position(target: float, reason: str):
    # B's short alone is worth more than L times the equity when A's order executes.
    case = written_case(
        {"A": [10, 10, 10, 10], "B": [10, 10, 21, 21]},
        {"A": {0: 0.25, 1: target}, "B": {0: -0.5}},
        closes={"A": [10, 10, 10, 10], "B": [10, 10, 15, 15]},
        position_fraction=1.0,
        max_gross_leverage=1.0,
    )
    fills = compare(case).fills
    assert [(fill.bar, fill.symbol, fill.reason) for fill in fills[2:3]] == [(2, 0, reason)]


def test_what_the_cap_leaves_of_rounding_counts_as_nothing():
    # The cap leaves A 1e-13 of notional: a position of that size would be rounding, not a decision.
    case = written_case(
        {"A": [10, 10, 10, 1000, 10, 10, 10], "B": [100, 100, 100, 199.99999999999997, 100, 100, 100]},
        {"A": {0: 0.25, 2: 1.0, 4: 0.5}, "B": {1: -0.5}},
        closes={"A": [10.0] * 7, "B": [100.0] * 7},
        position_fraction=1.0,
        max_gross_leverage=1.0,
    )  # fmt: skip
    result = compare(case)
    assert [(fill.bar, fill.reason, fill.trade) for fill in result.fills if fill.symbol == 0] == [
        (1, "entry", 0),
        (3, "exit", 0),
        (5, "entry", 2),
        (6, "end_of_data", 2),
    ]
    assert result.trades[0].exit_reason == "exit"


def test_the_average_entry_price_counts_every_increasing_fill():
    # Bought 10 at 100, sold 5, bought 3.33 at 120: all buys average 105, a book that forgets what was
    # sold says 108. With a risk of 5 a close of 112 is more than 1 R above the first only.
    case = written_case(
        {"A": [100, 100, 100, 120, 112, 112, 112, 112, 112, 112]},
        {"A": {0: 1.0, 1: 0.5, 2: 1.0}},
        position_fraction=1.0,
        stop_atr=5.0,
        time_stop_bars=6,
        time_stop_max_r=1.0,
    )
    fills = compare(case).fills
    assert [fill.reason for fill in fills] == ["entry", "resize", "resize", "end_of_data"]


def test_the_risk_is_measured_from_the_fill_price():
    # Filled at 110 for an open of 100, risk 22: a close of 131 is 0.95 R, and would be 1.05 R of 20.
    case = written_case(
        {"A": [100, 100, 131, 131]},
        {"A": {0: 1.0}},
        closes={"A": [100, 131, 131, 131]},
        slippage_bps=1000.0,
        stop_atr=20.0,
        time_stop_bars=1,
        time_stop_max_r=1.0,
    )
    assert [(fill.bar, fill.reason) for fill in compare(case).fills] == [
        (1, "entry"),
        (2, "time_stop"),
    ]


def sample() -> tuple[OracleResult, Ledgers, ReplayCase]:
    case = big_case(7)
    return oracle_of(case), ledgers_of(replay_of(case), case.panel), case


def moved(value: Any) -> Any:
    """A float by 1e-8 of itself, anything else to another value of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value * (1 + 1e-8)
    return value + ("?" if isinstance(value, str) else 1)


def test_one_changed_number_in_any_column_is_seen():
    expected, ledgers, _case = sample()
    assert disagreements(expected, ledgers) == []
    for name, columns in ledgers.items():
        assert len(next(iter(columns.values()))) > 10
        for column, values in columns.items():
            largest = max(range(len(values)), key=lambda row, values=values: (
                abs(values[row]) if isinstance(values[row], float) else 0))  # fmt: skip
            changed = [*values]
            changed[largest] = moved(values[largest])
            told = disagreements(expected, {name: {**columns, column: changed}})
            assert len(told) == 1, (name, column)
            assert told[0].startswith(f"{name}.{column}[{largest}]")


def test_a_missing_row_and_a_missing_column_are_seen():
    expected, ledgers, _case = sample()
    fills = ledgers["fills"]
    short = {column: values[:-1] for column, values in fills.items()}
    assert len(disagreements(expected, {"fills": short})) == len(fills)
    without = {column: values for column, values in fills.items() if column != "fee"}
    assert disagreements(expected, {"fills": without}) == ["fills.fee: on one side only"]


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("stop_atr", 1e-6),
        ("take_profit_atr", 1e-6),
        ("time_stop_bars", 1),
        ("time_stop_max_r", -0.4),
        ("taker_fee_bps", 1e-6),
        ("slippage_bps", 1e-6),
        ("initial_cash", 1e-3),
        ("position_fraction", -1e-6),
        ("max_gross_leverage", 1e-6),
    ],
)
def test_a_replay_under_other_rules_is_seen(name: str, step: float):
    case = big_case(19)
    other = replace(case.rules, **{name: getattr(case.rules, name) + step})
    found = replay_of(replace(case, rules=other))
    assert disagreements(oracle_of(case), ledgers_of(found, case.panel)) != []
