"""Real processes and a real Ray: the ledgers are equal to the last bit, and workers may be killed."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from datasets import Store
from engine import ConfigError, DataError, SourceError
from experiments.config_file import resolved
from experiments.market_data import MarketData
from experiments.sweeps.config import SweepConfig
from experiments.sweeps.executors import Workers, evaluated_by, executor_of
from experiments.sweeps.executors.assignment import Assignment
from experiments.sweeps.executors.dispatch import Dispatcher, Ready
from experiments.sweeps.executors.processes import ProcessCrew
from experiments.sweeps.executors.ray_cluster import RayCrew
from experiments.sweeps.run import SweepProgress, run_sweep
from experiments.sweeps.space import space_of

from .conftest import SPACE, SweepOf

SECONDS_UNTIL_KILLED = 0.3
HEADS: dict[str, Any] = {
    "heads.technical.adx_length": {"kind": "whole", "low": 10, "high": 12},
    "exits.take_profit_atr": {"kind": "real", "low": 0.5, "high": 4.0},
}


def config_of(sweep_of: SweepOf) -> SweepConfig:
    return sweep_of(
        space={**SPACE, **HEADS},
        screen={"trials": 64, "batch": 32},
        search={"trials": 16, "batch": 8, "seeds": 16, "neighbours": 2},
    )


@pytest.fixture(scope="module")
def alone(sweep_of: SweepOf, store: Store, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The trials of the sweep in one process, on one thread."""
    runs = tmp_path_factory.mktemp("alone")
    trials = run_sweep(config_of(sweep_of), store=store, runs=runs).ledger.trials()
    assert set(trials["state"].to_pylist()) == {"complete"}
    return trials


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """A Ray of two processors that outlives the executors, as a cluster does."""
    import ray

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def assignment_of(config: SweepConfig, store: Path, fingerprint: str) -> Assignment:
    return Assignment(
        config=resolved(config), store=str(store), data_fingerprint=fingerprint, threads=1
    )


def same(one: pa.Table, other: pa.Table) -> bool:
    """Equal to the last bit, NaN equal to itself."""
    return one.schema == other.schema and all(
        repr(one[name].to_pylist()) == repr(other[name].to_pylist()) for name in one.column_names
    )


@dataclass
class Killer:
    """Watches a sweep and kills the first of its workers: at work after one batch, idle after two."""

    dispatchers: list[Dispatcher] = field(default_factory=list)
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def watch(self, _: SweepProgress) -> None:
        crew = self.dispatchers[0].crew
        assert isinstance(crew, ProcessCrew | RayCrew)
        self.seen.append(crew.process_ids())
        first, *others = self.seen[-1]
        if len(self.seen) == 1:
            # Workers that stand still take a chunk each; one is killed with it.
            for process in (first, *others):
                os.kill(process, signal.SIGSTOP)
            threading.Timer(SECONDS_UNTIL_KILLED, kill, (first, others)).start()
        elif len(self.seen) == 2:
            kill(first, [])


def kill(victim: int, others: Sequence[int]) -> None:
    """End one process without notice and let others go on."""
    os.kill(victim, signal.SIGKILL)
    for process in others:
        os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize(("executor", "retries"), [("processes", 1), ("ray", 2)])
def test_a_sweep_is_the_same_whoever_evaluates_it_and_dies(
    executor: str,
    retries: int,
    alone: pa.Table,
    sweep_of: SweepOf,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killer = Killer()

    def known(*given: Any) -> Dispatcher:
        made = executor_of(*given)
        assert isinstance(made, Dispatcher)
        killer.dispatchers.append(made)
        return made

    monkeypatch.setattr("experiments.sweeps.run.executor_of", known)
    outcome = run_sweep(
        config_of(sweep_of),
        store=store,
        runs=tmp_path,
        workers=Workers(count=2, executor=executor),
        watch=killer.watch,
    )
    firsts, seconds = zip(*killer.seen, strict=True)
    assert len(set(firsts[:3])) == 3
    assert len(set(seconds)) == 1
    # Ray hears of the death of an idle worker by the chunk that it is given.
    assert outcome.retries == retries
    assert same(alone, outcome.ledger.trials())


def test_threads_change_nothing(
    alone: pa.Table, sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    outcome = run_sweep(config_of(sweep_of), store=store, runs=tmp_path, workers=Workers(threads=2))
    assert same(alone, outcome.ledger.trials())


@pytest.mark.parametrize(
    ("kind", "store_name", "message"),
    [
        ("processes", "", f"the driver loaded {'0' * 64}"),
        ("processes", "elsewhere", "no store here"),
        ("ray", "", f"the driver loaded {'0' * 64}"),
    ],
)
def test_a_worker_that_finds_other_data_says_so(
    kind: str,
    store_name: str,
    message: str,
    request: pytest.FixtureRequest,
    sweep_of: SweepOf,
    store: Store,
) -> None:
    config = sweep_of()
    assignment = assignment_of(config, store.root / store_name, "0" * 64)
    if kind == "ray":
        request.getfixturevalue("ray_here")
    crew = (ProcessCrew if kind == "processes" else RayCrew)(assignment, 1)
    with closing(Dispatcher(crew)) as dispatcher, pytest.raises(DataError, match=message):
        evaluated_by(dispatcher, [space_of(config).values([0.5] * len(space_of(config)))])


def test_workers_end_with_their_driver(
    sweep_of: SweepOf, store: Store, market_data: MarketData
) -> None:
    crew = ProcessCrew(assignment_of(sweep_of(), store.root, market_data.fingerprint), 1)
    crew.begin(0)
    assert crew.hear() == [Ready(0)]
    worker = crew._workers[0]
    worker.connection.close()  # all that a driver does which is killed
    assert worker.process.wait(20) == 0


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"count": 0}, "count=0 must be 1 or more"),
        ({"threads": 0}, "threads=0 must be 1 or more"),
        ({"executor": "dask"}, "'dask' is none of threads, processes, ray"),
        ({"executor": "threads", "count": 3}, "state --threads 3"),
        ({"address": "there:6379"}, "add --executor ray"),
    ],
)
def test_workers_that_cannot_be(stated: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Workers(**stated)


def test_ray_is_asked_for_by_its_extra(
    sweep_of: SweepOf, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'ninefold\[cluster\]'"):
        run_sweep(sweep_of(), store=store, runs=tmp_path, workers=Workers(executor="ray"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nobody"])
def test_an_address_without_a_cluster_is_told_at_once(
    address: str, sweep_of: SweepOf, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray itself would try for minutes."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    workers = Workers(executor="ray", address=address)
    with pytest.raises(SourceError, match=f"can be reached at {address} .*HOST:PORT"):
        run_sweep(sweep_of(), store=store, runs=tmp_path, workers=workers)


def test_a_ray_of_ones_own_joins_no_other_of_this_machine(
    sweep_of: SweepOf, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an address Ray would take one that `ray start` began, and refuse ``num_cpus``."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", lambda **stated: asked.update(stated))
    RayCrew(assignment_of(sweep_of(), store.root, "0" * 64), 2)._connect()
    assert (asked["address"], asked["num_cpus"]) == ("local", 2)
