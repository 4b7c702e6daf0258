"""The files of real runs against the oracle of docs/accounting.md."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import experiments
from experiments import RunResult, load_config, run
from tests.oracles.replay import OracleResult, disagreements, replay_oracle

QUICKSTART = Path(experiments.__file__).parent / "configs" / "quickstart.yaml"
ONE_SYMBOL = ("data.simulated.days=60", "data.simulated.symbols=[BTCSIM]", "consensus.quorum=2")
TWO_SYMBOLS = ("data.simulated.days=60", "consensus.quorum=2")
OVERRIDES = {
    "quickstart": ("data.simulated.days=100", "data.simulated.symbols=[BTCSIM]"),
    "targets and limits": (
        *TWO_SYMBOLS,
        "exits.take_profit_atr=3",
        "exits.time_stop_bars=12",
        "exits.time_stop_max_r=0.5",
        "sizing.position_fraction=0.8",
        "symbol_rules.BTCSIM={tick_size: 0.5, lot_step: 0.001, min_notional: 10, sector: coins}",
        "symbol_rules.ETHSIM={tick_size: 0.05, lot_step: 0.01, min_notional: 10, sector: coins}",
        "limits.max_sector=0.9",
        "costs.impact=0.3",
        "costs.participation=0.1",
        "costs.borrow_annual=0.1",
    ),
    "resting entries on minutes": (
        *ONE_SYMBOL,
        "data.fine_timeframe=5m",
        "entry.kind=limit",
        "entry.offset_atr=0.25",
        "exits.limit_bars=6",
        "exits.stop_atr=1",
        "exits.trail_atr=1.5",
        "exits.ladder=[[0.5, 0.5]]",
        "symbol_rules.BTCSIM.tick_size=0.5",
    ),
    "leverage on minutes": (
        *TWO_SYMBOLS,
        "data.fine_timeframe=15m",
        "exits.stop_atr=null",
        "sizing.method=volatility",
        "sizing.volatility_target=8",
        "measures.volatility_bars=100",
        "limits.max_gross=18",
        "margin.tiers=[{notional_to: null, maintenance: 0.03, max_leverage: 25}]",
    ),
}


@pytest.fixture(scope="module")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module", params=OVERRIDES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store_folder: Path
) -> tuple[RunResult, OracleResult]:
    """A run that wrote its folder, and what the oracle says about its bars and decisions."""
    overrides = OVERRIDES[request.param]
    config = load_config(QUICKSTART, overrides)
    runs = tmp_path_factory.mktemp("runs")
    result = run(config, store=store_folder, runs=runs, overrides=overrides)
    expected = replay_oracle(
        result.panel,
        result.decisions,
        result.data.funding,
        result.config.rules(),
        fine=result.data.fine,
        symbol_rules=result.config.rules_of_symbols(),
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


def test_the_runs_trade(made: tuple[RunResult, OracleResult]):
    result, expected = made
    assert len(expected.fills) > 20
    assert len(expected.payments) > 20
    config = result.config
    if config.data.fine_timeframe is not None:
        assert result.data.fine is not None
        assert result.data.fine.timeframe == config.data.fine_timeframe
    if config.entry.kind == "limit":
        assert any(fill.is_maker for fill in expected.fills)
    if config.rules().limits.max_gross > 1:
        assert any(fill.reason == "liquidation" for fill in expected.fills)


@pytest.mark.parametrize("name", ["fills", "orders", "payments", "trades"])
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
    for name in ("ruined_bar", "ambiguous_exits", "unresolved_bars"):
        assert getattr(result.replay, name) == getattr(expected, name)


def test_a_changed_fee_in_the_file_would_be_seen(made: tuple[RunResult, OracleResult]):
    result, expected = made
    columns = file_columns(result, "fills")
    columns["fee"][3] *= 1 + 1e-6
    told = disagreements(expected, {"fills": columns})
    assert [text.partition(":")[0] for text in told] == ["fills.fee[3]"]
