"""Properties that docs/accounting.md promises, and hand-made bars for each of its steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from engine import (
    HOUR_NS,
    REASONS,
    ConfigError,
    ContractError,
    Decisions,
    Funding,
    Panel,
    ReplayRules,
    replay,
)
from tests.generators import START_NS
from tests.replay_cases import (
    ReplayCase,
    random_decisions,
    random_funding,
    random_panel,
    replay_cases,
)


def run(case: ReplayCase):
    return replay(case.panel, case.decisions, case.funding, case.rules)


@settings(max_examples=120, deadline=None)
@given(case=replay_cases())
def test_equity_is_cash_and_positions_at_the_mark(case: ReplayCase):
    result = run(case)
    position = np.zeros(len(case.panel.symbols))
    cash = case.rules.initial_cash
    fills, payments = result.fills, result.funding_payments
    for bar in range(len(case.panel)):
        for fill in fills[fills["bar"] == bar]:
            position[fill["symbol"]] += fill["side"] * fill["quantity"]
            if abs(fill["position_after"]) == 0:
                position[fill["symbol"]] = 0.0
            assert fill["position_after"] == pytest.approx(
                position[fill["symbol"]], rel=1e-9, abs=1e-9
            )
            cash -= fill["side"] * fill["quantity"] * fill["price"] + fill["fee"]
        cash += payments[payments["bar"] == bar]["payment"].sum()
        scale = max(
            case.rules.initial_cash, abs(cash), float((abs(position) * case.panel.close[bar]).sum())
        )
        assert abs(cash - result.cash[bar]) <= 1e-9 * scale
        worth = cash + (position * case.panel.close[bar]).sum()
        assert abs(worth - result.equity[bar]) <= 1e-9 * scale


@settings(max_examples=120, deadline=None)
@given(case=replay_cases())
def test_trade_results_sum_to_the_change_of_equity_and_costs_stand_once(case: ReplayCase):
    result = run(case)
    change = result.equity[-1] - case.rules.initial_cash
    traded = float((result.fills["quantity"] * result.fills["price"]).sum())
    tolerance = 1e-9 * max(case.rules.initial_cash, traded)
    assert abs(result.trades["net_pnl"].sum() - change) <= tolerance
    for column, total in (("fees", "fee"), ("slippage", "slippage")):
        assert abs(result.trades[column].sum() - result.fills[total].sum()) <= tolerance
    assert (
        abs(result.trades["funding"].sum() - result.funding_payments["payment"].sum()) <= tolerance
    )
    assert (result.trades["exit_bar"] >= result.trades["entry_bar"]).all()
    assert sorted(set(result.fills["trade"])) == list(range(len(result.trades)))


@settings(max_examples=80, deadline=None)
@given(case=replay_cases())
def test_a_prefix_of_the_data_gives_the_prefix_of_the_result(case: ReplayCase):
    whole = run(case)
    for count in {2, len(case.panel) // 2, len(case.panel) - 1} - {0, 1}:
        part = replay(
            case.panel.prefix(count), case.decisions.prefix(count), case.funding, case.rules
        )
        np.testing.assert_array_equal(part.equity[:-1], whole.equity[: count - 1])
        for name in ("fills", "funding_payments"):
            before = getattr(whole, name)
            now = getattr(part, name)
            np.testing.assert_array_equal(
                now[now["bar"] < count - 1], before[before["bar"] < count - 1]
            )


@settings(max_examples=60, deadline=None)
@given(case=replay_cases())
def test_the_order_of_the_symbols_changes_nothing(case: ReplayCase):
    result = run(case)
    order = np.arange(len(case.panel.symbols))[::-1]
    moved = replace(
        case.panel,
        symbols=tuple(case.panel.symbols[index] for index in order),
        **{
            name: getattr(case.panel, name)[:, order]
            for name in ("open", "high", "low", "close", "listed", "is_gap")
        },
    )
    decisions = Decisions(
        target=case.decisions.target[:, order],
        acts=case.decisions.acts[:, order],
        atr_frac=case.decisions.atr_frac[:, order],
    )
    funding = replace(case.funding, symbol_index=order[case.funding.symbol_index])
    other = replay(moved, decisions, funding, case.rules)
    assert len(other.fills) == len(result.fills)
    scale = max(case.rules.initial_cash, float(result.gross_exposure.max(initial=0.0)))
    # Sums over symbols run in another order.
    np.testing.assert_allclose(other.equity, result.equity, rtol=0, atol=1e-8 * scale)


def test_prices_times_a_constant_leave_returns_unchanged():
    panel = random_panel(400, 3, 8)
    case = ReplayCase(
        panel, random_decisions(panel, 8, 0.1), Funding.none(), ReplayRules(take_profit_atr=3.0)
    )
    scaled = replace(
        panel, **{name: getattr(panel, name) * 1024.0 for name in ("open", "high", "low", "close")}
    )
    np.testing.assert_array_equal(
        run(case).equity, replay(scaled, case.decisions, case.funding, case.rules).equity
    )


def test_without_decisions_equity_is_flat():
    panel = random_panel(100, 2, 3)
    nothing = random_decisions(panel, 3, 0.0)
    result = replay(panel, nothing, random_funding(panel, 3), ReplayRules())
    assert (result.equity == 100_000.0).all()
    assert not len(result.fills)
    assert not len(result.funding_payments)


def test_higher_fees_never_help():
    panel = random_panel(300, 2, 6)
    decisions = random_decisions(panel, 6, 0.05)
    ends = [
        replay(panel, decisions, Funding.none(), ReplayRules(taker_fee_bps=fee)).equity[-1]
        for fee in (0.0, 5.0, 20.0, 80.0)
    ]
    assert ends == sorted(ends, reverse=True)


def flat_panel(rows: int = 8, price: float = 100.0) -> Panel:
    table = np.full((rows, 1), price)
    return Panel(
        symbols=("A",),
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(rows),
        open=table,
        high=table.copy(),
        low=table.copy(),
        close=table.copy(),
        listed=np.ones((rows, 1), dtype=bool),
        is_gap=np.zeros((rows, 1), dtype=bool),
    )


def decided(rows: int, targets: dict[int, float], atr_frac: float = 0.01) -> Decisions:
    target, acts = np.zeros((rows, 1)), np.zeros((rows, 1), dtype=bool)
    for row, value in targets.items():
        target[row], acts[row] = value, True
    return Decisions(target=target, acts=acts, atr_frac=np.full((rows, 1), atr_frac))


FREE = ReplayRules(
    initial_cash=1000.0, position_fraction=1.0, taker_fee_bps=0.0, slippage_bps=0.0, stop_atr=2.0,
    take_profit_atr=4.0,
)  # fmt: skip


def with_bar(panel: Panel, row: int, open_: float, high: float, low: float, close: float) -> Panel:
    values = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close")}
    for name, value in zip(
        ("open", "high", "low", "close"), (open_, high, low, close), strict=True
    ):
        values[name][row] = value
    return replace(panel, **values)


@pytest.mark.parametrize(
    ("target", "bar", "reason", "price"),
    [
        (1.0, (100.0, 100.5, 97.0, 99.0), "stop", 98.0),
        (1.0, (100.0, 105.0, 99.0, 101.0), "take_profit", 104.0),
        (1.0, (100.0, 105.0, 97.0, 101.0), "stop", 98.0),
        (1.0, (95.0, 99.0, 94.0, 98.5), "stop", 95.0),
        (1.0, (107.0, 108.0, 97.0, 99.0), "take_profit", 107.0),
        (-1.0, (100.0, 103.0, 99.5, 101.0), "stop", 102.0),
        (-1.0, (100.0, 101.0, 95.0, 99.0), "take_profit", 96.0),
        (-1.0, (105.0, 106.0, 104.0, 105.0), "stop", 105.0),
        (-1.0, (93.0, 103.0, 92.0, 99.0), "take_profit", 93.0),
    ],
)
def test_exits_inside_a_bar(target: float, bar: tuple[float, ...], reason: str, price: float):
    panel = with_bar(flat_panel(), 4, *bar)
    result = replay(panel, decided(8, {1: target}), Funding.none(), FREE)
    entry, exit_ = result.fills
    assert (entry["bar"], entry["price"]) == (2, 100.0)
    assert (exit_["bar"], REASONS[exit_["reason"]]) == (4, reason)
    assert exit_["price"] == pytest.approx(price, rel=1e-12)
    assert result.ambiguous_exits == int(bar == (100.0, 105.0, 97.0, 101.0))


def test_a_stop_is_live_in_the_entry_bar():
    panel = with_bar(flat_panel(), 2, 100.0, 100.0, 97.0, 97.5)
    result = replay(panel, decided(8, {1: 1.0}), Funding.none(), FREE)
    assert [int(fill["bar"]) for fill in result.fills] == [2, 2]
    assert result.trades["bars_held"][0] == 1


def test_an_order_waits_for_the_end_of_a_gap():
    panel = flat_panel()
    is_gap = panel.is_gap.copy()
    is_gap[2:4] = True
    result = replay(replace(panel, is_gap=is_gap), decided(8, {1: 1.0}), Funding.none(), FREE)
    assert result.fills["bar"][0] == 4


def test_funding_at_an_open_is_paid_by_the_position_carried_into_the_bar():
    panel = flat_panel()
    times = np.array([panel.open_time[2], panel.open_time[3], panel.open_time[5] + 1])
    funding = Funding(
        time_ns=times,
        symbol_index=np.zeros(3, dtype=np.int64),
        rate=np.full(3, 0.01),
        mark_price=np.array([0.0, 0.0, 50.0]),
    )
    result = replay(panel, decided(8, {1: 1.0, 4: 0.0}), funding, FREE)
    assert result.funding_payments["bar"].tolist() == [3]
    assert result.funding_payments["payment"][0] == pytest.approx(-10.0)
    held = replay(panel, decided(8, {1: 1.0}), funding, FREE)
    assert held.funding_payments["payment"].tolist() == pytest.approx([-10.0, -5.0])


def test_a_time_stop_closes_at_the_next_open_unless_the_trade_has_moved():
    rules = replace(FREE, time_stop_bars=2, time_stop_max_r=0.5)
    result = replay(flat_panel(), decided(8, {1: 1.0}), Funding.none(), rules)
    assert REASONS[result.fills["reason"][1]] == "time_stop"
    assert result.fills["bar"].tolist() == [2, 4]
    moved = flat_panel()
    for row in range(3, 8):
        moved = with_bar(moved, row, 101.5, 101.5, 101.5, 101.5)
    stays = replay(moved, decided(8, {1: 1.0}), Funding.none(), rules)
    assert REASONS[stays.fills["reason"][1]] == "end_of_data"


def test_ruin_is_a_result_and_ends_trading():
    panel = with_bar(flat_panel(), 4, 100.0, 100.0, 60.0, 60.0)
    for row in range(5, 8):
        panel = with_bar(panel, row, 60.0, 60.0, 60.0, 60.0)
    rules = replace(
        FREE, position_fraction=3.0, max_gross_leverage=3.0, stop_atr=None, take_profit_atr=None
    )
    result = replay(panel, decided(8, {1: 1.0, 5: -1.0}), Funding.none(), rules)
    assert result.ruined_bar == 4
    assert REASONS[result.fills["reason"][-1]] == "ruin"
    assert (result.equity[4:] == result.equity[4]).all()
    assert result.equity[4] == pytest.approx(-200.0)


def test_the_gross_cap_cuts_all_orders_of_a_bar_alike():
    table = {name: np.repeat(getattr(flat_panel(), name), 3, axis=1) for name in
             ("open", "high", "low", "close", "listed", "is_gap")}  # fmt: skip
    panel = Panel(
        symbols=("A", "B", "C"), timeframe="1h", open_time=flat_panel().open_time, **table
    )
    target, acts = np.zeros((8, 3)), np.zeros((8, 3), dtype=bool)
    target[1], acts[1] = [1.0, -1.0, 0.5], True
    decisions = Decisions(target=target, acts=acts, atr_frac=np.full((8, 3), 0.01))
    result = replay(panel, decisions, Funding.none(), replace(FREE, max_gross_leverage=1.0))
    assert result.fills["quantity"][:3].tolist() == pytest.approx([4.0, 4.0, 2.0])


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"taker_fee_bps": -1.0}, "taker_fee_bps=-1.0"),
        ({"position_fraction": 2.0}, "position_fraction=2.0"),
        ({"max_gross_leverage": 1e6, "position_fraction": 1.0}, "max_gross_leverage"),
        ({"initial_cash": float("nan")}, "initial_cash=nan"),
        ({"stop_atr": 0.0}, "stop_atr=0.0"),
        ({"time_stop_bars": 0}, "time_stop_bars=0"),
        ({"stop_atr": None, "time_stop_max_r": 0.2}, "needs stop_atr"),
    ],
)
def test_impossible_rules_are_refused_by_name(changes: dict[str, float], word: str):
    with pytest.raises(ConfigError, match=word):
        ReplayRules(**changes)


def test_decisions_of_a_wrong_kind_are_refused_with_their_row():
    good = decided(8, {1: 1.0})
    with pytest.raises(ContractError, match=r"target\[3, 0\]"):
        replace(good, target=np.where(np.arange(8)[:, None] == 3, 1.5, 0.0),
                acts=np.ones((8, 1), dtype=bool))  # fmt: skip
    with pytest.raises(ContractError, match=r"target\[2, 0\]=nan"):
        replace(good, target=np.where(np.arange(8)[:, None] == 2, np.nan, 0.0),
                acts=np.ones((8, 1), dtype=bool))  # fmt: skip
    with pytest.raises(ContractError, match=r"atr_frac\[1, 0\]"):
        replace(good, atr_frac=np.full((8, 1), np.nan))
    with pytest.raises(ContractError, match="target must be a 2-dimensional float64"):
        replace(good, target=good.target.astype(np.float32))
    with pytest.raises(ContractError, match="the panel has"):
        replay(flat_panel(9), good, Funding.none(), FREE)
    with pytest.raises(ContractError, match="symbol_index=4"):
        replay(
            flat_panel(),
            good,
            Funding(
                time_ns=np.zeros(1, dtype=np.int64),
                symbol_index=np.full(1, 4),
                rate=np.zeros(1),
                mark_price=np.zeros(1),
            ),
            FREE,
        )
