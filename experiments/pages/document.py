"""What a page consists of: sections of text, numbers, tables and charts, without any markup.

A number keeps its full value and its unit until it is shown, so that every format states the same one.
Text is text: whoever shows it escapes it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from engine import ContractError

from ..formats import formatted, signed

Tone: TypeAlias = Literal["plain", "good", "warning", "bad"]
Width: TypeAlias = Literal["full", "half"]
NAME_RULE: Final = "lower-case letters, digits and dashes"


@dataclass(frozen=True, slots=True)
class Number:
    """A value in its unit (those of ``formats.formatted``); None, NaN and infinities are undefined.

    ``is_change`` shows it with its sign.
    """

    value: float | None
    unit: str
    is_change: bool = False

    def __post_init__(self) -> None:
        if self.value is not None:
            value = float(self.value)
            object.__setattr__(self, "value", value if math.isfinite(value) else None)

    @property
    def text(self) -> str:
        """As it is shown: rounded, with its unit, ``n/a`` where it is undefined."""
        return (signed if self.is_change else formatted)(self.value, self.unit)


Cell: TypeAlias = str | Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Paragraphs; ``tone`` says how they are meant, ``is_list`` that they are points."""

    paragraphs: tuple[str, ...]
    tone: Tone = "plain"
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A number that matters first: what it is, the value, and what it stands beside."""

    label: str
    value: Number
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Numbers in large type beside each other."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under headings; ``name`` is unique in its document.

    ``caption`` says what the rows are, ``note`` stands below. ``is_folded`` hides it behind its caption
    until it is asked for. The first cell of a row is its heading.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    is_folded: bool = False
    width: Width = "full"

    def __post_init__(self) -> None:
        _check_name(self.name)
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ContractError(
                    f"table {self.name!r}: a row of {len(row)} cells under {len(self.columns)} headings"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A choice of how a chart is shown: a label, and what changes in its layout (Plotly's dotted keys)."""

    label: str
    layout: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A Plotly figure, and in words what it shows.

    ``data`` are traces, ``layout`` what differs from the page's own. Arrays may be NumPy's (times in
    milliseconds since the epoch, float64). Colours are words of the palette: ``@accent``,
    ``@accent/0.2`` with an opacity. ``text`` is what a reader who sees no pictures is told: what is
    drawn and what it says, with numbers. ``note`` stands under the picture (what was thinned or left
    out). ``table`` holds the numbers behind it where they are few. The first of ``switches`` is how
    it is shown at first.
    """

    name: str
    title: str
    text: str
    data: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any] = field(default_factory=dict)
    height: int = 300
    width: Width = "full"
    note: str = ""
    table: Table | None = None
    switches: tuple[Switch, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.data or not self.text:
            raise ContractError(f"chart {self.name!r}: needs traces, and words for them")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChart:
    """The linked chart of prices, fills, zones and votes; ``payload`` is what its script draws from."""

    name: str
    title: str
    text: str
    payload: Mapping[str, Any]
    note: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Text of fixed width: a configuration, a command."""

    text: str
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Blocks behind a line, until they are asked for."""

    summary: str
    blocks: "tuple[Block, ...]"


Block: TypeAlias = Text | Tiles | Table | Chart | PriceChart | Code | Fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page with a heading; ``name`` is its anchor, ``lead`` one sentence of what it is."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    lead: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page. ``badges`` are words beside the title, ``verdict`` the sentences above all numbers.

    ``facts`` are values for the JSON alone. Names of tables, charts and sections are unique;
    ContractError otherwise.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    verdict: tuple[Text, ...] = ()
    tiles: Tiles | None = None
    badges: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names: set[str] = set()
        for name in [section.name for section in self.sections] + [
            block.name for block in self.blocks() if isinstance(block, Table | Chart | PriceChart)
        ]:
            if name in names:
                raise ContractError(f"page {self.title!r}: {name!r} names two parts of it")
            names.add(name)

    def blocks(self) -> "Iterator[Block]":
        """Every block, those inside folds and behind charts too, in the order of the page."""
        for section in self.sections:
            yield from _all(section.blocks)


def _all(blocks: "tuple[Block, ...]") -> "Iterator[Block]":
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from _all(block.blocks)
        elif isinstance(block, Chart) and block.table is not None:
            yield block.table


def _check_name(name: str) -> None:
    kept = name.replace("-", "")
    if not kept.isascii() or not kept.isalnum() or name != name.lower():
        raise ContractError(f"{name!r} is no name of a part of a page: {NAME_RULE}")
