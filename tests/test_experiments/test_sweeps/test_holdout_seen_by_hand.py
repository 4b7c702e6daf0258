"""Runs by hand that saw the locked days."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.sweeps.config import SweepConfig
from experiments.sweeps.holdout import runs_that_saw, seen_by_hand
from tests.test_experiments.test_sweeps.conftest import SweepOf

FIRST = "2021-01-25"


def run_at(runs: Path, number: int, **stated: Any) -> None:
    folder = runs / f"2024-{number:03d}"
    folder.mkdir(parents=True)
    content = {"schema_version": 3, "config_hash": str(number), "name": "any"} | stated
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def locked(sweep_of: SweepOf) -> SweepConfig:
    return sweep_of(holdout_from=FIRST)


def bars_of(config: SweepConfig) -> list[str]:
    signals = config.instruments[0].signals
    market = f"{signals.venue}/{signals.market}/{signals.symbol}"
    return [f"funding/{market}/8h/x", f"ohlcv/{market}/1h/{signals.source}"]


def test_runs_on_the_same_market_that_end_later_are_counted(locked: SweepConfig, tmp_path: Path):
    assert runs_that_saw(locked, tmp_path / "absent") == 0
    same = bars_of(locked)
    run_at(tmp_path, 0, end_time=f"{FIRST} 00:00", datasets=same)
    run_at(tmp_path, 1, end_time="2021-03-01 00:00", datasets=[same[0]])
    other_seed = same[1].rpartition("/")[0] + "/another"
    run_at(tmp_path, 2, end_time="2021-03-01 00:00", datasets=[other_seed])
    run_at(tmp_path, 3, end_time="2021-03-01 00:00", datasets=[same[1].replace("SIM/", "SIM2/")])
    assert runs_that_saw(locked, tmp_path) == 0
    run_at(tmp_path, 4, end_time=f"{FIRST} 01:00", datasets=same)
    run_at(tmp_path, 5, end_time=f"{FIRST} 01:00", datasets=same, config_hash="4")
    assert runs_that_saw(locked, tmp_path) == 1, "one configuration, twice"
    run_at(tmp_path, 6, end_time="2022-01-01 00:00", datasets=same)
    assert runs_that_saw(locked, tmp_path) == 2


def test_a_sweep_without_holdout_asks_nothing(sweep_of: SweepOf, tmp_path: Path):
    run_at(tmp_path, 0)
    assert runs_that_saw(sweep_of(), tmp_path) == 0


def test_a_coin_is_the_same_at_every_venue(sweep_of: SweepOf, tmp_path: Path):
    signals = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}
    data = {"timeframe": "1h", "instruments": [{"signals": signals}]}
    config = sweep_of(holdout_from=FIRST, base={"data": data})
    run_at(tmp_path, 0, end_time="2023-01-01 00:00", datasets=["ohlcv/okx/spot/BTCUSDT/1h/x"])
    run_at(tmp_path, 1, end_time="2023-01-01 00:00", datasets=["ohlcv/okx/spot/ETHUSDT/1h/x"])
    assert runs_that_saw(config, tmp_path) == 1


def test_the_sentence():
    assert seen_by_hand(0) == ""
    assert seen_by_hand(1).startswith(" 1 configuration was run by hand on its days: ")
    assert seen_by_hand(1200).startswith(" 1,200 configurations were run by hand on its days: ")
