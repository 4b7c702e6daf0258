"""Configurations around one, drawn with a seed: what a search over them might ask a sweep for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import yaml

from engine import ConfigError

from ..config import RunConfig
from ..config_file import config_of, resolved

TRIES: Final = 100
"""Draws for one configuration, since some rules exclude each other."""
_Draw = Callable[[np.random.Generator, Mapping[str, Any]], dict[str, Any]]


def sampled_configs(config: RunConfig, count: int, seed: int) -> list[tuple[RunConfig, list[str]]]:
    """``count`` configurations, ``config`` itself first, each with the overrides that lead to it.

    Every other one stays with what nearly every search varies (gates, weights, one stop, one target,
    size, fees); the others take rules from all sections. Raises ConfigError when nothing valid is
    found around ``config``.
    """
    generator = np.random.default_rng(seed)
    tree = resolved(config)
    samples: list[tuple[RunConfig, list[str]]] = [(config, [])]
    while len(samples) < count:
        draws = COMMON if len(samples) % 2 else (*COMMON, *RARE)
        samples.append(_sampled(tree, draws, generator))
    return samples[:count]


def _sampled(
    tree: Mapping[str, Any], draws: tuple[_Draw, ...], generator: np.random.Generator
) -> tuple[RunConfig, list[str]]:
    problem = None
    for _ in range(TRIES):
        changed: dict[str, Any] = {}
        for draw in draws:
            changed |= draw(generator, tree)
        overrides = [f"{key}={_as_yaml(value)}" for key, value in changed.items()]
        try:
            return config_of(tree, overrides), overrides
        except ConfigError as error:
            problem = error
    raise ConfigError(f"no valid configuration around this one in {TRIES} draws; last: {problem}")


def _as_yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("\n...\n").strip()


def _near(generator: np.random.Generator, value: float, spread: float = 0.5) -> float:
    """``value`` times a factor around 1, with four digits."""
    return float(f"{value * np.exp(spread * generator.standard_normal()):.4g}")


def _maybe(generator: np.random.Generator, chance: float) -> bool:
    return bool(generator.random() < chance)


def _gates(generator: np.random.Generator, tree: Mapping[str, Any]) -> dict[str, Any]:
    consensus = tree["consensus"]
    ranges = {
        "p_min": (0.5, 0.9),
        "c_min": (0.0, 0.95),
        "weight_min": (0.0, 0.9),
        "score_min": (-1.0, 0.5),
        "consensus_c_min": (0.0, 0.95),
        "consensus_p_min": (0.5, 0.9),
    }
    changed: dict[str, Any] = {
        f"consensus.{name}": round(
            float(np.clip(consensus[name] + 0.06 * generator.standard_normal(), low, high)), 3
        )
        for name, (low, high) in ranges.items()
    }
    quorum = consensus["quorum"] + int(generator.integers(-1, 2))
    changed["consensus.quorum"] = int(np.clip(quorum, 1, 9))
    changed["consensus.max_opposite"] = (
        None if _maybe(generator, 0.6) else int(generator.integers(3))
    )
    changed["consensus.exit_on_flat"] = _maybe(generator, 0.4)
    changed["consensus.hold_bars"] = (
        None if _maybe(generator, 0.6) else int(generator.integers(2, 80))
    )
    return changed


def _weights(generator: np.random.Generator, tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"consensus.weights.{head}": 0.0
        if _maybe(generator, 0.1)
        else min(_near(generator, max(weight, 0.01)), 1.0)
        for head, weight in tree["consensus"]["weights"].items()
    }


def _levels(generator: np.random.Generator, tree: Mapping[str, Any]) -> dict[str, Any]:
    """One stop or none, one target or none, a time stop or none."""
    stop_atr = tree["exits"]["stop_atr"] or 2.0
    stop = generator.choice(["atr", "frac", "none"], p=[0.6, 0.25, 0.15])
    target = generator.choice(["none", "atr", "frac", "r"], p=[0.4, 0.2, 0.2, 0.2])
    return {
        "exits.stop_atr": _near(generator, stop_atr) if stop == "atr" else None,
        "exits.stop_frac": _near(generator, 0.02) if stop == "frac" else None,
        "exits.take_profit_atr": _near(generator, 3.0) if target == "atr" else None,
        "exits.take_profit_frac": _near(generator, 0.03) if target == "frac" else None,
        "exits.take_profit_r": _near(generator, 1.5) if target == "r" else None,
        "exits.take_profit_is_limit": _maybe(generator, 0.3),
        "exits.time_stop_bars": None if _maybe(generator, 0.6) else int(generator.integers(2, 100)),
    }


def _account(generator: np.random.Generator, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes up to where liquidation begins, fees, cash."""
    mode = "none" if _maybe(generator, 0.2) else "cross"
    greatest = 1.0 if mode == "none" else 8.0
    fraction = min(_near(generator, tree["sizing"]["position_fraction"], 1.0), greatest)
    gross = fraction * float(generator.choice([1, 1.5, 3]))
    return {
        "initial_cash": _near(generator, tree["initial_cash"]),
        "sizing.position_fraction": fraction,
        "limits.max_gross": round(min(gross, 1.25 * greatest if mode == "cross" else 1.0), 6),
        "costs.taker_fee_bps": _near(generator, 5.0),
        "costs.maker_fee_bps": round(float(generator.uniform(-1.0, 3.0)), 3),
        "costs.slippage_bps": _near(generator, 2.0),
        "margin.mode": mode,
        "margin.liquidation_fee_bps": _near(generator, 50.0),
    }


def _more_exits(generator: np.random.Generator, _tree: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if _maybe(generator, 0.3):
        changed["exits.trail_atr"] = _near(generator, 3.0)
        changed["exits.trail_frac"] = None
    elif _maybe(generator, 0.3):
        changed["exits.trail_atr"] = None
        changed["exits.trail_frac"] = _near(generator, 0.03)
    if _maybe(generator, 0.2) and changed:
        changed["exits.trail_bars"] = int(generator.integers(1, 30))
    if _maybe(generator, 0.2):
        changed["exits.break_even_r"] = _near(generator, 1.0)
    if _maybe(generator, 0.2):
        changed["exits.ladder"] = [[0.75, 0.3], [1.5, 0.3]]
    if _maybe(generator, 0.2):
        changed["exits.time_stop_bars"] = int(generator.integers(2, 60))
        changed["exits.time_stop_max_r"] = round(float(generator.uniform(-0.5, 1.0)), 2)
    return changed


def _entries(generator: np.random.Generator, _tree: Mapping[str, Any]) -> dict[str, Any]:
    """At the market, or resting at a price beside the close for some bars."""
    kind = str(generator.choice(["market", "limit", "stop"], p=[0.5, 0.3, 0.2]))
    if kind == "market":
        return {"entry.kind": kind, "entry.offset_atr": 0.0}
    return {
        "entry.kind": kind,
        "entry.offset_atr": round(float(generator.uniform(0.0, 2.0)), 2),
        "exits.limit_bars": None if _maybe(generator, 0.3) else int(generator.integers(1, 24)),
    }


def _more_costs(generator: np.random.Generator, _tree: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if _maybe(generator, 0.2):
        changed["costs.slippage_atr"] = _near(generator, 0.05)
    if _maybe(generator, 0.2):
        changed["costs.impact"] = _near(generator, 0.5)
    if _maybe(generator, 0.15):
        changed["costs.participation"] = 0.01
    if _maybe(generator, 0.2):
        changed["costs.borrow_annual"] = _near(generator, 0.1)
    if _maybe(generator, 0.2):
        tier = {"volume_from": 50_000.0, "maker_fee_bps": 1.0, "taker_fee_bps": 3.0}
        changed["costs.fee_tiers"] = [tier]
    return changed


def _more_sizing(generator: np.random.Generator, tree: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if _maybe(generator, 0.25):
        changed |= {"sizing.method": "risk", "sizing.risk_frac": _near(generator, 0.01)}
    elif _maybe(generator, 0.25):
        target = _near(generator, tree["sizing"]["volatility_target"])
        changed |= {"sizing.method": "volatility", "sizing.volatility_target": target}
    if _maybe(generator, 0.15):
        changed["sizing.kelly"] = round(float(generator.uniform(0.1, 1.0)), 2)
    for name, value in (
        ("max_position", 0.5),
        ("max_positions", 1),
        ("max_heat", 0.02),
        ("max_sector", 1.0),
        ("max_correlation", 0.5),
    ):
        if _maybe(generator, 0.12):
            changed[f"limits.{name}"] = value
    if _maybe(generator, 0.15):
        changed |= {"limits.drawdown_start": 0.02, "limits.drawdown_halt": 0.3}
    return changed


def _more_margin(generator: np.random.Generator, _tree: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if _maybe(generator, 0.2):
        leverage = float(generator.choice([5.0, 10.0, 20.0]))
        changed |= {"margin.mode": "isolated", "margin.leverage": leverage}
    if _maybe(generator, 0.15):
        changed |= {"margin.contract": "inverse", "margin.mode": "cross"}
    if _maybe(generator, 0.25):
        changed["margin.tiers"] = [
            {"notional_to": 100_000.0, "maintenance": 0.01, "max_leverage": 50.0},
            {"notional_to": None, "maintenance": 0.04, "max_leverage": 20.0},
        ]
    return changed


COMMON: Final = (_gates, _weights, _levels, _account)
RARE: Final = (_entries, _more_exits, _more_costs, _more_sizing, _more_margin)
