"""vectorbt as a second opinion: both of its engines agree with the replay where they can.

docs/vectorbt.md lists what cannot be compared, and why.
"""

import math
from importlib import metadata
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings

from engine import (
    HOUR_NS,
    PHASES,
    REASONS,
    Costs,
    Decisions,
    Exits,
    Float2D,
    Funding,
    Limits,
    Margin,
    Panel,
    ReplayResult,
    ReplayRules,
    Sizing,
    replay,
)
from tests.generators import START_NS
from tests.vectorbt_cases import OrderCase, SignalCase, order_cases, signal_cases
from tests.vectorbt_engines import (
    ENGINES,
    VERSION,
    Simulation,
    assert_agree,
    require_both_engines,
    simulate_orders,
    simulate_signals,
)

CASES = settings(max_examples=350, suppress_health_check=[HealthCheck.too_slow])
ANY = settings(max_examples=500, phases=[Phase.generate], database=None)
"""One case that is found, as it is found: nobody reads it, so it need not be made small."""


@pytest.fixture(scope="module", autouse=True)
def _engines() -> None:
    require_both_engines()


@pytest.mark.parametrize("found", ["1.1.2", None])
def test_another_rust_engine_or_none_fails(found: str | None, monkeypatch: pytest.MonkeyPatch):
    def version(package: str) -> str:
        if package == "vectorbt":
            return VERSION
        if found is None:
            raise metadata.PackageNotFoundError(package)
        return found

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(AssertionError, match="vectorbt-rust is"):
        require_both_engines()


@CASES
@given(case=order_cases())
def test_targets_filled_at_the_next_open(case: OrderCase):
    ours = replay(
        case.panel, case.decisions, Funding.none(), case.rules, symbol_rules=case.symbol_rules
    )
    lot = case.symbol_rules[case.panel.symbols[0]].lot_step
    for engine in ENGINES:
        theirs = simulate_orders(
            engine,
            case.panel,
            case.rules.initial_cash,
            case.share_of_equity,
            size_granularity=lot or np.nan,
            **_costs(case.rules),
        )
        assert_agree(ours, theirs, engine)


@CASES
@given(case=signal_cases(reverses=False))
def test_stops_targets_and_trailing_stops_sized_by_vectorbt(case: SignalCase):
    ours = replay(case.panel, case.decisions, Funding.none(), case.rules)
    assume(not _opens_beyond_target_and_reaches_stop(case, ours))
    for engine in ENGINES:
        assert_agree(ours, _signals(engine, case, "Percent", _percent(case)), engine)


@CASES
@given(case=signal_cases(reverses=True))
def test_stops_and_reversals_of_several_symbols_in_sizes_of_the_replay(case: SignalCase):
    ours = replay(case.panel, case.decisions, Funding.none(), case.rules)
    assume(not _opens_beyond_target_and_reaches_stop(case, ours))
    entries = ours.fills[ours.fills["reason"] == REASONS.index("entry")]
    # vectorbt does not size by equity here; 1.0 stands where the replay enters nothing, and shows.
    amounts = np.ones(case.panel.open.shape)
    amounts[entries["bar"], entries["symbol"]] = entries["quantity"]
    for engine in ENGINES:
        assert_agree(ours, _signals(engine, case, "Amount", amounts), engine)


@pytest.mark.parametrize("reason", ["entry", "resize", "reverse", "exit"])
def test_the_cases_of_targets_hold(reason: str):
    def holds(case: OrderCase) -> bool:
        ours = replay(
            case.panel, case.decisions, Funding.none(), case.rules, symbol_rules=case.symbol_rules
        )
        return REASONS.index(reason) in ours.fills["reason"]

    find(order_cases(), holds, settings=ANY)


@pytest.mark.parametrize(
    ("reverses", "reason", "phase"),
    [
        (False, "stop", "open"),
        (False, "stop", "intrabar"),
        (False, "trailing_stop", "open"),
        (False, "trailing_stop", "intrabar"),
        (False, "take_profit", "open"),
        (False, "take_profit", "intrabar"),
        (True, "stop", "intrabar"),
        (True, "take_profit", "intrabar"),
        (True, "reverse", "open"),
    ],
)
def test_the_cases_of_signals_hold(reverses: bool, reason: str, phase: str):
    def holds(case: SignalCase) -> bool:
        fills = replay(case.panel, case.decisions, Funding.none(), case.rules).fills
        here = fills["phase"] == PHASES.index(phase)
        return REASONS.index(reason) in fills["reason"][here]

    find(signal_cases(reverses=reverses), holds, settings=ANY)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_portfolio_class_says_the_same(engine: str):
    """``from_orders`` as a user calls it, with the arguments of docs/vectorbt.md."""
    import pandas as pd
    import vectorbt as vbt

    case = find(
        order_cases(),
        lambda case: len(case.panel.symbols) > 1 and len(case.panel) > 20,
        settings=ANY,
    )
    panel, mark = case.panel, case.panel.close if case.panel.mark is None else case.panel.mark.close
    before = np.vstack([mark[:1], mark[:-1]])
    portfolio = vbt.Portfolio.from_orders(
        pd.DataFrame(mark),
        size=case.share_of_equity * before / panel.open,
        size_type="targetpercent",
        price=panel.open,
        val_price=-np.inf,
        init_cash=case.rules.initial_cash,
        size_granularity=case.symbol_rules[panel.symbols[0]].lot_step or np.nan,
        cash_sharing=True,
        group_by=True,
        freq="1h",
        engine=engine,
        **_costs(case.rules),
    )
    ours = replay(panel, case.decisions, Funding.none(), case.rules, symbol_rules=case.symbol_rules)
    theirs = Simulation(
        portfolio.orders.values, portfolio.positions.values, portfolio.value().to_numpy()
    )
    assert_agree(ours, theirs, engine)


def _plain(closes: list[float], **columns: list[float]) -> Panel:
    """One symbol whose bars open at the last close and have no range, unless ``columns`` say so."""
    close = np.array(closes)[:, None]
    open_ = np.vstack([close[:1], close[:-1]])
    prices = {
        "open": open_,
        "high": np.maximum(open_, close),
        "low": np.minimum(open_, close),
        "close": close,
    }
    prices |= {name: np.array(column)[:, None] for name, column in columns.items()}
    return Panel(
        symbols=("S",),
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(len(close)),
        listed=np.ones(close.shape, dtype=np.bool_),
        is_gap=np.zeros(close.shape, dtype=np.bool_),
        **prices,
    )


def _at_first_close(panel: Panel, target: float) -> Decisions:
    acts = np.zeros(panel.open.shape, dtype=np.bool_)
    acts[0] = True
    return Decisions(
        target=np.full(panel.open.shape, target), acts=acts, atr_frac=np.full(acts.shape, 0.01)
    )


def _free(**rules: Any) -> ReplayRules:
    return ReplayRules(
        initial_cash=100.0,
        costs=Costs(taker_fee_bps=0.0, slippage_bps=0.0),
        margin=Margin(liquidation_fee_bps=0.0),
        **rules,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_short_of_vectorbt_trades_on_below_zero_and_ours_is_liquidated(engine: str):
    panel = _plain([100.0, 100.0, 130.0, 250.0, 200.0])
    size = np.array([[np.nan], [-5.0], [np.nan], [np.nan], [np.nan]])
    theirs = simulate_orders(engine, panel, 100.0, size)
    np.testing.assert_allclose(theirs.equity, [100.0, 100.0, -50.0, -650.0, -400.0])
    rules = _free(
        exits=Exits(stop_atr=None), sizing=Sizing(position_fraction=5.0), limits=Limits(max_gross=5)
    )
    ours = replay(panel, _at_first_close(panel, -1.0), Funding.none(), rules)
    assert (ours.equity >= 0).all()
    assert REASONS[ours.trades["exit_reason"][0]] == "liquidation"
    # Equity is 0.5 % of the position: 600 − 5 p = 0.005 · 5 p.
    np.testing.assert_allclose(ours.fills["price"][-1], 600 / 5.025)
    np.testing.assert_allclose(ours.equity[-1], 100 - 5 * (600 / 5.025 - 100))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_of_vectorbt_is_cut_to_its_cash(engine: str):
    panel = _plain([100.0, 100.0, 101.0])
    size = np.array([[np.nan], [2.0], [np.nan]])
    theirs = simulate_orders(engine, panel, 100.0, size)
    np.testing.assert_allclose(theirs.equity, [100.0, 100.0, 101.0])
    rules = _free(
        exits=Exits(stop_atr=None), sizing=Sizing(position_fraction=2.0), limits=Limits(max_gross=2)
    )
    ours = replay(panel, _at_first_close(panel, 1.0), Funding.none(), rules)
    np.testing.assert_allclose(ours.equity, [100.0, 100.0, 102.0])


@pytest.mark.parametrize("engine", ENGINES)
def test_vectorbt_leaves_the_entry_bar_out(engine: str):
    panel = _plain([100.0, 100.0, 100.0], low=[100.0, 95.0, 100.0])
    exits = Exits(stop_atr=None, stop_frac=0.01)
    rules = _free(exits=exits, sizing=Sizing(position_fraction=1.0))
    ours = replay(panel, _at_first_close(panel, 1.0), Funding.none(), rules)
    assert ours.fills["price"].tolist() == [100.0, 99.0]
    theirs = _one_entry(engine, panel, stop=0.01)
    assert theirs.orders["price"].tolist() == [100.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_vectorbt_looks_at_the_stop_of_a_bar_that_opens_beyond_the_target(engine: str):
    panel = _plain(
        [100.0, 100.0, 100.0], open=[100.0, 100.0, 103.0], high=[100.0, 100.0, 103.0],
        low=[100.0, 100.0, 98.0],
    )  # fmt: skip
    exits = Exits(stop_atr=None, stop_frac=0.01, take_profit_frac=0.02)
    rules = _free(exits=exits, sizing=Sizing(position_fraction=1.0))
    ours = replay(panel, _at_first_close(panel, 1.0), Funding.none(), rules)
    assert ours.fills["price"].tolist() == [100.0, 103.0]
    theirs = _one_entry(engine, panel, stop=0.01, target=0.02)
    assert theirs.orders["price"].tolist() == [100.0, 99.0]


def _one_entry(engine: str, panel: Panel, *, stop: float, target: float = math.nan) -> Simulation:
    shape = panel.open.shape
    entries, nothing = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    entries[1] = True
    return simulate_signals(
        engine,
        panel,
        100.0,
        "Percent",
        long_entries=entries,
        short_entries=nothing,
        long_exits=nothing,
        short_exits=nothing,
        size=np.ones(shape),
        sl_stop=np.full(shape, stop),
        sl_trail=False,
        tp_stop=np.full(shape, target),
        fees=0.0,
        slippage=0.0,
    )


def _costs(rules: ReplayRules) -> dict[str, float]:
    costs = rules.costs
    return {"fees": costs.taker_fee_bps / 10_000, "slippage": costs.slippage_bps / 10_000}


def _percent(case: SignalCase) -> Float2D:
    """The share of cash whose size, after fees and slippage, is the wanted share of equity."""
    costs = _costs(case.rules)
    side = np.where(case.short_entries, -1.0, 1.0)
    return case.share_of_equity * (1 + costs["fees"]) * (1 + side * costs["slippage"])


def _signals(engine: str, case: SignalCase, size_type: str, size: Float2D) -> Simulation:
    return simulate_signals(
        engine,
        case.panel,
        case.rules.initial_cash,
        size_type,
        long_entries=case.long_entries,
        short_entries=case.short_entries,
        long_exits=case.exits,
        short_exits=case.exits,
        size=size,
        sl_stop=case.stop_distance,
        sl_trail=case.rules.exits.trail_frac is not None,
        tp_stop=case.target_distance,
        **_costs(case.rules),
    )


def _opens_beyond_target_and_reaches_stop(case: SignalCase, ours: ReplayResult) -> bool:
    """The replay takes the target, which came first; vectorbt looks at the stop first."""
    fills = ours.fills
    at_open = (fills["reason"] == REASONS.index("take_profit")) & (
        fills["phase"] == PHASES.index("open")
    )
    if case.rules.exits.trail_frac is not None:
        return bool(at_open.any())
    for fill in fills[at_open]:
        trade, cell = ours.trades[fill["trade"]], (fill["bar"], fill["symbol"])
        side = trade["side"]
        worst = (case.panel.low if side > 0 else case.panel.high)[cell]
        distance = case.stop_distance[trade["entry_bar"], trade["symbol"]]
        if side * (worst - trade["entry_price"] * (1 - side * distance)) <= 0:
            return True
    return False
