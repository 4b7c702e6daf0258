"""What a user can get wrong is told by argument, row, value and rule: arrays, rules, files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import Store
from engine import (
    BacktestError,
    ContractError,
    DataError,
    Decisions,
    Funding,
    Margin,
    Panel,
    ReplayRules,
    SymbolRules,
    replay,
)
from engine.rules import Costs
from experiments import config_of, load_targets, run
from tests.generators import random_bars

ROWS = 30


def panel() -> Panel:
    return Panel.from_bars({name: random_bars(ROWS, seed) for seed, name in enumerate(("A", "B"))})


def decisions(**changes: Any) -> Decisions:
    columns: dict[str, Any] = {
        "target": np.zeros((ROWS, 2)),
        "acts": np.ones((ROWS, 2), dtype=np.bool_),
        "atr_frac": np.full((ROWS, 2), 0.01),
    }
    return Decisions(**columns | changes)


def with_cell(value: float, row: int = 3, column: int = 1, base: float = 0.0) -> np.ndarray:
    values = np.full((ROWS, 2), base)
    values[row, column] = value
    return values


def funding(times: list[int]) -> Funding:
    count = len(times)
    return Funding(
        time_ns=np.array(times, dtype=np.int64),
        symbol_index=np.zeros(count, dtype=np.int64),
        rate=np.zeros(count),
        mark_price=np.zeros(count),
    )


def unsorted_panel() -> Panel:
    made = panel()
    open_time = made.open_time.copy()
    open_time[[4, 5]] = open_time[[5, 4]]
    return replace(made, open_time=open_time)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (
            lambda: replay(panel(), decisions_of(ROWS - 1), Funding.none(), ReplayRules()),
            ContractError,
            r"decisions.*\(29, 2\).*\(30, 2\)",
        ),
        (lambda: decisions(target=np.zeros(ROWS)), ContractError, "target"),
        (
            lambda: decisions(target=np.zeros((ROWS, 2), dtype=np.float32)),
            ContractError,
            "target.*float32",
        ),
        (lambda: decisions(acts=np.ones((ROWS, 2))), ContractError, "acts.*float64"),
        (lambda: decisions(target=with_cell(np.nan)), ContractError, r"target\[3, 1\]=nan"),
        (lambda: decisions(target=with_cell(1.5)), ContractError, r"target\[3, 1\]=1.5"),
        (
            lambda: decisions(
                target=np.ones((ROWS, 2)), atr_frac=with_cell(np.nan, 7, 0, base=0.01)
            ),
            ContractError,
            r"atr_frac\[7, 0\]=nan",
        ),
        (lambda: Costs(taker_fee_bps=-1.0), BacktestError, "costs.taker_fee_bps=-1"),
        (lambda: Margin(leverage=500.0), BacktestError, "margin.leverage=500"),
        (lambda: SymbolRules(tick_size=-1.0), BacktestError, "tick_size=-1"),
        (unsorted_panel, DataError, "open_time"),
        (lambda: funding([5, 9, 7]), ContractError, r"time_ns\[2\]=7"),
    ],
)
def test_arrays_and_rules(make: Callable[[], object], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        make()
    assert "\n" not in str(caught.value)


def decisions_of(rows: int) -> Decisions:
    return decisions().prefix(rows)


def test_symbol_rules_of_nobody_are_refused_by_the_replay() -> None:
    with pytest.raises(BacktestError, match="C"):
        replay(
            panel(), decisions(), Funding.none(), ReplayRules(), symbol_rules={"C": SymbolRules()}
        )


def test_finer_bars_that_say_otherwise_are_refused_by_the_replay() -> None:
    fine = Panel.from_bars({name: random_bars(ROWS * 4, 9, timeframe="15m") for name in ("A", "B")})
    with pytest.raises(ContractError, match=r"rebuilt_from\(fine\)"):
        replay(panel(), decisions(), Funding.none(), ReplayRules(), fine=fine)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["costs.taker_fee_bps=-1"], "-s costs.taker_fee_bps=-1: costs.taker_fee_bps=-1.0"),
        (["margin.leverage=500"], "-s margin.leverage=500: margin.leverage=500.0"),
        (
            ["limits.max_gross=50", "margin.tiers=[{notional_to: null, maintenance: 0.04, "
             "max_leverage: 20}]"],
            "-s limits.max_gross=50: limits.max_gross=50.0",
        ),
        (["sizing.position_fraction=3"], "must not exceed limits.max_gross=1.0"),
    ],
)  # fmt: skip
def test_the_same_through_a_configuration(overrides: list[str], told: str) -> None:
    with pytest.raises(BacktestError) as caught:
        config_of({"data": {"simulated": {}}}, overrides)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["2021-01-01T02:00,A,1", "2021-01-01T01:00,A,0"], "row 2: time=2021-01-01T01:00.*before"),
        (["2021-01-01T02:00,A,nan"], "row 1: target='nan'"),
        (["2021-01-01T02:00,A,3"], "row 1: target=3.0 must lie in"),
        (["2021-01-01T02:00,A,long"], "row 1: target='long'"),
    ],
)
def test_the_same_through_a_file_of_targets(tmp_path: Path, rows: list[str], told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["time,symbol,target", *rows]), encoding="utf-8")
    with pytest.raises(DataError, match=told):
        load_targets(path, panel())


def test_participation_without_volume_is_told(tmp_path: Path) -> None:
    made = replace(panel(), volume=None)
    rules = ReplayRules(costs=Costs(participation=0.1))
    with pytest.raises(ContractError, match=r"costs.participation=0.1 needs volume"):
        replay(made, decisions(), Funding.none(), rules)


def test_a_target_before_its_stop_distance_is_known_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,symbol,target\n2021-01-01T02:00,AAASIM,1\n", encoding="utf-8")
    config = config_of(
        {"data": {"simulated": {"symbols": ["AAASIM"], "days": 10}}, "targets": str(path)}
    )
    with pytest.raises(DataError, match=r"AAASIM at 2021-01-01 02:00.*average true range"):
        run(config, store=Store(tmp_path / "store"), runs=None)
