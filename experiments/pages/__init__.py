"""Pages as one description that is shown as HTML, JSON, Markdown or PDF: the same numbers in each."""

from .document import (
    Block,
    Cell,
    Chart,
    Code,
    Document,
    Fold,
    Number,
    PriceChart,
    Section,
    Switch,
    Table,
    Text,
    Tile,
    Tiles,
)

__all__ = [
    "Block",
    "Cell",
    "Chart",
    "Code",
    "Document",
    "Fold",
    "Number",
    "PriceChart",
    "Section",
    "Switch",
    "Table",
    "Text",
    "Tile",
    "Tiles",
]
