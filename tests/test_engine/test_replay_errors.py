"""What a replay refuses: the message names argument, row, symbol, value and rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import (
    BacktestError,
    ConfigError,
    ContractError,
    Costs,
    DataError,
    Decisions,
    Funding,
    Limits,
    Margin,
    MarkPrices,
    Panel,
    ReplayRules,
    Sizing,
    SymbolRules,
    replay,
)
from tests.replay_cases import written_panel

BARS = 6


def flat_panel(timeframe: str = "1h", bars: int = BARS) -> Panel:
    prices = {"A": [100.0] * bars, "B": [(50.0, 52.0, 48.0, 50.0)] * bars}
    return written_panel(prices, timeframe=timeframe)


def with_mark(panel: Panel) -> Panel:
    """The panel with its traded prices as its mark."""
    mark = MarkPrices(open=panel.open, high=panel.high, low=panel.low, close=panel.close)
    return replace(panel, mark=mark)


def decided(bars: int = BARS, **changed: Any) -> Decisions:
    shape = (bars, 2)
    columns: dict[str, Any] = {
        "target": np.full(shape, 0.5),
        "acts": np.ones(shape, dtype=np.bool_),
        "atr_frac": np.full(shape, 0.01),
    }
    return Decisions(**columns | changed)


def with_cell(value: float) -> np.ndarray:
    """Half a position everywhere, but ``value`` in row 3 of the second symbol."""
    target = np.full((BARS, 2), 0.5)
    target[3, 1] = value
    return target


def settled(times: list[int], symbols: list[int]) -> Funding:
    count = len(times)
    return Funding(
        time_ns=np.array(times, dtype=np.int64),
        symbol_index=np.array(symbols, dtype=np.int64),
        rate=np.full(count, 1e-4),
        mark_price=np.zeros(count),
    )


def replayed(
    *,
    panel: Panel | None = None,
    decisions: Decisions | None = None,
    funding: Funding | None = None,
    rules: ReplayRules | None = None,
    **options: Any,
) -> object:
    """A replay in which nothing is wrong but what is given."""
    return replay(
        panel or flat_panel(), decisions or decided(), funding or Funding.none(),
        rules or ReplayRules(), **options,
    )  # fmt: skip


def refusal(make: Callable[[], object], error: type[BacktestError]) -> str:
    with pytest.raises(error) as caught:
        make()
    assert type(caught.value) is error
    return str(caught.value)


def test_nothing_is_refused_without_a_reason():
    fine = flat_panel("30m", 2 * BARS)
    replayed(fine=fine, symbol_rules={"B": SymbolRules(tick_size=0.5)})
    replayed(funding=settled([0, 0, 5], [1, 0, 1]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: replayed(decisions=decided(BARS - 1)),
            "decisions have shape (5, 2), the panel has (6, 2): one row for each bar and one column for "
            "each symbol",
        ),
        (
            lambda: decided(target=np.zeros(BARS)),
            "decisions: target must be a 2-dimensional float64 array; it is a 1-dimensional float64 array",
        ),
        (
            lambda: decided(target=np.zeros((BARS, 2), dtype=np.float32)),
            "decisions: target must be a 2-dimensional float64 array; it is a 2-dimensional float32 array",
        ),
        (
            lambda: decided(acts=np.ones((BARS, 2))),
            "decisions: acts must be a 2-dimensional bool array; it is a 2-dimensional float64 array",
        ),
        (
            lambda: decided(target=[[0.0, 0.0]] * BARS),
            "decisions: target must be a 2-dimensional float64 array, not list",
        ),
        (
            lambda: decided(atr_frac=np.full((BARS, 3), 0.01)),
            "decisions: atr_frac has shape (6, 3), target has (6, 2)",
        ),
        (lambda: decided(target=with_cell(np.nan)), "decisions: target[3, 1]=nan must lie in [-1, 1]"),
        (lambda: decided(target=with_cell(-1.5)), "decisions: target[3, 1]=-1.5 must lie in [-1, 1]"),
        (
            lambda: decided(atr_frac=np.where(with_cell(1.0) == 1.0, np.nan, 0.01)),
            "decisions: atr_frac[3, 1]=nan must be finite and positive where a row asks for a position; "
            "wait for its warm-up",
        ),
    ],
)  # fmt: skip
def test_decisions(make: Callable[[], object], message: str):
    assert refusal(make, ContractError) == message


def test_a_settlement_of_a_symbol_that_the_panel_lacks():
    told = refusal(lambda: replayed(funding=settled([1, 2, 3], [0, 1, 4])), ContractError)
    assert told.startswith("funding: symbol_index[2]=4 but the panel has 2 symbols")
    told = refusal(lambda: settled([1, 2], [0, -1]), ContractError)
    assert told == "funding: symbol_index[1]=-1 must be a column of the panel"


def test_settlements_that_are_not_sorted():
    told = refusal(lambda: settled([1, 9, 7], [0, 0, 0]), ContractError)
    assert told == "funding: time_ns[2]=7 lies before the row above; sort the events by time"


def test_bars_that_are_not_sorted():
    panel = flat_panel()
    times = panel.open_time.copy()
    times[[3, 4]] = times[[4, 3]]
    told = refusal(lambda: replace(panel, open_time=times), DataError)
    assert told == (
        f"panel: open_time[3]={times[3]} must lie 1h after the row above, {times[2]}: "
        "sort the bars and fill the grid"
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Costs(taker_fee_bps=-1.0), "costs.taker_fee_bps=-1.0 must lie in [0, 1000]"),
        (lambda: Costs(maker_fee_bps=-101.0), "costs.maker_fee_bps=-101.0 must lie in [-100, 1000]"),
        (lambda: Margin(leverage=126.0), "margin.leverage=126.0 must lie in [1, 125]"),
        (lambda: Margin(leverage=0.5), "margin.leverage=0.5 must lie in [1, 125]"),
        (
            lambda: ReplayRules(limits=Limits(max_gross=12.0), margin=Margin(mode="isolated")),
            "limits.max_gross=12.0 must not exceed margin.leverage=10.0: isolated wallets "
            "could not be filled",
        ),
        (
            lambda: ReplayRules(sizing=Sizing(position_fraction=2.0)),
            "sizing.position_fraction=2.0 must not exceed limits.max_gross=1.0: the cap would cut "
            "every order",
        ),
    ],
)  # fmt: skip
def test_fees_and_leverages_that_cannot_be(make: Callable[[], object], told: str):
    assert refusal(make, ConfigError) == told


@pytest.mark.parametrize("name", ["impact", "participation"])
def test_costs_that_need_a_volume_that_is_not_there(name: str):
    rules = ReplayRules(costs=Costs(**{name: 0.5}))
    panel = replace(flat_panel(), volume=None)
    told = refusal(lambda: replayed(panel=panel, rules=rules), ContractError)
    assert told == f"rules.costs.{name}=0.5 needs volumes: the panel has volume=None"
    replayed(rules=rules)


def test_sizing_by_a_volatility_that_is_not_there():
    rules = ReplayRules(sizing=Sizing(method="volatility"))
    told = refusal(lambda: replayed(rules=rules), ContractError)
    assert "rules.sizing.method=volatility needs decisions.volatility" in told
    replayed(rules=rules, decisions=decided(volatility=np.full((BARS, 2), 0.8)))


@pytest.mark.parametrize(
    ("column", "value"), [("open", 51.0), ("high", 53.0), ("low", 47.0), ("close", 51.0)]
)
@pytest.mark.parametrize("of_mark", [False, True])
def test_a_panel_that_is_not_what_its_finer_bars_add_up_to(
    column: str, value: float, of_mark: bool
):
    panel, fine = (with_mark(flat_panel(*shape)) for shape in (("1h", BARS), ("30m", 2 * BARS)))
    stated = getattr(panel, column).copy()
    summed = stated[3, 1]
    stated[3, 1] = value
    if of_mark:
        assert panel.mark is not None
        panel = replace(panel, mark=replace(panel.mark, **{column: stated}))
    else:
        panel = replace(panel, **{column: stated})
    told = refusal(lambda: replayed(panel=panel, fine=fine), ContractError)
    assert told == (
        f"fine: B bar 3: the panel's {'mark ' if of_mark else ''}{column} is {value}, that of its finer "
        f"bars {summed}; use panel.rebuilt_from(fine)"
    )
    replayed(panel=panel.rebuilt_from(fine), fine=fine)


def test_finer_bars_of_a_bar_that_is_missing():
    fine = flat_panel("30m", 2 * BARS)
    is_gap = flat_panel().is_gap.copy()
    is_gap[4, 0] = True
    panel = replace(flat_panel(), is_gap=is_gap)
    told = refusal(lambda: replayed(panel=panel, fine=fine), ContractError)
    assert told.startswith("fine: A bar 4: the panel's is_gap is")
    assert told.endswith("use panel.rebuilt_from(fine)")


def test_finer_bars_of_another_span_step_or_symbol():
    told = refusal(lambda: replayed(fine=flat_panel("30m", 2 * BARS - 1)), DataError)
    assert "finer bars must cover the panel exactly: 12 bars from 2021-01-01T00:00:00" in told
    assert "they are 11" in told
    told = refusal(lambda: replayed(fine=flat_panel("1d", BARS)), DataError)
    assert told == "finer bars of 1d do not divide bars of 1h"
    other = replace(flat_panel("30m", 2 * BARS), symbols=("A", "C"))
    told = refusal(lambda: replayed(fine=other), DataError)
    assert told == "finer bars are of ('A', 'C'), the panel of ('A', 'B')"


@pytest.mark.parametrize("of_fine", [False, True])
def test_a_mark_on_one_side_only(of_fine: bool):
    panel, fine = flat_panel(), flat_panel("30m", 2 * BARS)
    if of_fine:
        fine = with_mark(fine)
    else:
        panel = with_mark(panel)
    told = refusal(lambda: replayed(panel=panel, fine=fine), ContractError)
    without = "panel" if of_fine else "finer bars"
    assert told == (
        f"{without}: there are no mark prices, the other panel has them: give both or none"
    )


def test_rules_of_a_symbol_that_the_panel_lacks():
    rules = {"A": SymbolRules(), "C": SymbolRules(tick_size=0.1)}
    told = refusal(lambda: replayed(symbol_rules=rules), ContractError)
    assert told == "symbol_rules: C is not a symbol of the panel ('A', 'B')"


def test_rules_of_a_symbol_that_are_no_symbol_rules():
    told = refusal(lambda: replayed(symbol_rules={"A": {"tick_size": 0.5}}), ContractError)
    assert told == "symbol_rules['A']={'tick_size': 0.5} must be a SymbolRules"
