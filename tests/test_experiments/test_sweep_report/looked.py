"""Looking at documents: their charts, tables and texts, and what holds for every page."""

import json
from collections.abc import Iterator

import numpy as np

from experiments.pages import Chart, Document, Table, Text
from experiments.pages.html import html_text
from experiments.pages.plain import document_json, markdown_text


def charts(document: Document) -> dict[str, Chart]:
    return {block.name: block for block in document.blocks() if isinstance(block, Chart)}


def tables(document: Document) -> dict[str, Table]:
    return {block.name: block for block in document.blocks() if isinstance(block, Table)}


def texts(document: Document) -> Iterator[str]:
    for block in (*document.verdict, *document.blocks()):
        if isinstance(block, Text):
            yield from block.paragraphs


def checked(document: Document) -> str:
    """Every format of a page; no chart without a point, no number that is none, no axis without a title."""
    for name, chart in charts(document).items():
        drawn = 0
        for trace in chart.data:
            values = trace.get("z", trace["y"] if trace.get("orientation") != "h" else trace["x"])
            flat = np.asarray(values, dtype=object).ravel()
            drawn += sum(isinstance(x, str) or (x is not None and not np.isnan(x)) for x in flat)
        assert drawn, name
        assert "nan" not in chart.text.lower().replace("nance", ""), chart.text
        titles = [chart.layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
        assert any(titles), name
    json.dumps(document_json(document), allow_nan=False)
    assert markdown_text(document).startswith("# ")
    html = html_text(document)
    assert "NaN" not in html.split("<main")[1].split("<script")[0]
    return html
