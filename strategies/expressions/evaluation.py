"""An expression on all rows at once: row *t* is made of rows up to *t*."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bool1D, Float1D
from indicators import Feature
from indicators.rolling import rolling_max, rolling_mean, rolling_min

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
    Held,
    Negative,
    Not,
    Number,
    Numeric,
    Since,
    Windowed,
)

_COMPARE: Final[Mapping[ComparisonSign, Callable[[Float1D, Float1D], Bool1D]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_CALCULATE: Final[Mapping[ArithmeticSign, Callable[[Float1D, Float1D], Float1D]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of a condition on each row: ``holds`` and ``fails`` are bool ``(T,)``.

    Both are false where it is not known; they are never both true.
    """

    holds: Bool1D
    fails: Bool1D

    @property
    def known(self) -> Bool1D:
        """Rows on which it is known whether the condition holds, bool ``(T,)``."""
        return self.holds | self.fails


def evaluated(condition: Condition, columns: Mapping[Feature, Float1D], rows: int) -> Truth:
    """What ``condition`` says on each of ``rows`` rows; row *t* depends on rows up to *t* only.

    ``columns`` are float64 ``(rows,)``, NaN where nothing is known; a feature without a column is known
    nowhere. A comparison with an unknown number is unknown. Of the others (Kleene's logic): ``and``
    fails where one side fails and holds where both hold, ``or`` the other way round, ``not`` turns what
    is known; what remains is unknown.
    """
    return _Evaluation(columns, rows).truth(condition)


class _Evaluation:
    def __init__(self, columns: Mapping[Feature, Float1D], rows: int) -> None:
        self.columns, self.rows = columns, rows

    def truth(self, condition: Condition) -> Truth:
        match condition:
            case Comparison(sign=sign, left=left, right=right):
                return _compared(sign, self.number(left), self.number(right))
            case Crossing(function=function, left=left, right=right):
                first, second = self.number(left), self.number(right)
                beyond: ComparisonSign = ">" if function == "crosses_above" else "<"
                within: ComparisonSign = "<=" if function == "crosses_above" else ">="
                return _both(
                    _compared(beyond, first, second),
                    _compared(within, _previous(first, 1), _previous(second, 1)),
                )
            case Held(condition=inner, bars=bars):
                found = self.truth(inner)
                return Truth(
                    holds=_rows_since(~found.holds, start=0) >= bars,
                    fails=_rows_since(found.fails, start=self.rows + bars) < bars,
                )
            case Not(condition=inner):
                found = self.truth(inner)
                return Truth(holds=found.fails, fails=found.holds)
            case Combination(word=word, left=one, right=other):
                first_truth, second_truth = self.truth(one), self.truth(other)
                if word == "and":
                    return _both(first_truth, second_truth)
                return Truth(
                    holds=first_truth.holds | second_truth.holds,
                    fails=first_truth.fails & second_truth.fails,
                )

    def number(self, numeric: Numeric) -> Float1D:
        """Its value on each row, float64 ``(T,)``; NaN where it is not known or not finite."""
        match numeric:
            case Number(value=value):
                return np.full(self.rows, value)
            case Column(feature=feature):
                column = self.columns.get(feature)
                return np.full(self.rows, np.nan) if column is None else _finite(column)
            case Negative(operand=operand):
                return -self.number(operand)
            case Arithmetic(sign=sign, left=left, right=right):
                return _calculated(sign, self.number(left), self.number(right))
            case Windowed(function=function, operand=operand, bars=bars):
                values = self.number(operand)
                match function:
                    case "previous":
                        return _previous(values, bars)
                    case "change":
                        return _calculated("-", values, _previous(values, bars))
                    case "highest":
                        return rolling_max(values, bars)
                    case "lowest":
                        return rolling_min(values, bars)
                    case "mean":
                        return _finite(rolling_mean(values, bars))
            case Since(condition=condition):
                return _since(self.truth(condition))


def _compared(sign: ComparisonSign, left: Float1D, right: Float1D) -> Truth:
    known = ~(np.isnan(left) | np.isnan(right))
    answer = _COMPARE[sign](left, right)
    return Truth(holds=known & answer, fails=known & ~answer)


def _both(one: Truth, other: Truth) -> Truth:
    return Truth(holds=one.holds & other.holds, fails=one.fails | other.fails)


def _calculated(sign: ArithmeticSign, left: Float1D, right: Float1D) -> Float1D:
    with np.errstate(all="ignore"):
        return _finite(_CALCULATE[sign](left, right))


def _finite(values: Float1D) -> Float1D:
    """``values``; what is infinite, such as a division by zero, is not known."""
    return np.where(np.isfinite(values), values, np.nan)


def _previous(values: Float1D, bars: int) -> Float1D:
    found = np.full(len(values), np.nan)
    found[bars:] = values[: max(len(values) - bars, 0)]
    return found


def _rows_since(event: Bool1D, *, start: int) -> np.ndarray:
    """Rows since ``event`` last held, 0 on its row, int64 ``(T,)``.

    Before the first event as if there were one, ``start`` rows before the row that precedes the first.
    """
    rows = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, rows, -1 - start))
    return np.asarray(rows - last)


def _since(found: Truth) -> Float1D:
    """Rows since it held; unknown where a row in between is, or the first row comes before the end."""
    decided = ~found.fails
    count = np.minimum(_rows_since(decided, start=0), MOST_BARS)
    row = np.arange(len(count)) - count
    ended = np.where(row >= 0, found.holds[np.maximum(row, 0)], False)
    return np.where(ended | (count == MOST_BARS), count.astype(np.float64), np.nan)
