from collections.abc import Callable
from typing import Any

import pytest

from datasets import Store
from experiments.config_file import resolved
from experiments.market_data import MarketData, load_market_data
from experiments.sweeps.config import SweepConfig, sweep_config_of
from experiments.sweeps.space import space_of

SweepOf = Callable[..., SweepConfig]

SPACE: dict[str, Any] = {
    "consensus.weights": {"kind": "weights"},
    "consensus.quorum": {"kind": "whole", "low": 1, "high": 4},
    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.7},
    "consensus.hold_bars": {"kind": "choice", "values": [None, 12, 48]},
    "exits.stop_atr": {"kind": "real", "low": 1.0, "high": 5.0, "log": True},
}


@pytest.fixture(scope="session")
def sweep_of(small_config: Any) -> SweepOf:
    """A sweep around the small configuration; keyword arguments replace keys of its section."""

    def made(**section: Any) -> SweepConfig:
        base = {
            "space": SPACE,
            "screen": {"trials": 16, "batch": 8},
            "search": {"trials": 16, "batch": 8, "seeds": 8},
        }
        changed = section.pop("base", {})
        return sweep_config_of({**resolved(small_config), **changed, "sweep": {**base, **section}})

    return made


@pytest.fixture(scope="session")
def market_data(sweep_of: SweepOf, store: Store) -> MarketData:
    return load_market_data(space_of(sweep_of()).base, store)
