"""What may change without changing a replay: columns, units, the future, walked bars, threads, ledgers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from engine import (
    ACCOUNT_COLUMNS,
    PHASES,
    REASONS,
    Margin,
    ReplayResult,
    ReplayRules,
    Sizing,
    metrics,
)
from engine._replay.decided import decision_rows
from engine._replay.prepare import PreparedMarket, prepare_market
from engine._replay.run import Outcome, run_replay
from engine._replay.tables import replayed
from tests.replay_cases import (
    THEMES,
    ReplayCase,
    replay_of,
    seeded_case,
    written_case,
)
from tests.replay_cases.altered import (
    arrays_of,
    in_other_units,
    locked,
    permuted,
    poisoned,
    prefix_of,
    without_rounding,
)
from tests.replay_cases.always import holds_always
from tests.replay_cases.quiet import quiet_case

LEDGERS = ("fills", "orders", "trades", "payments")


def same_bits(found: Any, expected: Any) -> None:
    """Assert that two arrays are equal to the last bit, the signs of zeros included."""
    assert found.dtype == expected.dtype
    for name in found.dtype.names or ():
        same_bits(found[name], expected[name])
    if not found.dtype.names:
        np.testing.assert_array_equal(found, expected)
        assert found.tobytes() == expected.tobytes()


def same_results(found: ReplayResult, expected: ReplayResult) -> None:
    for name in (*LEDGERS, *ACCOUNT_COLUMNS):
        same_bits(getattr(found, name), getattr(expected, name))
    for name in ("ruined_bar", "ambiguous_exits", "unresolved_bars"):
        assert getattr(found, name) == getattr(expected, name), name


def with_ledgers(result: ReplayResult, change: Callable[[str, Any], None]) -> ReplayResult:
    """The result with copies of its ledgers that ``change``, called with name and rows, has altered."""
    copies = {name: getattr(result, name).copy() for name in LEDGERS}
    for name, rows in copies.items():
        change(name, rows)
    trades = copies.pop("trades")
    account = result.account
    return replace(result, **copies, find_trades=lambda: trades, find_account=lambda: account)


def test_the_order_of_the_symbols_changes_nothing():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        count = len(case.panel.symbols)
        for order in (np.arange(count)[::-1], np.random.default_rng(count).permutation(count)):

            def rename(_: str, rows: Any, names: Any = order) -> None:
                rows["symbol"] = names[rows["symbol"]]

            turned = replay_of(permuted(case, order))
            same_results(with_ledgers(turned, rename), result)

    holds_always(check)


PRICES = {
    "fills": ("reference_price", "price"),
    "orders": ("price",),
    "payments": ("mark_price",),
    "trades": ("entry_price", "exit_price"),
}
QUANTITIES = {
    "fills": ("quantity", "position_after"),
    "orders": ("filled_quantity",),
    "payments": ("position",),
    "trades": ("quantity",),
}


@pytest.mark.parametrize("factor", [1024.0, 2.0**-7])
def test_prices_times_a_power_of_two_change_no_bit(factor: float):
    # Ticks are counted as parts of one unit of price, which does not scale.
    def check(given: ReplayCase) -> None:
        case = without_rounding(given)
        result, scaled = replay_of(case), replay_of(in_other_units(case, factor))
        amount = factor if case.rules.margin.contract == "inverse" else 1 / factor

        def rescale(ledger: str, rows: Any) -> None:
            for names, unit in ((PRICES, factor), (QUANTITIES, amount)):
                for name in names[ledger]:
                    rows[name] /= unit

        same_results(with_ledgers(scaled, rescale), result)

    holds_always(check)


@pytest.mark.parametrize("factor", [3.7, 0.000123])
def test_prices_times_a_constant_change_no_return(factor: float):
    # Coarse cases meet their levels exactly, where rounding decides.
    seeds = [seed for seed in range(400) if seed // len(THEMES) % 2 == 0]
    for seed in seeds:
        case = without_rounding(seeded_case(seed))
        result, scaled = replay_of(case), replay_of(in_other_units(case, factor))
        assert len(scaled.fills) == len(result.fills), seed
        scale = np.maximum(result.equity, result.gross_exposure).max()
        np.testing.assert_allclose(
            scaled.equity, result.equity, rtol=0, atol=1e-12 * scale, err_msg=str(seed)
        )


def outcome_of(case: ReplayCase, **options: bool) -> Outcome:
    """The replay by the interface that has more to choose than ``engine.replay``."""
    return outcome_on(prepared_market(case), case, case.rules, **options)


def prepared_market(case: ReplayCase) -> PreparedMarket:
    return prepare_market(
        case.panel, case.funding, case.decisions.atr_frac,
        fine=case.fine, symbol_rules=case.symbol_rules,
    )  # fmt: skip


def outcome_on(
    prepared: PreparedMarket, case: ReplayCase, rules: ReplayRules, **options: bool
) -> Outcome:
    decisions = decision_rows(case.decisions, prepared.order)
    outcome = run_replay(prepared, decisions, rules, **options)
    if not outcome.account["keeps_rows"][0]:
        return outcome
    told = replayed(outcome.ledgers, outcome.account, prepared, rules)
    return outcome._replace(ledgers=told.ledgers._replace(trades=told.trades()))


SUMS = (
    "cash", "equity", "peak", "fees", "spread", "impact", "funding", "borrow", "shortfall", "traded",
    "win_return", "loss_return", "wins", "closed", "fills", "orders", "trades",
    "payments", "ruined_bar", "ambiguous_exits",
)  # fmt: skip
"""What the account knows at the end."""


def same_outcomes(found: Outcome, expected: Outcome) -> None:
    same_bits(found.equity, expected.equity)
    for name in SUMS:
        assert found.account[name][0] == expected.account[name][0], name
    for ours, theirs in zip(found.ledgers, expected.ledgers, strict=True):
        same_bits(ours, theirs)


def test_passing_over_quiet_bars_is_the_full_walk():
    def check(case: ReplayCase) -> None:
        same_outcomes(outcome_of(case), outcome_of(case, walk_all=True))

    holds_always(check, seeds=range(400))


def test_passing_over_most_bars_is_the_full_walk():
    reasons: set[str] = set()
    for seed in range(48):
        case = quiet_case(seed)
        found = outcome_of(case)
        same_outcomes(found, outcome_of(case, walk_all=True))
        reasons |= {REASONS[code] for code in found.ledgers.fills["reason"]}
    wanted = {"stop", "trailing_stop", "break_even", "ladder", "take_profit", "liquidation"}
    assert wanted <= reasons


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_payments_alone_bring_liquidation_nearer(mode: Literal["cross", "isolated"]):
    # The price stands still: only what is paid at the opens of quiet bars uses up the margin.
    case = written_case(
        {"A": [100.0] * 30, "B": [20.0] * 30},
        {"A": {1: 1.0}, "B": {1: -1.0}},
        sizing=Sizing(position_fraction=2.0),
        margin=Margin(mode=mode, leverage=4.0),
        funding=[(float(t), "A", 0.02, 0.0) for t in range(4, 30)],
    )
    found = outcome_of(case)
    same_outcomes(found, outcome_of(case, walk_all=True))
    fills = found.ledgers.fills
    assert "liquidation" in {REASONS[code] for code in fills["reason"]}


def known(
    result: ReplayResult, bar: int, *, decided_before: int, with_open_bar: bool = False
) -> list[Any]:
    """What the ledgers said when ``bar`` opened, or just before it closed."""
    fills, orders, trades, payments = (getattr(result, name) for name in LEDGERS)
    before = fills["bar"] < bar
    if with_open_bar:
        before |= (fills["bar"] == bar) & (fills["phase"] < PHASES.index("close"))
    placed = orders[orders["decided_bar"] < decided_before]
    return [
        *(getattr(result, name)[:bar] for name in ACCOUNT_COLUMNS),
        fills[before],
        payments[payments["bar"] < bar + with_open_bar],
        trades[trades["exit_bar"] < bar],
        placed[placed["closed_bar"] < decided_before],
        placed[["order", "decided_bar", "symbol", "kind", "target", "price"]],
    ]


def same_knowledge(found: ReplayResult, expected: ReplayResult, bar: int, **limits: Any) -> None:
    for ours, theirs in zip(
        known(found, bar, **limits), known(expected, bar, **limits), strict=True
    ):
        same_bits(ours, theirs)


def test_a_prefix_of_the_data_gives_the_prefix_of_the_result():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        for count in {2, len(case.panel) // 2, len(case.panel) - 1}:
            last = count - 1
            part = replay_of(prefix_of(case, count))
            same_knowledge(part, result, last, decided_before=last, with_open_bar=True)

    holds_always(check)


def test_another_future_changes_nothing_before_it():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        for first in {2, len(case.panel) // 2, len(case.panel) - 1}:
            other = replay_of(poisoned(case, first, seed=first))
            same_knowledge(other, result, first, decided_before=first - 1)

    holds_always(check)


def test_arrays_are_read_and_never_written():
    def check(case: ReplayCase) -> None:
        before = [(name, array.copy()) for name, array in arrays_of(case)]
        result = replay_of(case)
        for (name, array), (_, copied) in zip(arrays_of(case), before, strict=True):
            np.testing.assert_array_equal(array, copied, err_msg=name)
        same_results(replay_of(locked(case)), result)

    holds_always(check)


def test_a_result_shares_no_memory_with_what_was_given():
    for seed in range(40):
        case = seeded_case(seed)
        result = replay_of(case)
        columns = [getattr(result, name) for name in (*LEDGERS, *ACCOUNT_COLUMNS)]
        for name, array in arrays_of(case):
            assert not any(np.shares_memory(array, column) for column in columns), name


def test_without_ledgers_the_account_is_the_same():
    def check(case: ReplayCase) -> None:
        whole, totals = outcome_of(case), outcome_of(case, keeps_rows=False)
        same_bits(totals.equity, whole.equity)
        for name in SUMS:
            assert totals.account[name][0] == whole.account[name][0], name

    holds_always(check)


def running_sum(numbers: Any) -> float:
    """The sum in the order in which the numbers stand."""
    return float(np.cumsum(numbers)[-1]) if len(numbers) else 0.0


def test_totals_are_running_sums_of_the_ledgers():
    def check(case: ReplayCase) -> None:
        account, result = outcome_of(case).account, replay_of(case)
        fills, payments = result.fills, result.payments
        price = fills["price"]
        unit = np.abs(-1.0 / price if case.rules.margin.contract == "inverse" else price)
        parts = {"fees": fills["fee"], "spread": fills["spread"], "impact": fills["impact"]}
        parts |= {"traded": fills["quantity"] * unit}
        for code, kind in enumerate(("funding", "borrow")):
            parts[kind] = payments["payment"][payments["kind"] == code]
        for name, numbers in parts.items():
            assert account[name][0] == running_sum(numbers), name
        rows = np.arange(len(fills))
        last = np.zeros(len(result.trades), dtype=np.int64)
        last[fills["trade"]] = rows
        shortfall = account["shortfall"][0]
        assert shortfall == pytest.approx(running_sum(fills["shortfall"]), rel=1e-12)
        assert account["closed"][0] == len(result.trades)
        if result.ruined_bar < 0:  # Nothing is sized after ruin.
            trades = result.trades[np.argsort(last)]
            is_win = trades["net_pnl"] > 0
            assert account["wins"][0] == np.count_nonzero(is_win)
            assert account["win_return"][0] == running_sum(trades["return_frac"][is_win])
            assert account["loss_return"][0] == running_sum(-trades["return_frac"][~is_win])

    holds_always(check)


def test_two_replays_at_once_are_two_replays_one_after_the_other():
    cases = [seeded_case(seed) for seed in range(60)] + [
        quiet_case(seed, bars=1000) for seed in range(6)
    ]

    def run(case: ReplayCase) -> tuple[ReplayResult, dict[str, float]]:
        result = replay_of(case)
        return result, metrics(result, case.panel, case.rules)

    alone = [run(case) for case in cases]
    with ThreadPoolExecutor(2) as pool:
        together = [*pool.map(run, cases), *pool.map(run, cases[::-1])]
    for (found, shown), (expected, told) in zip(together, alone + alone[::-1], strict=True):
        same_results(found, expected)
        np.testing.assert_array_equal([*shown.values()], [*told.values()])


def test_one_market_serves_two_replays_at_once():
    case = quiet_case(5, bars=3000)
    prepared = prepared_market(case)
    rules = [
        replace(case.rules, sizing=Sizing(position_fraction=fraction))
        for fraction in np.linspace(0.1, 5.0, 40)
    ]
    alone = [outcome_on(prepared, case, rule) for rule in rules]
    with ThreadPoolExecutor(2) as pool:
        together = pool.map(lambda rule: outcome_on(prepared, case, rule), rules)
        for found, expected in zip(together, alone, strict=True):
            same_outcomes(found, expected)
