"""From text to an expression: a reader of words and a recursive descent over them, nothing else.

No text is ever run. What the grammar (docs/user-rules.md) has no form for cannot be said: there are
no attributes, no indices, no names but those of features and of the functions below.
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Final, NoReturn, cast, get_args

from engine import ConfigError
from indicators import INDICATORS_BY_NAME, Feature, Indicator, feature
from indicators.clock_join import plain_clocks
from indicators.feature_name import NEAR_ENOUGH, FeatureNameError, feature_within

from .syntax import (
    MOST_BARS,
    Arithmetic,
    ArithmeticSign,
    Column,
    Combination,
    Comparison,
    ComparisonSign,
    Condition,
    Crossing,
    CrossingFunction,
    Held,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Since,
    Windowed,
    WindowFunction,
    features_of,
)
from .words import Token, pointed, token_at

MOST_CHARACTERS: Final = 2_000
MOST_DEPTH: Final = 30
"""Brackets, signs and functions that may stand inside each other."""
MOST_PARTS: Final = 100
"""Operators and functions of one expression."""
BAR_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_WINDOWS: Final[tuple[WindowFunction, ...]] = get_args(WindowFunction)
_CROSSINGS: Final[tuple[CrossingFunction, ...]] = get_args(CrossingFunction)
FUNCTIONS: Final = (*_WINDOWS, *_CROSSINGS, "since", "held")
WORDS: Final = ("and", "or", "not")
_COMPARISONS: Final[tuple[ComparisonSign, ...]] = get_args(ComparisonSign)


def parsed_condition(
    text: str,
    indicators: Mapping[str, Indicator] = INDICATORS_BY_NAME,
    *,
    only_listed: bool = True,
    clocks: Collection[str] = (),
) -> Condition:
    """The condition that ``text`` writes; its features are looked up in ``indicators``.

    ``parsed_condition(str(condition), indicators) == condition``. Unless ``only_listed``, an indicator
    that is not among ``indicators`` is taken as it is written. ``clocks`` are those that there are, without
    what follows a colon; any where none is given. Raises ConfigError: its first line says what
    is wrong and what was meant, the second and third show the expression and point at the word.
    """
    return _Parser(text, indicators, only_listed, clocks).whole()


class _Parser:
    """One pass over the text; every method reads what its name says and stands behind it after."""

    def __init__(
        self,
        text: str,
        indicators: Mapping[str, Indicator],
        only_listed: bool,
        clocks: Collection[str],
    ) -> None:
        self.text = re.sub(r"\s", " ", text)
        self.indicators, self.only_listed, self.clocks = indicators, only_listed, clocks
        self.depth = self.parts = 0
        if len(text) > MOST_CHARACTERS:
            raise ConfigError(
                f"the expression has {len(text)} characters, {MOST_CHARACTERS} are allowed; write "
                "several rules"
            )
        self.token = self._token_at(0)

    def whole(self) -> Condition:
        start = self.token
        found = self._disjunction()
        if self.token.kind != "end":
            self._refuse(self.token, f"{self.token.told()} where the expression could end")
        condition = self._condition(found, start)
        if not features_of(condition):
            self._refuse(
                start, "it reads no feature, and would be the same on every bar", whole=True
            )
        return condition

    def _disjunction(self) -> Node:
        return self._combined("or", lambda: self._combined("and", self._negation))

    def _combined(self, word: str, operand: Callable[[], Node]) -> Node:
        start = self.token
        found = operand()
        while self._is("word", word):
            left = self._condition(found, start)
            self._count_part()
            self._next()
            right_start = self.token
            right = self._condition(operand(), right_start)
            found = Combination("and" if word == "and" else "or", left, right)
        return found

    def _negation(self) -> Node:
        if not self._is("word", "not"):
            return self._comparison()
        self._count_part()
        self._deeper()
        self._next()
        start = self.token
        found = Not(self._condition(self._negation(), start))
        self.depth -= 1
        return found

    def _comparison(self) -> Node:
        start = self.token
        left = self._sum()
        if self._is("sign", "="):
            self._refuse(self.token, "'=' says nothing here; did you mean '=='?")
        sign = next((one for one in _COMPARISONS if self._is("sign", one)), None)
        if sign is None:
            return left
        self._count_part()
        number = self._number_of(left, start)
        self._next()
        right_start = self.token
        right = self._number_of(self._sum(), right_start)
        if any(self._is("sign", one) for one in _COMPARISONS):
            self._refuse(
                self.token, "comparisons do not chain; write a < b and b < c instead of a < b < c"
            )
        return Comparison(sign, number, right)

    def _sum(self) -> Node:
        return self._calculated(("+", "-"), lambda: self._calculated(("*", "/"), self._signed))

    def _calculated(self, signs: tuple[ArithmeticSign, ...], operand: Callable[[], Node]) -> Node:
        start = self.token
        found = operand()
        while (sign := next((one for one in signs if self._is("sign", one)), None)) is not None:
            left = self._number_of(found, start)
            self._count_part()
            self._next()
            right_start = self.token
            found = Arithmetic(sign, left, self._number_of(operand(), right_start))
        return found

    def _signed(self) -> Node:
        if not self._is("sign", "-"):
            return self._primary()
        self._count_part()
        self._deeper()
        self._next()
        start = self.token
        found = Negative(self._number_of(self._signed(), start))
        self.depth -= 1
        return found

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            self._next()
            return Number(self._finite(token))
        if self._is("sign", "("):
            self._deeper()
            self._next()
            found = self._disjunction()
            self._take(")", "')'")
            self.depth -= 1
            return found
        if token.kind != "word" or token.text in WORDS:
            self._refuse(token, f"a number, a feature or a function is expected, {token.told()}")
        following = self._token_at(token.end)
        if following.text == ".":
            return Column(self._feature(token))
        if following.text == "(" and token.text in FUNCTIONS:
            return self._function(token)
        if token.text in BAR_COLUMNS and following.text not in ("(", "@"):
            self._next()
            return Column(feature("bar", token.text))
        self._refuse(token, self._unknown(token, following))

    def _function(self, name: Token) -> Node:
        self._count_part()
        self._deeper()
        self._next()
        self._take("(", "'('")
        found: Node
        if name.text == "since":
            found = Since(self._condition_argument())
        elif name.text == "held":
            condition = self._condition_argument()
            found = Held(condition, self._bars(name))
        elif name.text in _WINDOWS:
            operand = self._number_argument()
            found = Windowed(name.text, operand, self._bars(name))
        else:
            left = self._number_argument()
            self._take(",", f"',' and a second number: {name.text}(a, b)")
            found = Crossing(cast(CrossingFunction, name.text), left, self._number_argument())
        self._take(")", "')'")
        self.depth -= 1
        return found

    def _condition_argument(self) -> Condition:
        start = self.token
        return self._condition(self._disjunction(), start)

    def _number_argument(self) -> Numeric:
        start = self.token
        return self._number_of(self._disjunction(), start)

    def _bars(self, name: Token) -> int:
        """The whole number of bars that a function looks back, written out."""
        self._take(",", f"',' and a number of bars: {name.text}(x, 5)")
        token = self.token
        if self._is("sign", "-"):
            self._refuse(
                token, f"{name.text} looks back; a negative number of bars would reach a later row"
            )
        if token.kind != "number":
            self._refuse(
                token,
                f"a number of bars is expected, written out: a whole number from 1 to {MOST_BARS}",
            )
        value = self._finite(token)
        if value != int(value) or not 1 <= value <= MOST_BARS:
            self._refuse(token, f"a number of bars must be a whole number from 1 to {MOST_BARS}")
        self._next()
        return int(value)

    def _feature(self, token: Token) -> Feature:
        try:
            found, end = feature_within(
                self.text, token.start, self.indicators, only_listed=self.only_listed
            )
        except FeatureNameError as error:
            self._refuse(self._token_at(error.place), error.rule)
        for clock in plain_clocks(found.clock) if self.clocks else ():
            if clock.partition(":")[0] not in self.clocks:
                place = max(self.text.rfind(clock, token.start, end), token.start)
                near = difflib.get_close_matches(clock, self.clocks, n=1, cutoff=NEAR_ENOUGH)
                self._refuse(
                    Token("word", clock, place, place + len(clock)),
                    f"there is no clock {clock!r}; {f'did you mean {near[0]!r}? ' if near else ''}there "
                    f"are {', '.join(sorted(self.clocks))}, and bars:4h and the like; put spaces around a "
                    "'+' that adds",
                )
        self.token = self._token_at(end)
        return found

    def _condition(self, node: Node, start: Token) -> Condition:
        if isinstance(node, Condition):
            return node
        self._refuse(
            start,
            "this is a number, a condition is expected; compare it, such as x > 0",
            whole=True,
        )

    def _number_of(self, node: Node, start: Token) -> Numeric:
        if isinstance(node, Numeric):
            return node
        self._refuse(start, "this is a condition, a number is expected", whole=True)

    def _finite(self, token: Token) -> float:
        value = float(token.text)
        if not isfinite(value):
            self._refuse(token, "is no finite number")
        return value

    def _unknown(self, token: Token, following: Token) -> str:
        names = [*FUNCTIONS, *BAR_COLUMNS, *WORDS]
        if token.text in FUNCTIONS:
            return f"{token.text!r} is a function; its arguments follow in brackets"
        if token.text in BAR_COLUMNS:
            return (
                f"{token.text!r} is the bar's own column; write bar.{token.text}@bars:4h for that of a "
                "longer bar"
            )
        if token.text in self.indicators:
            outputs = ", ".join(
                f"{token.text}.{output.name}" for output in self.indicators[token.text].outputs
            )
            return f"{token.text!r} is an indicator; name one of its outputs: {outputs}"
        near = difflib.get_close_matches(token.text, names, n=1, cutoff=NEAR_ENOUGH)
        what = "function" if following.text == "(" else "name"
        hint = f"did you mean {near[0]!r}? " if near else ""
        return (
            f"{token.text!r} is no {what} here; {hint}there are the functions "
            f"{', '.join(FUNCTIONS)}, the columns {', '.join(BAR_COLUMNS)}, and features, such as rsi.rsi"
        )

    def _is(self, kind: str, text: str) -> bool:
        return self.token.kind == kind and self.token.text == text

    def _take(self, sign: str, what: str) -> None:
        if not self._is("sign", sign):
            self._refuse(self.token, f"{what} is expected, {self.token.told()}")
        self._next()

    def _next(self) -> None:
        self.token = self._token_at(self.token.end)

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self._refuse(self.token, f"more than {MOST_DEPTH} things stand inside each other here")

    def _count_part(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            self._refuse(
                self.token, f"more than {MOST_PARTS} operators and functions; write several rules"
            )

    def _token_at(self, at: int) -> Token:
        return token_at(self.text, at)

    def _refuse(self, token: Token, rule: str, *, whole: bool = False) -> NoReturn:
        """Raise with carets under ``token``, or under all from there to what was read last."""
        end = max(self.token.start, token.end) if whole else token.end
        raise ConfigError(f"{rule}\n{pointed(self.text, token.start, end)}")
