"""Runs at the edges of what a report must show, as records in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from datasets import DatasetKey, Store
from experiments import RunResult, config_of, run
from experiments.artefacts import ARTEFACTS
from experiments.record import run_content
from experiments.report.reading import RunReading
from tests.generators import random_bars
from tests.test_experiments.conftest import small_tree


@dataclass
class MemoryRecord:
    """A run's record that was never written; tables may stand in for those of the run."""

    content: Mapping[str, Any]
    tables: Mapping[str, pa.Table]
    run_dir: Path = field(default_factory=lambda: Path("/nowhere/run"))

    @property
    def run_id(self) -> str:
        return str(self.content["run_id"])

    def table(self, name: str) -> pa.Table:
        return self.tables[name]


def record_of(result: RunResult) -> Any:
    tables = {name: table_of(result) for name, table_of in ARTEFACTS.items()}
    return MemoryRecord(run_content(result, result.run_id, {}), tables)


@pytest.fixture(scope="session")
def usual(result: RunResult) -> Any:
    """Two symbols, forty days, some hundred trades."""
    return record_of(result)


@pytest.fixture(scope="session")
def untraded(store: Store) -> Any:
    """No consensus ever stands."""
    tree = {**small_tree(), "consensus": {"quorum": 9}}
    made = run(config_of(tree), store=store, runs=None)
    assert made.n_trades == 0
    return record_of(made)


def played(store: Store, folder: Path, targets: list[tuple[Any, ...]], **sections: Any) -> Any:
    path = folder / "targets.csv"
    pd.DataFrame(targets, columns=["time", "symbol", "target"]).to_csv(path, index=False)
    tree = {**small_tree(), "heads": {"enabled": ["technical"]}, "targets": str(path), **sections}
    return record_of(run(config_of(tree), store=store, runs=None))


@pytest.fixture(scope="session")
def one_trade(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A file of targets that buys once and sells once."""
    rows = [("2021-01-10", "AAASIM", 1.0), ("2021-01-20", "AAASIM", 0.0)]
    made = played(store, tmp_path_factory.mktemp("one"), rows, exits={"stop_atr": None})
    assert made.content["n_trades"] == 1
    return made


@pytest.fixture(scope="session")
def ruined(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Thirty times the equity on one coin, until nothing is left."""
    rows = [
        (f"2021-01-{day:02d} {hour:02d}:00", "AAASIM", 1.0 if hour else -1.0)
        for day in range(2, 30)
        for hour in (0, 12)
    ]
    made = played(
        store,
        tmp_path_factory.mktemp("ruined"),
        rows,
        exits={"stop_atr": None},
        sizing={"position_fraction": 30.0},
        limits={"max_gross": 30.0, "max_position": None},
    )
    assert made.content["ruined_bar"] >= 0
    return made


def run_on_bars(
    folder: Path,
    rows: int,
    *,
    timeframe: str = "1h",
    market: str = "spot",
    signals: str = "spot",
    **sections: Any,
) -> Any:
    """One symbol on random bars that stand in both roles."""
    store = Store(folder)
    bars = random_bars(rows, 3, timeframe=timeframe)
    columns = {name: bars.columns()[name] for name in ("open", "high", "low", "close", "volume")}
    for one in {market, signals}:
        key = DatasetKey("ohlcv", "v", one, "XUSD", timeframe, "test")
        store.write(key, pa.table({"open_time": bars.open_time, **columns}), provenance={})
    instrument = {"venue": "v", "symbol": "XUSD", "source": "test"}
    tree = {
        "name": "bars",
        "data": {
            "timeframe": timeframe,
            "instruments": [
                {
                    "signals": {**instrument, "market": signals},
                    "traded": {**instrument, "market": market},
                }
            ],
        },
        **sections,
    }
    return record_of(run(config_of(tree), store=store, runs=None))


@pytest.fixture(scope="session")
def one_bar(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = run_on_bars(tmp_path_factory.mktemp("bar"), 1)
    assert made.content["bars"] == 1
    return made


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Twenty days that trade."""
    made = run_on_bars(tmp_path_factory.mktemp("short"), 480, consensus={"quorum": 1})
    assert made.content["n_trades"] > 0
    return made


@pytest.fixture(scope="session")
def inverse(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Contracts that pay in the coin."""
    made = run_on_bars(
        tmp_path_factory.mktemp("inverse"),
        1200,
        market="inverse_perp",
        signals="inverse_perp",
        consensus={"quorum": 1},
        margin={"contract": "inverse"},
        initial_cash=3.0,
    )
    assert made.content["n_trades"] > 5
    return made


@pytest.fixture(scope="session")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bars of a day for two years, so that every section has enough of them."""
    return run_on_bars(
        tmp_path_factory.mktemp("daily"), 800, timeframe="1d", consensus={"quorum": 1}
    )


@pytest.fixture(scope="session")
def long_bars(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bars of four days: no hour, no weekday, and every bar is its own day."""
    return run_on_bars(
        tmp_path_factory.mktemp("long"), 150, timeframe="4d", consensus={"quorum": 1}
    )


@pytest.fixture(scope="session")
def many(usual: Any) -> Any:
    """Two hundred symbols: those of the usual run a hundred times under other names."""
    names = [f"C{number:03d}" for number in range(200)]
    old = usual.content["symbols"]

    def renamed(table: pa.Table, index: int, name: str) -> pa.Table:
        rows = table.filter(pa.compute.equal(table["symbol"], old[index % 2]))
        place = rows.column_names.index("symbol")
        return rows.set_column(place, "symbol", pa.array([name] * len(rows), pa.string()))

    tables = {
        name: pa.concat_tables([renamed(table, i, new) for i, new in enumerate(names)])
        if "symbol" in table.column_names
        else table
        for name, table in usual.tables.items()
    }
    content = dict(usual.content)
    for key in ("gaps", "series", "panels"):
        content[key] = {new: content[key][old[i % 2]] for i, new in enumerate(names)}
    for key in ("firing", "price_pieces"):
        content[key] = [
            {**one, "symbol": new}
            for i, new in enumerate(names)
            for one in usual.content[key]
            if one["symbol"] == old[i % 2]
        ]
    content["symbols"] = names
    content["notes"] = [f"{name}: 12 of 960 signal bars are missing (gaps)" for name in names]
    return MemoryRecord(content, tables)


EDGES = (
    "usual",
    "untraded",
    "one_trade",
    "ruined",
    "one_bar",
    "inverse",
    "daily",
    "long_bars",
    "many",
)


@pytest.fixture(params=EDGES)
def edge(request: pytest.FixtureRequest) -> Any:
    """Each of the runs above."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def reading(usual: Any) -> RunReading:
    return RunReading(usual)
