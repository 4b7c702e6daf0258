"""A page as one HTML file that fetches nothing: text and tables as markup, charts drawn by its script."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import numpy as np

from .code_parts import code_parts
from .document import Block, Chart, Code, Document, Fold, Number, PriceChart, Table, Text, Tiles

TEMPLATE: Final = "page.html.j2"
PLOTLY: Final = "plotly-cartesian.min.js"
PLOTLY_SHA256: Final = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"
PRICE_SCRIPTS: Final = ("price_bars.js", "price_panes.js", "price_chart.js")
"""Of the linked chart: its data, what is painted, and what a reader does with it."""
KINDS: Final = {
    Text: "text",
    Tiles: "tiles",
    Table: "table",
    Chart: "chart",
    PriceChart: "prices",
    Code: "code",
    Fold: "fold",
}
"""The macro of the template that shows each kind of block."""
SHORT_CELL: Final = 17
"""Letters of a cell that are not broken into lines: a moment of time, a name of two words."""
LONG_CELL: Final = 34
"""Letters from which a table's last cells are sentences: on a phone they stand under their row."""
MOST_AMOUNTS: Final = 2
"""Columns of numbers that such a row has room for beside its name."""
_EXTRA: Final = "<extra></extra>"


def html_text(document: Document, *, home: str = "") -> str:
    """The page as text; ``home`` is a link back to the list that it was opened from."""
    from markupsafe import Markup

    charts = {
        block.name: _for_script(block)
        for block in document.blocks()
        if isinstance(block, Chart | PriceChart)
    }
    has_prices = any(isinstance(block, PriceChart) for block in document.blocks())
    scripts = ["page.js", *(PRICE_SCRIPTS if has_prices else ())]
    text: str = _template().render(
        page=document,
        home=home,
        kind=_kind,
        laid=laid,
        numeric=_numeric_columns,
        amounts=_amounts,
        style=Markup(asset("style.css")),
        scripts=[Markup(asset(name)) for name in scripts],
        figures={name: Markup(value) for name, value in charts.items()},
        plotly=Markup(plotly_script()),
    )
    return text


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("experiments.pages", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["parts"] = code_parts
    environment.filters["css"] = _css_text
    environment.tests["number"] = lambda cell: isinstance(cell, Number)
    environment.tests["short"] = lambda cell: isinstance(cell, str) and len(cell) <= SHORT_CELL
    return environment.get_template(TEMPLATE)


@cache
def asset(name: str) -> str:
    """The text of a file that pages carry with them: a style, a script."""
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


@cache
def plotly_script() -> str:
    """Plotly's script for the element ``plotly`` of a page, compressed so that it stays small."""
    return _compressed(asset(PLOTLY), level=9)


def _compressed(text: str, level: int) -> str:
    """Text that the page's script unpacks, in letters that need no escaping."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=level, mtime=0)).decode(
        "ascii"
    )


def _kind(block: Block) -> str:
    return KINDS[type(block)]


def laid(blocks: Sequence[Block]) -> list[tuple[Block, str]]:
    """Each block with its width: a half that would stand beside nothing is as wide as the page."""
    widths = [getattr(block, "width", "full") for block in blocks]
    for start, stop in _runs_of_halves(widths):
        if (stop - start) % 2:
            widths[stop - 1] = "full"
    return list(zip(blocks, widths, strict=True))


def _runs_of_halves(widths: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for width, run in groupby(widths):
        stop = start + len(list(run))
        if width == "half":
            yield start, stop
        start = stop


def _numeric_columns(table: Table) -> list[bool]:
    """Columns of numbers are aligned to the right."""
    return [
        any(isinstance(row[at], Number) for row in table.rows) for at in range(len(table.columns))
    ]


def _css_text(text: str) -> str:
    """Text between the quotes of a style sheet; whatever could end it is written as its number."""
    return "".join(
        one if one.isascii() and (one.isalnum() or one in " .-") else f"\\{ord(one):x} "
        for one in text
    )


def _amounts(table: Table) -> int:
    """Columns of numbers between the names and the sentences of a table that explains; 0 for others."""
    numeric = _numeric_columns(table)
    count = sum(numeric)
    explains = (
        0 < count <= MOST_AMOUNTS
        and numeric == [False, *[True] * count, False]
        and any(len(str(row[-1])) >= LONG_CELL for row in table.rows)
    )
    return count if explains else 0


def _for_script(block: Chart | PriceChart) -> str:
    if isinstance(block, PriceChart):
        text = json.dumps(packed(block.payload), separators=(",", ":"), allow_nan=False)
        return _compressed(text, level=6)
    figure = {
        "data": [drawable(trace) for trace in block.data],
        "layout": drawable(block.layout),
        "switches": [drawable(switch.layout) for switch in block.switches],
    }
    return json_for_script(figure)


def packed(value: Any) -> Any:
    """JSON values; NumPy arrays as bytes in base64 with their type and shape, as Plotly reads them too."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return _packed_array(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return packed(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): packed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [packed(item) for item in value]
    return value


def drawable(value: Any) -> Any:
    """``packed``, with every string as the text that Plotly shall show: it reads some markup in them."""
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, np.ndarray):
        return drawable(value.tolist()) if value.dtype.kind not in "fiub" else _packed_array(value)
    if isinstance(value, Mapping):
        return {str(key): drawable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [drawable(item) for item in value]
    return packed(value)


def _plain(text: str) -> str:
    has_extra = text.endswith(_EXTRA)
    text = text.removesuffix(_EXTRA)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\n", "<br>") + (_EXTRA if has_extra else "")


def _packed_array(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    if values.dtype.kind == "b":
        values = values.astype(np.int8)
    if values.dtype.itemsize == 8 and values.dtype.kind in "iu":
        # JavaScript has no array of such integers that mixes with its numbers.
        values = values.astype(np.float64)
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    content: dict[str, Any] = {
        "dtype": f"{values.dtype.kind}{values.dtype.itemsize}",
        "bdata": base64.b64encode(little.tobytes()).decode("ascii"),
    }
    if values.ndim > 1:
        content["shape"] = ", ".join(map(str, values.shape))
    return content


def json_for_script(value: Any) -> str:
    """JSON inside an element ``script``, which nothing in it can close."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
