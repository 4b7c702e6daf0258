import json
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from engine import (
    DAY_NS,
    ConfigError,
    Costs,
    Exits,
    Limits,
    Margin,
    ReplayRules,
    Sizing,
    SymbolRules,
)
from experiments import config_hash, config_of, config_schema, load_config
from experiments.config_file import canonical_json, resolved
from experiments.config_section import midnight_ns
from experiments.sweeps.config import load_sweep_config
from strategies import HEADS

CONFIGS = sorted(
    path
    for path in (Path(__file__).resolve().parents[2] / "experiments/configs").glob("*.yaml")
    if path.stem != "fetch"
)
"""Configurations of runs; ``fetch.yaml`` is one of ``ninefold data fetch``."""
SPOT = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}
COIN = {"venue": "binance", "market": "cm_perp", "symbol": "BTCUSD_PERP"}


def tree(**sections: Any) -> dict[str, Any]:
    return {"data": {"instruments": [{"signals": SPOT}]}, **sections}


def refused(content: dict[str, Any], *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(content, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


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


SECTIONS = {
    "costs": Costs,
    "exits": Exits,
    "sizing": Sizing,
    "limits": Limits,
    "margin": Margin,
}
TIER = {"notional_to": 1e6, "maintenance": 0.02, "max_leverage": 20.0}
EVERY_RULE: dict[str, dict[str, Any]] = {
    "costs": {
        "taker_fee_bps": 6.0,
        "maker_fee_bps": -0.5,
        "fee_tiers": [{"volume_from": 1e6, "maker_fee_bps": 1.0, "taker_fee_bps": 4.0}],
        "slippage_bps": 1.0,
        "slippage_atr": 0.1,
        "impact": 0.5,
        "participation": 0.1,
        "borrow_annual": 0.05,
    },
    "exits": {
        "stop_atr": None,
        "stop_frac": 0.05,
        "trail_atr": 3.0,
        "trail_frac": None,
        "trail_bars": 20,
        "break_even_r": 1.0,
        "ladder": [[1.0, 0.25], [2.0, 0.25]],
        "take_profit_atr": None,
        "take_profit_frac": None,
        "take_profit_r": 3.0,
        "take_profit_is_limit": True,
        "time_stop_bars": 48,
        "time_stop_max_r": 0.5,
        "limit_bars": 6,
    },
    "sizing": {
        "method": "risk",
        "position_fraction": 0.5,
        "risk_frac": 0.02,
        "volatility_target": 0.3,
        "kelly": 0.5,
        "kelly_max": 0.3,
    },
    "limits": {
        "max_gross": 3.0,
        "max_position": 1.0,
        "max_positions": 4,
        "max_heat": 0.06,
        "max_sector": 2.0,
        "max_correlation": 0.8,
        "correlation_bars": 500,
        "drawdown_start": 0.1,
        "drawdown_halt": 0.3,
    },
    "margin": {
        "contract": "inverse",
        "mode": "isolated",
        "leverage": 5.0,
        "tiers": [TIER, {"notional_to": None, "maintenance": 0.05, "max_leverage": 10.0}],
        "liquidation_fee_bps": 30.0,
    },
}


def test_every_rule_of_the_engine_can_be_set_under_its_own_name():
    """From a file, and each by an override of its own."""
    one_by_one = [
        f"{section}.{name}={json.dumps(value)}"
        for section, keys in EVERY_RULE.items()
        for name, value in keys.items()
    ]
    coin = {"data": {"instruments": [{"signals": COIN}]}}
    from_file, overridden = config_of({**coin, **EVERY_RULE}), config_of(coin, one_by_one)
    for rules in (from_file.rules(), overridden.rules()):
        for section, kind in SECTIONS.items():
            assert {field.name for field in fields(kind)} == set(EVERY_RULE[section])
            found = getattr(rules, section)
            for name, value in EVERY_RULE[section].items():
                assert plain(getattr(found, name)) == plain(value), f"{section}.{name}"
                assert plain(getattr(found, name)) != plain(default_of(kind, name)) or value is None


def default_of(kind: Any, name: str) -> Any:
    return next(field.default for field in fields(kind) if field.name == name)


def plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if value == float("inf") else value


def test_the_defaults_are_those_of_the_engine():
    assert config_of(tree()).rules() == ReplayRules()
    rules = config_of(tree()).rules()
    assert (rules.costs.taker_fee_bps, rules.costs.slippage_bps) == (5.0, 2.0)
    assert (rules.exits.stop_atr, rules.sizing.position_fraction) == (2.0, 0.25)
    assert (rules.limits.max_gross, rules.initial_cash) == (1.0, 100_000.0)


def test_naming_another_stop_leaves_the_default_one_out_but_not_a_stated_one():
    assert config_of(tree(exits={"stop_frac": 0.03})).rules().exits.stop_atr is None
    message = refused(tree(exits={"stop_atr": 2.0}), "exits.stop_frac=0.03")
    assert "exits.stop_atr and stop_frac are both set" in message


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("exits.take_profit_r=2", "exits.take_profit_r needs stop_atr or stop_frac"),
        ("sizing.method=risk", "sizing.method=risk needs exits.stop_atr or exits.stop_frac"),
        ("limits.max_heat=0.1", "limits.max_heat needs exits.stop_atr"),
    ],
)
def test_rules_that_need_a_stop_say_so(override: str, told: str):
    message = refused(tree(exits={"stop_atr": None}), override)
    assert told in message
    assert f"-s {override}" in message


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("exits.stop_art=3", "did you mean 'stop_atr'?"),
        ("costs.impct=1", "did you mean 'impact'?"),
        ("exits.taker_fee_bps=3", "did you mean 'costs.taker_fee_bps'?"),
        ("execution.stop_atr=3", "did you mean 'exits.stop_atr'?"),
        ("account.initial_cash=3", "did you mean 'initial_cash'?"),
        ("symbol_rules.BTCUSDT.tick=1", "did you mean 'tick_size'?"),
    ],
)
def test_a_misplaced_rule_is_told_where_it_lives(override: str, told: str):
    message = refused(tree(), override)
    assert "unknown key" in message
    assert told in message


def test_symbol_rules_belong_to_traded_symbols():
    content = tree(symbol_rules={"BTCUSDT": {"tick_size": 0.1, "sector": "majors"}})
    rules = config_of(content).rules_of_symbols()
    assert rules == {"BTCUSDT": SymbolRules(tick_size=0.1, sector="majors")}


def test_a_file_of_targets_states_its_own_orders():
    message = refused(tree(targets="a.csv"), "entry.kind=limit")
    assert "state order_kind and order_price in their file" in message


def traded(*symbols: str, venue: str = "binance", market: str) -> dict[str, Any]:
    """Spot signals, and these contracts traded on them."""
    pairs = [
        {"signals": SPOT, "traded": {"venue": venue, "market": market, "symbol": symbol}}
        for symbol in symbols
    ]
    return {"data": {"instruments": pairs}}


@pytest.mark.parametrize(
    ("content", "contract", "told"),
    [
        (
            traded("BTCUSD_PERP", market="cm_perp"),
            "linear",
            "margin.contract=linear contradicts data.instruments.0.traded=binance/cm_perp/BTCUSD_PERP",
        ),
        (
            traded("XBTUSD", venue="bitmex", market="inverse_perp"),
            "linear",
            "set margin.contract to inverse and initial_cash in coins",
        ),
        (
            traded("BTCUSDT", market="um_perp"),
            "inverse",
            "margin.contract=inverse contradicts data.instruments.0.traded=binance/um_perp/BTCUSDT",
        ),
        (tree(), "inverse", "data.instruments.0.signals=binance/spot/BTCUSDT"),
        (
            traded("BTCUSD_PERP", "ETHUSD_PERP", market="cm_perp"),
            "inverse",
            "data.instruments.0.traded settles in BTC, data.instruments.1.traded in ETH",
        ),
    ],
)
def test_contracts_are_those_of_the_instruments(content: dict[str, Any], contract: str, told: str):
    message = refused(content, f"margin.contract={contract}")
    assert message.startswith(f"-s margin.contract={contract}: margin.contract={contract}")
    assert told in message
    if contract == "linear":
        assert told in refused(content)


@pytest.mark.parametrize(
    "symbols",
    [("BTCUSD_PERP",), ("BTC-USD-SWAP", "XBTUSD"), ("BTC-PERPETUAL", "BTC"), ("BTCUSD", "BTCUSDT")],
)
def test_one_account_holds_the_contracts_of_one_coin(symbols: tuple[str, ...]):
    content = traded(*symbols, venue="v", market="inverse_perp")
    assert config_of(content, ["margin.contract=inverse"]).margin.rules().contract == "inverse"


def test_simulated_perpetuals_serve_for_either_contract():
    content = {"data": {"simulated": {}}, "margin": {"contract": "inverse"}}
    assert len(config_of(content).instruments) == 2


EFFECTS = {
    "exits.time_stop_max_r=0.5": ("set exits.time_stop_bars", ["exits.time_stop_bars=5"]),
    "exits.take_profit_is_limit=true": ("set a take_profit", ["exits.ladder=[[1, 0.5]]"]),
    "exits.limit_bars=5": ("set entry.kind", ["entry.kind=stop"]),
    "margin.leverage=3": ("set margin.mode to isolated", ["margin.mode=isolated"]),
}


@pytest.mark.parametrize(("override", "told"), [(key, told) for key, (told, _) in EFFECTS.items()])
def test_a_key_without_effect_is_refused_where_a_person_writes_it(
    tmp_path: Path, override: str, told: str
):
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(tree()), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"has no effect here") as caught:
        load_config(path, [override])
    assert str(caught.value).startswith(f"-s {override}: {override.split('=', maxsplit=1)[0]}=")
    assert told in str(caught.value)
    load_config(path, [override, *EFFECTS[override][1]])
    of_a_trial = [override, "origin.sweep=a", "origin.trial=3"]
    assert load_config(path, of_a_trial).origin is not None
    config_of(tree(), [override])


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
