"""The key ``heads.rules.user_rules``: rules of the user's own, read and looked up."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from datasets import SERIES_KINDS
from engine import ConfigError
from indicators import Indicator
from indicators.clock_join import plain_clocks
from strategies.expressions import parsed_condition
from strategies.user_rules import HIGHEST, UserRule

from .config_section import Label, Real, Section

MOST_RULES: Final = 50
KEY: Final = "heads.rules.user_rules"
_DIRECTIONS: Final = {"long": 1, "short": -1}
_CLOCKS: Final = ("bars", "universe", "benchmark", *SERIES_KINDS)
"""Clocks that there are, beside those that an indicator is meant for."""


def _readable(when: str) -> str:
    try:
        parsed_condition(when, {}, only_listed=False)
    except ConfigError as error:
        raise ValueError(f"is no condition: {error}") from None
    return when


class UserRuleConfig(Section):
    """A rule of the user's own: where ``when`` holds, it argues for ``direction``.

    ``when`` is an expression over features (docs/user-rules.md); ``probability`` and ``confidence`` are
    those of the signal.
    """

    name: Label
    direction: Literal["long", "short"]
    when: Annotated[str, Field(min_length=1), AfterValidator(_readable)]
    probability: Real = Field(ge=0.5, le=HIGHEST)
    confidence: Real = Field(ge=0, le=HIGHEST)


def user_rules(
    rules: Sequence[UserRuleConfig],
    indicators: Mapping[str, Indicator],
    *,
    only_listed: bool = True,
) -> tuple[UserRule, ...]:
    """The rules as the rules head takes them, every name of a feature looked up in ``indicators``.

    Unless ``only_listed``, an indicator that is not among them is taken as it is written. Raises
    ConfigError that names the key, the rule and the word that is wrong.
    """
    if len(rules) > MOST_RULES:
        raise ConfigError(f"{KEY} has {len(rules)} rules, {MOST_RULES} are allowed")
    names = [rule.name for rule in rules]
    # An indicator that is not listed may live on a clock of its own.
    clocks = _clocks(indicators) if rules and only_listed else ()
    made = []
    for index, rule in enumerate(rules):
        if rule.name in names[:index]:
            raise ConfigError(f"{KEY}.{index}.name={rule.name} is there already; name it otherwise")
        try:
            condition = parsed_condition(
                rule.when, indicators, only_listed=only_listed, clocks=clocks
            )
        except ConfigError as error:
            raise ConfigError(f"{KEY}.{index}.when of rule {rule.name!r}: {error}") from None
        made.append(
            UserRule(
                name=rule.name,
                direction=_DIRECTIONS[rule.direction],
                condition=condition,
                probability=rule.probability,
                confidence=rule.confidence,
            )
        )
    return tuple(made)


def _clocks(indicators: Mapping[str, Indicator]) -> tuple[str, ...]:
    meant = (one.only_clock for one in indicators.values() if one.only_clock is not None)
    parts = (part.partition(":")[0] for clock in meant for part in plain_clocks(clock))
    return tuple(dict.fromkeys((*_CLOCKS, *parts)))
