"""Rules of the user's own: a condition over features, the side it argues for, and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bool1D, ConfigError, Float1D
from indicators import Feature

from .base import HeadInputs, check_range
from .expressions import Condition, Truth, bars_back, evaluated, features_of, parsed_condition

HIGHEST: Final = 0.95
"""Most that the probability and the confidence of a pattern, a rule or their head may be."""


@dataclass(frozen=True, slots=True)
class UserRule:
    """A signal of side ``direction`` (1 long, -1 short) on every bar on which ``condition`` holds.

    ``probability`` in [.5, .95] and ``confidence`` in [0, .95] are its own, as those of a head. Raises
    ConfigError outside these ranges.
    """

    name: str
    direction: int
    condition: Condition
    probability: float
    confidence: float

    def __post_init__(self) -> None:
        if self.direction not in (-1, 1):
            raise ConfigError(f"rule {self.name!r}: direction={self.direction} must be 1 or -1")
        rule = f"rule {self.name!r} of the rules"
        check_range(rule, 0.5, HIGHEST, probability=self.probability)
        check_range(rule, 0.0, HIGHEST, confidence=self.confidence)


@dataclass(frozen=True, slots=True, eq=False)
class RuleSignals:
    """The rules of one side that fire, on each row; every array is ``(T,)``.

    ``count`` of them, the sum of their ``confidence``, their highest ``probability`` (0 where none
    fires), as float64.
    """

    count: Float1D
    confidence: Float1D
    probability: Float1D

    @property
    def fired(self) -> Bool1D:
        """Rows on which a rule of this side fires."""
        return self.count > 0


def rule_features(rules: Sequence[UserRule]) -> dict[str, Feature]:
    """Every feature that the rules read, by the text of its name."""
    return {str(one): one for rule in rules for one in features_of(rule.condition)}


def rule_bars_back(rules: Sequence[UserRule]) -> int:
    """Rows before its own that a row of the rules may depend on, those of their features apart."""
    return max((bars_back(rule.condition) for rule in rules), default=0)


def rule_signals(
    rules: Sequence[UserRule], inputs: HeadInputs
) -> tuple[Mapping[int, RuleSignals], Float1D]:
    """What the rules say, by side; and the share of them of which it is known, float64 ``(T,)``.

    Features come from ``inputs`` under the names of ``rule_features``. A rule whose condition is not
    known on a row does not fire there. Without rules the share is 0.
    """
    zeros = np.zeros(inputs.rows)
    sides = {side: RuleSignals(zeros.copy(), zeros.copy(), zeros.copy()) for side in (1, -1)}
    known = zeros.copy()
    for rule in rules:
        truth = _truth_of(rule, inputs)
        known += truth.known / len(rules)
        signals = sides[rule.direction]
        signals.count[truth.holds] += 1.0
        signals.confidence[truth.holds] += rule.confidence
        signals.probability[truth.holds] = np.maximum(
            signals.probability[truth.holds], rule.probability
        )
    return sides, np.minimum(known, 1.0)


def fired_rows(rules: Sequence[UserRule], inputs: HeadInputs) -> dict[str, Bool1D]:
    """The rows on which each rule fires, by its name, bool ``(T,)``."""
    return {rule.name: _truth_of(rule, inputs).holds for rule in rules}


def _truth_of(rule: UserRule, inputs: HeadInputs) -> Truth:
    columns = {
        one: column
        for one in features_of(rule.condition)
        if (column := inputs.get(str(one))) is not None
    }
    return evaluated(rule.condition, columns, inputs.rows)


SAMPLE: Final = tuple(
    UserRule(name, side, parsed_condition(when), 0.7, 0.75)
    for name, side, when in (
        ("dip", 1, "rsi.rsi(length=14) < 35 and since(close == lowest(close, 48)) > 2"),
        ("rally", -1, "rsi.rsi(length=14) > 65 and since(close == highest(close, 48)) > 2"),
        ("turn_up", 1, "crosses_above(close, mean(close, 24)) and previous(open, 3) > open"),
        ("turn_down", -1, "crosses_below(close, mean(close, 24)) and previous(open, 3) < open"),
        ("climb", 1, "held(change(close, 2) > 0, 4) and not rsi.rsi(length=14)@bars:4h > 70"),
        ("slide", -1, "held(change(close, 2) < 0, 4) and not rsi.rsi(length=14)@bars:4h < 30"),
    )
)
"""Rules that use every function, for the checks; no advice."""
