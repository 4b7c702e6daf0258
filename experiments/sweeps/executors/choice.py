"""Which executor a sweep gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import ConfigError

from ...config_file import resolved
from ...market_data import MarketData
from ..config import SweepConfig
from ..evaluate import Evaluator
from ..space import Space
from .assignment import Assignment
from .dispatch import Dispatcher
from .in_process import InProcess
from .processes import ProcessCrew
from .protocol import Executor

EXECUTORS: Final = ("threads", "processes", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Where trials are evaluated; it changes the time they take and nothing else.

    ``count`` workers with ``threads`` threads each. ``executor`` is of ``EXECUTORS``; None stands for
    the threads of this process with one worker and for processes of this machine with several.
    ``address`` is that of a Ray cluster.
    """

    count: int = 1
    threads: int = 1
    executor: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        for name in ("count", "threads"):
            if getattr(self, name) < 1:
                raise ConfigError(f"workers: {name}={getattr(self, name)} must be 1 or more")
        if self.executor is not None and self.executor not in EXECUTORS:
            raise ConfigError(f"executor={self.executor!r} is none of {', '.join(EXECUTORS)}")
        if self.executor == "threads" and self.count > 1:
            raise ConfigError(
                f"executor=threads is one process, not {self.count}; state --threads {self.count}, or "
                "take processes"
            )
        if self.address is not None and self.executor != "ray":
            raise ConfigError(
                f"address={self.address!r} is that of a Ray cluster; add --executor ray"
            )

    @property
    def kind(self) -> str:
        """The executor of ``EXECUTORS`` that these have."""
        return self.executor or ("threads" if self.count == 1 else "processes")


THIS_PROCESS: Final = Workers()


def executor_of(
    workers: Workers, config: SweepConfig, space: Space, data: MarketData, store: Path
) -> Executor:
    """The executor for a sweep whose driver has loaded ``data`` from the folder ``store``.

    Workers begin with the first chunk. The caller closes it.
    """
    if workers.kind == "threads":
        return InProcess(Evaluator(space, data, threads=workers.threads))
    assignment = Assignment(
        config=resolved(config),
        store=str(store.resolve()),
        data_fingerprint=data.fingerprint,
        threads=workers.threads,
    )
    if workers.kind == "processes":
        return Dispatcher(ProcessCrew(assignment, workers.count))
    from .ray_cluster import RayCrew

    return Dispatcher(RayCrew(assignment, workers.count, workers.address))
