"""Six years of BTCUSDT: the shipped configuration on the real files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import experiments
from datasets import Store, import_files
from experiments import RunResult, load_config, run
from strategies import HEAD_NAMES, WEIGHTS, ConsensusRules, consensus, decide
from strategies.consensus import SPACE
from tests.oracles.replay import disagreements, replay_oracle
from tests.test_experiments.test_run_against_oracle import file_columns

pytestmark = pytest.mark.real

CONFIG = Path(experiments.__file__).parent / "configs" / "btc_1h.yaml"
FILES = (
    "klines/binance_spot_klines12_1h.parquet",
    "klines/binance_spot_and_perp_1h_2019_2022.parquet",
    "derivatives/funding_8h_history.parquet",
)


@pytest.fixture(scope="module")
def store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("real_store"))
    import_files(made, [real_data / name for name in FILES])
    assert made.verify() == ()
    return made


@pytest.fixture(scope="module")
def result(store: Store, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(load_config(CONFIG), store=store, runs=tmp_path_factory.mktemp("runs"))


def test_six_years_are_replayed_with_every_missing_bar_marked(result: RunResult):
    assert len(result.panel) == 6 * 365 * 24 + 24
    assert result.panel.is_gap.sum() > 0
    assert result.n_trades > 100


def test_at_least_seven_heads_vote_at_some_time(result: RunResult):
    frame = pd.read_parquet(result.run_dir / "votes.parquet")
    voting = [name for name in HEAD_NAMES if (frame[f"{name}_direction"] != 0).any()]
    assert len(voting) >= 7


def test_nothing_fills_on_a_missing_bar(result: RunResult):
    fills = result.replay.fills
    on_gap = result.panel.is_gap[fills["bar"], fills["symbol"]]
    assert not on_gap[fills["phase"] != 2].any()


@pytest.mark.parametrize("name", ["fills", "orders", "payments", "trades", "equity"])
def test_the_files_are_those_of_the_oracle(result: RunResult, name: str):
    expected = replay_oracle(
        result.panel, result.decisions, result.data.funding, result.config.rules()
    )
    columns = file_columns(result, name)
    columns.pop("buy_and_hold", None)
    assert disagreements(expected, {name: columns}) == []


def test_the_same_run_writes_the_same_bytes(result: RunResult, store: Store, tmp_path: Path):
    again = run(load_config(CONFIG), store=store, runs=tmp_path)
    for name in (
        "equity",
        "fills",
        "orders",
        "trades",
        "payments",
        "votes",
        "zones",
        "leave_one_out",
    ):
        first = (result.run_dir / f"{name}.parquet").read_bytes()
        assert first == (again.run_dir / f"{name}.parquet").read_bytes(), name


def test_prices_come_from_the_perpetual_exactly_while_the_store_has_its_bars(result: RunResult):
    pieces = result.data.prices["BTCUSDT"].pieces()
    dates = [str(np.datetime64(piece.start_ns, "ns").astype("datetime64[h]")) for piece in pieces]
    assert dates == ["2018-01-01T00", "2019-09-08T19", "2022-11-14T09"]
    assert ["um_perp" in str(piece.instrument) for piece in pieces] == [False, True, False]


@pytest.mark.parametrize("name", sorted(SPACE))
def test_every_threshold_offered_to_a_search_changes_decisions(result: RunResult, name: str):
    votes = result.votes["BTCUSDT"]
    default = decisions_of(result, ConsensusRules())
    bounds = SPACE[name]
    changed = [
        decisions_of(result, ConsensusRules(**{name: int(value) if bounds.integer else value}))
        for value in (bounds.low, bounds.high)
    ]
    assert len(votes) == len(default)
    assert any((other != default).any() for other in changed)


@pytest.mark.parametrize("name", HEAD_NAMES)
def test_every_weight_changes_decisions_once_a_gate_weighs(result: RunResult, name: str):
    gates = {"weight_min": 0.45, "score_min": 0.1, "quorum": 3}
    default = decisions_of(result, ConsensusRules(**gates))
    doubled = {**WEIGHTS, name: 2 * WEIGHTS[name]}
    assert (decisions_of(result, ConsensusRules(weights=doubled, **gates)) != default).any()


def decisions_of(result: RunResult, rules: ConsensusRules) -> np.ndarray:
    """Targets of the acting rows, 9 on the others, ``(T,)``."""
    opinion = consensus(result.votes["BTCUSDT"], rules)
    target, acts = decide(opinion.direction, result.data.markets["BTCUSDT"].bars.is_gap)
    return np.where(acts, target, 9.0)
