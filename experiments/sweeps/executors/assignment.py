"""What a worker is told before its first chunk: enough to load the market itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets import Store
from engine import DataError

from ...market_data import load_market_data
from ..config import sweep_config_of
from ..evaluate import Evaluator
from ..space import space_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A sweep as a worker takes it, made of plain values.

    ``config`` is the resolved configuration with its ``sweep`` section, ``store`` the path of the data
    store, ``data_fingerprint`` that of the data which the driver of the sweep has loaded.
    """

    config: Mapping[str, Any]
    store: str
    data_fingerprint: str
    threads: int

    def evaluator(self) -> Evaluator:
        """Load the market and make ready; DataError unless it is the driver's."""
        space = space_of(sweep_config_of(self.config))
        data = load_market_data(space.base, Store(self.store, create=False))
        if data.fingerprint != self.data_fingerprint:
            raise DataError(
                f"{self.store}: a worker of the sweep finds the data {data.fingerprint} here, the driver "
                f"loaded {self.data_fingerprint}; give every worker the same store, and write nothing "
                "to it while a sweep runs"
            )
        return Evaluator(space, data, threads=self.threads)
