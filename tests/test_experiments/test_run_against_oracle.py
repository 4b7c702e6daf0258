"""The files of a real run against the oracle of docs/accounting.md."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import experiments
from experiments import RunResult, load_config, run
from tests.oracles.replay import OracleResult, disagreements, replay_oracle

QUICKSTART = Path(experiments.__file__).parent / "configs" / "quickstart.yaml"
OVERRIDES = {
    "quickstart": ("data.simulated.days=100", "data.simulated.symbols=[BTCSIM]"),
    # More votes stand, more than one position is wanted at a time, and every rule is in force.
    "every_rule": (
        "data.simulated.days=90",
        "consensus.quorum=2",
        "execution.take_profit_atr=3",
        "execution.time_stop_bars=12",
        "execution.time_stop_max_r=0.5",
        "account.position_fraction=0.8",
    ),
}


@pytest.fixture(scope="module", params=OVERRIDES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunResult, OracleResult]:
    """A run that wrote its folder, and what the oracle says about its bars and decisions."""
    overrides = OVERRIDES[request.param]
    folder = tmp_path_factory.mktemp("run")
    config = load_config(QUICKSTART, overrides)
    result = run(config, store=folder / "store", runs=folder / "runs", overrides=overrides)
    expected = replay_oracle(
        result.panel, result.decisions, result.data.funding, result.config.rules()
    )
    return result, expected


def file_columns(result: RunResult, name: str) -> dict[str, list[Any]]:
    """The columns of a Parquet file of the run: times as int ns, symbols as columns of the panel."""
    assert result.run_dir is not None
    frame = pd.read_parquet(result.run_dir / f"{name}.parquet")
    columns = {}
    for column in frame.columns:
        values = frame[column]
        if column.endswith("time"):
            values = values.astype("datetime64[ns]").astype("int64")
        columns[column] = values.tolist()
    if "symbol" in columns:
        columns["symbol"] = [result.panel.symbols.index(symbol) for symbol in columns["symbol"]]
    return columns


def test_the_run_trades(made: tuple[RunResult, OracleResult]):
    _result, expected = made
    assert len(expected.fills) > 20
    assert len(expected.funding) > 20
    assert {fill.phase for fill in expected.fills} >= {"open", "intrabar"}


@pytest.mark.parametrize("name", ["fills", "funding", "trades"])
def test_the_ledgers_in_the_run_folder_are_those_of_the_oracle(
    made: tuple[RunResult, OracleResult], name: str
):
    result, expected = made
    assert disagreements(expected, {name: file_columns(result, name)}) == []


def test_the_equity_in_the_run_folder_is_that_of_the_oracle(
    made: tuple[RunResult, OracleResult],
):
    result, expected = made
    columns = file_columns(result, "equity")
    benchmark = columns.pop("buy_and_hold")
    assert len(benchmark) == len(expected.equity)
    assert disagreements(expected, {"equity": columns}) == []
    assert result.replay.ruined_bar == expected.ruined_bar
    assert result.replay.ambiguous_exits == expected.ambiguous_exits


def test_a_changed_fee_in_the_file_would_be_seen(made: tuple[RunResult, OracleResult]):
    result, expected = made
    columns = file_columns(result, "fills")
    columns["fee"][3] *= 1 + 1e-8
    told = disagreements(expected, {"fills": columns})
    assert [text.partition(":")[0] for text in told] == ["fills.fee[3]"]
