"""The replay against an oracle that was written from docs/accounting.md alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import LIMITS, ORDER_KINDS, ORDER_STATUSES, PAYMENT_KINDS, REASONS, STYLES, Panel
from tests.oracles.replay import OracleResult, disagreements, ledgers_of
from tests.replay_cases import (
    THEMES,
    ReplayCase,
    agreed,
    oracle_of,
    replay_cases,
    replay_of,
    seeded_case,
)

SEEDS = range(1000)
EXAMPLES = 185
"""Of each theme, fine and coarse: 2220 cases in all."""


@pytest.mark.parametrize("is_coarse", [False, True], ids=["fine", "coarse"])
@pytest.mark.parametrize("theme", THEMES)
def test_replay_equals_the_oracle(theme: str, is_coarse: bool):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(replay_cases(theme, is_coarse))
    def check(case: Any) -> None:
        agreed(case)

    check()


# What the cases reach: a generator that never liquidates proves nothing about liquidations.


@cache
def seeded_results() -> list[OracleResult]:
    return [oracle_of(seeded_case(seed)) for seed in SEEDS]


def test_the_cases_reach_every_reason_at_every_step():
    fills = [fill for result in seeded_results() for fill in result.fills]
    reasons = Counter(fill.reason for fill in fills)
    assert {reason: reasons[reason] for reason in REASONS if reasons[reason] < 10} == {}
    both = (
        "entry",
        "resize",
        "reverse",
        "exit",
        "stop",
        "trailing_stop",
        "break_even",
        "take_profit",
        "ladder",
    )
    steps = Counter((fill.phase, fill.reason) for fill in fills)
    wanted = [(phase, reason) for phase in ("open", "intrabar") for reason in both]
    assert {step: steps[step] for step in wanted if steps[step] < 3} == {}
    assert sum(fill.is_maker for fill in fills) > 200
    assert sum(fill.shortfall > 0 for fill in fills) > 50
    assert sum(fill.impact > 0 for fill in fills) > 500


def test_the_cases_reach_every_end_of_an_order_and_every_limit():
    orders = [order for result in seeded_results() for order in result.orders]
    statuses = Counter(order.status for order in orders)
    ends = set(ORDER_STATUSES) - {"working"}
    assert {status: statuses[status] for status in ends if statuses[status] < 50} == {}
    kinds = Counter((order.kind, order.status == "filled") for order in orders)
    assert min(kinds[kind, is_filled] for kind in ORDER_KINDS for is_filled in (False, True)) > 50
    limits = Counter(order.limit for order in orders)
    # Only rounding makes dust: it has its case by hand.
    assert {limit: limits[limit] for limit in set(LIMITS) - {"dust"} if limits[limit] < 20} == {}


def test_the_cases_reach_payments_ruin_ambiguity_and_missing_sub_bars():
    results = seeded_results()
    payments = Counter(row.kind for result in results for row in result.payments)
    assert all(payments[kind] > 500 for kind in PAYMENT_KINDS)
    assert sum(result.ruined_bar >= 0 for result in results) > 20
    assert sum(result.ambiguous_exits for result in results) > 200
    assert sum(result.unresolved_bars for result in results) > 500


def events_of(seed: int, result: OracleResult) -> Iterator[str]:
    """What happens seldom in the replay of ``seeded_case(seed)``, once for each time."""
    case, fills_of = seeded_case(seed), fills_by(result, "trade")
    for fill in result.fills:
        first = fills_of[fill.trade][0]
        if fill.reason in ("liquidation", "ruin"):
            yield f"{fill.reason} in mode {case.rules.margin.mode}, {fill.phase}"
        if fill.phase == first.phase == "intrabar" and fill.time == first.time:
            yield f"{fill.reason} after an entry inside"
        rungs_taken = sum(row.reason == "ladder" for row in fills_of[fill.trade])
        if fill.reason == "take_profit" and rungs_taken < len(case.rules.exits.ladder):
            yield "take_profit before a rung"
    for number, fills in fills_by(result, "order").items():
        order = result.orders[number]
        later = [fill for fill in fills if fill.bar > fills[0].bar]
        if order.kind == "limit":
            yield from (f"remainder of a limit, {fill.phase}" for fill in later if fill.is_maker)
            if later and order.status == "partial":
                yield "remainder of a limit that ends"
    for trade in result.trades:
        fills = fills_of[trade.trade]
        if fills[0].phase == "open" and fills[0].time > case.panel.open_time[fills[0].bar]:
            yield "entry at a later open"
        is_in_parts = any(row.order == fills[0].order for row in fills[1:] if row.order >= 0)
        if is_in_parts and trade.initial_risk > 0:
            yield "entry in parts"
            yield from ("rung of an entry in parts" for row in fills if row.reason == "ladder")
    acts, style = case.decisions.acts, case.decisions.style
    if style is None:
        return
    for order in result.orders:
        at, side = (order.closed_bar, order.symbol), "long" if order.target > 0 else "short"
        is_exit = acts[at] and style[at] == STYLES.index(f"exit_{side}")
        if order.status == "cancelled" and order.target != 0 and is_exit:
            yield "entry cancelled by an exit of its side"


def fills_by(result: OracleResult, column: str) -> dict[int, list[Any]]:
    """The fills by ``trade`` or ``order``; those without an order are left out."""
    found: dict[int, list[Any]] = {}
    for fill in result.fills:
        if (number := getattr(fill, column)) >= 0:
            found.setdefault(number, []).append(fill)
    return found


def test_the_cases_reach_what_happens_seldom():
    seldom = Counter(
        event
        for seed, result in zip(SEEDS, seeded_results(), strict=True)
        for event in events_of(seed, result)
    )
    wanted = {
        "liquidation in mode cross, open": 5,
        "liquidation in mode cross, intrabar": 40,
        "liquidation in mode isolated, open": 25,
        "liquidation in mode isolated, intrabar": 50,
        "ruin in mode none, open": 5,
        "ruin in mode none, close": 3,
        "liquidation after an entry inside": 25,
        "stop after an entry inside": 25,
        "take_profit after an entry inside": 25,
        "ladder after an entry inside": 5,
        "take_profit before a rung": 50,
        "remainder of a limit, open": 50,
        "remainder of a limit, intrabar": 25,
        "remainder of a limit that ends": 25,
        "entry in parts": 50,
        "rung of an entry in parts": 10,
        "entry at a later open": 100,
        "entry cancelled by an exit of its side": 25,
    }
    assert {event: seldom[event] for event in wanted if seldom[event] < wanted[event]} == {}


def test_the_oracle_books_every_cost_once():
    # Section 7: what the trades earned is what the account gained.
    for seed, result in zip(SEEDS, seeded_results(), strict=True):
        rules = seeded_case(seed).rules if result.trades else None
        gained = result.equity[-1].equity - (rules.initial_cash if rules else 0)
        if rules is None:
            assert len({row.equity for row in result.equity}) == 1
            continue
        scale = max(max(abs(row.cash), row.gross_exposure) for row in result.equity)
        earned = sum(trade.net_pnl for trade in result.trades)
        assert abs(earned - gained) < 1e-10 * scale, seed
        for name, column in (("fees", "fee"), ("spread", "spread"), ("shortfall", "shortfall")):
            of_trades = sum(getattr(trade, name) for trade in result.trades)
            of_fills = sum(getattr(fill, column) for fill in result.fills)
            assert of_trades == pytest.approx(of_fills, abs=1e-10 * scale), seed
        assert [order.order for order in result.orders] == list(range(len(result.orders)))


def rows_before(result: OracleResult, bar: int) -> list[list[Any]]:
    """What stood in the ledgers when ``bar`` began, but for orders that were still pending."""
    return [
        [row for row in result.fills if row.bar < bar],
        [row for row in result.payments if row.bar < bar],
        [row for row in result.orders if row.closed_bar < bar],
        [row for row in result.trades if row.exit_bar < bar],
        result.equity[:bar],
    ]


@pytest.mark.parametrize("seed", range(0, 300, 7))
def test_the_oracle_knows_nothing_of_what_comes(seed: int):
    case, result = seeded_case(seed), seeded_results()[seed]
    count = 1 + len(case.panel) // 2
    sub_bars = 0 if case.fine is None else len(case.fine) // len(case.panel)
    prefix = replace(
        case,
        panel=case.panel.prefix(count),
        decisions=case.decisions.prefix(count),
        fine=case.fine.prefix(count * sub_bars) if case.fine else None,
    )
    assert repr(rows_before(oracle_of(prefix), count - 1)) == repr(rows_before(result, count - 1))


@pytest.mark.parametrize("seed", range(3, 300, 7))
def test_the_oracle_does_not_mind_the_order_of_columns(seed: int):
    case, result = seeded_case(seed), seeded_results()[seed]
    turned = oracle_of(reversed_columns(case))
    last = len(case.panel.symbols) - 1
    for name in ("fills", "orders", "payments", "trades"):
        rows = [replace(row, symbol=last - row.symbol) for row in getattr(turned, name)]
        assert repr(rows) == repr(getattr(result, name))
    assert turned.equity == result.equity


def reversed_columns(case: ReplayCase) -> ReplayCase:
    """The same market with its columns from right to left."""

    def turned(item: Any) -> Any:
        if item is None:
            return None
        columns = {
            entry.name: value[:, ::-1].copy()
            for entry in fields(item)
            if isinstance(value := getattr(item, entry.name), np.ndarray) and value.ndim == 2
        }
        if isinstance(item, Panel):
            columns |= {"symbols": item.symbols[::-1], "mark": turned(item.mark)}
        return replace(item, **columns)

    funding = case.funding
    last = len(case.panel.symbols) - 1
    return replace(
        case,
        panel=turned(case.panel),
        decisions=turned(case.decisions),
        fine=turned(case.fine),
        funding=replace(funding, symbol_index=last - funding.symbol_index),
    )


# What the comparison sees


def sample() -> tuple[OracleResult, dict[str, dict[str, list[Any]]]]:
    """The first seeded case with rows in every ledger."""
    for seed in SEEDS:
        case = seeded_case(seed)
        expected = oracle_of(case)
        tables = (expected.fills, expected.orders, expected.payments, expected.trades)
        if min(map(len, tables)) > 5 and max(t.shortfall for t in expected.trades) == 0:
            return expected, ledgers_of(replay_of(case), case.panel)
    raise AssertionError("no case has rows in every ledger")


def moved(value: Any) -> Any:
    """A float by 1e-8 of itself, anything else to another value of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value * (1 + 1e-8) if value and not isnan(value) else 1.0
    return value + ("?" if isinstance(value, str) else 1)


def test_one_changed_number_in_any_column_is_seen():
    expected, ledgers = sample()
    assert disagreements(expected, ledgers) == []
    for name, columns in ledgers.items():
        for column, values in columns.items():
            sizes = [abs(x) if isinstance(x, float) and not isnan(x) else -1 for x in values]
            largest = sizes.index(max(sizes))
            changed = [*values]
            changed[largest] = moved(values[largest])
            told = disagreements(expected, {name: {**columns, column: changed}})
            assert len(told) == 1, (name, column)
            assert told[0].startswith(f"{name}.{column}[{largest}]")


def test_a_missing_row_and_a_missing_column_are_seen():
    expected, ledgers = sample()
    fills = ledgers["fills"]
    short = {column: values[:-1] for column, values in fills.items()}
    assert len(disagreements(expected, {"fills": short})) == len(fills)
    without = {column: values for column, values in fills.items() if column != "fee"}
    assert disagreements(expected, {"fills": without}) == ["fills.fee: on one side only"]


@pytest.mark.parametrize("factor", [1 - 1e-6, 1 + 1e-6])
@given(seed=st.sampled_from(range(0, 1000, 10)))
@settings(max_examples=10, deadline=None)
def test_a_replay_with_other_cash_is_seen(factor: float, seed: int):
    case = seeded_case(seed)
    rules = replace(case.rules, initial_cash=case.rules.initial_cash * factor)
    found = replay_of(replace(case, rules=rules))
    assert disagreements(oracle_of(case), ledgers_of(found, case.panel)) != []
