"""The rules of a replay as sections, made from the dataclasses of ``engine.rules`` field by field.

A rule that is added there can be set here under the same name. Ranges are checked there and nowhere
else.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import Field, create_model, model_validator

from engine import ConfigError, Costs, Exits, Limits, Margin, Sizing, SymbolRules

from .config_section import Real, Section, Whole

WITHOUT_END: Final = ("notional_to",)
"""Numbers that may be infinite, which a configuration writes as null."""
STATED_ONCE: Final[Mapping[str, tuple[str, str]]] = {"exits": ("stop_atr", "stop_frac")}
"""Two keys for one level, one of which has a default: naming the other leaves the default out."""


class RuleSection(Section):
    """A section whose keys are the fields of ``RULES``, a dataclass of ``engine.rules``."""

    RULES: ClassVar[type[Any]]

    def rules(self) -> Any:
        """The dataclass of the engine with these values; ConfigError when it refuses one."""
        names = (field.name for field in fields(self.RULES))
        return self.RULES(**{name: _ruled(name, getattr(self, name)) for name in names})

    @model_validator(mode="before")
    @classmethod
    def _stated_once(cls, data: Any) -> Any:
        names = STATED_ONCE.get(_title(cls.RULES), ())
        if not isinstance(data, Mapping) or all(data.get(name) is None for name in names):
            return data
        return {**dict.fromkeys(names), **data}

    @model_validator(mode="after")
    def _accepted(self) -> "RuleSection":
        try:
            self.rules()
        except ConfigError as error:
            message = str(error).removeprefix(_title(self.RULES))
            raise ValueError(message.removeprefix(".").removeprefix(": ")) from None
        return self


def _title(rules: type[Any]) -> str:
    """What the messages of the engine call these rules."""
    return "symbol_rules" if rules is SymbolRules else rules.__name__.lower()


def _ruled(name: str, value: Any) -> Any:
    if isinstance(value, RuleSection):
        return value.rules()
    if isinstance(value, tuple):
        return tuple(_ruled(name, item) for item in value)
    return math.inf if value is None and name in WITHOUT_END else value


def _plain(value: Any) -> Any:
    """A default of the engine as a configuration writes it."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return None if value == math.inf else value


def _annotation(hint: Any) -> Any:
    if hint is float:
        return Real
    if hint is int:
        return Whole
    if isinstance(hint, type) and is_dataclass(hint):
        return _section_of(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if not inner or origin is Literal:
        return hint
    inside = tuple(_annotation(one) for one in inner)
    return reduce(or_, inside) if origin in (Union, UnionType) else origin[inside]


@cache
def _section_of(rules: type[Any]) -> type[RuleSection]:
    hints = get_type_hints(rules)
    definitions: dict[str, Any] = {}
    for field in fields(rules):
        annotation = _annotation(hints[field.name])
        if field.name in WITHOUT_END:
            annotation = annotation | None
        default = Field() if field.default is MISSING else _defaulted(field.default)
        definitions[field.name] = (annotation, default)
    made = create_model(
        f"{rules.__name__}Config", __base__=RuleSection, __doc__=rules.__doc__, **definitions
    )
    made.RULES = rules
    return made


def _defaulted(default: Any) -> Any:
    return Field(default=_plain(default), validate_default=isinstance(default, tuple))


if TYPE_CHECKING:
    CostsConfig = RuleSection
    ExitsConfig = RuleSection
    SizingConfig = RuleSection
    LimitsConfig = RuleSection
    MarginConfig = RuleSection
    SymbolRulesConfig = RuleSection
else:
    CostsConfig = _section_of(Costs)
    ExitsConfig = _section_of(Exits)
    SizingConfig = _section_of(Sizing)
    LimitsConfig = _section_of(Limits)
    MarginConfig = _section_of(Margin)
    SymbolRulesConfig = _section_of(SymbolRules)


class EntryConfig(Section):
    """How the consensus enters: at the next open, or by a resting order beside the close.

    A ``limit`` waits ``offset_atr`` average true ranges below the close that decided to buy (above it
    to sell), a ``stop`` as far above (below). Leaving a position without entering another is always a
    market order; a turn to the other side waits for its price. ``exits.limit_bars`` says how long.
    """

    kind: Literal["market", "limit", "stop"] = "market"
    offset_atr: Real = Field(default=0.0, ge=0, le=100)

    @model_validator(mode="after")
    def _consistent(self) -> "EntryConfig":
        if self.kind == "market" and self.offset_atr != 0:
            raise ValueError(
                f"offset_atr={self.offset_atr} needs kind limit or stop: a market order has no price"
            )
        return self


class MeasuresConfig(Section):
    """What every decision states of its market, from the signals' own bars.

    ``atr_length`` bars of the average true range; ``volatility_bars`` returns of the annual volatility
    (365 days) that sizing by volatility needs.
    """

    atr_length: Whole = Field(default=14, ge=2, le=200)
    volatility_bars: Whole = Field(default=720, ge=20, le=2000)
