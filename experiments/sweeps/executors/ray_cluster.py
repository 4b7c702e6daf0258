"""Evaluating on a Ray cluster, or on a Ray of this machine's own; the extra ``ninefold[cluster]``."""

import logging
import os
import socket
from collections.abc import Sequence
from typing import Any

from engine import BacktestError, ConfigError, SourceError

from ..evaluate import Evaluated, Evaluator
from .assignment import Assignment
from .dispatch import Answer, Lost, Ready, Refused, Report
from .protocol import Values

SECONDS_TO_ANSWER = 10.0
"""Within which a cluster must accept a connection; Ray itself goes on trying for minutes."""


class Hand:
    """What runs in a process of the cluster."""

    def __init__(self) -> None:
        self._evaluator: Evaluator | None = None

    def begin(self, assignment: Assignment) -> str | None:
        """Load the market; why that cannot be, or None."""
        try:
            self._evaluator = assignment.evaluator()
        except BacktestError as error:
            return str(error)
        return None

    def evaluate(self, chunk: Values) -> Evaluated:
        """What became of a chunk."""
        if self._evaluator is None:
            raise RuntimeError("a chunk came before the market")
        return self._evaluator(chunk)

    def process_id(self) -> int:
        """The process that this runs in."""
        return os.getpid()


class RayCrew:
    """Actors that Ray places where ``threads`` processors are free.

    A machine of the cluster needs Ninefold in the same version and the store at the same path. Without
    an ``address`` a Ray of the crew's own is started on this machine and stopped with it, whatever other
    Ray runs there, unless this process is connected to one already, which is then used and left as it is.
    """

    def __init__(self, assignment: Assignment, size: int, address: str | None = None) -> None:
        self.assignment, self.size, self.address = assignment, size, address
        self._ray: Any = None
        self._owns_ray = False
        self._hands: dict[int, Any] = {}
        self._expected: dict[Any, int] = {}
        """Place by reference to what its actor will say."""

    def begin(self, place: int) -> None:
        """Start an actor, which loads the market."""
        if self._ray is None:
            self._connect()
        options = {"num_cpus": self.assignment.threads, "max_restarts": 0, "max_task_retries": 0}
        hand = self._ray.remote(Hand).options(**options).remote()
        self._hands[place] = hand
        self._expected[hand.begin.remote(self.assignment)] = place

    def give(self, place: int, chunk: Values) -> None:
        """Send a chunk."""
        self._expected[self._hands[place].evaluate.remote(chunk)] = place

    def hear(self) -> Sequence[Report]:
        """Wait for an answer, or for the end of an actor that was to give one."""
        found, _ = self._ray.wait(list(self._expected), num_returns=1)
        return [self._report(one) for one in found]

    def end(self) -> None:
        """End every actor, and the Ray that was started for them."""
        if self._ray is None:
            return
        for hand in self._hands.values():
            self._ray.kill(hand)
        self._hands.clear()
        self._expected.clear()
        if self._owns_ray:
            self._ray.shutdown()
        self._ray = None

    def process_ids(self) -> tuple[int, ...]:
        """The processes of the actors by place, on their machines."""
        asked = [self._hands[place].process_id.remote() for place in sorted(self._hands)]
        found: list[int] = self._ray.get(asked)
        return tuple(found)

    def _report(self, reference: Any) -> Report:
        place = self._expected.pop(reference)
        try:
            heard = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._ray.kill(self._hands.pop(place))
            return Lost(place, " ".join(str(error).split()))
        if isinstance(heard, Evaluated):
            return Answer(place, heard)
        return Ready(place) if heard is None else Refused(place, str(heard))

    def _connect(self) -> None:
        # Ray tells its makers about its use unless it is told not to.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise ConfigError(
                "executor ray: Ray is not installed; install the extra: pip install 'ninefold[cluster]'"
            ) from None
        if not ray.is_initialized():
            own: dict[str, Any] = {"num_cpus": self.size * self.assignment.threads}
            try:
                if self.address:
                    _meet(self.address)
                ray.init(
                    address=self.address or "local",
                    include_dashboard=None if self.address else False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **({} if self.address else own),
                )
            except (OSError, RuntimeError, ValueError) as error:
                raise SourceError(
                    f"executor ray: no cluster can be reached at {self.address or 'this machine'} "
                    f"({error}); see that it runs and that --address is HOST:PORT; where it asks for a "
                    "token, set RAY_AUTH_MODE=token, and have the token in ~/.ray/auth_token or "
                    "RAY_AUTH_TOKEN"
                ) from None
            self._owns_ray = True
        self._ray = ray


def _meet(address: str) -> None:
    """Raise OSError or ValueError where nobody accepts a connection at ``address``, HOST:PORT."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
