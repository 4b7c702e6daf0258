"""The rules of a run in words, for its report."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from .formats import counted

Values: TypeAlias = Mapping[str, Any]


def rules_text(config: Values) -> list[tuple[str, str]]:
    """(what, how) of everything that is in force, from the resolved configuration."""
    rows = [
        ("enters by", _entry(config)),
        ("fees", _fees(config["costs"])),
        ("spread and impact", _slippage(config["costs"])),
        ("stop", _stop(config["exits"])),
        ("take profit", _take_profit(config["exits"])),
        ("time stop", _time_stop(config["exits"])),
        ("initial cash", f"{config['initial_cash']:,.2f}"),
        ("position", _position(config["sizing"])),
        *_limits(config["limits"]),
        ("margin", _margin(config["margin"])),
    ]
    if config["costs"]["borrow_annual"]:
        rows.append(
            (
                "borrowing",
                f"{config['costs']['borrow_annual']:.2%} a year on shorts, perpetuals too",
            )
        )
    if config["targets"] is None:
        rows += _consensus(config["consensus"])
    return rows


def _entry(config: Values) -> str:
    entry, exits = config["entry"], config["exits"]
    lives = f"for {exits['limit_bars']} bars" if exits["limit_bars"] else "until it is replaced"
    if config["targets"] is not None:
        return (
            "the orders that the file of targets states: market at the next open, or a limit or stop that "
            f"rests {lives}"
        )
    if entry["kind"] == "market":
        return "market order at the next open"
    return (
        f"{entry['kind']} order {entry['offset_atr']:g} average true ranges from the close, {lives}"
    )


def _fees(costs: Values) -> str:
    text = f"taker {costs['taker_fee_bps']:g}, maker {costs['maker_fee_bps']:g} bps of the notional"
    if costs["fee_tiers"]:
        text += f"; {len(costs['fee_tiers'])} tiers by 30-day volume"
    return text


def _slippage(costs: Values) -> str:
    parts = [f"{costs['slippage_bps']:g} bps of the price, taker fills"]
    if costs["slippage_atr"]:
        parts.append(f"{costs['slippage_atr']:g} average true ranges")
    if costs["impact"]:
        parts.append(f"square-root impact {costs['impact']:g}")
    if costs["participation"] is not None:
        parts.append(f"at most {costs['participation']:.1%} of a bar's volume")
    return "; ".join(parts)


def _distance(section: Values, atr: str, frac: str) -> str | None:
    if section[atr] is not None:
        return f"{section[atr]:g} average true ranges"
    return None if section[frac] is None else f"{section[frac]:.2%} of the price"


def _stop(exits: Values) -> str:
    parts = [_distance(exits, "stop_atr", "stop_frac") or "none"]
    trail = _distance(exits, "trail_atr", "trail_frac")
    if trail:
        top = f" of {exits['trail_bars']} bars" if exits["trail_bars"] else ""
        parts.append(f"trailing {trail} behind the best price{top}")
    if exits["break_even_r"] is not None:
        parts.append(f"break even from {exits['break_even_r']:g} R")
    return "; ".join(parts)


def _take_profit(exits: Values) -> str:
    level = _distance(exits, "take_profit_atr", "take_profit_frac")
    if exits["take_profit_r"] is not None:
        level = f"{exits['take_profit_r']:g} R"
    parts = [level or "none"]
    parts += [f"{share:.0%} at {multiple:g} R" for multiple, share in exits["ladder"]]
    if exits["take_profit_is_limit"]:
        parts.append("resting limits")
    return "; ".join(parts)


def _time_stop(exits: Values) -> str:
    if exits["time_stop_bars"] is None:
        return "none"
    text = f"{exits['time_stop_bars']} bars"
    if exits["time_stop_max_r"] is not None:
        text += f", when the open result is below {exits['time_stop_max_r']:g} R"
    return text


def _position(sizing: Values) -> str:
    text = {
        "fraction": f"{sizing['position_fraction']:.1%} of equity for each symbol",
        "risk": f"as much as loses {sizing['risk_frac']:.2%} of equity at the stop",
        "volatility": f"{sizing['volatility_target']:.1%} annual volatility for each symbol",
    }[sizing["method"]]
    if sizing["kelly"] is not None:
        text += f"; at most {sizing['kelly']:g} of the shrunk Kelly fraction"
    return text


def _limits(limits: Values) -> list[tuple[str, str]]:
    words = {
        "max_gross": "gross exposure of {:g} × equity",
        "max_position": "{:g} × equity in one position",
        "max_positions": "{:g} positions at once",
        "max_heat": "{:.2%} of equity lost if every stop were hit",
        "max_sector": "{:g} × equity in one sector",
        "max_correlation": "a correlation of {:g} with a held position",
    }
    told = [words[name].format(limits[name]) for name in words if limits[name] is not None]
    rows = [("at most", "; ".join(told))]
    if limits["drawdown_halt"] is not None:
        rows.append(
            (
                "drawdown",
                f"orders shrink from {limits['drawdown_start']:.1%} to nothing at "
                f"{limits['drawdown_halt']:.1%}",
            )
        )
    return rows


def _margin(margin: Values) -> str:
    if margin["mode"] == "none":
        return "none: a spot account without liquidation"
    leverage = f", leverage {margin['leverage']:g}" if margin["mode"] == "isolated" else ""
    tier = margin["tiers"][0]
    return (
        f"{margin['contract']}, {margin['mode']}{leverage}; maintenance from "
        f"{tier['maintenance']:.2%}, liquidation fee {margin['liquidation_fee_bps']:g} bps"
    )


def _consensus(consensus: Values) -> list[tuple[str, str]]:
    veto = consensus["max_opposite"]
    return [
        (
            "head counts when",
            f"its probability ≥ {consensus['p_min']:g} and its confidence ≥ {consensus['c_min']:g}",
        ),
        (
            "consensus stands when",
            f"{counted(consensus['quorum'], 'head')} agree{'s' if consensus['quorum'] == 1 else ''}, their "
            f"weight ≥ {consensus['weight_min']:g}, signed score ≥ {consensus['score_min']:g}, "
            f"weighted mean confidence with its bonuses ≥ {consensus['consensus_c_min']:g}, weighted mean "
            f"probability ≥ {consensus['consensus_p_min']:g}"
            + ("" if veto is None else f", at most {veto} oppose"),
        ),
    ]
