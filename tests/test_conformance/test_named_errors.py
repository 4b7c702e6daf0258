"""What a user can get wrong is told by argument, row, value and rule: arrays, rules, files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from datasets import Store
from engine import (
    BacktestError,
    ContractError,
    Costs,
    DataError,
    DecisionEvents,
    Decisions,
    FeeTier,
    Funding,
    Limits,
    Margin,
    Panel,
    ReplayRules,
    Sweep,
    SymbolRules,
    replay,
    sweep_replay,
)
from experiments import config_of, load_config, load_targets, run
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


def settlements(**changes: Any) -> Funding:
    columns: dict[str, Any] = {
        "time_ns": np.array([5, 7, 9]),
        "symbol_index": np.zeros(3, dtype=np.int64),
        "rate": np.zeros(3),
        "mark_price": np.zeros(3),
    }
    return Funding(**columns | changes)


def events(**changes: Any) -> DecisionEvents:
    """Two configurations; symbol 0 may act in the bars 0 … 7, symbol 1 in 8 … 15."""
    columns: dict[str, Any] = {
        "rows": np.arange(16),
        "offsets": np.array([0, 8, 16]),
        "actions": np.ones((2, 16), dtype=np.uint8),
        "atr_frac": np.full((ROWS, 2), 0.01),
    }
    return DecisionEvents(**columns | changes)


def changed(array: np.ndarray, cell: Any, value: float) -> np.ndarray:
    found = array.copy()
    found[cell] = value
    return found


def with_panel(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Panel:
    made = panel()
    return replace(made, **{name: change(getattr(made, name))})


def replayed(**changes: Any) -> object:
    given = {
        "panel": panel(), "decisions": decisions(), "funding": Funding.none(), "rules": ReplayRules(),
    } | changes  # fmt: skip
    return replay(**given)


def swept(decided: Any = None, rules: Any = None, **changes: Any) -> object:
    given = events() if decided is None else decided
    return sweep_replay(
        panel(), given, Funding.none(), rules or [ReplayRules(), ReplayRules()], **changes
    )


def sweep(atr_frac: Any = None, **changes: Any) -> Sweep:
    given = np.full((ROWS, 2), 0.01) if atr_frac is None else atr_frac
    return Sweep(panel(), Funding.none(), given, **changes)


def configured(text: str) -> object:
    """A configuration from a file ``run.yaml`` with ``text`` from its second line on."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(f"data: {{simulated: {{}}}}\n{text}\n", encoding="utf-8")
        return load_config(path)


FLOAT32 = np.dtype(np.float32)
SPOT = Margin(mode="none")

# What is given wrongly, where, and what the message must name: argument, and row where there is one.
REFUSED: tuple[tuple[str, str, Callable[[], object], str], ...] = (
    ("shape", "Decisions", lambda: decisions(acts=np.ones((9, 2), dtype=np.bool_)),
     r"decisions: acts has shape \(9, 2\), target has \(30, 2\)"),
    ("shape", "Decisions", lambda: decisions(target=np.zeros(ROWS)),
     "decisions: target must be a 2-dimensional float64 array; it is a 1-dimensional"),
    ("dtype", "Decisions", lambda: decisions(target=np.zeros((ROWS, 2), dtype=FLOAT32)),
     "decisions: target must be .* float32"),
    ("dtype", "Decisions", lambda: decisions(acts=np.ones((ROWS, 2))),
     "decisions: acts must be a 2-dimensional bool array; .* float64"),
    ("nan", "Decisions", lambda: decisions(target=with_cell(np.nan)),
     r"decisions: target\[3, 1\]=nan must lie in \[-1, 1\]"),
    ("nan", "Decisions", lambda: decisions(
        target=np.ones((ROWS, 2)), atr_frac=with_cell(np.nan, 7, 0, base=0.01)),
     r"decisions: atr_frac\[7, 0\]=nan must be finite and positive"),

    ("shape", "DecisionEvents", lambda: events(actions=np.ones((2, 8), dtype=np.uint8)),
     r"actions have shape \(2, 8\), expected one column for each of 16 rows"),
    ("shape", "DecisionEvents", lambda: events(rows=np.arange(8)), r"rows have shape \(8,\)"),
    ("dtype", "DecisionEvents", lambda: events(actions=np.ones((2, 16))),
     "decision events: actions must be a 2-dimensional uint8 array; .* float64"),
    ("dtype", "DecisionEvents", lambda: events(rows=np.arange(16.0)), "rows must be .* float64"),
    ("nan", "DecisionEvents", lambda: events(atr_frac=with_cell(np.nan, 9, 1, base=0.01)),
     r"atr_frac\[9, 1\]=nan must be finite and positive .* as actions\[0, 9\] does"),
    ("value", "DecisionEvents", lambda: events(
        actions=changed(np.ones((2, 16), dtype=np.uint8), (1, 4), 3)),
     r"actions\[1, 4\]=3 \(bar 4\) must be 0, 1, 2 or 4"),
    ("time", "DecisionEvents", lambda: events(rows=changed(np.arange(16), 12, 2)),
     r"rows\[12\]=2 of symbol 1 lies before the row above"),
    ("value", "DecisionEvents", lambda: events(rows=changed(np.arange(16), 15, ROWS)),
     r"rows\[15\]=30 of symbol 1 must lie in \[0, 30\)"),

    ("shape", "Funding", lambda: settlements(rate=np.zeros(2)),
     r"funding: rate has shape \(2,\), time_ns has \(3,\)"),
    ("dtype", "Funding", lambda: settlements(time_ns=np.array([5.0, 7.0, 9.0])),
     "funding: time_ns must be a 1-dimensional int64 array; .* float64"),
    ("nan", "Funding", lambda: settlements(rate=np.array([0.0, np.nan, 0.0])),
     r"funding: rate\[1\]=nan must be finite"),
    ("time", "Funding", lambda: settlements(time_ns=np.array([5, 9, 7])),
     r"funding: time_ns\[2\]=7 lies before the row above"),

    ("shape", "Panel", lambda: with_panel("close", lambda close: close[:-1]),
     r"panel: close has shape \(29, 2\), expected \(30, 2\)"),
    ("dtype", "Panel", lambda: with_panel("close", lambda close: close.astype(FLOAT32)),
     "panel: close must be a float64 array, it is float32"),
    ("nan", "Panel", lambda: with_panel("close", lambda close: changed(close, (4, 1), np.nan)),
     "panel: B bar 4: prices must be finite and positive .* close=nan"),
    ("time", "Panel", lambda: with_panel("open_time", lambda time: changed(time, 5, time[4])),
     r"panel: open_time\[5\]=.* must lie 1h after the row above"),

    ("shape", "replay", lambda: replayed(decisions=decisions_of(ROWS - 1)),
     r"decisions have shape \(29, 2\), the panel has \(30, 2\)"),
    ("dtype", "replay", lambda: replayed(decisions=np.zeros((ROWS, 2))),
     "decisions must be of type Decisions, not ndarray"),
    ("dtype", "replay", lambda: replayed(funding=None), "funding must be of type Funding, not None"),
    ("dtype", "replay", lambda: replayed(rules={"stop_atr": 2}), "rules must be of type ReplayRules"),

    ("shape", "Sweep", lambda: sweep(np.full((ROWS, 3), 0.01)), r"atr_frac has shape \(30, 3\)"),
    ("dtype", "Sweep", lambda: sweep(np.full((ROWS, 2), 0.01, dtype=FLOAT32)),
     "sweep: atr_frac must be .* float32"),
    ("dtype", "Sweep", lambda: sweep(edges=np.array([0.0, 30.0])), "edges must be .* float64"),
    ("time", "Sweep", lambda: sweep(edges=np.array([0, 20, 10])), r"edges\[2\]=10 must not lie before"),

    ("shape", "sweep_replay", lambda: swept(events(atr_frac=np.full((40, 2), 0.01))),
     r"atr_frac has shape \(40, 2\), the panel has \(30, 2\)"),
    ("shape", "sweep_replay", lambda: swept(rules=[ReplayRules()]),
     "decision events of 2 configurations for 1 rules"),
    ("dtype", "sweep_replay", lambda: swept(decisions()),
     "decisions must be of type DecisionEvents, not Decisions"),
    ("dtype", "sweep_replay", lambda: swept(rules=[ReplayRules(), Costs()]),
     r"rules\[1\] must be of type ReplayRules, not Costs"),
    ("time", "sweep_replay", lambda: swept(edges=np.array([9, 3])), r"edges\[1\]=3 must not lie before"),

    ("nan", "rules", lambda: Costs(taker_fee_bps=np.nan), "costs.taker_fee_bps=nan must lie in"),
    ("fee", "rules", lambda: Costs(taker_fee_bps=-1.0), "costs.taker_fee_bps=-1.0 must lie in"),
    ("fee", "rules", lambda: Margin(liquidation_fee_bps=-1.0), "margin.liquidation_fee_bps=-1.0"),
    ("fee", "rules", lambda: Costs(fee_tiers=(
        FeeTier(volume_from=1.0, maker_fee_bps=1.0, taker_fee_bps=-4.0),)),
     r"costs.fee_tiers\[0\].taker_fee_bps=-4.0"),
    ("leverage", "rules", lambda: Margin(leverage=500.0), "margin.leverage=500.0 must lie in"),
    ("leverage", "rules", lambda: ReplayRules(limits=Limits(max_gross=2.0), margin=SPOT),
     "limits.max_gross=2.0 must not exceed 1 with margin.mode=none: a spot account cannot borrow"),
    ("leverage", "rules", lambda: ReplayRules(limits=Limits(max_gross=126.0)), "limits.max_gross=126"),
    ("value", "rules", lambda: SymbolRules(tick_size=-1.0), "symbol_rules.tick_size=-1.0"),

    ("nan", "config file", lambda: configured("sizing: {position_fraction: .nan}"),
     "run.yaml:2: sizing.position_fraction=nan must be a finite number"),
    ("fee", "config file", lambda: configured("costs:\n  taker_fee_bps: -1"),
     "run.yaml:3: costs.taker_fee_bps=-1.0 must lie in"),
    ("leverage", "config file", lambda: configured("margin:\n  leverage: 500"),
     "run.yaml:3: margin.leverage=500.0 must lie in"),
    ("leverage", "config file", lambda: configured("margin: {mode: none}\nlimits: {max_gross: 3}"),
     "run.yaml:3: limits.max_gross=3.0 must not exceed 1 with margin.mode=none"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("make", "told"),
    [row[2:] for row in REFUSED],
    ids=[f"{fault} in {where} {number}" for number, (fault, where, *_) in enumerate(REFUSED)],
)
def test_what_is_given_wrongly_is_told_by_argument_and_row(
    make: Callable[[], object], told: str
) -> None:
    with pytest.raises(BacktestError, match=told) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_table_shows_every_fault_wherever_it_can_be_made() -> None:
    shown = {(fault, where) for fault, where, *_ in REFUSED}
    arrays = ("Decisions", "DecisionEvents", "Funding", "Panel")
    assert shown >= {(fault, where) for fault in ("shape", "dtype", "nan") for where in arrays}
    calls = ("replay", "Sweep", "sweep_replay")
    assert shown >= {(fault, where) for fault in ("shape", "dtype") for where in calls}
    timed = ("DecisionEvents", "Funding", "Panel", "Sweep", "sweep_replay")
    assert shown >= {("time", where) for where in timed}
    rules = ("rules", "config file")
    assert shown >= {(fault, where) for fault in ("nan", "fee", "leverage") for where in rules}


def test_what_the_table_changes_is_accepted_unchanged() -> None:
    replayed()
    swept()
    sweep()
    settlements()
    configured("margin: {mode: none}")


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
