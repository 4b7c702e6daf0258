"""What the sections of a configuration must agree on: contracts with instruments, keys with effects."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from datasets.keys import SIMULATED_VENUE
from datasets.symbols import spellings
from engine import ConfigError, Margin

from .config_data import InstrumentPair

if TYPE_CHECKING:
    from .config import RunConfig

INVERSE_MARKETS: Final = ("cm_", "inverse_")
"""How the markets begin whose contracts settle in the coin."""


def check_contract(instruments: Sequence[InstrumentPair], contract: str) -> None:
    """Refuse instruments whose contracts are not of the kind that ``margin.contract`` says.

    One account holds one settlement currency, so that inverse contracts of two coins are refused too.
    Instruments of the simulated market are exempt from both. Raises ConfigError.
    """
    coins: dict[str, set[str]] = {}
    for index, pair in enumerate(instruments):
        traded = pair.traded or pair.signals
        key = f"data.instruments.{index}.{'signals' if pair.traded is None else 'traded'}"
        if traded.venue == SIMULATED_VENUE:
            continue
        is_inverse = traded.market.startswith(INVERSE_MARKETS)
        if is_inverse and contract == "linear":
            raise ConfigError(
                f"margin.contract=linear contradicts {key}={traded}: contracts of {traded.market} settle "
                "in the coin; set margin.contract to inverse and initial_cash in coins"
            )
        if contract == "inverse" and not is_inverse:
            raise ConfigError(
                f"margin.contract=inverse contradicts {key}={traded}: {traded.market} does not settle in "
                "the coin; set margin.contract to linear, or trade cm_perp (Binance) or inverse_perp"
            )
        if is_inverse:
            coins[key] = _coins(traded.symbol)
    for key, found in coins.items():
        first = next(iter(coins))
        if not found & coins[first]:
            raise ConfigError(
                f"margin.contract=inverse: {first} settles in {_words(coins[first])}, {key} in "
                f"{_words(found)}; an account holds one coin, trade them in runs of their own"
            )


def _coins(symbol: str) -> set[str]:
    """What the base of a venue's symbol may be."""
    try:
        return {reading.base for reading in spellings(symbol)}
    except ConfigError:
        # No known venue spells it so: its base is what stands before the usual marks.
        return {symbol.upper().partition("-")[0].partition("_")[0]}


def _words(coins: set[str]) -> str:
    return " or ".join(sorted(coins))


def check_weights(own: Sequence[str], weights: Mapping[str, float]) -> None:
    """ConfigError unless each head of the user's ``own`` has a weight: nothing states a default."""
    for name in own:
        if name not in weights:
            raise ConfigError(
                f"consensus.weights.{name} is missing: give the head of heads.files a weight, such as "
                "0.1; those of the nine sum to 1"
            )


def check_effects(config: "RunConfig") -> None:
    """Refuse a key that was set and changes nothing beside the others; ConfigError says what it needs.

    This is for configurations that a person writes. Trials of a sweep, and what is written out from
    them, may hold such keys: a search combines all values of one key with all of another.
    """
    exits, margin = config.exits.rules(), config.margin.rules()
    targets = (exits.take_profit_atr, exits.take_profit_frac, exits.take_profit_r)
    has_target = bool(exits.ladder) or any(level is not None for level in targets)
    if exits.time_stop_max_r is not None and exits.time_stop_bars is None:
        raise _without_effect(
            "exits.time_stop_max_r", exits.time_stop_max_r, "set exits.time_stop_bars"
        )
    if exits.take_profit_is_limit and not has_target:
        raise _without_effect(
            "exits.take_profit_is_limit", "true", "set a take_profit or a ladder in exits"
        )
    if exits.limit_bars is not None and config.entry.kind == "market" and config.targets is None:
        raise _without_effect(
            "exits.limit_bars", exits.limit_bars, "set entry.kind to limit or stop"
        )
    if config.heads.has_user_rules and "rules" not in config.heads.enabled:
        raise ConfigError(
            "heads.rules.user_rules has no effect here: add rules to heads.enabled, or leave it out"
        )
    if margin.leverage != Margin().leverage and margin.mode != "isolated":
        raise _without_effect(
            "margin.leverage",
            margin.leverage,
            "set margin.mode to isolated, or limit the whole account with limits.max_gross",
        )


def _without_effect(key: str, value: Any, remedy: str) -> ConfigError:
    return ConfigError(f"{key}={value} has no effect here: {remedy}, or leave it out")
