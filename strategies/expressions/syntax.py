"""What an expression is made of: numbers and conditions, and how they are written."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

from indicators import Feature

MOST_BARS: Final = 1_000
"""Bars that one function may look back."""

ArithmeticSign: TypeAlias = Literal["+", "-", "*", "/"]
ComparisonSign: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]
WindowFunction: TypeAlias = Literal["previous", "change", "highest", "lowest", "mean"]
CrossingFunction: TypeAlias = Literal["crosses_above", "crosses_below"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is written out, finite and not negative."""

    value: float

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a feature at the bar."""

    feature: Feature

    def __str__(self) -> str:
        return str(self.feature)


@dataclass(frozen=True, slots=True)
class Negative:
    """The number with its sign turned."""

    operand: "Numeric"

    def __str__(self) -> str:
        return f"-{_inside(self.operand, _SIGNED)}"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Sum, difference, product or quotient of two numbers."""

    sign: ArithmeticSign
    left: "Numeric"
    right: "Numeric"

    def __str__(self) -> str:
        own = _precedence(self)
        return f"{_inside(self.left, own)} {self.sign} {_inside(self.right, own + 1)}"


@dataclass(frozen=True, slots=True)
class Windowed:
    """A number made of the last rows of another; ``bars`` is a whole number of at least 1."""

    function: WindowFunction
    operand: "Numeric"
    bars: int

    def __str__(self) -> str:
        return f"{self.function}({self.operand}, {self.bars})"


@dataclass(frozen=True, slots=True)
class Since:
    """Bars since a condition last held, 0 where it holds; ``MOST_BARS`` stands for as many or more."""

    condition: "Condition"

    def __str__(self) -> str:
        return f"since({self.condition})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two numbers stand to each other as the sign says."""

    sign: ComparisonSign
    left: "Numeric"
    right: "Numeric"

    def __str__(self) -> str:
        return f"{_inside(self.left, _SUM)} {self.sign} {_inside(self.right, _SUM)}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """Whether one number has just come to the other side of another."""

    function: CrossingFunction
    left: "Numeric"
    right: "Numeric"

    def __str__(self) -> str:
        return f"{self.function}({self.left}, {self.right})"


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a condition held on each of the last ``bars`` rows, the present one included."""

    condition: "Condition"
    bars: int

    def __str__(self) -> str:
        return f"held({self.condition}, {self.bars})"


@dataclass(frozen=True, slots=True)
class Not:
    """Whether a condition is known not to hold."""

    condition: "Condition"

    def __str__(self) -> str:
        return f"not {_inside(self.condition, _NOT)}"


@dataclass(frozen=True, slots=True)
class Combination:
    """Two conditions, both or one of which must hold."""

    word: Literal["and", "or"]
    left: "Condition"
    right: "Condition"

    def __str__(self) -> str:
        own = _precedence(self)
        return f"{_inside(self.left, own)} {self.word} {_inside(self.right, own + 1)}"


Numeric: TypeAlias = Number | Column | Negative | Arithmetic | Windowed | Since
Condition: TypeAlias = Comparison | Crossing | Held | Not | Combination
Node: TypeAlias = Numeric | Condition

_OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _SIGNED, _CLOSED = range(8)
"""How closely things hold together, loosest first."""


def features_of(node: Node) -> tuple[Feature, ...]:
    """Every feature that the expression reads, once, in the order in which they are written."""
    found = (part.feature for part in _parts(node) if isinstance(part, Column))
    return tuple(dict.fromkeys(found))


def bars_back(node: Node) -> int:
    """Rows before its own that a row of the expression may depend on, those of its features apart."""
    own = 0
    match node:
        case Windowed(function="previous" | "change", bars=bars):
            own = bars
        case Windowed(bars=bars) | Held(bars=bars):
            own = bars - 1
        case Crossing():
            own = 1
        case Since():
            own = MOST_BARS - 1
    return own + max(map(bars_back, _operands(node)), default=0)


def _precedence(node: Node) -> int:
    match node:
        case Combination(word=word):
            return _OR if word == "or" else _AND
        case Not():
            return _NOT
        case Comparison():
            return _COMPARED
        case Arithmetic(sign=sign):
            return _SUM if sign in ("+", "-") else _PRODUCT
        case Negative():
            return _SIGNED
    return _CLOSED


def _inside(node: Node, least: int) -> str:
    """The text of ``node``, in brackets where it holds together less closely than ``least``."""
    return str(node) if _precedence(node) >= least else f"({node})"


def _operands(node: Node) -> tuple[Node, ...]:
    values = (getattr(node, field.name) for field in fields(node))
    return tuple(value for value in values if isinstance(value, Node))


def _parts(node: Node) -> Iterator[Node]:
    yield node
    for operand in _operands(node):
        yield from _parts(operand)
