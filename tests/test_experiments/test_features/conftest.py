from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets import Store
from engine import Market
from experiments import RunConfig, config_of
from experiments.config_file import resolved
from experiments.features.build import BuiltMatrix, build_matrices
from experiments.market_data import signal_markets

OWN = '''"""Half of a range."""

import numpy as np

from indicators import Indicator, Output, Parameter
from indicators.rolling import rolling_mean


def half_range(high, low, close, length):
    """Half of the mean of high - low over ``length`` bars, as a share of the close."""
    return rolling_mean(high - low, length) / close / 2


def _compute(columns, parameters):
    length = int(parameters["length"])
    return (half_range(columns["high"], columns["low"], columns["close"], length),)


HALF_RANGE = Indicator(
    name="half_range",
    text="Half of the mean range.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 10, 2, 50),),
    outputs=(Output("share", "value", "fraction", "half of the range / close", low=0.0),),
    compute=_compute,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)

INDICATORS = (HALF_RANGE,)
'''

ConfigOf = Callable[..., RunConfig]
Build = Callable[..., list[BuiltMatrix]]


@pytest.fixture(scope="session")
def config_with(small_config: RunConfig) -> ConfigOf:
    """The small configuration with other ``features``; ``own`` are paths of files of indicators."""

    def made(*columns: str, own: tuple[Path, ...] = (), **features: Any) -> RunConfig:
        section = {"columns": list(columns), "of_heads": not columns, **features}
        return config_of(
            {
                **resolved(small_config),
                "features": section,
                "indicators": [str(path) for path in own],
            }
        )

    return made


@pytest.fixture(scope="session")
def heads_config(small_config: RunConfig) -> RunConfig:
    """The columns of three heads: bars, longer bars and slow series, values, levels, signals, states."""
    tree = resolved(small_config)
    tree["heads"]["enabled"] = ["technical", "market_structure", "crypto_metrics"]
    return config_of(tree)


@pytest.fixture
def build(store: Store, tmp_path: Path) -> Build:
    """Build under ``tmp_path / "out"``; the first symbol alone unless told otherwise."""

    def made(config: RunConfig, symbols: tuple[str, ...] = ("AAASIM",), **how: Any) -> Any:
        return list(
            build_matrices(config, store=store, out=tmp_path / "out", symbols=symbols, **how)
        )

    return made


@pytest.fixture(scope="session")
def market(small_config: RunConfig, store: Store) -> Market:
    return next(signal_markets(small_config, small_config.instruments, store))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "half_range.py"
    path.write_text(OWN, encoding="utf-8")
    return path
