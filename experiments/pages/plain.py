"""A page as JSON, and as Markdown: every number that the HTML shows, and the series behind its charts."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .code_parts import code_parts
from .document import (
    Block,
    Cell,
    Chart,
    Code,
    Document,
    Number,
    PriceChart,
    Table,
    Text,
    Tiles,
)

SCHEMA_VERSION: Final = 1
"""Of the JSON of a page."""


def document_json(document: Document) -> dict[str, Any]:
    """The page as JSON values: numbers in full with their units, None where they are undefined."""
    return {
        "schema_version": SCHEMA_VERSION,
        "title": document.title,
        "subtitle": document.subtitle,
        "badges": list(document.badges),
        "facts": _values(document.facts),
        "verdict": [_block(one) for one in document.verdict],
        "tiles": None if document.tiles is None else _block(document.tiles),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "lead": section.lead,
                "blocks": [_block(one) for one in section.blocks],
            }
            for section in document.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "tone": block.tone, "paragraphs": list(block.paragraphs)}
    if isinstance(block, Tiles):
        tiles = [
            {"label": one.label, "note": one.note} | _cell_json(one.value) for one in block.tiles
        ]
        return {"kind": "tiles", "tiles": tiles}
    if isinstance(block, Table):
        return _table_json(block)
    if isinstance(block, Chart):
        return {
            "kind": "chart",
            "name": block.name,
            "title": block.title,
            "text": block.text,
            "note": block.note,
            "data": _values(block.data),
            "layout": _values(block.layout),
            "table": None if block.table is None else _table_json(block.table),
        }
    if isinstance(block, PriceChart):
        return {
            "kind": "prices",
            "name": block.name,
            "title": block.title,
            "text": block.text,
            "note": block.note,
            "payload": _values(block.payload),
        }
    if isinstance(block, Code):
        return {"kind": "code", "summary": block.summary, "text": block.text}
    return {
        "kind": "fold",
        "summary": block.summary,
        "blocks": [_block(one) for one in block.blocks],
    }


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "kind": "table",
        "name": table.name,
        "caption": table.caption,
        "columns": list(table.columns),
        "rows": [
            [_cell_json(one) if isinstance(one, Number) else one for one in row]
            for row in table.rows
        ],
        "note": table.note,
    }


def _cell_json(number: Number) -> dict[str, Any]:
    return {"value": number.value, "unit": number.unit}


def _values(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _values(value.tolist())
    if isinstance(value, np.generic):
        return _values(value.item())
    if isinstance(value, Mapping):
        return {str(key): _values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_values(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def markdown_text(document: Document) -> str:
    """The page as Markdown: pictures as the sentences that describe them and the tables behind them."""
    lines = [f"# {_plain(document.title)}", ""]
    lines += [f"**{_plain(one)}**" for one in document.badges]
    lines += [_plain(document.subtitle), ""]
    for block in (*document.verdict, *((document.tiles,) if document.tiles else ())):
        lines += _markdown(block)
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        if section.lead:
            lines += [_plain(section.lead), ""]
        for block in section.blocks:
            lines += _markdown(block)
    return "\n".join(lines).rstrip() + "\n"


def _markdown(block: Block) -> list[str]:
    if isinstance(block, Text):
        mark = "- " if block.is_list else "> " if block.tone != "plain" else ""
        gap = [] if block.is_list else [">" if mark else ""]
        lines = [line for one in block.paragraphs for line in (f"{mark}{_plain(one)}", *gap)]
        return [*(lines[:-1] if mark == "> " else lines), ""]
    if isinstance(block, Tiles):
        return _markdown_rows(
            ("", "", ""), tuple((one.label, one.value, one.note) for one in block.tiles)
        )
    if isinstance(block, Table):
        return [f"**{_plain(block.caption)}**", "", *_table_lines(block)]
    if isinstance(block, Chart):
        told = [
            f"**{_plain(block.title)}**: {_plain(block.text)} {_plain(block.note)}".rstrip(),
            "",
        ]
        return told if block.table is None else [*told, *_table_lines(block.table)]
    if isinstance(block, PriceChart):
        return [
            f"**{_plain(block.title)}**: {_plain(block.text)} {_plain(block.note)}".rstrip(),
            "",
        ]
    if isinstance(block, Code):
        fence = "```"
        while fence in block.text:
            fence += "`"
        return [
            *([_plain(block.summary), ""] if block.summary else []),
            fence,
            block.text,
            fence,
            "",
        ]
    return [
        f"**{_plain(block.summary)}**",
        "",
        *(line for one in block.blocks for line in _markdown(one)),
    ]


def _table_lines(table: Table) -> list[str]:
    lines = _markdown_rows(table.columns, table.rows)
    return [*lines, *([_plain(table.note), ""] if table.note else [])]


def _markdown_rows(columns: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> list[str]:
    numeric = [any(isinstance(row[at], Number) for row in rows) for at in range(len(columns))]
    lines = [
        _markdown_row(columns),
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
    ]
    return [*lines, *(_markdown_row(row) for row in rows), ""]


def _markdown_row(cells: tuple[Cell, ...]) -> str:
    return (
        "| "
        + " | ".join(one.text if isinstance(one, Number) else _plain(one) for one in cells)
        + " |"
    )


_MARKS: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|~&!"} | {"\n": " "})


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup but the code that stands between backticks."""
    return "".join(
        f"`{part}`" if is_code and "|" not in part and "\n" not in part else part.translate(_MARKS)
        for is_code, part in code_parts(text)
    )
