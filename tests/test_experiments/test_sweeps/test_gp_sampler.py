"""The sampler by Gaussian processes: an extra that is asked for by name, else like the others."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import experiments.sweeps.search as search_module
from datasets import Store
from engine import ConfigError
from experiments.sweeps.run import run_sweep

from .conftest import SweepOf

GP = {"sampler": "gp", "trials": 64, "batch": 32, "seeds": 16}
SMALL = {
    "consensus.quorum": {"kind": "whole", "low": 1, "high": 4},
    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.7},
    "consensus.hold_bars": {"kind": "choice", "values": [None, 12, 48]},
}
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra ninefold[gp]"
)


def points_and_numbers(ledger: Any) -> list[tuple[Any, ...]]:
    names = ("trial", "coordinates", "score", "state")
    return [tuple(row[name] for name in names) for row in ledger.trials().to_pylist()]


def test_without_torch_the_extra_is_named_before_the_first_trial(
    sweep_of: SweepOf, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"sampler=gp needs torch.*'ninefold\[gp\]'.*take tpe"):
        run_sweep(sweep_of(search=GP), store=store, runs=tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))
    # A screen alone asks no sampler.
    screen = sweep_of(search={**GP, "trials": 0})
    assert run_sweep(screen, store=store, runs=tmp_path).is_finished


@needs_torch
@pytest.mark.parametrize(
    ("objectives", "trials"), [(("sharpe",), 64), (("sharpe", "max_drawdown"), 16)]
)
def test_a_resumed_sweep_is_the_undisturbed_one(
    sweep_of: SweepOf, store: Store, tmp_path: Path, objectives: tuple[str, ...], trials: int
) -> None:
    config = sweep_of(
        space=SMALL,
        objectives=[{"metric": name} for name in objectives],
        constraints=[{"metric": "trades", "at_least": 5}],
        search={**GP, "trials": trials, "batch": trials // 2},
    )
    whole = run_sweep(config, store=store, runs=tmp_path / "whole")
    # The screen has two batches: this one stops between the two of the search.
    left = [3]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    stopped = run_sweep(config, store=store, runs=tmp_path / "resumed", should_stop=should_stop)
    assert not stopped.is_finished
    assert stopped.ledger.count == 16 + trials // 2
    resumed = run_sweep(config, store=store, runs=tmp_path / "resumed")
    assert resumed.is_finished
    found = points_and_numbers(whole.ledger)
    assert repr(points_and_numbers(resumed.ledger)) == repr(found)
    # A sampler that repeats itself has lost its place; where it is sure, it asks a corner again.
    assert len({tuple(point) for _, point, _, _ in found}) > 16 + trials // 4


@needs_torch
def test_what_is_undefined_or_infeasible_is_told_too(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    """Trials without a trade have no Sharpe ratio, and nobody makes so many trades."""
    config = sweep_of(
        space={
            "consensus.quorum": {"kind": "whole", "low": 1, "high": 9},
            "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.9},
        },
        constraints=[{"metric": "trades", "at_least": 100_000}],
        search={**GP, "trials": 4, "batch": 4},
    )
    rows = run_sweep(config, store=store, runs=tmp_path).ledger.trials().to_pylist()
    assert {row["state"] for row in rows} == {"infeasible"}
    assert [None] in [row["score"] for row in rows]
