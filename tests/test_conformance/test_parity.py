"""A sweep's numbers are those of single runs, and whatever is not would be seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import Store
from engine import ConfigError, DecisionEvents
from engine._replay.bare import BareReplay
from engine.sweep import SweepResult
from experiments import RunConfig, check_parity, config_of
from experiments.checks import parity as parity_module
from experiments.checks.parity import ParityReport
from experiments.checks.parity_samples import sampled_configs
from experiments.cli import main

SAMPLES = 24


def tree(**sections: Any) -> dict[str, Any]:
    simulated = {"symbols": ["AAASIM", "BBBSIM"], "days": 60, "mode": "null"}
    data = {"simulated": simulated, **sections.pop("data", {})}
    return {"name": "parity", "data": data, "consensus": {"quorum": 2}, **sections}


CONFIGS: dict[str, dict[str, Any]] = {
    "hours": tree(),
    "leverage": tree(
        sizing={"position_fraction": 4.0},
        limits={"max_gross": 12.0},
        exits={"stop_atr": None},
        margin={"tiers": [{"notional_to": None, "maintenance": 0.05, "max_leverage": 20.0}]},
    ),
    "minutes": tree(data={"fine_timeframe": "5m"}, exits={"take_profit_r": 1.0}),
    "resting entries sized by volatility": tree(
        data={"fine_timeframe": "5m"},
        entry={"kind": "limit", "offset_atr": 0.5},
        exits={"limit_bars": 4},
        sizing={"method": "volatility"},
        measures={"volatility_bars": 200},
    ),
    "ticks and lots": tree(
        symbol_rules={
            "AAASIM": {"tick_size": 0.01, "lot_step": 0.1, "min_notional": 10.0, "sector": "x"}
        }
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("parity_store"))


def told(report: ParityReport) -> list[str]:
    return [
        f"{row.configuration}: {row.difference} {' '.join(f'-s {one}' for one in row.overrides)}"
        for row in report.rows
        if row.difference is not None
    ]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_sweep_says_what_single_runs_say(
    name: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = []

    class Counted(BareReplay):
        def run(self, *arguments: Any) -> Any:
            one_by_one.append(arguments)
            return super().run(*arguments)

    monkeypatch.setattr("engine.sweep.BareReplay", Counted)
    report = check_parity(config_of(CONFIGS[name]), store, samples=SAMPLES, seed=3)
    assert told(report) == []
    assert report.passed
    assert len(report.rows) == SAMPLES
    assert sum(row.trades for row in report.rows) > 10 * SAMPLES
    assert min(row.compared for row in report.rows) > 50
    # Both ways of the sweep were taken: its own kernel, and the loop for what that does not know.
    knows_none = not {"symbol_rules", "entry"}.isdisjoint(CONFIGS[name])
    assert len(one_by_one) == SAMPLES if knows_none else 5 <= len(one_by_one) <= SAMPLES - 5


def test_samples_reach_every_section_and_begin_with_the_given_one() -> None:
    config = config_of(CONFIGS["hours"])
    drawn = sampled_configs(config, 200, 1)
    assert drawn[0] == (config, [])
    assert drawn == sampled_configs(config, 200, 1)
    assert drawn[1:] != sampled_configs(config, 200, 2)[1:]
    for one, overrides in drawn:
        assert config_of(CONFIGS["hours"], overrides) == one
    rules = [one.rules() for one, _ in drawn]
    found: dict[str, set[Any]] = {}
    for one in rules:
        for section in ("costs", "exits", "sizing", "limits", "margin"):
            part = getattr(one, section)
            for key in type(part).__dataclass_fields__:
                found.setdefault(f"{section}.{key}", set()).add(getattr(part, key))
    fixed = {key for key, values in found.items() if len(values) == 1}
    assert fixed == {"sizing.kelly_max", "limits.correlation_bars"}
    assert {one.entry.kind for one, _ in drawn} == {"market", "limit", "stop"}


def spoiled(change: Callable[[SweepResult], SweepResult]) -> Callable[..., SweepResult]:
    """A sweep whose answer is changed."""
    sweep_replay = parity_module.sweep_replay

    def sweep(*arguments: Any, **keywords: Any) -> SweepResult:
        return change(sweep_replay(*arguments, **keywords))

    return sweep


def with_total(name: str) -> Callable[[SweepResult], SweepResult]:
    def change(result: SweepResult) -> SweepResult:
        totals = result.totals.copy()
        value = totals[name][2]
        totals[name][2] = value + 1 if totals.dtype[name].kind == "i" else np.nextafter(value, 9e9)
        return replace(result, totals=totals)

    return change


def with_sum(result: SweepResult) -> SweepResult:
    sums = result.sums.copy()
    sums[2, 3, 1] = np.nextafter(sums[2, 3, 1], 1.0)
    return replace(result, sums=sums)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (with_total("fees"), "totals.fees"),
        (with_total("final_equity"), "totals.final_equity"),
        (with_total("trades"), "totals.trades"),
        (with_total("ruined_bar"), "totals.ruined_bar"),
        (with_sum, "sums[3, 1]"),
    ],
)
def test_the_last_bit_of_a_number_is_enough(
    store: Store, monkeypatch: pytest.MonkeyPatch, change: Any, told: str
) -> None:
    monkeypatch.setattr(parity_module, "sweep_replay", spoiled(change))
    report = check_parity(config_of(CONFIGS["hours"]), store, samples=4)
    assert not report.passed
    first = report.first_difference
    assert first is not None
    assert first.configuration == 2
    assert str(first.difference).startswith(f"{told}: the sweep says ")


def test_another_decision_is_told_as_such(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_events = parity_module.sweep_events

    def changed(configs: list[RunConfig], *rest: Any) -> DecisionEvents:
        events = sweep_events(configs, *rest)
        actions = events.actions.copy()
        actions[1, np.flatnonzero(actions[1])[0]] = 0
        return replace(events, actions=actions)

    monkeypatch.setattr(parity_module, "sweep_events", changed)
    first = check_parity(config_of(CONFIGS["hours"]), store, samples=3).first_difference
    assert first is not None
    assert first.configuration == 1
    assert "the sweep decides nothing, the run" in str(first.difference)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda orders: {"offset_atr": orders.offset_atr + 1e-9}, "order_price"),
        (lambda orders: {"kind": np.where(orders.kind == 1, 2, 1).astype(np.int8)}, "order_kind"),
        (lambda orders: {"volatility": 1.001 * orders.volatility}, "volatility"),
    ],
)
def test_another_order_is_told_as_such(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Any], dict[str, Any]],
    told: str,
) -> None:
    sweep_events = parity_module.sweep_events

    def changed(configs: list[RunConfig], *rest: Any) -> DecisionEvents:
        events = sweep_events(configs, *rest)
        assert events.orders is not None
        return replace(events, orders=replace(events.orders, **change(events.orders)))

    monkeypatch.setattr(parity_module, "sweep_events", changed)
    config = config_of(CONFIGS["resting entries sized by volatility"])
    first = check_parity(config, store, samples=1).first_difference
    assert first is not None
    assert str(first.difference).startswith(f"decisions.{told} of the entries")


def test_what_a_sweep_does_not_decide_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="leave targets out"):
        check_parity(config_of(tree(targets="a.csv")), store)


def test_the_command_prints_a_row_each_and_fails_with_the_first_difference(
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "parity.yaml"
    path.write_text(
        "name: parity\ndata: {simulated: {symbols: [AAASIM, BBBSIM], days: 60, mode: 'null'}}\n"
        "consensus: {quorum: 2}\n",
        encoding="utf-8",
    )
    command = ["check", "parity", str(path), "--store", str(store.root), "--samples", "4"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.count("equal") >= 5
    assert "numbers equal to the last bit" in out
    monkeypatch.setattr(parity_module, "sweep_replay", spoiled(with_total("fees")))
    assert main(command) == 1
    out = capsys.readouterr().out
    assert "FAILED configuration 2: totals.fees: the sweep says" in " ".join(out.split())
    assert "-s exits.stop_atr=" in out
