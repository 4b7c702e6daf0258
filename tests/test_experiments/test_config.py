"""Configurations: files and overrides, their hash, their schema, and what a wrong one is told."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from engine import DAY_NS, ConfigError
from experiments import config_hash, config_of, config_schema, load_config
from experiments.config_file import canonical_json, resolved
from experiments.config_section import midnight_ns
from experiments.sweeps.config import load_sweep_config
from strategies import HEADS
from tests.test_experiments.config_trees import SPOT, refused, tree

CONFIGS = sorted(
    path
    for path in (Path(__file__).resolve().parents[2] / "experiments/configs").glob("*.yaml")
    if path.stem != "fetch"
)
"""Configurations of runs; ``fetch.yaml`` is one of ``ninefold data fetch``."""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_valid_and_named_after_their_file(path: Path):
    is_sweep = "sweep" in yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (load_sweep_config if is_sweep else load_config)(path).name == path.stem


def test_both_days_of_the_period_belong_to_the_run():
    config = load_config(next(path for path in CONFIGS if path.stem == "btc_1h"))
    hours = (config.data.end_ns - config.data.start_ns) // 3_600_000_000_000
    assert hours == (6 * 365 + 1) * 24  # six years, 2020 is a leap year


def test_a_simulated_market_has_its_days_whether_its_instruments_are_named_or_not():
    simulated = {"venue": "simulated", "market": "spot", "symbol": "BTCSIM"}
    ends = []
    for instruments in ([], [{"signals": simulated}]):
        data = {"simulated": {"days": 21}, "instruments": instruments}
        ends.append(config_of({"data": data}).data.end_ns)
    start = midnight_ns(date(2021, 1, 1))
    assert ends == [start + 21 * DAY_NS] * 2
    of_the_store = config_of({"data": {"simulated": {}, "instruments": [{"signals": SPOT}]}})
    assert of_the_store.data.end_ns is None


def test_a_config_is_frozen():
    config = config_of(tree())
    with pytest.raises(ValidationError, match="frozen"):
        config.name = "other"


def test_hash_ignores_how_the_same_content_is_written():
    base = config_hash(config_of(tree()))
    assert len(base) == 64
    assert config_hash(config_of(tree(seed=7, initial_cash=100_000))) == base
    assert config_hash(config_of({"seed": 7, **tree()})) == base
    assert config_hash(config_of(resolved(config_of(tree())))) == base
    assert config_hash(config_of(tree(consensus={"weights": {"technical": 0.13}}))) == base


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "seed=8",
        "data.timeframe=4h",
        "data.instruments.0.signals.symbol=ETHUSDT",
        "consensus.weights.ict=0.2",
        "heads.enabled=[technical]",
        "data.fine_timeframe=1m",
        "data.mark_prices=traded",
        "entry.kind=limit",
        "measures.atr_length=15",
        "costs.maker_fee_bps=-1",
        "exits.stop_atr=null",
        "exits.ladder=[[1, 0.5]]",
        "sizing.method=risk",
        "limits.max_positions=3",
        "margin.tiers=[{notional_to: null, maintenance: 0.01, max_leverage: 50}]",
        "symbol_rules.BTCUSDT.tick_size=0.1",
        "initial_cash=1",
        "targets=a.csv",
    ],
)
def test_hash_tells_every_difference(override: str):
    assert config_hash(config_of(tree(), [override])) != config_hash(config_of(tree()))


def test_every_head_parameter_is_in_the_hash():
    content = canonical_json(resolved(config_of(tree())))
    for head in HEADS:
        for name in head.SPACE:
            assert f'"{name}":' in content


def test_round_trip_through_yaml(tmp_path: Path):
    config = load_config(CONFIGS[0])
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(resolved(config)), encoding="utf-8")
    assert config_hash(load_config(path)) == config_hash(config)


def test_a_misspelt_key_names_file_line_and_the_nearest_key(tmp_path: Path):
    path = tmp_path / "misspelt.yaml"
    path.write_text(
        "name: a\ndata: {simulated: {}}\nconsensus:\n  p_min: 0.6\n  quorun: 3\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(
        f"{path}:5: unknown key 'consensus.quorun'; did you mean 'quorum'?"
    )


def test_a_misspelt_key_inside_a_list_and_inside_a_head():
    message = refused({"data": {"instruments": [{"signals": {**SPOT, "sorce": "x"}}]}})
    assert "'data.instruments.0.signals.sorce'; did you mean 'source'?" in message
    message = refused(tree(heads={"technical": {"rsi_lenght": 14}}))
    assert "'heads.technical.rsi_lenght'; did you mean 'rsi_length'?" in message
    message = refused(tree(heads={"technicl": {}}))
    assert "did you mean 'technical'?" in message


def test_every_problem_is_told():
    message = refused(tree(seed=-1, costs={"taker_fee_bps": -1}))
    assert "seed=-1" in message
    assert "costs.taker_fee_bps=-1" in message


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("consensus.quorum=10", "consensus.quorum=10"),
        ("consensus.quorum=2.5", "consensus.quorum=2.5"),
        ("consensus.p_min=0.4", "consensus.p_min=0.4"),
        ("consensus.score_min=-1.1", "consensus.score_min=-1.1"),
        ("consensus.weights.technical=-1", "consensus.weights.technical=-1"),
        ("consensus.weights.technicl=0.1", "unknown head 'technicl'"),
        ("consensus.hold_bars=0", "consensus.hold_bars=0"),
        ("costs.taker_fee_bps=-1", "costs.taker_fee_bps=-1"),
        ("costs.maker_fee_bps=-101", "costs.maker_fee_bps=-101"),
        ("costs.participation=1.5", "costs.participation=1.5"),
        ("costs.fee_tiers=[{volume_from: 1, maker_fee_bps: 1}]", "taker_fee_bps' is missing"),
        (
            "costs.fee_tiers=[{volume_from: 0, maker_fee_bps: 1, taker_fee_bps: 1}]",
            "costs.fee_tiers[0].volume_from=0",
        ),
        ("exits.stop_atr=0", "exits.stop_atr=0"),
        ("exits.stop_atr=true", "must be a number, not true or false"),
        ("costs.slippage_bps=.nan", "finite"),
        ("exits.time_stop_bars=1.5", "exits.time_stop_bars=1.5"),
        ("exits.ladder=[[1, 0.5], [1, 0.5]]", "exits.ladder[1]: R=1.0 must lie above 1.0"),
        ("exits.ladder=[[1, 0.7], [2, 0.7]]", "exits.ladder: the shares add up to more than 1"),
        ("exits.trail_bars=5", "exits.trail_bars needs trail_atr or trail_frac"),
        ("sizing.method=all", "'fraction', 'risk' or 'volatility'"),
        ("sizing.position_fraction=2", "must not exceed limits.max_gross"),
        ("limits.drawdown_start=0.1", "drawdown_start and drawdown_halt are set together"),
        ("limits.max_positions=0", "limits.max_positions=0"),
        ("limits.max_gross=126", "limits.max_gross=126"),
        ("margin.leverage=126", "margin.leverage=126"),
        ("margin.leverage=0.5", "margin.leverage=0.5"),
        ("margin.mode=shared", "'cross', 'isolated' or 'none'"),
        ("margin.tiers=[]", "tiers is empty"),
        (
            "margin.tiers=[{notional_to: null, maintenance: 0.1, max_leverage: 20}]",
            "margin.tiers[0]: max_leverage=20.0 must lie in [1, 1 / maintenance]",
        ),
        ("initial_cash=.inf", "initial_cash=inf"),
        ("initial_cash=0", "initial_cash=0"),
        ("symbol_rules.BTCUSDT.tick_size=-1", "symbol_rules.BTCUSDT.tick_size=-1"),
        ("symbol_rules.ETHUSDT.tick_size=1", "the symbols are BTCUSDT"),
        ("entry.offset_atr=1", "needs kind limit or stop"),
        ("entry.kind=now", "'market', 'limit' or 'stop'"),
        ("measures.volatility_bars=1", "measures.volatility_bars=1"),
        ("data.fine_timeframe=1h", "must be shorter than timeframe=1h"),
        ("data.fine_timeframe=7m", "fine_timeframe='7m'"),
        ("data.mark_prices=yes", "data.mark_prices=true"),
        ("data.timeframe=7x", "timeframe='7x'"),
        ("data.timeframe=7h", "does not divide a day"),
        ("data.start=soon", "data.start='soon'"),
        ("data.instruments=[]", "instruments is empty"),
        ("data.instruments.0.signals.symbol=a/b", "data.instruments.0.signals.symbol='a/b'"),
        ("data.instruments.0.traded_price_fallback=spot", "'signals' or 'none'"),
        ("data.simulated={days: 0}", "data.simulated.days=0"),
        ("data.simulated={mode: planted, planted_column: x}", "planted_column='x'"),
        ("data.simulated={mode: 'null', planted_edge: 1}", "plants nothing"),
        ("heads.enabled=[]", "heads.enabled=[]"),
        ("heads.enabled=[technicl]", "'technicl'"),
        ("heads.enabled=[ict, rules, ict]", "heads.enabled names 'ict' twice"),
        ("name=a b", "must be made of letters, digits"),
        ("seed=x", "seed='x'"),
    ],
)
def test_out_of_range_values_name_key_and_value(override: str, told: str):
    message = refused(tree(), override)
    assert told in message
    assert message.startswith(f"-s {override}: ")


def test_rules_between_keys_name_the_line_of_the_key(tmp_path: Path):
    path = tmp_path / "backwards.yaml"
    path.write_text(
        "data:\n  simulated: {}\n  start: 2021-02-01\n  end: 2021-01-01\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"backwards.yaml:4: data.end=2021-01-01 is before"):
        load_config(path)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_head_parameters_are_held_to_their_search_range(head: Any):
    for name, limits in head.SPACE.items():
        for outside in (limits.low - 1.0, limits.high + 1.0):
            message = refused(tree(), f"heads.{head.name}.{name}={outside}")
            assert f"heads.{head.name}.{name}=" in message


def test_one_symbol_is_traded_once():
    content = {"data": {"instruments": [{"signals": SPOT}, {"signals": SPOT}]}}
    assert "BTCUSDT twice" in refused(content)


def test_the_word_same_trades_what_is_looked_at():
    content = {"data": {"instruments": [{"signals": SPOT, "traded": "same"}]}}
    assert config_hash(config_of(content)) == config_hash(config_of(tree()))


def test_schema_describes_heads_with_their_ranges():
    schema = config_schema()
    assert set(schema["properties"]) == {
        "name",
        "seed",
        "data",
        "heads",
        "consensus",
        "initial_cash",
        "entry",
        "measures",
        "costs",
        "exits",
        "sizing",
        "limits",
        "margin",
        "symbol_rules",
        "targets",
        "indicators",
        "features",
        "origin",
    }
    head = HEADS[0]
    name, limits = next(iter(head.SPACE.items()))
    described = schema["$defs"][f"{head.__name__}Config"]["properties"][name]
    assert (described["minimum"], described["maximum"]) == (limits.low, limits.high)


def test_the_word_null_of_the_simulated_mode_may_be_yaml_null():
    mode = config_of({"data": {"simulated": {}}}, ["data.simulated.mode=null"])
    assert mode.data.simulated.mode == "null"
    assert mode.simulation.source == "seed7-null"


def test_a_planted_market_states_what_is_planted():
    simulated = config_of({"data": {"simulated": {"mode": "planted"}}}).data.simulated
    assert simulated.planted_column == "taker_flow"
    assert simulated.planted_edge == 1.0
    assert simulated.planted_horizon_hours == 12
    assert config_of({"seed": 3, "data": {"simulated": {}}}).simulation.seed == 3
    assert config_of({"seed": 3, "data": {"simulated": {"seed": 4}}}).simulation.seed == 4


def test_weights_left_out_keep_their_defaults():
    weights = config_of(tree(consensus={"weights": {"ict": 0.5}})).consensus.weights
    assert weights["ict"] == 0.5
    assert weights["technical"] == 0.13
    assert len(weights) == len(HEADS)
