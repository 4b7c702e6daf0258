"""Expressions evaluated literally: one row at a time, on a history that ends with it, in plain Python.

A history is a list of values for each feature, None where nothing is known. What looks back is
evaluated on a shorter history, so that no row after the last can be reached.
"""

from collections.abc import Mapping

from indicators import Feature
from strategies.expressions.syntax import (
    MOST_BARS,
    Arithmetic,
    Column,
    Combination,
    Comparison,
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

History = Mapping[Feature, list[float | None]]


def earlier(history: History, bars: int) -> History | None:
    """The history as it was ``bars`` bars before; None where it had not begun."""
    if any(len(values) <= bars for values in history.values()):
        return None
    return {one: values[: len(values) - bars] for one, values in history.items()}


def number(node: Numeric, history: History) -> float | None:
    match node:
        case Number(value=value):
            return value
        case Column(feature=feature):
            return history[feature][-1] if feature in history else None
        case Negative(operand=operand):
            found = number(operand, history)
            return None if found is None else -found
        case Arithmetic(sign=sign, left=left, right=right):
            return calculated(sign, number(left, history), number(right, history))
        case Windowed(function=function, operand=operand, bars=bars):
            if function in ("previous", "change"):
                before = earlier(history, bars)
                was = None if before is None else number(operand, before)
                return (
                    was
                    if function == "previous"
                    else calculated("-", number(operand, history), was)
                )
            window = []
            for back in range(bars):
                before = earlier(history, back)
                window.append(None if before is None else number(operand, before))
            if None in window:
                return None
            known = [value for value in window if value is not None]
            if function == "mean":
                return sum(known) / bars
            return max(known) if function == "highest" else min(known)
        case Since(condition=condition):
            for back in range(MOST_BARS):
                before = earlier(history, back)
                held = None if before is None else truth(condition, before)
                if held is None:
                    return None
                if held:
                    return float(back)
            return float(MOST_BARS)


def calculated(sign: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    if sign == "/":
        return left / right if right != 0 else None
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def compared(sign: str, left: float | None, right: float | None) -> bool | None:
    if left is None or right is None:
        return None
    return {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "==": left == right,
        "!=": left != right,
    }[sign]


def both(answers: list[bool | None]) -> bool | None:
    """True where all are true, False where one is false, else not known."""
    if False in answers:
        return False
    return None if None in answers else True


def opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def truth(node: Condition, history: History) -> bool | None:
    match node:
        case Comparison(sign=sign, left=left, right=right):
            return compared(sign, number(left, history), number(right, history))
        case Crossing(function=function, left=left, right=right):
            before = earlier(history, 1)
            values = number(left, history), number(right, history)
            was = (None, None) if before is None else (number(left, before), number(right, before))
            if function == "crosses_above":
                return both([compared(">", *values), compared("<=", *was)])
            return both([compared("<", *values), compared(">=", *was)])
        case Held(condition=condition, bars=bars):
            histories = [earlier(history, back) for back in range(bars)]
            return both([None if one is None else truth(condition, one) for one in histories])
        case Not(condition=condition):
            return opposite(truth(condition, history))
        case Combination(word=word, left=left, right=right):
            answers = [truth(left, history), truth(right, history)]
            if word == "and":
                return both(answers)
            return opposite(both([opposite(answer) for answer in answers]))
