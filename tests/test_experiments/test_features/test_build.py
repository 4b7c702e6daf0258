"""Matrices on the disk: what was built comes back, and only what changed is computed again."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from datasets import Store
from datasets.file_lock import exclusive_lock
from engine import ConfigError, ContractError, DataError, Market
from experiments import RunConfig
from experiments.checks.markets import null_market
from experiments.features import build as build_module
from experiments.features import definitions as definitions_module
from experiments.features.build import BuiltMatrix, build_matrices, wanted_features
from experiments.features.definitions import Absence, ColumnDefinition, MarketDefinitions
from experiments.features.keeping import matrix_table, read_matrix, typed, write_matrix
from indicators import INDICATORS_BY_NAME, build_features, feature
from tests.power_cut import PowerCutError, power_cut

from .conftest import Build, ConfigOf

FEW = ("rsi.rsi(length=7)", "atr.atr(length=7)", "supertrend.flip", "zigzag.leg", "rsi.rsi@bars:4h")


def same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    return first.dtype == second.dtype and first.tobytes() == second.tobytes()


def content(matrix: BuiltMatrix) -> dict[str, bytes]:
    table = read_matrix(matrix.path)
    return {name: table.column(name).to_numpy().tobytes() for name in table.column_names}


def test_a_matrix_holds_what_the_heads_read_to_the_last_bit(
    heads_config: RunConfig, build: Build, market: Market
):
    (made,) = build(heads_config)
    features = wanted_features(heads_config, INDICATORS_BY_NAME)
    expected = build_features(market, features, indicators=INDICATORS_BY_NAME)
    table = read_matrix(made.path)
    assert table.column_names == ["time", "open_time", *map(str, expected.features)]
    assert len(expected.features) > 40
    kinds = set()
    for definition in made.columns:
        stored = table.column(definition.name).to_numpy()
        values = expected.get(definition.feature)
        assert values is not None
        kinds.add((definition.output.kind, str(stored.dtype)))
        if definition.dtype == "float64":
            assert same_bits(stored, values), definition.name
        else:
            assert np.array_equal(stored, values), definition.name
    assert kinds <= {
        ("value", "float64"),
        ("level", "float64"),
        ("signal", "int8"),
        ("state", "uint8"),
        ("state", "uint16"),
    }
    assert {kind for kind, _ in kinds} == {"value", "level", "signal", "state"}
    for name, moments in (("time", market.bars.close_time), ("open_time", market.bars.open_time)):
        assert np.array_equal(
            table.column(name).to_numpy().astype("datetime64[ns]").astype(np.int64), moments
        )


def test_every_bit_of_a_number_comes_back(tmp_path: Path, market: Market):
    """Several NaN, both zeros and the smallest number are told apart."""
    rows = len(market.bars)
    patterns = np.array(
        [0x7FF8000000000000, 0x7FF800000000BEEF, 0xFFF8000000000000, 0, 1 << 63, 1, 0x7FEF << 48],
        dtype=np.uint64,
    )
    values = np.resize(patterns, rows).view(np.float64)
    found = MarketDefinitions(market, INDICATORS_BY_NAME).of(feature("rsi", "rsi"))
    assert isinstance(found, ColumnDefinition)
    table = matrix_table({}, market.bars.close_time, market.bars.open_time, [(found, values)])
    write_matrix(tmp_path / "bits.parquet", table)
    assert same_bits(read_matrix(tmp_path / "bits.parquet").column(found.name).to_numpy(), values)
    assert same_bits(
        pq.read_table(tmp_path / "bits.parquet").to_pandas()[found.name].to_numpy(), values
    )


def test_a_column_carries_its_definition(config_with: ConfigOf, build: Build):
    (made,) = build(config_with(*FEW))
    table = read_matrix(made.path)
    facts = {
        key.decode(): text.decode()
        for key, text in table.schema.field("rsi.rsi()@bars:4h").metadata.items()
    }
    output = INDICATORS_BY_NAME["rsi"].outputs[0]
    (column,) = (one for one in made.columns if one.feature.clock == "bars:4h")
    assert facts == {
        "name": "rsi.rsi()@bars:4h",
        "indicator": "rsi",
        "output": "rsi",
        "parameters": '{"length": 14.0}',
        "clock": "bars:4h",
        "kind": "value",
        "unit": output.unit,
        "text": output.text,
        "low": "0.0",
        "high": "100.0",
        "lookback": str(column.lookback),
        "stable": str(column.stable),
        "known": "each 4h bar from its own close on, until the next one closes",
        "key": column.key,
    }
    whole = json.loads(table.schema.metadata[b"ninefold"])
    assert whole["timeframe"] == "1h"
    assert whole["traded_symbol"] == "AAASIM"


def test_a_second_build_computes_nothing(config_with: ConfigOf, build: Build):
    config = config_with(*FEW)
    (first,) = build(config)
    (second,) = build(config)
    assert (first.computed, first.reused) == (5, 0)
    assert (second.computed, second.reused) == (0, 5)
    assert first.path == second.path


def test_only_a_changed_column_is_computed(config_with: ConfigOf, build: Build):
    build(config_with(*FEW))
    changed = ("rsi.rsi(length=8)", *FEW[1:])
    (made,) = build(config_with(*changed))
    assert (made.computed, made.reused) == (1, 4)
    (again,) = build(config_with(*reversed(FEW)), timeframes=("1h",))
    assert (again.computed, again.reused) == (0, 5), "another order is another file, nothing more"


def test_a_default_that_is_written_out_is_the_same_column(config_with: ConfigOf, build: Build):
    build(config_with("rsi.rsi"))
    (made,) = build(config_with("rsi.rsi(length=14)", "rsi.rsi"))
    assert (made.computed, made.reused) == (0, 2)


def test_a_changed_source_reaches_its_own_columns_only(
    config_with: ConfigOf, build: Build, monkeypatch: pytest.MonkeyPatch
):
    config = config_with(*FEW)
    build(config)
    real = definitions_module.source_hash

    def edited(indicator):
        return "edited" if indicator.name == "rsi" else real(indicator)

    monkeypatch.setattr(definitions_module, "source_hash", edited)
    (made,) = build(config)
    assert (made.computed, made.reused) == (2, 3)


def test_changed_rows_reach_the_columns_that_read_them_only(market: Market):
    """A funding rate, a volume and a price: each changes the keys of what reads it."""
    wanted = {
        "funding": feature("funding_rate", "annual", clock="funding"),
        "volume": feature("obv", "z"),
        "close": feature("rsi", "rsi"),
        "longer": feature("rsi", "rsi", clock="bars:4h"),
    }

    def keys(changed: Market) -> dict[str, str]:
        found = MarketDefinitions(changed, INDICATORS_BY_NAME)
        return {name: found.of(one).key for name, one in wanted.items()}

    def differing(changed: Market) -> set[str]:
        before, after = keys(market), keys(changed)
        return {name for name in wanted if before[name] != after[name]}

    rates = market.series["funding"]
    columns = dict(rates.columns)
    columns["rate"] = columns["rate"] + 1e-9
    other_rates = replace(
        market, series={**market.series, "funding": replace(rates, columns=columns)}
    )
    bars = market.bars
    assert differing(market) == set()
    assert differing(other_rates) == {"funding"}
    more_volume = replace(market, bars=replace(bars, volume=bars.volume * 2.0))
    assert differing(more_volume) == {"volume"}
    higher = replace(market, bars=replace(bars, high=bars.high * 1.5))
    assert differing(higher) == set(), "what none of them reads changes none of them"
    later = replace(rates, available_at=rates.available_at + 1)
    assert differing(replace(market, series={**market.series, "funding": later})) == {"funding"}
    assert differing(market.prefix(len(bars) - 1)) == set(wanted)


def test_a_cut_at_any_step_leaves_nothing_that_looks_finished(
    config_with: ConfigOf, build: Build, tmp_path: Path
):
    config = config_with("rsi.rsi", "atr.atr")
    (undisturbed,) = build(config)
    expected = content(undisturbed)
    undisturbed.path.unlink()
    with power_cut(10**9, "after") as steps:
        build(config)
    count = len(steps)
    assert count >= 4
    for moment in ("before", "within", "after"):
        for step in range(count):
            for path in (tmp_path / "out").rglob("*.parquet"):
                path.unlink()
            with pytest.raises(PowerCutError), power_cut(step, moment):
                build(config)
            finished = list((tmp_path / "out").rglob("[!.]*.parquet"))
            assert all(content(replace(undisturbed, path=path)) == expected for path in finished)
            (made,) = build(config)
            assert content(made) == expected, (moment, step)
            assert not list((tmp_path / "out").rglob(".tmp-*"))


def test_what_was_finished_before_an_interrupt_stays(
    config_with: ConfigOf, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = config_with(*FEW)
    whole = build_matrices(config, store=store, out=tmp_path)
    first = next(whole)
    monkeypatch.setattr(build_module, "build_features", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(whole)
    monkeypatch.undo()
    made = list(build_matrices(config, store=store, out=tmp_path))
    assert [(one.symbol, one.computed) for one in made] == [("AAASIM", 0), ("BBBSIM", 5)]
    assert made[0].path == first.path


def _interrupted(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
def test_a_damaged_matrix_is_built_again(config_with: ConfigOf, build: Build, place: float):
    config = config_with(*FEW)
    (made,) = build(config)
    expected = content(made)
    raw = bytearray(made.path.read_bytes())
    raw[int(len(raw) * place)] ^= 0xFF
    made.path.write_bytes(raw)
    with pytest.raises(DataError, match="build it again"):
        read_matrix(made.path)
    (again,) = build(config)
    assert content(again) == expected


def test_older_matrices_are_pruned_when_asked_for(config_with: ConfigOf, build: Build):
    (old,) = build(config_with("rsi.rsi"))
    (new,) = build(config_with("atr.atr"))
    assert old.path.exists()
    (pruned,) = build(config_with("atr.atr"), prune=True)
    assert (pruned.pruned, pruned.path) == (1, new.path)
    assert not old.path.exists()
    assert new.path.exists()


def test_one_builds_at_a_time(
    config_with: ConfigOf, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build_module, "PATIENCE_SECONDS", 0.2)
    lock = tmp_path / "out" / "AAASIM" / "1h" / ".lock"
    with (
        exclusive_lock(lock, 0.0, str),
        pytest.raises(DataError, match="has been building matrices here"),
    ):
        build(config_with("rsi.rsi"))
    monkeypatch.setattr(build_module, "PATIENCE_SECONDS", 60.0)
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(build(config_with("rsi.rsi"))[0].computed))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 1]


def test_what_is_no_signal_is_refused(market: Market):
    found = MarketDefinitions(market, INDICATORS_BY_NAME).of(feature("supertrend", "flip"))
    assert isinstance(found, ColumnDefinition)
    values = np.zeros(len(market.bars))
    for wrong in (0.5, np.nan, -2.0, 300.0):
        values[3] = wrong
        with pytest.raises(ContractError, match=r"row 3 is .*, a signal is -1, 0 or 1"):
            typed(found, values)


def test_a_feature_without_data_is_absent_and_said(config_with: ConfigOf, build: Build):
    (made,) = build(config_with("rsi.rsi", "rsi.rsi@bars:1h", "rsi.rsi@tvl_of_nobody"))
    assert [one.name for one in made.columns] == ["rsi.rsi()@bars"]
    assert [(str(one.feature), one.reason) for one in made.absent] == [
        ("rsi.rsi()@bars:1h", "no whole 1h bar, longer than 1h, can be built"),
        ("rsi.rsi()@tvl_of_nobody", "the market has no tvl_of_nobody"),
    ]


def test_a_clock_that_is_not_named_is_suggested(market: Market):
    found = MarketDefinitions(market, INDICATORS_BY_NAME).of(feature("funding_rate", "f8"))
    assert isinstance(found, Absence)
    assert found.reason == "bars has no rate, interval_hours (but @funding has: name that clock)"


def test_columns_of_many_coins_are_kept_like_any_other(tmp_path: Path):
    """What the panel says decides the key; what is built comes back."""
    market = null_market(2_000, 101)
    wanted = feature("altcoin_season", "index", clock="universe")
    panel = market.panels["universe"]
    found = MarketDefinitions(market, INDICATORS_BY_NAME).of(wanted)
    assert isinstance(found, ColumnDefinition)
    close = panel.columns["close"].copy()
    close[3, 2] *= 1.01
    other = replace(panel, columns={**panel.columns, "close": close})
    changed = replace(market, panels={**market.panels, "universe": other})
    differing = MarketDefinitions(changed, INDICATORS_BY_NAME).of(wanted)
    assert isinstance(differing, ColumnDefinition)
    assert differing.key != found.key
    values = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).values[:, 0]
    assert np.isfinite(values).any()
    table = matrix_table(
        {}, market.bars.close_time, market.bars.open_time, [(found, typed(found, values))]
    )
    write_matrix(tmp_path / "coins.parquet", table)
    assert same_bits(read_matrix(tmp_path / "coins.parquet").column(2).to_numpy(), values)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"symbols": ("CCCSIM",)}, "--symbol CCCSIM: .* it has AAASIM, BBBSIM"),
        ({"timeframes": ("90m",)}, "90m, which is no multiple of data.timeframe=1h"),
    ],
)
def test_what_does_not_fit_is_refused(config_with: ConfigOf, build: Build, how: dict, says: str):
    with pytest.raises(ConfigError, match=says):
        build(config_with("rsi.rsi"), **how)


def test_a_step_longer_than_the_data_is_refused(config_with: ConfigOf, build: Build):
    with pytest.raises(DataError, match="no whole 8w bar lies in its 960 bars of 1h"):
        build(config_with("rsi.rsi"), timeframes=("8w",))


def test_wrong_columns_are_named(config_with: ConfigOf):
    with pytest.raises(ConfigError, match=r"features\.columns\.1: .*'lenght' is no parameter"):
        wanted_features(config_with("rsi.rsi", "rsi.rsi(lenght=3)"), INDICATORS_BY_NAME)
    nothing = config_with(of_heads=False)
    with pytest.raises(ConfigError, match="no column is asked for"):
        wanted_features(nothing, INDICATORS_BY_NAME)
