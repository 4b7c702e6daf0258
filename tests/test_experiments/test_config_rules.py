"""The engine's rules in a configuration: names, defaults, and what one rule asks of another."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import ConfigError, Costs, Exits, Limits, Margin, ReplayRules, Sizing, SymbolRules
from experiments import config_of, load_config
from tests.test_experiments.config_trees import COIN, SPOT, refused, tree

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
    of_a_trial = [override, "origin.sweep=a", "origin.trial=3", f"origin.trial_hash={'a' * 64}"]
    assert load_config(path, of_a_trial).origin is not None
    config_of(tree(), [override])
