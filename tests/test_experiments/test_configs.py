"""The configurations that people start from: each says what it is, and each runs, made small."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datasets import Store, import_files
from engine import ConfigError
from experiments import config_of, load_config, load_run, run
from experiments.cli import main
from experiments.config_file import is_trial, resolved, trial_hash
from experiments.sweeps.config import load_sweep_config, sweep_config_of
from experiments.sweeps.space import space_of

CONFIGS = Path(__file__).resolve().parents[2] / "experiments" / "configs"
SMALL_MARKET = ("data.simulated.days=60",)
SMALL_SWEEPS = {
    "weights_sweep": (
        "sweep.holdout_from=2021-02-20", "sweep.constraints=[]", "sweep.screen.batch=32",
    ),
    "walk_forward": (
        "sweep.holdout_from=2021-02-20", "sweep.constraints=[]", "sweep.screen.batch=32",
    ),
    "cost_stress": ("sweep.screen.batch=32",),
}  # fmt: skip
ORIGIN = {"sweep": "some-0123", "trial": 4, "trial_hash": "0" * 64}
COINS = ("BTCUSDT", "ETHUSDT", "SHIBUSDT", "FTTUSDT", "KEEPUSDT", "BTTUSDT")


def options(*overrides: str) -> list[str]:
    return [part for override in overrides for part in ("-s", override)]


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    told = capsys.readouterr()
    assert code == 0, told.err
    found: dict[str, Any] = json.loads(told.out)
    return found


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all simulated markets of this file."""
    return tmp_path_factory.mktemp("markets")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_head_comment_says_what_it_is(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    assert len(head) >= 2
    assert all(len(line) <= 132 for line in lines)


@pytest.mark.parametrize("name", SMALL_SWEEPS)
def test_a_sweep_runs_and_its_best_written_out_is_the_ledger_s(
    name: str, markets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    where = ["--store", markets, "--runs", tmp_path / "runs"]
    searched = load_sweep_config(CONFIGS / f"{name}.yaml").sweep.search.trials > 0
    small = options(
        *SMALL_MARKET, "sweep.screen.trials=32", *SMALL_SWEEPS[name],
        f"sweep.search.trials={16 * searched}", "sweep.search.batch=16",
        "sweep.search.neighbours=0",
    )  # fmt: skip
    told = called(capsys, "sweep", "run", CONFIGS / f"{name}.yaml", *where, *small)
    assert told["trials"] == 32 + 16 * searched
    out = tmp_path / "best.yaml"
    best = called(capsys, "sweep", "top", "--out", out, *where[2:])["trials"][0]
    alone = called(capsys, "run", out, *where)
    both = set(best["metrics"]) & set(alone["metrics"])
    assert {"sharpe", "total_return", "trades", "fees", "max_drawdown"} <= both
    assert {key: alone["metrics"][key] for key in both} == {
        key: best["metrics"][key] for key in both
    }
    config = load_run(alone["run_dir"]).content["config"]
    chosen = {"sweep": told["sweep_id"], "trial": best["trial"], "trial_hash": trial_hash(config)}
    assert config["origin"] == chosen
    assert is_trial(resolved(load_config(out, ["data.start=2021-01-02", "name=other"])))
    assert not is_trial(resolved(load_config(out, ["initial_cash=100001"])))
    main(["runs", "show", alone["run_dir"]])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"CHOSEN: trial {best['trial']} of the sweep {told['sweep_id']}" in shown
    verified = called(capsys, "runs", "verify", alone["run_dir"], *where)
    assert verified["passed"]


def test_costs_alone_are_searched_by_the_cost_stress():
    config = load_sweep_config(CONFIGS / "cost_stress.yaml")
    assert {path.partition(".")[0] for path in config.sweep.space} == {"costs"}


def test_the_origin_is_checked_and_cannot_be_searched():
    base = resolved(load_config(CONFIGS / "quickstart.yaml"))
    named = {**base, "origin": ORIGIN}
    for wrong in (
        {**ORIGIN, "sweep": "a b"}, {**ORIGIN, "trial": -1}, {**ORIGIN, "trial_hash": "ABC"},
        *({key: ORIGIN[key] for key in ORIGIN if key != absent} for absent in ORIGIN),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match="origin"):
            config_of({**base, "origin": wrong})
    searched = {"space": {"origin.trial": {"kind": "whole", "low": 1, "high": 4}}}
    with pytest.raises(
        ConfigError, match=r"sweep\.space\.origin\.trial: origin cannot be searched"
    ):
        space_of(sweep_config_of({**named, "sweep": searched}))


def test_origin_changes_no_number(markets: Path):
    base = load_config(CONFIGS / "quickstart.yaml", SMALL_MARKET)
    named = config_of({**resolved(base), "origin": ORIGIN})
    first, second = (run(one, store=markets, runs=None) for one in (base, named))
    assert dict(first.metrics) == pytest.approx(dict(second.metrics), rel=0, abs=0, nan_ok=True)
    assert first.replay.equity.tobytes() == second.replay.equity.tobytes()
    assert first.config_hash != second.config_hash


def test_the_walk_forward_is_validated(
    markets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    where = ["--store", markets, "--runs", tmp_path / "runs"]
    small = options(
        *SMALL_MARKET, *SMALL_SWEEPS["walk_forward"], "sweep.screen.trials=32",
        "sweep.search.trials=0", "sweep.holdout_from=null",
    )  # fmt: skip
    told = called(capsys, "sweep", "run", CONFIGS / "walk_forward.yaml", *where, *small)
    few = ["--shifts", 19, "--trials", 32, "--permutations", 2]
    found = called(capsys, "validate", told["sweep_id"], *where, *few)
    assert "walk_forward_efficiency" in json.dumps(found)
    assert found["permuted_bars"]["permutations"] == 2


def test_the_ablation_has_a_row_for_each_head(markets: Path, capsys: pytest.CaptureFixture[str]):
    small = options(*SMALL_MARKET)
    found = called(capsys, "ablate", CONFIGS / "ablation.yaml", "--store", markets, *small)
    assert len(found["runs"]) == 1 + 2 * 9
    assert found["runs"][0]["metrics"]["trades"] > 0


def test_the_universe_names_thirty_coins_on_one_account():
    config = load_config(CONFIGS / "universe_30_1h.yaml")
    assert len({pair.symbol for pair in config.instruments}) == 30
    assert config.limits.max_gross == 1.0


@pytest.mark.real
def test_the_universe_runs_and_says_which_heads_abstain(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    store = Store(tmp_path / "store")
    import_files(store, [real_data / "klines" / "binance_spot_ohlcv_1h_universe.parquet"])
    tree = yaml.safe_load((CONFIGS / "universe_30_1h.yaml").read_text(encoding="utf-8"))
    keys = store.keys()
    stored = {str(key).split("/")[3] for key in keys}
    assert {one["signals"]["symbol"] for one in tree["data"]["instruments"]} <= stored
    tree["data"]["instruments"] = [
        one for one in tree["data"]["instruments"] if one["signals"]["symbol"] in COINS
    ]
    tree["data"] |= {"start": "2021-10-01", "end": "2022-01-31"}
    path = tmp_path / "universe.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    told = called(capsys, "run", path, "--store", store.root, "--runs", tmp_path / "runs")
    assert told["n_trades"] > 10
    notes = " | ".join(told["notes"])
    assert "crypto metrics has no data on any bar of all 6 symbols and abstains" in notes
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert "crypto metrics has no data on any bar of all 6 symbols and abstains" in page
    equity = load_run(told["run_dir"]).table("equity")
    gross = equity["gross_exposure"].to_numpy() / equity["equity"].to_numpy()
    assert 0.1 < gross.max() < 1.2
