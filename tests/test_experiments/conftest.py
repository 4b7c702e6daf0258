from pathlib import Path

import pytest
import yaml

from datasets import Store, write_simulated
from experiments import RunConfig, RunResult, config_of, run

SYMBOLS = ("AAASIM", "BBBSIM")
SWEEP = """\
name: small
data: {simulated: {days: 40}}
sweep:
  space: {exits.stop_atr: {kind: real, low: 1, high: 2}}
"""


def small_tree() -> dict[str, object]:
    """Forty simulated days of two symbols: enough for every head to vote, quick to replay."""
    return {
        "name": "small",
        "data": {"simulated": {"symbols": list(SYMBOLS), "days": 40, "mode": "null"}},
        "consensus": {"quorum": 2},
    }


@pytest.fixture(scope="session")
def small_config() -> RunConfig:
    return config_of(small_tree())


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, small_config: RunConfig) -> Store:
    made = Store(tmp_path_factory.mktemp("store"))
    assert small_config.simulation is not None
    write_simulated(made, small_config.simulation)
    return made


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def result(small_config: RunConfig, store: Store, runs: Path) -> RunResult:
    made = run(small_config, store=store, runs=runs)
    assert made.n_trades > 10, "the fixtures need a run that trades"
    return made


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """``small_tree`` as a file of the test's own folder."""
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small_tree()), encoding="utf-8")
    return path


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    """The smallest configuration of a sweep."""
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path
